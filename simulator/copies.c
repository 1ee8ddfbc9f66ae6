#include "copies.h"

#include "people.h"
#include "world.h"

#define ASK_EVERY (500 * MILLISECOND)

static uint64_t known_incarnation(struct world *w, const struct machine *by,
                                  const struct machine *of)
{
	struct member_view view;
	struct now now = machine_now(w, by);
	return gossip_member(by->core, &now, of->id, &view) ? view.incarnation : 0;
}

/* Does everyone who ever came to know the original know its present start? */
static bool all_know(struct world *w)
{
	const struct machine *of = &w->machines[w->copies.of];
	if (of->state != MACHINE_UP)
		return false;
	uint64_t present = known_incarnation(w, of, of);
	for (uint32_t i = 0; i < w->count; i++) {
		const struct machine *m = &w->machines[i];
		if (m == of || !m->life || m->ended == STANDING_LEFT || m->ended == STANDING_REMOVED)
			continue;
		if (m->state != MACHINE_UP || known_incarnation(w, m, of) != present)
			return false;
	}
	return present > w->copies.incarnation;
}

static void forget(struct world *w)
{
	if (!w->copies.held)
		return;
	disk_finish(&w->copies.image);
	w->copies.held = false;
}

static struct disk take_image(struct world *w)
{
	struct disk image = w->copies.image;
	w->copies.image = (struct disk){0};
	w->copies.held = false;
	return image;
}

/* A copy of the disk, and at once a later start. False: there is nobody to copy. */
static bool take_copy(struct world *w, struct fault *f)
{
	struct machine *m = &w->machines[f->node];
	struct status_view status;
	if (w->copies.held || m->state != MACHINE_UP || w->count < LEAST_MEMBERS)
		return false;
	struct now now = machine_now(w, m);
	gossip_status(m->core, &now, &status);
	if (status.standing != STANDING_MEMBER)
		return false;
	w->copies.incarnation = known_incarnation(w, m, m);
	machine_kill(w, m);
	disk_copy(&m->disk, &w->copies.image);
	w->copies.held = true;
	w->copies.of = m->index;
	w->copies.until = f->end;
	machine_start(w, m);
	return true;
}

/* One such event at a time: who asks twice in one answer would double for ever (seed 1813). */
static void ask_later(struct world *w)
{
	if (w->copies.asked)
		return;
	w->copies.asked = true;
	struct event *event = queue_event(&w->queue, EVENT_PERSON, 0, 0);
	event->number = UINT64_MAX;
	queue_push(&w->queue, w->now + ASK_EVERY, event);
}

/* A voter of two that votes no more leaves nobody to agree with: that no master comes is then right. */
static bool expendable(struct world *w, const struct machine *m)
{
	struct status_view status;
	struct now now = machine_now(w, m);
	gossip_status(m->core, &now, &status);
	for (uint32_t i = 0; i < status.config.voter_count; i++)
		if (status.config.voters[i] == m->id)
			return status.config.voter_count > 2;
	return true;
}

void copies_roll_back(struct world *w, struct fault *f, bool begins)
{
	struct machine *m = &w->machines[f->node];
	if (begins) {
		take_copy(w, f);
		return;
	}
	if (!w->copies.held || w->copies.of != f->node || !all_know(w) || !expendable(w, m)) {
		forget(w);
		return;
	}
	machine_crash(w, m);
	disk_finish(&m->disk);
	m->disk = take_image(w);
	w->copies.rollbacks++;
	observe_rolled_back(w, m);
	machine_start(w, m);
	ask_later(w);
}

void copies_clone(struct world *w, struct fault *f, bool begins)
{
	if (!begins)
		copies_finish(w);
	else if (take_copy(w, f))
		ask_later(w);
}

/* It was told that its disk is old and ended: its supervisor starts it again. */
static void supervise(struct world *w)
{
	struct machine *m = &w->machines[w->copies.of];
	if (m->state == MACHINE_DEAD && m->ended == STANDING_STOPPED)
		machine_start(w, m);
	ask_later(w);
}

void copies_due(struct world *w)
{
	struct copies *c = &w->copies;
	struct machine *clone = &w->machines[w->count];
	c->asked = false;
	if (c->rollbacks)
		supervise(w);
	if (!c->held || w->now >= c->until)
		return;
	if (!all_know(w)) {
		ask_later(w);
		return;
	}
	machine_copy(w, clone, &w->machines[c->of]);
	clone->disk = take_image(w);
	c->cloned = true;
	c->clones++;
	machine_start(w, clone);
}

void copies_finish(struct world *w)
{
	struct machine *clone = &w->machines[w->count];
	forget(w);
	if (!w->copies.cloned)
		return;
	machine_wake(w, clone);
	machine_kill(w, clone);
	disk_finish(&clone->disk);
	w->copies.cloned = false;
}
