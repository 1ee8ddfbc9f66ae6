/*
 * paths.h: the pairs of one of our sockets and one of a member's addresses, and which of them what
 * we send to it takes. Only members with more than one usable pair have any of this.
 *
 *     UNKNOWN --ack--> UP --probe silent--> doubted --three more, it answers by another--> DOWN
 *        ^              ^------- ack ----------/                                            |
 *        |              ^------------------------- ack -------------------------------------/
 *        \--the member became unreachable, or restarted: then no path of it is known
 *
 * A probe's ack comes back on the path of the probe, so an ack proves both directions. What is sent
 * goes by one path, until that does not answer; then, before anybody is suspected, by another that
 * has answered. Where the peer's own traffic moves to, ours follows: it may have noticed first.
 *
 * Invariants
 *   1. A member is reachable by whatever path it is heard on; no path is a reason to accuse it.
 *   2. A path is DOWN only if its member answered by another while it was silent four times.
 *   3. Who has one address, seen from one socket of ours, costs nothing: no memory, no packet.
 *   4. What is expected by when is kept for PROMISES_MAX packets at a time; what finds no room is
 *      not watched, and found at its turn.
 *
 * Source: the links of corosync's kronosnet, whose unit is the host's link; ours is the pair.
 */
#ifndef ESSAIM_PATHS_H
#define ESSAIM_PATHS_H

#include "membership.h"

struct member;
struct path_set;

#define PROMISES_MAX 64
#define NO_PATH UINT32_MAX

/* An answer that is due by a path. */
struct promise_due {
	uint32_t slot; /* the member's + 1; 0: free */
	uint8_t path;
	bool probe; /* else: other traffic, whose answer may take another path */
	instant since, due;
};

struct paths {
	struct path_set *sets;
	uint32_t count; /* sets ever used */
	uint32_t live;  /* of them in use */
	uint32_t down;  /* pairs */
	uint32_t cursor; /* idle paths take turns: set * PATHS_MAX + path */
	uint32_t hurry;  /* so many turns come at once, since something changed */
	uint32_t open;
	struct promise_due promises[PROMISES_MAX];
	bool fact_old; /* the fact "paths" is not what we know */
	instant fact_next;
};

void paths_init(struct gossip *g, struct carve *memory);
void paths_tick(struct gossip *g);
instant paths_deadline(const struct gossip *g);
/* Once per probe tick: the next idle path, and the fact. */
void paths_turn(struct gossip *g);

/* These are its addresses, the first one first. What is known of each pair stays known. */
void paths_put(struct gossip *g, struct member *m, const struct addresses *all);
void paths_drop(struct gossip *g, struct member *m);
/* It is unreachable: nothing is known of its paths any more. */
void paths_forget(struct gossip *g, struct member *m);

/* A sealed packet of it came that way. `newest`: later than any other of it. */
void paths_heard(struct gossip *g, struct member *m, const struct way *from, bool newest,
                 const struct envelope *e);
/* A message of that kind went that way. */
void paths_sent(struct gossip *g, struct member *m, const struct way *by, enum message_kind kind);
/* An unauthenticated refusal from there. False: no other path is left, so it is the member's. */
bool paths_refused(struct gossip *g, struct member *m, const struct address *from);

/* What is sent to it takes this way. */
struct way paths_way(const struct member *m);
/* Its ways, one for each `position`, the one in use first; false: no more. */
bool paths_at(const struct gossip *g, const struct member *m, uint32_t position, struct way *out);
/* Is that one of its addresses? */
bool paths_has(const struct gossip *g, const struct member *m, const struct address *address);
/* The first socket of ours that can send there; any, if none can. */
uint32_t paths_socket_for(const struct gossip *g, const struct address *address);
/* All addresses of it that are known, the one in use first. */
void paths_addresses(const struct gossip *g, const struct member *m, struct addresses *out);
void paths_view(const struct gossip *g, const struct member *m, const struct now *now,
                struct member_view *out);

#endif
