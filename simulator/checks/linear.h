/*
 * linear.h: is one row's history linearizable? Puts, conditional puts, gets, and unknown outcomes.
 *
 * The row is a register with a version that every write raises. An operation of unknown outcome
 * may take effect at any time after it began, or never. The search is Wing and Gong's (1993) with
 * Lowe's memory (2017): linearize minimal operations depth first, and never visit the same set of
 * linearized operations in the same state twice. Bounded by LINEAR_STEPS; beyond it the verdict is
 * UNDECIDED, which is no violation but is counted.
 */
#ifndef ESSAIM_CHECK_LINEAR_H
#define ESSAIM_CHECK_LINEAR_H

#include "words.h"

#define LINEAR_STEPS 2000000
#define LINEAR_UNKNOWN UINT64_MAX /* `end` of an operation whose outcome nobody was told */
#define LINEAR_ANY UINT64_MAX     /* `if_version` of an unconditional put */

enum linear_kind {
	LINEAR_PUT,      /* end known: applied, and got `version` */
	LINEAR_CONFLICT, /* a conditional put that found another version */
	LINEAR_GET,      /* found `version` and `value`; version 0: no such row */
};

struct operation {
	enum linear_kind kind;
	uint64_t begin, end; /* any clock in which earlier is smaller; no two alike */
	uint64_t value, version, if_version;
};

struct history {
	struct operation *list;
	uint32_t count, capacity;
};

enum linear_verdict { LINEAR_YES, LINEAR_NO, LINEAR_UNDECIDED };

/* Index of the new operation. */
uint32_t history_add(struct history *h, const struct operation *op);
void history_finish(struct history *h);

/* On LINEAR_NO, *stuck is an operation beyond which no order could be found. */
enum linear_verdict linear_check(const struct history *h, uint32_t *stuck);

#endif
