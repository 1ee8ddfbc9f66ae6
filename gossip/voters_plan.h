/*
 * voters_plan.h: who should vote, and the next single step towards it. Pure, so that all small
 * cases can be enumerated: it knows neither time nor the ledger.
 *
 *     facts of voters and members --> how many (voters_size) --> which (ideal) --> one step
 *
 * Invariants
 *   1. The master is never dropped. A set that is aimed at has at most (n-1)/2 witnesses.
 *   2. No step leaves a set of which less than a majority answers.
 *   3. A voter that is merely silent goes only if a healthy member takes its place, or if fewer are wanted.
 *   4. Steps end: from any state, with the facts unchanged, a set is reached that stays.
 *
 * Source: lease.md, "Changing the voters" and "Few nodes".
 */
#ifndef ESSAIM_VOTERS_PLAN_H
#define ESSAIM_VOTERS_PLAN_H

#include "words.h"

/* A voter, or a member that might become one; in the order of admission. */
struct voter_fact {
	node_id node;
	bool voter, witness;
	bool staying; /* a member that nobody asked to go */
	bool answers; /* a voter: answered a round within a lease; another member: is reachable */
	bool stale;   /* a voter that has been silent for longer than one waits */
	bool learning; /* no voter yet: it learns the ledger to become one */
};

/* The voters, and as many others of either role as a set can hold. */
#define VOTER_FACTS_MAX (3 * VOTERS_MAX)

struct voter_facts {
	uint32_t count;
	struct voter_fact list[VOTER_FACTS_MAX];
	node_id master;
	uint32_t nodes, witnesses; /* all that stay */
	uint32_t wish;             /* 0: by their number */
};

enum voters_move {
	VOTERS_KEEP,  /* they are as they should be */
	VOTERS_ADD,
	VOTERS_DROP,
	VOTERS_STUCK, /* one should go, but too few of the others answer */
};

struct voters_plan {
	enum voters_move move;
	node_id node;     /* who comes or goes; STUCK: who cannot go */
	node_id replaced; /* ADD: the one whose place it takes; 0: nobody's */
	uint32_t answering, needed; /* STUCK: of those that would remain */
};

/* 1: 1, 2: 2, 3 and 4: 3, from 5: 5; or the wish, as far as members allow. Odd beyond 2. */
uint32_t voters_size(uint32_t nodes, uint32_t witnesses, uint32_t wish);

void voters_plan(const struct voter_facts *facts, struct voters_plan *out);

/*
 * Would the steps lead to a set without `subject`, which is not staying, if whoever answers now goes
 * on answering? If it is the master, another one takes over first. False: *out says what is in the
 * way (STUCK), or KEEP if no member that can be master would remain.
 */
bool voters_can_go(const struct voter_facts *facts, node_id subject, struct voters_plan *out);

#endif
