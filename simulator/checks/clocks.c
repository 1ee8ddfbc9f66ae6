#include "clocks.h"

#include <inttypes.h>
#include <stdlib.h>

#define SETTLED (120 * SECOND) /* by then every sample is newer, of whoever was reached since */
#define NEAR (100 * MILLISECOND) /* of the middle: under half of the doctor's least threshold */

void clocks_check_init(struct clocks_check *c, uint32_t nodes)
{
	*c = (struct clocks_check){.count = nodes <= CLOCKS_NODES_MAX ? nodes : 0}; /* more: not judged */
	for (uint32_t i = 0; i < c->count; i++)
		c->nodes[i].disturbed_at = NEVER;
}

static duration magnitude(duration d)
{
	return d < 0 ? -d : d;
}

void clocks_truth(struct clocks_check *c, uint32_t node, instant at, instant wall, bool touched)
{
	struct clocks_node *n = &c->nodes[node];
	if (touched)
		n->disturbed_at = at;
	n->at = at;
	n->wall = wall;
}

void clocks_lies(struct clocks_check *c, uint32_t node)
{
	if (node < c->count)
		c->nodes[node].liar = true;
}

static int by_number(const void *a, const void *b)
{
	instant x = *(const instant *)a, y = *(const instant *)b;
	return x < y ? -1 : x > y;
}

static instant middle(const struct clocks_check *c)
{
	instant walls[CLOCKS_NODES_MAX];
	for (uint32_t i = 0; i < c->count; i++)
		walls[i] = c->nodes[i].wall;
	qsort(walls, c->count, sizeof walls[0], by_number);
	return walls[c->count / 2];
}

void clocks_judge(struct clocks_check *c, instant at)
{
	instant true_wall = middle(c);
	for (uint32_t i = 0; i < c->count; i++) {
		struct clocks_node *n = &c->nodes[i];
		bool lately = n->disturbed_at != NEVER && at - n->disturbed_at < SETTLED;
		n->guilty = n->liar || lately || magnitude(n->wall - true_wall) > NEAR;
	}
}

/* Of whom the offset must hold: a clock that is off is as good as another. */
static bool steady(const struct clocks_node *n)
{
	return !n->liar && (n->disturbed_at == NEVER || n->at - n->disturbed_at >= SETTLED);
}

void clocks_offset(struct clocks_check *c, struct violations *v, uint32_t viewer, uint32_t about,
                   duration offset, duration error)
{
	const struct clocks_node *a = &c->nodes[viewer], *b = &c->nodes[about];
	duration truth = b->wall - a->wall;
	if (!steady(a) || !steady(b))
		return;
	c->judged++;
	if (magnitude(offset - truth) > error)
		violation_add(v, a->at, "clocks",
		              "node %u says node %u is off by %" PRId64 " us +- %" PRId64 ", in truth %" PRId64,
		              viewer, about, offset / MICROSECOND, error / MICROSECOND, truth / MICROSECOND);
}

bool clocks_accused(struct clocks_check *c, struct violations *v, uint32_t viewer, uint32_t about,
                    uint64_t compared)
{
	uint32_t all = 0, innocent = 0;
	for (uint32_t i = 0; i < c->count; i++) {
		bool in = (compared >> i & 1) != 0;
		all += in;
		innocent += in && !c->nodes[i].guilty;
	}
	if (c->nodes[about].guilty) {
		c->named++;
		return true;
	}
	if (2 * innocent > all)
		violation_add(v, c->nodes[viewer].at, "clocks",
		              "node %u accuses the clock of node %u, which is right (%u of %u are)", viewer,
		              about, innocent, all);
	return false;
}
