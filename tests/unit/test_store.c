/* The store, on a real SQLite file in a folder of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "data_folder.h"
#include "store.h"

#define REPORTS_MAX 256

struct fixture {
	char folder[64];
	struct store *store;
	struct event_base *base;
	/* what was reported */
	uint32_t count;
	uint64_t numbers[REPORTS_MAX];
	bool failed[REPORTS_MAX];
	uint32_t wanted;
	/* what was loaded */
	char loaded[4096];
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	assert_non_null(f);
	snprintf(f->folder, sizeof f->folder, "/tmp/essaim-store-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	*state = f;
	return 0;
}

static void file_path(const struct fixture *f, const char *name, char out[FOLDER_PATH_SIZE])
{
	data_folder_path(f->folder, name, out);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	struct error error;
	char lock[FOLDER_PATH_SIZE];
	data_folder_wipe(f->folder, &error);
	file_path(f, "lock", lock);
	unlink(lock);
	assert_int_equal(rmdir(f->folder), 0); /* nothing but our files was made */
	free(f);
	return 0;
}

static void on_report(void *context, uint64_t number, bool failed)
{
	struct fixture *f = context;
	assert_true(f->count < REPORTS_MAX);
	f->numbers[f->count] = number;
	f->failed[f->count++] = failed;
	if (f->count >= f->wanted)
		event_base_loopbreak(f->base);
}

static void open_store(struct fixture *f)
{
	struct error error = {""};
	f->count = 0;
	if (store_open(f->folder, &f->store, &error) < 0)
		fail_msg("%s", error.text);
	f->base = event_base_new();
	assert_int_equal(store_start(f->store, f->base, on_report, f, &error), 0);
}

static void close_store(struct fixture *f)
{
	store_stop(f->store, 10 * SECOND);
	store_close(f->store);
	event_base_free(f->base);
}

/* Runs until that many reports came in all (a minute at most: then the test fails). */
static void wait_reports(struct fixture *f, uint32_t wanted)
{
	struct timeval limit = {60, 0};
	f->wanted = wanted;
	event_base_loopexit(f->base, &limit);
	if (f->count < wanted)
		event_base_dispatch(f->base);
	assert_int_equal(f->count, wanted);
}

static struct bytes text_bytes(const char *text)
{
	return (struct bytes){(const uint8_t *)text, strlen(text)};
}

static struct store_op row(const char *key, const char *value)
{
	return (struct store_op){.kind = STORE_ROW, .key = text_bytes(key), .value = text_bytes(value)};
}

static struct store_op entry(uint64_t index, uint64_t counter, const char *command)
{
	return (struct store_op){.kind = STORE_ENTRY, .index = index,
	                         .ballot = {counter, UINT64_MAX, UINT64_MAX - 1, 3},
	                         .value = text_bytes(command)};
}

/* ---- loading into one line of text ---- */

