/*
 * life.h: from blank to member to gone.
 *
 *     BLANK --init--> STARTING --durable--> MEMBER --leave applied--> LEFT
 *     BLANK --join--> JOINING --JOINED--> STARTING    \--told removed--> REMOVED
 *     (durable record) --start--> STARTING             \--stop--> STOPPED (and starts again as MEMBER)
 *                                                      \--key changed--> REKEYED (and goes on with that key)
 *
 * Invariant: nothing is sent before this start's incarnation is durable (JOIN excepted: it is sent
 * by a node that is nobody yet).
 */
#ifndef ESSAIM_LIFE_H
#define ESSAIM_LIFE_H

#include "gossip.h"

#define JOIN_ADDRESSES_MAX 16

struct life {
	uint64_t starting_persist; /* STARTING until this is durable */
	instant start_again;       /* after the store failed; 0: not waiting */
	bool outcome_wanted;
	bool founding;
	/* joining */
	uint64_t dial, stream;
	struct address addresses[JOIN_ADDRESSES_MAX];
	uint32_t address_count, address_next;
	uint64_t token;
	struct hash token_hash;
	enum role role;
	instant join_until;
	instant dial_at;    /* the next round of addresses; NEVER while one is being dialed */
	instant knock_until; /* a token just created may not have reached that member: try again */
	instant busy_until; /* who is told to come again does so until then */
	uint32_t busy;      /* how often it was told so, in doublings */
	char why[160]; /* of the last failed address */
	/* stopping */
	instant stop_by;
	bool stop_asked;
	uint64_t stop_persist;
	enum standing stop_as;
	bool left; /* our leaving was answered: end after this step */
	bool rekeyed; /* the change of our key was */
};

void life_start(struct gossip *g);
void life_init(struct gossip *g, const struct input *input);
void life_join(struct gossip *g, const struct input *input);
void life_dialed(struct gossip *g, const struct input *input);
void life_on_joined(struct gossip *g, uint64_t stream, const struct joined *m);
void life_persisted(struct gossip *g, uint64_t number, bool failed);
void life_stop(struct gossip *g);
/* The ledger says this node left (LEFT) or was removed (REMOVED), or a member told us so. */
void life_end(struct gossip *g, enum standing as);
void life_told_removed(struct gossip *g, node_id by, node_id successor);
/* The ledger says so. `successor`: it was not removed but changed its key; 0: removed. */
void life_removed(struct gossip *g, node_id successor);
/* A process with this key had an incarnation up to `known`, and it was not this one. */
void life_told_old(struct gossip *g, node_id by, uint64_t known);
void life_tick(struct gossip *g);
instant life_deadline(const struct gossip *g);
/* For generation.c: a name; an outcome that is a refusal; the first rows of a ledger with us in it. */
void life_name(struct gossip *g, const char *name);
void life_outcome(struct gossip *g, const char *why);
void life_found_rows(struct gossip *g);
/* STARTING until what was founded is durable: by a blank node, by a member. */
void life_founded(struct gossip *g);
void life_write_generation(struct gossip *g);
/* A member: started, not stopped, not gone. */
bool life_member(const struct gossip *g);

#endif
