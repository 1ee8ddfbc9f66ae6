/*
 * master.c: P3's proposal, P4-P6 and P8. (M's side of P9: hand_over.c.)
 */
#include "core.h"

#define UNCOMMITTED_MAX 192
#define UNCOMMITTED_BYTES_MAX (512 * 1024)
#define APPENDS_IN_FLIGHT 6
#define RETRY_FIRST (30 * MILLISECOND)
#define GAP_RETRY (4 * MILLISECOND)
#define COMMIT_NOTICE (10 * MILLISECOND)

/* ---- followers ---- */

static struct follower *follower_of(struct gossip *g, node_id node)
{
	for (int i = 0; i < FOLLOWERS_MAX; i++) {
		if (g->lease.followers[i].node == node && node != 0)
			return &g->lease.followers[i];
	}
	return NULL;
}

static bool followed(const struct gossip *g, node_id node)
{
	return config_position(&g->durable.config, node) >= 0 || node == g->voters.training;
}

static void follow_one(struct gossip *g, node_id node)
{
	struct lease *l = &g->lease;
	if (node == 0 || follower_of(g, node) != NULL)
		return;
	for (int i = 0; i < FOLLOWERS_MAX; i++) {
		if (l->followers[i].node != 0)
			continue;
		l->followers[i] = (struct follower){.node = node, .next = g->log.commit + 1};
		return;
	}
	assert(!"more followers than voters and one learner");
}

void master_follow(struct gossip *g)
{
	struct lease *l = &g->lease;
	const struct config *c = &g->durable.config;
	for (int i = 0; i < FOLLOWERS_MAX; i++) {
		if (l->followers[i].node != 0 && !followed(g, l->followers[i].node))
			l->followers[i] = (struct follower){0};
		l->followers[i].knows_config = false;
	}
	for (uint32_t i = 0; i < c->voter_count; i++)
		follow_one(g, c->voters[i]);
	follow_one(g, g->voters.training);
}

/* ---- rounds (P5) ---- */

/* What comes next for this follower, as much as one message takes. */
static uint32_t entries_for(struct gossip *g, const struct follower *f)
{
	uint32_t count = 0;
	size_t size = 0;
	if (f->next < g->log.first)
		return 0; /* it fetches the older ones as a learner */
	for (uint64_t i = f->next; i <= g->log.last && count < ENTRIES_PER_MESSAGE_MAX; i++) {
		struct entry *e = &g->lease.list[count];
		bool there = log_get(&g->log, i, e);
		assert(there);
		size += e->command.size;
		if (size > ENTRIES_BYTES_MAX)
			break;
		count++;
	}
	return count;
}

static void send_accept(struct gossip *g, struct follower *f, const struct round *r)
{
	struct lease *l = &g->lease;
	struct envelope e = {.kind = MESSAGE_ACCEPT};
	struct accept *m = &e.accept;
	*m = (struct accept){.ballot = l->ballot,
		.owner = self_owner(g),
		.round = r->number,
		.claim_index = l->claim_index,
		.commit = g->log.commit,
		.config_ballot = r->config_ballot,
		.config_version = r->config_version,
		.has_config = !f->knows_config,
		.first_index = f->next,
		.owner_sent = r->sent,
		.echo_voter = f->echo_voter,
		.echo_received = f->echo_received};
	if (m->has_config)
		m->config = g->durable.config;
	if (f->node != g->self) {
		m->entry_count = entries_for(g, f);
		m->entries = l->list;
		f->next += m->entry_count;
		if (m->entry_count > 0) {
			f->sent_at = g->now.boot;
			f->sent_round = r->number;
		}
	}
	lease_send(g, f->node, &e);
}

/* One number and one deadline, stored before the first send. */
static struct round *round_begin(struct gossip *g)
{
	struct lease *l = &g->lease;
	if (!WEAKENED(g, WEAK_P5_NUMBER) || l->round_number == 0)
		l->round_number++;
	uint64_t number = l->round_number;
	struct round *r = &l->rounds[number % ROUNDS_MAX];
	*r = (struct round){.number = number,
		.deadline = number == 1 ? l->attempt : deadline_in(&g->now, g->durable.config.lease),
		.config_ballot = g->durable.config.ballot,
		.config_version = g->durable.config.version,
		.sent = elapsed_owner(&g->now, &l->origin),
		.append = g->log.last > g->log.commit};
	return r;
}

