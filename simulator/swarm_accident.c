#include "swarm_accident.h"

#include <string.h>

#include "membership.h"
#include "member.h"
#include "suspicion.h"
#include "swarm_world.h"

#define FLIP (20 * SECOND)
#define LOSSY_PPM 800000
#define RAIN_PPM 100000
#define DOWNPOUR_PPM 200000
#define DELUGE_PPM 300000
#define DETACHED_OF 10 /* it reaches one of so many */
#define BACK_WITHIN (3 * SECOND)
#define FREEZE_EVERY (10 * SECOND)
#define FREEZE_MAX (2 * SECOND)
#define ACCUSATIONS_PER_LOOK 4 /* every 20 ms */

static const struct row {
	const char *name, *what, *where, *there;
} rows[] = {
#define ACCIDENT(id, name, what, where, there) {name, what, where, there},
	SWARM_ACCIDENTS(ACCIDENT)
#undef ACCIDENT
};

bool swarm_accident_parse(const char *name, enum swarm_accident *out)
{
	for (int i = 0; i < ACCIDENT_COUNT; i++) {
		if (strcmp(rows[i].name, name) != 0)
			continue;
		*out = (enum swarm_accident)i;
		return true;
	}
	return false;
}

void swarm_accident_list(FILE *out)
{
	for (int i = 0; i < ACCIDENT_COUNT; i++)
		fprintf(out, "%-14s %s\n%-14s there (%s): %s\n", rows[i].name, rows[i].what, "",
		        rows[i].where, rows[i].there);
}

const char *swarm_accident_name(enum swarm_accident accident)
{
	return rows[accident].name;
}

const char *swarm_accident_there(enum swarm_accident accident)
{
	return rows[accident].there;
}

/* ---- it begins ---- */

static uint32_t draw_living(struct swarm_world *w)
{
	for (;;) {
		uint32_t node = (uint32_t)prng_below(&w->dice, w->settings.nodes);
		struct swarm_machine *m = &w->machines[node];
		if (m->life == SWARM_ALIVE && !m->faulty)
			return node;
	}
}

static void draw_faulty(struct swarm_world *w, uint32_t count)
{
	for (; count > 0; count--)
		w->machines[draw_living(w)].faulty = true;
}

static void restart_most(struct swarm_world *w)
{
	for (uint32_t left = w->settings.nodes / 4 * 3; left > 0; left--) {
		uint32_t node = draw_living(w);
		swarm_stop(w, node);
		queue_push(&w->queue, w->time + dice_between(&w->dice, 0, BACK_WITHIN),
		           queue_event(&w->queue, EVENT_PERSON, node, 0));
	}
}

uint32_t swarm_accident_few(uint32_t nodes)
{
	return nodes / 100 > 2 ? nodes / 100 : 2;
}

void swarm_accident_begin(struct swarm_world *w)
{
	uint32_t few = swarm_accident_few(w->settings.nodes);
	w->accident_since = w->time;
	switch (w->settings.accident) {
	case ACCIDENT_FLIP_FLOP:
	case ACCIDENT_LOSSY:
		draw_faulty(w, few);
		break;
	case ACCIDENT_HALF_DETACHED:
	case ACCIDENT_ACCUSER:
		draw_faulty(w, 1);
		break;
	case ACCIDENT_CRASHES:
		for (int i = 0; i < SWARM_VICTIMS; i++)
			swarm_kill(w, draw_living(w), SWARM_HOST_DEAD);
		break;
	case ACCIDENT_RESTART:
		restart_most(w);
		break;
	case ACCIDENT_NONE:
	case ACCIDENT_RAIN:
	case ACCIDENT_DOWNPOUR:
	case ACCIDENT_DELUGE:
	case ACCIDENT_BUSY:
	case ACCIDENT_COUNT:
		break;
	}
}

/* ---- it goes on ---- */

static void freeze_some(struct swarm_world *w)
{
	for (uint32_t i = 0; i < w->settings.nodes; i++) {
		struct swarm_machine *m = &w->machines[i];
		if (m->life == SWARM_ALIVE && m->frozen_until <= w->time &&
		    prng_below(&w->dice, FREEZE_EVERY / SWARM_LOOK_GAP) == 0)
			m->frozen_until = w->time + dice_between(&w->dice, FREEZE_MAX / 10, FREEZE_MAX);
	}
}

/* As an insider would: legal, signed, about those it observes, each time with other evidence. */
static void accuse(struct swarm_world *w, uint32_t by)
{
	struct gossip *g = w->machines[by].core;
	struct now now = swarm_now(w);
	uint32_t slot = observed_on(g, (uint32_t)prng_below(&w->dice, RINGS));
	if (slot == NO_SLOT)
		return;
	const struct member *m = &g->membership.members[slot];
	struct item item = {.kind = ITEM_ACCUSATION};
	item.accusation.subject = m->id;
	item.accusation.subject_incarnation = m->claim.incarnation;
	item.accusation.subject_refutation = m->claim.refutation;
	item.accusation.version = ++g->membership.suspicions->version;
	item.accusation.outcome = item.accusation.version % 2 ? OUTCOME_SILENT : OUTCOME_HOST_UP;
	g->now = now;
	item_sign(g, &item);
	spread_rumour(g, &item);
	swarm_feed(w, by, &(struct input){.kind = INPUT_TICK});
}

void swarm_accident_goes_on(struct swarm_world *w)
{
	if (w->settings.accident == ACCIDENT_BUSY)
		freeze_some(w);
	if (w->settings.accident != ACCIDENT_ACCUSER)
		return;
	for (uint32_t i = 0; i < w->settings.nodes; i++) {
		for (int k = 0; k < ACCUSATIONS_PER_LOOK && w->machines[i].faulty; k++)
			accuse(w, i);
	}
}

bool swarm_accident_loses(struct swarm_world *w, uint32_t from, uint32_t to)
{
	const struct swarm_machine *a = &w->machines[from], *b = &w->machines[to];
	if (w->accident_since == NEVER)
		return false;
	switch (w->settings.accident) {
	case ACCIDENT_FLIP_FLOP:
		return b->faulty && (w->time - w->accident_since) / FLIP % 2 == 0;
	case ACCIDENT_LOSSY:
		return a->faulty && dice_chance(&w->dice, LOSSY_PPM);
	case ACCIDENT_HALF_DETACHED:
		return a->faulty != b->faulty && (a->faulty ? to : from) % DETACHED_OF != 0;
	case ACCIDENT_RAIN:
		return dice_chance(&w->dice, RAIN_PPM);
	case ACCIDENT_DOWNPOUR:
		return dice_chance(&w->dice, DOWNPOUR_PPM);
	case ACCIDENT_DELUGE:
		return dice_chance(&w->dice, DELUGE_PPM);
	case ACCIDENT_NONE:
	case ACCIDENT_CRASHES:
	case ACCIDENT_RESTART:
	case ACCIDENT_BUSY:
	case ACCIDENT_ACCUSER:
	case ACCIDENT_COUNT:
		break;
	}
	return false;
}
