/* A member's door: what a stranger who proved a token may cost it while there is no master. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "alone.h"
#include "band.h"

#define TOKEN 99

/* A whole and well signed JOIN of a new node that would be a witness or not, on that stream. */
static void hear_join_as(struct alone *a, uint64_t stream, uint8_t who, enum role role)
{
	static uint8_t bytes[FRAME_MAX];
	struct node_keys keys;
	uint8_t seed[32] = {who, 1, 2, 3}, statement[STATEMENT_MAX];
	struct envelope e = {.wire = WIRE_VERSION_MAX, .incarnation = 1, .kind = MESSAGE_JOIN};
	struct member_record *m = &e.join.member;
	e.join.token = TOKEN;
	node_keys_from_seed(a->settings.seal, seed, &keys);
	*m = (struct member_record){.key = keys.public_key, .name = {(const uint8_t *)"new", 3},
		.address = {.family = 4, .ip = {127, 0, 3, who}, .port = 7800}, .role = role,
		.wire_min = WIRE_VERSION_MIN, .wire_max = WIRE_VERSION_MAX, .incarnation = 1};
	size_t size = member_statement(&a->core->durable.cluster, TOKEN, m, statement);
	statement_sign(a->settings.seal, &keys, statement, size, m->signature);
	struct input input = {.kind = INPUT_FRAME};
	input.frame.stream = stream;
	input.frame.token = TOKEN;
	input.frame.bytes = (struct bytes){bytes, envelope_encode(&e, bytes, sizeof bytes)};
	assert(input.frame.bytes.size > 0);
	alone_step(a, &input);
}

static void hear_join(struct alone *a, uint64_t stream, uint8_t who)
{
	hear_join_as(a, stream, who, ROLE_NODE);
}

/* The ledger has the token, and this is what it admits. */
static void know_token(struct alone *a, enum role role)
{
	uint8_t key[9], value[256];
	struct token_row row = {.token = TOKEN, .role = role, .expires_wall = NEVER, .uses_left = 9};
	size_t size = token_row_encode(&row, value, sizeof value);
	assert_true(size > 0);
	assert_true(rows_put(&a->core->rows, row_key_id(key, 't', TOKEN), (struct bytes){value, size},
	                     true));
}

static void a_token_makes_nobody_what_he_did_not_ask_to_be(void **state)
{
	for (int token = ROLE_NODE; token <= ROLE_WITNESS; token++) {
		for (int wanted = ROLE_NODE; wanted <= ROLE_WITNESS; wanted++) {
			struct alone *a = alone_new(3, 3, NULL);
			know_token(a, (enum role)token);
			hear_join_as(a, 7, 1, (enum role)wanted);
			assert_int_equal(a->core->route.used, token == wanted ? 1 : 0);
			alone_free(a);
		}
	}
}

static void a_stream_that_asks_again_waits_once(void **state)
{
	struct alone *a = alone_new(3, 3, NULL);
	for (int i = 0; i < 100; i++)
		hear_join(a, 7, 1);
	assert_int_equal(a->core->route.used, 1);
	alone_free(a);
}

static void joins_leave_most_of_the_table_to_this_nodes_users(void **state)
{
	struct alone *a = alone_new(3, 3, NULL);
	for (uint64_t stream = 1; stream <= 100; stream++)
		hear_join(a, stream, (uint8_t)stream);
	assert_in_range(a->core->route.used, 1, PENDING_MAX / 2);
	alone_free(a);
}

/* A node without a cluster that asked at 127.0.3.1 and was connected there by stream 7. */
static void begin_to_join(struct alone *a)
{
	static struct address door = {.family = 4, .ip = {127, 0, 3, 1}, .port = 7800};
	struct input input = {.kind = INPUT_JOIN};
	memset(&a->core->durable, 0, sizeof a->core->durable);
	a->core->standing = STANDING_BLANK;
	input.join.addresses = &door;
	input.join.address_count = 1;
	input.join.token = TOKEN;
	input.join.name = "new";
	gossip_step(a->core, &a->now, &input);
	assert_int_equal(a->core->standing, STANDING_JOINING);
}

