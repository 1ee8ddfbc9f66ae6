/*
 * alone.h: one whole core, its store and its peers played by the test: what it answers to exactly
 * this message at exactly this time.
 *
 *     test --alone_hear--> core --persists--> store (reported at once, or held)
 *                           |--packets, frames--> opened with the peers' keys, kept in `sent`
 *
 * Node 0 is the core under test, the others are peers that only the test speaks for. Its store
 * survives alone_restart.
 */
#ifndef ESSAIM_ALONE_H
#define ESSAIM_ALONE_H

#include "core.h"

#define ALONE_MAX 5
#define SENT_MAX 256
#define STORED_MAX 4096

struct sent {
	instant at;
	node_id to;
	bool acted; /* did the core believe it may act, after the step that sent this? */
	struct envelope e;
	struct arena arena;
};

struct stored {
	struct ballot ballot;
	size_t size;
	uint8_t *data;
};

struct alone {
	uint32_t nodes;
	struct node_keys keys[ALONE_MAX];
	struct gossip_settings settings;
	void *memory;
	size_t memory_size;
	struct gossip *core;
	struct now now;
	bool hold;    /* persists are not reported until alone_report */
	bool failing; /* they are reported as failed, and change nothing */
	uint64_t asked, reported;
	struct sent sent[SENT_MAX];
	uint32_t sent_count;
	uint32_t answers;
	struct answer answer; /* the last: its code and numbers */
	char text[1024];      /* ... and its words */
	/* the engine's: how often told, and the last of each */
	uint32_t row_effects, rows_effects, proposals, engine_requests, engine_progresses, engine_messages;
	uint64_t proposed_number, proposed_index;
	enum answer_code proposed_code;
	struct request_id engine_request;
	/* the store */
	uint8_t durable[4096];
	size_t durable_size;
	uint64_t first, last; /* entries first..last are there */
	struct stored entries[STORED_MAX];
	struct {
		uint8_t key[KEY_MAX_SIZE + 1];
		size_t key_size, value_size;
		uint8_t *value;
	} rows[64];
	uint32_t row_count;
	uint32_t format; /* the last STORE_FORMAT */
};

/* A member of a cluster of `nodes`, the first `voters` of which vote; `d` may change the record. */
struct alone *alone_new(uint32_t nodes, uint32_t voters, void (*change)(struct durable *d));
void alone_free(struct alone *a);
/* The process ends and starts again with what the store has. False: the core could not read it. */
bool alone_restart(struct alone *a);

void alone_step(struct alone *a, const struct input *input);
/* Lets time pass in steps of 5 ms at most; the peers are heard of, or not. */
void alone_pass(struct alone *a, duration d);
/* A message of node `from`, over a proven stream. */
void alone_hear(struct alone *a, uint32_t from, struct envelope *e);
void alone_report(struct alone *a); /* all held persists, well or as failed */
void alone_report_next(struct alone *a);

/* How many of that kind went to that node (ALONE_MAX: anybody) since alone_forget; the last one. */
uint32_t alone_sent(const struct alone *a, uint32_t to, enum message_kind kind);
const struct sent *alone_last(const struct alone *a, uint32_t to, enum message_kind kind);
void alone_forget(struct alone *a);
bool alone_acts(const struct alone *a);

node_id alone_id(const struct alone *a, uint32_t node);
struct owner alone_owner(const struct alone *a, uint32_t node);
struct ballot alone_ballot(const struct alone *a, uint64_t counter, uint32_t node);

#endif
