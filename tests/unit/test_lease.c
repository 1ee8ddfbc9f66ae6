/* The rules of the lease, one by one: a voter, a candidate, a master, each alone with its peers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "alone.h"
#include "member.h"

#define LEASE (1500 * MILLISECOND)     /* D_P of the default profile */
#define EXCLUSION (1541 * MILLISECOND) /* a little more than D_A = D_Q */
#define LITTLE (10 * MILLISECOND)

/* ---- what peers say ---- */

static struct bytes text(const char *t)
{
	return (struct bytes){(const uint8_t *)t, strlen(t)};
}

static void hear_prepare(struct alone *a, uint32_t from, struct ballot ballot)
{
	struct envelope e = {.kind = MESSAGE_PREPARE};
	e.prepare.ballot = ballot;
	e.prepare.owner = alone_owner(a, from);
	e.prepare.config = a->core->durable.config;
	e.prepare.commit = 1;
	alone_hear(a, from, &e);
}

static struct envelope accept_of(struct alone *a, uint32_t from, struct ballot ballot, uint64_t round)
{
	struct envelope e = {.kind = MESSAGE_ACCEPT};
	const struct config *c = &a->core->durable.config;
	e.accept = (struct accept){.ballot = ballot,
		.owner = alone_owner(a, from),
		.round = round,
		.claim_index = 2,
		.commit = 1,
		.first_index = 2,
		.config_ballot = c->ballot,
		.config_version = c->version};
	return e;
}

static void hear_accept(struct alone *a, uint32_t from, struct ballot ballot, uint64_t round)
{
	struct envelope e = accept_of(a, from, ballot, round);
	alone_hear(a, from, &e);
}

/* The same with entries first..last, each a NOOP that names its index. */
static void hear_entries(struct alone *a, uint32_t from, struct ballot ballot, uint64_t round,
                         uint64_t first, uint64_t last, uint64_t commit)
{
	struct entry list[32];
	uint8_t bytes[32][64];
	struct envelope e = accept_of(a, from, ballot, round);
	for (uint64_t i = first; i <= last; i++) {
		struct command c = {.kind = COMMAND_NOOP, .judged_wall = (instant)i,
			.if_version = NO_VERSION};
		size_t size = command_encode(&c, bytes[i - first], sizeof bytes[0]);
		list[i - first] = (struct entry){i, ballot, {bytes[i - first], size}};
	}
	e.accept.first_index = first;
	e.accept.entry_count = (uint32_t)(last - first + 1);
	e.accept.entries = list;
	e.accept.commit = commit;
	alone_hear(a, from, &e);
}

static void hear_release(struct alone *a, uint32_t from, struct owner owner, struct ballot ballot)
{
	struct envelope e = {.kind = MESSAGE_RELEASE};
	e.release = (struct release){owner, ballot};
	alone_hear(a, from, &e);
}

/* Node `from` answers the last ACCEPT it was sent. */
static void answer_accept(struct alone *a, uint32_t from, uint64_t round, uint64_t match)
{
	const struct sent *s = alone_last(a, from, MESSAGE_ACCEPT);
	struct envelope e = {.kind = MESSAGE_ACCEPTED};
	e.accepted = (struct accepted){.ballot = s->e.accept.ballot,
		.round = round,
		.config_ballot = s->e.accept.config_ballot,
		.config_version = s->e.accept.config_version,
		.match = match,
		.commit = 1};
	alone_hear(a, from, &e);
}

static struct envelope promise_of(struct alone *a, uint32_t to)
{
	struct envelope e = {.kind = MESSAGE_PROMISE};
	e.promise.ballot = alone_last(a, to, MESSAGE_PREPARE)->e.prepare.ballot;
	e.promise.config = a->core->durable.config;
	e.promise.commit = 1;
	return e;
}

/* TRANSFER of ballot b_m of node 1 to node 2, as node 1 signs it. */
static struct envelope transfer_of(struct alone *a, struct ballot ballot, uint32_t to,
                                   uint64_t last_index, uint8_t *claim)
{
	struct envelope e = {.kind = MESSAGE_TRANSFER};
	struct transfer *m = &e.transfer;
	struct command c = {.kind = COMMAND_CLAIM, .epoch = 9, .owner = alone_owner(a, to),
		.if_version = NO_VERSION};
	struct hash hash;
	uint8_t statement[STATEMENT_MAX];
	*m = (struct transfer){.ballot = ballot, .from = alone_owner(a, 1), .successor = ballot,
		.owner = alone_owner(a, to), .last_index = last_index, .round = 1,
		.config_ballot = a->core->durable.config.ballot,
		.config_version = a->core->durable.config.version, .commit = last_index};
	m->successor.hop++;
	m->last_ballot = ballot;
	m->claim = (struct bytes){claim, command_encode(&c, claim, 256)};
	hash_bytes(a->settings.seal, claim, m->claim.size, &hash);
	size_t size = transfer_statement(&a->core->durable.cluster, &a->core->durable.generation, m,
	                                 &hash, statement);
	statement_sign(a->settings.seal, &a->keys[1], statement, size, m->signature);
	return e;
}

/* ---- who is under test ---- */

static void be_witness(struct durable *d)
{
	d->config.witnesses = 1; /* a voter that never stands in our way by trying itself */
}

static void granted_longer_once(struct durable *d)
{
	be_witness(d);
	d->lease_max = 2 * LEASE;
}

static struct alone *voter(void)
{
	return alone_new(3, 3, be_witness);
}

/* A candidate that has just sent its PREPAREs: it is the first of three voters. */
static struct alone *candidate(void)
{
	struct alone *a = alone_new(3, 3, NULL);
	for (int i = 0; i < 100 && alone_sent(a, 1, MESSAGE_PREPARE) == 0; i++)
		alone_pass(a, MILLISECOND);
	assert_true(alone_sent(a, 1, MESSAGE_PREPARE) > 0);
	return a;
}

/* A master by node 1's word: CLAIM is entry 2. */
static struct alone *master(void)
{
	struct alone *a = candidate();
	struct envelope promise = promise_of(a, 1);
	alone_hear(a, 1, &promise);
	answer_accept(a, 1, 1, 2);
	assert_true(alone_acts(a));
	return a;
}

