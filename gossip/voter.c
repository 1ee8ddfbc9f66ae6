/*
 * voter.c: V0-V5 of lease.md. A voter never looks at who it hopes to be; it only keeps its word.
 */
#include "core.h"

#define RATE_WINDOW (10 * SECOND) /* of the rate guard: shorter ones measure jitter */

/* ---- V0, and what runs out ---- */

void voter_clear_grant(struct gossip *g)
{
	g->lease.grant.live = false;
	candidate_postpone(g, 0);
}

void voter_expire(struct gossip *g)
{
	struct lease *l = &g->lease;
	if (l->mute && deadline_over(&l->mute_until, &g->now)) {
		l->mute = false;
		core_trace(g, RULE_QUARANTINE_OVER, g->self, 0, 0, 0, 0);
		candidate_postpone(g, 0);
		l->candidate_at += g->durable.config.lease / 4; /* a master's next round comes first */
	}
	bool over = WEAKENED(g, WEAK_CLOCK_VOTER) ? deadline_due(&l->grant.excluded_until, &g->now)
	                                          : deadline_over(&l->grant.excluded_until, &g->now);
	if (!l->grant.live || !over)
		return;
	node_id owner = l->grant.owner.node;
	core_trace(g, RULE_GRANT_EXPIRED, owner, 0, 0, 0, 0);
	bool votes = config_position(&g->durable.config, g->self) >= 0; /* another has nothing to lose */
	if (votes && owner != g->self && owner == g->ledger.claimant.node)
		core_trace(g, RULE_MASTER_LOST, owner, 0, 0, 0, 0);
	voter_clear_grant(g);
}

static bool other_grant_live(const struct gossip *g, const struct owner *owner)
{
	const struct voter_grant *v = &g->lease.grant;
	if (WEAKENED(g, WEAK_V3_INCARNATION))
		return v->live && v->owner.node != owner->node;
	return v->live && !owner_equal(&v->owner, owner);
}

/* ---- V1 ---- */

/* P2, wherever the config came from: positions counted so far are of the config that was left. */
static void leave_for_config(struct gossip *g, const struct config *config)
{
	const struct lease *l = &g->lease;
	if (l->phase == PHASE_IDLE || ballot_equal(&config->ballot, &l->ballot) ||
	    WEAKENED(g, WEAK_P2_CONFIG))
		return;
	core_trace(g, RULE_CONFIG_HIGHER, g->self, 0, (int64_t)l->ballot.counter, 0, 0);
	master_abandon(g);
}

void voter_adopt_config(struct gossip *g, const struct config *config)
{
	g->durable.config = *config;
	if (!WEAKENED(g, WEAK_V1_PERSIST)) {
		persist_durable(g);
		persist_sync(g);
	}
	core_trace(g, RULE_CONFIG, g->self, 0, (int64_t)config->version, config->voter_count, 0);
	leave_for_config(g, config);
}

/* Refuses a lower config, adopts a higher one. `config` NULL: only its id is known. */
static bool config_passes(struct gossip *g, node_id from, const struct ballot *message_ballot,
                          const struct ballot *ballot, uint64_t version,
                          const struct config *config)
{
	const struct config *ours = &g->durable.config;
	int order = config_compare(ballot, version, &ours->ballot, ours->version);
	if (WEAKENED(g, WEAK_V1_ORDER) && version != ours->version)
		order = version < ours->version ? -1 : 1;
	if (order == 0 || (order < 0 && WEAKENED(g, WEAK_V1_LOWER)))
		return true;
	if (order > 0 && config != NULL && config->voter_count > 0 &&
	    config_compare(&config->ballot, config->version, ballot, version) == 0) {
		voter_adopt_config(g, config);
		return true;
	}
	core_trace(g, RULE_CONFIG_OLD, from, 0, 0, 0, 0);
	voter_reject(g, from, message_ballot, REJECT_CONFIG);
	return false;
}

/* ---- V2 ---- */

/*
 * Voter and candidate of one node share one log: who promised another ballot leaves its own, or its
 * claim and the other's entries would meet in the same slots.
 */
static void raise_promised(struct gossip *g, const struct ballot *ballot)
{
	if (ballot_equal(&g->durable.promised, ballot))
		return;
	g->durable.promised = *ballot;
	persist_durable(g);
	if (g->lease.phase != PHASE_IDLE && !ballot_equal(&g->lease.ballot, ballot) &&
	    !WEAKENED(g, WEAK_V2_LEAVES))
		master_abandon(g);
}


