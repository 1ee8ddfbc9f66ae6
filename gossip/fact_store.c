#include "fact.h"

#define SHEET_SIZE (16 * 1024)

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
	struct fact *pool = carve(memory, sizeof *pool * (members * FACTS_ON_AVERAGE + 64));
	struct book *books = carve(memory, sizeof *books * members);
	struct facts none;
	struct facts *into = f == NULL ? &none : f;
	slab_init(&into->packet, memory, (FACT_INLINE_MAX + 15) / 16 * 16, members * 2 + 16, f == NULL);
	slab_init(&into->page, memory, 4096, members / 2 + 16, f == NULL);
	/* Inventories: a page of 128 volumes is 10 KB, and few owners have more than one. */
	slab_init(&into->sheet, memory, SHEET_SIZE, g->settings.facts_off ? 16 : members / 2 + 16, f == NULL);
	slab_init(&into->big, memory, FACT_VALUE_MAX, members / 16 + 16, f == NULL);
	g->membership.facts = f;
	if (f == NULL)
		return;
	f->books = books;
	f->pool = pool;
	f->capacity = members * FACTS_ON_AVERAGE + 64; /* even one alone has room for all of its keys */
}

struct book *fact_book(const struct gossip *g, const struct member *owner)
{
	return &g->membership.facts->books[member_slot(g, owner)];
}

/* ---- values ---- */

static struct slab *slab_of(struct facts *f, enum value_class class)
{
	switch (class) {
	case VALUE_PACKET:
		return &f->packet;
	case VALUE_PAGE:
		return &f->page;
	case VALUE_SHEET:
		return &f->sheet;
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
	if (size <= 4096)
		return VALUE_PAGE;
	return size <= SHEET_SIZE ? VALUE_SHEET : VALUE_BIG;
}

struct bytes fact_bytes(const struct facts *f, const struct fact *x)
{
	if (x->tombstone || x->pending || x->class == VALUE_NONE)
		return (struct bytes){NULL, 0};
	if (x->class == VALUE_INLINE)
		return (struct bytes){x->value, x->size};
	const struct slab *s = x->class == VALUE_PACKET  ? &f->packet
	                       : x->class == VALUE_PAGE  ? &f->page
	                       : x->class == VALUE_SHEET ? &f->sheet
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
bool fact_set(struct facts *f, struct fact *x, struct bytes value)
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
void fact_toggle(struct gossip *g, const struct fact *x)
{
	uint64_t mark = mark_of(g, x);
	g->membership.facts->summary ^= mark;
	g->membership.facts->books[x->owner].summary ^= mark;
	g->membership.facts->changed = g->now.boot;
}

uint64_t facts_summary(const struct gossip *g)
{
	return g->membership.facts->summary;
}

/* ---- the records ---- */

struct fact *fact_find(const struct gossip *g, const struct member *owner, struct bytes key)
{
	struct facts *f = g->membership.facts;
	for (uint32_t i = fact_book(g, owner)->first; i != 0; i = f->pool[i - 1].next) {
		struct fact *x = &f->pool[i - 1];
		if (x->key_size == key.size && memcmp(x->key, key.data, key.size) == 0)
			return x;
	}
	return NULL;
}

void fact_free(struct gossip *g, struct member *owner, struct fact *x)
{
	struct facts *f = g->membership.facts;
	uint32_t index = (uint32_t)(x - f->pool) + 1;
	uint32_t *link = &fact_book(g, owner)->first;
	while (*link != index)
		link = &f->pool[*link - 1].next;
	*link = x->next;
	fact_toggle(g, x);
	value_free(f, x);
	f->pending_count -= x->pending;
	x->used = false;
	x->next = f->free_first;
	f->free_first = index;
	f->free_count++;
	fact_book(g, owner)->count--;
}

/* The tombstone of lowest version makes room; every node would choose the same. */
struct fact *fact_oldest_tombstone(const struct gossip *g, const struct member *owner)
{
	struct facts *f = g->membership.facts;
	struct fact *oldest = NULL;
	for (uint32_t i = fact_book(g, owner)->first; i != 0; i = f->pool[i - 1].next) {
		struct fact *x = &f->pool[i - 1];
		if (x->tombstone && (oldest == NULL || x->version < oldest->version))
			oldest = x;
	}
	return oldest;
}

struct fact *fact_new(struct gossip *g, struct member *owner)
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
	x->next = fact_book(g, owner)->first;
	fact_book(g, owner)->first = index;
	fact_book(g, owner)->count++;
	return x;
}

void facts_drop_owner(struct gossip *g, struct member *owner)
{
	while (fact_book(g, owner)->first != 0)
		fact_free(g, owner, &g->membership.facts->pool[fact_book(g, owner)->first - 1]);
	fact_book(g, owner)->incarnation = 0;
}

struct bytes fact_key(const struct fact *x)
{
	return (struct bytes){x->key, x->key_size};
}

bool facts_own(const struct gossip *g, uint32_t fact)
{
	return g->membership.members[g->membership.facts->pool[fact].owner].id == g->self;
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
		out->fact.value = fact_bytes(f, x);
	return true;
}
