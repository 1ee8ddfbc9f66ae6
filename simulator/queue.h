/*
 * queue.h: what will happen, in virtual time.
 *
 * A binary heap. Invariant: events come out by time, and those of one instant in the order they
 * were put in, so that a run never depends on the heap's shape.
 *
 * Events live in pools by size: in the steady state nothing is allocated per packet.
 */
#ifndef ESSAIM_QUEUE_H
#define ESSAIM_QUEUE_H

#include "gossip.h"

enum event_kind {
	EVENT_TIMER = 1,
	EVENT_PACKET,
	EVENT_FRAME,
	EVENT_REFUSED,
	EVENT_KNOCKED,
	EVENT_DIAL,   /* reaches the member that is asked to let someone in */
	EVENT_DIALED, /* its answer, back at the newcomer */
	EVENT_PERSISTED,
	EVENT_REQUEST,
	EVENT_ABANDON,
	EVENT_SYNC_DUE, /* lazy writes have waited long enough */
	EVENT_SYNCED,   /* the disk finished a batch */
	EVENT_FAULT,
	EVENT_CLIENT, /* a client thinks of something to do */
	EVENT_PERSON, /* an operator goes on with something */
	EVENT_LOOK,   /* the checkers look around */
	EVENT_FOREIGN, /* the second cluster is switched off */
};

struct event {
	struct event *next; /* in a pool, or among a paused machine's inputs */
	enum event_kind kind;
	uint32_t node; /* the machine it reaches */
	uint32_t life; /* the process it is meant for (machine.h) */
	uint32_t from;
	uint32_t size;
	uint8_t pool;
	uint8_t message; /* enum message_kind of a packet or frame */
	uint8_t nets[2]; /* a packet's: in which networks its sender's and its receiver's address are */
	union {
		struct {
			uint64_t stream, token;
			struct hash binding;
			uint32_t hangups;
		} frame;
		struct {
			uint64_t number;
			bool failed;
		} persisted;
		struct {
			node_id node;
			enum knock_result result;
		} knocked;
		struct {
			uint64_t dial, token, stream;
			struct hash hash; /* the token's on the way in, the binding on the way back */
		} dial;
		uint64_t number; /* a client, a fault, a batch */
	};
	uint8_t bytes[];
};

struct queue_item {
	instant at;
	uint64_t order;
	struct event *event;
};

#define QUEUE_POOLS 16

struct queue {
	struct queue_item *heap;
	uint32_t count, capacity;
	uint64_t order;
	struct event *free[QUEUE_POOLS];
};

void queue_finish(struct queue *q);

/* A zeroed event with room for `size` bytes. */
struct event *queue_event(struct queue *q, enum event_kind kind, uint32_t node, size_t size);
void queue_free(struct queue *q, struct event *event);

void queue_push(struct queue *q, instant at, struct event *event);
/* NEVER if empty. */
instant queue_next_at(const struct queue *q);
struct event *queue_pop(struct queue *q, instant *at);

#endif
