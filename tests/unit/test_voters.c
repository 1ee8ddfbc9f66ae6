/* Changing the voters, handing the lease over, and settings, at one master whose peers the test
 * plays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "alone.h"
#include "member.h"
#include "setting.h"
#include "settings.h"
#include "text.h"

#define STEP (20 * MILLISECOND)
#define SICK 8

/* ---- peers that agree to everything ---- */

static void promise(struct alone *a, uint32_t node)
{
	const struct sent *s = alone_last(a, node, MESSAGE_PREPARE);
	struct envelope e = {.kind = MESSAGE_PROMISE};
	if (s == NULL || a->core->lease.phase != PHASE_PREPARING)
		return;
	e.promise.ballot = s->e.prepare.ballot;
	e.promise.config = a->core->durable.config;
	e.promise.commit = 1;
	alone_hear(a, node, &e);
}

static void accept(struct alone *a, uint32_t node, uint64_t match)
{
	const struct sent *s = alone_last(a, node, MESSAGE_ACCEPT);
	struct envelope e = {.kind = MESSAGE_ACCEPTED};
	if (s == NULL)
		return;
	e.accepted = (struct accepted){.ballot = s->e.accept.ballot,
	                               .round = s->e.accept.round,
	                               .config_ballot = s->e.accept.config_ballot,
	                               .config_version = s->e.accept.config_version,
	                               .match = match,
	                               .commit = 1};
	alone_hear(a, node, &e);
}

static void live(struct alone *a, uint32_t node)
{
	struct envelope alive = {.kind = MESSAGE_GOSSIP};
	alone_hear(a, node, &alive);
}

/* Those nodes (a bit each) agree to whatever they are sent, for so long. */
static void agree(struct alone *a, uint32_t nodes, duration d)
{
	for (instant until = a->now.boot + d; a->now.boot < until;) {
		alone_pass(a, STEP);
		for (uint32_t node = 1; node < a->nodes; node++) {
			if (!(nodes >> node & 1))
				continue;
			live(a, node);
			promise(a, node);
			accept(a, node, a->core->log.last);
		}
		if (a->sent_count > SENT_MAX / 2)
			alone_forget(a);
	}
}

#define ALL 0x1e

static struct alone *master_of(uint32_t nodes, uint32_t voters, void (*change)(struct durable *d))
{
	struct alone *a = alone_new(nodes, voters, change);
	agree(a, ALL, 600 * MILLISECOND);
	assert_true(alone_acts(a));
	return a;
}

static uint32_t voters_of(const struct alone *a)
{
	return a->core->durable.config.voter_count;
}

static bool votes(const struct alone *a, uint32_t node)
{
	return config_position(&a->core->durable.config, alone_id(a, node)) >= 0;
}

static void ask_for(struct alone *a, const struct command *command, duration patience)
{
	struct input input = {.kind = INPUT_REQUEST};
	a->answers = 0;
	input.request.client = 1;
	input.request.command = command;
	input.request.patience = patience;
	alone_step(a, &input);
}

static void ask(struct alone *a, const struct command *command)
{
	ask_for(a, command, 20 * SECOND);
}

static void ask_about(struct alone *a, enum command_kind kind, uint32_t subject)
{
	struct command c = {.kind = kind, .if_version = NO_VERSION};
	c.subject = subject < a->nodes ? alone_id(a, subject) : 0;
	ask(a, &c);
}

static void put(struct alone *a, const char *name, const char *value)
{
	struct command c = {.kind = COMMAND_SETTING_PUT, .if_version = NO_VERSION};
	c.key = text_bytes(name);
	c.value = text_bytes(value);
	ask(a, &c);
}

static void expect_answer(const struct alone *a, enum answer_code code)
{
	assert_int_equal(a->answers, 1);
	assert_int_equal(a->answer.code, code);
}

/* ---- voters ---- */

