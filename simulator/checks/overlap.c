#include "overlap.h"

#include <inttypes.h>

static bool leave(struct overlap *o, uint32_t node)
{
	for (uint32_t i = 0; i < o->count; i++) {
		if (o->nodes[i] != node)
			continue;
		o->count--;
		o->nodes[i] = o->nodes[o->count];
		o->epochs[i] = o->epochs[o->count];
		return true;
	}
	return false;
}

bool overlap_report(struct overlap *o, struct violations *v, instant at, uint32_t node, bool acts,
                    uint64_t epoch)
{
	bool acted = leave(o, node);
	if (!acts)
		return false;
	for (uint32_t i = 0; i < o->count; i++)
		violation_add(v, at, "overlap",
		              "nodes %u (epoch %" PRIu64 ") and %u (epoch %" PRIu64
		              ") both hold authority",
		              o->nodes[i], o->epochs[i], node, epoch);
	if (o->count == OVERLAP_MAX)
		return false;
	o->nodes[o->count] = node;
	o->epochs[o->count++] = epoch;
	return !acted;
}
