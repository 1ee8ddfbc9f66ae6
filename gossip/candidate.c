/*
 * candidate.c: P1-P3 of lease.md, and T's side of P9.
 */
#include "core.h"

#define EXPIRY_SLACK (3 * MILLISECOND)    /* others' grants end a little after ours */
#define LOOK_AGAIN (50 * MILLISECOND)     /* while no majority is in sight */
#define EARLY (25 * MILLISECOND)          /* a grant that lives longer is no matter of clocks */
#define TRANSFER_RESEND (20 * MILLISECOND)

/* How many fit voters come before us: each waits a little longer, so that rivals are rare. */
static uint32_t rank(const struct gossip *g)
{
	const struct config *c = &g->durable.config;
	uint32_t before = 0;
	for (uint32_t i = 0; i < c->voter_count && c->voters[i] != g->self; i++)
		before += !config_witness(c, c->voters[i]) && c->voters[i] != g->lease.grant.owner.node &&
		          member_reachable(g, c->voters[i], false);
	return before;
}

void candidate_postpone(struct gossip *g, duration least)
{
	struct lease *l = &g->lease;
	duration lease = g->durable.config.lease;
	instant at = g->now.boot + EXPIRY_SLACK + least + rank(g) * (lease / 30);
	if (least > 0) /* after a failed attempt: random, so that rivals part */
		at += (duration)prng_below(&g->prng, (uint64_t)lease / 4 + 1);
	l->candidate_at = at;
}

static bool sees_majority(const struct gossip *g)
{
	const struct config *c = &g->durable.config;
	uint32_t seen = 0;
	for (uint32_t i = 0; i < c->voter_count; i++)
		seen += c->voters[i] == g->self || member_reachable(g, c->voters[i], true);
	return seen >= quorum_needed(c->voter_count);
}

static bool fit(const struct gossip *g)
{
	const struct config *c = &g->durable.config;
	return config_position(c, g->self) >= 0 && !config_witness(c, g->self) &&
	       g->membership.health <= HEALTH_FIT && voter_disk_well(g) && !g->life.stop_asked &&
	       g->standing == STANDING_MEMBER && !seize_frozen(g);
}

static void send_prepares(struct gossip *g)
{
	struct lease *l = &g->lease;
	const struct config config = g->durable.config;
	struct envelope e = {.kind = MESSAGE_PREPARE};
	e.prepare.ballot = l->ballot;
	e.prepare.owner = self_owner(g);
	e.prepare.config = config;
	e.prepare.commit = g->log.commit;
	e.prepare.last_index = g->log.last;
	e.prepare.last_ballot = log_ballot(&g->log, g->log.last);
	l->resend_at = g->now.boot + config.lease / 15;
	for (uint32_t i = 0; i < config.voter_count; i++) {
		if ((l->open >> i & 1) == 0 && l->phase == PHASE_PREPARING)
			lease_send(g, config.voters[i], &e);
	}
}

/* P1: the deadline is stored before anything is sent. */
static void start(struct gossip *g)
{
	struct lease *l = &g->lease;
	uint64_t counter = l->highest_seen.counter;
	if (g->durable.promised.counter > counter)
		counter = g->durable.promised.counter;
	l->ballot = (struct ballot){counter + 1, g->durable.incarnation.number, g->self, 0};
	l->highest_seen = l->ballot;
	l->phase = PHASE_PREPARING;
	l->attempt = deadline_in(&g->now, g->durable.config.lease);
	l->origin = g->now;
	l->open = l->refused = 0;
	core_trace(g, RULE_CANDIDATE, g->self, 0, (int64_t)l->ballot.counter, 0, 0);
	send_prepares(g);
}

static void resend_transfer(struct gossip *g)
{
	struct envelope e = {.kind = MESSAGE_TRANSFER};
	const struct config *c = &g->durable.config;
	g->lease.resend_at = g->now.boot + TRANSFER_RESEND;
	e.transfer = g->lease.transfer;
	e.transfer.claim.data = g->lease.transfer_claim;
	for (uint32_t i = 0; i < c->voter_count; i++) {
		if (c->voters[i] != g->self)
			core_send(g, c->voters[i], &e);
	}
}

static void resend(struct gossip *g)
{
	struct lease *l = &g->lease;
	if (g->now.boot < l->resend_at)
		return;
	if (l->phase == PHASE_PREPARING)
		send_prepares(g);
	else if (l->phase == PHASE_CLAIMING && l->transfer_held)
		resend_transfer(g);
	else
		l->resend_at = NEVER;
}

