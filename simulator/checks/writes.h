/*
 * writes.h: what clients were told about kv rows is linearizable, row by row.
 *
 * Every row has a version that each write raises, so the order of writes is known and the check
 * is exact: an operation that began after another ended must not be ordered before it.
 *
 *   1. A get begun after anyone saw version n (by put or get) shows at least n.
 *   2. A put begun then gets a version above n.
 *   3. One version of a row has one value.
 *   4. A value read was written by someone.
 *   5. A counter raised by if-version puts ends between the acknowledged raises and those plus the
 *      ones of unknown outcome.
 *
 * Source: Gibbons and Korach, "Testing shared memories" (1997): with the write order given,
 * linearizability of a register is a check of intervals.
 */
#ifndef ESSAIM_CHECK_WRITES_H
#define ESSAIM_CHECK_WRITES_H

#include "violation.h"

#define WRITES_KEYS 16

struct written {
	uint64_t version, value;
};

struct writes_row {
	uint64_t seen; /* highest version any ended operation saw */
	struct written *history; /* ascending by version */
	uint32_t count, capacity;
	uint64_t raised, maybe_raised; /* counters */
	bool forgotten; /* its beginning is: a counter's raises cannot be counted */
};

struct writes {
	struct writes_row rows[WRITES_KEYS];
	uint64_t highest_value; /* of any put begun so far; counters are not compared with it */
	uint64_t acknowledged, unknown, refused, reads;
};

/* An operation on `key` begins: keep the result, it is its floor. */
static inline uint64_t writes_begin(const struct writes *w, uint32_t key)
{
	return w->rows[key].seen;
}

void writes_put(struct writes *w, struct violations *v, instant at, uint32_t key, uint64_t floor,
                uint64_t version, uint64_t value);

/* found false: version and value mean nothing. */
void writes_get(struct writes *w, struct violations *v, instant at, uint32_t key, uint64_t floor,
                bool found, uint64_t version, uint64_t value);

static inline void writes_raised(struct writes *w, uint32_t key, bool surely)
{
	if (surely)
		w->rows[key].raised++;
	else
		w->rows[key].maybe_raised++;
}

/* The last read of a counter, when nothing is under way any more. */
void writes_final_counter(const struct writes *w, struct violations *v, instant at, uint32_t key,
                          uint64_t value);

/* A new generation: what clients were told before may be lost; what they are told now counts. */
void writes_forget(struct writes *w);
void writes_finish(struct writes *w);

#endif