static void note(struct fixture *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void note(struct fixture *f, const char *format, ...)
{
	size_t used = strlen(f->loaded);
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(f->loaded + used, sizeof f->loaded - used, format, arguments);
	va_end(arguments);
}

static bool note_durable(void *context, struct bytes record)
{
	note(context, "durable=%.*s;", (int)record.size, (const char *)record.data);
	return true;
}

static bool note_row(void *context, struct bytes key, struct bytes value)
{
	note(context, "%.*s=%.*s;", (int)key.size, (const char *)key.data, (int)value.size,
	     (const char *)value.data);
	return true;
}

static bool note_entry(void *context, uint64_t index, const struct ballot *ballot,
                       struct bytes command)
{
	assert_true(ballot->incarnation == UINT64_MAX && ballot->node == UINT64_MAX - 1);
	assert_int_equal(ballot->hop, 3);
	note(context, "%llu/%llu:%.*s;", (unsigned long long)index, (unsigned long long)ballot->counter,
	     (int)command.size, (const char *)command.data);
	return true;
}

static bool note_journal(void *context, struct bytes key, struct bytes value)
{
	note(context, "did %.*s=%.*s;", (int)key.size, (const char *)key.data, (int)value.size,
	     (const char *)value.data);
	return true;
}

static const char *load(struct fixture *f)
{
	struct store *store;
	struct error error = {""};
	if (store_open(f->folder, &store, &error) < 0)
		fail_msg("%s", error.text);
	struct store_reader reader = {f, note_durable, note_row, note_entry, note_journal};
	f->loaded[0] = '\0';
	assert_int_equal(store_load(store, &reader, &error), 0);
	store_close(store);
	return f->loaded;
}

/* ---- tests ---- */

static void what_was_persisted_is_loaded_again(void **state)
{
	struct fixture *f = *state;
	open_store(f);
	struct store_op first[] = {{.kind = STORE_DURABLE, .value = text_bytes("one")},
	                           entry(1, 5, "a"), entry(2, 5, "b"), entry(3, 5, "c"),
	                           row("x", "1"), row("y", "")};
	struct store_op second[] = {{.kind = STORE_CUT_ABOVE, .index = 2},
	                            {.kind = STORE_TRIM_BELOW, .index = 1},
	                            entry(3, 6, "d"), row("x", "2"),
	                            {.kind = STORE_DURABLE, .value = text_bytes("two")}};
	store_persist(f->store, 1, false, 6, first);
	store_persist(f->store, 2, false, 5, second);
	wait_reports(f, 2);
	assert_false(f->failed[0] || f->failed[1]);
	close_store(f);
	assert_string_equal(load(f), "durable=two;x=2;y=;2/5:b;3/6:d;");
}

static int64_t format_of(struct fixture *f)
{
	char path[FOLDER_PATH_SIZE];
	sqlite3 *db;
	sqlite3_stmt *statement;
	file_path(f, "store.db", path);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &statement, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	int64_t format = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_close(db);
	return format;
}

static void a_format_is_raised_with_what_asks_for_it_and_never_falls(void **state)
{
	struct fixture *f = *state;
	open_store(f);
	struct store_op plain[] = {row("a", "1")};
	struct store_op marked[] = {row("b", "2"), {.kind = STORE_FORMAT, .index = 2}};
	struct store_op lower[] = {row("c", "3"), {.kind = STORE_FORMAT, .index = 1}};
	store_persist(f->store, 1, false, 1, plain);
	wait_reports(f, 1);
	assert_int_equal(format_of(f), 1);
	store_persist(f->store, 2, false, 2, marked);
	wait_reports(f, 2);
	assert_int_equal(format_of(f), 2);
	store_persist(f->store, 3, false, 2, lower);
	wait_reports(f, 3);
	close_store(f);
	assert_int_equal(format_of(f), 2);
	assert_string_equal(load(f), "a=1;b=2;c=3;");
}

static void rows_are_cleared_and_deleted_in_order(void **state)
{
	struct fixture *f = *state;
	open_store(f);
	struct store_op ops[] = {row("a", "1"), {.kind = STORE_ROWS_CLEAR}, row("b", "2"), row("c", "3"),
	                         {.kind = STORE_ROW_DELETE, .key = text_bytes("b")}};
	store_persist(f->store, 1, false, 5, ops);
	wait_reports(f, 1);
	close_store(f);
	assert_string_equal(load(f), "c=3;");
}

static void the_journal_outlives_what_clears_the_rows(void **state)
{
	struct fixture *f = *state;
	open_store(f);
	struct store_op ops[] = {{.kind = STORE_JOURNAL, .key = text_bytes("a"), .value = text_bytes("1")},
	                         {.kind = STORE_JOURNAL, .key = text_bytes("b"), .value = text_bytes("2")},
	                         row("x", "1"), {.kind = STORE_ROWS_CLEAR}};
	struct store_op more[] = {{.kind = STORE_JOURNAL, .key = text_bytes("a"), .value = text_bytes("3")},
	                          {.kind = STORE_JOURNAL_DELETE, .key = text_bytes("b")}};
	store_persist(f->store, 1, false, 4, ops);
	wait_reports(f, 1);
	close_store(f);
	assert_string_equal(load(f), "did a=1;did b=2;");
	open_store(f);
	store_persist(f->store, 1, false, 2, more);
	wait_reports(f, 1);
	close_store(f);
	assert_string_equal(load(f), "did a=3;");
}

static void reports_come_in_order_and_bytes_are_copied(void **state)
{
	struct fixture *f = *state;
	open_store(f);
	for (uint64_t n = 1; n <= 40; n++) {
		char key[16], value[16];
		snprintf(key, sizeof key, "k");
		snprintf(value, sizeof value, "%u", (unsigned)n);
		struct store_op op = row(key, value);
		store_persist(f->store, n, n % 2 == 0, 1, &op);
		memset(value, 'x', sizeof value);
	}
	wait_reports(f, 40);
	for (uint32_t i = 0; i < 40; i++) {
		assert_int_equal(f->numbers[i], i + 1);
		assert_false(f->failed[i]);
	}
	close_store(f);
	assert_string_equal(load(f), "k=40;");
}

static void a_lazy_persist_is_reported_without_company(void **state)
{
	struct fixture *f = *state;
	open_store(f);
	struct store_op op = row("k", "1");
	store_persist(f->store, 1, true, 1, &op);
	wait_reports(f, 1);
	assert_false(f->failed[0]);
	close_store(f);
	assert_string_equal(load(f), "k=1;");
}

static void a_lazy_persist_is_written_at_a_clean_stop(void **state)
{
	struct fixture *f = *state;
	open_store(f);
	struct store_op op = row("k", "1");
	store_persist(f->store, 1, true, 1, &op);
	close_store(f);
	assert_string_equal(load(f), "k=1;");
}

/* A full disk: the kernel refuses to let any file grow. */
static void limit_files(rlim_t size)
{
	struct rlimit limit;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = size;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_failed_write_is_reported_and_leaves_no_hole(void **state)
{
	struct fixture *f = *state;
	open_store(f);
	struct store_op one = row("a", "1"), two[] = {row("a", "2"), row("b", "2")}, three = row("c", "3");
	store_persist(f->store, 1, false, 1, &one);
	wait_reports(f, 1);
	signal(SIGXFSZ, SIG_IGN);
	limit_files(1);
	store_persist(f->store, 2, false, 2, two);
	wait_reports(f, 2);
	assert_true(f->failed[1]);
	store_persist(f->store, 3, false, 1, &three);
	wait_reports(f, 3);
	assert_true(f->failed[2]); /* at once, while the store is failed */
	limit_files(RLIM_INFINITY);
	/* The backlog goes first; from then on it works again. */
	bool well = false;
	for (uint64_t n = 4; n < 34 && !well; n++) {
		struct store_op op = row("d", "4");
		store_persist(f->store, n, false, 1, &op);
		wait_reports(f, (uint32_t)n);
		well = !f->failed[n - 1];
		if (!well)
			usleep(200000);
	}
	assert_true(well);
	close_store(f);
	assert_string_equal(load(f), "a=2;b=2;c=3;d=4;");
}

/* The disk stays full until the end: what is there is the state before, whole. */
static void a_failed_transaction_leaves_nothing_of_itself(void **state)
{
	struct fixture *f = *state;
	open_store(f);
	static char big[256 * 1024];
	memset(big, 'v', sizeof big - 1);
	struct store_op one = row("a", "1"), two[] = {row("a", "2"), row("b", big)};
	store_persist(f->store, 1, false, 1, &one);
	wait_reports(f, 1);
	signal(SIGXFSZ, SIG_IGN);
	limit_files(100 * 1024);
	store_persist(f->store, 2, false, 2, two);
	wait_reports(f, 2);
	assert_true(f->failed[1]);
	close_store(f);
	limit_files(RLIM_INFINITY);
	assert_string_equal(load(f), "a=1;");
}

/*
 * More is given than is kept while the disk fails. What did not fit would be a hole: nothing is
 * taken until the whole state is given anew, and then exactly that is there.
 */
static void a_hole_is_never_written_and_a_whole_state_mends_it(void **state)
{
	struct fixture *f = *state;
	open_store(f);
	static char big[1024 * 1024];
	memset(big, 'v', sizeof big - 1);
	signal(SIGXFSZ, SIG_IGN);
	limit_files(1);
	uint64_t n = 0;
	while (n < 80) {
		struct store_op op = row("big", big);
		store_persist(f->store, ++n, false, 1, &op);
	}
	wait_reports(f, 80);
	for (uint32_t i = 0; i < 80; i++)
		assert_true(f->numbers[i] == i + 1 && f->failed[i]);
	limit_files(RLIM_INFINITY);
	usleep(3000000); /* the disk works again, and what was kept is written */
	for (bool well = false; n < 200 && !well; usleep(50000)) {
		struct store_op single = row("single", "1");
		struct store_op whole[] = {{.kind = STORE_ROWS_CLEAR}, row("whole", "1"),
		                           {.kind = STORE_CUT_ABOVE, .index = 0}, entry(1, 1, "a"),
		                           {.kind = STORE_DURABLE, .value = text_bytes("d")}};
		if (n == 80)
			store_persist(f->store, ++n, false, 1, &single); /* into the hole */
		store_persist(f->store, ++n, false, 5, whole);
		wait_reports(f, (uint32_t)n);
		well = !f->failed[n - 1];
	}
	assert_true(f->failed[80]);
	assert_false(f->failed[n - 1]);
	close_store(f);
	assert_string_equal(load(f), "durable=d;whole=1;1/1:a;");
}

static void corrupt_the_file(const struct fixture *f, off_t at, const char *with)
{
	char path[FOLDER_PATH_SIZE];
	file_path(f, "store.db", path);
	int fd = open(path, O_WRONLY);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, with, strlen(with), at), strlen(with));
	close(fd);
}

