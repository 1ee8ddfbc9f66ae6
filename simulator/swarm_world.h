/*
 * swarm_world.h: the inside of a swarm's run: its machines, its wires and what is on them.
 *
 *     swarm.c         the phases: who dies when, what is measured
 *     swarm_world.c   starts cores, carries what they say
 *     swarm_timers.c  whose timer is next
 */
#ifndef ESSAIM_SIMULATOR_SWARM_WORLD_H
#define ESSAIM_SIMULATOR_SWARM_WORLD_H

#include "dice.h"
#include "swarm.h"

enum swarm_life { SWARM_NOT_STARTED, SWARM_ALIVE, SWARM_PROCESS_DEAD, SWARM_HOST_DEAD };

struct swarm_machine {
	struct gossip *core;
	enum swarm_life life;
	node_id id;
	instant died;
	uint64_t incarnation;
	bool faulty; /* by accident (swarm_accident.h) */
	instant frozen_until; /* it does not run before */
	uint32_t knowing; /* how many living ones hold it for unreachable */
};

struct swarm_timer {
	instant at;
	uint32_t node;
};

/* A heap of one timer a node; `place` says where each node's lies. */
struct swarm_timers {
	struct swarm_timer *heap;
	uint32_t *place;
	uint32_t count;
};

struct swarm_world {
	struct swarm_settings settings;
	instant time;
	struct prng dice;
	struct queue queue;
	struct swarm_timers timers;
	struct swarm_machine *machines;
	uint32_t *by_id; /* node + 1, open addressing */
	uint32_t by_id_mask;
	size_t core_bytes;
	struct node_key *keys;
	struct swarm_traffic *traffic; /* of the present stretch */
	uint64_t steps, false_verdicts, suspicions, by_faulty, about_faulty, taken_back;
	instant accident_since; /* NEVER: not yet */
};

void swarm_world_start(struct swarm_world *w, const struct swarm_settings *settings);
void swarm_world_finish(struct swarm_world *w);
/* What is due first is done; false: nothing before `until`, and it is `until` now. */
bool swarm_world_step(struct swarm_world *w, instant until);
void swarm_kill(struct swarm_world *w, uint32_t node, enum swarm_life life);
/* Stops cleanly, and says so. */
void swarm_stop(struct swarm_world *w, uint32_t node);
void swarm_feed(struct swarm_world *w, uint32_t node, const struct input *input);
void swarm_begin(struct swarm_world *w, uint32_t node);
struct now swarm_now(const struct swarm_world *w);

void swarm_timers_start(struct swarm_timers *t, uint32_t nodes);
void swarm_timers_finish(struct swarm_timers *t);
void swarm_timer_set(struct swarm_timers *t, uint32_t node, instant at);
static inline struct swarm_timer swarm_timer_next(const struct swarm_timers *t)
{
	return t->heap[0];
}

#endif
