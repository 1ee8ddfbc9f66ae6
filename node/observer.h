/*
 * observer.h: what this node says of itself, as signed facts (proto/facts.h):
 *
 *   version  once
 *   host     once: what machine this is
 *   usage    looked at every 30 s, told when it changed by a step that anybody would care about
 *   time     looked at every 5 s: how well the clock is kept, and by how much the others' differ
 *
 * Invariants
 *   1. An unchanged machine publishes nothing.
 *   2. What wanders on all machines (load, lateness, offsets) is told the more rarely, the larger the
 *      cluster: every member verifies every fact, so a thousand that tell of their load each half
 *      minute would cost each of them 33 signatures a second.
 */
#ifndef ESSAIM_OBSERVER_H
#define ESSAIM_OBSERVER_H

#include "body.h"
#include "facts.h"

struct observer;

struct observer *observer_create(struct body *body);
void observer_destroy(struct observer *observer);

/* How many times longer than in a cluster of a hundred anybody waits between two facts that wander. */
uint32_t observer_pace(uint32_t members);

/* As last observed (finer than what was told); NULL: not yet. */
const struct usage_fact *observer_usage(const struct observer *observer);
const struct clock_fact *observer_clock(const struct observer *observer);

#endif
