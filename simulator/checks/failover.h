/*
 * failover.h: how long the cluster was without a master after one died or was cut off.
 */
#ifndef ESSAIM_CHECK_FAILOVER_H
#define ESSAIM_CHECK_FAILOVER_H

#include "violation.h"

#define FAILOVERS_KEPT 256

/*
 * The bound: a grant given just before lasts D_A, then elections whose first candidates may collide.
 * Judged only if nothing else had gone wrong for FAILOVER_QUIET and nothing else does until then.
 */
#define FAILOVER_BOUND_DEFAULT (6 * SECOND)
#define FAILOVER_BOUND_LAN (4 * SECOND)
#define FAILOVER_QUIET (10 * SECOND)

struct failover {
	instant lost_at; /* NEVER: a master acts, or is not known to be lost */
	uint32_t lost;   /* which node */
	instant judged_since; /* NEVER: this fail-over is not judged */
	uint32_t count;
	duration list[FAILOVERS_KEPT];
};

/* The acting master `node` died or was isolated. */
static inline void failover_lost(struct failover *f, instant at, uint32_t node)
{
	f->lost_at = at;
	f->lost = node;
}

/* Nobody acts yet, or somebody begins to, at `at`. */
static inline void failover_judge(struct failover *f, struct violations *v, instant at,
                                  duration bound)
{
	if (f->judged_since == NEVER || at - f->judged_since <= bound)
		return;
	violation_add(v, at, "failover",
	              "%d ms after node %u was lost, and with no other fault, nobody acted",
	              (int)((at - f->judged_since) / MILLISECOND), f->lost);
	f->judged_since = NEVER;
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
