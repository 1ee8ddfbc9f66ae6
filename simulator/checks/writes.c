#include "writes.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void grow(struct writes_row *row)
{
	if (row->count < row->capacity)
		return;
	row->capacity = row->capacity ? row->capacity * 2 : 64;
	row->history = realloc(row->history, row->capacity * sizeof(*row->history));
	assert(row->history);
}

/* One version, one value. */
static void remember(struct writes *w, struct violations *v, instant at, uint32_t key,
                     uint64_t version, uint64_t value)
{
	struct writes_row *row = &w->rows[key];
	uint32_t place = row->count;
	while (place > 0 && row->history[place - 1].version >= version)
		place--;
	if (place < row->count && row->history[place].version == version) {
		if (row->history[place].value != value)
			violation_add(v, at, "writes",
			              "row %u version %" PRIu64 " was %" PRIu64 " and is %" PRIu64,
			              key, version, row->history[place].value, value);
		return;
	}
	grow(row);
	memmove(row->history + place + 1, row->history + place,
	        (row->count - place) * sizeof(*row->history));
	row->history[place] = (struct written){version, value};
	row->count++;
}

static void saw(struct writes_row *row, uint64_t version)
{
	if (version > row->seen)
		row->seen = version;
}

void writes_put(struct writes *w, struct violations *v, instant at, uint32_t key, uint64_t floor,
                uint64_t version, uint64_t value)
{
	assert(key < WRITES_KEYS);
	w->acknowledged++;
	if (version <= floor)
		violation_add(v, at, "writes",
		              "row %u: a put begun after version %" PRIu64
		              " was seen got version %" PRIu64,
		              key, floor, version);
	remember(w, v, at, key, version, value);
	saw(&w->rows[key], version);
}

void writes_get(struct writes *w, struct violations *v, instant at, uint32_t key, uint64_t floor,
                bool found, uint64_t version, uint64_t value)
{
	assert(key < WRITES_KEYS);
	w->reads++;
	if (!found)
		version = 0;
	if (version < floor)
		violation_add(v, at, "writes",
		              "row %u: a get begun after version %" PRIu64
		              " was seen shows version %" PRIu64,
		              key, floor, version);
	if (!found)
		return;
	if (value > w->highest_value)
		violation_add(v, at, "writes", "row %u shows %" PRIu64 ", which nobody wrote", key,
		              value);
	remember(w, v, at, key, version, value);
	saw(&w->rows[key], version);
}

void writes_final_counter(const struct writes *w, struct violations *v, instant at, uint32_t key,
                          uint64_t value)
{
	const struct writes_row *row = &w->rows[key];
	if (row->forgotten)
		return;
	if (value < row->raised || value > row->raised + row->maybe_raised)
		violation_add(v, at, "writes",
		              "counter %u ends at %" PRIu64 ": %" PRIu64
		              " raises were acknowledged, %" PRIu64 " are unknown",
		              key, value, row->raised, row->maybe_raised);
}

void writes_forget(struct writes *w)
{
	for (int key = 0; key < WRITES_KEYS; key++) {
		w->rows[key].seen = 0;
		w->rows[key].count = 0;
		w->rows[key].forgotten = true;
	}
}

void writes_finish(struct writes *w)
{
	for (int i = 0; i < WRITES_KEYS; i++)
		free(w->rows[i].history);
	*w = (struct writes){0};
}
