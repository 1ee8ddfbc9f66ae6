/*
 * epochs.h: each new authority has a higher epoch than all before it.
 *
 * Being asked twice about one process in one epoch is not a new authority; whoever lapsed and acquires
 * again has a new epoch. Source: lease.md, P4.
 */
#ifndef ESSAIM_CHECK_EPOCHS_H
#define ESSAIM_CHECK_EPOCHS_H

#include "violation.h"

struct epochs {
	uint64_t last;
	uint32_t node, life; /* who holds or held it */
	uint32_t masters;    /* epochs seen */
};

/* `node` in its process `life` holds authority in `epoch`. True if the epoch is new. */
bool epochs_report(struct epochs *e, struct violations *v, instant at, uint32_t node, uint32_t life,
                   uint64_t epoch);

#endif
