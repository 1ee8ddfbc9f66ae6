#include "observe_clocks.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"
#include "world.h"

void observe_clocks_init(struct observe_clocks *o, uint32_t nodes)
{
	clocks_check_init(&o->check, nodes);
	o->before = calloc(nodes, sizeof *o->before);
	o->clocks = calloc(nodes, sizeof *o->clocks);
	assert(o->before && o->clocks);
}

void observe_clocks_finish(struct observe_clocks *o)
{
	free(o->before);
	free(o->clocks);
}

#define RATE_MOST 500 /* ppm: what the clock filter allows for each (gossip/clocks.c) */

/* A clock that nobody touches is the same line through time; one at a wrong rate is touched all the time. */
static bool touched(struct clock before[CLOCK_NAMES], const struct machine *m)
{
	bool out = memcmp(before, m->clocks, sizeof m->clocks) != 0;
	for (int i = 0; i < CLOCK_NAMES; i++)
		out |= m->clocks[i].ppm > RATE_MOST || m->clocks[i].ppm < -RATE_MOST;
	memcpy(before, m->clocks, sizeof m->clocks);
	return out;
}

static void tell_truth(struct world *w, struct clocks_check *c)
{
	for (uint32_t i = 0; i < w->count; i++) {
		const struct machine *m = &w->machines[i];
		clocks_truth(c, i, w->now, clock_read(&m->clocks[CLOCK_OF_WALL], w->now),
		             touched(w->observe.clocks.clocks[i], m));
		if (m->lies)
			clocks_lies(c, i);
	}
	clocks_judge(c, w->now);
}

/* As the daemon's checkup makes it (node/checkup.c), of what the doctor reads about clocks. */
static uint32_t gather(const struct machine *m, const struct now *now, uint32_t most,
                       struct patient_member *out, uint32_t *self)
{
	uint32_t count = 0;
	struct member_view view;
	for (uint32_t i = 0; count < most && gossip_member_at(m->core, now, i, &view); i++) {
		if (view.state == GONE_LEFT || view.state == GONE_REMOVED)
			continue;
		if (view.self)
			*self = count;
		out[count++] = (struct patient_member){.view = view, .synchronised = true};
	}
	return count;
}

static const struct machine *whose(struct world *w, node_id id)
{
	const struct machine *m = world_find(w, id);
	return m == NULL || m->foreign ? NULL : m;
}

static uint64_t offsets(struct world *w, const struct machine *m, const struct patient *p)
{
	struct observe *o = &w->observe;
	uint64_t compared = UINT64_C(1) << m->index;
	for (uint32_t i = 0; i < p->member_count; i++) {
		const struct member_view *v = &p->members[i].view;
		const struct machine *about = whose(w, v->id);
		if (v->self || about == NULL || v->state != REACHABLE || !v->clock_known)
			continue;
		compared |= UINT64_C(1) << about->index;
		clocks_offset(&o->clocks.check, &o->violations, m->index, about->index, v->clock_offset,
		              v->clock_error);
	}
	return compared;
}

static void accusations(struct world *w, const struct machine *m, uint64_t compared,
                        const struct diagnosis *d)
{
	struct observe *o = &w->observe;
	for (uint32_t i = 0; i < d->count; i++) {
		const struct machine *about = whose(w, d->list[i].about);
		if (d->list[i].code != DOCTOR_CLOCK_OFFSET || about == NULL ||
		    !clocks_accused(&o->clocks.check, &o->violations, m->index, about->index, compared))
			continue;
		sometimes_met(&o->sometimes, o->clocks.check.nodes[about->index].liar
		                                 ? SOMETIMES_CLOCK_LIAR_NAMED
		                                 : SOMETIMES_CLOCK_NAMED);
	}
}

static void ask_doctor(struct world *w, const struct machine *m)
{
	struct now now = machine_now(w, m);
	struct patient_member members[CLOCKS_NODES_MAX];
	struct status_view status;
	struct diagnosis *before = &w->observe.clocks.before[m->index], found;
	struct patient p = {.status = &status, .members = members, .thresholds = thresholds_default,
		.before = before};
	gossip_status(m->core, &now, &status);
	p.member_count = gather(m, &now, CLOCKS_NODES_MAX, members, &p.self);
	if (status.standing != STANDING_MEMBER || p.member_count < 2)
		return;
	uint64_t compared = offsets(w, m, &p);
	doctor_examine(&p, now.wall, &found);
	if (p.member_count > 2) /* of two one is believed by its word (judge_two) */
		accusations(w, m, compared, &found);
	*before = found;
}

/* Of a copied key two machines answer: what is known of its clock is of either. */
static bool one_machine_a_key(const struct world *w)
{
	return w->copies.clones == 0;
}

void observe_clocks(struct world *w)
{
	if (w->count > CLOCKS_NODES_MAX || !one_machine_a_key(w))
		return;
	tell_truth(w, &w->observe.clocks.check);
	for (uint32_t i = 0; i < w->count; i++) {
		const struct machine *m = &w->machines[i];
		if (machine_runs(m) && !m->foreign && !m->lies)
			ask_doctor(w, m);
	}
}
