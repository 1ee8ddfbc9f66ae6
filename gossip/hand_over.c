#include "hand_over.h"

#include "core.h"
#include "text.h"

#define OFFER_PATIENCE (150 * MILLISECOND)
#define ASKED_PATIENCE (2 * SECOND)        /* then the asker is told what was in the way */
#define DRAIN_PATIENCE (500 * MILLISECOND) /* nothing new is proposed for so long, at most */
#define UNWELL_PATIENCE (5 * SECOND)       /* one late tick is no illness */
#define UNWELL_AGAIN (10 * SECOND)

static bool nobody_asked(const struct hand_over *h)
{
	return h->asker.origin == 0;
}

/* ---- whom ---- */

static const struct follower *follower_of(const struct gossip *g, node_id node)
{
	for (int i = 0; i < FOLLOWERS_MAX; i++) {
		if (g->lease.followers[i].node == node)
			return &g->lease.followers[i];
	}
	return NULL;
}

static bool candidate_of_config(const struct gossip *g, node_id node)
{
	return node != g->self && config_position(&g->durable.config, node) >= 0 &&
	       !config_witness(&g->durable.config, node);
}

static bool same_log(const struct gossip *g, node_id node)
{
	const struct follower *f = follower_of(g, node);
	return f != NULL && (f->match == g->log.last || WEAKENED(g, WEAK_P9_LOG));
}

static bool can_take_over(const struct gossip *g, node_id node)
{
	return candidate_of_config(g, node) && same_log(g, node) &&
	       member_reachable(g, node, false);
}

static bool was_tried(const struct hand_over *h, node_id node)
{
	for (int i = 0; i < VOTERS_MAX; i++) {
		if (h->tried[i] == node)
			return true;
	}
	return false;
}

static void note_tried(struct hand_over *h, node_id node)
{
	for (int i = 0; i < VOTERS_MAX; i++) {
		if (h->tried[i] != 0 && h->tried[i] != node)
			continue;
		h->tried[i] = node;
		return;
	}
}

/*
 * Rather one that stays. Who is to go itself gives the lease only to such a one: two that are to go
 * would hand it to each other for as long as they are asked, and neither would ever be let go.
 */
static node_id next_fit(const struct gossip *g)
{
	const struct config *c = &g->durable.config;
	node_id going = 0;
	for (uint32_t i = 0; i < c->voter_count; i++) {
		node_id voter = c->voters[i];
		if (!can_take_over(g, voter) || was_tried(&g->hand_over, voter))
			continue;
		if (voters_stays(g, voter))
			return voter;
		going = going == 0 ? voter : going;
	}
	return voters_stays(g, g->self) ? going : 0;
}

/* ---- OFFER ---- */

bool hand_over_offer(struct gossip *g, node_id to)
{
	struct hand_over *h = &g->hand_over;
	if (to == 0)
		to = next_fit(g);
	if (!lease_acts(g, &g->now) || h->offered_to != 0 || to == 0 || !can_take_over(g, to) ||
	    g->log.last != g->log.commit)
		return false;
	struct envelope e = {.kind = MESSAGE_OFFER};
	e.offer = (struct offer){g->lease.ballot, g->log.last};
	h->offered_to = to;
	h->offer_until = g->now.boot + OFFER_PATIENCE;
	core_trace(g, RULE_OFFERING, to, 0, 0, 0, 0);
	core_send(g, to, &e);
	return true;
}

void hand_over_on_unfit(struct gossip *g, node_id from)
{
	struct hand_over *h = &g->hand_over;
	if (h->offered_to != from)
		return;
	note_tried(h, from);
	h->offered_to = 0;
	h->unfit |= h->to == from;
}

/* ---- READY: stop, then TRANSFER ---- */

static void sign_transfer(struct gossip *g, struct transfer *t)
{
	uint8_t statement[STATEMENT_MAX];
	struct hash claim;
	hash_bytes(g->settings.seal, t->claim.data, t->claim.size, &claim);
	size_t size =
	    transfer_statement(&g->durable.cluster, &g->durable.generation, t, &claim, statement);
	statement_sign(g->settings.seal, &g->settings.keys, statement, size, t->signature);
}

static void stop_acting(struct gossip *g, node_id to)
{
	struct hand_over *h = &g->hand_over, before = *h;
	if (!WEAKENED(g, WEAK_P9_STOP))
		master_abandon(g);
	*h = (struct hand_over){.asker = before.asker,
	                        .handed_to = to,
	                        .stopped_at = g->now.boot,
	                        .epoch = g->lease.claim_epoch};
}

