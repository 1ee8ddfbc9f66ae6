#include "paths_inside.h"

/* As D_P / 6 of the shorter profile: a master on a dead path keeps its lease by another. */
#define TRAFFIC_PATIENCE (100 * MILLISECOND)

struct promise_due *path_due(struct gossip *g, uint32_t slot, uint32_t path)
{
	struct paths *p = g->membership.paths;
	for (uint32_t i = 0, left = p->open; left > 0; i++) {
		struct promise_due *due = &p->promises[i];
		left -= due->slot != 0;
		if (due->slot == slot && due->path == path)
			return due;
	}
	return NULL;
}

void path_due_end(struct gossip *g, struct promise_due *due)
{
	due->slot = 0;
	g->membership.paths->open--;
}

static struct promise_due *promise_new(struct gossip *g)
{
	struct paths *p = g->membership.paths;
	for (uint32_t i = 0; i < PROMISES_MAX; i++) {
		if (p->promises[i].slot == 0) {
			p->open++;
			return &p->promises[i];
		}
	}
	return NULL;
}

/* The earlier of two promises by one path counts; a probe's says more than any other. */
void path_expect(struct gossip *g, const struct path_set *s, uint32_t path, bool probe)
{
	struct promise_due *due = path_due(g, s->slot, path);
	if (due != NULL && (due->probe || !probe))
		return;
	if (due == NULL)
		due = promise_new(g);
	if (due == NULL)
		return;
	duration wait = path_patience(g);
	if (!probe)
		wait = wait / PATIENCE * TRAFFIC_PATIENCE;
	*due = (struct promise_due){s->slot, (uint8_t)path, probe, g->now.boot, g->now.boot + wait};
}

void paths_due_drop(struct gossip *g, uint32_t slot)
{
	struct paths *p = g->membership.paths;
	for (uint32_t i = 0; i < PROMISES_MAX && p->open > 0; i++) {
		if (p->promises[i].slot == slot)
			path_due_end(g, &p->promises[i]);
	}
}
