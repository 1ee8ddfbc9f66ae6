#include "voters.h"

#include "core.h"

#define LOOK_EVERY (100 * MILLISECOND)
#define TRAINING_PATIENCE (10 * SECOND)
#define DROPPING_PATIENCE (30 * SECOND)

void voters_init(struct gossip *g)
{
	g->voters.look_at = NEVER;
}

uint32_t voters_wanted(const struct gossip *g)
{
	uint32_t active = members_active(g);
	return active < VOTERS_WANTED ? active : VOTERS_WANTED;
}

static bool going(const struct gossip *g, node_id node)
{
	return !member_active(g, node) || (node == g->voters.dropping && node != 0);
}

/* The voter that should go first: one that is no member any more, or was asked to go. */
static node_id leaver(const struct gossip *g)
{
	const struct config *c = &g->durable.config;
	for (uint32_t i = 0; i < c->voter_count; i++) {
		if (c->voters[i] != g->self && going(g, c->voters[i]))
			return c->voters[i];
	}
	return 0;
}

/* In the order of admission: the first reachable member that is no voter yet. */
static node_id newcomer(const struct gossip *g)
{
	for (uint32_t i = 0; i < g->membership.count; i++) {
		node_id id = member_id_at(g, i);
		if (id != 0 && id != g->self && id != g->voters.passed_over && !going(g, id) &&
		    config_position(&g->durable.config, id) < 0 && member_reachable(g, id, false))
			return id;
	}
	return 0;
}

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

/*
 * How far a voter's log goes; 0 if it has been silent for a lease: a set is changed towards voters that
 * vote, never towards one that is mute or dead and merely held everything once.
 */
static uint64_t match_of(const struct gossip *g, node_id node)
{
	for (int i = 0; i < FOLLOWERS_MAX; i++) {
		const struct follower *f = &g->lease.followers[i];
		if (f->node == node)
			return g->now.boot - f->answered_at <= g->durable.config.lease ? f->match : 0;
	}
	return 0;
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
	c->witnesses = (c->witnesses & below) | (c->witnesses & ~below) << 1 | (uint32_t)witness << at;
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

/* R4: one voter of difference, the master stays in. A NOOP carries the config to the learners. */
static void install(struct gossip *g, const struct config *next, node_id node, enum rule rule)
{
	struct command noop = {.kind = COMMAND_NOOP, .judged_wall = g->now.wall,
		.if_version = NO_VERSION};
	core_trace(g, rule, node, 0, next->voter_count, 0, 0);
	g->voters.training = 0;
	g->voters.passed_over = 0;
	voter_adopt_config(g, next);
	master_follow(g);
	master_round(g);
	master_propose(g, &noop);
}

static void train(struct gossip *g, node_id node)
{
	g->voters.training = node;
	g->voters.training_since = g->now.boot;
	core_trace(g, RULE_VOTER_LEARNS, node, 0, 0, 0, 0);
	master_follow(g);
	master_round(g);
}

static void give_up_training(struct gossip *g)
{
	g->voters.passed_over = g->voters.training;
	g->voters.training = 0;
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
	if (learnt && carried(g, &next))
		install(g, &next, node, RULE_VOTER_ADDED);
	else if (g->now.boot - g->voters.training_since > TRAINING_PATIENCE)
		give_up_training(g);
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
	if (carried(g, &next))
		install(g, &next, node, RULE_VOTER_DROPPED);
}

static void change_step(struct gossip *g)
{
	node_id out = leaver(g);
	node_id in = g->voters.training != 0 && !going(g, g->voters.training) ? g->voters.training
	                                                                       : newcomer(g);
	bool grow = in != 0 && g->durable.config.voter_count < voters_wanted(g);
	if (out == 0 && !grow) {
		g->voters.passed_over = 0;
		return;
	}
	if (!ballot_equal(&g->durable.config.ballot, &g->lease.ballot) && !WEAKENED(g, WEAK_R1_REWRITE))
		rewrite(g);
	else if (!certified(g))
		return;
	else if (out != 0)
		drop_step(g, out);
	else
		add_step(g, in);
}

void voters_tick(struct gossip *g)
{
	struct voters *v = &g->voters;
	if (g->now.boot < v->look_at && v->look_at != NEVER)
		return;
	v->look_at = g->now.boot + LOOK_EVERY;
	if (v->dropping != 0 && g->now.boot >= v->dropping_until)
		v->dropping = 0;
	if (lease_acts(g, &g->now) && g->lease.offered_to == 0 && !g->life.stop_asked)
		change_step(g);
}

instant voters_deadline(const struct gossip *g)
{
	const struct config *c = &g->durable.config;
	bool settled = c->voter_count >= voters_wanted(g) && leaver(g) == 0 && g->voters.training == 0;
	return g->lease.phase != PHASE_MASTER || settled ? NEVER : g->voters.look_at;
}

bool voters_let_go(struct gossip *g, node_id node)
{
	if (config_position(&g->durable.config, node) < 0)
		return true;
	if (g->voters.dropping != node)
		g->voters.look_at = g->now.boot;
	g->voters.dropping = node;
	g->voters.dropping_until = g->now.boot + DROPPING_PATIENCE;
	return false;
}
