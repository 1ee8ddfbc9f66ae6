/*
 * Each rule of a seizure switched off (gossip/weaken.h) does harm that the whole rule prevents; and
 * where a second rule would still prevent it, only with that one off too.
 */
#include "band.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "text.h"

#define OFF(bit) ((weakened_set)1 << WEAK_##bit)

static struct band *weak_band(uint32_t count, uint32_t voters, weakened_set off)
{
	struct band *b = band_new(count, voters);
	for (uint32_t i = 0; i < count; i++) {
		b->nodes[i].settings.weakened = off;
		b->nodes[i].core->settings.weakened = off;
	}
	band_run(b, 8 * SECOND);
	return b;
}

static void ask_seize(struct band *b, uint32_t at, uint32_t count, const uint32_t *dead)
{
	node_id ids[BAND_MAX];
	struct input input = {.kind = INPUT_SEIZE};
	for (uint32_t i = 0; i < count; i++)
		ids[i] = band_id(b, dead[i]);
	input.seize.dead_count = count;
	input.seize.dead = ids;
	band_input(b, at, &input);
}

static uint64_t generation(const struct band *b, uint32_t at)
{
	struct status_view s;
	band_status(b, at, &s);
	return s.generation.number;
}

static bool two_acted(struct band *b)
{
	bool overlapped = b->overlaps > 0;
	band_free(b);
	return overlapped;
}

/* The master and one voter are cut off from the seizer alone, who declares them dead. */
static struct band *master_out_of_sight(weakened_set off, uint32_t *seizer, uint32_t dead[2])
{
	struct band *b = weak_band(5, 5, off);
	uint32_t master = band_master(b);
	*seizer = master == 0 ? 1 : 0;
	dead[0] = master;
	dead[1] = master == 4 ? 3 : 4;
	for (int i = 0; i < 2; i++)
		band_cut(b, *seizer, dead[i]);
	return b;
}

/* Those who consent do so at the last moment, until when the master renews its lease with them. */
static bool founds_beside_a_lease(weakened_set off)
{
	uint32_t seizer, dead[2];
	struct band *b = master_out_of_sight(off, &seizer, dead);
	band_run(b, 15 * SECOND);
	for (uint32_t i = 0; i < 5; i++) {
		if (i != seizer)
			band_cut(b, seizer, i);
	}
	ask_seize(b, seizer, 2, dead);
	band_run(b, 1900 * MILLISECOND);
	band_heal(b);
	for (int i = 0; i < 2; i++)
		band_cut(b, seizer, dead[i]);
	band_run(b, 10 * SECOND);
	return two_acted(b);
}

static void without_the_wait_a_lease_of_the_old_generation_lives_on(void **state)
{
	assert_false(founds_beside_a_lease(0));
	assert_false(founds_beside_a_lease(OFF(SEIZE_WAIT))); /* who sees a quorum does not consent */
	assert_false(founds_beside_a_lease(OFF(SEIZE_QUORUM)));
	assert_true(founds_beside_a_lease(OFF(SEIZE_QUORUM) | OFF(SEIZE_WAIT)));
}

/* Wrong words: c and d live. SEIZED to b, who consented, is lost; then b, c and d find each other. */
static bool old_quorum_behind_the_back(weakened_set off)
{
	struct band *b = weak_band(5, 5, off);
	for (uint32_t i = 0; i < 2; i++) {
		for (uint32_t k = 2; k < 5; k++)
			band_cut(b, i, k);
	}
	band_kill(b, 4); /* c and d live behind the cut, two of five */
	band_run(b, 15 * SECOND);
	ask_seize(b, 0, 3, (uint32_t[]){2, 3, 4});
	b->lost = MESSAGE_SEIZED;
	band_run(b, 5 * SECOND);
	assert_int_equal(generation(b, 0), 2);
	band_heal(b);
	for (uint32_t i = 1; i < 5; i++)
		band_cut(b, 0, i);
	b->lost = MESSAGE_NONE;
	band_run(b, 10 * SECOND); /* with b they would be three of five */
	return two_acted(b);
}

static void without_the_freeze_the_old_generation_gets_a_quorum_behind_the_founders_back(void **state)
{
	assert_false(old_quorum_behind_the_back(0));
	assert_true(old_quorum_behind_the_back(OFF(SEIZE_FREEZE)));
}

/* Two seize at one time, each with true words. */
static bool two_found(weakened_set off)
{
	struct band *b = weak_band(5, 5, off);
	for (uint32_t i = 2; i < 5; i++)
		band_kill(b, i);
	band_run(b, 12 * SECOND);
	b->lost = MESSAGE_SEIZED;
	ask_seize(b, 0, 3, (uint32_t[]){2, 3, 4});
	ask_seize(b, 1, 3, (uint32_t[]){2, 3, 4});
	band_run(b, 15 * SECOND);
	return two_acted(b);
}