static bool in_store(const struct alone *a, struct durable *out)
{
	static _Alignas(16) uint8_t memory[8192];
	struct arena arena = {memory, sizeof memory, 0};
	return durable_decode(a->durable, a->durable_size, &arena, out);
}

/* ---- state and time ---- */

static void a_start_remembers_promised_and_is_a_new_incarnation(void **state)
{
	struct alone *a = voter();
	struct owner before = alone_owner(a, 0);
	hear_prepare(a, 1, alone_ballot(a, 5, 1));
	assert_true(alone_restart(a));
	assert_int_equal(alone_owner(a, 0).incarnation.number, before.incarnation.number + 1);
	hear_prepare(a, 2, alone_ballot(a, 4, 2));
	assert_int_equal(alone_last(a, 2, MESSAGE_REJECT)->e.reject.reason, REJECT_PROMISED);
	alone_free(a);
}

static void exclusion_ends_by_the_smaller_of_the_two_elapsed_times(void **state)
{
	struct alone *a = voter();
	hear_accept(a, 1, alone_ballot(a, 5, 1), 1);
	a->now.boot += EXCLUSION; /* a suspend: the raw clock stood */
	hear_prepare(a, 2, alone_ballot(a, 9, 2));
	assert_int_equal(alone_last(a, 2, MESSAGE_REJECT)->e.reject.reason, REJECT_GRANT);
	a->now.raw += EXCLUSION;
	hear_prepare(a, 2, alone_ballot(a, 9, 2));
	assert_int_equal(alone_sent(a, 2, MESSAGE_PROMISE), 1);
	alone_free(a);
}

/* Eleven seconds of rounds, then the echo of the eleventh second's answer, with that owner's time. */
static enum message_kind answer_to_an_owner_that_counted(duration theirs)
{
	struct alone *a = voter();
	uint64_t round = 1;
	for (; round <= 11; round++) {
		hear_accept(a, 1, alone_ballot(a, 5, 1), round);
		alone_pass(a, SECOND);
	}
	alone_forget(a);
	struct envelope e = accept_of(a, 1, alone_ballot(a, 5, 1), round);
	e.accept.echo_voter = 11 * SECOND;
	e.accept.echo_received = theirs;
	alone_hear(a, 1, &e);
	assert_int_equal(a->sent_count, 1);
	enum message_kind kind = a->sent[0].e.kind;
	assert_true(kind == MESSAGE_ACCEPTED || a->sent[0].e.reject.reason == REJECT_SLOW);
	alone_free(a);
	return kind;
}

static void a_slow_owner_is_refused_and_delay_never_makes_one(void **state)
{
	assert_int_equal(answer_to_an_owner_that_counted(10900 * MILLISECOND), MESSAGE_REJECT);
	assert_int_equal(answer_to_an_owner_that_counted(11 * SECOND), MESSAGE_ACCEPTED);
	assert_int_equal(answer_to_an_owner_that_counted(19 * SECOND), MESSAGE_ACCEPTED);
}

/* ---- V0 ---- */

static void a_voter_that_lost_its_grant_ignores_every_lease_message_for_d_q(void **state)
{
	struct alone *a = voter();
	hear_accept(a, 1, alone_ballot(a, 5, 1), 1);
	assert_true(alone_restart(a));
	alone_pass(a, a->core->durable.config.quarantine - MILLISECOND);
	hear_prepare(a, 2, alone_ballot(a, 9, 2));
	hear_accept(a, 2, alone_ballot(a, 9, 2), 1);
	assert_int_equal(alone_sent(a, ALONE_MAX, MESSAGE_PROMISE), 0);
	assert_int_equal(alone_sent(a, ALONE_MAX, MESSAGE_ACCEPTED), 0);
	assert_int_equal(alone_sent(a, ALONE_MAX, MESSAGE_REJECT), 0);
	alone_pass(a, 2 * MILLISECOND);
	hear_prepare(a, 2, alone_ballot(a, 9, 2));
	assert_int_equal(alone_sent(a, 2, MESSAGE_PROMISE), 1);
	alone_free(a);
}

static void quarantine_is_computed_from_the_largest_d_p_ever_granted(void **state)
{
	struct alone *a = alone_new(3, 3, granted_longer_once);
	alone_pass(a, 2 * LEASE);
	hear_prepare(a, 2, alone_ballot(a, 9, 2));
	assert_int_equal(alone_sent(a, 2, MESSAGE_PROMISE), 0);
	alone_pass(a, 100 * MILLISECOND);
	hear_prepare(a, 2, alone_ballot(a, 9, 2));
	assert_int_equal(alone_sent(a, 2, MESSAGE_PROMISE), 1);
	alone_free(a);
}

/* ---- V1 ---- */

static void a_lower_config_is_refused_and_ballot_comes_before_version(void **state)
{
	struct alone *a = voter();
	struct envelope e = {.kind = MESSAGE_PREPARE};
	e.prepare.ballot = alone_ballot(a, 5, 1);
	e.prepare.owner = alone_owner(a, 1);
	e.prepare.commit = 1;
	e.prepare.config = a->core->durable.config;
	e.prepare.config.ballot = alone_ballot(a, 3, 1);
	alone_hear(a, 1, &e);
	assert_int_equal(a->core->durable.config.ballot.counter, 3);
	e.prepare.config.ballot = alone_ballot(a, 2, 1);
	e.prepare.config.version = 50;
	e.prepare.ballot.counter = 6;
	alone_hear(a, 1, &e);
	assert_int_equal(alone_last(a, 1, MESSAGE_REJECT)->e.reject.reason, REJECT_CONFIG);
	assert_int_equal(a->core->durable.promised.counter, 5);
	alone_free(a);
}

static void a_higher_config_is_durable_before_the_answer(void **state)
{
	struct alone *a = voter();
	struct durable stored;
	hear_accept(a, 1, alone_ballot(a, 5, 1), 1); /* all else is durable */
	alone_forget(a);
	struct envelope e = accept_of(a, 1, alone_ballot(a, 5, 1), 2);
	e.accept.config = a->core->durable.config;
	e.accept.config.version = e.accept.config_version = 2;
	e.accept.has_config = true;
	a->hold = true;
	alone_hear(a, 1, &e);
	assert_int_equal(alone_sent(a, 1, MESSAGE_ACCEPTED), 0);
	alone_report(a);
	assert_int_equal(alone_sent(a, 1, MESSAGE_ACCEPTED), 1);
	assert_true(in_store(a, &stored));
	assert_int_equal(stored.config.version, 2);
	alone_free(a);
}

