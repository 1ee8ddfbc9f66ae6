/*
 * voters.h: changing the configuration, one voter at a time, by R1-R4 of lease.md.
 *
 *     settled --want a change--> R1 rewrite under own ballot --R2 certified--> learner trained (R3) --> R4 install
 *
 * Sizes: 1 node: 1 voter; 2: 2; 3 and more: 3. A voter that is to leave or to be removed is dropped
 * first, so that its going away never costs the quorum that must agree to it. One that is merely
 * dead stays a voter until it is removed. A set changes only towards voters that answered within a
 * lease.
 */
#ifndef ESSAIM_VOTERS_H
#define ESSAIM_VOTERS_H

#include "gossip.h"

struct voters {
	node_id training;  /* learns before it may vote; 0: nobody */
	instant training_since;
	node_id dropping;  /* asked to go; 0: nobody */
	instant dropping_until;
	instant look_at;
	node_id passed_over; /* did not learn in time: another first */
};

#define VOTERS_WANTED 3

void voters_init(struct gossip *g);
/* At the master: looks whether a change is wanted and takes the next step of it. */
void voters_tick(struct gossip *g);
instant voters_deadline(const struct gossip *g);
/* A member is to leave: true once it is no voter any more (and may be removed from the ledger). */
bool voters_let_go(struct gossip *g, node_id node);
uint32_t voters_wanted(const struct gossip *g);

#endif
