#include "member.h"
#include "addresses.h"
#include "paths.h"
#include "text.h"

/* ---- memory ---- */

static uint32_t index_size(uint32_t capacity)
{
	uint32_t size = 4;
	while (size < 2 * capacity)
		size *= 2;
	return size;
}

void membership_init(struct gossip *g, struct carve *memory)
{
	struct membership *s = &g->membership;
	s->capacity = g->settings.members_max;
	s->index_mask = index_size(s->capacity) - 1;
	s->members = carve(memory, sizeof *s->members * s->capacity);
	s->names = carve(memory, sizeof *s->names * s->capacity);
	s->index = carve(memory, sizeof *s->index * (s->index_mask + 1));
	sessions_init(g, memory);
	probing_init(g, memory);
	suspicions_init(g, memory);
	spreading_init(g, memory);
	facts_init(g, memory);
	clocks_init(g, memory);
	soundings_init(g, memory);
	paths_init(g, memory);
}

void membership_start(struct gossip *g)
{
	sessions_recall(g);
	sessions_start(g);
	probing_start(g);
	clocks_start(g);
	facts_start(g);
}

void membership_tick(struct gossip *g)
{
	if (!g->membership.sessions->started)
		return;
	sessions_tick(g);
	probing_tick(g); /* first of the judges: it notices that this node was paused */
	paths_tick(g);
	suspicions_tick(g);
	spreading_tick(g);
}

instant membership_deadline(const struct gossip *g)
{
	if (!g->membership.sessions->started)
		return NEVER;
	instant at = g->membership.sessions->hello_next;
	at = instant_min(at, probing_deadline(g));
	at = instant_min(at, suspicions_deadline(g));
	at = instant_min(at, paths_deadline(g));
	return instant_min(at, spreading_deadline(g));
}

/* ---- the index ---- */

/* A place holds slot + 1 and, above it, bits of the hash: others' members need not be touched. */
#define PLACE_BITS 13
#define PLACE_SLOT (((uint32_t)1 << PLACE_BITS) - 1)
_Static_assert(MEMBERS_MAX <= PLACE_SLOT, "a slot must fit into its place");

static uint64_t index_hash(node_id id)
{
	return id * 0x9e3779b97f4a7c15u;
}

static uint32_t place_tag(node_id id)
{
	return (uint32_t)index_hash(id) & ~PLACE_SLOT;
}

static bool place_holds(const struct membership *s, uint32_t place, node_id id)
{
	return (place & ~PLACE_SLOT) == place_tag(id) &&
	       s->members[(place & PLACE_SLOT) - 1].id == id;
}

/* Where `id` is, or the empty place where it would go. */
static uint32_t *index_place(const struct gossip *g, node_id id)
{
	const struct membership *s = &g->membership;
	for (uint32_t i = (uint32_t)(index_hash(id) >> 32);; i++) {
		uint32_t *place = &s->index[i & s->index_mask];
		if (*place == 0 || place_holds(s, *place, id))
			return place;
	}
}

struct member *member_find(const struct gossip *g, node_id id)
{
	uint32_t place = id == 0 ? 0 : *index_place(g, id);
	return place == 0 ? NULL : &g->membership.members[(place & PLACE_SLOT) - 1];
}

struct member *member_by_address(const struct gossip *g, const struct address *address)
{
	for (uint32_t i = 0; i < g->membership.count; i++) {
		struct member *m = &g->membership.members[i];
		if (member_is_active(m) && paths_has(g, m, address))
			return m;
	}
	return NULL;
}

/* ---- state ---- */

static bool counts_as_reachable(const struct gossip *g, const struct member *m)
{
	if (!member_is_active(m))
		return false;
	return m->id == g->self || m->state == REACHABLE || m->state == SUSPECT;
}

bool member_is_peer(const struct gossip *g, const struct member *m)
{
	return member_is_active(m) && m->state == REACHABLE && m->id != g->self;
}

