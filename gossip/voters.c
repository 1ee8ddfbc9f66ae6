#include "voters.h"

#include "core.h"
#include "settings.h"

#define LOOK_EVERY (100 * MILLISECOND)
#define LOOK_SETTLED (500 * MILLISECOND) /* nothing was to be done, and nobody came or went */
#define TRAINING_PATIENCE (10 * SECOND)
#define GOING_PATIENCE (30 * SECOND)
#define STUCK_PATIENCE                                                                             \
	(4 * SECOND) /* a restart, its quarantine and a little: then it is no moment */
#define PASSED_OVER_FOR (60 * SECOND)

void voters_init(struct gossip *g)
{
	g->voters.look_at = NEVER;
}

void voters_forget(struct gossip *g)
{
	struct voters *v = &g->voters;
	v->training = 0;
	v->terms_version = 0;
	memset(v->silence, 0, sizeof v->silence);
}

/* ---- who is going ---- */

static struct voter_going *going_of(struct gossip *g, node_id node)
{
	for (int i = 0; i < VOTERS_MAX; i++) {
		if (g->voters.going[i].node == node)
			return &g->voters.going[i];
	}
	return NULL;
}

static bool staying(const struct gossip *g, node_id node)
{
	for (int i = 0; i < VOTERS_MAX; i++) {
		if (g->voters.going[i].node == node)
			return false;
	}
	return member_active(g, node);
}

bool voters_stays(const struct gossip *g, node_id node)
{
	return staying(g, node);
}

/* Asked again and again while its request waits: who is not asked for any more stays. */
static struct voter_going *note_going(struct gossip *g, node_id node)
{
	struct voter_going *v = going_of(g, node);
	if (v == NULL) {
		v = going_of(g, 0);
		g->voters.look_at = g->now.boot;
	}
	if (v == NULL)
		return NULL; /* as many as can vote are going already: first those */
	g->voters.settled = false;
	if (v->node != node)
		*v = (struct voter_going){.node = node};
	v->until = g->now.boot + GOING_PATIENCE;
	return v;
}

static void forget_going(struct gossip *g)
{
	for (int i = 0; i < VOTERS_MAX; i++) {
		struct voter_going *v = &g->voters.going[i];
		if (v->node != 0 && (g->now.boot >= v->until || !member_active(g, v->node)))
			*v = (struct voter_going){0};
	}
}

/* ---- who answers ---- */

/*
 * How far a voter's log goes; 0 if it has been silent for a lease: a set is changed towards voters
 * that vote, never towards one that is mute or dead and merely held everything once.
 */
static uint64_t match_of(const struct gossip *g, node_id node)
{
	for (int i = 0; i < FOLLOWERS_MAX; i++) {
		const struct follower *f = &g->lease.followers[i];
		if (f->node == node)
			return g->now.boot - f->answered_at <= g->durable.config.lease ? f->match
			                                                               : 0;
	}
	return 0;
}

/* Only a master knows by its rounds; elsewhere reachability has to do, for who asks why. */
static bool answers(const struct gossip *g, node_id node, bool voter)
{
	if (!voter || g->lease.phase != PHASE_MASTER)
		return member_reachable(g, node, false);
	return match_of(g, node) > 0;
}

static duration silent_for(const struct gossip *g, node_id node)
{
	for (int i = 0; i < VOTERS_MAX; i++) {
		if (g->voters.silence[i].node == node)
			return g->now.boot - g->voters.silence[i].since;
	}
	return 0;
}

static void note_silence(struct gossip *g)
{
	const struct config *c = &g->durable.config;
	struct voter_silence noted[VOTERS_MAX] = {0};
	for (uint32_t i = 0; i < c->voter_count; i++) {
		node_id node = c->voters[i];
		if (node != g->self && match_of(g, node) == 0)
			noted[i] = (struct voter_silence){node, g->now.boot - silent_for(g, node)};
	}
	memcpy(g->voters.silence, noted, sizeof noted);
}

/* ---- the facts of the plan ---- */

