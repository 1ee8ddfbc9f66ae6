#include "member.h"
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

#define FACTS_PER_OWNER 16
#define INLINE_SIZE 64 /* most values; kept within the record */
#define DIGEST_GAP SECOND
#define DIGEST_SETTLE (200 * MILLISECOND) /* a change on its way is not yet a difference */
#define DIGEST_OVERDUE (5 * SECOND)
#define PULL_SCAN 64 /* records looked at in one tick for values still to be pulled */

enum value_class { VALUE_NONE = 0, VALUE_INLINE, VALUE_PACKET, VALUE_PAGE, VALUE_BIG };

struct fact {
	bool used;
	bool tombstone, big, pending;
	uint8_t key_size;
	enum value_class class;
	uint32_t block; /* of the class's slab */
	uint32_t next;  /* index + 1: of the same owner, or in the free list */
	uint32_t owner; /* slot */
	uint32_t size;
	uint64_t incarnation, version;
	instant made_wall, arrived;
	struct hash hash;
	uint8_t signature[SIGNATURE_SIZE];
	uint8_t key[FACT_KEY_MAX];
	uint8_t value[INLINE_SIZE];
};

/* Blocks of one size; the first bytes of a free one name the next. */
struct slab {
	uint8_t *data;
	uint32_t block_size, capacity, used, free_first; /* free_first: index + 1 */
};

struct facts {
	struct fact *pool;
	uint32_t capacity, used, free_first, free_count;
	struct slab packet, page, big;
	uint64_t summary;
	uint64_t own_version;
	instant changed;
	uint32_t digest_cursor; /* owners take turns in digests */
	uint32_t pending_count, pull_cursor;
};

static void slab_init(struct slab *s, struct carve *memory, uint32_t block_size, uint32_t capacity,
                      bool measuring)
{
	uint8_t *data = carve(memory, (size_t)block_size * capacity);
	if (measuring)
		return;
	s->data = data;
	s->block_size = block_size;
	s->capacity = capacity;
}

void facts_init(struct gossip *g, struct carve *memory)
{
	uint32_t members = g->membership.capacity;
	struct facts *f = carve(memory, sizeof *f);
	struct fact *pool = carve(memory, sizeof *pool * members * FACTS_PER_OWNER);
	struct facts none;
	struct facts *into = f == NULL ? &none : f;
	slab_init(&into->packet, memory, (FACT_INLINE_MAX + 15) / 16 * 16, members * 2 + 16, f == NULL);
	slab_init(&into->page, memory, 4096, members / 2 + 16, f == NULL);
	slab_init(&into->big, memory, FACT_VALUE_MAX, members / 16 + 16, f == NULL);
	g->membership.facts = f;
	if (f == NULL)
		return;
	f->pool = pool;
	f->capacity = members * FACTS_PER_OWNER;
}

/* ---- values ---- */

static struct slab *slab_of(struct facts *f, enum value_class class)
{
	switch (class) {
	case VALUE_PACKET:
		return &f->packet;
	case VALUE_PAGE:
		return &f->page;
	case VALUE_BIG:
		return &f->big;
	case VALUE_NONE:
	case VALUE_INLINE:
		break;
	}
	return NULL;
}

static bool slab_take(struct slab *s, uint32_t *block)
{
	if (s->free_first != 0) {
		*block = s->free_first - 1;
		memcpy(&s->free_first, s->data + (size_t)*block * s->block_size,
		       sizeof s->free_first);
		return true;
	}
	*block = s->used;
	return s->used < s->capacity && s->used++ < s->capacity;
}

static void slab_give(struct slab *s, uint32_t block)
{
	memcpy(s->data + (size_t)block * s->block_size, &s->free_first, sizeof s->free_first);
	s->free_first = block + 1;
}

static enum value_class class_for(size_t size)
{
	if (size <= INLINE_SIZE)
		return VALUE_INLINE;
	if (size <= FACT_INLINE_MAX)
		return VALUE_PACKET;
	return size <= 4096 ? VALUE_PAGE : VALUE_BIG;
}

