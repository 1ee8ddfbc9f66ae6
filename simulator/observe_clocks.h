/*
 * observe_clocks.h: shows the check of clocks (checks/clocks.h) what each node knows of the others'
 * clocks, and what the doctor makes of it.
 */
#ifndef ESSAIM_OBSERVE_CLOCKS_H
#define ESSAIM_OBSERVE_CLOCKS_H

#include "clocks.h"
#include "machine.h"

struct world;
struct diagnosis;

struct observe_clocks {
	struct clocks_check check;
	struct diagnosis *before; /* per node: what the doctor there found last */
	struct clock (*clocks)[CLOCK_NAMES]; /* per node: as they were at the look before */
};

void observe_clocks_init(struct observe_clocks *o, uint32_t nodes);
void observe_clocks_finish(struct observe_clocks *o);

/* At each look. */
void observe_clocks(struct world *w);

#endif
