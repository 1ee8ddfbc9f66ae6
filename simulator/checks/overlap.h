/*
 * overlap.h: at no true instant do two nodes hold authority.
 *
 * Authority ends by time alone, so before a node is reported as acting, every other one still in
 * the list must be asked again at that same instant and reported.
 * Source: lease.md, "What must be shown", 1.
 */
#ifndef ESSAIM_CHECK_OVERLAP_H
#define ESSAIM_CHECK_OVERLAP_H

#include "violation.h"

#define OVERLAP_MAX 8

struct overlap {
	uint32_t count;
	uint32_t nodes[OVERLAP_MAX]; /* acting when last asked */
	uint64_t epochs[OVERLAP_MAX];
};

/* True if `node` was not in the list and now is: an interval of authority begins. */
bool overlap_report(struct overlap *o, struct violations *v, instant at, uint32_t node, bool acts,
                    uint64_t epoch);

static inline bool overlap_has(const struct overlap *o, uint32_t node)
{
	for (uint32_t i = 0; i < o->count; i++)
		if (o->nodes[i] == node)
			return true;
	return false;
}

#endif
