#include "life.h"

#include "core.h"
#include "text.h"

#define JOIN_PATIENCE (12 * SECOND)
#define DIAL_AGAIN (150 * MILLISECOND)
#define BUSY_FIRST (100 * MILLISECOND)
#define BUSY_DOUBLINGS 6
#define BUSY_PATIENCE (600 * SECOND)
#define KNOCK_PATIENCE (3 * SECOND)
#define STOP_PATIENCE (400 * MILLISECOND)
#define START_AGAIN (2 * SECOND)
#define STOP_LINGER (2 * MILLISECOND)

bool life_member(const struct gossip *g)
{
	return g->standing == STANDING_MEMBER || g->standing == STANDING_LEAVING;
}

static void outcome(struct gossip *g, bool done, struct bytes text)
{
	if (!g->life.outcome_wanted)
		return;
	g->life.outcome_wanted = false;
	struct effect *effect = effects_add(&g->out, EFFECT_OUTCOME);
	effect->outcome.done = done;
	effect->outcome.text = effects_copy(&g->out, text);
}

void life_name(struct gossip *g, const char *name)
{
	size_t size = text_size(name);
	assert(size > 0 && size <= NAME_MAX_SIZE);
	memset(g->durable.name, 0, sizeof g->durable.name);
	memcpy(g->durable.name, name, size);
}

static void end_now(struct gossip *g, enum standing as)
{
	struct effect *effect = effects_add(&g->out, EFFECT_STOP);
	effect->stop.standing = as;
	g->standing = as;
	core_trace(g, RULE_STOPPED, g->self, 0, 0, 0, 0);
}

/* ---- starting ---- */

static void wait_until_durable(struct gossip *g)
{
	g->standing = STANDING_STARTING;
	persist_durable(g);
	g->life.starting_persist = persist_sync(g);
}

void life_write_generation(struct gossip *g)
{
	g->standing = STANDING_STARTING;
	g->life.starting_persist = generation_write(g);
}

void life_founded(struct gossip *g)
{
	g->life.founding = g->life.outcome_wanted = true;
	life_write_generation(g);
}

/* A new incarnation at every process start, durable before anything is sent. */
void life_start(struct gossip *g)
{
	if (g->durable.incarnation.number == 0)
		return; /* blank */
	if (rekey_is_ours(g, member_successor(g, g->self))) {
		g->life.stop_persist = 0; /* nothing was said under this key since the start */
		end_now(g, STANDING_REKEYED);
		return;
	}
	enum standing was = (enum standing)g->durable.standing;
	if (was == STANDING_LEFT || was == STANDING_REMOVED || was == STANDING_OLD_GENERATION) {
		g->standing = was;
		return;
	}
	g->durable.incarnation.number += !WEAKENED(g, WEAK_INCARNATION);
	if (WEAKENED(g, WEAK_PROMISED_VOLATILE))
		g->durable.promised = (struct ballot){0};
	g->durable.incarnation.nonce = g->settings.nonce;
	wait_until_durable(g);
}

static void become_member(struct gossip *g)
{
	g->standing = STANDING_MEMBER;
	core_trace(g, RULE_STARTED, g->self, 0, (int64_t)g->durable.incarnation.number, 0, 0);
	if (g->life.outcome_wanted)
		core_trace(g, g->life.founding ? RULE_FOUNDED : RULE_JOINED, g->self, 0, 0, 0, 0);
	lease_start(g);
	membership_start(g);
	outcome(g, true, (struct bytes){NULL, 0});
}

/* What was loaded is what the store has: only this start's record must be tried again. */
static void starting_failed(struct gossip *g)
{
	static const char why[] = "the store cannot be written";
	g->life.start_again = g->now.boot + START_AGAIN;
	if (!g->life.outcome_wanted)
		return;
	outcome(g, false, text_bytes(why));
	end_now(g, STANDING_STOPPED); /* nothing was founded or joined: the next start is blank */
}

void life_persisted(struct gossip *g, uint64_t number, bool failed)
{
	if (g->standing != STANDING_STARTING || number < g->life.starting_persist ||
	    g->life.start_again != 0)
		return;
	if (failed) {
		starting_failed(g);
		return;
	}
	g->store_failed = false;
	if (g->generation.entering) {
		g->standing = STANDING_MEMBER;
		generation_entered(g);
	} else {
		become_member(g);
	}
}

/* ---- founding ---- */

void life_outcome(struct gossip *g, const char *why)
{
	g->life.outcome_wanted = true;
	outcome(g, false, text_bytes(why));
}

static void refuse_not_blank(struct gossip *g)
{
	life_outcome(g, "this node belongs to a cluster already, or is joining one");
}