static void send_transfer(struct gossip *g, const struct ready *m)
{
	struct lease *l = &g->lease;
	const struct config config = g->durable.config;
	uint8_t claim[256];
	struct envelope e = {.kind = MESSAGE_TRANSFER};
	size_t size =
	    encode_claim(g, &m->owner, &m->successor, l->claim_epoch + 1, claim, sizeof claim);
	e.transfer = (struct transfer){.ballot = l->ballot,
	                               .from = self_owner(g),
	                               .successor = m->successor,
	                               .owner = m->owner,
	                               .last_index = g->log.last,
	                               .last_ballot = log_ballot(&g->log, g->log.last),
	                               .claim = {claim, size},
	                               .round = 1,
	                               .config_ballot = config.ballot,
	                               .config_version = config.version,
	                               .commit = g->log.commit};
	sign_transfer(g, &e.transfer);
	stop_acting(g, m->owner.node); /* stops acting and proposing, then sends */
	candidate_postpone(g, config.lease);
	for (uint32_t i = 0; i < config.voter_count; i++)
		lease_send(g, config.voters[i], &e);
}

void hand_over_on_ready(struct gossip *g, node_id from, const struct ready *m)
{
	struct lease *l = &g->lease;
	struct ballot successor = l->ballot;
	successor.hop++;
	if (l->phase != PHASE_MASTER || g->hand_over.offered_to != from || m->owner.node != from ||
	    !ballot_equal(&m->ballot, &l->ballot) ||
	    (!ballot_equal(&m->successor, &successor) && !WEAKENED(g, WEAK_P9_SUCCESSOR)))
		return;
	core_trace(g, RULE_TRANSFERRING, from, 0, (int64_t)l->claim_epoch, 0, 0);
	send_transfer(g, m);
}

/* ---- who asked is told ---- */

static void answer(struct gossip *g, const struct request_id *id, enum answer_code code,
                   const char *text)
{
	struct answer a = {.code = code,
	                   .text = text_bytes(text),
	                   .epoch = g->ledger.epoch,
	                   .master = g->ledger.claimant.node};
	route_deliver(g, id, &a);
}

void hand_over_claimed(struct gossip *g, const struct command *claim)
{
	struct hand_over *h = &g->hand_over;
	if (h->handed_to == 0 || claim->epoch <= h->epoch)
		return;
	duration gap = g->now.boot - h->stopped_at;
	bool taken = claim->owner.node == h->handed_to;
	struct answer a = {.code = ANSWER_DONE,
	                   .epoch = claim->epoch,
	                   .master = h->handed_to,
	                   .version = (uint64_t)gap};
	if (taken)
		core_trace(g, RULE_HANDED_OVER, h->handed_to, 0, gap / MICROSECOND, 0, 0);
	if (taken && !nobody_asked(h))
		route_deliver(g, &h->asker, &a);
	*h = (struct hand_over){0}; /* another was faster: the asker finds out from that one */
}

bool hand_over_answers(const struct gossip *g, const struct request_id *id)
{
	const struct hand_over *h = &g->hand_over;
	return h->handed_to != 0 && h->asker.origin == id->origin &&
	       h->asker.incarnation == id->incarnation && h->asker.sequence == id->sequence;
}

/* ---- asked ---- */

static const char *why_not(const struct gossip *g, node_id to)
{
	const struct config *c = &g->durable.config;
	if (to == 0)
		return c->voter_count > 1 ? NULL
		                          : "no other member votes, so no other can be master";
	if (!member_active(g, to))
		return "there is no such member";
	if (config_position(c, to) < 0)
		return "it is no voter: only a voter can be master";
	if (config_witness(c, to))
		return "it is a witness: it votes, and is never master";
	if (!member_reachable(g, to, true))
		return "it is unreachable";
	const struct follower *f = follower_of(g, to);
	/* Who has not answered yet may be about to: this master is new. */
	if (f != NULL && f->answered_at != 0 && g->now.boot - f->answered_at > c->lease)
		return "it has not answered for a while: is it reachable, and is its disk well?";
	return NULL;
}

