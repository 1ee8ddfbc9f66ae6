/*
 * tape.h: packets of one direction of one link, kept by a play: held back, or to be sent again.
 *
 *     tape a>b [KIND]     from now on what a sends to b is copied (of one kind of message, or all)
 *     hold a>b [KIND [N]] the same, but of it only the first N arrive (0 if not said)
 *     pass a>b [KIND]     nothing more is kept or held (of the tapes for that kind, or of all)
 *     replay a>b          the copies arrive now, in order; the tape goes on, a hold ends
 */
#ifndef ESSAIM_TAPE_H
#define ESSAIM_TAPE_H

#include "gossip.h"

struct world;

#define TAPES_MAX 16

struct taped {
	struct taped *next;
	size_t size;
	uint8_t bytes[];
};

struct tape {
	uint32_t from, to;
	enum message_kind kind; /* NONE: all */
	bool used, runs, holds;
	uint64_t first; /* so many are neither kept nor held */
	struct taped *head, *tail;
};

struct tapes {
	struct tape list[TAPES_MAX];
};

/* False: there is no room for another. */
bool tape_begin(struct tapes *t, const struct tape *wanted);
void tapes_finish(struct tapes *t);

/* Is told of every packet; true if it must not arrive. */
bool tape_takes(struct tapes *t, uint32_t from, uint32_t to, const struct effect *effect);

/* Keeps what is on the tape, and takes no more. */
void tape_pass(struct tapes *t, uint32_t from, uint32_t to, enum message_kind kind);

/* Lets the copies arrive; how many. */
uint32_t tape_replay(struct world *w, uint32_t from, uint32_t to);

/* "release" and the like (choices.c has the words), "": all. False if there is no such message. */
bool tape_kind(const char *word, enum message_kind *out);

#endif
