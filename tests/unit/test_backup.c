/* test_backup.c: the file of a backup is taken whole or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "backup_lines.h"
#include "seal.h"

#define LINES_MAX 16

/* A file in memory: its lines without their ends. */
struct file {
	char *lines[LINES_MAX];
	size_t count;
};

struct seen {
	size_t rows, settings, members;
	uint8_t name[KEY_MAX_SIZE]; /* of the last row of the engine */
	size_t name_size;
	uint8_t value[VALUE_MAX_SIZE];
	size_t value_size;
	char key[KEY_MAX_SIZE + 1];
	uint64_t version;
	instant changed;
};

static void take(void *context, const struct backup_row *row)
{
	struct seen *seen = context;
	seen->rows += row->table == BACKUP_KV;
	seen->settings += row->table == BACKUP_SETTING;
	seen->members += row->table == BACKUP_MEMBER;
	if (row->table == BACKUP_REGISTRY) {
		memcpy(seen->name, row->name, row->name_size);
		seen->name_size = row->name_size;
	} else if (row->table != BACKUP_KV) {
		return;
	}
	memcpy(seen->value, row->value.data, row->value.size);
	seen->value_size = row->value.size;
	seen->version = row->version;
	seen->changed = row->changed;
	snprintf(seen->key, sizeof seen->key, "%s", row->key);
}

/* ---- making one ---- */

static void add(struct file *file, json_t *object)
{
	assert_non_null(object);
	assert_true(file->count < LINES_MAX);
	file->lines[file->count++] = backup_line(object);
	json_decref(object);
}

static void add_head(struct file *file)
{
	struct backup_head head = {.generation = {2, {{7}}}, .index = 120, .made = "2026-03-01",
	                           .node = "n1", .cluster = {{0x3f, 0x9a}}};
	add(file, backup_head_json(&head));
}

static void add_kv(struct file *file, const char *key, const void *value, size_t size)
{
	struct bytes k = {(const uint8_t *)key, strlen(key)}, v = {value, size};
	add(file, backup_kv_json(BACKUP_KV, &k, &v, 3, -5));
}

static void add_foot(struct file *file)
{
	struct backup_sum sum = {0};
	char text[CHECKSUM_TEXT_SIZE];
	for (size_t i = 0; i < file->count; i++)
		backup_sum_add(&sum, file->lines[i], strlen(file->lines[i]));
	backup_sum_format(&sum, text);
	add(file, json_pack("{s:I, s:s}", "rows", (json_int_t)(file->count - 1), "checksum", text));
}

static void make(struct file *file)
{
	*file = (struct file){.count = 0};
	add_head(file);
	add(file, backup_setting_json("voters", "5"));
	add(file, json_pack("{s:s, s:s}", "table", "member", "key", "n1"));
	add_kv(file, "a", "one", 3);
	add_kv(file, "b", "two", 3);
	add_foot(file);
}

static void file_free(struct file *file)
{
	for (size_t i = 0; i < file->count; i++)
		free(file->lines[i]);
	file->count = 0;
}

/* What the whole file comes to: 0 or -EINVAL. */
static int check(const struct file *file, struct seen *seen, struct error *error)
{
	struct backup_check state = {0};
	struct seen ignored = {0};
	int status = 0;
	for (size_t i = 0; status == 0 && i < file->count; i++)
		status = backup_check_line(&state, file->lines[i], strlen(file->lines[i]), take,
		                           seen != NULL ? seen : &ignored, error);
	return status < 0 ? status : backup_check_end(&state, error);
}

static void refused(const struct file *file, const char *word)
{
	struct error error = {.text = ""};
	assert_true(check(file, NULL, &error) < 0);
	if (strstr(error.text, word) == NULL)
		fail_msg("'%s' does not say '%s'", error.text, word);
}

static void replace(struct file *file, size_t line, const char *text)
{
	free(file->lines[line]);
	file->lines[line] = strdup(text);
}

/* ---- the rules ---- */

static void whole_file_comes_back_row_by_row(void **state)
{
	struct file file;
	struct seen seen = {0};
	make(&file);
	assert_int_equal(check(&file, &seen, NULL), 0);
	assert_int_equal(seen.rows, 2);
	assert_int_equal(seen.settings, 1);
	assert_int_equal(seen.members, 1);
	assert_string_equal(seen.key, "b");
	assert_memory_equal(seen.value, "two", 3);
	assert_int_equal(seen.version, 3);
	assert_int_equal(seen.changed, -5);
	file_free(&file);
}