static bool room_for(const struct voter_facts *facts, const struct voter_fact *fact)
{
	uint32_t others = 0;
	for (uint32_t i = 0; i < facts->count; i++)
		others += !facts->list[i].voter && facts->list[i].witness == fact->witness;
	return facts->count < VOTER_FACTS_MAX && (fact->voter || others < VOTERS_MAX);
}

static bool passed_over(const struct gossip *g, node_id node)
{
	for (int i = 0; i < VOTERS_MAX; i++) {
		const struct voter_passed *p = &g->voters.passed[i];
		if (p->node == node && g->now.boot < p->until)
			return true;
	}
	return false;
}

static void pass_over(struct gossip *g, node_id node)
{
	struct voter_passed *oldest = &g->voters.passed[0];
	for (int i = 1; i < VOTERS_MAX; i++) {
		if (g->voters.passed[i].until < oldest->until)
			oldest = &g->voters.passed[i];
	}
	*oldest = (struct voter_passed){node, g->now.boot + PASSED_OVER_FOR};
}

static void note_fact(const struct gossip *g, node_id node, duration patience,
                      struct voter_facts *out)
{
	bool voter = config_position(&g->durable.config, node) >= 0;
	struct voter_fact fact = {.node = node,
	                          .voter = voter,
	                          .witness = voter ? config_witness(&g->durable.config, node)
	                                           : member_role(g, node) == ROLE_WITNESS,
	                          .staying = node == g->self || staying(g, node),
	                          .answers = node == g->self || answers(g, node, voter)};
	if (voter)
		fact.stale = silent_for(g, node) >= patience;
	else
		fact.learning = node == g->voters.training;
	if (!voter && passed_over(g, node))
		fact.answers = false;
	out->nodes += fact.staying && !fact.witness;
	out->witnesses += fact.staying && fact.witness;
	if ((voter || (fact.staying && fact.answers)) && room_for(out, &fact))
		out->list[out->count++] = fact;
}

void voters_facts(const struct gossip *g, struct voter_facts *out)
{
	const struct config *c = &g->durable.config;
	duration patience = settings_number(g, SETTING_VOTER_PATIENCE);
	*out = (struct voter_facts){.master = lease_master(g, &g->now),
	                            .wish = (uint32_t)settings_number(g, SETTING_VOTERS)};
	for (uint32_t i = 0; i < g->membership.count; i++) {
		node_id node = member_id_at(g, i);
		if (node != 0)
			note_fact(g, node, patience, out);
	}
	for (uint32_t i = 0; i < c->voter_count; i++) {
		if (!member_active(g, c->voters[i]) && c->voters[i] != g->self)
			note_fact(g, c->voters[i], patience,
			          out); /* gone from the ledger, and votes still */
	}
}

/* ---- R1-R4 ---- */

/* R1: rewritten under its own ballot; the version stays. */
static void rewrite(struct gossip *g)
{
	struct config config = g->durable.config;
	config.ballot = g->lease.ballot;
	core_trace(g, RULE_CONFIG_REWRITTEN, g->self, 0, (int64_t)g->lease.ballot.counter, 0, 0);
	voter_adopt_config(g, &config);
	master_follow(g);
	master_round(g);
}

/* R2: a full round tagged with it is the lease certificate. */
static bool certified(const struct gossip *g)
{
	const struct lease *l = &g->lease;
	const struct config *c = &g->durable.config;
	if (WEAKENED(g, WEAK_R2_CERTIFIED))
		return true;
	bool own = ballot_equal(&c->ballot, &l->ballot) || WEAKENED(g, WEAK_R1_REWRITE);
	return l->authority_set && own &&
	       config_compare(&l->certificate_config_ballot, l->certificate_config_version,
	                      &c->ballot, c->version) == 0;
}

bool voters_ready(struct gossip *g)
{
	if (ballot_equal(&g->durable.config.ballot, &g->lease.ballot) ||
	    WEAKENED(g, WEAK_R1_REWRITE))
		return certified(g);
	rewrite(g);
	return false;
}