static void a_config_that_is_not_the_one_its_message_names_is_not_adopted(void **state)
{
	struct alone *a = voter();
	struct envelope e = accept_of(a, 1, alone_ballot(a, 5, 1), 1);
	e.accept.config = a->core->durable.config;
	e.accept.config.version = 0;
	e.accept.config_version = 9;
	e.accept.has_config = true;
	alone_hear(a, 1, &e);
	assert_int_equal(a->core->durable.config.version, 1);
	alone_free(a);
}

/* ---- V2 ---- */

static void while_another_owner_s_grant_lives_prepare_is_rejected_and_promised_unchanged(void **state)
{
	struct alone *a = voter();
	hear_accept(a, 1, alone_ballot(a, 5, 1), 1);
	hear_prepare(a, 2, alone_ballot(a, 9, 2));
	assert_int_equal(alone_sent(a, 2, MESSAGE_PROMISE), 0);
	assert_int_equal(alone_last(a, 2, MESSAGE_REJECT)->e.reject.reason, REJECT_GRANT);
	assert_int_equal(a->core->durable.promised.counter, 5);
	alone_pass(a, EXCLUSION - 2 * MILLISECOND);
	hear_prepare(a, 2, alone_ballot(a, 9, 2));
	assert_int_equal(alone_sent(a, 2, MESSAGE_PROMISE), 0);
	alone_pass(a, 2 * MILLISECOND);
	hear_prepare(a, 2, alone_ballot(a, 9, 2));
	assert_int_equal(alone_sent(a, 2, MESSAGE_PROMISE), 1);
	alone_free(a);
}

static void prepare_below_promised_is_rejected(void **state)
{
	struct alone *a = voter();
	hear_prepare(a, 1, alone_ballot(a, 5, 1));
	hear_prepare(a, 2, alone_ballot(a, 4, 2));
	assert_int_equal(alone_sent(a, 2, MESSAGE_PROMISE), 0);
	assert_int_equal(alone_last(a, 2, MESSAGE_REJECT)->e.reject.reason, REJECT_PROMISED);
	alone_free(a);
}

static void promised_is_durable_before_the_promise(void **state)
{
	struct alone *a = voter();
	struct durable stored;
	a->hold = true;
	hear_prepare(a, 1, alone_ballot(a, 5, 1));
	hear_prepare(a, 2, alone_ballot(a, 6, 2));
	assert_int_equal(alone_sent(a, ALONE_MAX, MESSAGE_PROMISE), 0);
	alone_report_next(a); /* the first write: of a ballot that was outbid meanwhile */
	assert_int_equal(alone_sent(a, ALONE_MAX, MESSAGE_PROMISE), 0);
	alone_report(a);
	assert_int_equal(alone_sent(a, 1, MESSAGE_PROMISE), 0);
	assert_int_equal(alone_sent(a, 2, MESSAGE_PROMISE), 1);
	assert_true(in_store(a, &stored));
	assert_int_equal(stored.promised.counter, 6);
	alone_free(a);
}

static void a_node_whose_voter_promised_another_ballot_leaves_its_own(void **state)
{
	struct alone *a = candidate();
	struct envelope promise = promise_of(a, 1);
	hear_prepare(a, 2, alone_ballot(a, 50, 2));
	alone_hear(a, 1, &promise);
	assert_int_equal(alone_sent(a, ALONE_MAX, MESSAGE_ACCEPT), 0);
	alone_free(a);
}

/* ---- V3 ---- */

static void accept_below_promised_is_rejected(void **state)
{
	struct alone *a = voter();
	hear_prepare(a, 2, alone_ballot(a, 6, 2));
	hear_accept(a, 1, alone_ballot(a, 5, 1), 1);
	assert_int_equal(alone_sent(a, 1, MESSAGE_ACCEPTED), 0);
	assert_int_equal(alone_last(a, 1, MESSAGE_REJECT)->e.reject.reason, REJECT_PROMISED);
	alone_free(a);
}

static void accept_of_another_incarnation_of_the_owner_is_rejected_while_the_grant_lives(void **state)
{
	struct alone *a = voter();
	hear_accept(a, 1, alone_ballot(a, 5, 1), 1);
	struct envelope e = accept_of(a, 1, alone_ballot(a, 7, 1), 1);
	e.accept.owner.incarnation.number = 2;
	alone_hear(a, 1, &e);
	assert_int_equal(alone_sent(a, 1, MESSAGE_ACCEPTED), 1);
	assert_int_equal(alone_last(a, 1, MESSAGE_REJECT)->e.reject.reason, REJECT_GRANT);
	alone_free(a);
}

static void an_older_round_extends_nothing_and_counts_for_nothing(void **state)
{
	struct alone *a = voter();
	hear_accept(a, 1, alone_ballot(a, 5, 1), 2);
	alone_pass(a, LEASE / 2);
	hear_accept(a, 1, alone_ballot(a, 5, 1), 1);
	assert_int_equal(alone_last(a, 1, MESSAGE_ACCEPTED)->e.accepted.round, 0);
	alone_pass(a, EXCLUSION - LEASE / 2);
	hear_prepare(a, 2, alone_ballot(a, 9, 2));
	assert_int_equal(alone_sent(a, 2, MESSAGE_PROMISE), 1);
	alone_free(a);
}

static void a_round_never_shortens_the_exclusion(void **state)
{
	struct alone *a = voter();
	hear_accept(a, 1, alone_ballot(a, 5, 1), 1);
	a->core->durable.config.exclusion = LEASE / 10;
	hear_accept(a, 1, alone_ballot(a, 5, 1), 2);
	alone_pass(a, LEASE);
	hear_prepare(a, 2, alone_ballot(a, 9, 2));
	assert_int_equal(alone_sent(a, 2, MESSAGE_PROMISE), 0);
	alone_free(a);
}

