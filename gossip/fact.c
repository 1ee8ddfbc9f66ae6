#include "fact.h"

#include "addresses.h"
#include "text.h"

/*
 * Facts: what each member says of itself, kept exactly as signed.
 *
 * Of one owner only facts of its highest incarnation are kept; of one key only the highest version.
 * So what a node should hold is a function of what was published, not of the order of arrival, and
 * two nodes hold the same when the XOR over their facts' marks is the same. Each owner has such a
 * summary too: a digest carries it as `version`, because a pushed fact may overtake another, so
 * that a highest version would hide a gap.
 */

#define PULL_SCAN 64 /* records looked at in one tick for values still to be pulled */

/* ---- taking ---- */

static bool legal(const struct fact_item *fact)
{
	if (fact->key.size == 0 || fact->key.size > FACT_KEY_MAX)
		return false;
	if (fact->big)
		return !fact->tombstone && fact->size > FACT_INLINE_MAX &&
		       fact->size <= FACT_VALUE_MAX;
	return fact->value.size <= (fact->tombstone ? 0 : FACT_INLINE_MAX);
}

bool facts_want(const struct gossip *g, const struct member *owner, const struct item *item)
{
	if (!legal(&item->fact) || item->incarnation < fact_book(g, owner)->incarnation)
		return false;
	if (item->incarnation > fact_book(g, owner)->incarnation)
		return true;
	const struct fact *known = fact_find(g, owner, item->fact.key);
	if (known != NULL)
		return item->fact.version > known->version;
	const struct fact *oldest = fact_oldest_tombstone(g, owner);
	return fact_book(g, owner)->count < FACTS_PER_OWNER ||
	       (oldest != NULL && oldest->version < item->fact.version);
}

static void pull(struct gossip *g, node_id from, const struct fact *x)
{
	struct envelope e = {.kind = MESSAGE_FACT_PULL};
	e.fact_pull.owner = g->membership.members[x->owner].id;
	e.fact_pull.key = fact_key(x);
	e.fact_pull.hash = x->hash;
	core_send(g, from, &e);
}

/* Copies the item into a fresh record. */
static void fact_fill(struct gossip *g, struct fact *x, const struct item *item)
{
	const struct fact_item *in = &item->fact;
	x->key_size = (uint8_t)in->key.size;
	memcpy(x->key, in->key.data, in->key.size);
	x->tombstone = in->tombstone;
	x->big = in->big;
	x->size = in->size;
	x->hash = in->hash;
	x->incarnation = item->incarnation;
	x->version = in->version;
	x->made_wall = in->made_wall;
	x->arrived = g->now.boot;
	memcpy(x->signature, item->signature, SIGNATURE_SIZE);
}

/* Whatever the new one replaces goes. */
static void make_way(struct gossip *g, struct member *owner, const struct item *item)
{
	if (item->incarnation > fact_book(g, owner)->incarnation)
		facts_drop_owner(g, owner);
	fact_book(g, owner)->incarnation = item->incarnation;
	struct fact *old = fact_find(g, owner, item->fact.key);
	if (old == NULL && fact_book(g, owner)->count == FACTS_PER_OWNER)
		old = fact_oldest_tombstone(g, owner);
	if (old != NULL)
		fact_free(g, owner, old);
}

uint32_t facts_take(struct gossip *g, struct member *owner, node_id from, const struct item *item)
{
	struct facts *f = g->membership.facts;
	make_way(g, owner, item);
	struct fact *x = fact_book(g, owner)->count < FACTS_PER_OWNER ? fact_new(g, owner) : NULL;
	if (x == NULL)
		return NO_SLOT;
	fact_fill(g, x, item);
	fact_toggle(g, x);
	if (!x->tombstone && !x->big && !fact_set(f, x, item->fact.value)) {
		fact_free(g, owner, x); /* full: refused, the digests will offer it again */
		return NO_SLOT;
	}
	core_trace(g, RULE_FACT_CHANGED, owner->id, 0, (int64_t)x->version, 0, 0);
	if (x == fact_find(g, owner, text_bytes("address")) ||
	    x == fact_find(g, owner, text_bytes("addresses")))
		addresses_told(g, owner);
	if (x->big && owner->id != g->self) {
		x->pending = true;
		f->pending_count++;
		pull(g, from, x);
	}
	return (uint32_t)(x - f->pool);
}

/* ---- big values ---- */

void facts_on_pull(struct gossip *g, struct member *m, const struct fact_pull *asked)
{
	struct member *owner = member_find(g, asked->owner);
	struct fact *x = owner == NULL ? NULL : fact_find(g, owner, asked->key);
	if (x == NULL || x->pending || x->tombstone ||
	    memcmp(&x->hash, &asked->hash, sizeof x->hash) != 0)
		return;
	struct envelope e = {.kind = MESSAGE_FACT_VALUE};
	e.fact_value.owner = owner->id;
	e.fact_value.key = fact_key(x);
	e.fact_value.hash = x->hash;
	e.fact_value.value = fact_bytes(g->membership.facts, x);
	core_send(g, m->id, &e);
}

void facts_on_value(struct gossip *g, const struct fact_value *in)
{
	struct member *owner = member_find(g, in->owner);
	struct fact *x = owner == NULL ? NULL : fact_find(g, owner, in->key);
	if (x == NULL || !x->pending || in->value.size != x->size)
		return;
	struct hash hash;
	hash_bytes(g->settings.seal, in->value.data, in->value.size, &hash);
	if (memcmp(&hash, &x->hash, sizeof hash) != 0) {
		core_drop(g, DROP_SIGNATURE); /* not what its owner signed */
		return;
	}
	if (!fact_set(g->membership.facts, x, in->value))
		return;
	x->pending = false;
	g->membership.facts->pending_count--;
}

