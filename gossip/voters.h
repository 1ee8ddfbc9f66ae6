/*
 * voters.h: changing the configuration, one voter at a time, by R1-R4 of lease.md.
 *
 *     settled --a change is wanted--> R1 rewrite under own ballot --R2 certified--> learner trained (R3)
 *                                                                               \--> R4 install
 *
 * Who should vote is voters_plan.h's matter; here is what the plan needs to know, and the next step
 * of it, taken by the master. A voter that is to leave or to be removed goes first, so that its going
 * away never costs the quorum that must agree to it. The lease's times change the same way
 * (voters_terms.c): one version of the configuration at a time, each certified before the next.
 *
 * Invariants
 *   1. A configuration is installed only while the present one is the lease's certificate (R1, R2).
 *   2. At most one voter learns at a time, and none votes before it has all that is committed.
 *   3. Silence is counted by this master, from nought when it became one.
 */
#ifndef ESSAIM_VOTERS_H
#define ESSAIM_VOTERS_H

#include "error.h"
#include "gossip.h"
#include "voters_plan.h"

/* A member that was asked to go, until it went or nobody asked again. */
struct voter_going {
	node_id node; /* 0: free */
	instant until;
	instant stuck_since; /* it may not go, since; 0: it may */
};

struct voter_silence {
	node_id node; /* 0: free */
	instant since;
};

/* It is heard, but did not learn in time, or was silent as a voter: others first, for a while. */
struct voter_passed {
	node_id node; /* 0: free */
	instant until;
};

struct voters {
	node_id training; /* learns before it may vote; 0: nobody */
	instant training_since;
	instant look_at;
	bool settled; /* at the last look */
	uint32_t members_seen;
	struct voter_passed passed[VOTERS_MAX];
	struct voter_going going[VOTERS_MAX];
	struct voter_silence silence[VOTERS_MAX];
	/* voters_terms.c: D_A and D_Q fall when every lease of the config before has run out */
	struct deadline terms_until;
	struct ballot terms_ballot; /* of the config that waits */
	uint64_t terms_version;     /* 0: none waits */
};

void voters_init(struct gossip *g);
/* At the master: looks whether a change is wanted and takes the next step of it. */
void voters_tick(struct gossip *g);
instant voters_deadline(const struct gossip *g);
/* The ballot was left: what was begun under it is forgotten. */
void voters_forget(struct gossip *g);

/* Was nobody asked, here and lately, to let that member go? */
bool voters_stays(const struct gossip *g, node_id node);

enum voters_going { VOTERS_GONE, VOTERS_GOING, VOTERS_STAYS };

/*
 * At the master: a member is to leave. GONE: it is no voter any more and may be taken from the
 * ledger; GOING: ask again; STAYS: it cannot go, and *why says so.
 */
enum voters_going voters_let_go(struct gossip *g, node_id node, struct error *why);

/* What the plan knows, seen from here. At the master: who answers; elsewhere: who is reachable. */
void voters_facts(const struct gossip *g, struct voter_facts *out);

/* R1, R2, R4: one step to this configuration; the caller saw to R3. False: not yet. */
bool voters_ready(struct gossip *g);
void voters_install(struct gossip *g, const struct config *next);

/* voters_terms.c: one step towards the wanted profile, if there is one to take. */
void terms_step(struct gossip *g);
bool terms_settled(const struct gossip *g);
/*
 * The next config on the way from `now` to the times of `profile`, one version higher; false: it is
 * there. *waits: only after everything granted under the present one has run out.
 */
bool terms_next(const struct config *now, enum profile profile, struct config *next, bool *waits);

#endif