static void entries_and_promised_are_durable_before_the_answer(void **state)
{
	struct alone *a = voter();
	struct durable stored;
	a->hold = true;
	hear_entries(a, 1, alone_ballot(a, 5, 1), 1, 2, 3, 1);
	assert_int_equal(alone_sent(a, 1, MESSAGE_ACCEPTED), 0);
	alone_report(a);
	assert_int_equal(alone_last(a, 1, MESSAGE_ACCEPTED)->e.accepted.match, 3);
	assert_true(in_store(a, &stored));
	assert_int_equal(stored.promised.counter, 5);
	assert_int_equal(a->last, 3);
	alone_free(a);
}

static void a_write_that_fails_keeps_the_grant_and_is_not_answered(void **state)
{
	struct alone *a = voter();
	a->failing = true;
	hear_entries(a, 1, alone_ballot(a, 5, 1), 1, 2, 3, 1);
	assert_int_equal(alone_sent(a, 1, MESSAGE_ACCEPTED), 0);
	assert_true(a->core->lease.grant.live);
	a->failing = false;
	alone_pass(a, 2100 * MILLISECOND); /* all is written again, then it votes again */
	hear_accept(a, 1, alone_ballot(a, 5, 1), 2);
	assert_int_equal(alone_last(a, 1, MESSAGE_ACCEPTED)->e.accepted.match, 3);
	assert_int_equal(a->last, 3);
	alone_free(a);
}

static void a_round_without_entries_is_not_answered_while_the_disk_check_is_overdue(void **state)
{
	struct alone *a = voter();
	hear_accept(a, 1, alone_ballot(a, 5, 1), 1);
	alone_pass(a, 9 * SECOND);
	a->hold = true;
	alone_pass(a, 2 * SECOND + LEASE);
	alone_forget(a);
	hear_accept(a, 1, alone_ballot(a, 5, 1), 2);
	assert_int_equal(alone_sent(a, 1, MESSAGE_ACCEPTED), 0);
	a->hold = false;
	alone_report(a);
	hear_accept(a, 1, alone_ballot(a, 5, 1), 3);
	assert_int_equal(alone_last(a, 1, MESSAGE_ACCEPTED)->e.accepted.round, 3);
	alone_free(a);
}

static void what_was_accepted_under_a_ballot_is_not_cut_by_that_ballot_after_a_restart(void **state)
{
	struct alone *a = voter();
	struct ballot ballot = alone_ballot(a, 5, 1);
	hear_entries(a, 1, ballot, 1, 2, 4, 1);
	hear_accept(a, 1, ballot, 2);
	hear_entries(a, 1, ballot, 3, 5, 10, 4); /* answered: 10 entries may be chosen by it */
	assert_int_equal(alone_last(a, 1, MESSAGE_ACCEPTED)->e.accepted.match, 10);
	assert_true(alone_restart(a));
	alone_pass(a, EXCLUSION);
	hear_entries(a, 1, ballot, 9, 11, 11, 10); /* a gap for a voter that knows less as committed */
	hear_entries(a, 1, ballot, 10, 2, 5, 10);
	assert_true(a->core->log.last >= 10);
	assert_true(a->last >= 10);
	alone_free(a);
}

static void entries_of_a_lower_ballot_beyond_the_claim_are_cut(void **state)
{
	struct alone *a = voter();
	hear_entries(a, 1, alone_ballot(a, 5, 1), 1, 2, 6, 1);
	alone_pass(a, EXCLUSION);
	hear_entries(a, 2, alone_ballot(a, 9, 2), 1, 2, 3, 1);
	assert_int_equal(a->core->log.last, 3);
	assert_int_equal(a->last, 3);
	alone_free(a);
}

/* ---- V4 ---- */

static void release_clears_only_the_exact_owner_incarnation_and_ballot(void **state)
{
	struct alone *a = voter();
	struct owner other = alone_owner(a, 1);
	other.incarnation.number++;
	hear_accept(a, 1, alone_ballot(a, 5, 1), 1);
	hear_release(a, 1, other, alone_ballot(a, 5, 1));
	assert_true(a->core->lease.grant.live);
	hear_release(a, 1, alone_owner(a, 1), alone_ballot(a, 4, 1));
	assert_true(a->core->lease.grant.live);
	hear_release(a, 2, alone_owner(a, 1), alone_ballot(a, 5, 1));
	assert_true(a->core->lease.grant.live);
	hear_release(a, 1, alone_owner(a, 1), alone_ballot(a, 5, 1));
	assert_false(a->core->lease.grant.live);
	alone_free(a);
}

static void an_accept_that_comes_after_its_release_grants_nothing(void **state)
{
	struct alone *a = voter();
	hear_accept(a, 1, alone_ballot(a, 5, 1), 1);
	hear_release(a, 1, alone_owner(a, 1), alone_ballot(a, 5, 1));
	hear_accept(a, 1, alone_ballot(a, 5, 1), 2);
	assert_false(a->core->lease.grant.live);
	hear_accept(a, 2, alone_ballot(a, 6, 2), 1);
	assert_true(a->core->lease.grant.live);
	alone_free(a);
}

/* ---- V5 ---- */

static void transfer_is_taken_over_m_s_exact_grant_with_m_s_log(void **state)
{
	struct alone *a = voter();
	uint8_t claim[256];
	hear_entries(a, 1, alone_ballot(a, 5, 1), 1, 2, 4, 4);
	struct envelope e = transfer_of(a, alone_ballot(a, 5, 1), 2, 4, claim);
	alone_hear(a, 2, &e);
	assert_int_equal(alone_last(a, 2, MESSAGE_ACCEPTED)->e.accepted.match, 5);
	assert_int_equal(a->core->lease.grant.owner.node, alone_id(a, 2));
	alone_free(a);
}

static void transfer_is_refused_unless_m_signed_it(void **state)
{
	struct alone *a = voter();
	uint8_t claim[256];
	hear_entries(a, 1, alone_ballot(a, 5, 1), 1, 2, 4, 4);
	struct envelope e = transfer_of(a, alone_ballot(a, 5, 1), 2, 4, claim);
	e.transfer.signature[7] ^= 1;
	alone_hear(a, 2, &e);
	assert_int_equal(alone_sent(a, 2, MESSAGE_ACCEPTED), 0);
	assert_int_equal(a->core->lease.grant.owner.node, alone_id(a, 1));
	e.transfer.signature[7] ^= 1;
	e.transfer.round++; /* signed too */
	alone_hear(a, 2, &e);
	assert_int_equal(alone_sent(a, 2, MESSAGE_ACCEPTED), 0);
	alone_free(a);
}

