/*
 * core.h: the mind's inside: the one struct, and what its rules share.
 *
 * Only gossip/'s own files include it. Each rule has its file and its part of the struct:
 *
 *     membership.h   who is there and reachable: sessions, probes, suspicion, facts
 *     lease.h        voter, candidate, master
 *     log.h, rows.h, ledger.h   what is accepted, what is applied, what it means
 *     voters.h       changing the configuration
 *     learner.h      catching up
 *     transaction.h     rows of the engine, and its talk
 *     route.h        a user's command finds the master and applies once
 *     level.h        which wire version everybody speaks
 *     rekey.h        a member changes its key
 *     life.h         blank, joining, member, leaving, stopped
 *     seize.h, generation.h   the quorum is lost: a new generation
 */
#ifndef ESSAIM_CORE_H
#define ESSAIM_CORE_H

#include <assert.h>
#include <string.h>

#include "effects.h"
#include "gossip.h"

/* Memory handed out once at init; the same walk computes the size (data NULL). */
struct carve {
	uint8_t *data;
	size_t used;
};
void *carve(struct carve *c, size_t size); /* 16-aligned; NULL while only measuring */

#include "hand_over.h"
#include "generation.h"
#include "lease.h"
#include "learner.h"
#include "ledger.h"
#include "level.h"
#include "life.h"
#include "log.h"
#include "membership.h"
#include "prng.h"
#include "quorum.h"
#include "transaction.h"
#include "rekey.h"
#include "route.h"
#include "rows.h"
#include "seize.h"
#include "voters.h"
#include "weaken.h"

struct gossip {
	/* (clock origins and deadlines inside the parts are of this node's own clocks) */
	struct gossip_settings settings;
	struct now now; /* of the present step */
	node_id self;
	enum standing standing;
	struct durable durable; /* as last handed to the store */
	struct prng prng;
	struct effects_buffer out;
	struct arena packet_arena, frame_arena;
	struct arena command_arena, row_arena; /* one entry's command; one row's value */
	uint8_t *scratch; /* SCRATCH_SIZE: for encoding one envelope */
	uint64_t persist_number;   /* last given out */
	bool persist_open, persist_lazy, persist_durable_wanted; /* this step's batch */
	uint32_t persist_first; /* its first op */
	uint64_t persisted_number; /* last reported well */
	uint64_t entry_number;     /* last that carried entries or rows of a snapshot */
	uint64_t sync_number;      /* last that somebody waits for */
	bool store_failed;
	uint64_t dropped[DROP_REASONS];

	struct membership membership;
	struct log log;
	struct rows rows;
	struct ledger ledger;
	struct lease lease;
	struct hand_over hand_over;
	struct voters voters;
	struct learner learner;
	struct route route;
	struct transaction transaction;
	struct level level;
	struct rekey rekey;
	struct life life;
	struct seize seize;
	struct generation_change generation;
};

#define SCRATCH_SIZE (FRAME_MAX + 4096)
#define COMMAND_ARENA_SIZE (256 * 1024)

/* ---- sending ---- */

/*
 * Sends `e` (kind and its struct set; the header is filled here) to a member: as a packet if it
 * fits, with waiting gossip items added, else as a frame. To an unknown or removed member: nothing.
 */
void core_send(struct gossip *g, node_id to, struct envelope *e);

/* As a frame, to whoever ever was a member, of whichever generation. */
void core_tell(struct gossip *g, node_id to, struct envelope *e);
/* The same by the stream that it spoke on; or, that being 0, by a way that may be another than we know. */
void core_tell_back(struct gossip *g, node_id to, uint64_t stream, struct envelope *e);
void core_tell_at(struct gossip *g, node_id to, const struct way *way, struct envelope *e);
/* The same by a given way, if it is a packet: probes of a path, and their answers. */
void core_send_by(struct gossip *g, node_id to, const struct way *by, struct envelope *e);

/* Bytes that a packet with this message would leave free. */
size_t core_room(struct gossip *g, node_id to, struct envelope *e);

/* The same on a named stream. */
void core_send_stream(struct gossip *g, uint64_t stream, struct envelope *e, bool close_after);

/* ---- the store ---- */

/*
 * Adds to this step's one persist effect. persist_sync says that somebody waits for it and returns
 * its number; without it the whole batch is lazy. Bytes are borrowed until the effects are carried:
 * they must not move or change within the step.
 */
void persist_entry(struct gossip *g, uint64_t index, const struct ballot *ballot, struct bytes command);
void persist_cut_above(struct gossip *g, uint64_t index);
void persist_trim_below(struct gossip *g, uint64_t index);
void persist_row(struct gossip *g, struct bytes key, struct bytes value); /* data NULL: delete */
void persist_rows_clear(struct gossip *g);
void persist_durable(struct gossip *g); /* g->durable as it will be at the end of the step */
void persist_journal(struct gossip *g, struct bytes key, struct bytes value); /* data NULL: delete */
uint64_t persist_sync(struct gossip *g);

/* ---- tracing ---- */
void core_trace(struct gossip *g, enum rule rule, node_id subject, node_id other, int64_t n1,
                int64_t n2, int64_t n3);
/* The same with a path's two ends. */
void core_trace_path(struct gossip *g, enum rule rule, node_id subject, const struct address *from,
                     const struct address *to);

/* With two addresses. */
void core_trace_ends(struct gossip *g, enum rule rule, node_id subject, const struct address *from,
                     const struct address *to);

static inline void core_drop(struct gossip *g, enum drop_reason reason)
{
	g->dropped[reason]++;
}

static inline instant instant_min(instant a, instant b)
{
	return a < b ? a : b;
}

/* A rule of the simulator's own build may be switched off; the daemon's build has no switch. */
#ifdef ESSAIM_WEAKEN
#define WEAKENED(g, bit) ((bool)(((g)->settings.weakened >> (bit)) & 1))
#else
#define WEAKENED(g, bit) ((void)(g), false)
#endif

#endif
