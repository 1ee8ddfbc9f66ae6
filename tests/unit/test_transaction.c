/* The engine's rows: whole or not at all, of the present epoch, of the versions named; its talk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "alone.h"
#include "text.h"

/* Node 0 alone votes, and acts. */
static struct alone *master(void)
{
	struct alone *a = alone_new(3, 1, NULL);
	alone_pass(a, 20 * SECOND);
	assert_true(alone_acts(a));
	return a;
}

static struct row_change put(const char *key, const char *value, uint64_t if_version)
{
	return (struct row_change){.key = text_bytes(key), .value = text_bytes(value),
		.if_version = if_version};
}

static struct row_change removal(const char *key, uint64_t if_version)
{
	return (struct row_change){.key = text_bytes(key), .removed = true,
		.if_version = if_version};
}

static uint64_t epoch(const struct alone *a)
{
	return a->core->ledger.epoch;
}

static struct command transaction(const struct alone *a)
{
	return (struct command){.kind = COMMAND_REGISTRY, .epoch = epoch(a), .if_version = NO_VERSION};
}

static enum answer_code propose(struct alone *a, const struct command *c, uint64_t number)
{
	struct input input = {.kind = INPUT_PROPOSE};
	input.propose.command = c;
	input.propose.number = number;
	uint32_t before = a->proposals;
	alone_step(a, &input);
	alone_pass(a, 10 * MILLISECOND);
	assert_int_equal(a->proposals, before + 1);
	assert_int_equal(a->proposed_number, number);
	return a->proposed_code;
}

static bool row(const struct alone *a, const char *key, const char *value)
{
	struct kv_view view;
	return gossip_registry(a->core, text_bytes(key), &view) &&
	       view.value.size == strlen(value) && memcmp(view.value.data, value, view.value.size) == 0;
}

static bool missing(const struct alone *a, const char *key)
{
	struct kv_view view;
	return !gossip_registry(a->core, text_bytes(key), &view);
}

static uint32_t count_rows(const struct alone *a)
{
	struct kv_view view;
	uint32_t count = 0;
	for (uint32_t cursor = 0; gossip_registry_at(a->core, &cursor, &view);)
		count++;
	return count;
}

static void all_changes_of_a_transaction_happen_and_every_row_is_told(void **state)
{
	struct alone *a = master();
	struct command c = transaction(a);
	c.change_count = 3;
	c.changes[0] = put("oone", "1", 0);
	c.changes[1] = put("vdisk", "2", 0);
	c.changes[2] = put("a7", "3", NO_VERSION);
	assert_int_equal(propose(a, &c, 11), ANSWER_DONE);
	assert_int_equal(a->row_effects, 3);
	assert_true(row(a, "oone", "1") && row(a, "vdisk", "2") && row(a, "a7", "3"));
	assert_int_equal(count_rows(a), 3);
	struct kv_view view;
	assert_true(gossip_registry(a->core, text_bytes("vdisk"), &view));
	assert_int_equal(view.version, a->proposed_index);
	alone_free(a);
}

static void if_one_version_differs_nothing_changes(void **state)
{
	struct alone *a = master();
	struct command c = transaction(a);
	c.change_count = 1;
	c.changes[0] = put("oone", "1", 0);
	assert_int_equal(propose(a, &c, 1), ANSWER_DONE);
	uint64_t version = a->proposed_index;
	c.change_count = 3;
	c.changes[0] = put("otwo", "2", 0);
	c.changes[1] = put("oone", "other", version + 1);
	c.changes[2] = removal("oone", version);
	assert_int_equal(propose(a, &c, 2), ANSWER_REFUSED);
	assert_true(missing(a, "otwo") && row(a, "oone", "1"));
	assert_int_equal(a->row_effects, 1);
	c.changes[1] = put("oone", "other", 0); /* it is there */
	assert_int_equal(propose(a, &c, 3), ANSWER_REFUSED);
	c.changes[1] = put("othree", "3", 5); /* it is not */
	assert_int_equal(propose(a, &c, 4), ANSWER_REFUSED);
	assert_int_equal(count_rows(a), 1);
	c.change_count = 1;
	c.changes[0] = removal("oone", version);
	assert_int_equal(propose(a, &c, 5), ANSWER_DONE);
	assert_int_equal(count_rows(a), 0);
	alone_free(a);
}

