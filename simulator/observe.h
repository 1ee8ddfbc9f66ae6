/*
 * observe.h: shows the checkers what happens, after every event and in true time.
 */
#ifndef ESSAIM_OBSERVE_H
#define ESSAIM_OBSERVE_H

#include "budget.h"
#include "converge.h"
#include "epochs.h"
#include "fact_contents.h"
#include "failover.h"
#include "linear.h"
#include "observe_clocks.h"
#include "overlap.h"
#include "prefix.h"
#include "quorums.h"
#include "removed.h"
#include "sometimes.h"
#include "strangers.h"
#include "writes.h"

struct world;
struct machine;
struct event;
struct trace;
struct now;

struct observe {
	struct violations violations;
	struct violations expected; /* of authority, in a run whose clocks drift beyond the bound */
	struct overlap overlap;
	struct epochs epochs;
	struct prefix prefix;
	struct writes writes;
	struct converge converge;
	struct removed removed;
	struct failover failover;
	struct quorums quorums;
	struct facts_check facts;
	struct observe_clocks clocks;
	struct sometimes sometimes;
	struct history histories[WRITES_KEYS];
	uint64_t stamp;     /* orders the histories' begins and ends */
	uint64_t undecided; /* histories too tangled to search */
	struct budget_window *budgets; /* per machine */
	struct generation generation; /* the last that was founded, if above 1 */
	bool settled;       /* the founding is over */
	uint64_t *shown; /* per machine: committed entries up to here were compared */
};

/* Machines, and identities that they may have one after the other. */
void observe_init(struct observe *o, uint32_t nodes, uint32_t identities);
void observe_finish(struct observe *o);

void observe_started(struct world *w, struct machine *m);
void observe_ended(struct world *w, struct machine *m);
void observe_stepped(struct world *w, struct machine *m, const struct now *now);

void observe_traced(struct world *w, const struct machine *m, const struct trace *trace);

/* A packet is about to reach the core of `m`. */
void observe_hears(struct world *w, const struct machine *m, const struct event *event);

/* The disk of `m` went back in time: what it showed as committed may be gone there. */
void observe_rolled_back(struct world *w, const struct machine *m);

/* A fault begins or ends: what is timed without faults is not timed any more. */
void observe_disturbed(struct world *w);

/* The founding is over. */
void observe_founded(struct world *w);

/* Every client's history is complete: searches each row's for an order. */
void observe_end(struct world *w);

/* The acting master can no longer be heard: a fail-over begins. */
void observe_cut_off(struct world *w, const struct machine *m);

/* Slower checks, now and then; schedules its next one. */
void observe_look(struct world *w);

/* From now on everyone must come to agree. */
void observe_healed(struct world *w);

#endif
