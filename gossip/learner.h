/*
 * learner.h: catching up with what others know to be committed, by suffix or by snapshot.
 *
 *     behind --FETCH(applied)--> peer --ENTRIES or SNAPSHOT chunks--> applied
 *
 * Every node is a learner; a voter waits a little first, as its master's ACCEPTs bring the same.
 * A snapshot is put together in memory and installed in one step and one transaction.
 */
#ifndef ESSAIM_LEARNER_H
#define ESSAIM_LEARNER_H

#include "gossip.h"

struct carve;

struct learner {
	uint64_t target; /* highest commit index heard of */
	node_id source;  /* who said so */
	instant behind_since;
	instant fetch_at; /* next FETCH; NEVER if not behind */
	instant push_at;  /* when to tell others of our commit; NEVER */
	uint64_t pushed; /* our commit when we last told others, */
	instant pushed_at; /* and when that was */
	/* a snapshot being put together */
	uint8_t *buffer;
	uint32_t capacity;
	uint64_t index, offset, total;
	node_id from;
};

void learner_init(struct gossip *g, struct carve *memory);
/* Someone proven says it has committed up to `commit`. */
void learner_hint(struct gossip *g, node_id from, uint64_t commit);
/* Our own commit advanced: tell a few others soon. */
void learner_advanced(struct gossip *g);
void learner_on_fetch(struct gossip *g, node_id from, const struct fetch *m);
void learner_on_entries(struct gossip *g, node_id from, const struct entries *m);
void learner_on_snapshot(struct gossip *g, node_id from, const struct snapshot *m);
/* What was heard of belongs to another generation. */
void learner_forget(struct gossip *g);
void learner_tick(struct gossip *g);
instant learner_deadline(const struct gossip *g);

/*
 * Takes entries known to be chosen (contiguous, may overlap what we have) into log and store.
 * Those <= commit become committed. False if they leave a gap.
 */
bool learner_take(struct gossip *g, const struct entry *entries, uint32_t count, uint64_t commit);

#endif