static void five_members_have_five_voters(void **state)
{
	struct alone *a = master_of(5, 3, NULL);
	agree(a, ALL, SECOND);
	assert_int_equal(voters_of(a), 5);
	alone_free(a);
}

static void as_many_vote_as_was_set(void **state)
{
	struct alone *a = master_of(5, 3, NULL);
	agree(a, ALL, SECOND);
	put(a, "voters", "3");
	agree(a, ALL, 3 * SECOND);
	expect_answer(a, ANSWER_DONE);
	assert_int_equal(voters_of(a), 3);
	assert_true(votes(a, 0));
	put(a, "voters", "auto");
	agree(a, ALL, 3 * SECOND);
	assert_int_equal(voters_of(a), 5);
	alone_free(a);
}

static void a_voter_silent_for_longer_than_its_patience_is_swapped_for_a_well_member(void **state)
{
	struct alone *a = master_of(4, 3, NULL);
	put(a, "voter-patience", "10s");
	agree(a, ALL, SECOND);
	agree(a, 0xa, 9 * SECOND); /* node 2 is silent, 3 is no voter */
	assert_true(votes(a, 2) && !votes(a, 3));
	agree(a, 0xa, 5 * SECOND);
	assert_true(!votes(a, 2) && votes(a, 3));
	assert_int_equal(voters_of(a), 3);
	agree(a, ALL, 15 * SECOND); /* it comes back, and the place is taken */
	assert_true(!votes(a, 2) && votes(a, 3));
	alone_free(a);
}

/* Reachable, and silent only as a voter: another learns at once, and not the silent one again. */
static void who_was_silent_as_a_voter_is_not_the_next_to_learn(void **state)
{
	struct alone *a = master_of(4, 3, NULL);
	put(a, "voter-patience", "2s");
	agree(a, ALL, SECOND);
	for (int i = 0; i < 400 && voters_of(a) == 3; i++) {
		live(a, 2);
		agree(a, 0xa, STEP);
	}
	assert_int_equal(voters_of(a), 2);
	for (int i = 0; i < 50; i++) {
		live(a, 2);
		agree(a, 0xa, STEP);
	}
	assert_true(!votes(a, 2) && votes(a, 3));
	alone_free(a);
}

static void a_silent_voter_that_nobody_can_replace_stays(void **state)
{
	struct alone *a = master_of(3, 3, NULL);
	put(a, "voter-patience", "1s");
	agree(a, ALL, SECOND);
	agree(a, 0x2, 8 * SECOND);
	assert_true(votes(a, 2));
	alone_free(a);
}

static void patience_is_five_minutes_unless_set(void **state)
{
	struct alone *a = master_of(4, 3, NULL);
	agree(a, 0xa, 295 * SECOND);
	assert_true(votes(a, 2));
	agree(a, 0xa, 10 * SECOND);
	assert_false(votes(a, 2));
	alone_free(a);
}

static void a_leaver_goes_after_its_heir_came(void **state)
{
	struct alone *a = master_of(4, 3, NULL);
	ask_about(a, COMMAND_MEMBER_LEAVE, 2);
	for (int i = 0; i < 100 && votes(a, 2); i++) {
		agree(a, ALL, STEP);
		assert_true(votes(a, 2) || votes(a, 3));
	}
	assert_true(!votes(a, 2) && votes(a, 3));
	agree(a, ALL, SECOND);
	expect_answer(a, ANSWER_DONE);
	alone_free(a);
}

static void a_leaver_whose_heir_takes_too_long_is_told_what_it_waited_for(void **state)
{
	struct alone *a = master_of(4, 3, NULL);
	struct command c = {.kind = COMMAND_MEMBER_LEAVE, .if_version = NO_VERSION, .subject = alone_id(a, 2)};
	ask_for(a, &c, SECOND);
	agree(a, 0x6, 2 * SECOND); /* the heir does not learn */
	expect_answer(a, ANSWER_UNKNOWN);
	assert_non_null(strstr(a->text, "did not let it go as a voter"));
	alone_free(a);
}