static struct bytes value_of(const struct facts *f, const struct fact *x)
{
	if (x->tombstone || x->pending || x->class == VALUE_NONE)
		return (struct bytes){NULL, 0};
	if (x->class == VALUE_INLINE)
		return (struct bytes){x->value, x->size};
	const struct slab *s = x->class == VALUE_PACKET ? &f->packet
	                       : x->class == VALUE_PAGE ? &f->page
	                                                : &f->big;
	return (struct bytes){s->data + (size_t)x->block * s->block_size, x->size};
}

static void value_free(struct facts *f, struct fact *x)
{
	struct slab *s = slab_of(f, x->class);
	if (s != NULL)
		slab_give(s, x->block);
	x->class = VALUE_NONE;
}

/* False: no room; the record is as before, without a value. */
static bool value_set(struct facts *f, struct fact *x, struct bytes value)
{
	enum value_class class = class_for(value.size);
	struct slab *s = slab_of(f, class);
	uint8_t *to = x->value;
	if (s != NULL) {
		if (!slab_take(s, &x->block))
			return false;
		to = s->data + (size_t)x->block * s->block_size;
	}
	x->class = class;
	x->size = (uint32_t)value.size;
	if (value.size > 0)
		memcpy(to, value.data, value.size);
	return true;
}

/* ---- marks and summaries ---- */

static uint64_t mix(uint64_t a, uint64_t b)
{
	uint64_t x = (a ^ b) * 0x9e3779b97f4a7c15u;
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93u;
	return x ^ x >> 29;
}

static uint64_t mark_of(const struct gossip *g, const struct fact *x)
{
	uint64_t mark = mix(g->membership.members[x->owner].id, x->key_size);
	for (uint32_t i = 0; i < x->key_size; i++)
		mark = mix(mark, x->key[i]);
	return mix(mix(mark, x->incarnation), x->version);
}

/* Called with every fact that comes or goes: XOR takes it in and out alike. */
static void toggle(struct gossip *g, const struct fact *x)
{
	uint64_t mark = mark_of(g, x);
	g->membership.facts->summary ^= mark;
	g->membership.members[x->owner].fact_summary ^= mark;
	g->membership.facts->changed = g->now.boot;
}

uint64_t facts_summary(const struct gossip *g)
{
	return g->membership.facts->summary;
}

/* ---- the records ---- */

static struct fact *fact_find(const struct gossip *g, const struct member *owner, struct bytes key)
{
	struct facts *f = g->membership.facts;
	for (uint32_t i = owner->fact_first; i != 0; i = f->pool[i - 1].next) {
		struct fact *x = &f->pool[i - 1];
		if (x->key_size == key.size && memcmp(x->key, key.data, key.size) == 0)
			return x;
	}
	return NULL;
}

static void fact_free(struct gossip *g, struct member *owner, struct fact *x)
{
	struct facts *f = g->membership.facts;
	uint32_t index = (uint32_t)(x - f->pool) + 1;
	uint32_t *link = &owner->fact_first;
	while (*link != index)
		link = &f->pool[*link - 1].next;
	*link = x->next;
	toggle(g, x);
	value_free(f, x);
	f->pending_count -= x->pending;
	x->used = false;
	x->next = f->free_first;
	f->free_first = index;
	f->free_count++;
	owner->fact_count--;
}

/* The tombstone of lowest version makes room; every node would choose the same. */
static struct fact *oldest_tombstone(const struct gossip *g, const struct member *owner)
{
	struct facts *f = g->membership.facts;
	struct fact *oldest = NULL;
	for (uint32_t i = owner->fact_first; i != 0; i = f->pool[i - 1].next) {
		struct fact *x = &f->pool[i - 1];
		if (x->tombstone && (oldest == NULL || x->version < oldest->version))
			oldest = x;
	}
	return oldest;
}