/* R3: everything committed is on a majority of the new set. */
static bool carried(const struct gossip *g, const struct config *config)
{
	uint64_t match[VOTERS_MAX];
	for (uint32_t i = 0; i < config->voter_count; i++)
		match[i] = match_of(g, config->voters[i]);
	return quorum_index(match, config->voter_count) >= g->log.commit ||
	       WEAKENED(g, WEAK_R3_CARRIED);
}

/* (the bits of the witnesses move with their voters) */
static void with_added(struct config *c, node_id node, bool witness)
{
	uint32_t at = c->voter_count++;
	assert(c->voter_count <= VOTERS_MAX);
	for (; at > 0 && c->voters[at - 1] > node; at--)
		c->voters[at] = c->voters[at - 1];
	c->voters[at] = node;
	uint32_t below = ((uint32_t)1 << at) - 1;
	c->witnesses =
	    (c->witnesses & below) | (c->witnesses & ~below) << 1 | (uint32_t)witness << at;
}

static void with_dropped(struct config *c, node_id node)
{
	int at = config_position(c, node);
	assert(at >= 0);
	c->voter_count--;
	for (uint32_t i = (uint32_t)at; i < c->voter_count; i++)
		c->voters[i] = c->voters[i + 1];
	c->voters[c->voter_count] = 0;
	uint32_t below = ((uint32_t)1 << at) - 1;
	c->witnesses = (c->witnesses & below) | (c->witnesses >> 1 & ~below);
}

/* R4: one difference, the master stays in. A NOOP carries the config to the learners. */
void voters_install(struct gossip *g, const struct config *next)
{
	struct command noop = {
	    .kind = COMMAND_NOOP, .judged_wall = g->now.wall, .if_version = NO_VERSION};
	g->voters.training = 0;
	voter_adopt_config(g, next);
	master_follow(g);
	master_round(g);
	master_propose(g, &noop);
}

/* ---- a voter comes ---- */

static void train(struct gossip *g, node_id node)
{
	struct voters *v = &g->voters;
	v->training = node;
	v->training_since = g->now.boot;
	core_trace(g, RULE_VOTER_LEARNS, node, 0, 0, 0, 0);
	master_follow(g);
	master_round(g);
}

static void give_up_training(struct gossip *g)
{
	struct voters *v = &g->voters;
	pass_over(g, v->training);
	v->training = 0;
	master_follow(g);
}

static void add_step(struct gossip *g, node_id node)
{
	struct config next = g->durable.config;
	if (g->voters.training != node) {
		train(g, node);
		return;
	}
	next.version++;
	with_added(&next, node, member_role(g, node) == ROLE_WITNESS);
	/* The newcomer itself must have it all: "learners first" asks more than R3. */
	bool learnt = (match_of(g, node) >= g->log.commit && match_of(g, node) > 0) ||
	              WEAKENED(g, WEAK_R3_CARRIED);
	if (learnt && carried(g, &next)) {
		core_trace(g, RULE_VOTER_ADDED, node, 0, next.voter_count, 0, 0);
		voters_install(g, &next);
	} else if (g->now.boot - g->voters.training_since > TRAINING_PATIENCE) {
		give_up_training(g);
	}
}

/* ---- a voter goes ---- */

static void note_swapped(struct gossip *g, node_id node)
{
	core_trace(g, RULE_VOTER_SWAPPED, node, 0, silent_for(g, node), 0, 0);
	if (member_reachable(g, node, true))
		pass_over(g, node); /* it lives, and does not vote all the same */
}

static void drop_step(struct gossip *g, node_id node)
{
	struct config next = g->durable.config;
	next.version++;
	with_dropped(&next, node);
	for (uint32_t i = 0; WEAKENED(g, WEAK_R4_ONE) && i < next.voter_count; i++) {
		if (next.voters[i] != g->self) {
			with_dropped(&next, next.voters[i]);
			break;
		}
	}
	if (!carried(g, &next))
		return;
	core_trace(g, RULE_VOTER_DROPPED, node, 0, next.voter_count, 0, 0);
	if (staying(g, node) && silent_for(g, node) >= settings_number(g, SETTING_VOTER_PATIENCE))
		note_swapped(g, node);
	voters_install(g, &next);
}

