/*
 * route.h: a user's command, given on any node, finds the master and applies once.
 *
 *     asked here --master known--> sent --ANSWER, or applied here--> answered
 *         |  no master               |  master changed, or silence: sent again, same request id
 *         v patience over            v patience over
 *      NO_MASTER                  UNKNOWN (it may still commit)
 *
 * Invariants
 *   1. NO_MASTER is answered only if nothing was sent that may still commit.
 *   2. A request keeps its id over every resend; the ledger applies an id once.
 *   3. The table is bounded: a request beyond it is refused at once, nothing sent.
 */
#ifndef ESSAIM_ROUTE_H
#define ESSAIM_ROUTE_H

#include "gossip.h"

struct carve;
struct result;

#define PENDING_MAX REPLIES_PER_ORIGIN
#define COMMAND_ROOM (VALUE_MAX_SIZE + 1024)
#define INFLIGHT_MAX 256

struct pending {
	bool used;
	uint64_t client;     /* local user, or */
	uint64_t stream;     /* a join stream that waits for its JOINED */
	instant joined_wall; /* when its JOIN arrived */
	uint64_t sequence;
	enum command_kind kind;
	uint32_t size;
	uint8_t *command; /* COMMAND_ROOM */
	instant deadline, resend_at;
	node_id sent_to;
	uint32_t turned_away; /* times in a row by somebody who is no master */
	bool may_commit;
	bool busy; /* the last master asked had it wait */
	bool moved; /* sent to more than one master: what one refuses, another may have kept */
};

struct route {
	struct pending pending[PENDING_MAX];
	uint32_t used;
	uint64_t sequence;
	node_id hint; /* master named by an answer */
	/* at the master: requests in the log and not applied yet */
	struct request_id inflight[INFLIGHT_MAX];
};

void route_init(struct gossip *g, struct carve *memory);
/* `retry_of`: 0, or the sequence of an earlier request of this incarnation that this repeats. */
void route_request(struct gossip *g, uint64_t client, uint64_t stream, const struct command *command,
                   duration patience, uint64_t retry_of);
void route_abandon(struct gossip *g, uint64_t client);
void route_on_request(struct gossip *g, node_id from, const struct request *m);
void route_on_answer(struct gossip *g, node_id from, const struct answer *m);
/* An answer of the master: to a user here, or to the node that asked. */
void route_deliver(struct gossip *g, const struct request_id *id, struct answer *answer);
/* The master's engine answers a request, or tells how far it is (ANSWER_PROGRESS). */
void route_engine_answer(struct gossip *g, const struct input *input);
/* A command was applied here: answer whoever waits for it. */
void route_applied(struct gossip *g, const struct command *command, const struct result *result);
/* Our key was changed: whoever asked for that is told. */
void route_rekeyed(struct gossip *g);
void route_tick(struct gossip *g);
instant route_deadline(const struct gossip *g);

/* admit.c: a stranger that proved a token asks to be a member. */
void admit_join(struct gossip *g, uint64_t stream, uint64_t token, const struct join *m);
void admit_answer(struct gossip *g, const struct pending *p, const struct answer *answer);
/* inquiry.c: a stranger that proved a token asks what would become of it. */
void inquiry_answer(struct gossip *g, uint64_t stream, uint64_t token, const struct inquire *m);

#endif