void candidate_outbid(struct gossip *g)
{
	if (fit(g) && g->lease.phase == PHASE_IDLE)
		start(g);
}

void candidate_tick(struct gossip *g)
{
	struct lease *l = &g->lease;
	if (l->phase != PHASE_IDLE) {
		resend(g);
		return;
	}
	if (l->mute || l->grant.live || g->now.boot < l->candidate_at ||
	    config_position(&g->durable.config, g->self) < 0)
		return;
	if (!fit(g) || !sees_majority(g)) {
		l->candidate_at = g->now.boot + LOOK_AGAIN;
		return;
	}
	start(g);
}

/* P2: meeting a higher config not of its own ballot. True: the ballot was abandoned. */
static bool met_higher_config(struct gossip *g, const struct config *config)
{
	const struct config *ours = &g->durable.config;
	if (WEAKENED(g, WEAK_P2_CONFIG))
		return false;
	if (config->voter_count == 0 || config_compare(&config->ballot, config->version, &ours->ballot,
	                                               ours->version) <= 0)
		return false;
	voter_adopt_config(g, config); /* which abandons */
	return true;
}

/*
 * P3, slot by slot: an entry the voter knows to be committed is chosen; of the others the one
 * accepted under the higher ballot is kept. (lease.md adopts the log whose *last entry* is highest.
 * That needs every log to be a prefix of its ballot's log, which learned entries break; plain
 * Multi-Paxos' choice per slot needs nothing of the kind.)
 */
bool candidate_merge(struct gossip *g, const struct promise *m)
{
	uint32_t chosen = 0;
	while (chosen < m->entry_count && m->entries[chosen].index <= m->commit)
		chosen++;
	if (!learner_take(g, m->entries, chosen, m->commit))
		return false;
	for (uint32_t i = chosen; i < m->entry_count; i++) {
		const struct entry *e = &m->entries[i];
		struct ballot ours = log_ballot(&g->log, e->index);
		struct entry stored;
		if (e->index <= g->log.commit)
			continue;
		if (e->index <= g->log.last &&
		    (ballot_compare(&e->ballot, &ours) <= 0 || WEAKENED(g, WEAK_P3_HIGHEST)))
			continue;
		if (e->index > g->log.last + 1 || !log_put(&g->log, e->index, &e->ballot, e->command))
			return false;
		log_get(&g->log, e->index, &stored);
		persist_entry(g, e->index, &e->ballot, stored.command);
	}
	return true;
}

void candidate_on_promise(struct gossip *g, node_id from, const struct promise *m)
{
	struct lease *l = &g->lease;
	struct owner self = self_owner(g);
	int position = config_position(&g->durable.config, from);
	if (l->phase != PHASE_PREPARING || !ballot_equal(&m->ballot, &l->ballot) || position < 0 ||
	    met_higher_config(g, &m->config))
		return;
	if (m->grant.owner.node != 0 && !owner_equal(&m->grant.owner, &self) &&
	    !WEAKENED(g, WEAK_P2_OPEN))
		return; /* P2: not open */
	if (from != g->self && !candidate_merge(g, m)) {
		master_abandon(g);
		return;
	}
	l->open |= WEAKENED(g, WEAK_P2_IDENTITY) ? l->open << 1 | 1 : 1u << position;
	if (quorum_reached(l->open, g->durable.config.voter_count))
		master_begin(g, l->attempt);
}

/*
 * The same ballot may be shown again once the grant has run out; but where a majority keeps granting
 * to somebody, that somebody lives: back to waiting, so that we promise nobody out of our own way.
 */
static void asked_too_early(struct gossip *g, node_id from, duration left)
{
	struct lease *l = &g->lease;
	int position = config_position(&g->durable.config, from);
	l->resend_at = instant_min(l->resend_at, g->now.boot + left + MILLISECOND / 2);
	if (left < EARLY || position < 0)
		return;
	l->refused |= 1u << position;
	if (!quorum_reached(l->refused, g->durable.config.voter_count))
		return;
	master_abandon(g);
	l->candidate_at = g->now.boot + left + EXPIRY_SLACK +
	                  rank(g) * (g->durable.config.lease / 30) +
	                  (duration)prng_below(&g->prng, EARLY);
}

