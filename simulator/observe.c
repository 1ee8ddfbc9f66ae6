#include "observe.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "world.h"

#define LOOK_EVERY (10 * SECOND)
#define LOOK_EVERY_HEALED SECOND

void observe_init(struct observe *o, uint32_t nodes)
{
	o->shown = calloc(nodes, sizeof(*o->shown));
	assert(o->shown);
	o->converge.healed_at = o->converge.agreed_at = NEVER;
	o->failover.lost_at = NEVER;
	removed_init(&o->removed, nodes);
}

void observe_finish(struct observe *o)
{
	free(o->shown);
	prefix_finish(&o->prefix);
	writes_finish(&o->writes);
	removed_finish(&o->removed);
}

void observe_started(struct world *w, struct machine *m)
{
	w->observe.shown[m->index] = 0;
}

void observe_ended(struct world *w, struct machine *m)
{
	struct observe *o = &w->observe;
	if (overlap_has(&o->overlap, m->index))
		failover_lost(&o->failover, w->now, m->index);
	overlap_report(&o->overlap, &o->violations, w->now, m->index, false, 0);
}

void observe_cut_off(struct world *w, const struct machine *m)
{
	if (overlap_has(&w->observe.overlap, m->index))
		failover_lost(&w->observe.failover, w->now, m->index);
}

/* Authority ends by time alone: whoever was acting is asked again at this instant. */
static void ask_the_others(struct world *w, const struct machine *m)
{
	struct observe *o = &w->observe;
	for (uint32_t i = o->overlap.count; i-- > 0;) {
		struct machine *other = &w->machines[o->overlap.nodes[i]];
		struct now now = machine_now(w, other);
		uint64_t epoch = 0;
		if (other == m)
			continue;
		if (!gossip_acts(other->core, &now, &epoch))
			overlap_report(&o->overlap, &o->violations, w->now, other->index, false, 0);
	}
}

static void see_authority(struct world *w, struct machine *m, const struct now *now)
{
	struct observe *o = &w->observe;
	uint64_t epoch = 0;
	bool acts = gossip_acts(m->core, now, &epoch);
	if (acts) {
		ask_the_others(w, m);
		if (epochs_report(&o->epochs, &o->violations, w->now, m->index, m->life, epoch))
			failover_acts(&o->failover, w->now, m->index);
	}
	if (acts || overlap_has(&o->overlap, m->index))
		overlap_report(&o->overlap, &o->violations, w->now, m->index, acts, epoch);
}

static uint64_t hash_command(struct bytes command)
{
	struct hash hash;
	hash_bytes(SEAL_QUICK, command.data, command.size, &hash);
	uint64_t out = 0;
	for (int i = 0; i < 8; i++)
		out = out << 8 | hash.bytes[i];
	return out;
}

static void see_commit(struct world *w, struct machine *m)
{
	struct observe *o = &w->observe;
	uint64_t commit = gossip_commit(m->core);
	uint64_t *shown = &o->shown[m->index];
	if (commit == *shown)
		return;
	if (commit < *shown) {
		world_violation(w, "prefix", "node %u went back from commit %" PRIu64 " to %" PRIu64,
		                m->index, *shown, commit);
		return;
	}
	for (uint64_t index = *shown + 1; index <= commit; index++) {
		struct bytes command;
		if (gossip_committed(m->core, index, &command))
			prefix_report(&o->prefix, &o->violations, w->now, m->index, index,
			              hash_command(command));
	}
	*shown = commit;
}

void observe_stepped(struct world *w, struct machine *m, const struct now *now)
{
	if (w->settings.membership_only)
		return;
	see_authority(w, m, now);
	see_commit(w, m);
}

/* ---- now and then ---- */

static void look_at_members(struct world *w, struct machine *m)
{
	struct now now = machine_now(w, m);
	struct member_view view;
	for (uint32_t i = 0; gossip_member_at(m->core, &now, i, &view); i++) {
		const struct machine *member = world_find(w, view.id);
		if (!member)
			world_violation(w, "members", "node %u lists a member nobody made",
			                m->index);
		else
			removed_report(&w->observe.removed, &w->observe.violations, w->now, m->index,
			               gossip_applied(m->core), member->index,
			               view.state == GONE_REMOVED);
	}
}

static void view_of(struct world *w, const struct machine *m, struct converge_view *out)
{
	*out = (struct converge_view){.node = m->index, .self = m->id};
	out->runs = m->state == MACHINE_UP;
	if (!out->runs)
		return;
	struct now now = machine_now(w, m);
	struct status_view status;
	gossip_status(m->core, &now, &status);
	out->runs = status.standing == STANDING_MEMBER;
	out->master = status.master_known ? status.master : 0;
	out->self_master = status.self_master;
	out->epoch = status.epoch;
	out->commit = status.commit;
	out->members = status.members_total;
	out->reachable = status.members_reachable;
}

static void look_at_agreement(struct world *w)
{
	struct observe *o = &w->observe;
	if (o->converge.healed_at == NEVER)
		return;
	struct converge_view *views = calloc(w->count, sizeof(*views));
	assert(views);
	for (uint32_t i = 0; i < w->count; i++)
		view_of(w, &w->machines[i], &views[i]);
	converge_report(&o->converge, &o->violations, w->now, views, w->count);
	free(views);
}

void observe_look(struct world *w)
{
	bool healed = w->observe.converge.healed_at != NEVER;
	for (uint32_t i = 0; i < w->count; i++) {
		struct machine *m = &w->machines[i];
		if (machine_runs(m))
			look_at_members(w, m);
	}
	look_at_agreement(w);
	queue_push(&w->queue, w->now + (healed ? LOOK_EVERY_HEALED : LOOK_EVERY),
	           queue_event(&w->queue, EVENT_LOOK, 0, 0));
}

void observe_healed(struct world *w)
{
	w->observe.converge.healed_at = w->now;
}
