/*
 * engine_inside.h: what the files of the engine's body share.
 */
#ifndef ESSAIM_ENGINE_INSIDE_H
#define ESSAIM_ENGINE_INSIDE_H

#include <jansson.h>
#include <sys/queue.h>

#include "codec_registry.h"
#include "engine_body.h"

/* Something the engine is to be told; what it means is said by `kind`. */
struct told {
	STAILQ_ENTRY(told) link;
	enum engine_input_kind kind;
	struct request_id request;
	node_id from;
	uint64_t number; /* proposal, journal record, run; epoch */
	uint64_t done, total;
	int code;        /* proposal_result, command_end */
	int exit_code;
	bool flag;       /* master, failed, truncated */
	size_t key_size, size; /* of the two parts of `bytes` (key and value, or out and err) */
	uint8_t bytes[];
};

/* A proposal that has not ended. */
struct proposal {
	STAILQ_ENTRY(proposal) link;
	uint64_t number;
	bool again; /* the ledger had too much to do: to be proposed anew */
	size_t size;
	uint8_t command[]; /* encoded */
};

/* A record of the journal on its way to the disk. */
struct journaling {
	STAILQ_ENTRY(journaling) link;
	uint64_t number;
	uint64_t persist; /* 0: its step is not over */
};

struct engine_body {
	struct body *body;
	struct engine *engine;
	void *memory;
	size_t memory_size;
	struct engine_view view;
	struct arena arena, view_arena;
	uint8_t *scratch; /* ENGINE_SCRATCH */
	struct registry_room view_room;
	struct event *timer, *again;
	instant timer_at;
	STAILQ_HEAD(, told) queue;
	STAILQ_HEAD(, proposal) proposals;
	STAILQ_HEAD(, journaling) journalings;
	json_t *known; /* names of rows that the engine was told of, as hexadecimal keys */
	bool turning, started;
	bool master; /* as the engine was told */
	uint64_t epoch;
	uint32_t member_position, member_index; /* where the last look at members ended */
};

#define ENGINE_SCRATCH (COMMAND_MAX_SIZE + 16 * 1024)

/* A zeroed one with room for `size` bytes, in the queue; NULL: no memory. */
struct told *engine_tell(struct engine_body *e, enum engine_input_kind kind, size_t size);

/* engine_view.c */
void engine_view_fill(struct engine_body *e);

/* engine_effects.c */
void engine_carry(struct engine_body *e, const struct now *now, const struct engine_output *out);
void engine_propose_again(struct engine_body *e);
void engine_proposed(struct engine_body *e, const struct effect *effect);
/* All that is open ends as UNKNOWN. */
void engine_proposals_lost(struct engine_body *e);

#endif
