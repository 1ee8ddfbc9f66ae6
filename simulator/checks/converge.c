#include "converge.h"

#include <inttypes.h>
#include <stdio.h>

static const struct converge_view *first_running(const struct converge_view *views, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (views[i].runs)
			return &views[i];
	return NULL;
}

/* Does `b` see the world as `a` does? */
static bool same(const struct converge_view *a, const struct converge_view *b, char *why,
                 size_t size)
{
	if (b->master != a->master || b->epoch != a->epoch)
		snprintf(why, size,
		         "node %u knows master %016" PRIx64 " of epoch %" PRIu64
		         ", node %u %016" PRIx64 " of %" PRIu64,
		         a->node, a->master, a->epoch, b->node, b->master, b->epoch);
	else if (b->commit < b->floor)
		snprintf(why, size,
		         "node %u has committed %" PRIu64 " entries, another had %" PRIu64
		         " a while ago", b->node, b->commit, b->floor);
	else if (b->reachable != b->members || b->members != a->members)
		snprintf(why, size, "node %u reaches %u of %u members, node %u %u of %u", a->node,
		         a->reachable, a->members, b->node, b->reachable, b->members);
	else if (b->generation != a->generation || b->level != a->level)
		snprintf(why, size,
		         "node %u is of generation %" PRIu64 " at level %u, node %u of %" PRIu64 " at %u",
		         a->node, a->generation, a->level, b->node, b->generation, b->level);
	else if (b->settings != a->settings)
		snprintf(why, size, "nodes %u and %u have other settings", a->node, b->node);
	else if (b->commit == a->commit && b->rows != a->rows)
		snprintf(why, size, "nodes %u and %u have other rows at commit %" PRIu64, a->node, b->node,
		         a->commit);
	else
		return true;
	return false;
}

bool converge_agree(const struct converge_view *views, uint32_t count, char *why, size_t size)
{
	const struct converge_view *first = first_running(views, count);
	bool master_runs = false;
	if (!first || !first->master) {
		snprintf(why, size, "no master");
		return false;
	}
	for (uint32_t i = 0; i < count; i++) {
		if (!views[i].runs)
			continue;
		if (!same(first, &views[i], why, size))
			return false;
		master_runs |= views[i].self_master && views[i].self == first->master;
	}
	if (!master_runs)
		snprintf(why, size, "the master everyone names does not act");
	return master_runs;
}

void converge_report(struct converge *c, struct violations *v, instant at,
                     const struct converge_view *views, uint32_t count)
{
	char why[160];
	if (c->healed_at == NEVER || c->reported)
		return;
	if (converge_agree(views, count, why, sizeof(why))) {
		if (c->agreed_at == NEVER)
			c->agreed_at = at;
		return;
	}
	c->agreed_at = NEVER;
	if (at - c->healed_at <= CONVERGE_BOUND)
		return;
	c->reported = true;
	violation_add(v, at, "converge", "%d s after everything was healed: %s",
	              (int)((at - c->healed_at) / SECOND), why);
}