void member_set_state(struct gossip *g, struct member *m, enum reachability state)
{
	enum reachability before = m->state;
	if (before == state)
		return;
	g->membership.reachable -= counts_as_reachable(g, m);
	m->state = state;
	m->since = g->now.boot;
	g->membership.reachable += counts_as_reachable(g, m);
	probing_ring_changed(g);
	if (state == UNREACHABLE)
		paths_forget(g, m);
	if (state == REACHABLE && before != SUSPECT)
		core_trace(g, RULE_REACHABLE, m->id, 0, (int64_t)m->session.incarnation.number, 0, 0);
}

bool member_claim(struct member *m, struct claim claim)
{
	if (!claim_less(m->claim, claim))
		return false;
	m->claim = claim;
	return true;
}

void member_note_heard(struct gossip *g, struct member *m, const struct envelope *e)
{
	m->ever_heard = true;
	m->heard = g->now.boot;
	if (e->commit > m->commit)
		m->commit = e->commit;
	if (member_claim(m, (struct claim){e->incarnation, e->refutation}))
		suspicion_refuted(g, m);
	if (m->session.parted)
		return;
	bool lost = m->state == UNREACHABLE;
	suspicion_heard(g, m);
	member_set_state(g, m, REACHABLE);
	if (lost)
		sessions_came_back(g);
}

/* ---- the ledger's word ---- */

static void set_name(struct gossip *g, struct member *m, struct bytes name)
{
	size_t size = name.size < NAME_MAX_SIZE ? name.size : NAME_MAX_SIZE;
	char *to = size < NAME_SHORT ? m->name : g->membership.names[member_slot(g, m)];
	m->name[0] = '\0'; /* empty: look among the long ones */
	if (size > 0)
		memcpy(to, name.data, size);
	to[size] = '\0';
}

static struct member *member_add(struct gossip *g, const struct node_key *key)
{
	struct membership *s = &g->membership;
	if (s->count == s->capacity)
		return NULL;
	uint32_t *place = index_place(g, node_key_id(key));
	struct member *m = &s->members[s->count];
	m->id = node_key_id(key);
	m->key = *key;
	m->standing = MEMBER_ACTIVE;
	m->since = g->now.boot;
	*place = ++s->count | place_tag(m->id);
	s->active++;
	s->reachable += m->id == g->self;
	probing_add(g, member_slot(g, m));
	return m;
}

/* It left or was removed: nothing of it counts any more. */
static void member_end(struct gossip *g, struct member *m, enum member_state standing)
{
	suspicion_drop(g, m);
	g->membership.reachable -= counts_as_reachable(g, m);
	g->membership.active--;
	probing_ring_changed(g);
	m->standing = standing;
	m->since = g->now.boot;
	facts_drop_owner(g, m);
	paths_drop(g, m);
	session_close(m);
	sounding_forget(g, m);
	if (!g->membership.sessions->started)
		return;
	core_trace(g, standing == MEMBER_REMOVED ? RULE_MEMBER_REMOVED : RULE_MEMBER_LEFT, m->id, 0,
	           0, 0, 0);
	struct effect *effect = effects_add(&g->out, EFFECT_HANG_UP);
	effect->hang_up.node = m->id;
}

/* Somebody new, while we run: greet it and see. */
static void member_welcome(struct gossip *g, struct member *m)
{
	if (!g->membership.sessions->started)
		return;
	core_trace(g, RULE_MEMBER_ADDED, m->id, 0, 0, 0, 0);
	if (m->id == g->self)
		facts_start(g);
	else
		sessions_newcomer(g, m);
}

/* Who left may join again; who was removed may not, whatever a row says. */
void member_return(struct gossip *g, struct member *m)
{
	m->standing = MEMBER_ACTIVE;
	m->state = REACHABILITY_UNKNOWN;
	m->since = g->now.boot;
	g->membership.active++;
	g->membership.reachable += counts_as_reachable(g, m);
	member_welcome(g, m);
}