/* Also the worst: what JSON would write as six bytes each, and the largest. */
static void any_value_survives_and_its_line_fits(void **state)
{
	static const uint8_t worst[] = {0, '"', '\\', 1, 31, 127, '\n'};
	static uint8_t value[VALUE_MAX_SIZE];
	for (size_t kind = 0; kind < 256 + sizeof worst; kind++) {
		size_t size = kind % 3 == 0 ? VALUE_MAX_SIZE : kind % 5;
		struct file file = {.count = 0};
		struct seen seen = {0};
		memset(value, kind < 256 ? (int)kind : worst[kind - 256], size);
		add_head(&file);
		add_kv(&file, "k", value, size);
		add_foot(&file);
		assert_true(strlen(file.lines[1]) <= BACKUP_LINE_MAX);
		assert_int_equal(check(&file, &seen, NULL), 0);
		assert_int_equal(seen.value_size, size);
		assert_memory_equal(seen.value, value, size);
		file_free(&file);
	}
}

/* The daemon sums what it dumped, the command line what it parsed and dumped again. */
static void line_is_the_same_after_it_was_parsed(void **state)
{
	struct file file;
	make(&file);
	for (size_t i = 0; i < file.count; i++) {
		json_t *object = json_loads(file.lines[i], 0, NULL);
		char *again = backup_line(object);
		assert_string_equal(again, file.lines[i]);
		free(again);
		json_decref(object);
	}
	file_free(&file);
}

static void the_engines_rows_keep_names_that_are_no_text(void **state)
{
	struct file file = {0};
	struct seen seen = {0};
	static const uint8_t name[KEY_MAX_SIZE] = {'o', 0, 255, '"', 9};
	struct bytes keys[2] = {{name, 5}, {name, sizeof name}}, value = {(const uint8_t *)"\0\1", 2};
	add_head(&file);
	add_kv(&file, "z", "one", 3);
	for (int i = 0; i < 2; i++)
		add(&file, backup_kv_json(BACKUP_REGISTRY, &keys[i], &value, 7, 5));
	add_foot(&file);
	assert_int_equal(check(&file, &seen, NULL), 0);
	assert_int_equal(seen.name_size, sizeof name);
	assert_memory_equal(seen.name, name, sizeof name);
	assert_int_equal(seen.value_size, 2);
	assert_int_equal(seen.version, 7);
	replace(&file, 2, "{\"table\":\"registry\",\"key\":\"6fx\",\"version\":1,\"value\":\"\"}");
	refused(&file, "its key is not legal");
	file_free(&file);
}

static void any_changed_bit_is_refused(void **state)
{
	struct file file;
	make(&file);
	for (size_t line = 0; line < file.count; line++) {
		for (size_t at = 0; file.lines[line][at] != '\0'; at++) {
			for (int bit = 0; bit < 8; bit++) {
				file.lines[line][at] = (char)(file.lines[line][at] ^ 1 << bit);
				assert_true(check(&file, NULL, NULL) < 0);
				file.lines[line][at] = (char)(file.lines[line][at] ^ 1 << bit);
			}
		}
	}
	assert_int_equal(check(&file, NULL, NULL), 0);
	file_free(&file);
}

static void lost_or_added_or_moved_line_is_refused(void **state)
{
	for (size_t lost = 0; lost < 6; lost++) {
		struct file file;
		make(&file);
		free(file.lines[lost]);
		memmove(&file.lines[lost], &file.lines[lost + 1],
		        (--file.count - lost) * sizeof file.lines[0]);
		assert_true(check(&file, NULL, NULL) < 0);
		file_free(&file);
	}
	for (size_t a = 0; a < 6; a++) {
		struct file file;
		make(&file);
		char *moved = file.lines[a];
		file.lines[a] = file.lines[(a + 1) % 6];
		file.lines[(a + 1) % 6] = moved;
		assert_true(check(&file, NULL, NULL) < 0);
		file_free(&file);
	}
}

static void file_that_was_cut_off_says_so(void **state)
{
	struct file file = {.count = 0};
	refused(&file, "empty");
	make(&file);
	free(file.lines[--file.count]);
	refused(&file, "cut off");
	file_free(&file);
}