/* Of the two that would remain one is silent: after some patience it is refused, and nothing
 * changed. */
static void a_voter_that_the_others_need_may_not_go(void **state)
{
	struct alone *a = master_of(3, 3, NULL);
	agree(a, 0x2, 2 * SECOND);
	ask_about(a, COMMAND_MEMBER_REMOVE, 1);
	agree(a, 0x2, 2 * SECOND);
	assert_int_equal(a->answers, 0);
	agree(a, 0x2, 4 * SECOND);
	expect_answer(a, ANSWER_REFUSED);
	assert_true(votes(a, 1));
	assert_int_equal(voters_of(a), 3);
	/* the silent one itself may */
	ask_about(a, COMMAND_MEMBER_REMOVE, 2);
	agree(a, 0x2, 2 * SECOND);
	expect_answer(a, ANSWER_DONE);
	assert_int_equal(voters_of(a), 2);
	alone_free(a);
}

static void node_2_is_witness(struct durable *d)
{
	d->config.witnesses = 4;
}

static void a_master_may_not_leave_witnesses_alone(void **state)
{
	struct alone *a = master_of(3, 3, node_2_is_witness);
	member_find(a->core, alone_id(a, 2))->role = ROLE_WITNESS;
	ask_about(a, COMMAND_MEMBER_REMOVE, 1);
	agree(a, ALL, SECOND);
	expect_answer(a, ANSWER_DONE);
	assert_int_equal(voters_of(a), 1); /* a witness is less than half, or does not vote */
	ask_about(a, COMMAND_MEMBER_LEAVE, 0);
	expect_answer(a, ANSWER_REFUSED);
	assert_true(alone_acts(a));
	alone_free(a);
}

static void be_witness(struct durable *d)
{
	d->role = ROLE_WITNESS;
	d->config.witnesses = 1;
}

static uint32_t checks_within(void (*change)(struct durable *d), duration d)
{
	struct alone *a = alone_new(3, 3, change);
	uint64_t before = a->asked;
	for (instant until = a->now.boot + d; a->now.boot < until;) {
		alone_pass(a, STEP);
		if (a->core->lease.phase != PHASE_IDLE)
			alone_forget(a);
	}
	uint32_t checks = (uint32_t)(a->asked - before);
	alone_free(a);
	return checks;
}

static void a_witness_checks_its_disk_once_a_minute(void **state)
{
	assert_in_range(checks_within(be_witness, 59 * SECOND), 0,
	                1); /* (the start may write once) */
	assert_in_range(checks_within(be_witness, 130 * SECOND), 2, 3);
}

static void learn(struct alone *a, uint64_t index)
{
	struct command noop = {.kind = COMMAND_NOOP, .if_version = NO_VERSION};
	uint8_t bytes[64];
	size_t size = command_encode(&noop, bytes, sizeof bytes);
	struct entry entry = {index, alone_ballot(a, 5, 1), {bytes, size}};
	struct envelope e = {.kind = MESSAGE_ENTRIES};
	e.entries = (struct entries){index, a->core->durable.config, 1, &entry};
	alone_hear(a, 1, &e);
}

/* (seed 38 of three nodes: what it learned meanwhile put the attempt off, again and again) */
static void a_store_that_failed_is_written_anew_soon_whatever_else_is_written(void **state)
{
	struct alone *a = alone_new(3, 3, be_witness);
	a->failing = true;
	learn(a, 2);
	alone_pass(a, 100 * MILLISECOND);
	assert_true(a->core->store_failed);
	a->failing = false;
	for (uint64_t i = 3; i < 20; i++) {
		alone_pass(a, 300 * MILLISECOND);
		learn(a, i);
	}
	assert_false(a->core->store_failed);
	alone_free(a);
}

/* ---- settings ---- */