static bool prepare_passes(struct gossip *g, node_id from, const struct prepare *m)
{
	uint32_t count;
	if (other_grant_live(g, &m->owner) && !WEAKENED(g, WEAK_V2_LIVE)) {
		if (WEAKENED(g, WEAK_V2_PROMISED) &&
		    ballot_compare(&m->ballot, &g->durable.promised) > 0)
			raise_promised(g, &m->ballot);
		core_trace(g, RULE_PREPARE_LIVE, from, g->lease.grant.owner.node,
		           voter_grant_now(g).left, 0, 0);
		voter_reject(g, from, &m->ballot, REJECT_GRANT);
		return false;
	}
	if (ballot_compare(&m->ballot, &g->durable.promised) < 0) {
		core_trace(g, RULE_PREPARE_LOW, from, 0, (int64_t)m->ballot.counter,
		           (int64_t)g->durable.promised.counter, 0);
		voter_reject(g, from, &m->ballot, REJECT_PROMISED);
		return false;
	}
	if (from != g->self && !voter_entries_above(g, m->commit, g->lease.list, &count) &&
	    !WEAKENED(g, WEAK_P1_LAGGING)) {
		voter_reject(g, from, &m->ballot, REJECT_LAGGING);
		return false;
	}
	return true;
}

void voter_on_prepare(struct gossip *g, node_id from, const struct prepare *m)
{
	if (g->lease.mute || g->store_failed || m->owner.node != from ||
	    !config_passes(g, from, &m->ballot, &m->config.ballot, m->config.version, &m->config) ||
	    config_position(&g->durable.config, g->self) < 0 || !prepare_passes(g, from, m))
		return;
	raise_promised(g, &m->ballot);
	persist_durable(g);
	uint64_t persist = persist_sync(g);
	struct waiting_answer *w = voter_wait(g, WEAKENED(g, WEAK_V2_DURABLE) ? 0 : persist);
	if (w == NULL)
		return;
	w->kind = MESSAGE_PROMISE;
	w->to = from;
	w->ballot = m->ballot;
	w->commit = m->commit;
	core_trace(g, RULE_PROMISED, from, 0, (int64_t)m->ballot.counter, 0, 0);
}

/* ---- the rate guard ---- */

static void guard_base(struct gossip *g, const struct accept *m)
{
	struct voter_grant *v = &g->lease.grant;
	v->base_voter = elapsed_voter(&g->now, &v->origin);
	v->base_owner = m->owner_sent;
	v->base_set = true;
}

/*
 * v1: our receipt of an earlier round, o1: its sending; v2: our answer to a later one, o2: when the
 * owner had that answer. Between them lies at least our v2 - v1, so an owner that counted less than
 * (1 - rho/2) of it is slow. Delay only adds to o2 - o1.
 */
static bool owner_slow(struct gossip *g, node_id from, const struct accept *m)
{
	struct voter_grant *v = &g->lease.grant;
	if (!v->live || !ballot_equal(&v->ballot, &m->ballot) || !v->base_set ||
	    WEAKENED(g, WEAK_RATE_GUARD))
		return false;
	duration ours = m->echo_voter - v->base_voter, theirs = m->echo_received - v->base_owner;
	if (m->echo_voter == 0 || m->echo_voter > elapsed_voter(&g->now, &v->origin) ||
	    ours < RATE_WINDOW)
		return v->slow;
	if (theirs < 0) {
		guard_base(g, m); /* a base from a lie about its clock must not condemn it when it has stopped */
		return v->slow;
	}
	duration least = ours - ours / 2000000 * g->durable.config.rate_ppm;
	v->slow = theirs < least;
	if (v->slow)
		core_trace(g, RULE_OWNER_SLOW, from, 0, (ours - theirs) / (ours / 1000000), 0, 0);
	guard_base(g, m);
	return v->slow;
}

/* ---- V3 ---- */

static bool accept_passes(struct gossip *g, node_id from, const struct accept *m)
{
	if (ballot_compare(&m->ballot, &g->durable.promised) < 0 && !WEAKENED(g, WEAK_V3_BALLOT)) {
		core_trace(g, RULE_ACCEPT_LOW, from, 0, (int64_t)m->ballot.counter,
		           (int64_t)g->durable.promised.counter, 0);
		voter_reject(g, from, &m->ballot, REJECT_PROMISED);
		return false;
	}
	if (other_grant_live(g, &m->owner) && !WEAKENED(g, WEAK_V3_LIVE)) {
		core_trace(g, RULE_ACCEPT_LIVE, from, g->lease.grant.owner.node,
		           voter_grant_now(g).left, 0, 0);
		voter_reject(g, from, &m->ballot, REJECT_GRANT);
		return false;
	}
	if (owner_slow(g, from, m)) {
		voter_reject(g, from, &m->ballot, REJECT_SLOW);
		return false;
	}
	return true;
}

static void extend(struct deadline *until, const struct deadline *to)
{
	if (to->boot > until->boot)
		until->boot = to->boot;
	if (to->raw > until->raw)
		until->raw = to->raw;
}