static uint64_t file_sum(const struct fixture *f)
{
	char path[FOLDER_PATH_SIZE];
	file_path(f, "store.db", path);
	FILE *in = fopen(path, "r");
	assert_non_null(in);
	uint64_t sum = 1469598103934665603u;
	for (int c; (c = fgetc(in)) != EOF;)
		sum = (sum ^ (uint64_t)c) * 1099511628211u;
	fclose(in);
	return sum;
}

static void fill(struct fixture *f)
{
	open_store(f);
	for (uint64_t n = 1; n <= 20; n++) {
		static char value[2000];
		char key[16];
		memset(value, 'v', sizeof value - 1);
		snprintf(key, sizeof key, "key%u", (unsigned)n);
		struct store_op op = row(key, value);
		store_persist(f->store, n, false, 1, &op);
	}
	wait_reports(f, 20);
	close_store(f);
}

static void check_refused(struct fixture *f, const char *reason)
{
	uint64_t before = file_sum(f);
	struct store *store = NULL;
	struct error error = {""};
	assert_true(store_open(f->folder, &store, &error) < 0);
	assert_null(store);
	if (strstr(error.text, reason) == NULL)
		assert_string_equal(error.text, reason);
	assert_true(file_sum(f) == before);
}

static void a_file_that_is_no_database_is_refused_and_left_alone(void **state)
{
	struct fixture *f = *state;
	fill(f);
	corrupt_the_file(f, 0, "this is not a database at all");
	check_refused(f, "is corrupt (file is not a database); it was left as it is");
}