static void found_generation(struct gossip *g)
{
	uint8_t record[CLUSTER_ID_SIZE + NODE_KEY_SIZE];
	memcpy(record, g->durable.cluster.bytes, CLUSTER_ID_SIZE);
	memcpy(record + CLUSTER_ID_SIZE, g->settings.keys.public_key.bytes, NODE_KEY_SIZE);
	g->durable.generation.number = 1;
	hash_bytes(g->settings.seal, record, sizeof record, &g->durable.generation.hash);
}

static void own_record(const struct gossip *g, struct member_record *out)
{
	*out = (struct member_record){.key = g->settings.keys.public_key,
		.name = text_bytes(g->durable.name),
		.address = g->settings.address,
		.more = g->settings.more,
		.role = (enum role)g->durable.role,
		.wire_min = WIRE_VERSION_MIN,
		.wire_max = g->settings.wire_max,
		.incarnation = g->durable.incarnation.number};
}

void life_found_rows(struct gossip *g)
{
	uint8_t key[9];
	struct member_row row = {.state = MEMBER_ACTIVE, .changed_index = g->log.last,
		.changed_wall = g->now.wall};
	own_record(g, &row.record);
	size_t size = member_row_encode(&row, g->ledger.value, VALUE_MAX_SIZE);
	bool put = rows_put(&g->rows, row_key_id(key, 'm', g->self),
	                    (struct bytes){g->ledger.value, size}, true);
	assert(put); /* into a ledger that is empty, or was restored with room to spare */
	level_found(g);
	g->ledger.members = 1;
	members_put(g, &row);
}

/* Entry 1 of every ledger is its founding: nobody has it but in a snapshot. */
static void found_ledger(struct gossip *g)
{
	log_reset(&g->log, 1);
	life_found_rows(g);
	ledger_checkpoint(g);
}

void life_init(struct gossip *g, const struct input *input)
{
	if (g->standing != STANDING_BLANK || g->generation.restoring) {
		refuse_not_blank(g);
		return;
	}
	struct durable *d = &g->durable;
	*d = (struct durable){.cluster = input->init.cluster, .role = ROLE_NODE};
	d->incarnation = (struct incarnation){1, g->settings.nonce};
	life_name(g, input->init.name);
	found_generation(g);
	config_times(&d->config, input->init.profile);
	d->config.version = 1;
	d->config.voter_count = 1;
	d->config.voters[0] = g->self;
	g->life.founding = g->life.outcome_wanted = true;
	found_ledger(g);
	wait_until_durable(g);
}

/* ---- joining ---- */

static void join_failed(struct gossip *g, struct bytes why)
{
	core_trace(g, RULE_JOIN_FAILED, g->self, 0, 0, 0, 0);
	g->standing = STANDING_BLANK;
	memset(&g->durable, 0, sizeof g->durable);
	g->life.stream = 0;
	outcome(g, false, why);
}

static void no_address_answered(struct gossip *g)
{
	static const char why[] =
	    "no address answered as a member that knows the token: check address, port and token";
	struct life *l = &g->life;
	if (g->now.boot >= l->knock_until) {
		join_failed(g, text_bytes(why));
		return;
	}
	l->address_next = 0;
	l->dial_at = g->now.boot + DIAL_AGAIN;
}

static void dial_next(struct gossip *g)
{
	struct life *l = &g->life;
	l->dial_at = NEVER;
	if (l->address_next >= l->address_count) {
		no_address_answered(g);
		return;
	}
	struct effect *effect = effects_add(&g->out, EFFECT_DIAL);
	effect->dial.dial = ++l->dial;
	effect->dial.address = l->addresses[l->address_next++];
	effect->dial.token = l->token;
	effect->dial.cluster = g->durable.cluster;
	effect->dial.token_hash = l->token_hash;
}

void life_join(struct gossip *g, const struct input *input)
{
	struct life *l = &g->life;
	if (g->standing != STANDING_BLANK || g->generation.restoring) {
		refuse_not_blank(g);
		return;
	}
	g->durable = (struct durable){.cluster = input->join.cluster, .role = input->join.role};
	g->durable.incarnation = (struct incarnation){1, g->settings.nonce};
	life_name(g, input->join.name);
	l->token = input->join.token;
	l->token_hash = input->join.token_hash;
	l->address_count = input->join.address_count < JOIN_ADDRESSES_MAX ? input->join.address_count
	                                                                  : JOIN_ADDRESSES_MAX;
	memcpy(l->addresses, input->join.addresses, l->address_count * sizeof l->addresses[0]);
	l->address_next = 0;
	l->join_until = g->now.boot + JOIN_PATIENCE;
	l->knock_until = g->now.boot + KNOCK_PATIENCE;
	l->busy_until = g->now.boot + BUSY_PATIENCE;
	l->busy = 0;
	l->stream = 0;
	l->founding = false;
	l->outcome_wanted = true;
	g->standing = STANDING_JOINING;
	dial_next(g);
}