static struct fact *fact_new(struct gossip *g, struct member *owner)
{
	struct facts *f = g->membership.facts;
	uint32_t index = f->free_first;
	if (index != 0) {
		f->free_first = f->pool[index - 1].next;
		f->free_count--;
	} else if (f->used < f->capacity) {
		index = ++f->used;
	} else {
		return NULL;
	}
	struct fact *x = &f->pool[index - 1];
	memset(x, 0, sizeof *x);
	x->used = true;
	x->owner = member_slot(g, owner);
	x->next = owner->fact_first;
	owner->fact_first = index;
	owner->fact_count++;
	return x;
}

void facts_drop_owner(struct gossip *g, struct member *owner)
{
	while (owner->fact_first != 0)
		fact_free(g, owner, &g->membership.facts->pool[owner->fact_first - 1]);
	owner->fact_incarnation = 0;
}

static struct bytes fact_key(const struct fact *x)
{
	return (struct bytes){x->key, x->key_size};
}

uint64_t facts_version(const struct gossip *g, uint32_t fact)
{
	const struct fact *x = &g->membership.facts->pool[fact];
	return x->used ? x->version : 0;
}

bool facts_item(const struct gossip *g, uint32_t fact, uint64_t version, struct item *out)
{
	const struct facts *f = g->membership.facts;
	const struct fact *x = &f->pool[fact];
	if (!x->used || x->version != version)
		return false;
	memset(out, 0, sizeof *out);
	out->kind = ITEM_FACT;
	out->author = g->membership.members[x->owner].id;
	out->incarnation = x->incarnation;
	memcpy(out->signature, x->signature, SIGNATURE_SIZE);
	out->fact.key = fact_key(x);
	out->fact.version = x->version;
	out->fact.tombstone = x->tombstone;
	out->fact.big = x->big;
	out->fact.hash = x->hash;
	out->fact.size = x->size;
	out->fact.made_wall = x->made_wall;
	if (!x->big)
		out->fact.value = value_of(f, x);
	return true;
}

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
	if (!legal(&item->fact) || item->incarnation < owner->fact_incarnation)
		return false;
	if (item->incarnation > owner->fact_incarnation)
		return true;
	const struct fact *known = fact_find(g, owner, item->fact.key);
	if (known != NULL)
		return item->fact.version > known->version;
	const struct fact *oldest = oldest_tombstone(g, owner);
	return owner->fact_count < FACTS_PER_OWNER ||
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
	if (item->incarnation > owner->fact_incarnation)
		facts_drop_owner(g, owner);
	owner->fact_incarnation = item->incarnation;
	struct fact *old = fact_find(g, owner, item->fact.key);
	if (old == NULL && owner->fact_count == FACTS_PER_OWNER)
		old = oldest_tombstone(g, owner);
	if (old != NULL)
		fact_free(g, owner, old);
}