static void transfer_is_refused_while_the_grant_is_of_another_ballot(void **state)
{
	struct alone *a = voter();
	uint8_t claim[256];
	hear_entries(a, 1, alone_ballot(a, 5, 1), 1, 2, 4, 4);
	struct envelope e = transfer_of(a, alone_ballot(a, 6, 1), 2, 4, claim);
	alone_hear(a, 2, &e);
	assert_int_equal(alone_sent(a, 2, MESSAGE_ACCEPTED), 0);
	assert_int_equal(a->core->lease.grant.owner.node, alone_id(a, 1));
	alone_free(a);
}

static void transfer_is_refused_by_a_voter_whose_log_lacks_m_s_last_entry(void **state)
{
	struct alone *a = voter();
	uint8_t claim[256];
	hear_entries(a, 1, alone_ballot(a, 5, 1), 1, 2, 3, 3);
	struct envelope e = transfer_of(a, alone_ballot(a, 5, 1), 2, 4, claim);
	alone_hear(a, 2, &e);
	assert_int_equal(alone_sent(a, 2, MESSAGE_ACCEPTED), 0);
	alone_free(a);
}

static void transfer_counts_only_as_m_signed_it(void **state)
{
	struct alone *a = voter();
	uint8_t claim[256];
	hear_entries(a, 1, alone_ballot(a, 5, 1), 1, 2, 4, 4);
	struct envelope e = transfer_of(a, alone_ballot(a, 5, 1), 2, 4, claim);
	e.transfer.round = 2;
	alone_hear(a, 2, &e);
	assert_int_equal(alone_sent(a, 2, MESSAGE_ACCEPTED), 0);
	alone_free(a);
}

/* What it has of a lost ballot must not be taken for the successor's log. */
static void a_transfer_that_comes_after_its_claim_was_learned_says_nothing_of_other_ballots(void **state)
{
	struct alone *a = voter();
	uint8_t claim[256];
	struct ballot ballot = alone_ballot(a, 5, 1), successor = ballot;
	successor.hop++;
	hear_entries(a, 2, alone_ballot(a, 3, 2), 1, 2, 9, 1); /* a ballot that lost, up to 9 */
	alone_pass(a, EXCLUSION);
	struct envelope e = transfer_of(a, ballot, 2, 4, claim);
	struct command noop = {.kind = COMMAND_NOOP, .if_version = NO_VERSION};
	uint8_t bytes[64];
	size_t size = command_encode(&noop, bytes, sizeof bytes);
	struct entry list[4];
	for (uint64_t i = 2; i <= 5; i++) /* chosen: M's log up to 4, then T's CLAIM */
		list[i - 2] = (struct entry){i, i == 5 ? successor : ballot, {bytes, size}};
	list[3].command = e.transfer.claim;
	struct envelope learned = {.kind = MESSAGE_ENTRIES};
	learned.entries = (struct entries){5, a->core->durable.config, 4, list};
	alone_hear(a, 2, &learned);
	assert_int_equal(a->core->log.commit, 5);
	alone_forget(a);
	alone_hear(a, 2, &e);
	assert_int_equal(alone_last(a, 2, MESSAGE_ACCEPTED)->e.accepted.match, 5);
	alone_free(a);
}

/* ---- P1 ---- */

static void a_witness_is_never_a_candidate(void **state)
{
	struct alone *a = voter();
	for (int i = 0; i < 20; i++) {
		struct envelope alive = {.kind = MESSAGE_GOSSIP};
		alone_pass(a, 100 * MILLISECOND);
		alone_hear(a, 1, &alive);
		alone_hear(a, 2, &alive);
	}
	assert_int_equal(alone_sent(a, ALONE_MAX, MESSAGE_PREPARE), 0);
	alone_free(a);
}

/* Two voters and a member with that role, which answer whatever they are sent, become three voters. */
static uint32_t witnesses_after_adding(enum role role)
{
	struct alone *a = alone_new(3, 2, NULL);
	member_find(a->core, alone_id(a, 2))->role = role;
	for (int i = 0; i < 100 && a->core->durable.config.voter_count < 3; i++) {
		alone_pass(a, 20 * MILLISECOND);
		if (a->core->lease.phase == PHASE_PREPARING && alone_sent(a, 1, MESSAGE_PREPARE) > 0) {
			struct envelope promise = promise_of(a, 1);
			alone_hear(a, 1, &promise);
		}
		for (uint32_t node = 1; node <= 2; node++) {
			struct envelope alive = {.kind = MESSAGE_GOSSIP};
			alone_hear(a, node, &alive);
			const struct sent *sent = alone_last(a, node, MESSAGE_ACCEPT);
			if (sent != NULL)
				answer_accept(a, node, sent->e.accept.round, a->core->log.last);
		}
		alone_forget(a);
	}
	assert_int_equal(a->core->durable.config.voter_count, 3);
	uint32_t witnesses = a->core->durable.config.witnesses;
	alone_free(a);
	return witnesses;
}

static void a_member_of_role_witness_votes_as_one(void **state)
{
	assert_int_equal(witnesses_after_adding(ROLE_NODE), 0);
	assert_int_equal(witnesses_after_adding(ROLE_WITNESS), 4); /* the third of the voters */
}

static void a_lagging_candidate_first_catches_up(void **state)
{
	struct alone *a = voter();
	struct envelope e = {.kind = MESSAGE_PREPARE};
	e.prepare.ballot = alone_ballot(a, 5, 1);
	e.prepare.owner = alone_owner(a, 1);
	e.prepare.config = a->core->durable.config;
	e.prepare.commit = 0; /* entry 1 is in nobody's log any more */
	alone_hear(a, 1, &e);
	assert_int_equal(alone_sent(a, 1, MESSAGE_PROMISE), 0);
	assert_int_equal(alone_last(a, 1, MESSAGE_REJECT)->e.reject.reason, REJECT_LAGGING);
	alone_free(a);
}