void master_round(struct gossip *g)
{
	struct lease *l = &g->lease;
	struct round *r = round_begin(g);
	l->append_waits = false;
	l->renew_at = g->now.boot + g->durable.config.lease / 6;
	l->retry_at = g->log.last > g->log.commit ? g->now.boot + l->retry_delay : NEVER;
	uint64_t number = r->number;
	for (int i = 0; i < FOLLOWERS_MAX; i++) {
		if (l->followers[i].node != 0 && l->phase != PHASE_IDLE)
			send_accept(g, &l->followers[i], &l->rounds[number % ROUNDS_MAX]);
	}
}

static uint32_t appends_in_flight(const struct gossip *g)
{
	uint32_t count = 0;
	for (int i = 0; i < ROUNDS_MAX; i++) {
		const struct round *r = &g->lease.rounds[i];
		count += r->number != 0 && r->append && !r->complete &&
		         r->number + APPENDS_IN_FLIGHT > g->lease.round_number;
	}
	return count;
}

static void round_for_entries(struct gossip *g)
{
	if (appends_in_flight(g) < APPENDS_IN_FLIGHT)
		master_round(g);
	else
		g->lease.append_waits = true;
}

/* ---- P3 ---- */

static uint64_t append_own(struct gossip *g, struct bytes command)
{
	struct lease *l = &g->lease;
	struct entry stored;
	uint64_t index = g->log.last + 1;
	if (!log_put(&g->log, index, &l->ballot, command))
		return 0;
	log_get(&g->log, index, &stored);
	persist_entry(g, index, &l->ballot, stored.command);
	l->match = index;
	return index;
}

/* Re-labels what is not known committed with our ballot; returns the highest epoch claimed in it. */
static uint64_t adopt_suffix(struct gossip *g)
{
	uint64_t epoch = g->ledger.epoch;
	struct entry e;
	if (WEAKENED(g, WEAK_P3_REPROPOSE)) {
		log_cut_above(&g->log, g->log.commit);
		persist_cut_above(g, g->log.commit);
	}
	for (uint64_t i = g->log.commit + 1; i <= g->log.last; i++) {
		struct command c;
		bool there = log_get(&g->log, i, &e);
		assert(there);
		if (command_decode(e.command.data, e.command.size, &g->command_arena, &c) &&
		    c.kind == COMMAND_CLAIM && c.epoch > epoch && !WEAKENED(g, WEAK_EPOCH_ORDER))
			epoch = c.epoch;
		there = log_put(&g->log, i, &g->lease.ballot, e.command);
		assert(there); /* the same bytes: only the label changes */
		persist_entry(g, i, &g->lease.ballot, e.command);
	}
	return epoch;
}

size_t encode_claim(struct gossip *g, const struct owner *owner, const struct ballot *ballot,
                    uint64_t epoch, uint8_t *out, size_t capacity)
{
	struct command c = {.kind = COMMAND_CLAIM,
		.judged_wall = g->now.wall,
		.epoch = epoch,
		.owner = *owner,
		.ballot = *ballot,
		.if_version = NO_VERSION};
	return command_encode(&c, out, capacity);
}

void master_begin(struct gossip *g, struct deadline deadline)
{
	struct lease *l = &g->lease;
	uint8_t claim[256];
	struct owner self = self_owner(g);
	l->phase = PHASE_CLAIMING;
	l->attempt = deadline;
	l->authority_set = l->transfer_held = false;
	l->round_number = 0;
	l->resend_at = NEVER;
	l->retry_delay = RETRY_FIRST;
	memset(l->rounds, 0, sizeof l->rounds);
	memset(l->followers, 0, sizeof l->followers);
	l->claim_epoch = adopt_suffix(g) + 1;
	l->match_ballot = l->ballot;
	l->match = g->log.last;
	size_t size = encode_claim(g, &self, &l->ballot, l->claim_epoch, claim, sizeof claim);
	assert(size > 0);
	l->claim_index = append_own(g, (struct bytes){claim, size});
	if (l->claim_index == 0) {
		master_abandon(g);
		return;
	}
	core_trace(g, RULE_CLAIMING, g->self, 0, (int64_t)l->claim_epoch, (int64_t)l->claim_index, 0);
	master_follow(g);
	master_round(g);
}

/* ---- P4 ---- */

void master_activate(struct gossip *g)
{
	struct lease *l = &g->lease;
	struct owner self = self_owner(g);
	if (l->phase != PHASE_CLAIMING || !l->authority_set || deadline_due(&l->authority, &g->now) ||
	    ((g->log.applied < l->claim_index || g->ledger.epoch != l->claim_epoch ||
	      !owner_equal(&g->ledger.claimant, &self)) && !WEAKENED(g, WEAK_P4_CLAIM)))
		return;
	l->phase = PHASE_MASTER;
	l->transfer_held = false;
	hand_over_forget(g);
	l->retry_delay = RETRY_FIRST;
	core_trace(g, RULE_MASTER, g->self, 0, (int64_t)l->claim_epoch, 0, 0);
	master_round(g); /* tells the commit of CLAIM at once */
}