/* In memory, before the write. False: an older round, which extends nothing. */
static bool record_grant(struct gossip *g, const struct owner *owner, const struct ballot *ballot,
                         uint64_t round)
{
	struct voter_grant *v = &g->lease.grant;
	duration exclusion = WEAKENED(g, WEAK_EXCLUSION_SHORT) ? g->durable.config.lease / 4 * 3
	                                                       : g->durable.config.exclusion;
	struct deadline until = deadline_in(&g->now, exclusion);
	struct owner named = {ballot->node, {ballot->incarnation, owner->incarnation.nonce}};
	if (WEAKENED(g, WEAK_OWNER_BY_BALLOT))
		owner = &named;
	bool same = owner_equal(&v->owner, owner) && ballot_equal(&v->ballot, ballot);
	if (same && round < v->round && !WEAKENED(g, WEAK_V3_ROUND)) {
		core_trace(g, RULE_ROUND_OLD, owner->node, 0, (int64_t)round, 0, 0);
		return false;
	}
	if (!same) {
		*v = (struct voter_grant){.owner = *owner,
			.ballot = *ballot,
			.origin = g->now,
			.released = v->released};
		v->excluded_until = until;
		core_trace(g, RULE_GRANTED, owner->node, 0, (int64_t)ballot->counter, 0, 0);
	}
	if (WEAKENED(g, WEAK_V3_MAX))
		v->excluded_until = until;
	extend(&v->excluded_until, &until);
	v->live = true;
	v->round = round;
	if (g->durable.config.lease > g->durable.lease_max) {
		g->durable.lease_max = g->durable.config.lease;
		persist_durable(g);
	}
	return true;
}

/* Our log agrees with every later ballot's log as far as it is committed. */
static void begin_match(struct gossip *g, const struct ballot *ballot)
{
	struct lease *l = &g->lease;
	if (!ballot_equal(&l->match_ballot, ballot)) {
		l->match_ballot = *ballot;
		l->match = g->log.commit;
	}
	if (l->match < g->log.commit)
		l->match = g->log.commit;
}

static bool append(struct gossip *g, uint64_t index, const struct ballot *ballot,
                   struct bytes command)
{
	struct entry stored;
	if (!log_put(&g->log, index, ballot, command))
		return false;
	bool there = log_get(&g->log, index, &stored);
	assert(there);
	persist_entry(g, index, ballot, stored.command);
	return true;
}

/*
 * Beyond a ballot's CLAIM lies, of lower ballots, only what its Phase 1 showed not to be chosen. What
 * was accepted under the ballot itself stays: after a restart `match` knows less than the log holds.
 */
static void cut_stale(struct gossip *g, uint64_t above, const struct ballot *ballot)
{
	uint64_t last = g->log.last;
	while (last > above) {
		struct ballot label = log_ballot(&g->log, last);
		if (ballot_compare(&label, ballot) >= 0)
			break;
		last--;
	}
	if (last == g->log.last)
		return;
	log_cut_above(&g->log, last);
	persist_cut_above(g, last);
}

static void append_entries(struct gossip *g, const struct accept *m)
{
	struct lease *l = &g->lease;
	begin_match(g, &m->ballot);
	for (uint32_t i = 0; i < m->entry_count; i++) {
		uint64_t index = m->first_index + i;
		if (index <= l->match)
			continue;
		if (index > l->match + 1 || !append(g, index, &m->ballot, m->entries[i].command))
			break; /* a gap, or no room: `match` says from where to send again */
		l->match = index;
	}
	if (m->entry_count > 0 && l->match >= m->claim_index)
		cut_stale(g, l->match, &m->ballot);
}

static void learn_commit(struct gossip *g, uint64_t commit)
{
	uint64_t known = commit < g->lease.match ? commit : g->lease.match;
	if (known <= g->log.commit)
		return;
	g->log.commit = known;
	ledger_catch_up(g);
}

/* Answers now if nothing waits for the store, else behind what does. */
static void answer_accepted(struct gossip *g, node_id to, const struct ballot *ballot,
                            uint64_t round, bool write)
{
	uint64_t persist = write ? persist_sync(g) : voter_outstanding(g);
	if (WEAKENED(g, WEAK_V3_DURABLE))
		persist = 0;
	struct waiting_answer now_answer = {0};
	struct waiting_answer *w = persist == 0 ? &now_answer : voter_wait(g, persist);
	if (w == NULL || (persist == 0 && !voter_disk_well(g)))
		return;
	w->kind = MESSAGE_ACCEPTED;
	w->to = to;
	w->ballot = *ballot;
	w->round = round;
	w->match = g->lease.match;
	w->config_ballot = g->durable.config.ballot;
	w->config_version = g->durable.config.version;
	if (persist == 0)
		voter_say(g, w);
}

