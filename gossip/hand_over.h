/*
 * hand_over.h: P9 of lease.md, M's side: the lease goes to another voter without running out.
 *
 *     asked, sick, or stopping --> OFFER --READY--> stops acting, TRANSFER --> T's CLAIM is applied: answered
 *        |  nobody is ready: the next, or a refusal    \--nothing is heard--> the asker finds the next master
 *
 * From "stops acting" on nobody is master until T's CLAIM is committed: one message and one write,
 * as M's own voter and T's are two that agree. Nothing else may lie between. M counts until it hears
 * of the CLAIM, one message more: over 2,000 hand-overs in the simulator (links of 0.1 to 0.2 ms and a
 * write each) that is 0.5 ms at least, 1.5 ms in the median, 3.4 ms at most.
 *
 * Invariants
 *   1. M proposes nothing from the OFFER on, and nothing at all under this ballot after TRANSFER.
 *   2. One TRANSFER per ballot.
 *   3. DONE is said only after T's CLAIM was applied here.
 *
 * T's side is in candidate.c, the voters' in voter.c (V5).
 */
#ifndef ESSAIM_HAND_OVER_H
#define ESSAIM_HAND_OVER_H

#include "gossip.h"

struct hand_over {
	/* asked for */
	bool wanted;
	node_id to; /* 0: whoever is fit */
	instant until;
	struct request_id asker; /* origin 0: nobody waits for an answer */
	bool unfit;              /* `to` said so */
	/* offered */
	node_id offered_to; /* 0: nobody */
	instant offer_until;
	node_id tried[VOTERS_MAX]; /* did not take it: not again under this ballot, or till asked again */
	/* handed over; P6: this ballot is over */
	node_id handed_to;
	instant stopped_at;
	uint64_t epoch; /* that we left */
	/* by itself */
	instant unwell_since; /* own health has been bad; 0: it is well */
	instant unwell_next;
};

/* Asked by a command at the acting master: answers by itself, now or later. */
void hand_over_ask(struct gossip *g, const struct command *command);
/* The same, and nobody waits for what comes of it. */
void hand_over_start(struct gossip *g, node_id to);
/* Offers the lease to `to` (0: the next that may take it). False if nobody can take over now. */
bool hand_over_offer(struct gossip *g, node_id to);
void hand_over_on_ready(struct gossip *g, node_id from, const struct ready *m);
void hand_over_on_unfit(struct gossip *g, node_id from);
/* A CLAIM was applied. */
void hand_over_claimed(struct gossip *g, const struct command *claim);
/* This ballot is left: what was offered under it is void. */
void hand_over_forget(struct gossip *g);
void hand_over_tick(struct gossip *g); /* as master */
/* Must the log come to rest, so that another's can equal it? Then nothing is proposed. */
bool hand_over_drains(const struct gossip *g);
instant hand_over_deadline(const struct gossip *g);
/* Does this very request wait for its CLAIM here? Then nobody else need answer it. */
bool hand_over_answers(const struct gossip *g, const struct request_id *id);

#endif