static void certify(struct gossip *g, struct round *r)
{
	struct lease *l = &g->lease;
	r->complete = true;
	if (WEAKENED(g, r->number == 1 ? WEAK_P1_DEADLINE : WEAK_P5_DEADLINE))
		r->deadline = deadline_in(&g->now, g->durable.config.lease);
	if (!l->authority_set || r->deadline.boot > l->authority.boot) {
		l->authority = r->deadline;
		l->certificate_config_ballot = r->config_ballot;
		l->certificate_config_version = r->config_version;
	}
	l->authority_set = true;
}

static void count_round(struct gossip *g, node_id from, const struct accepted *m)
{
	const struct config *c = &g->durable.config;
	bool any = WEAKENED(g, WEAK_P4_ROUNDS);
	struct round *r = &g->lease.rounds[(any ? g->lease.round_number : m->round) % ROUNDS_MAX];
	int position = config_position(c, from);
	if (m->round == 0 || (r->number != m->round && !any) || position < 0 ||
	    config_compare(&r->config_ballot, r->config_version, &c->ballot, c->version) != 0 ||
	    (config_compare(&m->config_ballot, m->config_version, &c->ballot, c->version) != 0 &&
	     !WEAKENED(g, WEAK_P4_CONFIG)) ||
	    deadline_due(&r->deadline, &g->now))
		return;
	r->accepted |= WEAKENED(g, WEAK_P2_IDENTITY) ? r->accepted << 1 | 1 : 1u << position;
	if (!r->complete && quorum_reached(r->accepted, c->voter_count))
		certify(g, r);
}

static void note_follower(struct gossip *g, struct follower *f, const struct accepted *m)
{
	const struct config *c = &g->durable.config;
	f->answered_at = g->now.boot;
	if (m->match > f->match)
		f->match = m->match;
	if (m->match >= f->next)
		f->next = m->match + 1;
	if (config_compare(&m->config_ballot, m->config_version, &c->ballot, c->version) == 0)
		f->knows_config = true;
	f->echo_voter = m->voter_clock;
	f->echo_received = elapsed_owner(&g->now, &g->lease.origin);
	if (f->node == g->self || m->round < f->sent_round || m->match + 1 >= f->next)
		return;
	f->next = m->match + 1; /* it had a gap: again from there, soon */
	if (f->next >= g->log.first)
		g->lease.retry_at = instant_min(g->lease.retry_at, g->now.boot + GAP_RETRY);
}

static void advance_commit(struct gossip *g)
{
	const struct config *c = &g->durable.config;
	uint64_t match[VOTERS_MAX];
	for (uint32_t i = 0; i < c->voter_count; i++) {
		const struct follower *f = follower_of(g, c->voters[i]);
		match[i] = f == NULL ? 0 : f->match;
	}
	uint64_t index = quorum_index(match, c->voter_count);
	if (index > g->log.last)
		index = g->log.last;
	if (index <= g->log.commit)
		return;
	g->log.commit = index;
	ledger_catch_up(g);
	if (g->log.last == g->log.commit) {
		g->lease.retry_at = NEVER;
		g->lease.retry_delay = RETRY_FIRST;
	}
	g->lease.renew_at = instant_min(g->lease.renew_at, g->now.boot + COMMIT_NOTICE);
}

void master_on_accepted(struct gossip *g, node_id from, const struct accepted *m)
{
	struct lease *l = &g->lease;
	struct follower *f = follower_of(g, from);
	if (WEAKENED(g, WEAK_P9_RESUME) && l->phase == PHASE_IDLE &&
	    ballot_equal(&m->ballot, &l->ballot) && !deadline_due(&l->authority, &g->now)) {
		l->phase = PHASE_MASTER;
		l->authority_set = true;
	}
	if ((l->phase != PHASE_CLAIMING && l->phase != PHASE_MASTER) || f == NULL ||
	    !ballot_equal(&m->ballot, &l->ballot) || m->match > g->log.last)
		return;
	note_follower(g, f, m);
	count_round(g, from, m);
	advance_commit(g);
	master_activate(g);
	if (l->append_waits && l->phase == PHASE_MASTER)
		round_for_entries(g);
}

/*
 * A voter that promised a ballot above ours (it was cut off and tried by itself) can accept nothing of
 * us any more. A plain new ballot above its promise brings it back: we stop acting for as long as
 * P1-P4 take; our own grants do not stand in our way.
 */