static void who_finds_the_door_crowded_asks_again_later_each_time_and_not_for_ever(void **state)
{
	struct alone *a = alone_new(1, 1, NULL);
	struct joined busy = {.code = ANSWER_BUSY};
	begin_to_join(a);
	instant ends = a->core->life.busy_until;
	duration longest = 0;
	for (int i = 0; i < 10; i++) {
		a->core->life.stream = 7;
		life_on_joined(a->core, 7, &busy);
		assert_int_equal(a->core->standing, STANDING_JOINING);
		assert_true(a->core->life.dial_at > a->core->now.boot);
		assert_true(a->core->life.join_until > a->core->life.dial_at);
		longest = a->core->life.dial_at - a->core->now.boot;
	}
	assert_in_range(longest, 3 * SECOND, 10 * SECOND);
	a->core->now.boot = ends;
	a->core->life.stream = 7;
	life_on_joined(a->core, 7, &busy);
	assert_int_equal(a->core->standing, STANDING_BLANK);
	alone_free(a);
}

/* ---- the question of `doctor auth` ---- */

/* Asks under that key and name; the one answer ends the stream and nothing is written or proposed. */
static struct inquired ask(struct alone *a, uint64_t token, const struct node_key *key, const char *name,
                           bool answered)
{
	static uint8_t bytes[FRAME_MAX], memory[ARENA_FRAME_SIZE];
	struct arena arena = {memory, sizeof memory, 0};
	struct envelope e = {.wire = WIRE_VERSION_MIN, .kind = MESSAGE_INQUIRY}, got = {0};
	struct input input = {.kind = INPUT_FRAME};
	uint64_t last = gossip_last(a->core);
	uint32_t frames = 0;
	e.inquiry.key = *key;
	e.inquiry.name = (struct bytes){(const uint8_t *)name, strlen(name)};
	input.frame.stream = 7;
	input.frame.token = token;
	input.frame.bytes = (struct bytes){bytes, envelope_encode(&e, bytes, sizeof bytes)};
	struct effects effects = gossip_step(a->core, &a->now, &input);
	for (uint32_t i = 0; i < effects.count; i++) {
		const struct effect *x = &effects.list[i];
		assert_true(x->kind != EFFECT_PERSIST);
		if (x->kind != EFFECT_FRAME || x->frame.message != MESSAGE_INQUIRED)
			continue;
		frames++;
		assert_true(x->frame.close_after && x->frame.stream == 7);
		assert_true(envelope_decode(x->frame.bytes.data, x->frame.bytes.size, &arena, &got));
	}
	assert_int_equal(frames, answered);
	assert_int_equal(a->core->route.used, 0);
	assert_int_equal(gossip_last(a->core), last);
	return got.inquired;
}

static void put_token(struct alone *a, const struct token_row *row)
{
	uint8_t key[9], value[256];
	size_t size = token_row_encode(row, value, sizeof value);
	assert_true(rows_put(&a->core->rows, row_key_id(key, 't', row->token), (struct bytes){value, size},
	                     true));
}

static void asking_at_the_door_tells_of_the_token_and_changes_nothing(void **state)
{
	struct alone *a = alone_new(3, 3, NULL);
	const struct node_key stranger = {{9, 9, 9}};
	a->now.wall = 1000 * SECOND;
	struct token_row row = {.token = TOKEN, .expires_wall = 1001 * SECOND, .uses_left = 2};
	struct token_row left;
	put_token(a, &row);
	for (int i = 0; i < 5; i++)
		assert_int_equal(ask(a, TOKEN, &stranger, "new", true).token, INQUIRED_TOKEN_VALID);
	assert_true(ledger_token(a->core, TOKEN, &left));
	assert_int_equal(left.uses_left, 2);
	row.expires_wall = 1000 * SECOND;
	put_token(a, &row);
	assert_int_equal(ask(a, TOKEN, &stranger, "new", true).token, INQUIRED_TOKEN_EXPIRED);
	row.uses_left = 0;
	put_token(a, &row);
	assert_int_equal(ask(a, TOKEN, &stranger, "new", true).token, INQUIRED_TOKEN_USED);
	row.revoked = true;
	put_token(a, &row);
	assert_int_equal(ask(a, TOKEN, &stranger, "new", true).token, INQUIRED_TOKEN_REVOKED);
	alone_free(a);
}

static void asking_at_the_door_proves_a_token_or_gets_no_answer(void **state)
{
	struct alone *a = alone_new(3, 3, NULL);
	const struct node_key stranger = {{9, 9, 9}};
	know_token(a, ROLE_NODE);
	ask(a, TOKEN, &stranger, "new", true);
	ask(a, TOKEN + 1, &stranger, "new", false);
	ask(a, 0, &stranger, "new", false); /* a stream that proved none */
	alone_free(a);
}

