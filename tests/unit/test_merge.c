/*
 * P3, exhaustively: a candidate's own log against one voter's, over two slots above the commit.
 *
 * A slot is empty or was accepted under ballot 1, 2 or 3; its value is a function of slot and ballot
 * (one owner, one value). The voter may know the first slots to be committed. Expected: what the
 * voter knows committed is taken and committed; elsewhere the higher ballot wins; nothing is lost.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alone.h"

#define SLOTS 2
#define BALLOTS 3
#define BASE 1 /* the founding: committed at both */

/* Ballot counters of slots BASE+1, BASE+2; 0: empty. A log has no gaps. */
struct logs {
	unsigned own[SLOTS], other[SLOTS];
	unsigned committed; /* how many of the other's slots it knows to be committed */
};

static bool legal(const struct logs *l)
{
	bool gap = (l->own[0] == 0 && l->own[1] != 0) || (l->other[0] == 0 && l->other[1] != 0);
	for (unsigned i = 0; i < l->committed && !gap; i++)
		gap = l->other[i] == 0;
	return !gap;
}

/* One owner a ballot: ballots 1 and 3 propose the same value in slot 1, 2 another one. */
static size_t command_of(unsigned slot, unsigned ballot, uint8_t *out)
{
	char key[16];
	snprintf(key, sizeof key, "slot%u", slot);
	struct command c = {.kind = COMMAND_KV_PUT,
		.if_version = NO_VERSION,
		.key = {(const uint8_t *)key, strlen(key)},
		.value = {(const uint8_t *)(ballot == 2 ? "even" : "odd"), ballot == 2 ? 4 : 3}};
	return command_encode(&c, out, 256);
}

static void put_own(struct alone *a, const struct logs *l)
{
	uint8_t command[256];
	for (unsigned i = 0; i < SLOTS && l->own[i] != 0; i++) {
		struct ballot ballot = alone_ballot(a, l->own[i], 1);
		size_t size = command_of(i, l->own[i], command);
		assert_true(log_put(&a->core->log, a->core->log.commit + 1 + i, &ballot,
		                    (struct bytes){command, size}));
	}
}

static void hear_promise(struct alone *a, const struct logs *l, uint64_t base)
{
	struct entry entries[SLOTS];
	uint8_t commands[SLOTS][256];
	struct envelope e = {.kind = MESSAGE_PROMISE};
	e.promise.ballot = a->core->lease.ballot;
	e.promise.config = a->core->durable.config;
	e.promise.commit = base + l->committed;
	for (unsigned i = 0; i < SLOTS && l->other[i] != 0; i++) {
		size_t size = command_of(i, l->other[i], commands[i]);
		entries[e.promise.entry_count++] = (struct entry){base + 1 + i,
			alone_ballot(a, l->other[i], 1), {commands[i], size}};
	}
	e.promise.entries = entries;
	alone_hear(a, 1, &e);
}

static unsigned expected(const struct logs *l, unsigned slot)
{
	if (slot < l->committed || l->other[slot] > l->own[slot])
		return l->other[slot];
	return l->own[slot];
}

static void check(struct alone *a, const struct logs *l, uint64_t base)
{
	for (unsigned i = 0; i < SLOTS; i++) {
		uint8_t command[256];
		struct entry got;
		unsigned want = expected(l, i);
		if (want == 0)
			break;
		size_t size = command_of(i, want, command);
		assert_true(log_get(&a->core->log, base + 1 + i, &got));
		assert_int_equal(got.command.size, size);
		assert_memory_equal(got.command.data, command, size);
	}
	assert_true(a->core->log.commit >= base + l->committed);
}

static void try_one(const struct logs *l)
{
	struct alone *a = alone_new(3, 3, NULL);
	for (int i = 0; i < 2000 && a->core->lease.phase != PHASE_PREPARING; i++)
		alone_pass(a, 5 * MILLISECOND);
	assert_int_equal(a->core->lease.phase, PHASE_PREPARING);
	uint64_t base = a->core->log.commit;
	put_own(a, l);
	hear_promise(a, l, base);
	check(a, l, base);
	alone_free(a);
}

static void each_slot_takes_what_is_committed_or_else_the_higher_ballot(void **state)
{
	unsigned tried = 0;
	const unsigned all = BALLOTS + 1;
	for (unsigned code = 0; code < all * all * all * all * 3; code++) {
		struct logs l = {{code % all, code / all % all},
			{code / all / all % all, code / all / all / all % all},
			code / all / all / all / all};
		if (!legal(&l))
			continue;
		try_one(&l);
		tried++;
	}
	assert_true(tried > 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_slot_takes_what_is_committed_or_else_the_higher_ballot),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
