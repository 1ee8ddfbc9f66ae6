#include "paths_inside.h"

#include "text.h"

#define MISSES_DOWN 4 /* one in 10,000 probes at a loss of 5 % each way */
#define RACE (20 * MILLISECOND) /* the slower of two that were asked at once gets so much longer */
#define SILENT (100 * MILLISECOND)
#define HOLD SECOND /* between two moves after the peer; twice that for the higher id: no dance */
#define HURRY 8     /* idle paths in one turn, while something changes */

void paths_init(struct gossip *g, struct carve *memory)
{
	struct paths *p = carve(memory, sizeof *p);
	struct path_set *sets = carve(memory, sizeof *sets * g->membership.capacity);
	if (p != NULL)
		p->sets = sets;
	g->membership.paths = p;
}

static void probe_by(struct gossip *g, const struct path_set *s, uint32_t path)
{
	struct promise_due *due = path_due(g, s->slot, path);
	if (due != NULL && due->probe)
		return; /* one is under way */
	struct way way = way_of(s, path);
	probe_way(g, member_of(g, s), &way);
}

/* ---- choosing ---- */

/* Straight pairs first: first network to first, second to second. */
static uint32_t order_of(uint32_t path)
{
	bool straight = path / ADDRESSES_MAX == path % ADDRESSES_MAX;
	return (straight ? 0 : PATHS_MAX) + path;
}

static bool better(const struct path_set *s, uint32_t a, uint32_t b)
{
	const struct path *x = &s->paths[a], *y = &s->paths[b];
	if (path_trusted(x) != path_trusted(y))
		return path_trusted(x);
	if (x->misses != y->misses)
		return x->misses < y->misses;
	/* twice as fast is another network; less is chance */
	if (x->round_trip_us != 0 && x->round_trip_us < y->round_trip_us / 2)
		return true;
	if (y->round_trip_us != 0 && y->round_trip_us < x->round_trip_us / 2)
		return false;
	return order_of(a) < order_of(b);
}

/* The best but `not_this`; NO_PATH if there is no other. */
uint32_t path_best(const struct gossip *g, const struct path_set *s, uint32_t not_this)
{
	uint32_t best = NO_PATH;
	for (uint32_t i = 0; i < PATHS_MAX; i++) {
		if (i == not_this || !path_usable(g, s, i))
			continue;
		if (best == NO_PATH || better(s, i, best))
			best = i;
	}
	return best;
}

void path_use(struct member *m, struct path_set *s, uint32_t path)
{
	struct way way = way_of(s, path);
	s->used = (uint8_t)path;
	m->path = (uint8_t)way.path;
	m->address = way.to;
}

static void move(struct gossip *g, struct member *m, struct path_set *s, uint32_t path)
{
	path_use(m, s, path);
	s->moved = g->now.boot;
	if (m->state == REACHABLE || m->state == SUSPECT)
		path_trace(g, RULE_PATH_MOVED, m, s, path);
}

/* ---- a path's state ---- */

static void changed(struct gossip *g)
{
	struct paths *p = g->membership.paths;
	p->fact_old = true;
	p->hurry = p->live * paths_local_count(g) * 2;
}

static void path_down(struct gossip *g, struct member *m, struct path_set *s, uint32_t path)
{
	s->paths[path].state = PATH_DOWN;
	g->membership.paths->down++;
	path_trace(g, path_is_cross(g, s, path) ? RULE_CROSS_DOWN : RULE_PATH_DOWN, m, s, path);
	changed(g);
	struct effect *effect = effects_add(&g->out, EFFECT_PATH_DOWN);
	effect->path_down.node = m->id;
	effect->path_down.path = path / ADDRESSES_MAX;
	effect->path_down.address = s->remote.list[path % ADDRESSES_MAX];
}

void path_reset(struct gossip *g, struct path_set *s, uint32_t path)
{
	if (s->paths[path].state == PATH_DOWN) {
		g->membership.paths->down--;
		changed(g);
	}
	s->paths[path] = (struct path){.heard = s->paths[path].heard};
}

/* Did it answer by another path lately? */
static bool answers_elsewhere(const struct gossip *g, const struct path_set *s, uint32_t path)
{
	for (uint32_t i = 0; i < PATHS_MAX; i++) {
		if (i != path && path_usable(g, s, i) && path_trusted(&s->paths[i]) &&
		    g->now.boot - s->paths[i].heard < 2 * path_patience(g))
			return true;
	}
	return false;
}

/* Everything it might answer by, once. */
static void probe_others(struct gossip *g, const struct path_set *s, uint32_t not_this)
{
	for (uint32_t i = 0; i < PATHS_MAX; i++) {
		if (i != not_this && path_usable(g, s, i))
			probe_by(g, s, i);
	}
}