void candidate_on_reject(struct gossip *g, node_id from, const struct reject *m)
{
	struct lease *l = &g->lease;
	if (l->phase != PHASE_PREPARING || !ballot_equal(&m->ballot, &l->ballot) ||
	    met_higher_config(g, &m->config))
		return;
	switch (m->reason) {
	case REJECT_GRANT:
		asked_too_early(g, from, m->grant.left);
		return;
	case REJECT_LAGGING:
		core_trace(g, RULE_CANDIDATE_LAGGING, from, 0, 0, 0, 0);
		learner_hint(g, from, m->commit);
		break;
	case REJECT_PROMISED:
	case REJECT_CONFIG:
	case REJECT_SLOW:
	case REJECT_OLD_SELF:
	case REJECT_ROUND:
	case REJECT_UNFIT:
		break;
	}
	master_abandon(g);
}

/* ---- T's side of the hand-over (P9) ---- */

/* Who offers need not wait for one that will not take it. */
static void say_unfit(struct gossip *g, node_id to, const struct offer *m)
{
	struct envelope e = {.kind = MESSAGE_REJECT};
	e.reject = (struct reject){.ballot = m->ballot,
		.reason = REJECT_UNFIT,
		.promised = g->durable.promised,
		.config = g->durable.config,
		.commit = g->log.commit};
	core_trace(g, RULE_UNFIT, to, 0, 0, 0, 0);
	core_send(g, to, &e);
}

void candidate_on_offer(struct gossip *g, node_id from, const struct offer *m)
{
	struct lease *l = &g->lease;
	const struct voter_grant *v = &l->grant;
	bool same_log = ballot_equal(&l->match_ballot, &m->ballot) && l->match == m->last_index &&
	                g->log.last == m->last_index && l->waiting_count == 0;
	same_log |= WEAKENED(g, WEAK_P9_LOG);
	if (l->phase == PHASE_IDLE && !fit(g)) {
		say_unfit(g, from, m);
		return;
	}
	if (l->phase != PHASE_IDLE || l->mute || !v->live || v->owner.node != from ||
	    !ballot_equal(&v->ballot, &m->ballot) || !same_log)
		return;
	l->taking_from = m->ballot;
	l->ballot = m->ballot;
	l->ballot.hop++;
	if (WEAKENED(g, WEAK_P9_SUCCESSOR))
		l->ballot.counter++;
	l->attempt = deadline_in(&g->now, g->durable.config.lease);
	l->origin = g->now;
	l->phase = PHASE_TAKING;
	l->transfer_held = false;
	l->resend_at = NEVER;
	core_trace(g, RULE_READY, from, 0, 0, 0, 0);
	struct envelope e = {.kind = MESSAGE_READY};
	e.ready = (struct ready){m->ballot, l->ballot, self_owner(g)};
	core_send(g, from, &e);
}

/* Our own voter took the TRANSFER: count the others' answers under the deadline stored at READY. */
void candidate_on_transfer(struct gossip *g, const struct transfer *m)
{
	struct lease *l = &g->lease;
	struct owner self = self_owner(g);
	struct command claim;
	if (l->phase != PHASE_TAKING || !ballot_equal(&m->successor, &l->ballot) ||
	    !ballot_equal(&m->ballot, &l->taking_from) || !owner_equal(&m->owner, &self) ||
	    m->claim.size > sizeof l->transfer_claim ||
	    !command_decode(m->claim.data, m->claim.size, &g->command_arena, &claim))
		return;
	if (WEAKENED(g, WEAK_P9_TIMER))
		l->attempt = deadline_in(&g->now, g->durable.config.lease);
	l->transfer = *m;
	memcpy(l->transfer_claim, m->claim.data, m->claim.size);
	l->transfer_held = true;
	l->phase = PHASE_CLAIMING;
	l->claim_index = m->last_index + 1;
	l->claim_epoch = claim.epoch;
	l->resend_at = g->now.boot + TRANSFER_RESEND;
	l->renew_at = g->now.boot + g->durable.config.lease / 6;
	l->retry_delay = TRANSFER_RESEND;
	l->retry_at = NEVER;
	l->authority_set = false;
	memset(l->followers, 0, sizeof l->followers);
	memset(l->rounds, 0, sizeof l->rounds);
	master_follow(g);
	l->round_number = m->round;
	l->rounds[m->round % ROUNDS_MAX] = (struct round){.number = m->round,
		.deadline = l->attempt,
		.config_ballot = m->config_ballot,
		.config_version = m->config_version};
}