static void an_illegal_setting_is_refused_before_it_stands_in_the_log(void **state)
{
	struct alone *a = master_of(1, 1, NULL);
	uint64_t last = a->core->log.last;
	put(a, "voters", "4");
	expect_answer(a, ANSWER_REFUSED);
	put(a, "level", "9");
	expect_answer(a, ANSWER_REFUSED);
	assert_int_equal(a->core->log.last, last);
	alone_free(a);
}

static void a_setting_is_seen_with_its_value_and_others_with_the_standard(void **state)
{
	struct alone *a = master_of(1, 1, NULL);
	struct setting_view view;
	put(a, "voter-patience", "90s");
	expect_answer(a, ANSWER_DONE);
	assert_int_equal(settings_number(a->core, SETTING_VOTER_PATIENCE), 90 * SECOND);
	assert_true(gossip_setting_at(a->core, SETTING_VOTER_PATIENCE, &view));
	assert_true(view.set);
	assert_memory_equal(view.value.data, "90s", 3);
	assert_true(gossip_setting_at(a->core, SETTING_PROFILE, &view));
	assert_false(view.set);
	assert_memory_equal(view.value.data, "default", 7);
	assert_false(gossip_setting_at(a->core, SETTINGS, &view));
	alone_free(a);
}

/* As a later build with another table might have committed it. */
static void a_value_that_this_build_cannot_read_counts_as_not_set(void **state)
{
	struct alone *a = master_of(1, 1, NULL);
	struct command c = {.kind = COMMAND_SETTING_PUT, .if_version = NO_VERSION};
	c.key = text_bytes("voters");
	c.value = text_bytes("9");
	assert_int_equal(settings_apply(a->core, 99, &c), LEDGER_DONE);
	assert_int_equal(settings_number(a->core, SETTING_VOTERS), 0);
	alone_free(a);
}

static void a_profile_is_reached_step_by_step(void **state)
{
	struct alone *a = master_of(3, 3, NULL);
	put(a, "profile", "lan");
	agree(a, ALL, 400 * MILLISECOND);
	const struct config *c = &a->core->durable.config;
	assert_int_equal(c->lease, 600 * MILLISECOND);
	assert_true(c->exclusion > 1500 * MILLISECOND);
	agree(a, ALL, 1500 * MILLISECOND); /* the longer authority, and one old D_A, are not over */
	assert_true(c->exclusion > 1500 * MILLISECOND && c->quarantine == c->exclusion);
	agree(a, ALL, 2 * SECOND);
	assert_true(c->exclusion < 700 * MILLISECOND && c->quarantine == c->exclusion);
	assert_int_equal(c->profile, PROFILE_LAN);
	assert_true(alone_acts(a));
	alone_free(a);
}

/* ---- hand-over ---- */

static void take(struct alone *a, uint32_t node)
{
	const struct sent *s = alone_last(a, node, MESSAGE_OFFER);
	struct envelope e = {.kind = MESSAGE_READY};
	assert_non_null(s);
	e.ready = (struct ready){s->e.offer.ballot, s->e.offer.ballot, alone_owner(a, node)};
	e.ready.successor.hop++;
	alone_hear(a, node, &e);
}

/* The successor's CLAIM, committed, reaches this node. */
static void claim(struct alone *a, uint32_t node)
{
	const struct transfer *t = &alone_last(a, node, MESSAGE_TRANSFER)->e.transfer;
	struct entry entry = {t->last_index + 1, t->successor, t->claim};
	struct envelope e = {.kind = MESSAGE_ENTRIES};
	e.entries = (struct entries){entry.index, a->core->durable.config, 1, &entry};
	alone_hear(a, node, &e);
}

