#include "removed.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

void removed_init(struct removed *r, uint32_t observers, uint32_t members)
{
	r->observers = observers;
	r->members = members;
	r->since = calloc((size_t)observers * members, sizeof(*r->since));
	assert(r->since);
}

void removed_finish(struct removed *r)
{
	free(r->since);
	*r = (struct removed){0};
}

void removed_report(struct removed *r, struct violations *v, instant at, uint32_t observer,
                    uint64_t commit, uint32_t member, bool shown_removed)
{
	uint64_t *since = &r->since[(size_t)observer * r->members + member];
	if (shown_removed) {
		if (!*since || commit < *since)
			*since = commit ? commit : 1;
		return;
	}
	if (*since && commit >= *since)
		violation_add(v, at, "removed",
		              "node %u shows member %u as no longer removed, at commit %" PRIu64,
		              observer, member, commit);
}