static void leave_path(struct gossip *g, struct member *m, struct path_set *s)
{
	uint32_t other = path_best(g, s, s->used);
	if (other == NO_PATH)
		return;
	if (path_trusted(&s->paths[other])) {
		move(g, m, s, other);
		probe_by(g, s, other); /* is it really better? */
	} else {
		probe_others(g, s, s->used);
	}
}

static void missed(struct gossip *g, struct member *m, struct path_set *s, uint32_t path)
{
	struct path *p = &s->paths[path];
	if (p->misses < UINT8_MAX)
		p->misses++;
	if (path == s->used)
		leave_path(g, m, s);
	if (p->misses < MISSES_DOWN) {
		probe_by(g, s, path);
		uint32_t other = path_best(g, s, path);
		if (other != NO_PATH)
			probe_by(g, s, other); /* silent is one path, or all */
	} else if (p->state != PATH_DOWN && answers_elsewhere(g, s, path)) {
		path_down(g, m, s, path);
	} else if (p->state != PATH_DOWN) {
		p->misses = 1; /* the member may be what is silent: judged anew at its next turn */
	}
}

static void note_round_trip(struct gossip *g, struct path *p, const struct promise_due *due,
                            const struct envelope *e)
{
	duration held = e->kind == MESSAGE_ACK ? e->ack.sent_wall - e->ack.received_wall : 0;
	duration took = g->now.boot - due->since;
	if (held > 0 && held < took)
		took -= held;
	uint32_t us = took < SECOND ? (uint32_t)(took / MICROSECOND) : 1000000;
	p->round_trip_us = us == 0 ? 1 : us;
}

/* It answers by this path. If the one in use was asked before, it gets a moment more, no patience. */
static void proven(struct gossip *g, struct member *m, struct path_set *s, uint32_t path,
                   const struct envelope *e)
{
	struct path *p = &s->paths[path];
	struct promise_due *due = path_due(g, s->slot, path);
	if (due != NULL) {
		if (due->probe)
			note_round_trip(g, p, due, e);
		path_due_end(g, due);
	}
	if (p->state == PATH_DOWN) {
		g->membership.paths->down--;
		path_trace(g, path_is_cross(g, s, path) ? RULE_CROSS_UP : RULE_PATH_UP, m, s, path);
		changed(g);
	}
	p->state = PATH_UP;
	p->misses = 0;
	due = path == s->used ? NULL : path_due(g, s->slot, s->used);
	if (due != NULL && due->probe)
		due->due = instant_min(due->due, g->now.boot + RACE);
}

/* ---- hearing ---- */

/* Where nobody said it would be: behind a translator, or moved. The newest such place is kept. */
static uint32_t learn(struct gossip *g, struct member *m, struct path_set *s,
                      const struct way *from)
{
	if (!s->learned && s->remote.count == ADDRESSES_MAX)
		return NO_PATH;
	s->remote.count += !s->learned;
	s->learned = true;
	uint32_t remote = s->remote.count - 1;
	s->remote.list[remote] = from->to;
	for (uint32_t i = 0; i < ADDRESSES_MAX; i++) {
		path_reset(g, s, path_of(i, remote));
		s->paths[path_of(i, remote)].heard = 0;
	}
	path_use(m, s, s->used); /* it may have been that place */
	uint32_t path = path_of(from->path, remote);
	return path_usable(g, s, path) ? path : NO_PATH;
}

/* Greetings and probes go by every path: they say nothing of where the peer's traffic goes. */
static bool is_traffic(enum message_kind kind)
{
	return kind != MESSAGE_HELLO && kind != MESSAGE_WELCOME && kind != MESSAGE_PROBE &&
	       kind != MESSAGE_ACK;
}

/* Peers that send by different paths would for ever wonder why no answer comes by theirs. */
static void follow(struct gossip *g, struct member *m, struct path_set *s, uint32_t path)
{
	duration hold = m->id < g->self ? 2 * HOLD : HOLD;
	if (path == s->used)
		s->agreed = g->now.boot;
	else if (path_trusted(&s->paths[path]) && g->now.boot - s->agreed > SILENT &&
	         g->now.boot - s->moved > hold)
		move(g, m, s, path);
}

/* It is there, by whatever path: can the one in use be trusted? */
static void settle(struct gossip *g, struct member *m, struct path_set *s, uint32_t path)
{
	const struct path *used = &s->paths[s->used];
	if (path == s->used || path_trusted(used))
		return;
	if (used->state == PATH_UNKNOWN && used->misses == 0)
		probe_by(g, s, s->used); /* first come is not best: it gets its chance */
	else if (path_trusted(&s->paths[path]))
		move(g, m, s, path);
}