static void asking_at_the_door_tells_of_key_and_name(void **state)
{
	struct alone *a = alone_new(3, 3, NULL);
	const struct node_key stranger = {{9, 9, 9}};
	uint8_t key[9], value[512];
	struct member_row gone = {.state = MEMBER_REMOVED};
	know_token(a, ROLE_NODE);
	assert_int_equal(ask(a, TOKEN, &stranger, "new", true).key, INQUIRED_KEY_NEW);
	struct inquired m = ask(a, TOKEN, &a->keys[1].public_key, gossip_name(a->core, alone_id(a, 1)), true);
	assert_int_equal(m.key, INQUIRED_KEY_MEMBER);
	m = ask(a, TOKEN, &stranger, gossip_name(a->core, alone_id(a, 1)), true);
	assert_int_equal(m.key, INQUIRED_NAME_TAKEN);
	gone.record.key = stranger;
	gone.record.name = (struct bytes){(const uint8_t *)"old", 3};
	size_t size = member_row_encode(&gone, value, sizeof value);
	assert_true(rows_put(&a->core->rows, row_key_id(key, 'm', node_key_id(&stranger)),
	                     (struct bytes){value, size}, true));
	assert_int_equal(ask(a, TOKEN, &stranger, "new", true).key, INQUIRED_KEY_REMOVED);
	alone_free(a);
}

/* ---- a full table ---- */

static enum answer_code commit(struct band *b, uint32_t node, struct command *c)
{
	struct input input = {.kind = INPUT_REQUEST};
	uint32_t before = b->nodes[node].answers;
	c->if_version = NO_VERSION;
	input.request.client = 1;
	input.request.command = c;
	input.request.patience = 8 * SECOND;
	band_input(b, node, &input);
	assert_true(b->nodes[node].answers > before || band_wait(b, node, 10 * SECOND));
	return b->nodes[node].code;
}

static enum answer_code admit(struct band *b, uint8_t who)
{
	char name[] = {'x', (char)('a' + who), '\0'};
	struct command c = {.kind = COMMAND_TOKEN_REDEEM, .token = TOKEN, .member = {
		.key = {{who, 7, 7}}, .name = {(const uint8_t *)name, 2}, .role = ROLE_NODE,
		.address = {.family = 4, .ip = {127, 0, 3, who}, .port = 7800},
		.wire_min = WIRE_VERSION_MIN, .wire_max = WIRE_VERSION_MAX, .incarnation = 1}};
	return commit(b, 0, &c);
}

static void nobody_is_admitted_whom_the_nodes_have_no_room_to_know(void **state)
{
	struct band *b = band_new(3, 3);
	struct command create = {.kind = COMMAND_TOKEN_CREATE, .token = TOKEN, .token_uses = 99,
		.token_expires_wall = INT64_MAX};
	uint32_t admitted = 0;
	band_run(b, 5 * SECOND);
	assert_int_equal(commit(b, 0, &create), ANSWER_DONE);
	while (admitted < 40 && admit(b, (uint8_t)admitted) == ANSWER_DONE)
		admitted++;
	assert_int_equal(3 + admitted, b->nodes[0].settings.members_max);
	assert_int_equal(b->nodes[0].code, ANSWER_REFUSED);
	assert_non_null(strstr(b->nodes[0].text, "members_max"));
	assert_int_equal(admit(b, 0), ANSWER_DONE); /* who is one already, and lost its answer */
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(b->nodes[i].traces[RULE_MEMBERS_FULL], 0);
	band_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_makes_nobody_what_he_did_not_ask_to_be),
		cmocka_unit_test(a_stream_that_asks_again_waits_once),
		cmocka_unit_test(joins_leave_most_of_the_table_to_this_nodes_users),
		cmocka_unit_test(who_finds_the_door_crowded_asks_again_later_each_time_and_not_for_ever),
		cmocka_unit_test(asking_at_the_door_tells_of_the_token_and_changes_nothing),
		cmocka_unit_test(asking_at_the_door_proves_a_token_or_gets_no_answer),
		cmocka_unit_test(asking_at_the_door_tells_of_key_and_name),
		cmocka_unit_test(nobody_is_admitted_whom_the_nodes_have_no_room_to_know),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
