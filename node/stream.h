/*
 * stream.h: TCP streams between members, and to those who want to join. On the UDP port's number.
 *
 *     dialled   CONNECTING --connected--> AWAIT_SECOND --second--> OPEN, proven
 *     accepted                            AWAIT_FIRST  --first---> OPEN --a frame opens--> proven
 *     OPEN --close_after--> DRAINING      any --error, limit, hang-up--> ENDED (freed by the loop)
 *
 * Invariants
 *   1. Before a stream is OPEN it owns its fixed struct and no other memory, except what we ourselves
 *      queued on a stream we dialled. At most UNPROVEN_MAX accepted ones are unproven, and at most
 *      JOINS_MAX proven ones are a token's; one more evicts the oldest, first of those that have their
 *      answer. A handshake ends within HANDSHAKE_LIMIT.
 *   2. At most one dialled and one proven accepted stream per member; a newer one replaces the
 *      older (its peer has restarted, or lost it). An accepted stream is proven by its first frame:
 *      anybody can send a first message again that he saw, and nobody but its author a frame after
 *      it. Until then it replaces nothing, and no frame is sent on it.
 *   3. What waits to be sent is bounded by QUEUE_MAX; beyond it frames are lost, as frames may be.
 *   4. An end is reported from the loop, never from within an effect.
 */
#ifndef ESSAIM_STREAM_H
#define ESSAIM_STREAM_H

#include "body.h"

struct inquiry;
struct streams;

/* Listens on every address of the config. 0 or -errno. */
int streams_open(struct body *body, struct streams **out, struct error *error);

/* EFFECT_FRAME, EFFECT_DIAL, EFFECT_HANG_UP */
void streams_frame(struct streams *streams, const struct effect *effect);
void streams_dial(struct streams *streams, const struct effect *effect);
void streams_hang_up(struct streams *streams, node_id node);
/*
 * A join stream of the doctor's (inquiry.h): what happens on it is told to `inquiry`, not to the mind.
 * False: no connection could begin, and nothing will be told.
 */
struct join_secret {
	struct cluster_id cluster;
	uint64_t token;
	struct hash hash;
};
bool streams_inquire(struct streams *streams, const struct address *address,
                     const struct join_secret *secret, struct inquiry *inquiry);
/* Ends what it has, unheard. */
void streams_forget(struct streams *streams, const struct inquiry *inquiry);
/* EFFECT_PATH_DOWN */
void streams_path_down(struct streams *streams, const struct effect *effect);

/* Takes no new connections and dials none from now on. */
void streams_mute(struct streams *streams);
void streams_close(struct streams *streams);

#endif
