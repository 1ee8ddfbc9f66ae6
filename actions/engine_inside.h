/*
 * engine_inside.h: the one struct of the engine, and who offers what inside it. Only engine_*.c
 * include it.
 *
 *     engine_rows      rows applied -> slots (open operations), audit index, jobs
 *     engine_requests  what people ask     engine_watchers  who waits for an answer
 *     engine_propose   transactions        engine_audit     the audit's rows, numbers, repeats
 *     engine_locks     who may begin       engine_master    slots -> dispatch, reports -> rows
 *     engine_jobs      due or not          engine_executor  dispatch -> records, reports
 *     engine_steps     records -> commands, results -> records
 *     engine_output    effects and their memory
 *
 * Everything is judged by level: each turn looks at all that is open and does what its state asks
 * for, so that an input that was lost, doubled or early needs no case of its own.
 */
#ifndef ESSAIM_ENGINE_INSIDE_H
#define ESSAIM_ENGINE_INSIDE_H

#include "engine.h"

#define EFFECTS_MAX 512
#define ARENA_SIZE (1024 * 1024)
#define PROPOSALS_MAX 512
#define RESEND (SECOND)             /* a dispatch without news is repeated */
#define PROGRESS_EVERY (SECOND / 2) /* a report because of bytes alone */
#define WATCHER_PATIENCE (30 * SECOND) /* who waits asks again every 5 s (gossip/route.c) */
#define TELL_EVERY (SECOND)         /* progress to who asked */
#define PROPOSE_AGAIN (SECOND)      /* after the ledger refused */
#define PROBE_AGAIN (2 * SECOND)
#define PROBES_MAX 10  /* without a clear answer: nobody can tell */
#define ATTEMPTS_MAX 3 /* of one step */
#define CHECK_AGAIN (SECOND)
#define JOURNAL_AGAIN (2 * SECOND)
#define STUCK_AFTER (5 * SECOND) /* beyond its timeout, or after its cancelling, a command is called stuck */
#define STEP_TIMEOUT (60 * SECOND)
#define OPERATION_DEADLINE (3600 * SECOND)
#define OUTPUT_LIMIT (64 * 1024)
#define JOB_EVERY_MIN (10 * SECOND)
#define LOCKS_PER_ROW_MAX 16

struct output {
	uint32_t count;
	size_t used;
	uint64_t proposals, journals; /* numbers of the last */
	struct engine_effect list[EFFECTS_MAX];
	_Alignas(16) uint8_t arena[ARENA_SIZE];
};

/* One open operation, as committed (version > 0) or as first proposed. */
struct slot {
	bool used;
	bool cancel, abandon; /* somebody wants that; `wish` says who */
	uint64_t version;     /* 0: not committed */
	uint64_t proposal;    /* in flight about it; 0: none */
	instant propose_at;   /* not before */
	instant dispatch_at;  /* boot; repeat then */
	bool look;            /* whether its target is a member still */
	bool reported;        /* `report` is about the present leg */
	uint32_t lock_count;
	uint64_t locks[LOCKS_PER_ROW_MAX]; /* hashes */
	const struct verb *verb;           /* NULL: this version does not know it */
	char wish[OPERATION_WHO_MAX + 64];
	struct engine_report report; /* the last, of whatever leg */
	struct operation_row row;
};

struct audited {
	uint64_t number;
	struct request_id id;
	bool ended;
};

struct audit_index {
	uint32_t count, capacity;
	bool sorted;
	uint64_t last; /* highest number seen or proposed */
	struct audited *list;
};

struct watcher {
	bool used, detach;
	struct request_id request;
	uint64_t number; /* of the operation */
	bool cancel;     /* content with CANCELLING */
	instant tell_at, asked_at;
};

struct job {
	bool used;
	uint64_t version, proposal;
	instant propose_at;
	struct job_row row;
};

enum proposal_kind {
	PROPOSE_START,     /* slot: an operation that is to be */
	PROPOSE_CHANGE,    /* slot: its row goes on */
	PROPOSE_END,       /* slot */
	PROPOSE_IMMEDIATE, /* nothing is run: answered when it is applied */
	PROPOSE_JOB,       /* job: a run of which nothing is left to do, or a refused one */
};

struct proposal {
	uint64_t number; /* 0: free */
	enum proposal_kind kind;
	uint32_t slot;             /* START, CHANGE, END */
	uint32_t job;              /* JOB, and START of a job's run; UINT32_MAX: none */
	struct request_id request; /* IMMEDIATE, JOB: who is answered */
	uint64_t audit;
};

