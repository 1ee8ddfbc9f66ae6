#include "prefix.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void reach(struct prefix *p, uint64_t index)
{
	if (index < p->capacity)
		return;
	uint64_t capacity = p->capacity ? p->capacity : 1024;
	while (capacity <= index)
		capacity *= 2;
	p->hashes = realloc(p->hashes, capacity * sizeof(*p->hashes));
	p->first = realloc(p->first, capacity * sizeof(*p->first));
	assert(p->hashes && p->first);
	memset(p->hashes + p->capacity, 0, (capacity - p->capacity) * sizeof(*p->hashes));
	p->capacity = capacity;
}

void prefix_report(struct prefix *p, struct violations *v, instant at, uint32_t node,
                   uint64_t index, uint64_t hash)
{
	reach(p, index);
	hash |= 1;
	if (!p->hashes[index]) {
		p->hashes[index] = hash;
		p->first[index] = node;
		return;
	}
	if (p->hashes[index] != hash)
		violation_add(v, at, "prefix",
		              "node %u committed another command at index %" PRIu64 " than node %u",
		              node, index, p->first[index]);
}

void prefix_cut(struct prefix *p, uint64_t index)
{
	while (++index < p->capacity)
		p->hashes[index] = 0;
}

void prefix_finish(struct prefix *p)
{
	free(p->hashes);
	free(p->first);
	*p = (struct prefix){0};
}