static const char *what_was_in_the_way(const struct gossip *g)
{
	const struct hand_over *h = &g->hand_over;
	const char *why = why_not(g, h->to);
	if (why != NULL)
		return why;
	if (h->to == 0)
		return "no other voter was ready to take over";
	if (h->unfit)
		return "it is not fit to be master: its health or its disk is bad";
	if (!same_log(g, h->to))
		return "its ledger lags behind";
	return "it did not say that it is ready";
}

static void give_up(struct gossip *g)
{
	struct hand_over *h = &g->hand_over;
	core_trace(g, RULE_HAND_OVER_FAILED, h->to, 0, 0, 0, 0);
	if (!nobody_asked(h))
		answer(g, &h->asker, ANSWER_REFUSED, what_was_in_the_way(g));
	h->wanted = false;
	h->to = 0;
	h->asker = (struct request_id){0};
}

void hand_over_start(struct gossip *g, node_id to)
{
	struct hand_over *h = &g->hand_over;
	if (!lease_acts(g, &g->now) || to == g->self || h->wanted)
		return;
	h->wanted = true;
	h->unfit = false;
	h->to = to;
	h->until = g->now.boot + ASKED_PATIENCE;
	memset(h->tried, 0, sizeof h->tried);
	hand_over_offer(g, to);
}

/* A repeat of a request for "another master" finds one: the epoch it left is in the command. */
static bool happened_already(const struct gossip *g, const struct command *c)
{
	return c->subject == g->self || (c->subject == 0 && g->lease.claim_epoch > c->epoch);
}

void hand_over_ask(struct gossip *g, const struct command *c)
{
	struct hand_over *h = &g->hand_over;
	const char *why = why_not(g, c->subject);
	if (happened_already(g, c)) {
		answer(g, &c->request, ANSWER_DONE, "");
	} else if (why != NULL) {
		answer(g, &c->request, ANSWER_REFUSED, why);
	} else if (h->wanted && !nobody_asked(h)) {
		if (h->asker.origin != c->request.origin ||
		    h->asker.sequence != c->request.sequence)
			answer(g, &c->request, ANSWER_BUSY, "");
	} else {
		h->wanted = false;
		h->asker = c->request;
		hand_over_start(g, c->subject);
	}
}

/* ---- time ---- */

/* Who is sick leaves the lease to who is not, if there is one; T looks at its own health. */
static void look_after_health(struct gossip *g)
{
	struct hand_over *h = &g->hand_over;
	uint32_t health = g->membership.health;
	if (health <= HEALTH_FIT) {
		h->unwell_since = 0;
		return;
	}
	if (h->unwell_since == 0)
		h->unwell_since = g->now.boot;
	duration since = g->now.boot - h->unwell_since;
	if (since < UNWELL_PATIENCE || g->now.boot < h->unwell_next || h->wanted ||
	    next_fit(g) == 0)
		return;
	h->unwell_next = g->now.boot + UNWELL_AGAIN;
	core_trace(g, RULE_HEALTH_HANDS_OVER, g->self, 0, health, since, 0);
	hand_over_start(g, 0);
}

static void offer_again(struct gossip *g)
{
	struct hand_over *h = &g->hand_over;
	bool nobody_left =
	    h->unfit || (h->to == 0 && g->log.last == g->log.commit && next_fit(g) == 0);
	if (g->now.boot >= h->until || (nobody_left && h->offered_to == 0))
		give_up(g);
	else if (h->offered_to == 0)
		hand_over_offer(g, h->to);
}

void hand_over_tick(struct gossip *g)
{
	struct hand_over *h = &g->hand_over;
	if (h->offered_to != 0 && g->now.boot >= h->offer_until) {
		if (h->to != h->offered_to)
			note_tried(h, h->offered_to);
		h->offered_to = 0;
	}
	if (h->wanted)
		offer_again(g);
	look_after_health(g);
}

bool hand_over_drains(const struct gossip *g)
{
	const struct hand_over *h = &g->hand_over;
	return h->offered_to != 0 ||
	       (h->wanted && g->now.boot < h->until - ASKED_PATIENCE + DRAIN_PATIENCE);
}

instant hand_over_deadline(const struct gossip *g)
{
	const struct hand_over *h = &g->hand_over;
	instant at = h->offered_to != 0 ? h->offer_until : NEVER;
	return h->wanted ? instant_min(at, h->until) : at;
}

void hand_over_forget(struct gossip *g)
{
	g->hand_over = (struct hand_over){0};
}