static void a_damaged_page_is_refused_and_left_alone(void **state)
{
	struct fixture *f = *state;
	fill(f);
	for (off_t page = 4; page < 10; page++)
		corrupt_the_file(f, page * 4096, "damaged damaged damaged damaged");
	check_refused(f, "is corrupt (");
}

static void a_newer_schema_is_refused(void **state)
{
	struct fixture *f = *state;
	char path[FOLDER_PATH_SIZE];
	fill(f);
	file_path(f, "store.db", path);
	sqlite3 *db;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	check_refused(f, "was written by a newer essaim (schema 99, this one knows 3)");
}

static bool refuse_row(void *context, struct bytes key, struct bytes value)
{
	return false;
}

static void a_record_that_the_reader_refuses_is_corrupt(void **state)
{
	struct fixture *f = *state;
	fill(f);
	struct store *store;
	struct error error = {""};
	assert_int_equal(store_open(f->folder, &store, &error), 0);
	struct store_reader reader = {f, note_durable, refuse_row, note_entry, NULL};
	assert_true(store_load(store, &reader, &error) < 0);
	assert_non_null(strstr(error.text, "is corrupt (a record that cannot be decoded)"));
	store_close(store);
}

/* ---- the folder ---- */

static void a_second_opener_is_refused_by_process_id(void **state)
{
	struct fixture *f = *state;
	struct error error = {""};
	int lock = data_folder_lock(f->folder, &error);
	assert_true(lock >= 0);
	char expected[32];
	snprintf(expected, sizeof expected, "process id %d:", (int)getpid());
	assert_true(data_folder_lock(f->folder, &error) < 0);
	assert_non_null(strstr(error.text, expected));
	close(lock);
	lock = data_folder_lock(f->folder, &error);
	assert_true(lock >= 0);
	close(lock);
}

