/*
 * copies.h: disks that go back in time, and a second process with the key of a first.
 *
 * Both begin with a copy of one machine's disk and a restart of that machine, so that the copy is
 * of an earlier start. Then, once every peer knows the later start:
 *
 *     ROLLBACK   at its end the machine crashes and comes up with the copy as its disk
 *     CLONE      a spare machine comes up with the copy, beside the original, and goes at the end
 *
 * Either way a process appears whose incarnation is not above what the peers know, under another
 * nonce: it must not vote, or what it promised and accepted since the copy would be forgotten. A
 * copy that no peer can know to be old is beyond any protocol: that is losing a disk unnoticed.
 */
#ifndef ESSAIM_COPIES_H
#define ESSAIM_COPIES_H

#include "disk.h"
#include "faults.h"

struct machine;

struct copies {
	bool held;
	bool asked; /* the next look is in the queue */
	bool cloned;   /* the spare machine runs */
	uint32_t of;
	uint64_t incarnation; /* the later start's */
	struct disk image;
	instant until;
	uint64_t rollbacks, clones;
};

void copies_roll_back(struct world *w, struct fault *f, bool begins);
void copies_clone(struct world *w, struct fault *f, bool begins);
/* Has everyone heard of the later start by now? */
void copies_due(struct world *w);
/* The clone is gone, the copy forgotten. */
void copies_finish(struct world *w);

#endif
