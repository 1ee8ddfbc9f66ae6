/*
 * The simulator's disk keeps the promises that SQLite makes the daemon: whole transactions, in order,
 * and what was reported survives; and it breaks where a real one does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dice.h"
#include "disk.h"

struct reports {
	uint32_t count;
	bool failed[16];
};

static void note(void *context, uint64_t number, bool failed)
{
	struct reports *r = context;
	r->failed[number % 16] = failed;
	r->count++;
}

/* One transaction of two entries, so that half of it would show. */
static void write_pair(struct disk *d, uint64_t number)
{
	static const uint8_t text[100];
	struct store_op ops[2] = {
		{.kind = STORE_ENTRY, .index = 2 * number - 1, .value = {text, sizeof(text)}},
		{.kind = STORE_ENTRY, .index = 2 * number, .value = {text, sizeof(text)}},
	};
	disk_submit(d, number, false, 2, ops);
}

static void a_crash_keeps_any_number_of_whole_transactions_of_the_batch(void **state)
{
	bool seen[4] = {false};
	for (uint64_t seed = 1; seed < 100; seed++) {
		struct disk d = {0};
		struct prng dice;
		dice_seed(&dice, seed, DICE_WORLD);
		for (uint64_t number = 1; number <= 3; number++)
			write_pair(&d, number);
		disk_begin(&d);
		write_pair(&d, 4); /* after the batch began: never written */
		disk_crash(&d, &dice);
		assert_int_equal(d.entry_count % 2, 0);
		assert_true(d.entry_count <= 6);
		seen[d.entry_count / 2] = true;
		disk_finish(&d);
	}
	for (int i = 0; i < 4; i++)
		assert_true(seen[i]);
}

static void what_was_reported_survives_every_crash(void **state)
{
	for (uint64_t seed = 1; seed < 20; seed++) {
		struct disk d = {0};
		struct reports r = {0};
		struct prng dice;
		dice_seed(&dice, seed, DICE_WORLD);
		write_pair(&d, 1);
		disk_begin(&d);
		disk_end(&d, note, &r);
		write_pair(&d, 2);
		disk_crash(&d, &dice);
		assert_int_equal(r.count, 1);
		assert_int_equal(d.entry_count, 2);
		disk_finish(&d);
	}
}

static void a_full_disk_takes_what_fits_and_nothing_behind_it(void **state)
{
	struct disk d = {.mood = DISK_FULL, .room = 450};
	struct reports r = {0};
	for (uint64_t number = 1; number <= 4; number++)
		write_pair(&d, number);
	disk_begin(&d);
	disk_end(&d, note, &r);
	assert_int_equal(r.count, 4);
	assert_false(r.failed[1] || r.failed[2]);
	assert_true(r.failed[3] && r.failed[4]);
	assert_int_equal(d.entry_count, 4);
	d.mood = DISK_WELL; /* room again: the failed ones are written, silently, in order */
	disk_begin(&d);
	disk_end(&d, note, &r);
	assert_int_equal(r.count, 4);
	assert_int_equal(d.entry_count, 8);
	disk_finish(&d);
}

static void a_copy_holds_what_was_written_and_not_what_was_on_its_way(void **state)
{
	struct disk d = {0}, copy;
	struct reports r = {0};
	write_pair(&d, 1);
	disk_begin(&d);
	disk_end(&d, note, &r);
	write_pair(&d, 2);
	disk_copy(&d, &copy);
	disk_flush(&d);
	assert_int_equal(copy.entry_count, 2);
	assert_int_equal(d.entry_count, 4);
	disk_finish(&d);
	assert_int_equal(copy.entries[1].index, 2);
	disk_finish(&copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_crash_keeps_any_number_of_whole_transactions_of_the_batch),
		cmocka_unit_test(what_was_reported_survives_every_crash),
		cmocka_unit_test(a_full_disk_takes_what_fits_and_nothing_behind_it),
		cmocka_unit_test(a_copy_holds_what_was_written_and_not_what_was_on_its_way),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
