/*
 * observe.h: shows the checkers what happens, after every event and in true time.
 */
#ifndef ESSAIM_OBSERVE_H
#define ESSAIM_OBSERVE_H

#include "converge.h"
#include "epochs.h"
#include "failover.h"
#include "overlap.h"
#include "prefix.h"
#include "removed.h"
#include "writes.h"

struct world;
struct machine;
struct now;

struct observe {
	struct violations violations;
	struct overlap overlap;
	struct epochs epochs;
	struct prefix prefix;
	struct writes writes;
	struct converge converge;
	struct removed removed;
	struct failover failover;
	uint64_t *shown; /* per machine: committed entries up to here were compared */
};

void observe_init(struct observe *o, uint32_t nodes);
void observe_finish(struct observe *o);

void observe_started(struct world *w, struct machine *m);
void observe_ended(struct world *w, struct machine *m);
void observe_stepped(struct world *w, struct machine *m, const struct now *now);

/* The acting master can no longer be heard: a fail-over begins. */
void observe_cut_off(struct world *w, const struct machine *m);

/* Slower checks, now and then; schedules its next one. */
void observe_look(struct world *w);

/* From now on everyone must come to agree. */
void observe_healed(struct world *w);

#endif
