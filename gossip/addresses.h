/*
 * addresses.h: where members say they are: each by a signed fact, and the ledger after it, so that
 * one who comes back when all others have moved still finds them.
 *
 *     a node's facts "address" (the first) and "addresses" (all, if there are more)
 *         --> every member's paths, at once
 *         --> the ledger's row, by the master, once it has known better for MOVED_PATIENCE
 *
 * Invariants
 *   1. A row's addresses are what their owner signed, or what it said when it was admitted.
 *   2. Nothing is written below the ledger's level 2.
 */
#ifndef ESSAIM_ADDRESSES_H
#define ESSAIM_ADDRESSES_H

#include "gossip.h"

struct member;

/* This node's own facts. */
void addresses_publish(struct gossip *g);
/* Does the ledger say of this node what it says itself? */
bool addresses_in_ledger(const struct gossip *g, const struct member *self);
/* A fact that says so has arrived. */
void addresses_told(struct gossip *g, struct member *m);
/* The ledger's word; what was learned since counts more, unless the ledger has changed. */
void addresses_put(struct gossip *g, struct member *m, const struct address *first,
                   const struct addresses *more);

/* Once per probe tick: the master writes down who has moved. */
void addresses_turn(struct gossip *g);
/* What the committed command says goes into the row. */
void addresses_apply(const struct command *c, struct member_record *record);

#endif
