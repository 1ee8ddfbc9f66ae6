#include "learner.h"

#include "core.h"

#define FETCH_AGAIN (200 * MILLISECOND)
#define VOTER_WAITS (300 * MILLISECOND) /* its master's ACCEPTs usually bring it */
#define PUSH_EVERY (20 * MILLISECOND)
#define PUSH_EVERY_MEMBER (200 * MICROSECOND) /* a thousand who join: all push all the time */
#define PUSH_TO 4
#define CHUNK_MAX (256 * 1024)

void learner_init(struct gossip *g, struct carve *memory)
{
	g->learner.capacity = g->settings.ledger_bytes;
	g->learner.buffer = carve(memory, g->learner.capacity);
	g->learner.fetch_at = g->learner.push_at = NEVER;
}

/* ---- asking ---- */

static bool fed_by_master(const struct gossip *g)
{
	return config_position(&g->durable.config, g->self) >= 0 || g->lease.grant.live;
}

void learner_hint(struct gossip *g, node_id from, uint64_t commit)
{
	struct learner *l = &g->learner;
	if (commit <= g->log.commit || g->settings.membership_only || seize_frozen(g))
		return;
	bool was_behind = l->fetch_at != NEVER;
	if (commit >= l->target || l->source == 0) {
		l->target = commit;
		l->source = from;
	}
	if (was_behind)
		return;
	l->behind_since = g->now.boot;
	l->fetch_at = g->now.boot + (fed_by_master(g) && g->log.commit > 0 ? VOTER_WAITS : 0);
}

static void fetch(struct gossip *g)
{
	struct learner *l = &g->learner;
	struct envelope e = {.kind = MESSAGE_FETCH};
	if (!member_active(g, l->source) || !member_reachable(g, l->source, true))
		l->source = member_random(g, l->source);
	l->fetch_at = g->now.boot + FETCH_AGAIN;
	if (l->source == 0)
		return;
	e.fetch.applied = g->log.commit;
	if (l->index > g->log.commit && l->from == l->source) {
		e.fetch.snapshot_index = l->index;
		e.fetch.snapshot_offset = l->offset;
	}
	core_send(g, l->source, &e);
}

static void caught_up(struct gossip *g, node_id from)
{
	struct learner *l = &g->learner;
	if (g->log.commit < l->target) {
		l->fetch_at = g->now.boot; /* more to come */
		return;
	}
	if (l->fetch_at != NEVER)
		core_trace(g, RULE_CAUGHT_UP, g->self, from, (int64_t)g->log.commit, 0, 0);
	l->fetch_at = NEVER;
	l->source = 0;
}

/* ---- serving ---- */

static void serve_snapshot(struct gossip *g, node_id to, const struct fetch *m)
{
	struct ledger *d = &g->ledger;
	struct envelope e = {.kind = MESSAGE_SNAPSHOT};
	uint64_t offset = m->snapshot_offset;
	if (m->snapshot_index == 0 || m->snapshot_index != d->snapshot_index ||
	    offset > d->snapshot_size) {
		ledger_pin_snapshot(g);
		offset = 0;
	}
	uint64_t left = d->snapshot_size - offset;
	e.snapshot = (struct snapshot){.index = d->snapshot_index,
		.ballot = d->snapshot_ballot,
		.config = g->durable.config,
		.epoch = d->snapshot_epoch,
		.claimant = d->snapshot_claimant,
		.offset = offset,
		.total = d->snapshot_size,
		.chunk = {d->snapshot + offset, left < CHUNK_MAX ? left : CHUNK_MAX}};
	core_send(g, to, &e);
}

static void serve_entries(struct gossip *g, node_id to, uint64_t applied)
{
	struct envelope e = {.kind = MESSAGE_ENTRIES};
	struct entry *list = g->lease.list;
	size_t size = 0;
	uint32_t count = 0;
	for (uint64_t i = applied + 1; i <= g->log.commit && count < ENTRIES_PER_MESSAGE_MAX; i++) {
		bool there = log_get(&g->log, i, &list[count]);
		assert(there);
		size += list[count].command.size;
		if (size > ENTRIES_BYTES_MAX)
			break;
		count++;
	}
	e.entries = (struct entries){g->log.commit, g->durable.config, count, list};
	core_send(g, to, &e);
}

void learner_on_fetch(struct gossip *g, node_id from, const struct fetch *m)
{
	if (m->applied >= g->log.commit)
		return;
	if (m->applied + 1 >= g->log.first)
		serve_entries(g, from, m->applied);
	else
		serve_snapshot(g, from, m);
}

/* ---- taking ---- */

static void take_config(struct gossip *g, const struct config *config)
{
	const struct config *ours = &g->durable.config;
	if (WEAKENED(g, WEAK_V1_ORDER) && config->version < ours->version)
		return;
	if (config->voter_count > 0 &&
	    config_compare(&config->ballot, config->version, &ours->ballot, ours->version) > 0)
		voter_adopt_config(g, config);
}