void voter_on_accept(struct gossip *g, node_id from, const struct accept *m)
{
	if (g->lease.mute || m->owner.node != from ||
	    ballot_equal(&m->ballot, &g->lease.grant.released) || /* it comes late */
	    !config_passes(g, from, &m->ballot, &m->config_ballot, m->config_version,
	                   m->has_config ? &m->config : NULL) ||
	    !accept_passes(g, from, m))
		return;
	bool counts = record_grant(g, &m->owner, &m->ballot, m->round);
	if (counts && !g->lease.grant.base_set)
		guard_base(g, m);
	raise_promised(g, &m->ballot);
	if (from != g->self)
		append_entries(g, m);
	if (!g->store_failed)
		answer_accepted(g, from, &m->ballot, counts ? m->round : 0, g->persist_open);
	if (from != g->self)
		learn_commit(g, m->commit);
}

/* ---- V4 ---- */

void voter_on_release(struct gossip *g, node_id from, const struct release *m)
{
	const struct voter_grant *v = &g->lease.grant;
	if (g->lease.mute || m->owner.node != from)
		return;
	bool exact = v->live && owner_equal(&v->owner, &m->owner) && ballot_equal(&v->ballot, &m->ballot);
	if (!exact && !WEAKENED(g, WEAK_V4_EXACT)) {
		core_trace(g, RULE_RELEASE_INEXACT, from, 0, 0, 0, 0);
		return;
	}
	core_trace(g, RULE_RELEASED, from, 0, 0, 0, 0);
	g->lease.grant.released = m->ballot;
	voter_clear_grant(g);
}

/* ---- V5 ---- */

static bool transfer_signed(struct gossip *g, const struct transfer *m)
{
	uint8_t statement[STATEMENT_MAX];
	struct hash claim;
	const struct node_key *key = member_key(g, m->from.node);
	if (WEAKENED(g, WEAK_V5_SIGNED))
		return true;
	if (key == NULL)
		return false;
	hash_bytes(g->settings.seal, m->claim.data, m->claim.size, &claim);
	size_t size = transfer_statement(&g->durable.cluster, &g->durable.generation, m, &claim,
	                                 statement);
	return statement_verify(g->settings.seal, key, statement, size, m->signature);
}

static bool transfer_log_matches(const struct gossip *g, const struct transfer *m)
{
	const struct lease *l = &g->lease;
	if (WEAKENED(g, WEAK_V5_LOG))
		return true;
	if (ballot_equal(&l->match_ballot, &m->successor))
		return l->match > m->last_index;
	return (ballot_equal(&l->match_ballot, &m->ballot) && l->match >= m->last_index) ||
	       g->log.commit >= m->last_index;
}

static bool transfer_passes(struct gossip *g, const struct transfer *m)
{
	const struct voter_grant *v = &g->lease.grant;
	const struct config *ours = &g->durable.config;
	if (config_compare(&m->config_ballot, m->config_version, &ours->ballot, ours->version) != 0 ||
	    (ballot_compare(&m->successor, &g->durable.promised) < 0 && !WEAKENED(g, WEAK_V3_BALLOT)))
		return false;
	bool exact = v->live && owner_equal(&v->owner, &m->from) && ballot_equal(&v->ballot, &m->ballot);
	exact |= WEAKENED(g, WEAK_V5_EXACT);
	bool own = v->live && owner_equal(&v->owner, &m->owner);
	return (!v->live || exact || own) && transfer_log_matches(g, m) && transfer_signed(g, m);
}

void voter_on_transfer(struct gossip *g, node_id from, const struct transfer *m)
{
	if (g->lease.mute || (from != m->from.node && from != m->owner.node) || g->store_failed)
		return;
	if (!transfer_passes(g, m)) {
		core_trace(g, RULE_TRANSFER_REFUSED, m->owner.node, 0, 0, 0, 0);
		return;
	}
	record_grant(g, &m->owner, &m->successor, m->round);
	raise_promised(g, &m->successor);
	learn_commit(g, m->commit);
	if (g->log.commit <= m->last_index && !ballot_equal(&g->lease.match_ballot, &m->successor)) {
		cut_stale(g, m->last_index, &m->successor);
		if (!append(g, m->last_index + 1, &m->successor, m->claim))
			return;
		g->lease.match_ballot = m->successor;
		g->lease.match = m->last_index + 1;
	}
	begin_match(g, &m->successor); /* where the CLAIM was learned: what is said is of this ballot */
	core_trace(g, RULE_TRANSFERRED, m->owner.node, m->from.node, 0, 0, 0);
	if (m->owner.node == g->self)
		candidate_on_transfer(g, m);
	answer_accepted(g, m->owner.node, &m->successor, m->round, g->persist_open);
}
