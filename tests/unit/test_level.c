/* The level: what everybody speaks, who may raise it, and who is kept out afterwards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "alone.h"
#include "member.h"
#include "swarm.h"

/* Node 0 alone votes; its cluster was founded by an older essaim. Two members more. */
static struct alone *old_cluster(void)
{
	struct alone *a = alone_new(3, 1, NULL);
	uint8_t key[KEY_MAX_SIZE + 1];
	rows_delete(&a->core->rows, row_key(key, 's', (struct bytes){(const uint8_t *)"level", 5}));
	level_loaded(a->core);
	a->format = 0;
	return a;
}

static void speaks(struct alone *a, uint32_t node, uint32_t wire_max)
{
	member_find(a->core, alone_id(a, node))->wire_max = wire_max;
}

static enum answer_code ask(struct alone *a, const struct command *c)
{
	struct input input = {.kind = INPUT_REQUEST};
	a->answers = 0;
	input.request.client = 1;
	input.request.command = c;
	input.request.patience = SECOND;
	alone_step(a, &input);
	for (int i = 0; i < 100 && a->answers == 0; i++)
		alone_pass(a, 10 * MILLISECOND);
	assert_int_equal(a->answers, 1);
	return a->answer.code;
}

static void an_older_member_holds_up_the_level_and_nothing_else(void **state)
{
	struct alone *a = old_cluster();
	struct command put = {.kind = COMMAND_KV_PUT, .if_version = NO_VERSION,
		.key = {(const uint8_t *)"k", 1}, .value = {(const uint8_t *)"v", 1}};
	speaks(a, 2, 1);
	alone_pass(a, 20 * SECOND);
	assert_true(alone_acts(a));
	assert_int_equal(level_of(a->core), 1);
	assert_int_equal(ask(a, &put), ANSWER_DONE);
	assert_int_equal(a->format, 0);
	speaks(a, 2, 2);
	alone_pass(a, 3 * SECOND);
	assert_int_equal(level_of(a->core), 2);
	assert_int_equal(a->format, 2);
	speaks(a, 2, 3);
	alone_pass(a, 3 * SECOND);
	assert_int_equal(level_of(a->core), 3);
	assert_int_equal(a->format, 3);
	alone_free(a);
}

static void a_new_command_waits_for_the_level(void **state)
{
	struct alone *a = old_cluster();
	struct command set = {.kind = COMMAND_SETTING_PUT, .if_version = NO_VERSION,
		.key = {(const uint8_t *)"voters", 6}, .value = {(const uint8_t *)"3", 1}};
	speaks(a, 1, 1);
	alone_pass(a, 20 * SECOND);
	assert_int_equal(ask(a, &set), ANSWER_REFUSED);
	struct bytes why = level_refusal(a->core, COMMAND_SETTING_PUT);
	assert_string_equal(why.data, "not before every member runs this version of essaim: upgrade 'b' first");
	assert_false(level_allows(a->core, COMMAND_MEMBER_REKEY));
	assert_true(level_allows(a->core, COMMAND_MEMBER_LEAVE));
	alone_free(a);
}

static void between_two_levels_the_commands_of_the_lower_one_are_done(void **state)
{
	struct alone *a = old_cluster();
	struct command engine = {.kind = COMMAND_ENGINE, .value = {(const uint8_t *)"v", 1}};
	speaks(a, 1, 2);
	alone_pass(a, 20 * SECOND);
	assert_int_equal(level_of(a->core), 2);
	assert_true(level_allows(a->core, COMMAND_MEMBER_REKEY));
	assert_false(level_allows(a->core, COMMAND_REGISTRY));
	assert_int_equal(ask(a, &engine), ANSWER_REFUSED);
	struct bytes why = level_refusal(a->core, COMMAND_ENGINE);
	assert_string_equal(why.data, "not before every member runs this version of essaim: upgrade 'b' first");
	alone_free(a);
}

static void the_store_is_closed_to_older_ones_with_the_very_entry(void **state)
{
	struct alone *a = old_cluster();
	alone_pass(a, 20 * SECOND);
	assert_int_equal(level_of(a->core), WIRE_VERSION_MAX);
	assert_int_equal(a->format, WIRE_VERSION_MAX);
	a->format = 0;
	assert_true(alone_restart(a));
	assert_int_equal(level_of(a->core), WIRE_VERSION_MAX);
	alone_free(a);
}

static void the_level_never_falls(void **state)
{
	struct alone *a = old_cluster();
	level_apply(a->core, &(struct command){.kind = COMMAND_LEVEL, .level = 9});
	level_apply(a->core, &(struct command){.kind = COMMAND_LEVEL, .level = 8});
	level_apply(a->core, &(struct command){.kind = COMMAND_LEVEL});
	assert_int_equal(level_of(a->core), 9);
	alone_free(a);
}

static void nobody_but_a_master_proposes_a_level(void **state)
{
	struct alone *a = old_cluster();
	speaks(a, 1, 1);
	alone_pass(a, 20 * SECOND);
	struct envelope e = {.kind = MESSAGE_REQUEST};
	e.request.patience = SECOND;
	e.request.command = (struct command){.kind = COMMAND_LEVEL, .level = 2,
		.request = {alone_id(a, 1), 1, 1}, .if_version = NO_VERSION};
	alone_hear(a, 1, &e);
	alone_pass(a, 3 * SECOND);
	assert_int_equal(level_of(a->core), 1);
	assert_int_equal(a->core->dropped[DROP_MALFORMED], 1);
	alone_free(a);
}