static bool take_one(struct gossip *g, const struct entry *e)
{
	struct entry stored;
	struct ballot label = e->ballot, ours = log_ballot(&g->log, e->index);
	if (e->index <= g->log.last && ballot_compare(&ours, &label) > 0)
		label = ours; /* never lower a slot's ballot */
	if (e->index > g->log.last + 1 || !log_put(&g->log, e->index, &label, e->command))
		return false;
	bool there = log_get(&g->log, e->index, &stored);
	assert(there);
	persist_entry(g, e->index, &label, stored.command);
	return true;
}

bool learner_take(struct gossip *g, const struct entry *entries, uint32_t count, uint64_t commit)
{
	uint64_t known = g->log.commit;
	for (uint32_t i = 0; i < count; i++) {
		const struct entry *e = &entries[i];
		if (e->index <= known)
			continue;
		if (e->index != known + 1 || e->index > commit || !take_one(g, e))
			return false;
		known = e->index;
		g->log.commit = known;
		/* apply as we go: the window need only hold what is not applied */
		if (!log_fits(&g->log, COMMAND_MAX_SIZE))
			ledger_catch_up(g);
	}
	ledger_catch_up(g);
	return true;
}

void learner_on_entries(struct gossip *g, node_id from, const struct entries *m)
{
	if (seize_frozen(g))
		return; /* what it has was told already */
	take_config(g, &m->config);
	if (g->lease.phase == PHASE_MASTER || g->lease.phase == PHASE_CLAIMING)
		return; /* our own ballot's commits are counted by ourselves */
	learner_take(g, m->entries, m->entry_count, m->commit);
	caught_up(g, from);
}

static void install(struct gossip *g, node_id from, const struct snapshot *m)
{
	struct learner *l = &g->learner;
	struct bytes state = {l->buffer, l->total};
	l->index = 0;
	if (g->lease.phase != PHASE_IDLE || !ledger_install(g, m, state))
		return;
	take_config(g, &m->config);
	core_trace(g, RULE_SNAPSHOT_TAKEN, g->self, from, (int64_t)m->index, 0, 0);
	learner_advanced(g);
	caught_up(g, from);
}

void learner_on_snapshot(struct gossip *g, node_id from, const struct snapshot *m)
{
	struct learner *l = &g->learner;
	if (seize_frozen(g) || m->index <= g->log.applied || m->total > l->capacity)
		return;
	if (m->offset == 0) {
		l->index = m->index;
		l->from = from;
		l->total = m->total;
		l->offset = 0;
	}
	if (m->index != l->index || from != l->from || m->offset != l->offset ||
	    m->total != l->total || m->chunk.size > l->total - l->offset)
		return;
	if (m->chunk.size > 0)
		memcpy(l->buffer + l->offset, m->chunk.data, m->chunk.size);
	l->offset += m->chunk.size;
	if (l->offset == l->total)
		install(g, from, m);
	else
		l->fetch_at = g->now.boot;
}

void learner_forget(struct gossip *g)
{
	struct learner *l = &g->learner;
	l->target = g->log.commit;
	l->source = 0;
	l->index = 0;
	l->fetch_at = NEVER;
}

/* ---- telling others ---- */

void learner_advanced(struct gossip *g)
{
	struct learner *l = &g->learner;
	if (l->push_at != NEVER)
		return;
	instant again = l->pushed_at + swarm_gap(g, PUSH_EVERY, PUSH_EVERY_MEMBER);
	l->push_at = g->now.boot + PUSH_EVERY;
	if (l->push_at < again)
		l->push_at = again;
}

/* Our commit rides in every header: an empty gossip message to a few is enough. */
static void push(struct gossip *g)
{
	struct learner *l = &g->learner;
	l->push_at = NEVER;
	if (l->pushed == g->log.commit || members_active(g) <= g->durable.config.voter_count)
		return;
	l->pushed = g->log.commit;
	l->pushed_at = g->now.boot;
	for (int i = 0; i < PUSH_TO; i++) {
		struct envelope e = {.kind = MESSAGE_GOSSIP};
		node_id to = member_random(g, 0);
		if (to != 0 && member_commit(g, to) < g->log.commit)
			core_send(g, to, &e);
	}
}

void learner_tick(struct gossip *g)
{
	struct learner *l = &g->learner;
	if (!life_member(g))
		return;
	if (l->fetch_at != NEVER && g->log.commit >= l->target)
		caught_up(g, l->source);
	if (g->now.boot >= l->fetch_at)
		fetch(g);
	if (g->now.boot >= l->push_at)
		push(g);
	if (g->log.applied < g->log.commit)
		ledger_catch_up(g); /* what a snapshot left for the next step */
}

instant learner_deadline(const struct gossip *g)
{
	if (!life_member(g))
		return NEVER;
	return instant_min(g->learner.fetch_at, g->learner.push_at);
}
