/*
 * disk.h: one machine's store, as its daemon's store thread uses it.
 *
 *     submit --> queue --> batch being synced --> written (and reported)
 *                  |               |
 *                  +---- crash ----+--> a prefix of the batch may survive, the queue never does
 *
 * Invariants
 *   1. What is reported as persisted survives every crash.
 *   2. Transactions are written in order and whole.
 *   3. A failed batch stays at the head and is written before any later one.
 *
 * The disk keeps no time of its own: whoever drives it (machine.c) says when a batch ends.
 */
#ifndef ESSAIM_DISK_H
#define ESSAIM_DISK_H

#include "gossip.h"
#include "prng.h"

enum disk_mood { DISK_WELL, DISK_STALLED, DISK_FAILING, DISK_FULL };

struct disk_op {
	enum store_kind kind;
	uint64_t index;
	struct ballot ballot;
	struct bytes key, value; /* into the transaction's own memory */
};

struct disk_transaction {
	struct disk_transaction *next;
	uint64_t number;
	bool lazy;
	bool reported; /* as failed: written silently later */
	uint32_t op_count;
	size_t size; /* of keys and values */
	struct disk_op ops[];
};

struct disk_entry {
	uint64_t index;
	struct ballot ballot;
	size_t size;
	uint8_t *data;
};

struct disk_row {
	struct disk_row *next;
	size_t key_size, value_size;
	uint8_t *value;
	uint8_t key[];
};

#define DISK_BUCKETS 64

struct disk {
	uint8_t *durable;
	size_t durable_size;
	struct disk_entry *entries; /* ascending */
	uint32_t entry_count, entry_capacity;
	struct disk_row *rows[DISK_BUCKETS];

	struct disk_transaction *head, *tail;
	uint32_t queued;   /* transactions from head on */
	uint32_t batch;    /* of those, how many are being synced; 0: idle */
	uint64_t batches;  /* names a batch: an event of an older one means nothing */
	bool overdue;      /* the batch would be done, but the disk is stalled */
	enum disk_mood mood;
	size_t room; /* bytes that still fit while FULL */
};

void disk_submit(struct disk *d, uint64_t number, bool lazy, uint32_t op_count,
                 const struct store_op *ops);

/* True if the queue holds something that must not wait (a failed write is retried at leisure). */
bool disk_urgent(const struct disk *d);

/* Takes the whole queue as one batch. Returns its name. */
uint64_t disk_begin(struct disk *d);

/*
 * Ends the batch: written, or failed by the disk's mood. Calls `report` for each transaction that
 * was not reported before, in order.
 */
typedef void disk_report(void *context, uint64_t number, bool failed);
void disk_end(struct disk *d, disk_report *report, void *context);

/* The process or the host died: of the batch, a prefix drawn from `dice` survives. */
void disk_crash(struct disk *d, struct prng *dice);

/* A clean end of the process: everything is written. */
void disk_flush(struct disk *d);

/* Hands everything written to a fresh core. False if the core could not read it. */
bool disk_load(const struct disk *d, struct gossip *core);

/* What is written, without what is on its way: an image as a backup would hold it. */
void disk_copy(const struct disk *from, struct disk *out);

void disk_finish(struct disk *d);

#endif
