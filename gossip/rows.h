/*
 * rows.h: the ledger's applied state: a table of byte keys to byte values in memory sized at start.
 *
 * The first byte of a key names its table (ledger.h). Rows changed since the last checkpoint are
 * remembered, so that a checkpoint writes just those.
 *
 * Invariants
 *   1. No pointer handed out survives the next rows_put or rows_delete.
 *   2. dirty_count never exceeds ROWS_DIRTY_MAX: the ledger checkpoints before.
 */
#ifndef ESSAIM_ROWS_H
#define ESSAIM_ROWS_H

#include "words.h"

struct carve;

#define ROWS_DIRTY_MAX 512

struct rows {
	uint8_t *data;
	uint32_t capacity, used, live;
	uint32_t *index; /* offset / 8 + 1 of a record, open addressing */
	uint32_t index_mask;
	uint32_t count;
	uint32_t dirty[ROWS_DIRTY_MAX]; /* offsets of records changed or deleted since the checkpoint */
	uint32_t dirty_count;
	uint64_t dirty_bytes;
};

void rows_init(struct rows *rows, uint32_t bytes, struct carve *memory);
void rows_clear(struct rows *rows);

bool rows_get(const struct rows *rows, struct bytes key, struct bytes *value);

/* False if there is no room: nothing changed. `dirty`: to be written by the next checkpoint. */
bool rows_put(struct rows *rows, struct bytes key, struct bytes value, bool dirty);
bool rows_delete(struct rows *rows, struct bytes key); /* false: was not there */

/* Would a row of this size fit? */
bool rows_fit(const struct rows *rows, size_t key_size, size_t value_size);

/* Walks live rows; start with *cursor = 0. Any change between calls may repeat or skip rows. */
bool rows_next(const struct rows *rows, uint32_t *cursor, struct bytes *key, struct bytes *value);

/* The dirty row at `position`: value.data is NULL if it was deleted. */
void rows_dirty_at(const struct rows *rows, uint32_t position, struct bytes *key,
                   struct bytes *value);
void rows_clean(struct rows *rows);

#endif