/* With a right checksum each: the sum is no proof that the rows make sense. */
static void row_that_makes_no_sense_is_refused_with_its_line(void **state)
{
	static const struct {
		const char *row, *word;
	} rows[] = {
		{"{\"table\":\"kv\",\"key\":\"a\",\"value\":\"x\"}", "no version"},
		{"{\"table\":\"kv\",\"key\":\"a\",\"value\":\"x\",\"version\":0}", "no version"},
		{"{\"table\":\"kv\",\"key\":\"a\",\"value\":\"x\",\"version\":-1}", "no version"},
		{"{\"table\":\"kv\",\"key\":\"a\",\"version\":1}", "no value"},
		{"{\"table\":\"kv\",\"key\":\"a\",\"value_base64\":\"?\",\"version\":1}", "no value"},
		{"{\"table\":\"kv\",\"key\":\"\",\"value\":\"x\",\"version\":1}", "empty"},
		{"{\"table\":\"kv\",\"key\":\"a\\u0001\",\"value\":\"x\",\"version\":1}", "control"},
		{"{\"table\":\"kv\",\"value\":\"x\",\"version\":1}", "no key"},
		{"{\"table\":\"kv\",\"key\":7,\"value\":\"x\",\"version\":1}", "no key"},
		{"{\"table\":\"moon\",\"key\":\"a\",\"value\":\"x\"}", "no table"},
		{"{\"key\":\"a\",\"value\":\"x\"}", "no table"},
		{"[1]", "no JSON object"},
		{"{", "no JSON object"},
		{"{\"a\":1,\"a\":2}", "no JSON object"},
		{"", "no JSON object"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct file file = {.count = 0};
		add_head(&file);
		file.lines[file.count++] = strdup(rows[i].row);
		add_foot(&file);
		refused(&file, rows[i].word);
		refused(&file, "line 2");
		file_free(&file);
	}
}

static void key_twice_or_out_of_order_is_refused(void **state)
{
	static const char *const keys[][2] = {{"a", "a"}, {"b", "a"}, {"ab", "a"}};
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		struct file file = {.count = 0};
		add_head(&file);
		add_kv(&file, keys[i][0], "x", 1);
		add_kv(&file, keys[i][1], "y", 1);
		add_foot(&file);
		refused(&file, "out of order");
		file_free(&file);
	}
	struct file file = {.count = 0}; /* a table after a later one */
	add_head(&file);
	add_kv(&file, "a", "x", 1);
	add(&file, backup_setting_json("voters", "5"));
	add_foot(&file);
	refused(&file, "out of order");
	file_free(&file);
}

static void other_files_are_told_apart(void **state)
{
	static const struct {
		const char *head, *word;
	} heads[] = {
		{"{\"hello\":1}", "no backup of essaim"},
		{"{\"essaim_backup\":2}", "newer one"},
		{"{\"essaim_backup\":1,\"cluster\":\"3f\"}", "no cluster"},
		{"{\"essaim_backup\":1,\"cluster\":\"3f9a1c5e7b2d4860a1b2c3d4e5f60718\",\"generation\":0}",
		 "no generation"},
	};
	for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
		struct file file;
		make(&file);
		replace(&file, 0, heads[i].head);
		refused(&file, heads[i].word);
		file_free(&file);
	}
}

static void line_beyond_the_bound_is_not_even_parsed(void **state)
{
	struct backup_check check_state = {0};
	struct error error;
	char *line = calloc(1, BACKUP_LINE_MAX + 2);
	assert_non_null(line);
	memset(line, ' ', BACKUP_LINE_MAX + 1);
	assert_true(backup_check_line(&check_state, line, BACKUP_LINE_MAX + 1, NULL, NULL, &error) < 0);
	assert_non_null(strstr(error.text, "longer"));
	free(line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_file_comes_back_row_by_row),
		cmocka_unit_test(any_value_survives_and_its_line_fits),
		cmocka_unit_test(line_is_the_same_after_it_was_parsed),
		cmocka_unit_test(the_engines_rows_keep_names_that_are_no_text),
		cmocka_unit_test(any_changed_bit_is_refused),
		cmocka_unit_test(lost_or_added_or_moved_line_is_refused),
		cmocka_unit_test(file_that_was_cut_off_says_so),
		cmocka_unit_test(row_that_makes_no_sense_is_refused_with_its_line),
		cmocka_unit_test(key_twice_or_out_of_order_is_refused),
		cmocka_unit_test(other_files_are_told_apart),
		cmocka_unit_test(line_beyond_the_bound_is_not_even_parsed),
	};
	assert_true(seal_start() == 0);
	return cmocka_run_group_tests_name("backup", tests, NULL, NULL);
}
