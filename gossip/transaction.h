/*
 * transaction.h: the rows that the engine of the master keeps in the ledger: operations, jobs, storages,
 * volumes, the audit (proto/registry.h has what is in them; here they are opaque).
 *
 *     engine of the master --INPUT_PROPOSE--> in the log --committed--> applied whole, or not at all
 *                          <--EFFECT_PROPOSED: what became of it        --EFFECT_ROW at every node
 *
 * A user's request to that engine travels like a write (route.h), but never stands in the log: what
 * comes of it does. The engines of two nodes talk by EFFECT_ENGINE_MESSAGE and INPUT_ENGINE_SEND; such a
 * message may be lost, doubled or late.
 *
 * Invariants
 *   1. Only the master proposes a transaction, under its own epoch; at its turn it changes nothing
 *      unless that is still the epoch of the ledger. So an engine that lost its master's seat cannot
 *      change a row any more, whatever it left in logs.
 *   2. All its changes happen, or none: each names the version it found.
 *   3. A row's version is the index of the entry that wrote it: the same on all nodes.
 *   4. EFFECT_ROW may be left out only if EFFECT_ROWS follows: read them all anew.
 */
#ifndef ESSAIM_TRANSACTION_H
#define ESSAIM_TRANSACTION_H

#include "gossip.h"

struct result;

struct transaction {
	bool anew; /* effects of rows were left out, or there were too many to tell */
};

/* apply.c's function of COMMAND_REGISTRY. */
enum outcome transaction_apply(struct gossip *g, uint64_t index, const struct command *c);
/* After it was applied: its proposer is told. */
void transaction_applied(struct gossip *g, const struct command *c, const struct result *result);

void transaction_propose(struct gossip *g, const struct input *input);
/* All rows may have changed. */
void transaction_rows_anew(struct gossip *g);
/* The last thing of a step. */
void transaction_finish(struct gossip *g);

/* ---- the engine's talk ---- */

/* At the master: a user's request is for its engine. */
void transaction_asked(struct gossip *g, const struct command *c);
void transaction_on_message(struct gossip *g, node_id from, const struct engine_bytes *m);
void transaction_send(struct gossip *g, node_id to, struct bytes bytes);

#endif
