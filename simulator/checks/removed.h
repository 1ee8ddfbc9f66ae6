/*
 * removed.h: who was removed never comes back.
 *
 * A node that has once shown a member as removed never shows it otherwise again, not even after a
 * restart once its commit index is back where it was. (That it does not act is overlap's and epochs' to see.)
 */
#ifndef ESSAIM_CHECK_REMOVED_H
#define ESSAIM_CHECK_REMOVED_H

#include <string.h>

#include "violation.h"

struct removed {
	uint32_t observers, members;
	uint64_t *since; /* [observer * members + member]: commit index at which it was first shown
	                    as removed; 0: never */
};

void removed_init(struct removed *r, uint32_t observers, uint32_t members);
void removed_finish(struct removed *r);

/* The observer's disk went back: it may not know any more. */
static inline void removed_forget(struct removed *r, uint32_t observer)
{
	memset(r->since + (size_t)observer * r->members, 0, r->members * sizeof(*r->since));
}

void removed_report(struct removed *r, struct violations *v, instant at, uint32_t observer,
                    uint64_t commit, uint32_t member, bool shown_removed);

#endif
