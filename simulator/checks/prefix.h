/*
 * prefix.h: the committed command at an index is the same at every node, for ever.
 * Source: lease.md, "What must be shown", 1 (prefixes agree).
 */
#ifndef ESSAIM_CHECK_PREFIX_H
#define ESSAIM_CHECK_PREFIX_H

#include "violation.h"

struct prefix {
	uint64_t *hashes; /* by index; 0: not seen yet */
	uint32_t *first;  /* which node showed it first */
	uint64_t capacity;
};

void prefix_report(struct prefix *p, struct violations *v, instant at, uint32_t node,
                   uint64_t index, uint64_t hash);
/* A new generation: what was committed above this index may be something else now. */
void prefix_cut(struct prefix *p, uint64_t index);
void prefix_finish(struct prefix *p);

#endif