static struct result redeem(struct alone *a, uint32_t wire_max)
{
	struct command create = {.kind = COMMAND_TOKEN_CREATE, .token = 5, .token_uses = 9,
		.token_expires_wall = INT64_MAX};
	struct command c = {.kind = COMMAND_TOKEN_REDEEM, .token = 5, .member = {
		.key = {{7, 7, 7, (uint8_t)wire_max}}, .name = {(const uint8_t *)"new", 3},
		.wire_min = 1, .wire_max = wire_max}};
	ledger_apply(a->core, 100, &create);
	return ledger_apply(a->core, 101, &c);
}

static void an_older_joiner_is_refused_by_the_entry_itself(void **state)
{
	struct alone *a = old_cluster();
	assert_int_equal(redeem(a, 1).outcome, LEDGER_DONE);
	level_apply(a->core, &(struct command){.kind = COMMAND_LEVEL, .level = 2});
	assert_int_equal(redeem(a, 1).outcome, LEDGER_WIRE_OLD);
	assert_non_null(strstr(outcome_text(LEDGER_WIRE_OLD), "too old for this cluster"));
	alone_free(a);
}

static void what_is_written_is_what_the_reader_speaks(void **state)
{
	struct alone *a = old_cluster();
	assert_int_equal(level_spoken(a->core, alone_id(a, 1)), WIRE_VERSION_MAX);
	speaks(a, 1, 1);
	assert_int_equal(level_spoken(a->core, alone_id(a, 1)), 1);
	speaks(a, 1, 7);
	assert_int_equal(level_spoken(a->core, alone_id(a, 1)), WIRE_VERSION_MAX);
	member_find(a->core, alone_id(a, 1))->session.nonce_known = false;
	assert_int_equal(level_spoken(a->core, alone_id(a, 1)), 1);
	alone_free(a);
}

static void below_the_level_only_greetings_are_heard(void **state)
{
	struct alone *a = old_cluster();
	static uint8_t bytes[FRAME_MAX];
	struct envelope e = {.wire = 1, .incarnation = 1, .kind = MESSAGE_GOSSIP};
	struct input input = {.kind = INPUT_FRAME};
	input.frame.from = alone_id(a, 1);
	input.frame.bytes = (struct bytes){bytes, envelope_encode(&e, bytes, sizeof bytes)};
	alone_step(a, &input);
	assert_int_equal(a->core->dropped[DROP_VERSION], 0);
	level_apply(a->core, &(struct command){.kind = COMMAND_LEVEL, .level = 2});
	alone_step(a, &input);
	assert_int_equal(a->core->dropped[DROP_VERSION], 1);
	alone_free(a);
}

static void restart_speaking(struct swarm *s, uint32_t node, uint32_t wire_max)
{
	swarm_kill(s, node);
	s->nodes[node].settings.wire_max = wire_max;
	swarm_start(s, node);
	swarm_run(s, 20 * SECOND);
}

static void who_comes_back_below_the_level_is_no_peer_and_told_why(void **state)
{
	struct swarm *s = swarm_new(3, SEAL_QUICK);
	swarm_run(s, 2 * SECOND);
	assert_int_equal(swarm_state(s, 0, 2), REACHABLE);
	for (uint32_t i = 0; i < 3; i++)
		s->nodes[i].core->level.now = 2;
	restart_speaking(s, 2, 1);
	for (uint32_t i = 0; i < 2; i++) {
		assert_int_equal(swarm_traces(s, i, RULE_WIRE_OLD, 2), 1);
		assert_int_equal(swarm_state(s, i, 2), UNREACHABLE);
		assert_int_not_equal(swarm_state(s, 2, i), REACHABLE);
		assert_int_equal(member_wire_max(s->nodes[i].core, swarm_id(s, 2)), 1);
	}
	assert_int_equal(swarm_traces(s, 2, RULE_TOLD_WIRE_OLD, 2), 1);
	restart_speaking(s, 2, 2);
	for (uint32_t i = 0; i < 2; i++) {
		assert_int_equal(swarm_state(s, i, 2), REACHABLE);
		assert_int_equal(swarm_state(s, 2, i), REACHABLE);
		assert_int_equal(member_wire_max(s->nodes[i].core, swarm_id(s, 2)), 2);
	}
	swarm_free(s);
}

static void below_the_level_older_and_newer_are_peers(void **state)
{
	struct swarm *s = swarm_new(3, SEAL_QUICK);
	swarm_run(s, 2 * SECOND);
	restart_speaking(s, 2, 1);
	for (uint32_t i = 0; i < 2; i++) {
		assert_int_equal(swarm_state(s, i, 2), REACHABLE);
		assert_int_equal(swarm_state(s, 2, i), REACHABLE);
		assert_int_equal(swarm_dropped(s, 2, DROP_VERSION), 0);
		assert_int_equal(swarm_dropped(s, i, DROP_VERSION), 0);
	}
	swarm_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_older_member_holds_up_the_level_and_nothing_else),
		cmocka_unit_test(a_new_command_waits_for_the_level),
		cmocka_unit_test(between_two_levels_the_commands_of_the_lower_one_are_done),
		cmocka_unit_test(the_store_is_closed_to_older_ones_with_the_very_entry),
		cmocka_unit_test(the_level_never_falls),
		cmocka_unit_test(nobody_but_a_master_proposes_a_level),
		cmocka_unit_test(an_older_joiner_is_refused_by_the_entry_itself),
		cmocka_unit_test(what_is_written_is_what_the_reader_speaks),
		cmocka_unit_test(below_the_level_only_greetings_are_heard),
		cmocka_unit_test(who_comes_back_below_the_level_is_no_peer_and_told_why),
		cmocka_unit_test(below_the_level_older_and_newer_are_peers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