static void a_transaction_of_an_epoch_that_is_over_changes_nothing_at_its_turn(void **state)
{
	struct alone *a = master();
	struct command c = transaction(a);
	c.change_count = 1;
	c.changes[0] = put("oone", "1", NO_VERSION);
	c.epoch = epoch(a) - 1;
	assert_int_equal(ledger_apply(a->core, 100, &c).outcome, LEDGER_EPOCH);
	c.epoch = epoch(a) + 1;
	assert_int_equal(ledger_apply(a->core, 101, &c).outcome, LEDGER_EPOCH);
	assert_true(missing(a, "oone"));
	c.epoch = epoch(a);
	assert_int_equal(ledger_apply(a->core, 102, &c).outcome, LEDGER_DONE);
	assert_true(row(a, "oone", "1"));
	alone_free(a);
}

static void only_the_master_of_that_epoch_proposes(void **state)
{
	struct alone *a = master();
	struct command c = transaction(a);
	uint64_t last = gossip_last(a->core);
	c.change_count = 1;
	c.changes[0] = put("oone", "1", 0);
	c.epoch--;
	assert_int_equal(propose(a, &c, 1), ANSWER_NOT_MASTER);
	struct alone *follower = alone_new(3, 3, NULL);
	c.epoch = 1;
	assert_int_equal(propose(follower, &c, 2), ANSWER_NOT_MASTER);
	assert_int_equal(gossip_last(a->core), last);
	alone_free(follower);
	alone_free(a);
}

static void below_its_level_nothing_is_proposed(void **state)
{
	struct alone *a = master();
	struct command c = transaction(a);
	c.change_count = 1;
	c.changes[0] = put("oone", "1", 0);
	a->core->level.now = 2;
	a->core->settings.wire_max = 2;
	assert_int_equal(propose(a, &c, 1), ANSWER_REFUSED);
	assert_true(missing(a, "oone"));
	alone_free(a);
}

static void no_user_and_no_member_proposes_one(void **state)
{
	struct alone *a = master();
	struct envelope e = {.kind = MESSAGE_REQUEST};
	uint64_t last = gossip_last(a->core);
	e.request.patience = SECOND;
	e.request.command = transaction(a);
	e.request.command.change_count = 1;
	e.request.command.changes[0] = put("oone", "1", 0);
	e.request.command.request = (struct request_id){alone_id(a, 1), 1, 1};
	alone_hear(a, 1, &e);
	assert_int_equal(a->core->dropped[DROP_MALFORMED], 1);
	assert_int_equal(gossip_last(a->core), last);
	alone_free(a);
}

/* A definition of 64 KiB and an operation of 8 KiB: one transaction. */
static void the_largest_row_goes_with_small_ones(void **state)
{
	struct alone *a = master();
	struct command c = transaction(a);
	uint8_t *large = calloc(1, VALUE_MAX_SIZE);
	c.change_count = 2;
	c.changes[0] = (struct row_change){.key = text_bytes("mvm"), .value = {large, VALUE_MAX_SIZE}};
	c.changes[1] = (struct row_change){.key = text_bytes("oone"), .value = {large, 8192}};
	assert_int_equal(propose(a, &c, 1), ANSWER_DONE);
	struct kv_view view;
	assert_true(gossip_registry(a->core, text_bytes("mvm"), &view));
	assert_int_equal(view.value.size, VALUE_MAX_SIZE);
	assert_true(alone_restart(a));
	alone_pass(a, 20 * SECOND);
	assert_true(gossip_registry(a->core, text_bytes("mvm"), &view));
	assert_int_equal(view.value.size, VALUE_MAX_SIZE);
	assert_true(a->rows_effects >= 2); /* at each start */
	free(large);
	alone_free(a);
}

static void one_that_is_longer_than_an_entry_may_be_is_no_command(void **state)
{
	static uint8_t large[VALUE_MAX_SIZE], out[4 * VALUE_MAX_SIZE], memory[8 * VALUE_MAX_SIZE];
	struct arena arena = {memory, sizeof memory, 0};
	struct command c = {.kind = COMMAND_REGISTRY, .change_count = 2}, back;
	c.changes[0] = (struct row_change){.key = text_bytes("a"), .value = {large, VALUE_MAX_SIZE}};
	c.changes[1] = c.changes[0];
	size_t size = command_encode(&c, out, sizeof out);
	assert_true(size > 2 * VALUE_MAX_SIZE);
	assert_false(command_decode(out, size, &arena, &back));
	c.change_count = 1;
	size = command_encode(&c, out, sizeof out);
	assert_true(size > 0 && size <= COMMAND_MAX_SIZE);
	assert_true(command_decode(out, size, &arena, &back));
}

/* ---- requests ---- */

static void ask(struct alone *a, struct bytes value)
{
	struct command c = {.kind = COMMAND_ENGINE, .value = value, .if_version = NO_VERSION};
	struct input input = {.kind = INPUT_REQUEST};
	input.request.client = 7;
	input.request.command = &c;
	input.request.patience = 60 * SECOND;
	alone_step(a, &input);
}

