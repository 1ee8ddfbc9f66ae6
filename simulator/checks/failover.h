/*
 * failover.h: how long the cluster was without a master after one died or was cut off.
 */
#ifndef ESSAIM_CHECK_FAILOVER_H
#define ESSAIM_CHECK_FAILOVER_H

#include "violation.h"

#define FAILOVERS_KEPT 256

struct failover {
	instant lost_at; /* NEVER: a master acts, or is not known to be lost */
	uint32_t lost;   /* which node */
	uint32_t count;
	duration list[FAILOVERS_KEPT];
};

/* The acting master `node` died or was isolated. */
static inline void failover_lost(struct failover *f, instant at, uint32_t node)
{
	f->lost_at = at;
	f->lost = node;
}

/* `node` begins to act. The same one coming back by itself is no fail-over. */
static inline void failover_acts(struct failover *f, instant at, uint32_t node)
{
	if (f->lost_at == NEVER)
		return;
	if (node != f->lost && f->count < FAILOVERS_KEPT)
		f->list[f->count++] = at - f->lost_at;
	f->lost_at = NEVER;
}

#endif