void paths_heard(struct gossip *g, struct member *m, const struct way *from, bool newest,
                 const struct envelope *e)
{
	struct path_set *s = set_of(g, m);
	if (s == NULL) {
		if (newest) { /* sealed and newer than anything: it is there now */
			m->address = from->to;
			m->path = (uint8_t)from->path;
		}
		return;
	}
	uint32_t path = path_find(g, s, from);
	if (path == NO_PATH && newest)
		path = learn(g, m, s, from);
	if (path == NO_PATH)
		return;
	s->paths[path].heard = g->now.boot;
	if (e->kind == MESSAGE_ACK || e->kind == MESSAGE_WELCOME)
		proven(g, m, s, path, e);
	else if (!path_trusted(&s->paths[path]))
		probe_by(g, s, path); /* half of it works: perhaps it is back */
	settle(g, m, s, path);
	if (newest && is_traffic(e->kind))
		follow(g, m, s, path);
}

/* ---- sending ---- */

/* What a healthy peer answers at once. */
static bool is_question(enum message_kind kind)
{
	return kind == MESSAGE_PREPARE || kind == MESSAGE_ACCEPT || kind == MESSAGE_OFFER ||
	       kind == MESSAGE_FETCH || kind == MESSAGE_REQUEST;
}

void paths_sent(struct gossip *g, struct member *m, const struct way *by, enum message_kind kind)
{
	struct path_set *s = set_of(g, m);
	uint32_t path = s == NULL ? NO_PATH : path_find(g, s, by);
	if (path == NO_PATH)
		return;
	if (kind == MESSAGE_PROBE)
		path_expect(g, s, path, true);
	else if (is_question(kind))
		path_expect(g, s, path, false);
}

bool paths_refused(struct gossip *g, struct member *m, const struct address *from)
{
	struct path_set *s = set_of(g, m);
	if (s == NULL)
		return false;
	for (uint32_t i = 0; i < PATHS_MAX; i++) {
		struct path *p = &s->paths[i];
		if (path_usable(g, s, i) && p->misses == 0 &&
		    address_equal(&s->remote.list[i % ADDRESSES_MAX], from))
			p->misses = 1;
	}
	if (!path_trusted(&s->paths[s->used]))
		leave_path(g, m, s);
	return path_trusted(&s->paths[s->used]);
}

/* ---- time ---- */

/* Nothing came back by it in time. */
static void broken(struct gossip *g, const struct promise_due *due)
{
	struct member *m = &g->membership.members[due->slot - 1];
	struct path_set *s = set_of(g, m);
	if (s == NULL)
		return;
	if (due->probe) {
		missed(g, m, s, due->path); /* even if it was heard: our probe, or its ack, was not */
		return;
	}
	if (s->paths[due->path].heard > due->since)
		return;
	probe_by(g, s, due->path);
	uint32_t other = path_best(g, s, due->path);
	if (other != NO_PATH)
		probe_by(g, s, other);
}

void paths_tick(struct gossip *g)
{
	struct paths *p = g->membership.paths;
	for (uint32_t i = 0; i < PROMISES_MAX && p->open > 0; i++) {
		if (p->promises[i].slot == 0 || g->now.boot < p->promises[i].due)
			continue;
		struct promise_due due = p->promises[i];
		path_due_end(g, &p->promises[i]);
		broken(g, &due);
	}
}

instant paths_deadline(const struct gossip *g)
{
	const struct paths *p = g->membership.paths;
	instant at = NEVER;
	for (uint32_t i = 0, left = p->open; left > 0; i++) {
		if (p->promises[i].slot == 0)
			continue;
		at = instant_min(at, p->promises[i].due);
		left--;
	}
	return at;
}

/* The next path in turn that nothing else is sent by. */
static void probe_idle(struct gossip *g)
{
	struct paths *p = g->membership.paths;
	for (uint32_t tries = p->count * PATHS_MAX; tries > 0; tries--) {
		p->cursor = (p->cursor + 1) % (p->count * PATHS_MAX);
		const struct path_set *s = &p->sets[p->cursor / PATHS_MAX];
		uint32_t path = p->cursor % PATHS_MAX;
		if (s->slot == 0 || path == s->used || !path_usable(g, s, path))
			continue;
		enum reachability state = member_of(g, s)->state;
		if (state != REACHABLE && state != SUSPECT)
			continue;
		probe_by(g, s, path);
		return;
	}
}

void paths_turn(struct gossip *g)
{
	struct paths *p = g->membership.paths;
	uint32_t turns = p->hurry > 0 ? HURRY : 1;
	p->hurry -= p->hurry < HURRY ? p->hurry : HURRY;
	while (p->live > 0 && turns-- > 0)
		probe_idle(g);
	paths_say(g);
}