void members_put(struct gossip *g, const struct member_row *row)
{
	const struct member_record *record = &row->record;
	node_id id = node_key_id(&record->key);
	struct member *m = member_find(g, id);
	bool added = m == NULL;
	if (added)
		m = member_add(g, &record->key);
	if (m == NULL)
		core_trace(g, RULE_MEMBERS_FULL, id, 0, 0, 0, 0);
	if (m == NULL || memcmp(&m->key, &record->key, sizeof m->key) != 0)
		return;
	set_name(g, m, record->name);
	addresses_put(g, m, &record->address, &record->more);
	m->role = record->role;
	m->successor = row->successor;
	if (m->admitted == 0)
		m->admitted = row->changed_index;
	if (!m->ever_heard) { /* else it has told us itself */
		m->wire_min = record->wire_min;
		m->wire_max = record->wire_max;
	}
	if (row->state != MEMBER_ACTIVE && member_is_active(m))
		member_end(g, m, row->state);
	else if (row->state == MEMBER_REMOVED)
		m->standing = MEMBER_REMOVED; /* had left before */
	else if (m->standing == MEMBER_LEFT && row->state == MEMBER_ACTIVE)
		member_return(g, m);
	else if (added)
		member_welcome(g, m);
}

void members_hint(struct gossip *g, const struct peer_hint *peer)
{
	if (member_find(g, node_key_id(&peer->key)) != NULL)
		return;
	struct member *m = member_add(g, &peer->key);
	if (m == NULL)
		return;
	set_name(g, m, peer->name);
	addresses_put(g, m, &peer->address, &peer->more);
	m->wire_min = m->wire_max = WIRE_VERSION_MIN;
	if (g->membership.sessions->started && m->id != g->self)
		session_hello(g, m);
}

/* ---- questions ---- */

uint32_t members_room(const struct gossip *g)
{
	return g->membership.capacity - g->membership.count;
}

bool member_active(const struct gossip *g, node_id id)
{
	const struct member *m = member_find(g, id);
	return m != NULL && member_is_active(m);
}

bool member_reachable(const struct gossip *g, node_id id, bool or_suspect)
{
	const struct member *m = member_find(g, id);
	if (m == NULL || !member_is_active(m))
		return false;
	return id == g->self || m->state == REACHABLE || (or_suspect && m->state == SUSPECT);
}

bool member_heard(const struct gossip *g, node_id id, duration within)
{
	const struct member *m = member_find(g, id);
	if (m == NULL || !member_is_active(m))
		return false;
	return id == g->self || (m->ever_heard && g->now.boot - m->heard <= within);
}

uint64_t member_incarnation(const struct gossip *g, node_id id)
{
	const struct member *m = member_find(g, id);
	if (m == NULL)
		return 0;
	return id == g->self ? g->durable.incarnation.number : m->session.incarnation.number;
}

static const char *name_of(const struct gossip *g, const struct member *m)
{
	return m->name[0] != '\0' ? m->name : g->membership.names[member_slot(g, m)];
}

const char *member_name(const struct gossip *g, node_id id)
{
	const struct member *m = member_find(g, id);
	return m == NULL ? "" : name_of(g, m);
}

const struct node_key *member_key(const struct gossip *g, node_id id)
{
	const struct member *m = member_find(g, id);
	return m == NULL ? NULL : &m->key;
}

bool member_way(const struct gossip *g, node_id id, struct way *out)
{
	const struct member *m = member_find(g, id);
	if (m == NULL || m->address.family == 0)
		return false;
	*out = paths_way(m);
	return true;
}

bool member_addresses(const struct gossip *g, node_id id, struct addresses *out)
{
	const struct member *m = member_find(g, id);
	if (m == NULL || m->address.family == 0)
		return false;
	if (id == g->self)
		*out = addresses_all(&g->settings.address, &g->settings.more);
	else
		paths_addresses(g, m, out);
	return true;
}

enum role member_role(const struct gossip *g, node_id id)
{
	const struct member *m = member_find(g, id);
	return m == NULL ? ROLE_NODE : m->role;
}

node_id member_successor(const struct gossip *g, node_id id)
{
	const struct member *m = member_find(g, id);
	return m == NULL ? 0 : m->successor;
}