void facts_tick(struct gossip *g)
{
	struct facts *f = g->membership.facts;
	if (f->pending_count == 0)
		return;
	for (uint32_t i = 0; i < PULL_SCAN && i < f->used; i++) {
		f->pull_cursor = (f->pull_cursor + 1) % f->used;
		const struct fact *x = &f->pool[f->pull_cursor];
		if (!x->used || !x->pending)
			continue;
		node_id owner = g->membership.members[x->owner].id;
		node_id other = member_random(g, owner);
		bool ask_owner = prng_below(&g->prng, 2) == 0 || other == 0;
		pull(g, ask_owner ? owner : other, x);
		return;
	}
}

/* ---- our own ---- */

static bool same_as_published(const struct gossip *g, const struct fact *x, struct bytes value)
{
	if (x == NULL || x->incarnation != g->durable.incarnation.number)
		return false;
	if (value.data == NULL || x->tombstone)
		return value.data == NULL && x->tombstone;
	struct bytes now = fact_bytes(g->membership.facts, x);
	return now.size == value.size && memcmp(now.data, value.data, value.size) == 0;
}

static void own_item(struct gossip *g, struct bytes key, struct bytes value, struct item *item)
{
	memset(item, 0, sizeof *item);
	item->kind = ITEM_FACT;
	item->fact.key = key;
	item->fact.version = ++g->membership.facts->own_version;
	item->fact.tombstone = value.data == NULL;
	item->fact.big = value.size > FACT_INLINE_MAX;
	item->fact.size = (uint32_t)value.size;
	item->fact.made_wall = g->now.wall;
	if (!item->fact.big)
		item->fact.value = value;
	if (value.data != NULL)
		hash_bytes(g->settings.seal, value.data, value.size, &item->fact.hash);
	item_sign(g, item);
}

void facts_publish(struct gossip *g, struct bytes key, struct bytes value)
{
	struct member *self = member_find(g, g->self);
	if (self == NULL || !member_is_active(self) || !g->membership.sessions->started)
		return;
	if (key.size == 0 || key.size > FACT_KEY_MAX || value.size > FACT_VALUE_MAX ||
	    same_as_published(g, fact_find(g, self, key), value))
		return;
	struct item item;
	own_item(g, key, value, &item);
	if (!facts_want(g, self, &item))
		return; /* all keys are in use */
	uint32_t place = facts_take(g, self, g->self, &item);
	if (place == NO_SLOT)
		return;
	struct fact *x = &g->membership.facts->pool[place];
	if (x->big && !fact_set(g->membership.facts, x, value))
		fact_free(g, self, x);
	else
		spread_fact(g, place);
}

/*
 * Only what neither ledger nor greetings tell: each fact of each member is verified by every other,
 * and when a thousand join, that is what they do most. A later start says where it is even if it did not
 * move: its older facts, whatever they said, end with that.
 */
void facts_start(struct gossip *g)
{
	struct member *self = member_find(g, g->self);
	if (self == NULL || g->settings.facts_off)
		return;
	if (g->durable.incarnation.number == 1 && addresses_in_ledger(g, self))
		return;
	addresses_publish(g);
}

/* What we said we say again, signed anew; what others said they will say again, too. */
void facts_new_generation(struct gossip *g)
{
	struct facts *f = g->membership.facts;
	spread_clear(g);
	for (uint32_t i = 0; i < g->membership.count; i++) {
		struct member *owner = &g->membership.members[i];
		if (owner->id != g->self)
			facts_drop_owner(g, owner);
	}
	for (uint32_t i = 0; i < f->used; i++) {
		struct item item;
		if (!f->pool[i].used || !facts_item(g, i, f->pool[i].version, &item))
			continue;
		item_sign(g, &item);
		memcpy(f->pool[i].signature, item.signature, SIGNATURE_SIZE);
		spread_fact(g, i);
	}
}

struct bytes facts_value(const struct gossip *g, node_id owner, struct bytes key)
{
	const struct member *m = member_find(g, owner);
	const struct fact *x = m == NULL ? NULL : fact_find(g, m, key);
	return x == NULL ? (struct bytes){NULL, 0} : fact_bytes(g->membership.facts, x);
}

/* ---- view ---- */

/* The used record at that position; without gaps in the pool that is the record itself. */
static const struct fact *fact_at(const struct facts *f, uint32_t position)
{
	if (f->free_count == 0)
		return position < f->used ? &f->pool[position] : NULL;
	for (uint32_t i = 0; i < f->used; i++) {
		if (f->pool[i].used && position-- == 0)
			return &f->pool[i];
	}
	return NULL;
}

bool facts_view_at(const struct gossip *g, const struct now *now, uint32_t position,
                   struct fact_view *out)
{
	const struct facts *f = g->membership.facts;
	const struct fact *x = fact_at(f, position);
	if (x == NULL)
		return false;
	out->owner = g->membership.members[x->owner].id;
	out->key = fact_key(x);
	out->value = fact_bytes(f, x);
	out->incarnation = x->incarnation;
	out->version = x->version;
	out->tombstone = x->tombstone;
	out->pending = x->pending;
	out->age = now->boot - x->arrived;
	return true;
}
