/* A member changes its key: what the entry means, and who learns of it how. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "alone.h"
#include "member.h"

static struct node_keys next_keys(const struct alone *a, uint8_t which)
{
	struct node_keys keys;
	uint8_t seed[32] = {0xee, which};
	node_keys_from_seed(a->settings.seal, seed, &keys);
	return keys;
}

/* The key of `node` changed for `next`, as both sign it. */
static struct command rekey(struct alone *a, uint32_t node, const struct node_keys *next)
{
	uint8_t statement[STATEMENT_MAX];
	struct command c = {.kind = COMMAND_MEMBER_REKEY, .if_version = NO_VERSION,
		.subject = alone_id(a, node)};
	c.member.old_key = a->keys[node].public_key;
	c.member.key = next->public_key;
	size_t size = rekey_statement(&a->core->durable.cluster, &c.member.old_key, &c.member.key,
	                              statement);
	statement_sign(a->settings.seal, &a->keys[node], statement, size, c.member.old_signature);
	statement_sign(a->settings.seal, next, statement, size, c.member.signature);
	return c;
}

static enum outcome apply(struct alone *a, const struct command *c)
{
	enum outcome outcome = ledger_apply(a->core, 100, c).outcome;
	ledger_tell_gone(a->core);
	return outcome;
}

static node_id id_of(const struct node_keys *keys)
{
	return node_key_id(&keys->public_key);
}

static void the_old_id_is_a_tombstone_and_the_new_one_is_what_it_was(void **state)
{
	struct alone *a = alone_new(3, 1, NULL);
	struct node_keys next = next_keys(a, 1);
	struct command c = rekey(a, 1, &next);
	struct member_view old, new;
	assert_int_equal(apply(a, &c), LEDGER_DONE);
	assert_true(gossip_member(a->core, &a->now, alone_id(a, 1), &old));
	assert_true(gossip_member(a->core, &a->now, id_of(&next), &new));
	assert_int_equal(old.state, GONE_REMOVED);
	assert_int_equal(old.successor, new.id);
	assert_string_equal(new.name, "b");
	assert_int_equal(new.role, old.role);
	assert_int_equal(members_active(a->core), 3);
	assert_int_equal(apply(a, &c), LEDGER_KEY_REMOVED);
	alone_free(a);
}

static void a_key_that_was_changed_is_never_admitted_again(void **state)
{
	struct alone *a = alone_new(3, 1, NULL);
	struct node_keys next = next_keys(a, 1);
	struct command c = rekey(a, 1, &next);
	struct command create = {.kind = COMMAND_TOKEN_CREATE, .token = 5, .token_uses = 9,
		.token_expires_wall = INT64_MAX};
	struct command back = {.kind = COMMAND_TOKEN_REDEEM, .token = 5, .member = {
		.key = a->keys[1].public_key, .name = {(const uint8_t *)"b2", 2},
		.wire_min = WIRE_VERSION_MIN, .wire_max = WIRE_VERSION_MAX}};
	apply(a, &c);
	assert_int_equal(apply(a, &create), LEDGER_DONE);
	assert_int_equal(apply(a, &back), LEDGER_KEY_REMOVED);
	alone_free(a);
}

static void open_tokens_end_with_the_old_key(void **state)
{
	struct alone *a = alone_new(3, 1, NULL);
	struct node_keys next = next_keys(a, 1);
	struct command c = rekey(a, 1, &next);
	struct command create = {.kind = COMMAND_TOKEN_CREATE, .token = 5, .token_uses = 9,
		.token_expires_wall = INT64_MAX};
	struct token_view token;
	apply(a, &create);
	apply(a, &c);
	assert_true(gossip_token_at(a->core, 0, &token));
	assert_true(token.revoked);
	alone_free(a);
}

static void a_change_that_both_keys_did_not_sign_changes_nothing(void **state)
{
	struct alone *a = alone_new(3, 1, NULL);
	struct node_keys next = next_keys(a, 1), other = next_keys(a, 2);
	for (int wrong = 0; wrong < 5; wrong++) {
		struct command c = rekey(a, 1, &next);
		if (wrong == 0)
			c.member.old_signature[5] ^= 1;
		else if (wrong == 1)
			c.member.signature[5] ^= 1;
		else if (wrong == 2)
			c.member.key = other.public_key;
		else if (wrong == 3)
			c.member.old_key = a->keys[2].public_key;
		else
			c.subject = alone_id(a, 2);
		assert_int_equal(apply(a, &c), LEDGER_UNSIGNED);
		assert_true(member_active(a->core, alone_id(a, 1)));
		assert_false(member_active(a->core, id_of(&next)));
	}
	alone_free(a);
}

static void a_key_that_another_member_has_is_not_taken(void **state)
{
	struct alone *a = alone_new(3, 1, NULL);
	struct command c = rekey(a, 1, &a->keys[2]);
	assert_int_equal(apply(a, &c), LEDGER_ID_TAKEN);
	alone_free(a);
}