enum execution_state {
	EXECUTION_RESTING, /* ended, or of an earlier life and not asked for again yet */
	EXECUTION_DECIDING,
	EXECUTION_JOURNALING, /* then `then` */
	EXECUTION_WAITING,    /* until `at`, then `task` */
	EXECUTION_COMMAND,    /* `run` is under way */
};

enum execution_task {
	TASK_DECIDE, /* what is next? */
	TASK_ACT,
	TASK_PROBE,
	TASK_UNDO,    /* run that command of the step it is at */
	TASK_JOURNAL, /* write the record again, then `then` */
	TASK_REST,    /* the leg ended: tell */
	TASK_FORGET,  /* the operation ended for everybody: its record goes */
};

struct execution {
	bool used;
	bool recover; /* the record says ABOUT, and this life did not write it */
	bool orphan;  /* it has ended for everybody: finish the command, forget */
	enum execution_state state;
	enum execution_task task; /* COMMAND: which it is; WAITING: what comes then */
	enum execution_task then; /* JOURNALING */
	uint64_t journal;         /* number awaited */
	uint64_t run;             /* of the command; 0: none */
	bool killed;
	uint32_t probes;
	instant at;
	instant step_began, command_deadline;
	instant waits_until; /* for its check; 0: it does not */
	uint64_t done_bytes, total_bytes;
	instant measured_at, reported_at;
	uint64_t measured_bytes, rate;
	node_id master; /* who is told */
	char waits[OPERATION_SUBJECT_MAX + 1];
	struct step_why why; /* of the act whose probe is asked */
	struct journal_record record;
};

/* How many operations run on a node. */
struct load {
	node_id node;
	uint32_t count;
};

struct engine {
	struct engine_settings settings;
	struct now now; /* of the present step */
	bool started, master, more;
	uint64_t epoch;       /* of this node's mastership, or the highest its ledger knows */
	uint64_t epoch_heard; /* highest of all */
	uint64_t runs;
	instant due;
	bool queue_dirty; /* who may begin is to be looked at */
	uint32_t slot_count, ordered_count;
	struct slot *slots;
	uint32_t *ordered; /* committed slots by number */
	uint64_t *table;   /* scratch of locks_queue; a power of two */
	uint32_t table_mask;
	struct load *loads; /* scratch of locks_queue */
	uint32_t load_count;
	struct audit_index audit;
	struct job *jobs;
	struct watcher *watchers;
	uint32_t watcher_count;
	struct execution *executions;
	struct proposal proposals[PROPOSALS_MAX];
	struct verb_changes changes;   /* scratch */
	struct command_line command;   /* scratch */
	struct engine_answer answer;   /* scratch */
	struct engine_message message; /* scratch */
	struct operation_row row;      /* scratch */
	struct operation_plan plan;    /* scratch */
	struct output out;
};

/* ---- engine_output ---- */
void output_begin(struct engine *e);
/* Is there room for that many effects and bytes more? If not, the rest is done in the next turn. */
bool output_room(struct engine *e, uint32_t effects, size_t bytes);
struct engine_effect *output_add(struct engine *e, enum engine_effect_kind kind);
void *output_copy(struct engine *e, const void *data, size_t size);
void output_trace(struct engine *e, enum engine_rule rule, uint64_t number, node_id node,
                  int64_t value, const char *text);
void output_send(struct engine *e, node_id to, const struct engine_message *message);
#define TURN_EFFECTS 8 /* what one look at one thing may add */
#define TURN_BYTES (96 * 1024)

/* ---- engine_legs: a verb's steps with the hooks before and after them ---- */
uint32_t verb_step_count(const struct verb *verb);
const struct verb_step *step_at(const struct verb *verb, uint32_t index);
struct leg {
	uint32_t from, to, where;
	bool undoing;
};
/* The leg that a row says is next; the row is not beyond its last step. */
struct leg leg_of(const struct verb *verb, const struct operation_row *row);

/* ---- engine_rows ---- */
void rows_input(struct engine *e, const struct engine_input *input);
struct slot *slot_by_id(struct engine *e, const struct request_id *id);
struct slot *slot_by_number(struct engine *e, uint64_t number);
struct slot *slot_free(struct engine *e); /* NULL: as many are open as may be */
void slot_drop(struct engine *e, struct slot *slot);
struct job *job_by_name(struct engine *e, const char *name);

/* ---- engine_audit ---- */
void audit_applied(struct engine *e, const struct audit_row *row);
void audit_dropped(struct engine *e, struct bytes name);
const struct audited *audit_by_id(const struct engine *e, const struct request_id *id);
const struct audited *audit_by_number(const struct engine *e, uint64_t number);
uint64_t audit_number(struct engine *e); /* the next, used up */
struct audit_row audit_of(const struct operation_row *row);
/* Reads an audit row; NULL: not there. */
const struct audit_row *audit_read(struct engine *e, uint64_t number);