static void outbid(struct gossip *g, node_id from, const struct reject *m)
{
	struct lease *l = &g->lease;
	if (l->phase != PHASE_MASTER || g->now.boot < l->outbid_at || g->hand_over.offered_to != 0 ||
	    config_position(&g->durable.config, from) < 0)
		return;
	core_trace(g, RULE_OUTBID, from, 0, (int64_t)m->promised.counter, 0, 0);
	l->outbid_at = g->now.boot + 2 * g->durable.config.lease;
	master_abandon(g);
	candidate_outbid(g);
}

void master_on_reject(struct gossip *g, node_id from, const struct reject *m)
{
	struct lease *l = &g->lease;
	const struct config *c = &g->durable.config;
	struct follower *f = follower_of(g, from);
	if ((l->phase != PHASE_CLAIMING && l->phase != PHASE_MASTER) || f == NULL ||
	    !ballot_equal(&m->ballot, &l->ballot))
		return;
	if (m->reason == REJECT_PROMISED)
		outbid(g, from, m);
	if (m->reason == REJECT_UNFIT)
		hand_over_on_unfit(g, from);
	if (m->reason != REJECT_CONFIG)
		return; /* the lease lapses by itself if a majority refuses */
	if (config_compare(&m->config.ballot, m->config.version, &c->ballot, c->version) <= 0) {
		f->knows_config = false;
		l->retry_at = instant_min(l->retry_at, g->now.boot + MILLISECOND);
		return;
	}
	voter_adopt_config(g, &m->config); /* which abandons */
}

/* ---- P6, P8 ---- */

void master_abandon(struct gossip *g)
{
	struct lease *l = &g->lease;
	l->phase = PHASE_IDLE;
	l->authority_set = false;
	l->transfer_held = false;
	l->renew_at = l->retry_at = l->resend_at = NEVER;
	hand_over_forget(g);
	voters_forget(g);
	candidate_postpone(g, g->durable.config.lease / 10);
}

void master_release(struct gossip *g)
{
	struct lease *l = &g->lease;
	struct envelope e = {.kind = MESSAGE_RELEASE};
	const struct config config = g->durable.config;
	core_trace(g, RULE_RELEASING, g->self, 0, (int64_t)l->claim_epoch, 0, 0);
	e.release = (struct release){self_owner(g), l->ballot};
	if (!WEAKENED(g, WEAK_P8_RELEASE))
		master_abandon(g); /* stop first */
	candidate_postpone(g, config.lease);
	for (uint32_t i = 0; i < config.voter_count; i++)
		lease_send(g, config.voters[i], &e);
	candidate_postpone(g, config.lease);
}

/* ---- writes ---- */

uint64_t master_propose(struct gossip *g, const struct command *command)
{
	uint64_t waiting = g->log.last - g->log.commit;
	assert(lease_acts(g, &g->now));
	if (waiting >= UNCOMMITTED_MAX || hand_over_drains(g) ||
	    log_bytes_above(&g->log, g->log.commit) > UNCOMMITTED_BYTES_MAX)
		return 0;
	size_t size = command_encode(command, g->scratch, SCRATCH_SIZE);
	assert(size > 0);
	uint64_t index = append_own(g, (struct bytes){g->scratch, size});
	if (index != 0)
		round_for_entries(g);
	return index;
}

/* ---- timers ---- */

static void step_down_for_disk(struct gossip *g)
{
	if (!voter_disk_well(g) && g->hand_over.offered_to == 0 && !hand_over_offer(g, 0))
		master_release(g);
}

static void retry_entries(struct gossip *g)
{
	struct lease *l = &g->lease;
	for (int i = 0; i < FOLLOWERS_MAX; i++) {
		struct follower *f = &l->followers[i];
		if (f->node == 0 || f->match >= g->log.last || f->next <= f->match + 1)
			continue;
		if (g->now.boot - f->sent_at >= l->retry_delay)
			f->next = f->match + 1; /* below log.first it fetches as a learner */
	}
	l->retry_delay = instant_min(l->retry_delay * 2, g->durable.config.lease / 6);
	master_round(g);
}

void master_tick(struct gossip *g)
{
	struct lease *l = &g->lease;
	if (l->phase == PHASE_MASTER) {
		hand_over_tick(g);
		step_down_for_disk(g);
	}
	if (l->phase != PHASE_MASTER && l->phase != PHASE_CLAIMING)
		return;
	if (g->now.boot >= l->retry_at)
		retry_entries(g);
	else if (g->now.boot >= l->renew_at)
		master_round(g);
	if (l->phase == PHASE_MASTER)
		voters_tick(g);
}
