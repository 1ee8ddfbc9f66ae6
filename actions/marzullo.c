#include "marzullo.h"

#include <assert.h>
#include <stdlib.h>

/* Beginnings before ends at one place: intervals that touch meet. */
static int edge_order(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;
	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return y->step - x->step;
}

struct meeting marzullo(const struct interval *intervals, uint32_t count, struct edge *scratch)
{
	struct meeting best = {{0, 0}, 0, false};
	uint32_t now = 0;
	assert(count <= INTERVALS_MAX);
	for (uint32_t i = 0; i < count; i++) {
		scratch[2 * i] = (struct edge){intervals[i].from, +1};
		scratch[2 * i + 1] = (struct edge){intervals[i].to, -1};
	}
	qsort(scratch, 2 * (size_t)count, sizeof *scratch, edge_order);
	for (uint32_t i = 0; i < 2 * count; i++) {
		if (scratch[i].step < 0) {
			now--;
			continue;
		}
		now++;
		if (now <= best.count)
			continue;
		/* the next edge ends it: another beginning would have counted more */
		best.count = now;
		best.where.from = scratch[i].at;
		best.where.to = scratch[i + 1].at;
	}
	best.majority = 2 * best.count > count;
	return best;
}

duration interval_misses(const struct interval *interval, const struct meeting *meeting)
{
	if (interval->to < meeting->where.from)
		return interval->to - meeting->where.from;
	if (interval->from > meeting->where.to)
		return interval->from - meeting->where.to;
	return 0;
}
