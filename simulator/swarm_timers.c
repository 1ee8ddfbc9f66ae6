#include "swarm_world.h"

#include <assert.h>
#include <stdlib.h>

/* At equal times the lower node goes first: a run must not depend on the heap's shape. */
static bool before(struct swarm_timer a, struct swarm_timer b)
{
	return a.at != b.at ? a.at < b.at : a.node < b.node;
}

static void put(struct swarm_timers *t, uint32_t place, struct swarm_timer timer)
{
	t->heap[place] = timer;
	t->place[timer.node] = place;
}

void swarm_timers_start(struct swarm_timers *t, uint32_t nodes)
{
	t->heap = calloc(nodes, sizeof(*t->heap));
	t->place = calloc(nodes, sizeof(*t->place));
	assert(t->heap && t->place);
	t->count = nodes;
	for (uint32_t i = 0; i < nodes; i++)
		put(t, i, (struct swarm_timer){NEVER, i});
}

void swarm_timers_finish(struct swarm_timers *t)
{
	free(t->heap);
	free(t->place);
}

static uint32_t rise(struct swarm_timers *t, uint32_t place, struct swarm_timer timer)
{
	for (; place > 0 && before(timer, t->heap[(place - 1) / 2]); place = (place - 1) / 2)
		put(t, place, t->heap[(place - 1) / 2]);
	return place;
}

static uint32_t sink(struct swarm_timers *t, uint32_t place, struct swarm_timer timer)
{
	for (;;) {
		uint32_t child = 2 * place + 1;
		if (child >= t->count)
			return place;
		if (child + 1 < t->count && before(t->heap[child + 1], t->heap[child]))
			child++;
		if (!before(t->heap[child], timer))
			return place;
		put(t, place, t->heap[child]);
		place = child;
	}
}

void swarm_timer_set(struct swarm_timers *t, uint32_t node, instant at)
{
	struct swarm_timer timer = {at, node};
	uint32_t place = t->place[node];
	if (t->heap[place].at == at)
		return;
	place = sink(t, rise(t, place, timer), timer);
	put(t, place, timer);
}