uint32_t facts_take(struct gossip *g, struct member *owner, node_id from, const struct item *item)
{
	struct facts *f = g->membership.facts;
	make_way(g, owner, item);
	struct fact *x = owner->fact_count < FACTS_PER_OWNER ? fact_new(g, owner) : NULL;
	if (x == NULL)
		return NO_SLOT;
	fact_fill(g, x, item);
	toggle(g, x);
	if (!x->tombstone && !x->big && !value_set(f, x, item->fact.value)) {
		fact_free(g, owner, x); /* full: refused, the digests will offer it again */
		return NO_SLOT;
	}
	core_trace(g, RULE_FACT_CHANGED, owner->id, 0, (int64_t)x->version, 0, 0);
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
	e.fact_value.value = value_of(g->membership.facts, x);
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
	if (!value_set(g->membership.facts, x, in->value))
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

/* ---- digests ---- */

static bool entry_differs(const struct member *m, const struct digest_entry *entry)
{
	return entry->incarnation != m->fact_incarnation || entry->version != m->fact_summary;
}

static void entry_add(struct digest *d, const struct member *m)
{
	d->entries[d->count++] =
	    (struct digest_entry){m->id, m->fact_incarnation, m->fact_summary};
}

static void send_digest(struct gossip *g, struct member *m)
{
	struct facts *f = g->membership.facts;
	struct envelope e = {.kind = MESSAGE_DIGEST};
	uint32_t members = g->membership.count;
	for (uint32_t i = 0; i < members && e.digest.count < DIGEST_ENTRIES_MAX; i++) {
		const struct member *owner = &g->membership.members[f->digest_cursor++ % members];
		if (member_is_active(owner))
			entry_add(&e.digest, owner);
	}
	f->digest_cursor %= members;
	core_send(g, m->id, &e);
}

void facts_compare(struct gossip *g, struct member *m, uint64_t summary)
{
	struct facts *f = g->membership.facts;
	if (summary == f->summary)
		return;
	duration since = g->now.boot - m->digest_at;
	if (m->digest_at != 0 && since < DIGEST_GAP)
		return;
	if (g->now.boot - f->changed < DIGEST_SETTLE && (m->digest_at != 0 && since < DIGEST_OVERDUE))
		return;
	m->digest_at = g->now.boot;
	send_digest(g, m);
}

/* All facts of one owner, to somebody who lacks some of them. */
static void send_owner(struct gossip *g, node_id to, const struct member *owner)
{
	struct facts *f = g->membership.facts;
	struct item items[FACTS_PER_OWNER];
	uint32_t count = 0;
	for (uint32_t i = owner->fact_first; i != 0; i = f->pool[i - 1].next) {
		if (facts_item(g, i - 1, f->pool[i - 1].version, &items[count]))
			count++;
	}
	spread_directed(g, to, items, count);
}

void facts_on_digest(struct gossip *g, struct member *m, const struct digest *digest)
{
	struct envelope answer = {.kind = MESSAGE_DIGEST};
	answer.digest.reply = true;
	for (uint32_t i = 0; i < digest->count; i++) {
		const struct digest_entry *entry = &digest->entries[i];
		const struct member *owner = member_find(g, entry->owner);
		if (owner == NULL || !member_is_active(owner) || !entry_differs(owner, entry))
			continue;
		if (entry->incarnation <= owner->fact_incarnation)
			send_owner(g, m->id, owner);
		if (entry->incarnation >= owner->fact_incarnation)
			entry_add(&answer.digest, owner);
	}
	if (!digest->reply && answer.digest.count > 0)
		core_send(g, m->id, &answer);
}

/* ---- our own ---- */

static bool same_as_published(const struct gossip *g, const struct fact *x, struct bytes value)
{
	if (x == NULL || x->incarnation != g->durable.incarnation.number)
		return false;
	if (value.data == NULL || x->tombstone)
		return value.data == NULL && x->tombstone;
	struct bytes now = value_of(g->membership.facts, x);
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
		return; /* sixteen keys are in use */
	uint32_t place = facts_take(g, self, g->self, &item);
	if (place == NO_SLOT)
		return;
	struct fact *x = &g->membership.facts->pool[place];
	if (x->big && !value_set(g->membership.facts, x, value))
		fact_free(g, self, x);
	else
		spread_fact(g, place);
}

void facts_start(struct gossip *g)
{
	struct member *self = member_find(g, g->self);
	if (self == NULL)
		return;
	char address[ADDRESS_TEXT_SIZE];
	address_format(&g->settings.address, address);
	facts_publish(g, text_bytes("address"), text_bytes(address));
	facts_publish(g, text_bytes("role"), text_bytes(role_name(self->role)));
	char wire[] = {'0' + WIRE_VERSION_MIN, '-', '0' + WIRE_VERSION_MAX, '\0'};
	facts_publish(g, text_bytes("wire"), text_bytes(wire));
}

struct bytes facts_value(const struct gossip *g, node_id owner, struct bytes key)
{
	const struct member *m = member_find(g, owner);
	const struct fact *x = m == NULL ? NULL : fact_find(g, m, key);
	return x == NULL ? (struct bytes){NULL, 0} : value_of(g->membership.facts, x);
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
	out->value = value_of(f, x);
	out->incarnation = x->incarnation;
	out->version = x->version;
	out->tombstone = x->tombstone;
	out->pending = x->pending;
	out->age = now->boot - x->arrived;
	return true;
}