static void the_deadline_counts_from_before_the_first_prepare(void **state)
{
	struct alone *a = candidate();
	instant sent = a->now.boot;
	struct envelope promise = promise_of(a, 1);
	alone_pass(a, LEASE - 300 * MILLISECOND);
	alone_hear(a, 1, &promise);
	alone_pass(a, LITTLE);
	answer_accept(a, 1, 1, 2);
	assert_true(alone_acts(a));
	alone_pass(a, sent + LEASE - a->now.boot);
	assert_false(alone_acts(a));
	alone_free(a);
}

/* ---- P2 ---- */

static void voters_are_counted_by_identity(void **state)
{
	struct alone *a = alone_new(5, 5, NULL);
	alone_pass(a, 100 * MILLISECOND);
	struct envelope promise = promise_of(a, 1);
	alone_hear(a, 1, &promise);
	alone_hear(a, 1, &promise);
	alone_hear(a, 1, &promise);
	assert_int_equal(alone_sent(a, ALONE_MAX, MESSAGE_ACCEPT), 0);
	alone_hear(a, 4, &promise);
	assert_true(alone_sent(a, 1, MESSAGE_ACCEPT) > 0);
	alone_free(a);
}

static void a_promise_that_reports_another_owner_s_live_grant_is_not_open(void **state)
{
	struct alone *a = candidate();
	struct envelope promise = promise_of(a, 1);
	promise.promise.grant = (struct grant){alone_owner(a, 2), alone_ballot(a, 1, 2), 1, SECOND};
	alone_hear(a, 1, &promise);
	assert_int_equal(alone_sent(a, ALONE_MAX, MESSAGE_ACCEPT), 0);
	/* an earlier life of our own is another owner too */
	promise.promise.grant.owner = alone_owner(a, 0);
	promise.promise.grant.owner.incarnation.number--;
	alone_hear(a, 1, &promise);
	assert_int_equal(alone_sent(a, ALONE_MAX, MESSAGE_ACCEPT), 0);
	alone_free(a);
}

static void meeting_a_higher_config_abandons_the_ballot_wherever_it_comes_from(void **state)
{
	struct alone *a = candidate();
	struct envelope promise = promise_of(a, 1);
	struct envelope e = {.kind = MESSAGE_ENTRIES};
	e.entries.config = a->core->durable.config;
	e.entries.config.version++;
	alone_hear(a, 2, &e);
	assert_int_equal(a->core->durable.config.version, 2);
	alone_hear(a, 1, &promise);
	assert_int_equal(alone_sent(a, ALONE_MAX, MESSAGE_ACCEPT), 0);
	alone_free(a);
}

static void a_master_that_meets_a_higher_config_of_another_ballot_acts_no_more(void **state)
{
	struct alone *a = master();
	struct envelope e = accept_of(a, 2, alone_ballot(a, 50, 2), 1);
	e.accept.config = a->core->durable.config;
	e.accept.config.ballot = e.accept.config_ballot = alone_ballot(a, 50, 2);
	e.accept.has_config = true;
	alone_hear(a, 2, &e);
	assert_false(alone_acts(a));
	alone_free(a);
}

/* ---- P3 ---- */

static void of_what_was_accepted_the_highest_ballot_is_proposed_again_with_the_claim(void **state)
{
	struct alone *a = alone_new(5, 5, NULL);
	struct entry low = {2, alone_ballot(a, 1, 3), text("low")};
	struct entry high = {2, alone_ballot(a, 2, 4), text("high")};
	alone_pass(a, 100 * MILLISECOND);
	struct envelope promise = promise_of(a, 1);
	promise.promise.entry_count = 1;
	promise.promise.entries = &low;
	alone_hear(a, 1, &promise);
	promise.promise.entries = &high;
	alone_hear(a, 2, &promise);
	const struct accept *m = &alone_last(a, 1, MESSAGE_ACCEPT)->e.accept;
	assert_int_equal(m->entry_count, 2);
	assert_int_equal(m->claim_index, 3);
	assert_int_equal(m->entries[0].command.size, 4);
	assert_memory_equal(m->entries[0].command.data, "high", 4);
	assert_true(ballot_equal(&m->entries[0].ballot, &m->ballot));
	alone_free(a);
}

/* ---- P4 ---- */

static void a_master_acts_only_when_a_majority_s_match_covers_its_claim(void **state)
{
	struct alone *a = candidate();
	struct envelope promise = promise_of(a, 1);
	alone_hear(a, 1, &promise);
	answer_accept(a, 1, 1, 1);
	assert_false(alone_acts(a));
	answer_accept(a, 1, 1, 2);
	assert_true(alone_acts(a));
	alone_free(a);
}

static void answers_to_different_rounds_or_configs_make_no_majority(void **state)
{
	struct alone *a = alone_new(5, 5, NULL);
	alone_pass(a, 100 * MILLISECOND);
	struct envelope promise = promise_of(a, 1);
	alone_hear(a, 1, &promise);
	alone_hear(a, 2, &promise);
	uint64_t round = alone_last(a, 1, MESSAGE_ACCEPT)->e.accept.round;
	answer_accept(a, 1, round, 2);
	alone_pass(a, LEASE / 5); /* the next round is under way */
	uint64_t next = alone_last(a, 1, MESSAGE_ACCEPT)->e.accept.round;
	assert_true(next > round);
	answer_accept(a, 2, next, 2);
	assert_int_equal(a->core->log.commit, 2);
	assert_false(alone_acts(a));
	struct envelope e = {.kind = MESSAGE_ACCEPTED};
	e.accepted = (struct accepted){.ballot = promise.promise.ballot, .round = next,
		.config_version = 7, .match = 2};
	alone_hear(a, 3, &e);
	assert_false(alone_acts(a));
	answer_accept(a, 1, next, 2);
	assert_true(alone_acts(a));
	alone_free(a);
}

/* ---- P5, P6, P7, P8 ---- */

