/*
 * observer.h: what this node says of itself: the facts "version" (once) and "load" (every 30 s, and
 * only when it changed by a step that anybody would care about).
 *
 *   load  {"lag_ms":1,"store_ms":5,"rss_mib":7}   worst of the last 30 s, on a 1-2-5 scale
 */
#ifndef ESSAIM_OBSERVER_H
#define ESSAIM_OBSERVER_H

#include "body.h"

struct observer;

struct observer *observer_create(struct body *body);
void observer_destroy(struct observer *observer);

#endif
