#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core.h"
#include "replay.h"

#define SEQUENCES 20000

/* What the rule says, plainly. */
struct plain {
	bool opened[SEQUENCES];
	uint64_t top;
};

static bool plain_seen(const struct plain *p, uint64_t sequence)
{
	if (sequence > p->top)
		return false;
	return p->top - sequence >= REPLAY_WINDOW || p->opened[sequence];
}

static void plain_mark(struct plain *p, uint64_t sequence)
{
	p->opened[sequence] = true;
	p->top = sequence > p->top ? sequence : p->top;
}

static struct replay_bitmap bitmaps[1];

static struct replay_pool fresh_pool(void)
{
	memset(bitmaps, 0, sizeof bitmaps);
	return (struct replay_pool){.bitmaps = bitmaps, .capacity = 1};
}

/* Sequences that wander upwards by about `step`, some of them late by up to `late`. */
static void compare(uint64_t seed, uint64_t step, uint64_t late)
{
	static struct plain plain;
	struct replay_pool pool = fresh_pool();
	struct replay r = {0};
	struct prng dice;
	const uint64_t words[4] = {seed, step, late, 1};
	memset(&plain, 0, sizeof plain);
	prng_seed(&dice, words);
	for (uint64_t at = late + 1; at < SEQUENCES; at += prng_below(&dice, step + 1)) {
		uint64_t sequence = at - prng_below(&dice, late + 1);
		assert_int_equal(replay_seen(&pool, &r, sequence), plain_seen(&plain, sequence));
		if (plain_seen(&plain, sequence))
			continue;
		replay_mark(&pool, &r, sequence);
		plain_mark(&plain, sequence);
	}
	for (uint64_t sequence = 1; sequence < SEQUENCES; sequence++)
		assert_int_equal(replay_seen(&pool, &r, sequence), plain_seen(&plain, sequence));
}

static void a_sequence_counts_once_in_whatever_order_packets_come(void **state)
{
	static const uint64_t steps[] = {1, 3, 50, 400, 1500};
	static const uint64_t lates[] = {0, 5, 300, 3000};
	for (uint64_t seed = 1; seed <= 20; seed++)
		for (size_t i = 0; i < 5; i++)
			for (size_t k = 0; k < 4; k++)
				compare(seed, steps[i], lates[k]);
}

static void a_peer_that_is_seldom_heard_needs_no_bitmap(void **state)
{
	struct replay_pool pool = fresh_pool();
	struct replay r = {0};
	for (uint64_t sequence = 1; sequence < SEQUENCES; sequence += REPLAY_WINDOW / 4)
		replay_mark(&pool, &r, sequence);
	assert_int_equal(pool.used, 0);
	for (uint64_t sequence = SEQUENCES; sequence < SEQUENCES + 10; sequence++)
		replay_mark(&pool, &r, sequence);
	assert_int_equal(pool.used, 1);
}

static void a_new_process_of_the_sender_begins_anew(void **state)
{
	struct replay_pool pool = fresh_pool();
	struct replay r = {0};
	for (int start = 0; start < 3; start++) {
		for (uint64_t sequence = 1; sequence < 100; sequence++) {
			assert_false(replay_seen(&pool, &r, sequence));
			replay_mark(&pool, &r, sequence);
			assert_true(replay_seen(&pool, &r, sequence));
		}
		replay_reset(&pool, &r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_sequence_counts_once_in_whatever_order_packets_come),
	    cmocka_unit_test(a_peer_that_is_seldom_heard_needs_no_bitmap),
	    cmocka_unit_test(a_new_process_of_the_sender_begins_anew),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
