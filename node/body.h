/*
 * body.h: the daemon's parts, and the one way in to the mind.
 *
 *     udp, stream, store, control, signals, timer  --body_step-->  gossip_step
 *     udp, stream, store, control, watch, journal  <---effects---
 *
 * Invariants
 *   1. One thread owns all of this; the store's thread sees only its own queue.
 *   2. body_step is never entered from within itself: whoever carries an effect and already knows
 *      its outcome reports that later, from the loop.
 *   3. Nothing in the loop waits: not for the disk, not for a peer, not for a client.
 */
#ifndef ESSAIM_BODY_H
#define ESSAIM_BODY_H

#include <event2/event.h>
#include <sys/queue.h>

#include "config.h"
#include "gossip.h"

struct udp;
struct streams;
struct store;
struct control;
struct watch;
struct observer;
struct checkup;
struct dns_watch;
struct hand_client;
struct link_watch;
struct storage_watch;
struct http;
struct engine_body;
struct knock;

struct body {
	struct node_config config;
	int lock; /* of the data folder; -1: not held */
	struct node_keys keys;
	node_id next_key; /* of the key that waits beside it; 0: none */
	struct event_base *base;
	struct gossip *gossip;
	void *memory;
	size_t memory_size;
	struct udp *udp;
	struct streams *streams;
	struct store *store;
	struct control *control;
	struct watch *watch;
	struct observer *observer;
	struct dns_watch *dns;
	struct link_watch *links;
	struct storage_watch *storage;
	struct checkup *checkup;
	struct engine_body *engine;
	struct http *http; /* NULL: off */
	struct hand_client *hand;
	instant started; /* boot clock */

	/* loop.c */
	struct event *timer;
	int timer_fd;
	instant timer_at;    /* what the timer is armed for */
	duration late_max;   /* how late the timer ever was */
	duration lag_max;    /* how late the timer fired at worst since the observer last asked */
	uint32_t knocks;     /* under way */
	LIST_HEAD(, knock) knocking;
	bool stepping;
	bool starting;       /* within INPUT_START */
	bool stop_asked;     /* INPUT_STOP was given */
	bool stop_seen;      /* EFFECT_STOP came */
	bool idle;           /* left or removed at start: only `node reset` is of use */
	bool again;          /* after the end: to be opened anew, with the key that waited */
	bool wipe;           /* `node reset` was asked: wipe our files before the end */
	enum standing stop_standing;
	struct event *stop_limit; /* a clean stop may take this long */
	struct event *signals[3];
};

/* Puts the parts together (config, keys of the data folder, store, sockets); 0 or -errno. */
int body_open(struct body *body, const struct node_config *config, struct error *error);
/* Runs until stopped; 0, or -errno if the end was not clean. */
int body_run(struct body *body, struct error *error);
/* Safe after a body_open that failed half-way. */
void body_close(struct body *body);

/* Reads `now`, steps the mind, carries the effects in order, re-arms the timer. */
void body_step(struct body *body, const struct input *input);

/* Asks for a clean stop; the loop ends at EFFECT_STOP or after two seconds. */
void body_stop(struct body *body);

#endif