static void a_renewal_s_authority_counts_from_its_own_first_send(void **state)
{
	struct alone *a = master();
	alone_pass(a, LEASE / 2);
	const struct sent *s = alone_last(a, 1, MESSAGE_ACCEPT);
	instant end = s->at + LEASE;
	uint64_t round = s->e.accept.round;
	assert_true(round > 1);
	alone_pass(a, LEASE / 3);
	answer_accept(a, 1, round, 2);
	alone_pass(a, end - MILLISECOND - a->now.boot);
	assert_true(alone_acts(a));
	alone_pass(a, MILLISECOND);
	assert_false(alone_acts(a));
	alone_free(a);
}

static void a_ballot_that_lapsed_is_abandoned_for_ever(void **state)
{
	struct alone *a = master();
	struct ballot ballot = alone_last(a, 1, MESSAGE_ACCEPT)->e.accept.ballot;
	alone_pass(a, LEASE);
	assert_false(alone_acts(a));
	uint64_t round = alone_last(a, 1, MESSAGE_ACCEPT)->e.accept.round;
	answer_accept(a, 1, round, 2);
	assert_false(alone_acts(a));
	alone_forget(a);
	alone_pass(a, LEASE);
	for (uint32_t i = 0; i < a->sent_count; i++)
		assert_false(a->sent[i].e.kind == MESSAGE_ACCEPT &&
		             ballot_equal(&a->sent[i].e.accept.ballot, &ballot));
	alone_free(a);
}

static void a_read_is_answered_only_before_the_authority_ends(void **state)
{
	struct alone *a = master();
	struct envelope e = {.kind = MESSAGE_REQUEST};
	e.request.command = (struct command){.kind = COMMAND_KV_GET, .key = text("k"),
		.request = {alone_id(a, 1), 1, 1}, .if_version = NO_VERSION};
	alone_hear(a, 1, &e);
	assert_int_equal(alone_last(a, 1, MESSAGE_ANSWER)->e.answer.code, ANSWER_DONE);
	a->now.raw += LEASE; /* one clock alone: the largest elapsed counts for an owner */
	alone_hear(a, 1, &e);
	assert_int_equal(alone_last(a, 1, MESSAGE_ANSWER)->e.answer.code, ANSWER_NOT_MASTER);
	alone_free(a);
}

static void an_owner_stops_acting_then_releases(void **state)
{
	struct alone *a = master();
	alone_step(a, &(struct input){.kind = INPUT_STOP});
	alone_pass(a, 500 * MILLISECOND);
	const struct sent *s = alone_last(a, 1, MESSAGE_RELEASE);
	assert_non_null(s);
	assert_false(s->acted);
	alone_free(a);
}

/* ---- P9 ---- */

static void m_stops_then_sends_transfer_under_the_immediate_successor_and_never_resumes(void **state)
{
	struct alone *a = master();
	struct input input = {.kind = INPUT_TRANSFER};
	struct envelope e = {.kind = MESSAGE_READY};
	input.transfer.to = alone_id(a, 1);
	alone_step(a, &input);
	const struct offer *offer = &alone_last(a, 1, MESSAGE_OFFER)->e.offer;
	e.ready = (struct ready){offer->ballot, offer->ballot, alone_owner(a, 1)};
	e.ready.successor.counter++; /* not the immediate successor */
	alone_hear(a, 1, &e);
	assert_int_equal(alone_sent(a, ALONE_MAX, MESSAGE_TRANSFER), 0);
	e.ready.successor = offer->ballot;
	e.ready.successor.hop++;
	alone_hear(a, 1, &e);
	const struct sent *s = alone_last(a, 2, MESSAGE_TRANSFER);
	assert_non_null(s);
	assert_false(s->acted);
	assert_int_equal(s->e.transfer.successor.hop, 1);
	assert_int_equal(s->e.transfer.last_index, 2);
	answer_accept(a, 1, alone_last(a, 1, MESSAGE_ACCEPT)->e.accept.round, 2);
	assert_false(alone_acts(a));
	alone_hear(a, 1, &e); /* one TRANSFER per b_m */
	assert_int_equal(alone_sent(a, 2, MESSAGE_TRANSFER), 1);
	alone_free(a);
}

static void m_offers_only_to_a_voter_whose_log_equals_its_own(void **state)
{
	struct alone *a = master();
	struct input input = {.kind = INPUT_TRANSFER};
	input.transfer.to = alone_id(a, 2);
	alone_step(a, &input);
	assert_int_equal(alone_sent(a, ALONE_MAX, MESSAGE_OFFER), 0);
	alone_free(a);
}

/* T: an ordinary voter under node 1's ballot, offered the lease. */
static struct alone *taker(uint64_t last_index)
{
	struct alone *a = alone_new(3, 3, NULL);
	hear_entries(a, 1, alone_ballot(a, 5, 1), 1, 2, 4, 4);
	struct envelope e = {.kind = MESSAGE_OFFER};
	e.offer = (struct offer){alone_ballot(a, 5, 1), last_index};
	alone_hear(a, 1, &e);
	return a;
}

static void t_s_timer_starts_before_it_answers_ready(void **state)
{
	struct alone *a = taker(4);
	uint8_t claim[256];
	instant ready = a->now.boot;
	assert_int_equal(alone_sent(a, 1, MESSAGE_READY), 1);
	alone_pass(a, LEASE / 2);
	struct envelope e = transfer_of(a, alone_ballot(a, 5, 1), 0, 4, claim);
	alone_hear(a, 1, &e);
	struct envelope accepted = {.kind = MESSAGE_ACCEPTED};
	accepted.accepted = (struct accepted){.ballot = e.transfer.successor, .round = 1,
		.config_version = 1, .match = 5};
	alone_hear(a, 2, &accepted);
	assert_true(alone_acts(a));
	alone_pass(a, ready + LEASE - a->now.boot);
	assert_false(alone_acts(a));
	alone_free(a);
}

static void t_is_ready_only_with_m_s_log(void **state)
{
	struct alone *a = taker(5);
	assert_int_equal(alone_sent(a, 1, MESSAGE_READY), 0);
	alone_free(a);
}

/* ---- the store and the log's window ---- */

static struct alone *only_voter(void)
{
	struct alone *a = alone_new(1, 1, NULL);
	alone_pass(a, 200 * MILLISECOND);
	assert_true(alone_acts(a));
	return a;
}