static void nobody_asks_for_a_change_of_anothers_key(void **state)
{
	struct alone *a = alone_new(3, 1, NULL);
	struct node_keys next = next_keys(a, 1);
	alone_pass(a, 20 * SECOND);
	assert_true(alone_acts(a));
	struct envelope e = {.kind = MESSAGE_REQUEST};
	e.request.patience = SECOND;
	e.request.command = rekey(a, 1, &next);
	e.request.command.request = (struct request_id){alone_id(a, 2), 1, 1};
	alone_hear(a, 2, &e);
	alone_pass(a, SECOND);
	assert_int_equal(a->core->dropped[DROP_MALFORMED], 1);
	assert_true(member_active(a->core, alone_id(a, 1)));
	alone_free(a);
}

/* A third node tells this one that it was removed, because its key is `successor` now. */
static void be_told(struct alone *a, node_id successor)
{
	struct envelope e = {.kind = MESSAGE_FAREWELL};
	e.farewell = (struct farewell){FAREWELL_REMOVED, alone_id(a, 1), successor};
	alone_hear(a, 1, &e);
	alone_pass(a, SECOND);
}

static void who_holds_the_new_key_too_goes_on_with_it(void **state)
{
	struct alone *a = alone_new(3, 3, NULL);
	struct node_keys next = next_keys(a, 1);
	a->core->rekey.next = id_of(&next);
	be_told(a, id_of(&next));
	assert_int_equal(a->core->standing, STANDING_REKEYED);
	assert_int_equal(a->core->durable.standing, 0);
	alone_free(a);
}

static void who_holds_only_the_old_key_is_told_and_stops_for_good(void **state)
{
	struct alone *a = alone_new(3, 3, NULL);
	struct node_keys next = next_keys(a, 1), other = next_keys(a, 2);
	a->core->rekey.next = id_of(&other);
	be_told(a, id_of(&next));
	assert_int_equal(a->core->standing, STANDING_REMOVED);
	assert_true(alone_restart(a));
	assert_int_equal(a->core->standing, STANDING_REMOVED);
	alone_free(a);
}

/* A member tells this one that the command is committed, as entry 2. */
static void hear_committed(struct alone *a, const struct command *c)
{
	uint8_t bytes[1024];
	struct entry entry = {.index = 2, .ballot = alone_ballot(a, 1, 1)};
	entry.command = (struct bytes){bytes, command_encode(c, bytes, sizeof bytes)};
	struct envelope e = {.kind = MESSAGE_ENTRIES};
	e.entries = (struct entries){2, a->core->durable.config, 1, &entry};
	alone_hear(a, 1, &e);
	assert_int_equal(a->core->log.applied, 2);
}

static void a_start_that_knows_of_the_change_says_nothing_under_the_old_key(void **state)
{
	struct alone *a = alone_new(3, 3, NULL);
	struct node_keys next = next_keys(a, 1);
	struct command c = rekey(a, 0, &next);
	a->settings.next = a->core->rekey.next = id_of(&next);
	hear_committed(a, &c);
	alone_pass(a, SECOND);
	assert_int_equal(a->core->standing, STANDING_REKEYED);
	assert_true(alone_restart(a));
	assert_int_equal(a->core->standing, STANDING_REKEYED);
	assert_int_equal(a->sent_count, 0);
	alone_free(a);
}

static void the_only_node_is_refused(void **state)
{
	struct alone *a = alone_new(1, 1, NULL);
	struct node_keys next = next_keys(a, 1);
	struct input input = {.kind = INPUT_REKEY};
	input.rekey.client = 1;
	input.rekey.next = &next;
	input.rekey.patience = SECOND;
	alone_pass(a, 20 * SECOND);
	alone_step(a, &input);
	alone_pass(a, 2 * SECOND);
	assert_int_equal(a->answers, 1);
	assert_int_equal(a->answer.code, ANSWER_REFUSED);
	assert_int_equal(a->core->standing, STANDING_MEMBER);
	alone_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_old_id_is_a_tombstone_and_the_new_one_is_what_it_was),
		cmocka_unit_test(a_key_that_was_changed_is_never_admitted_again),
		cmocka_unit_test(open_tokens_end_with_the_old_key),
		cmocka_unit_test(a_change_that_both_keys_did_not_sign_changes_nothing),
		cmocka_unit_test(a_key_that_another_member_has_is_not_taken),
		cmocka_unit_test(nobody_asks_for_a_change_of_anothers_key),
		cmocka_unit_test(who_holds_the_new_key_too_goes_on_with_it),
		cmocka_unit_test(who_holds_only_the_old_key_is_told_and_stops_for_good),
		cmocka_unit_test(a_start_that_knows_of_the_change_says_nothing_under_the_old_key),
		cmocka_unit_test(the_only_node_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