uint64_t member_commit(const struct gossip *g, node_id id)
{
	const struct member *m = member_find(g, id);
	return m == NULL ? 0 : m->commit;
}

uint32_t member_wire_max(const struct gossip *g, node_id id)
{
	const struct member *m = member_find(g, id);
	if (m == NULL)
		return 0;
	return id == g->self ? g->settings.wire_max : m->wire_max;
}

bool member_wire_known(const struct gossip *g, node_id id)
{
	const struct member *m = member_find(g, id);
	return m != NULL && m->session.nonce_known;
}

uint32_t members_active(const struct gossip *g)
{
	return g->membership.active;
}

node_id member_id_at(const struct gossip *g, uint32_t position)
{
	if (position >= g->membership.count || !member_is_active(&g->membership.members[position]))
		return 0;
	return g->membership.members[position].id;
}

/* ---- chance ---- */

static bool id_among(node_id id, const node_id *ids, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if (ids[i] == id)
			return true;
	}
	return false;
}

static bool may_pick(const struct gossip *g, uint32_t slot, node_id not_this, const node_id *taken,
                     uint32_t count)
{
	const struct member *m = &g->membership.members[slot];
	return member_is_peer(g, m) && m->id != not_this && !id_among(m->id, taken, count);
}

/* One more peer by dice, or, where dice keep missing, the next one in order. NO_SLOT if none. */
static uint32_t pick_one(struct gossip *g, node_id not_this, const node_id *taken, uint32_t count)
{
	uint32_t members = g->membership.count;
	for (int tries = 0; tries < 8; tries++) {
		uint32_t slot = (uint32_t)prng_below(&g->prng, members);
		if (may_pick(g, slot, not_this, taken, count))
			return slot;
	}
	uint32_t first = (uint32_t)prng_below(&g->prng, members);
	for (uint32_t i = 0; i < members; i++) {
		uint32_t slot = (first + i) % members;
		if (may_pick(g, slot, not_this, taken, count))
			return slot;
	}
	return NO_SLOT;
}

uint32_t members_pick(struct gossip *g, uint32_t count, node_id not_this, node_id *out)
{
	uint32_t taken = 0;
	/* self counts as reachable: with nobody else there is nothing to throw dice for */
	while (taken < count && g->membership.reachable > 1) {
		uint32_t slot = pick_one(g, not_this, out, taken);
		if (slot == NO_SLOT)
			break;
		out[taken++] = g->membership.members[slot].id;
	}
	return taken;
}

node_id member_random(struct gossip *g, node_id not_this)
{
	node_id id = 0;
	members_pick(g, 1, not_this, &id);
	return id;
}

bool budget_spend(struct budget *b, instant boot, uint32_t per_second, uint32_t burst)
{
	duration cost = SECOND / per_second;
	instant from = b->used_up > boot ? b->used_up : boot;
	if (from - boot > (duration)(burst - 1) * cost)
		return false;
	b->used_up = from + cost;
	return true;
}

duration swarm_gap(const struct gossip *g, duration least, duration per_member)
{
	duration gap = per_member * (duration)g->membership.active;
	return gap > least ? gap : least;
}

uint32_t bits_of(uint32_t n)
{
	uint32_t bits = 0;
	for (; n > 0; n /= 2)
		bits++;
	return bits;
}

/* ---- messages ---- */

static void on_farewell(struct gossip *g, struct member *m, const struct farewell *farewell)
{
	switch (farewell->reason) {
	case FAREWELL_STOPPING:
	case FAREWELL_LEFT:
		suspicion_drop(g, m);
		m->session.parted = true;
		member_set_state(g, m, UNREACHABLE);
		core_trace(g, RULE_SAID_FAREWELL, m->id, 0, 0, 0, 0);
		return;
	case FAREWELL_REMOVED:
		life_told_removed(g, m->id, farewell->known);
		return;
	case FAREWELL_OLD_SELF:
		life_told_old(g, m->id, farewell->known);
		return;
	case FAREWELL_WIRE_OLD:
		level_told(g, m->id, farewell->known);
		return;
	case FAREWELL_OLD_GENERATION:
	case FAREWELL_RIVAL_GENERATION:
		return; /* told by frames of another generation: generation.c */
	}
}