static void say_join(struct gossip *g)
{
	uint8_t statement[STATEMENT_MAX];
	struct envelope e = {.kind = MESSAGE_JOIN};
	e.join.token = g->life.token;
	e.join.sent_wall = g->now.wall;
	own_record(g, &e.join.member);
	size_t size =
	    member_statement(&g->durable.cluster, g->life.token, &e.join.member, statement);
	statement_sign(g->settings.seal, &g->settings.keys, statement, size,
	               e.join.member.signature);
	core_send_stream(g, g->life.stream, &e, false);
}

void life_dialed(struct gossip *g, const struct input *input)
{
	struct life *l = &g->life;
	if (g->standing != STANDING_JOINING || input->dialed.dial != l->dial || l->dial_at != NEVER)
		return;
	if (l->stream != 0) { /* asking again tells: the same node is admitted once */
		core_trace(g, RULE_JOIN_LOST, g->self, 0, 0, 0, 0);
		l->knock_until = l->join_until;
	}
	l->stream = input->dialed.stream;
	if (l->stream == 0)
		dial_next(g);
	else
		say_join(g);
}

/*
 * The peers we were told of go to the store as rows of index 0, so that a joiner that dies before
 * its first snapshot still knows whom to ask; the snapshot replaces them all.
 */
static void keep_peer(struct gossip *g, const struct peer_hint *peer)
{
	uint8_t key[9];
	struct member_row row = {.state = MEMBER_ACTIVE};
	row.record = (struct member_record){.key = peer->key,
		.name = peer->name,
		.address = peer->address,
		.more = peer->more,
		.wire_min = WIRE_VERSION_MIN,
		.wire_max = WIRE_VERSION_MIN}; /* not known yet */
	size_t size = member_row_encode(&row, g->ledger.value, VALUE_MAX_SIZE);
	rows_put(&g->rows, row_key_id(key, 'm', node_key_id(&peer->key)),
	         (struct bytes){g->ledger.value, size}, true);
	members_hint(g, peer);
}

/*
 * A member that many join at once admits them at its own pace: who comes later asks again, later each time.
 * If it cannot know whether the entry stands, asking again tells: the same node is admitted once.
 */
static bool ask_again_later(struct gossip *g, enum answer_code code)
{
	struct life *l = &g->life;
	if ((code != ANSWER_BUSY && code != ANSWER_UNKNOWN) || g->now.boot >= l->busy_until)
		return false;
	duration wait = BUSY_FIRST << l->busy;
	wait = wait / 2 + (duration)prng_below(&g->prng, (uint64_t)wait);
	l->busy += l->busy < BUSY_DOUBLINGS;
	l->stream = 0;
	l->address_next = 0;
	l->dial_at = g->now.boot + wait;
	l->join_until = l->dial_at + JOIN_PATIENCE;
	l->knock_until = l->dial_at + KNOCK_PATIENCE;
	core_trace(g, RULE_JOIN_WAITS, g->self, 0, 0, wait, 0);
	return true;
}

void life_on_joined(struct gossip *g, uint64_t stream, const struct joined *m)
{
	if (g->standing != STANDING_JOINING || stream != g->life.stream)
		return;
	if (ask_again_later(g, m->code))
		return;
	if (m->code != ANSWER_DONE) {
		join_failed(g, m->text);
		return;
	}
	g->durable.generation = m->generation;
	g->durable.config = m->config;
	for (uint32_t i = 0; i < m->peer_count; i++)
		keep_peer(g, &m->peers[i]);
	ledger_checkpoint(g);
	wait_until_durable(g);
}

/* ---- going ---- */

/* What must still reach the store goes first: rows, and how we ended. */
static void write_and_end(struct gossip *g, enum standing as)
{
	if (g->life.stop_persist != 0)
		return;
	g->life.stop_as = as;
	g->life.stop_by = g->now.boot + STOP_PATIENCE;
	if (as == STANDING_LEFT || as == STANDING_REMOVED || as == STANDING_OLD_GENERATION)
		g->durable.standing = (uint32_t)as;
	if (g->log.applied > g->ledger.checkpointed)
		ledger_checkpoint(g);
	persist_durable(g);
	g->life.stop_persist = persist_sync(g);
}

