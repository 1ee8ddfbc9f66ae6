/* The window of entries. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core.h"

#define LOG_BYTES 8192u

static struct log log_under_test;
static void *memory;

static int setup(void **state)
{
	struct carve measure = {NULL, 0};
	log_init(&log_under_test, LOG_BYTES, &measure);
	memory = calloc(1, measure.used);
	struct carve c = {memory, 0};
	memset(&log_under_test, 0, sizeof log_under_test);
	log_init(&log_under_test, LOG_BYTES, &c);
	return memory == NULL ? -1 : 0;
}

static int teardown(void **state)
{
	free(memory);
	return 0;
}

static bool put(uint64_t index, uint64_t counter, const char *text)
{
	struct ballot ballot = {counter, 1, 7, 0};
	return log_put(&log_under_test, index, &ballot,
	               (struct bytes){(const uint8_t *)text, strlen(text)});
}

static void expect(uint64_t index, uint64_t counter, const char *text)
{
	struct entry e;
	assert_true(log_get(&log_under_test, index, &e));
	assert_int_equal(e.index, index);
	assert_int_equal(e.ballot.counter, counter);
	assert_int_equal(e.command.size, strlen(text));
	assert_memory_equal(e.command.data, text, strlen(text));
}

static void what_was_put_is_there(void **state)
{
	assert_true(put(1, 1, "one"));
	assert_true(put(2, 1, "two"));
	assert_true(put(3, 2, ""));
	expect(1, 1, "one");
	expect(2, 1, "two");
	expect(3, 2, "");
	struct entry e;
	assert_false(log_get(&log_under_test, 4, &e));
	assert_false(log_get(&log_under_test, 0, &e));
}

static void a_slot_is_replaced_by_value_and_relabelled_by_the_same_value(void **state)
{
	put(1, 1, "one");
	put(2, 1, "two");
	uint32_t used = log_under_test.used;
	assert_true(put(2, 5, "two"));
	assert_int_equal(log_under_test.used, used);
	expect(2, 5, "two");
	assert_true(put(2, 6, "zwei"));
	expect(2, 6, "zwei");
	expect(1, 1, "one");
	assert_int_equal(log_under_test.live, 7);
}

static void cutting_above_forgets_just_the_suffix(void **state)
{
	put(1, 1, "one");
	put(2, 1, "two");
	put(3, 1, "three");
	log_cut_above(&log_under_test, 1);
	assert_int_equal(log_under_test.last, 1);
	expect(1, 1, "one");
	assert_true(put(2, 9, "other"));
	expect(2, 9, "other");
}

static void entries_not_applied_are_never_dropped_to_make_room(void **state)
{
	char text[1001];
	memset(text, 'x', 1000);
	text[1000] = '\0';
	uint64_t index = 1;
	while (put(index, 1, text))
		index++;
	assert_int_equal(index, 1 + LOG_BYTES / 2 / 1000);
	for (uint64_t i = 1; i < index; i++)
		expect(i, 1, text);
	assert_false(log_fits(&log_under_test, 1000));
	log_under_test.commit = log_under_test.applied = 2;
	assert_true(log_fits(&log_under_test, 1000));
	assert_true(put(index, 1, text));
	expect(3, 1, text);
	struct entry e;
	assert_false(log_get(&log_under_test, 1, &e));
}

static void many_entries_flow_through_a_small_window(void **state)
{
	char text[64];
	for (uint64_t i = 1; i < 20000; i++) {
		int size = (int)(i % 50);
		memset(text, 'a' + (int)(i % 26), (size_t)size);
		text[size] = '\0';
		assert_true(put(i, i, text));
		expect(i, i, text);
		if (i > 40) {
			log_under_test.commit = log_under_test.applied = i - 40;
			int old = (int)((i - 39) % 50);
			struct entry e;
			assert_true(log_get(&log_under_test, i - 39, &e));
			assert_int_equal(e.command.size, old);
			assert_true(old == 0 || e.command.data[0] == 'a' + (int)((i - 39) % 26));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_was_put_is_there, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    a_slot_is_replaced_by_value_and_relabelled_by_the_same_value, setup, teardown),
		cmocka_unit_test_setup_teardown(cutting_above_forgets_just_the_suffix, setup, teardown),
		cmocka_unit_test_setup_teardown(entries_not_applied_are_never_dropped_to_make_room,
		                                setup, teardown),
		cmocka_unit_test_setup_teardown(many_entries_flow_through_a_small_window, setup,
		                                teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
