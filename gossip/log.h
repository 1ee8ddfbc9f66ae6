/*
 * log.h: the window of the ledger's entries that this node holds in memory.
 *
 *     first ............ applied .... commit ........ last
 *     kept for laggards  |            known chosen    accepted, may still change
 *
 * Invariants
 *   1. Indexes first..last are all present; first - 1 <= applied <= commit <= last.
 *   2. An entry's ballot is the ballot under which this node accepted (or learned) it; a slot is
 *      replaced only under a ballot that is not lower, or by an entry known to be chosen.
 *   3. Bytes handed out stay valid for the rest of the step: the store has two halves, and live
 *      bytes move to the other half at most once in a step.
 */
#ifndef ESSAIM_LOG_H
#define ESSAIM_LOG_H

#include "message.h"

struct carve;

struct log_slot {
	struct ballot ballot;
	uint32_t offset, size;
};

struct log {
	uint64_t first, last, commit, applied;
	struct log_slot *slots; /* index & slot_mask */
	uint32_t slot_mask;
	uint8_t *halves[2];
	int half;
	uint32_t half_size, used;
	uint32_t live; /* bytes of first..last */
};

void log_init(struct log *log, uint32_t bytes, struct carve *memory);

/* Empty, with everything up to `index` applied elsewhere. */
void log_reset(struct log *log, uint64_t index);

/* The entry at `index`; false if it is not in the window. */
bool log_get(const struct log *log, uint64_t index, struct entry *out);
struct ballot log_ballot(const struct log *log, uint64_t index); /* zero ballot if not there */

/* True if one more entry of `size` bytes fits. */
bool log_fits(const struct log *log, size_t size);

/* Sets entry `index`, first <= index <= last + 1. False if full: nothing changed. */
bool log_put(struct log *log, uint64_t index, const struct ballot *ballot, struct bytes command);

void log_cut_above(struct log *log, uint64_t index);
/* Forgets entries <= index (index <= applied). */
void log_trim_below(struct log *log, uint64_t index);

/* Bytes of the entries above `index`. */
size_t log_bytes_above(const struct log *log, uint64_t index);

#endif
