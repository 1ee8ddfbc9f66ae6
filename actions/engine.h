/*
 * engine.h: the operation engine: what the hands shall do, where, once, and how it ended. Pure.
 *
 *     body                                   engine (one on every node)
 *     rows, facts, results, requests  --->  engine_step(engine, now, input, out)
 *     carries the effects in order    <---  out
 *     one timer at                    <---  engine_deadline(engine)
 *
 * At the master (engine_master, engine_jobs; rows say all there is to know):
 *
 *     request -> plan -> [commit QUEUED] -> locks free -> [commit RUNNING] -> DISPATCH a leg
 *                  |          |                                                  | REPORT
 *               refused    cancelled                                             v
 *                          = UNDONE      all legs done: [commit DONE]   next leg: [commit step]
 *                                        failed: [commit undoing] -> legs back -> [commit UNDONE |
 * FAILED]
 *
 * At the target (engine_executor, engine_steps; the journal says all there is to know): verb.h.
 *
 * Invariants
 *   1. An effect behind a journal record is not asked for before JOURNALED says it is durable; no
 *      command is run but by the journaled step.
 *   2. Nothing is dispatched, answered as started, or freed before it is committed and applied.
 *   3. A node executes an operation only as its target, for an epoch not below any it has heard of,
 *      while its own ledger does not show that the operation has ended.
 *   4. A step is begun again only if its probe found no effect, or it is `repeatable`.
 *   5. Every proposal names the versions it was judged by; one that fails is judged anew.
 *   6. A new master needs the rows only: it dispatches every running operation again, and the
 *      targets answer from their journals.
 *   7. Time is judged by the master's wall clock, and the judgement is committed (deadlines, jobs);
 *      a step's timeout by the executor's boottime.
 *   8. Equal settings, loads and (now, input) sequences give equal effects.
 *
 * Memory: engine_size() bytes, the caller's; nothing is allocated in a step. Inputs are borrowed
 * for the call; effects and what they point to are valid until the next call with this engine.
 *
 * Sources: Ganeti's job queue (locks without an owner one can see, #870), Proxmox's "VM is locked",
 * LINSTOR's retried calls; Garcia-Molina and Salem, Sagas (1987), for steps with undo.
 */
#ifndef ESSAIM_ENGINE_H
#define ESSAIM_ENGINE_H

#include "engine_rules.h"
#include "engine_weaken.h"
#include "verb.h"

struct engine;

/* What is fixed at start. */
struct engine_settings {
	node_id self;
	const struct verb_table *verbs;
	const struct engine_view *view;
	uint32_t hook_program;     /* enum program that runs the hooks; 0: there are none */
	uint32_t operations_max;   /* open at once, in the cluster; 0: OPERATIONS_MAX */
	uint32_t executing_max;    /* records in this node's journal at once; 0: 64 */
	uint32_t running_per_node; /* the master begins no more on one node; 0: 8 */
	uint32_t watchers_max;     /* who waits for an answer; 0: 1024 */
	uint32_t audit_max;        /* rows kept; 0: AUDIT_ROWS_MAX */
	uint32_t jobs_max;         /* 0: JOBS_MAX */
	uint32_t weakened; /* simulator's own build: rules switched off, by bit (engine_weaken.h) */
};

size_t engine_size(const struct engine_settings *settings);

/* `memory`: engine_size() zeroed bytes aligned to 16; `settings` is copied, what it points to is
 * not. */
struct engine *engine_init(void *memory, const struct engine_settings *settings);

/* Before ENGINE_START, in any number: what this node's journal holds. False: no room (E.g. too
 * many). */
bool engine_load_journal(struct engine *engine, const struct journal_record *record);

/* ---- inputs ---- */

enum engine_input_kind {
	ENGINE_TICK,
	ENGINE_START,  /* once: the journal and the rows were loaded, and no child of an earlier
	                * life of this node's daemon is left alive */
	ENGINE_ROW,    /* a row was applied, or loaded at start; in the ledger's order */
	ENGINE_MEMBER, /* somebody became reachable or unreachable, a member, or none any more */
	ENGINE_MASTERSHIP, /* this node became master (its CLAIM is applied), or is none any more;
	                    * at other nodes, and behind ENGINE_START, which epoch their ledger
	                    * knows */
	ENGINE_PROPOSED,   /* what came of a DO_PROPOSE; after the ENGINE_ROW of what it changed */
	ENGINE_REQUEST,   /* at the master: a user's, routed. Elsewhere it is answered NOT_MASTER. Who still
	                   * waits asks again every few seconds: who does not is forgotten */
	ENGINE_MESSAGE,   /* from another node's engine */
	ENGINE_JOURNALED, /* a DO_JOURNAL is durable, or failed; in the order of their numbers */
	ENGINE_RESULT,    /* a DO_RUN ended; its process is gone */
	ENGINE_OUTPUT,    /* a DO_RUN tells how far it is */
};