static void put_again(struct alone *a, const uint8_t *value, size_t size)
{
	struct command c = {.kind = COMMAND_KV_PUT, .key = text("same"), .value = {value, size},
		.if_version = NO_VERSION};
	struct input input = {.kind = INPUT_REQUEST};
	input.request.client = 1;
	input.request.command = &c;
	input.request.patience = SECOND;
	alone_step(a, &input);
	assert_int_equal(a->answer.code, ANSWER_DONE);
	alone_forget(a);
}

static void a_start_finds_room_for_every_entry_the_store_kept(void **state)
{
	static uint8_t value[60000];
	struct alone *a = only_voter();
	for (int i = 0; i < 60; i++)
		put_again(a, value, sizeof value);
	assert_true(alone_restart(a));
	alone_free(a);
}

static void what_a_start_cannot_call_committed_fits_one_promise(void **state)
{
	struct alone *a = only_voter();
	struct durable stored;
	for (uint64_t i = 0; i < 400; i++)
		put_again(a, (const uint8_t *)&i, sizeof i);
	assert_true(in_store(a, &stored));
	assert_true(a->last - stored.commit < ENTRIES_PER_MESSAGE_MAX);
	alone_free(a);
}

/* ---- frames ---- */

static void a_frame_of_an_older_incarnation_has_no_voice(void **state)
{
	struct alone *a = voter();
	struct session *s = &member_find(a->core, alone_id(a, 1))->session;
	s->incarnation.number = 2; /* heard since: alone_hear speaks as the first */
	hear_prepare(a, 1, alone_ballot(a, 5, 1));
	assert_int_equal(a->core->durable.promised.counter, 0);
	alone_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_start_remembers_promised_and_is_a_new_incarnation),
		cmocka_unit_test(exclusion_ends_by_the_smaller_of_the_two_elapsed_times),
		cmocka_unit_test(a_slow_owner_is_refused_and_delay_never_makes_one),
		cmocka_unit_test(a_voter_that_lost_its_grant_ignores_every_lease_message_for_d_q),
		cmocka_unit_test(quarantine_is_computed_from_the_largest_d_p_ever_granted),
		cmocka_unit_test(a_lower_config_is_refused_and_ballot_comes_before_version),
		cmocka_unit_test(a_higher_config_is_durable_before_the_answer),
		cmocka_unit_test(a_config_that_is_not_the_one_its_message_names_is_not_adopted),
		cmocka_unit_test(while_another_owner_s_grant_lives_prepare_is_rejected_and_promised_unchanged),
		cmocka_unit_test(prepare_below_promised_is_rejected),
		cmocka_unit_test(promised_is_durable_before_the_promise),
		cmocka_unit_test(a_node_whose_voter_promised_another_ballot_leaves_its_own),
		cmocka_unit_test(accept_below_promised_is_rejected),
		cmocka_unit_test(accept_of_another_incarnation_of_the_owner_is_rejected_while_the_grant_lives),
		cmocka_unit_test(an_older_round_extends_nothing_and_counts_for_nothing),
		cmocka_unit_test(a_round_never_shortens_the_exclusion),
		cmocka_unit_test(entries_and_promised_are_durable_before_the_answer),
		cmocka_unit_test(a_write_that_fails_keeps_the_grant_and_is_not_answered),
		cmocka_unit_test(a_round_without_entries_is_not_answered_while_the_disk_check_is_overdue),
		cmocka_unit_test(what_was_accepted_under_a_ballot_is_not_cut_by_that_ballot_after_a_restart),
		cmocka_unit_test(entries_of_a_lower_ballot_beyond_the_claim_are_cut),
		cmocka_unit_test(release_clears_only_the_exact_owner_incarnation_and_ballot),
		cmocka_unit_test(an_accept_that_comes_after_its_release_grants_nothing),
		cmocka_unit_test(transfer_is_taken_over_m_s_exact_grant_with_m_s_log),
		cmocka_unit_test(transfer_is_refused_unless_m_signed_it),
		cmocka_unit_test(transfer_is_refused_while_the_grant_is_of_another_ballot),
		cmocka_unit_test(transfer_is_refused_by_a_voter_whose_log_lacks_m_s_last_entry),
		cmocka_unit_test(transfer_counts_only_as_m_signed_it),
		cmocka_unit_test(a_transfer_that_comes_after_its_claim_was_learned_says_nothing_of_other_ballots),
		cmocka_unit_test(a_witness_is_never_a_candidate),
		cmocka_unit_test(a_member_of_role_witness_votes_as_one),
		cmocka_unit_test(a_lagging_candidate_first_catches_up),
		cmocka_unit_test(the_deadline_counts_from_before_the_first_prepare),
		cmocka_unit_test(voters_are_counted_by_identity),
		cmocka_unit_test(a_promise_that_reports_another_owner_s_live_grant_is_not_open),
		cmocka_unit_test(meeting_a_higher_config_abandons_the_ballot_wherever_it_comes_from),
		cmocka_unit_test(a_master_that_meets_a_higher_config_of_another_ballot_acts_no_more),
		cmocka_unit_test(of_what_was_accepted_the_highest_ballot_is_proposed_again_with_the_claim),
		cmocka_unit_test(a_master_acts_only_when_a_majority_s_match_covers_its_claim),
		cmocka_unit_test(answers_to_different_rounds_or_configs_make_no_majority),
		cmocka_unit_test(a_renewal_s_authority_counts_from_its_own_first_send),
		cmocka_unit_test(a_ballot_that_lapsed_is_abandoned_for_ever),
		cmocka_unit_test(a_read_is_answered_only_before_the_authority_ends),
		cmocka_unit_test(an_owner_stops_acting_then_releases),
		cmocka_unit_test(m_stops_then_sends_transfer_under_the_immediate_successor_and_never_resumes),
		cmocka_unit_test(m_offers_only_to_a_voter_whose_log_equals_its_own),
		cmocka_unit_test(t_s_timer_starts_before_it_answers_ready),
		cmocka_unit_test(t_is_ready_only_with_m_s_log),
		cmocka_unit_test(a_start_finds_room_for_every_entry_the_store_kept),
		cmocka_unit_test(what_a_start_cannot_call_committed_fits_one_promise),
		cmocka_unit_test(a_frame_of_an_older_incarnation_has_no_voice),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
