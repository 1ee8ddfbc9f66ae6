#include "rows.h"

#include <assert.h>
#include <string.h>

#include "core.h"

/*
 * Records lie one behind the other; a record that grew, or was deleted and written to the store, is
 * dead and squeezed out when the end is reached. `index` holds offset / 8 + 1.
 */
struct record {
	uint32_t key_size, value_size;
	uint8_t state; /* enum record_state */
	uint8_t dirty;
	uint8_t pad[6];
};

enum record_state { RECORD_DEAD = 0, RECORD_LIVE = 1, RECORD_DELETED = 2 };

static struct record *record_at(const struct rows *rows, uint32_t offset)
{
	return (struct record *)(void *)(rows->data + offset);
}

static uint8_t *record_key(struct record *r)
{
	return (uint8_t *)(r + 1);
}

static uint8_t *record_value(struct record *r)
{
	return record_key(r) + r->key_size;
}

static uint32_t record_size(uint32_t key_size, uint32_t value_size)
{
	return ((uint32_t)sizeof(struct record) + key_size + value_size + 7) & ~7u;
}

void rows_init(struct rows *rows, uint32_t bytes, struct carve *memory)
{
	rows->capacity = bytes & ~7u;
	uint32_t slots = 1024;
	while (slots < rows->capacity / 128)
		slots *= 2;
	rows->index_mask = slots - 1;
	rows->data = carve(memory, rows->capacity);
	rows->index = carve(memory, slots * sizeof *rows->index);
}

void rows_clear(struct rows *rows)
{
	memset(rows->index, 0, (rows->index_mask + 1) * sizeof *rows->index);
	rows->used = rows->live = rows->count = rows->dirty_count = 0;
	rows->dirty_bytes = 0;
}

/* FNV-1a with a final mix: short keys, no adversary that could not simply fill the table. */
static uint32_t hash_key(struct bytes key)
{
	uint64_t h = 1469598103934665603u;
	for (size_t i = 0; i < key.size; i++)
		h = (h ^ key.data[i]) * 1099511628211u;
	return (uint32_t)(h ^ h >> 32);
}

/* The index slot that holds `key`, or the empty one where it would go. */
static uint32_t find_slot(const struct rows *rows, struct bytes key)
{
	uint32_t slot = hash_key(key) & rows->index_mask;
	for (; rows->index[slot] != 0; slot = (slot + 1) & rows->index_mask) {
		struct record *r = record_at(rows, (rows->index[slot] - 1) * 8);
		if (r->key_size == key.size && memcmp(record_key(r), key.data, key.size) == 0)
			break;
	}
	return slot;
}

static struct record *find(const struct rows *rows, struct bytes key)
{
	uint32_t at = rows->index[find_slot(rows, key)];
	return at == 0 ? NULL : record_at(rows, (at - 1) * 8);
}

bool rows_get(const struct rows *rows, struct bytes key, struct bytes *value)
{
	struct record *r = find(rows, key);
	if (r == NULL || r->state != RECORD_LIVE)
		return false;
	*value = (struct bytes){record_value(r), r->value_size};
	return true;
}

/* Backward-shift deletion keeps probe runs whole without markers. */
static void unindex(struct rows *rows, uint32_t slot)
{
	uint32_t hole = slot;
	for (uint32_t next = (hole + 1) & rows->index_mask; rows->index[next] != 0;
	     next = (next + 1) & rows->index_mask) {
		struct record *r = record_at(rows, (rows->index[next] - 1) * 8);
		uint32_t home = hash_key((struct bytes){record_key(r), r->key_size}) & rows->index_mask;
		if (((next - home) & rows->index_mask) >= ((next - hole) & rows->index_mask)) {
			rows->index[hole] = rows->index[next];
			hole = next;
		}
	}
	rows->index[hole] = 0;
}

static void bury(struct rows *rows, struct record *r)
{
	rows->live -= record_size(r->key_size, r->value_size);
	r->state = RECORD_DEAD;
	r->dirty = 0;
}

/* Slides live records together and points index and dirty list at their new places. */
static void squeeze(struct rows *rows)
{
	uint32_t to = 0;
	rows->dirty_count = 0;
	for (uint32_t from = 0, size; from < rows->used; from += size) {
		struct record *r = record_at(rows, from);
		size = record_size(r->key_size, r->value_size);
		if (r->state == RECORD_DEAD)
			continue;
		uint32_t slot = find_slot(rows, (struct bytes){record_key(r), r->key_size});
		rows->index[slot] = to / 8 + 1;
		if (r->dirty)
			rows->dirty[rows->dirty_count++] = to;
		memmove(rows->data + to, rows->data + from, size);
		to += size;
	}
	rows->used = to;
	assert(rows->used == rows->live);
}

