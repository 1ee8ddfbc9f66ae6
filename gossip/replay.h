/*
 * replay.h: which sequences of one sender have been opened, over the last REPLAY_WINDOW of them.
 *
 *     a few, as distances below the highest --one too many--> a bitmap, for good
 *
 * A sender counts all its packets, whoever they go to, so most of a swarm has sent us next to nothing
 * within a window: distances are enough for them, and only busy pairs pay for a bitmap. Both say
 * exactly the same.
 *
 * Invariants
 *   1. A sequence that is REPLAY_WINDOW or more below the highest counts as seen.
 *   2. There are as many bitmaps as members, so that one is always left.
 */
#ifndef ESSAIM_REPLAY_H
#define ESSAIM_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

struct carve;

#define REPLAY_WINDOW 2048 /* the packets of one sender that may overtake each other */
#define REPLAY_FEW 6

struct replay {
	uint64_t top;              /* highest sequence opened; 0: none yet */
	uint16_t below[REPLAY_FEW]; /* those opened before: so far below `top`; 0: free */
	uint32_t bitmap;           /* index + 1 into the pool; 0: `below` still holds them all */
};

struct replay_bitmap {
	uint64_t words[REPLAY_WINDOW / 64];
};

struct replay_pool {
	struct replay_bitmap *bitmaps;
	uint32_t used, capacity;
};

void replay_pool_init(struct replay_pool *pool, uint32_t capacity, struct carve *memory);
bool replay_seen(const struct replay_pool *pool, const struct replay *r, uint64_t sequence);
void replay_mark(struct replay_pool *pool, struct replay *r, uint64_t sequence);
/* A new sender process: nothing was seen. */
void replay_reset(struct replay_pool *pool, struct replay *r);

#endif