/* ---- engine_locks ---- */
void locks_hash(struct slot *slot);
/* Who holds a lock that `list` may not wait for? NULL: nobody. */
struct slot *locks_taken(struct engine *e, const struct lock_list *list, const char **out_name);
void locks_say(struct engine *e, const struct slot *holder, const char *name, struct step_why *why);
/* Calls `begin` for each queued operation that may begin now, in the order of their numbers. */
void locks_queue(struct engine *e, void (*begin)(struct engine *e, struct slot *slot));

/* ---- engine_propose ---- */
struct proposal *proposal_begin(struct engine *e, enum proposal_kind kind,
                                struct registry_transaction *transaction);
void proposal_send(struct engine *e, struct proposal *proposal,
                   const struct registry_transaction *transaction);
void change_put(struct engine *e, struct registry_transaction *t, const struct registry_row *row,
                uint64_t expected);
void change_drop(struct engine *e, struct registry_transaction *t, enum registry_kind kind,
                 struct bytes name, uint64_t expected);
void change_audit(struct engine *e, struct registry_transaction *t, const struct audit_row *row,
                  bool new);
void change_operation(struct engine *e, struct registry_transaction *t,
                      const struct operation_row *row, uint64_t expected);
void change_job(struct engine *e, struct registry_transaction *t, const struct job_row *row,
                uint64_t expected);
void change_others(struct engine *e, struct registry_transaction *t, const struct verb_changes *c);
void proposed_input(struct engine *e, uint64_t number, enum proposal_result result,
                    const char *text);
void proposals_forget(struct engine *e);

/* ---- engine_requests ---- */
void request_input(struct engine *e, const struct engine_request *request);
/* Plans and proposes. ENGINE_STARTED: proposed, `out_slot`; else why not. `job`: a run of it. */
enum engine_result operation_begin(struct engine *e, const struct engine_request *request,
                                   struct job *job, struct step_why *why);

/* ---- engine_watchers ---- */
void answer_now(struct engine *e, const struct request_id *request, enum engine_result result,
                const struct slot *slot, const char *text);
void answer_ended(struct engine *e, const struct request_id *request, const struct audit_row *row);
/* The operation was not committed after all. */
void watchers_failed(struct engine *e, uint64_t number, enum engine_result result,
                     const char *text);
bool watcher_add(struct engine *e, const struct request_id *request, uint64_t number, bool detach,
                 bool cancel);
void watchers_ended(struct engine *e, const struct audit_row *row);
void watchers_committed(struct engine *e, struct slot *slot);
void watchers_tell(struct engine *e);
void watchers_not_master(struct engine *e);

/* ---- engine_master ---- */
void master_turn(struct engine *e);
void master_report(struct engine *e, node_id from, const struct engine_report *report);
void master_gained(struct engine *e);
void master_progress(const struct engine *e, const struct slot *slot, struct engine_progress *out);

/* ---- engine_jobs ---- */
void jobs_turn(struct engine *e);
/* The row after a run that began, or was refused for the reason in `note`. */
void job_ran(struct job_row *row, uint64_t audit, instant now_wall, const char *note);
void job_request(struct engine *e, const struct engine_request *request);

/* ---- engine_executor ---- */
void executor_dispatch(struct engine *e, node_id from, uint64_t epoch,
                       const struct engine_dispatch *dispatch);
void executor_ended(struct engine *e, const struct request_id *id); /* its row is gone */
void executor_journaled(struct engine *e, uint64_t number, bool failed);
void executor_turn(struct engine *e);
void executor_started(struct engine *e);
struct execution *execution_by_id(struct engine *e, const struct request_id *id);
void execution_report(struct engine *e, struct execution *x);
void execution_journal(struct engine *e, struct execution *x, enum execution_task then);
void execution_wait(struct execution *x, instant at, enum execution_task task);
const struct verb *execution_verb(const struct engine *e, const struct execution *x);
void execution_progress(const struct engine *e, const struct execution *x,
                        struct engine_progress *out);

/* ---- engine_steps ---- */
void steps_decide(struct engine *e, struct execution *x);
void steps_run(struct engine *e, struct execution *x, enum execution_task task);
void steps_result(struct engine *e, uint64_t run, const struct command_result *result);
void steps_output(struct engine *e, uint64_t run, uint64_t done, uint64_t total);
void steps_cancel(struct engine *e,
                  struct execution *x); /* asked to stop while something may run */

static inline void due_at(struct engine *e, instant at)
{
	if (at < e->due)
		e->due = at;
}

#endif