static void the_key_is_made_once_and_kept(void **state)
{
	struct fixture *f = *state;
	uint8_t first[NODE_SEED_SIZE], again[NODE_SEED_SIZE], zeros[NODE_SEED_SIZE] = {0};
	struct error error = {""};
	struct stat st;
	char path[FOLDER_PATH_SIZE];
	assert_int_equal(node_seed_load(f->folder, first, &error), 0);
	assert_memory_not_equal(first, zeros, sizeof first);
	assert_int_equal(node_seed_load(f->folder, again, &error), 0);
	assert_memory_equal(first, again, sizeof first);
	file_path(f, "node.key", path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void a_key_that_others_can_read_or_is_damaged_is_refused(void **state)
{
	struct fixture *f = *state;
	uint8_t seed[NODE_SEED_SIZE];
	struct error error = {""};
	char path[FOLDER_PATH_SIZE];
	assert_int_equal(node_seed_load(f->folder, seed, &error), 0);
	file_path(f, "node.key", path);
	assert_int_equal(chmod(path, 0640), 0);
	assert_true(node_seed_load(f->folder, seed, &error) < 0);
	assert_non_null(strstr(error.text, "can be read by others"));
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(truncate(path, 31), 0);
	assert_true(node_seed_load(f->folder, seed, &error) < 0);
	assert_non_null(strstr(error.text, "damaged"));
}

static void key_and_store_stay_together(void **state)
{
	struct fixture *f = *state;
	uint8_t seed[NODE_SEED_SIZE];
	struct error error = {""};
	assert_int_equal(data_folder_check(f->folder, false, false, &error), 0);
	assert_int_equal(data_folder_check(f->folder, true, false, &error), 0);
	assert_true(data_folder_check(f->folder, true, true, &error) < 0);
	assert_non_null(strstr(error.text, "no node.key"));
	assert_int_equal(node_seed_load(f->folder, seed, &error), 0);
	assert_int_equal(data_folder_check(f->folder, true, true, &error), 0);
	assert_true(data_folder_check(f->folder, false, false, &error) < 0);
	assert_non_null(strstr(error.text, "no store.db"));
}

static int64_t size_of(struct fixture *f, const char *name)
{
	char path[FOLDER_PATH_SIZE];
	struct stat st;
	file_path(f, name, path);
	return stat(path, &st) == 0 ? st.st_size : -1;
}

/* What each step of a change of key leaves, if the machine stops there: one valid key, or two. */
static void a_change_of_key_leaves_one_valid_key_at_every_step(void **state)
{
	struct fixture *f = *state;
	uint8_t old[NODE_SEED_SIZE], next[NODE_SEED_SIZE], seed[NODE_SEED_SIZE];
	struct error error = {""};
	char path[FOLDER_PATH_SIZE];
	assert_int_equal(node_seed_load(f->folder, old, &error), 0);
	assert_int_equal(node_seed_next(f->folder, false, next, &error), 0);

	/* half of the new one is written, under another name */
	file_path(f, "node.key.new", path);
	int fd = open(path, O_CREAT | O_WRONLY, 0600);
	assert_int_equal(write(fd, "half", 4), 4);
	close(fd);
	assert_int_equal(node_seed_next(f->folder, false, next, &error), 0);
	assert_int_equal(node_seed_load(f->folder, seed, &error), 0);
	assert_memory_equal(seed, old, sizeof seed);

	/* it is there, beside the old one; asked for again it is the same */
	assert_int_equal(node_seed_next(f->folder, true, next, &error), 1);
	assert_int_equal(size_of(f, "key.new"), NODE_SEED_SIZE);
	assert_int_equal(size_of(f, "node.key.new"), -1);
	assert_int_equal(node_seed_next(f->folder, true, seed, &error), 1);
	assert_memory_equal(seed, next, sizeof seed);
	assert_int_equal(node_seed_load(f->folder, seed, &error), 0);
	assert_memory_equal(seed, old, sizeof seed);

	/* it has taken its place */
	assert_int_equal(node_seed_switch(f->folder, &error), 0);
	assert_int_equal(size_of(f, "key.new"), -1);
	assert_int_equal(node_seed_next(f->folder, false, seed, &error), 0);
	assert_int_equal(node_seed_load(f->folder, seed, &error), 0);
	assert_memory_equal(seed, next, sizeof seed);
	assert_memory_not_equal(seed, old, sizeof seed);
}

static void a_change_of_key_that_fails_leaves_the_old_one(void **state)
{
	struct fixture *f = *state;
	uint8_t old[NODE_SEED_SIZE], seed[NODE_SEED_SIZE];
	struct error error = {""};
	char path[FOLDER_PATH_SIZE];
	assert_int_equal(node_seed_load(f->folder, old, &error), 0);
	assert_true(node_seed_switch(f->folder, &error) < 0); /* there is nothing to switch to */
	file_path(f, "node.key.new", path);
	assert_int_equal(mkdir(path, 0700), 0); /* nothing can be written under that name */
	assert_true(node_seed_next(f->folder, true, seed, &error) < 0);
	assert_non_null(strstr(error.text, "cannot create"));
	assert_int_equal(rmdir(path), 0);
	file_path(f, "key.new", path);
	assert_int_equal(mkdir(path, 0700), 0); /* nor renamed to it */
	assert_true(node_seed_next(f->folder, true, seed, &error) < 0);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(node_seed_load(f->folder, seed, &error), 0);
	assert_memory_equal(seed, old, sizeof seed);
}

static void wiping_takes_only_our_files(void **state)
{
	struct fixture *f = *state;
	uint8_t seed[NODE_SEED_SIZE];
	struct error error = {""};
	char path[FOLDER_PATH_SIZE];
	fill(f);
	assert_int_equal(node_seed_load(f->folder, seed, &error), 0);
	file_path(f, "notes.txt", path);
	int fd = open(path, O_CREAT | O_WRONLY, 0600);
	close(fd);
	assert_int_equal(data_folder_wipe(f->folder, &error), 0);
	assert_int_equal(access(path, F_OK), 0);
	assert_false(data_folder_has(f->folder, "node.key"));
	assert_false(data_folder_has(f->folder, "store.db"));
	unlink(path);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_persisted_is_loaded_again),
		TEST(a_format_is_raised_with_what_asks_for_it_and_never_falls),
		TEST(rows_are_cleared_and_deleted_in_order),
		TEST(the_journal_outlives_what_clears_the_rows),
		TEST(reports_come_in_order_and_bytes_are_copied),
		TEST(a_lazy_persist_is_reported_without_company),
		TEST(a_lazy_persist_is_written_at_a_clean_stop),
		TEST(a_failed_write_is_reported_and_leaves_no_hole),
		TEST(a_failed_transaction_leaves_nothing_of_itself),
		TEST(a_hole_is_never_written_and_a_whole_state_mends_it),
		TEST(a_file_that_is_no_database_is_refused_and_left_alone),
		TEST(a_damaged_page_is_refused_and_left_alone),
		TEST(a_newer_schema_is_refused),
		TEST(a_record_that_the_reader_refuses_is_corrupt),
		TEST(a_second_opener_is_refused_by_process_id),
		TEST(the_key_is_made_once_and_kept),
		TEST(a_key_that_others_can_read_or_is_damaged_is_refused),
		TEST(key_and_store_stay_together),
		TEST(a_change_of_key_leaves_one_valid_key_at_every_step),
		TEST(a_change_of_key_that_fails_leaves_the_old_one),
		TEST(wiping_takes_only_our_files),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