static void a_hand_over_is_answered_when_the_claim_is_applied(void **state)
{
	struct alone *a = master_of(3, 3, NULL);
	uint64_t epoch = a->core->ledger.epoch;
	ask_about(a, COMMAND_MASTER_TRANSFER, 2);
	take(a, 2);
	assert_false(alone_acts(a));
	assert_int_equal(a->answers, 0);
	alone_pass(a, 5 * MILLISECOND);
	claim(a, 2);
	expect_answer(a, ANSWER_DONE);
	assert_int_equal(a->answer.epoch, epoch + 1);
	assert_int_equal(a->answer.master, alone_id(a, 2));
	assert_int_equal(a->answer.version, 5 * MILLISECOND);
	alone_free(a);
}

static void who_cannot_be_master_is_not_offered_the_lease(void **state)
{
	struct alone *a = master_of(5, 3, node_2_is_witness);
	member_find(a->core, alone_id(a, 2))->role = ROLE_WITNESS;
	ask_about(a, COMMAND_MASTER_TRANSFER, 2);
	expect_answer(a, ANSWER_REFUSED); /* a witness */
	put(a, "voters", "3");
	agree(a, ALL, 3 * SECOND);
	uint32_t outsider = votes(a, 1) ? 3 : 1;
	ask_about(a, COMMAND_MASTER_TRANSFER, outsider);
	expect_answer(a, ANSWER_REFUSED); /* no voter */
	assert_int_equal(alone_sent(a, ALONE_MAX, MESSAGE_OFFER), 0);
	ask_about(a, COMMAND_MASTER_TRANSFER, 0);
	expect_answer(a, ANSWER_DONE); /* it is */
	alone_free(a);
}

static void an_unreachable_voter_is_not_offered_the_lease(void **state)
{
	struct alone *a = master_of(3, 3, NULL);
	agree(a, 0x2, 20 * SECOND);
	ask_about(a, COMMAND_MASTER_TRANSFER, 2);
	expect_answer(a, ANSWER_REFUSED);
	alone_free(a);
}

static void a_voter_that_lags_or_does_not_answer_gets_no_lease(void **state)
{
	struct alone *a = master_of(3, 3, NULL);
	ask_about(a, COMMAND_MASTER_TRANSFER, 2);
	assert_int_equal(alone_sent(a, 2, MESSAGE_OFFER), 1);
	agree(a, ALL, 3 * SECOND); /* it never says READY */
	expect_answer(a, ANSWER_REFUSED);
	assert_true(alone_acts(a));
	alone_free(a);
}

static void an_unfit_voter_says_so_and_the_asker_is_told_at_once(void **state)
{
	struct alone *a = master_of(3, 3, NULL);
	ask_about(a, COMMAND_MASTER_TRANSFER, 2);
	struct envelope e = {.kind = MESSAGE_REJECT};
	e.reject.ballot = alone_last(a, 2, MESSAGE_OFFER)->e.offer.ballot;
	e.reject.reason = REJECT_UNFIT;
	alone_hear(a, 2, &e);
	expect_answer(a, ANSWER_REFUSED);
	assert_true(alone_acts(a));
	alone_free(a);
}

static void if_anybody_will_do_the_next_is_offered_what_one_does_not_take(void **state)
{
	struct alone *a = master_of(3, 3, NULL);
	ask_about(a, COMMAND_MASTER_TRANSFER, ALONE_MAX);
	assert_int_equal(alone_sent(a, 1, MESSAGE_OFFER), 1);
	agree(a, ALL, 200 * MILLISECOND);
	assert_int_equal(alone_sent(a, 2, MESSAGE_OFFER), 1);
	take(a, 2);
	claim(a, 2);
	expect_answer(a, ANSWER_DONE);
	alone_free(a);
}

static void nothing_is_proposed_while_the_log_comes_to_rest(void **state)
{
	struct alone *a = master_of(3, 3, NULL);
	struct command c = {.kind = COMMAND_KV_PUT, .if_version = NO_VERSION};
	c.key = c.value = text_bytes("k");
	ask(a, &c); /* not committed yet: nobody else has it */
	ask_about(a, COMMAND_MASTER_TRANSFER, 1);
	assert_int_equal(alone_sent(a, 1, MESSAGE_OFFER), 0);
	uint64_t last = a->core->log.last;
	ask(a, &c);
	assert_int_equal(a->core->log.last, last);
	accept(a, 1, last);
	assert_int_equal(alone_sent(a, 1, MESSAGE_OFFER), 1);
	alone_free(a);
}