void life_stop(struct gossip *g)
{
	struct life *l = &g->life;
	if (l->stop_asked || l->stop_persist != 0)
		return;
	if (!life_member(g)) {
		end_now(g, STANDING_STOPPED);
		return;
	}
	core_trace(g, RULE_STOPPING, g->self, 0, 0, 0, 0);
	l->stop_asked = true;
	l->stop_by = g->now.boot + STOP_PATIENCE;
	hand_over_offer(g, 0);
}

void life_end(struct gossip *g, enum standing as)
{
	if (g->life.stop_persist != 0)
		return;
	if (as == STANDING_LEFT)
		membership_farewell(g, FAREWELL_LEFT);
	write_and_end(g, as);
	g->standing = STANDING_LEAVING;
}

void life_told_removed(struct gossip *g, node_id by, node_id successor)
{
	if (!life_member(g))
		return;
	if (successor == 0)
		core_trace(g, RULE_TOLD_REMOVED, g->self, by, 0, 0, 0);
	life_removed(g, successor);
}

void life_removed(struct gossip *g, node_id successor)
{
	if (rekey_is_ours(g, successor)) {
		route_rekeyed(g);
		life_end(g, STANDING_REKEYED);
		return;
	}
	if (successor != 0)
		core_trace(g, RULE_TOLD_REKEYED, g->self, 0, 0, 0, 0);
	life_end(g, STANDING_REMOVED);
}

#define STARTS_MAX ((uint64_t)1 << 32) /* nobody started so often in between: a lie */

/*
 * An old disk or a clone. The next start is above whatever the others know and may take part, but
 * what this key promised and accepted since is lost here: it never votes again.
 */
void life_told_old(struct gossip *g, node_id by, uint64_t known)
{
	if (!life_member(g) || known < g->durable.incarnation.number || g->durable.old_self ||
	    known - g->durable.incarnation.number > STARTS_MAX)
		return;
	g->durable.incarnation.number = known;
	g->durable.old_self = true;
	lease_mute_for_ever(g);
	core_trace(g, RULE_OLD_SELF, g->self, by, (int64_t)known, 0, 0);
	life_end(g, STANDING_STOPPED);
}

/* A master first hands over, or releases; a voter's last answers leave before it does. */
static void stop_step(struct gossip *g)
{
	struct lease *l = &g->lease;
	bool late = g->now.boot >= g->life.stop_by;
	if (l->phase == PHASE_MASTER && !late) {
		if (g->hand_over.offered_to == 0 && !hand_over_offer(g, 0))
			master_release(g);
		return;
	}
	if (l->phase == PHASE_MASTER)
		master_release(g);
	if (l->waiting_count > 0 && !late)
		return;
	membership_farewell(g, FAREWELL_STOPPING);
	write_and_end(g, STANDING_STOPPED);
}

void life_tick(struct gossip *g)
{
	struct life *l = &g->life;
	static const char why[] = "the member did not answer in time: is there a master?";
	if (g->standing == STANDING_JOINING && g->now.boot >= l->join_until)
		join_failed(g, text_bytes(why));
	if (g->standing == STANDING_JOINING && g->now.boot >= l->dial_at)
		dial_next(g);
	if (g->standing == STANDING_STARTING && l->start_again != 0 && g->now.boot >= l->start_again) {
		l->start_again = 0;
		if (g->generation.entering)
			life_write_generation(g);
		else
			wait_until_durable(g);
	}
	if (l->left && life_member(g))
		life_end(g, STANDING_LEFT);
	if (l->rekeyed && life_member(g))
		life_end(g, STANDING_REKEYED);
	if (l->stop_persist != 0) {
		if (g->persisted_number >= l->stop_persist || g->now.boot >= l->stop_by)
			end_now(g, l->stop_as);
		return;
	}
	if (l->stop_asked && life_member(g))
		stop_step(g);
}

instant life_deadline(const struct gossip *g)
{
	const struct life *l = &g->life;
	if (g->standing == STANDING_JOINING)
		return instant_min(l->join_until, l->dial_at);
	if (g->standing == STANDING_STARTING)
		return l->start_again != 0 ? l->start_again : NEVER;
	if (g->standing == STANDING_STOPPED || g->standing == STANDING_LEFT ||
	    g->standing == STANDING_REMOVED || g->standing == STANDING_REKEYED ||
	    g->standing == STANDING_OLD_GENERATION)
		return NEVER;
	if (l->stop_persist != 0)
		return l->stop_by;
	return l->stop_asked ? instant_min(l->stop_by, g->now.boot + STOP_LINGER) : NEVER;
}
