/*
 * seizing.h: most of the voters are lost for good; a while later somebody says so, and seizes.
 *
 *     NOT --quorum scrapped--> LOST --somebody asks--> ASKS --done--> DONE --in some runs--> LOST once more
 *                               ^------- refused ------/  \-- in some runs its machine is lost, too --> LOST
 *
 * Which of these befall a run is in the fault's group, so that a list of faults says it all:
 *     its seizer is lost in the middle of it, or just after
 *     the quorum of the new generation is lost as well: a second seizure, or a third
 *     the first words are not all true: one that lives, but does not answer, is named dead
 *
 * Invariants
 *   1. The scrapped never run again, and a majority of the old voters is among them: so nobody of the old
 *      generation can act, whoever else was named dead.
 *   2. Somebody is left who may seize: who is scrapped leaves a node behind that knows
 *      the latest keys, and where the others are by its ledger, if they moved.
 *   3. It goes on after the healing until it is done: somebody stands there.
 */
#ifndef ESSAIM_SEIZING_H
#define ESSAIM_SEIZING_H

#include "words.h"

struct world;
struct machine;
struct fault;
struct answer;

enum seizing { SEIZING_NOT, SEIZING_LOST, SEIZING_ASKS, SEIZING_DONE };

struct seizing_state {
	enum seizing phase;
	uint32_t seizer; /* machine that was asked */
	instant asked_at;
	uint32_t mistaken; /* index + 1 of the machine that lives and was named dead; 0: none */
	bool due;        /* the next look is in the queue */
	bool lose_seizer, lose_again, untrue; /* still to come */
	uint64_t done, refused, lost_seizers, again, untrue_words;
};

void seizing_begin(struct world *w, const struct fault *f);
/* Whoever is to seize sees to it, if somebody is. */
void seizing_go_on(struct world *w);
void seizing_due(struct world *w);
void seizing_answered(struct world *w, const struct answer *answer);

#endif