static void a_sick_master_hands_over_and_one_late_tick_is_no_illness(void **state)
{
	struct alone *a = master_of(3, 3, NULL);
	for (int i = 0; i < 200; i++) {
		a->core->membership.health = SICK;
		agree(a, ALL, STEP);
	}
	assert_int_equal(alone_sent(a, ALONE_MAX, MESSAGE_OFFER), 0);
	for (int i = 0; i < 100 && alone_sent(a, ALONE_MAX, MESSAGE_OFFER) == 0; i++) {
		a->core->membership.health = SICK;
		agree(a, ALL, STEP);
	}
	assert_true(alone_sent(a, ALONE_MAX, MESSAGE_OFFER) > 0);
	alone_free(a);
}

/* T, offered the lease while it is sick. */
static void a_sick_voter_says_that_it_is_unfit(void **state)
{
	struct alone *a = alone_new(3, 3, NULL);
	struct envelope e = {.kind = MESSAGE_OFFER};
	e.offer = (struct offer){alone_ballot(a, 5, 1), 1};
	a->core->membership.health = SICK;
	alone_hear(a, 1, &e);
	assert_int_equal(alone_sent(a, 1, MESSAGE_READY), 0);
	assert_int_equal(alone_last(a, 1, MESSAGE_REJECT)->e.reject.reason, REJECT_UNFIT);
	alone_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(five_members_have_five_voters),
	    cmocka_unit_test(as_many_vote_as_was_set),
	    cmocka_unit_test(
		a_voter_silent_for_longer_than_its_patience_is_swapped_for_a_well_member),
	    cmocka_unit_test(who_was_silent_as_a_voter_is_not_the_next_to_learn),
	    cmocka_unit_test(a_silent_voter_that_nobody_can_replace_stays),
	    cmocka_unit_test(patience_is_five_minutes_unless_set),
	    cmocka_unit_test(a_leaver_goes_after_its_heir_came),
	    cmocka_unit_test(a_leaver_whose_heir_takes_too_long_is_told_what_it_waited_for),
	    cmocka_unit_test(a_voter_that_the_others_need_may_not_go),
	    cmocka_unit_test(a_master_may_not_leave_witnesses_alone),
	    cmocka_unit_test(a_witness_checks_its_disk_once_a_minute),
	    cmocka_unit_test(a_store_that_failed_is_written_anew_soon_whatever_else_is_written),
	    cmocka_unit_test(an_illegal_setting_is_refused_before_it_stands_in_the_log),
	    cmocka_unit_test(a_setting_is_seen_with_its_value_and_others_with_the_standard),
	    cmocka_unit_test(a_value_that_this_build_cannot_read_counts_as_not_set),
	    cmocka_unit_test(a_profile_is_reached_step_by_step),
	    cmocka_unit_test(a_hand_over_is_answered_when_the_claim_is_applied),
	    cmocka_unit_test(who_cannot_be_master_is_not_offered_the_lease),
	    cmocka_unit_test(an_unreachable_voter_is_not_offered_the_lease),
	    cmocka_unit_test(a_voter_that_lags_or_does_not_answer_gets_no_lease),
	    cmocka_unit_test(an_unfit_voter_says_so_and_the_asker_is_told_at_once),
	    cmocka_unit_test(if_anybody_will_do_the_next_is_offered_what_one_does_not_take),
	    cmocka_unit_test(nothing_is_proposed_while_the_log_comes_to_rest),
	    cmocka_unit_test(a_sick_master_hands_over_and_one_late_tick_is_no_illness),
	    cmocka_unit_test(a_sick_voter_says_that_it_is_unfit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
