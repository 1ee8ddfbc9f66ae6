/*
 * people.h: what operators do in the middle of it all: stop, hand over, join, leave, remove.
 *
 *     JOIN: token asked --done--> newcomer started, joins --refused or lost--> tries again
 *                                        \--done--> half of the time another tries the used token
 *
 * Invariants
 *   1. LEAST_MEMBERS stay, so that the healed cluster has a majority of those it had.
 *   2. A token good for one use lets in one node; a second one is a violation.
 *   3. An unfinished join goes on after the healing: somebody stands at that machine and retries.
 */
#ifndef ESSAIM_PEOPLE_H
#define ESSAIM_PEOPLE_H

#include "faults.h"

struct machine;
struct answer;

#define LEAST_MEMBERS 3
#define ERRANDS_MAX 8
#define PEOPLE_CLIENT ((uint64_t)1 << 62) /* client numbers from here on are errands */

enum errand_phase { ERRAND_FREE, ERRAND_TOKEN, ERRAND_JOIN, ERRAND_REUSE };

struct errand {
	enum errand_phase phase;
	uint32_t node; /* the newcomer */
	uint32_t via;  /* asked for the token, and last for the way in */
	uint32_t tries;
	bool reuse;
	uint64_t token;
	struct hash hash;
};

struct people {
	struct prng dice;
	struct errand errands[ERRANDS_MAX];
	uint32_t held_back; /* machines that are not founders */
	uint32_t gone;      /* members that were asked to go */
	uint64_t joined, refused_tokens, left, removed, transfers, stops;
};

/* How many of the machines found the cluster; the others are there to join it later. */
uint32_t people_founders(struct world *w);

void people_act(struct world *w, const struct fault *f);

/* An answer to client PEOPLE_CLIENT + n; an outcome of a join at `m`; a moment to go on (n). */
void people_answered(struct world *w, uint64_t client, const struct answer *answer);
void people_outcome(struct world *w, const struct machine *m);
void people_due(struct world *w, uint64_t number);

#endif