enum proposal_result {
	PROPOSAL_APPLIED = 1,
	PROPOSAL_CONFLICT = 2, /* a version differed: nothing was applied */
	PROPOSAL_REFUSED = 3,  /* the ledger is full, or the level too low: nothing was applied */
	PROPOSAL_UNKNOWN = 4,  /* mastership ended: ENGINE_MASTERSHIP comes too */
};

struct engine_input {
	enum engine_input_kind kind;
	union {
		struct {
			bool deleted; /* row: kind and name only */
			struct registry_row row;
		} row;
		struct {
			bool master;
			uint64_t epoch; /* master: of this mastership; else the highest known */
		} mastership;
		struct {
			uint64_t number;
			enum proposal_result result;
			const char *text; /* REFUSED: why */
		} proposed;
		const struct engine_request *request;
		struct {
			node_id from; /* proven */
			const struct engine_message *message;
		} message;
		struct {
			uint64_t number;
			bool failed;
		} journaled;
		struct {
			uint64_t run;
			const struct command_result *result;
		} result;
		struct {
			uint64_t run;
			uint64_t done_bytes, total_bytes;
		} output;
	};
};

/* ---- effects ---- */

enum engine_effect_kind {
	DO_PROPOSE,  /* commit this; ENGINE_PROPOSED tells what came of it. Only while master */
	DO_JOURNAL,  /* put (or drop) this node's record; in order; ENGINE_JOURNALED. No effect of
	              * the  engine waits for it in the body: the engine itself does */
	DO_RUN,      /* run a command; ENGINE_RESULT exactly once, unless the daemon ends before */
	DO_KILL,     /* end it; its ENGINE_RESULT still comes */
	DO_SEND,     /* to a node's engine; to self: as ENGINE_MESSAGE, later. May be lost */
	DO_ANSWER,   /* to who asked: the last */
	DO_PROGRESS, /* to who asked; may be lost */
	DO_TRACE,
};

struct engine_trace {
	enum engine_rule rule;
	uint64_t number; /* of the operation; 0: none */
	node_id node;    /* 0: none */
	int64_t value;
	const char *text; /* "" or borrowed */
};

struct engine_effect {
	enum engine_effect_kind kind;
	union {
		struct {
			uint64_t number; /* grows by one */
			struct registry_transaction transaction;
		} propose;
		struct {
			uint64_t number; /* grows by one */
			bool drop;       /* forget that id */
			struct request_id id;
			const struct journal_record *record; /* unless drop */
		} journal;
		struct {
			uint64_t run;       /* grows by one; from 1 at each start */
			uint64_t operation; /* number, for the log */
			const char *step;
			const struct command_line
			    *command; /* timeout and output_limit are filled */
		} run;
		struct {
			uint64_t run;
		} kill;
		struct {
			node_id to;
			const struct engine_message *message;
		} send;
		const struct engine_answer *answer;
		struct {
			struct request_id request;
			struct request_id operation;
			uint64_t number;
			const struct engine_progress *progress;
		} progress;
		struct engine_trace trace;
	};
};

struct engine_output {
	uint32_t count;
	const struct engine_effect *list;
};

void engine_step(struct engine *engine, const struct now *now, const struct engine_input *input,
                 struct engine_output *out);

/* Boottime at which ENGINE_TICK is due; NEVER. At or before the present: at once. */
instant engine_deadline(const struct engine *engine, const struct now *now);

/* ---- for those who show ---- */

/* What this node executes now, and what the master is told of it. False: no such operation here. */
bool engine_progress_of(const struct engine *engine, uint64_t number, const struct now *now,
                        struct engine_progress *out);

struct engine_figures {
	uint32_t open, queued, running, executing, watchers, proposals;
	uint64_t stuck_run; /* the oldest command that was killed and is not gone; 0: none */
	duration stuck_for;
};
void engine_figures(const struct engine *engine, const struct now *now, struct engine_figures *out);

#endif
