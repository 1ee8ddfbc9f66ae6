/*
 * watch.h: who wants to be told: the last events, those who follow them, those who watch kv keys.
 *
 * Invariants: the ring holds the last EVENTS_KEPT events as they were taken (ids and numbers, not
 * text); a follower that does not read is dropped, never waited for.
 */
#ifndef ESSAIM_WATCH_H
#define ESSAIM_WATCH_H

#include <jansson.h>

#include "body.h"
#include "facts.h"

#define EVENTS_KEPT 1000

struct watch;
struct client;

struct watch *watch_create(struct body *body);
void watch_destroy(struct watch *watch);

/* EFFECT_TRACE of a rule whose event flag is set; EFFECT_CHANGED. */
void watch_event(struct watch *watch, instant wall, const struct trace *trace);
/* The doctor found something here, or (over) does not find it any more. */
void watch_finding(struct watch *watch, instant wall, const struct finding *finding, bool over);
void watch_changed(struct watch *watch, const struct effect *effect);

/* The verbs `events` and `kv watch`. */
void verb_events(struct client *client, const json_t *args);
void verb_kv_watch(struct client *client, const json_t *args);

#endif