void membership_message(struct gossip *g, node_id from, const struct envelope *e, bool by_frame,
                        uint64_t stream)
{
	struct member *m = member_find(g, from);
	if (m == NULL || !member_is_active(m))
		return;
	if (e->kind == MESSAGE_PROBE)
		probe_on_probe(g, m, &e->probe);
	else if (e->kind == MESSAGE_ACK)
		probe_on_ack(g, m, &e->ack);
	else if (e->kind == MESSAGE_PROBE_REQUEST)
		probe_on_request(g, m, &e->probe_request);
	else if (e->kind == MESSAGE_PROBE_REPORT)
		probe_on_report(g, m, &e->probe_report);
	else if (e->kind == MESSAGE_DIGEST)
		facts_on_digest(g, m, &e->digest);
	else if (e->kind == MESSAGE_FACT_PULL)
		facts_on_pull(g, m, &e->fact_pull);
	else if (e->kind == MESSAGE_FACT_VALUE)
		facts_on_value(g, &e->fact_value);
	else if (e->kind == MESSAGE_FAREWELL)
		on_farewell(g, m, &e->farewell);
	if (e->kind == MESSAGE_PROBE || e->kind == MESSAGE_ACK)
		facts_compare(g, m, e->summary);
}

void membership_farewell(struct gossip *g, enum farewell_reason reason)
{
	for (uint32_t i = 0; i < g->membership.count; i++) {
		struct member *m = &g->membership.members[i];
		if (!member_is_active(m) || m->id == g->self || !m->session.nonce_known)
			continue;
		struct envelope e = {.kind = MESSAGE_FAREWELL};
		e.farewell = (struct farewell){reason, g->self, 0};
		core_send(g, m->id, &e);
	}
}

/* ---- views ---- */

static enum reachability shown_state(const struct gossip *g, const struct member *m)
{
	if (m->standing == MEMBER_LEFT)
		return GONE_LEFT;
	if (m->standing == MEMBER_REMOVED)
		return GONE_REMOVED;
	return m->id == g->self ? REACHABLE : m->state;
}

static void clone_view(const struct gossip *g, const struct member *m, const struct now *now,
                       struct member_view *out)
{
	const struct dispute *d = dispute_known(g, m);
	out->cloned = d != NULL && d->alarms.clone_at != 0;
	if (!out->cloned)
		return;
	out->clone_address = d->alarms.clone_address;
	out->clone_ago = now->boot - d->alarms.clone_at;
}

bool membership_view_at(const struct gossip *g, const struct now *now, uint32_t position,
                        struct member_view *out)
{
	if (position >= g->membership.count)
		return false;
	const struct member *m = &g->membership.members[position];
	*out = (struct member_view){.id = m->id, .key = &m->key, .role = m->role};
	const char *name = name_of(g, m);
	memcpy(out->name, name, text_size(name) + 1);
	out->address = m->address;
	out->self = m->id == g->self;
	out->state = shown_state(g, m);
	out->incarnation = member_incarnation(g, m->id);
	out->since = now->boot - m->since;
	out->heard_ago = m->ever_heard ? now->boot - m->heard : -1;
	if (out->self)
		out->heard_ago = 0;
	out->successor = m->successor;
	clone_view(g, m, now, out);
	out->wire_min = m->wire_min;
	out->wire_max = member_wire_max(g, m->id);
	suspicion_view(g, m, out);
	clocks_view(g, now, m, out);
	sounding_view(g, m, out);
	paths_view(g, m, now, out);
	return true;
}

bool membership_view(const struct gossip *g, const struct now *now, node_id id,
                     struct member_view *out)
{
	const struct member *m = member_find(g, id);
	return m != NULL && membership_view_at(g, now, member_slot(g, m), out);
}
