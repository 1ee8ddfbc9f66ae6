/*
 * foreign.h: a second cluster in the same network, none of whose words may ever count in ours.
 *
 *     founded beside ours, then off --fault begins--> runs, one of its nodes under an address of ours
 *         --a while after the fault--> off again --healing--> runs
 *
 * Its machines stand behind ours in the world's list, named A, B, C. Nothing befalls them but the
 * weather and the swap: the first of them comes up with the address of one of our nodes, which comes
 * up with that one's. So the peers of each look for it where a member of the other cluster answers.
 *
 * Invariants
 *   1. Neither cluster shows a member, a fact's owner, a master or a row of the other (strangers.h).
 *   2. At the end each of its nodes reaches all of them, as each of ours must all of ours (converge.h).
 *
 * Source: hashicorp/consul issue 843, in which two clusters became one that way.
 */
#ifndef ESSAIM_FOREIGN_H
#define ESSAIM_FOREIGN_H

#include "faults.h"

struct machine;

#define FOREIGN_MAX 8
#define FOREIGN_DRAWN 2 /* how many a seeded run has: one moves, one must find it again */
#define FOREIGN_ROW "theirs" /* a row that only the second cluster has */

struct machine *foreign_machine(const struct world *w, uint32_t number);

/* Founds the second cluster, gives it a row, and switches its machines off. */
bool foreign_found(struct world *w);

/* The fault: begins and ends. */
void foreign_swap(struct world *w, struct fault *f, bool begins);

/* A while after the fault: its machines cost time, and have done what they could. */
void foreign_due(struct world *w);
void foreign_heal(struct world *w);

/* At the end of the run: did its nodes find each other again? */
void foreign_end(struct world *w);

#endif