bool rows_fit(const struct rows *rows, size_t key_size, size_t value_size)
{
	uint64_t size = sizeof(struct record) + key_size + value_size + 7;
	return rows->live + size <= rows->capacity && rows->count < (rows->index_mask + 1) / 4 * 3;
}

static void mark(struct rows *rows, uint32_t offset)
{
	struct record *r = record_at(rows, offset);
	if (r->dirty)
		return;
	assert(rows->dirty_count < ROWS_DIRTY_MAX);
	r->dirty = 1;
	rows->dirty[rows->dirty_count++] = offset;
	rows->dirty_bytes += r->key_size + r->value_size;
}

/* Takes a dirty record out of the dirty list (it was replaced by a longer one elsewhere). */
static void unmark(struct rows *rows, const struct record *r)
{
	uint32_t offset = (uint32_t)((const uint8_t *)r - rows->data);
	for (uint32_t i = 0; i < rows->dirty_count; i++) {
		if (rows->dirty[i] == offset) {
			rows->dirty[i] = rows->dirty[--rows->dirty_count];
			return;
		}
	}
}

static uint32_t append(struct rows *rows, struct bytes key, struct bytes value)
{
	uint32_t size = record_size((uint32_t)key.size, (uint32_t)value.size);
	if (rows->used + size > rows->capacity)
		squeeze(rows);
	uint32_t offset = rows->used;
	struct record *r = record_at(rows, offset);
	memset(r, 0, sizeof *r);
	r->key_size = (uint32_t)key.size;
	r->value_size = (uint32_t)value.size;
	r->state = RECORD_LIVE;
	memcpy(record_key(r), key.data, key.size);
	if (value.size > 0)
		memcpy(record_value(r), value.data, value.size);
	rows->used += size;
	rows->live += size;
	return offset;
}

bool rows_put(struct rows *rows, struct bytes key, struct bytes value, bool dirty)
{
	if (!rows_fit(rows, key.size, value.size))
		return false;
	struct record *old = find(rows, key);
	if (old != NULL && old->value_size == value.size) {
		if (value.size > 0)
			memmove(record_value(old), value.data, value.size);
		if (old->state == RECORD_DELETED)
			rows->count++;
		old->state = RECORD_LIVE;
		if (dirty)
			mark(rows, (uint32_t)((uint8_t *)old - rows->data));
		return true;
	}
	if (old != NULL) {
		rows->count -= old->state == RECORD_LIVE;
		if (old->dirty)
			unmark(rows, old);
		bury(rows, old);
		unindex(rows, find_slot(rows, key));
	}
	uint32_t offset = append(rows, key, value);
	rows->index[find_slot(rows, key)] = offset / 8 + 1;
	rows->count++;
	if (dirty)
		mark(rows, offset);
	return true;
}

bool rows_delete(struct rows *rows, struct bytes key)
{
	struct record *r = find(rows, key);
	if (r == NULL || r->state != RECORD_LIVE)
		return false;
	r->state = RECORD_DELETED; /* stays until a checkpoint has told the store */
	rows->count--;
	mark(rows, (uint32_t)((uint8_t *)r - rows->data));
	return true;
}

bool rows_next(const struct rows *rows, uint32_t *cursor, struct bytes *key, struct bytes *value)
{
	while (*cursor < rows->used) {
		struct record *r = record_at(rows, *cursor);
		*cursor += record_size(r->key_size, r->value_size);
		if (r->state != RECORD_LIVE)
			continue;
		*key = (struct bytes){record_key(r), r->key_size};
		*value = (struct bytes){record_value(r), r->value_size};
		return true;
	}
	return false;
}

void rows_dirty_at(const struct rows *rows, uint32_t position, struct bytes *key,
                   struct bytes *value)
{
	assert(position < rows->dirty_count);
	struct record *r = record_at(rows, rows->dirty[position]);
	*key = (struct bytes){record_key(r), r->key_size};
	*value = r->state == RECORD_LIVE ? (struct bytes){record_value(r), r->value_size}
	                                 : (struct bytes){NULL, 0};
}

void rows_clean(struct rows *rows)
{
	for (uint32_t i = 0; i < rows->dirty_count; i++) {
		struct record *r = record_at(rows, rows->dirty[i]);
		r->dirty = 0;
		if (r->state != RECORD_DELETED)
			continue;
		bury(rows, r);
		unindex(rows, find_slot(rows, (struct bytes){record_key(r), r->key_size}));
	}
	rows->dirty_count = 0;
	rows->dirty_bytes = 0;
}