static void answer(struct alone *a, const struct request_id *id, enum answer_code code)
{
	struct input input = {.kind = INPUT_ENGINE_ANSWER};
	input.engine_answer.request = *id;
	input.engine_answer.code = code;
	input.engine_answer.value = text_bytes("so");
	alone_step(a, &input);
}

static void a_request_reaches_the_masters_engine_and_its_answer_comes_back(void **state)
{
	struct alone *a = master();
	uint64_t last = gossip_last(a->core);
	ask(a, text_bytes("do"));
	assert_int_equal(a->engine_requests, 1);
	struct request_id id = a->engine_request;
	answer(a, &id, ANSWER_PROGRESS);
	assert_int_equal(a->engine_progresses, 1);
	assert_int_equal(a->answers, 0);
	answer(a, &id, ANSWER_DONE);
	assert_int_equal(a->answers, 1);
	assert_int_equal(a->answer.code, ANSWER_DONE);
	assert_int_equal(gossip_last(a->core), last); /* it never stands in the log */
	alone_free(a);
}

static void what_nobody_answered_is_asked_again_under_the_same_id(void **state)
{
	struct alone *a = master();
	ask(a, text_bytes("do"));
	struct request_id first = a->engine_request;
	alone_pass(a, SECOND);
	uint32_t often = a->engine_requests;
	assert_true(often >= 2);
	assert_memory_equal(&first, &a->engine_request, sizeof first);
	answer(a, &first, ANSWER_PROGRESS); /* it is at work: that is seldom */
	alone_pass(a, 4 * SECOND);
	assert_int_equal(a->engine_requests, often);
	alone_pass(a, 2 * SECOND);
	assert_true(a->engine_requests > often);
	alone_free(a);
}

static void a_members_request_is_answered_to_that_member(void **state)
{
	struct alone *a = master();
	struct envelope e = {.kind = MESSAGE_REQUEST};
	e.request.patience = SECOND;
	e.request.command = (struct command){.kind = COMMAND_ENGINE, .value = text_bytes("do"),
		.request = {alone_id(a, 1), 1, 9}, .if_version = NO_VERSION};
	alone_hear(a, 1, &e);
	assert_int_equal(a->engine_requests, 1);
	alone_forget(a);
	answer(a, &a->engine_request, ANSWER_REFUSED);
	assert_int_equal(alone_sent(a, 1, MESSAGE_ANSWER), 1);
	const struct sent *sent = alone_last(a, 1, MESSAGE_ANSWER);
	assert_int_equal(sent->e.answer.code, ANSWER_REFUSED);
	assert_int_equal(sent->e.answer.request.sequence, 9);
	alone_free(a);
}

static void engines_talk_to_each_other(void **state)
{
	struct alone *a = master();
	struct envelope e = {.kind = MESSAGE_ENGINE, .engine = {text_bytes("hello")}};
	alone_hear(a, 2, &e);
	assert_int_equal(a->engine_messages, 1);
	struct input input = {.kind = INPUT_ENGINE_SEND};
	input.engine_send.to = alone_id(a, 2);
	input.engine_send.bytes = text_bytes("good day");
	alone_forget(a);
	alone_step(a, &input);
	assert_int_equal(alone_sent(a, 2, MESSAGE_ENGINE), 1);
	input.engine_send.to = 4711; /* no member: nothing */
	alone_step(a, &input);
	assert_int_equal(alone_sent(a, ALONE_MAX, MESSAGE_ENGINE), 1);
	alone_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_changes_of_a_transaction_happen_and_every_row_is_told),
		cmocka_unit_test(if_one_version_differs_nothing_changes),
		cmocka_unit_test(a_transaction_of_an_epoch_that_is_over_changes_nothing_at_its_turn),
		cmocka_unit_test(only_the_master_of_that_epoch_proposes),
		cmocka_unit_test(below_its_level_nothing_is_proposed),
		cmocka_unit_test(no_user_and_no_member_proposes_one),
		cmocka_unit_test(the_largest_row_goes_with_small_ones),
		cmocka_unit_test(one_that_is_longer_than_an_entry_may_be_is_no_command),
		cmocka_unit_test(a_request_reaches_the_masters_engine_and_its_answer_comes_back),
		cmocka_unit_test(what_nobody_answered_is_asked_again_under_the_same_id),
		cmocka_unit_test(a_members_request_is_answered_to_that_member),
		cmocka_unit_test(engines_talk_to_each_other),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
