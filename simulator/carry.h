/*
 * carry.h: the body's two hands: effects of a core into the world, events of the world into a core.
 */
#ifndef ESSAIM_CARRY_H
#define ESSAIM_CARRY_H

#include "machine.h"

void carry_effect(struct world *w, struct machine *m, const struct effect *effect);

/* An event for the process of `m`, which is not paused. The caller frees the event. */
void deliver_event(struct world *w, struct machine *m, const struct event *event);

#endif