static void who_seizes_and_consents_makes_two_generations(void **state)
{
	assert_false(two_found(0));
	assert_true(two_found(OFF(SEIZE_SHARED)));
}

/* Voters a and b are dead, which both c and d say truly; they do not hear each other. */
static bool unnamed_founds_too(weakened_set off)
{
	struct band *b = weak_band(4, 3, off);
	band_kill(b, 0);
	band_kill(b, 1);
	band_cut(b, 2, 3);
	band_run(b, 12 * SECOND);
	ask_seize(b, 2, 2, (uint32_t[]){0, 1});
	ask_seize(b, 3, 2, (uint32_t[]){0, 1});
	band_run(b, 15 * SECOND);
	return two_acted(b);
}

static void who_was_not_named_may_seize_with_the_same_right(void **state)
{
	assert_false(unnamed_founds_too(0));
	assert_true(unnamed_founds_too(OFF(SEIZE_UNNAMED)));
}

/* The seizer misses a committed write that the one who follows has. */
static bool loses_a_write(weakened_set off)
{
	struct band *b = weak_band(5, 5, off);
	uint32_t master = band_master(b), seizer = master == 0 ? 1 : 0, holder = master == 4 ? 3 : 4;
	uint32_t dead[3], count = 0;
	for (uint32_t i = 0; i < 5; i++) {
		if (i != seizer)
			band_cut(b, i, seizer);
	}
	assert_int_equal(band_put(b, master, "late", "kept"), ANSWER_DONE);
	for (uint32_t i = 0; i < 5; i++) {
		if (i != seizer && i != holder) {
			band_kill(b, i);
			dead[count++] = i;
		}
	}
	band_run(b, 12 * SECOND);
	b->lost = MESSAGE_ENTRIES; /* it does not catch up by itself */
	ask_seize(b, seizer, count, dead);
	band_heal(b);
	band_run(b, 6 * SECOND);
	b->lost = MESSAGE_NONE;
	band_run(b, 2 * SECOND);
	assert_int_equal(generation(b, seizer), 2);
	bool lost = strcmp(band_get(b, seizer, "late"), "kept") != 0;
	band_free(b);
	return lost;
}

static void the_founders_own_log_may_lack_what_was_committed(void **state)
{
	assert_false(loses_a_write(0));
	assert_true(loses_a_write(OFF(SEIZE_BEST_LOG)));
}

/* d consented, its consent was lifted and it went on; then SEIZED comes. */
static bool follows_unasked(weakened_set off)
{
	struct band *b = weak_band(4, 3, off);
	band_kill(b, 1);
	band_kill(b, 2);
	band_run(b, 12 * SECOND);
	b->lost = MESSAGE_SEIZED;
	ask_seize(b, 0, 2, (uint32_t[]){1, 2});
	band_run(b, 5 * SECOND);
	b->nodes[3].core->durable.consent_to = 0;
	b->lost = MESSAGE_NONE;
	band_run(b, 5 * SECOND);
	bool followed = generation(b, 3) == 2;
	band_free(b);
	return followed;
}

static void nobody_follows_without_a_standing_consent(void **state)
{
	assert_false(follows_unasked(0));
	assert_true(follows_unasked(OFF(SEIZE_ATTEMPT)));
}

/* Both operators were wrong about the other side; then the sides meet. */
static bool rivals_go_on(weakened_set off)
{
	struct band *b = weak_band(5, 5, off);
	band_kill(b, 4);
	for (uint32_t i = 0; i < 4; i++) {
		for (uint32_t k = 0; k < 4; k++) {
			if (i % 2 != k % 2)
				band_cut(b, i, k);
		}
	}
	band_run(b, 15 * SECOND);
	ask_seize(b, 0, 3, (uint32_t[]){1, 3, 4});
	ask_seize(b, 1, 3, (uint32_t[]){0, 2, 4});
	band_run(b, 8 * SECOND);
	assert_int_equal(generation(b, 0), 2);
	assert_int_equal(generation(b, 1), 2);
	band_heal(b);
	band_run(b, 20 * SECOND);
	b->overlaps = 0;
	band_run(b, 5 * SECOND);
	return two_acted(b);
}

static void rivals_that_met_do_not_both_go_on(void **state)
{
	assert_false(rivals_go_on(0));
	assert_true(rivals_go_on(OFF(GENERATION_ORDER)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_the_wait_a_lease_of_the_old_generation_lives_on),
		cmocka_unit_test(without_the_freeze_the_old_generation_gets_a_quorum_behind_the_founders_back),
		cmocka_unit_test(who_seizes_and_consents_makes_two_generations),
		cmocka_unit_test(who_was_not_named_may_seize_with_the_same_right),
		cmocka_unit_test(the_founders_own_log_may_lack_what_was_committed),
		cmocka_unit_test(nobody_follows_without_a_standing_consent),
		cmocka_unit_test(rivals_that_met_do_not_both_go_on),
	};
	int started = seal_start();
	assert_int_equal(started, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
