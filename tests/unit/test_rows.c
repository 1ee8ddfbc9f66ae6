/* The rows' table, against a plain array. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core.h"

#define KEYS 40
#define ROWS_BYTES (64 * 1024)

static struct rows rows;
static void *memory;

static int setup(void **state)
{
	struct carve measure = {NULL, 0};
	memset(&rows, 0, sizeof rows);
	rows_init(&rows, ROWS_BYTES, &measure);
	memory = calloc(1, measure.used);
	struct carve c = {memory, 0};
	memset(&rows, 0, sizeof rows);
	rows_init(&rows, ROWS_BYTES, &c);
	return memory == NULL ? -1 : 0;
}

static int teardown(void **state)
{
	free(memory);
	return 0;
}

static struct bytes text(const char *t)
{
	return (struct bytes){(const uint8_t *)t, strlen(t)};
}

static void a_row_is_read_as_written(void **state)
{
	struct bytes value;
	assert_true(rows_put(&rows, text("ka"), text("1"), true));
	assert_true(rows_put(&rows, text("kb"), text(""), true));
	assert_true(rows_get(&rows, text("ka"), &value));
	assert_int_equal(value.size, 1);
	assert_true(rows_get(&rows, text("kb"), &value));
	assert_int_equal(value.size, 0);
	assert_false(rows_get(&rows, text("kc"), &value));
	assert_int_equal(rows.count, 2);
}

static void a_deleted_row_is_told_to_the_store_once(void **state)
{
	struct bytes key, value;
	rows_put(&rows, text("ka"), text("1"), true);
	rows_clean(&rows);
	assert_true(rows_delete(&rows, text("ka")));
	assert_false(rows_delete(&rows, text("ka")));
	assert_int_equal(rows.dirty_count, 1);
	rows_dirty_at(&rows, 0, &key, &value);
	assert_null(value.data);
	assert_memory_equal(key.data, "ka", 2);
	rows_clean(&rows);
	assert_int_equal(rows.dirty_count, 0);
	assert_int_equal(rows.live, 0);
	assert_false(rows_get(&rows, text("ka"), &value));
}

static void a_full_table_refuses_and_changes_nothing(void **state)
{
	static char big[ROWS_BYTES / 4];
	char key[16];
	memset(big, 'v', sizeof big);
	struct bytes value = {(const uint8_t *)big, sizeof big}, read;
	int count = 0;
	for (; snprintf(key, sizeof key, "k%d", count), rows_put(&rows, text(key), value, false);)
		count++;
	assert_int_equal(count, 3);
	assert_false(rows_get(&rows, text(key), &read));
	assert_int_equal(rows.count, 3);
}

/* Random puts, deletes and checkpoints, compared with a model after each. */
struct model {
	bool there;
	char value[256];
	size_t size;
};

static void compare(const struct model *model)
{
	uint32_t live = 0;
	for (int i = 0; i < KEYS; i++) {
		char key[16];
		struct bytes value;
		snprintf(key, sizeof key, "k%d", i);
		assert_int_equal(rows_get(&rows, text(key), &value), model[i].there);
		if (!model[i].there)
			continue;
		live++;
		assert_int_equal(value.size, model[i].size);
		assert_memory_equal(value.data, model[i].value, value.size);
	}
	assert_int_equal(rows.count, live);
	uint32_t cursor = 0, walked = 0;
	struct bytes key, value;
	while (rows_next(&rows, &cursor, &key, &value))
		walked++;
	assert_int_equal(walked, live);
}

static void random_changes_agree_with_a_model(void **state)
{
	static struct model model[KEYS];
	struct prng dice;
	prng_seed(&dice, (uint64_t[4]){1, 2, 3, 4});
	memset(model, 0, sizeof model);
	for (int step = 0; step < 20000; step++) {
		int i = (int)prng_below(&dice, KEYS);
		char key[16];
		snprintf(key, sizeof key, "k%d", i);
		struct model *m = &model[i];
		if (prng_below(&dice, 4) == 0) {
			assert_int_equal(rows_delete(&rows, text(key)), m->there);
			m->there = false;
		} else {
			m->size = prng_below(&dice, sizeof m->value);
			memset(m->value, (int)prng_below(&dice, 256), sizeof m->value);
			m->there = true;
			assert_true(rows_put(&rows, text(key),
			                     (struct bytes){(uint8_t *)m->value, m->size}, true));
		}
		if (prng_below(&dice, 30) == 0 || rows.dirty_count > ROWS_DIRTY_MAX - 2)
			rows_clean(&rows);
		if (step % 50 == 0)
			compare(model);
	}
	compare(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_row_is_read_as_written, setup, teardown),
		cmocka_unit_test_setup_teardown(a_deleted_row_is_told_to_the_store_once, setup,
		                                teardown),
		cmocka_unit_test_setup_teardown(a_full_table_refuses_and_changes_nothing, setup,
		                                teardown),
		cmocka_unit_test_setup_teardown(random_changes_agree_with_a_model, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