/* ---- the master's look ---- */

static void stop_training(struct gossip *g)
{
	if (g->voters.training == 0)
		return;
	g->voters.training = 0;
	master_follow(g);
}

static void change_step(struct gossip *g)
{
	struct voter_facts facts;
	struct voters_plan plan;
	note_silence(g);
	voters_facts(g, &facts);
	voters_plan(&facts, &plan);
	g->voters.settled = plan.move == VOTERS_KEEP && terms_settled(g);
	switch (plan.move) {
	case VOTERS_KEEP:
	case VOTERS_STUCK:
		stop_training(g);
		terms_step(g);
		return;
	case VOTERS_DROP:
		stop_training(g);
		if (voters_ready(g))
			drop_step(g, plan.node);
		return;
	case VOTERS_ADD:
		if (voters_ready(g))
			add_step(g, plan.node);
		return;
	}
}

void voters_tick(struct gossip *g)
{
	struct voters *v = &g->voters;
	uint32_t members = members_active(g);
	if (g->now.boot < v->look_at && v->look_at != NEVER && members == v->members_seen)
		return;
	v->members_seen = members;
	forget_going(g);
	if (lease_acts(g, &g->now) && g->hand_over.offered_to == 0 && !g->life.stop_asked)
		change_step(g);
	v->look_at = g->now.boot + (v->settled ? LOOK_SETTLED : LOOK_EVERY);
}

/* While nothing is to be done, a look with every renewal is often enough. */
instant voters_deadline(const struct gossip *g)
{
	return g->lease.phase != PHASE_MASTER || g->voters.settled ? NEVER : g->voters.look_at;
}

/* ---- going ---- */

static enum voters_going refuse(struct gossip *g, node_id node, const struct voters_plan *plan,
                                struct error *why)
{
	const char *name = gossip_name(g, node);
	if (plan->move != VOTERS_STUCK) {
		core_trace(g, RULE_NODE_STAYS, node, 0, 0, 0, 0);
		error_set(why, 0,
		          "'%s' cannot go: no member that can be master would remain; "
		          "let another node join first",
		          name);
		return VOTERS_STAYS;
	}
	core_trace(g, RULE_VOTER_STAYS, node, 0, plan->answering, plan->needed, 0);
	error_set(why, 0,
	          "'%s' cannot go now: of the voters that would remain %u answer and %u are "
	          "needed; bring back or remove who does not answer first (essaim node list)",
	          name, plan->answering, plan->needed);
	return VOTERS_STAYS;
}

/* With that member gone already, as far as the plan is concerned. */
static void facts_without(const struct gossip *g, node_id node, struct voter_facts *out)
{
	voters_facts(g, out);
	for (uint32_t i = 0; i < out->count; i++) {
		struct voter_fact *f = &out->list[i];
		if (f->node != node || !f->staying)
			continue;
		f->staying = false;
		out->nodes -= !f->witness;
		out->witnesses -= f->witness;
	}
}

enum voters_going voters_let_go(struct gossip *g, node_id node, struct error *why)
{
	struct voter_facts facts;
	struct voters_plan plan = {0};
	bool votes = config_position(&g->durable.config, node) >= 0;
	facts_without(g, node, &facts);
	if (facts.nodes == 0)
		return refuse(g, node, &plan, why);
	if (!votes)
		return VOTERS_GONE;
	struct voter_going *v = note_going(g, node);
	if (v == NULL || voters_can_go(&facts, node, &plan)) {
		if (v != NULL)
			v->stuck_since = 0;
		return VOTERS_GOING;
	}
	if (v->stuck_since == 0)
		v->stuck_since = g->now.boot;
	if (g->now.boot - v->stuck_since < STUCK_PATIENCE)
		return VOTERS_GOING;
	*v = (struct voter_going){0};
	return refuse(g, node, &plan, why);
}
