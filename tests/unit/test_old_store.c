/* What the release before left on a disk is opened, gone on with, and marked when the level rises. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "old_store.h"
#include "store_file.h"
#include "text.h"

struct old {
	char folder[64];
	struct store_file file;
	struct gossip_settings settings;
	struct gossip *core;
	size_t memory_size;
	struct now now;
};

static void write_old_store(struct old *o)
{
	char path[128];
	sqlite3 *db;
	snprintf(path, sizeof path, "%s/store.db", o->folder);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, old_store, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static int set_up(void **state)
{
	struct old *o = calloc(1, sizeof *o);
	uint8_t seed[32];
	snprintf(o->folder, sizeof o->folder, "/tmp/essaim-old-XXXXXX");
	assert_non_null(mkdtemp(o->folder));
	assert_int_equal(seal_start(), 0);
	assert_true(hex_parse(old_seed, seed, sizeof seed));
	o->settings = (struct gossip_settings){.seal = SEAL_REAL, .members_max = 16,
		.ledger_bytes = 1024 * 1024, .nonce = 7, .seed = {1, 2, 3, 4},
		.address = {.family = 4, .ip = {127, 0, 0, 9}, .port = 17809}};
	node_keys_from_seed(SEAL_REAL, seed, &o->settings.keys);
	o->now = (struct now){3600 * SECOND, 60 * SECOND, (instant)1800000000 * SECOND};
	write_old_store(o);
	*state = o;
	return 0;
}

static int tear_down(void **state)
{
	struct old *o = *state;
	static const char *const names[] = {"store.db", "store.db-wal", "store.db-shm"};
	char path[128];
	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "%s/%s", o->folder, names[i]);
		unlink(path);
	}
	rmdir(o->folder);
	free(o);
	return 0;
}

/* ---- a body: every persist is written at once ---- */

static void write_ops(struct old *o, const struct effect *e)
{
	assert_true(store_file_begin(&o->file));
	for (uint32_t k = 0; k < e->persist.op_count; k++)
		assert_true(store_file_apply(&o->file, &e->persist.ops[k]));
	assert_true(store_file_commit(&o->file));
}

static void step(struct old *o, const struct input *input)
{
	uint64_t written = 0;
	struct effects effects = gossip_step(o->core, &o->now, input);
	for (uint32_t i = 0; i < effects.count; i++) {
		if (effects.list[i].kind != EFFECT_PERSIST)
			continue;
		write_ops(o, &effects.list[i]);
		written = effects.list[i].persist.number;
	}
	struct input report = {.kind = INPUT_PERSISTED, .persisted = {.number = written}};
	if (written != 0)
		step(o, &report);
}

static bool take_durable(void *context, struct bytes record)
{
	return gossip_load_durable(context, record);
}

static bool take_row(void *context, struct bytes key, struct bytes value)
{
	return gossip_load_row(context, key, value);
}

static bool take_entry(void *context, uint64_t index, const struct ballot *ballot,
                       struct bytes command)
{
	return gossip_load_entry(context, index, ballot, command);
}

static void start(struct old *o)
{
	struct error error = {""};
	o->settings.nonce++;
	o->settings.salt[0]++;
	o->memory_size = gossip_size(&o->settings);
	void *memory = mmap(NULL, o->memory_size, PROT_READ | PROT_WRITE,
	                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_true(memory != MAP_FAILED);
	if (store_file_open(o->folder, &o->file, &error) < 0)
		fail_msg("%s", error.text);
	o->core = gossip_init(memory, &o->settings);
	struct store_reader reader = {o->core, take_durable, take_row, take_entry, NULL};
	if (store_file_load(&o->file, &reader, &error) < 0)
		fail_msg("%s", error.text);
	step(o, &(struct input){.kind = INPUT_START});
}

static void stop(struct old *o)
{
	store_file_close(&o->file);
	munmap(o->core, o->memory_size);
}

static void pass(struct old *o, duration d)
{
	for (instant until = o->now.boot + d; o->now.boot < until;) {
		o->now.boot += 10 * MILLISECOND;
		o->now.raw += 10 * MILLISECOND;
		o->now.wall += 10 * MILLISECOND;
		step(o, &(struct input){.kind = INPUT_TICK});
	}
}

static struct status_view status(struct old *o)
{
	struct status_view view;
	gossip_status(o->core, &o->now, &view);
	return view;
}

static void expect_row(struct old *o, const char *key, const char *value)
{
	struct kv_view row;
	assert_true(gossip_kv(o->core, text_bytes(key), &row));
	assert_int_equal(row.value.size, strlen(value));
	assert_memory_equal(row.value.data, value, strlen(value));
}

static int64_t format(struct old *o)
{
	sqlite3_stmt *statement;
	assert_int_equal(sqlite3_prepare_v2(o->file.db, "PRAGMA user_version", -1, &statement, NULL),
	                 SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	int64_t number = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return number;
}

/* ---- tests ---- */

static void everything_in_it_is_there_and_nothing_marks_it_yet(void **state)
{
	struct old *o = *state;
	struct kv_view row;
	struct token_view token;
	start(o);
	assert_int_equal(status(o).standing, STANDING_MEMBER);
	assert_string_equal(status(o).name, "old");
	assert_int_equal(status(o).level, 1);
	assert_int_equal(status(o).members_total, 1);
	expect_row(o, "greeting", "from wire 1");
	assert_false(gossip_kv(o->core, text_bytes("count"), &row));
	assert_true(gossip_token_at(o->core, 0, &token));
	assert_int_equal(format(o), 1);
	stop(o);
}

static void what_was_only_in_the_log_is_applied_by_the_next_master(void **state)
{
	struct old *o = *state;
	start(o);
	pass(o, 5 * SECOND);
	assert_true(status(o).self_master);
	assert_int_equal(status(o).epoch, 3);
	expect_row(o, "last", "not in a checkpoint");
	stop(o);
}

static void it_is_marked_with_the_level_and_opened_by_us_again(void **state)
{
	struct old *o = *state;
	start(o);
	pass(o, 10 * SECOND);
	assert_int_equal(status(o).level, WIRE_VERSION_MAX);
	assert_int_equal(format(o), WIRE_VERSION_MAX);
	stop(o);
	start(o);
	assert_int_equal(status(o).level, WIRE_VERSION_MAX);
	expect_row(o, "greeting", "from wire 1");
	expect_row(o, "last", "not in a checkpoint");
	stop(o);
}

static void before_the_level_it_stays_one_that_the_old_release_opens(void **state)
{
	struct old *o = *state;
	o->settings.wire_max = 1; /* as if an older member held the level */
	start(o);
	pass(o, 10 * SECOND);
	assert_true(status(o).self_master);
	assert_int_equal(status(o).level, 1);
	assert_int_equal(format(o), 1);
	stop(o);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(everything_in_it_is_there_and_nothing_marks_it_yet),
		TEST(what_was_only_in_the_log_is_applied_by_the_next_master),
		TEST(it_is_marked_with_the_level_and_opened_by_us_again),
		TEST(before_the_level_it_stays_one_that_the_old_release_opens),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
