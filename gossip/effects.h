/*
 * effects.h: the ordered list of what a step asks the body to do, in memory sized at start.
 *
 * Invariants
 *   1. Persists, answers, traces of level notice and above, and stops are never dropped: room for
 *      them is reserved. A send that finds the output full is dropped and counted (DROP_OUTPUT):
 *      a network may lose anything.
 *   2. Bytes of effects live in `bytes` until the next step begins.
 */
#ifndef ESSAIM_EFFECTS_H
#define ESSAIM_EFFECTS_H

#include "gossip.h"

#define EFFECTS_MAX 4096
#define EFFECTS_RESERVED 1024 /* of those, kept for what must not be dropped */
#define EFFECT_BYTES_MAX (6 * 1024 * 1024)
#define EFFECT_BYTES_RESERVED (1024 * 1024)
#define STORE_OPS_MAX (160 * 1024) /* a snapshot of the fullest ledger in one transaction */

struct effects_buffer {
	struct effect *list;
	uint32_t count;
	uint8_t *bytes;
	size_t used;
	struct store_op *ops;
	uint32_t op_count;
	uint64_t *dropped; /* counter to raise */
};

void effects_begin(struct effects_buffer *e);

/* A zeroed effect of that kind, or NULL if sends are out of room (only sends can get NULL). */
struct effect *effects_add(struct effects_buffer *e, enum effect_kind kind);

/* Room for bytes that must live as long as the effects; NULL if full (never for `must`). */
uint8_t *effects_room(struct effects_buffer *e, size_t size, bool must);

/* A copy of `in` with the effects' lifetime; asserts on overflow: only for small things. */
struct bytes effects_copy(struct effects_buffer *e, struct bytes in);

#endif
