/*
 * engine_words.h: what engines (actions/engine.h) are asked, answer, say to each other and keep in
 * their journals. Plain memory without pointers, unless it says borrowed; the codec makes bytes of it.
 *
 *     user --engine_request--> master --DISPATCH--> executor
 *     user <--engine_answer--- master <--REPORT---- executor --journal_record--> its own store
 *
 * Invariants
 *   1. Both messages tell a state, not a change: the latest is all that counts, any may be lost or
 *      doubled. The master repeats DISPATCH until the report says that the leg ended.
 *   2. A leg is a run of steps with one target: [from, to). Executors know legs only.
 */
#ifndef ESSAIM_ENGINE_WORDS_H
#define ESSAIM_ENGINE_WORDS_H

#include "registry.h"

enum engine_ask {
	ASK_START = 1,  /* an operation: noun, verb, arguments */
	ASK_WAIT = 2,   /* progress of `number`, then its outcome */
	ASK_CANCEL = 3, /* stop `number` where it can be stopped, and undo it */
	ASK_ABANDON = 4, /* end `number` as UNKNOWN: its target will not answer; its locks are freed */
	ASK_JOB_ADD = 5, /* job, noun, verb, arguments, first_wall, every */
	ASK_JOB_REMOVE = 6,
	ASK_JOB_RUN = 7, /* now, beside its times; answered as ASK_START is */
};

struct engine_request {
	struct request_id id; /* asked again: attaches, or the answer of the first time */
	enum engine_ask ask;
	bool detach;  /* START, JOB_RUN: answer as soon as it is committed */
	bool dry_run; /* START: only say what would be done, or why not */
	char who[OPERATION_WHO_MAX + 1];
	node_id from;
	char noun[OPERATION_WORD_MAX + 1], verb[OPERATION_WORD_MAX + 1];
	struct arguments arguments;
	struct bytes blob; /* borrowed; empty: none */
	duration deadline; /* of the whole operation; 0: the verb's */
	uint64_t number;   /* WAIT, CANCEL, ABANDON: the operation's */
	char job[NAME_MAX_SIZE + 1];
	instant first_wall; /* JOB_ADD; 0: after `every` */
	duration every;     /* JOB_ADD; 0: once */
};

/* Stored nowhere; the command line's exit code follows from it. */
enum engine_result {
	ENGINE_DONE = 0,
	ENGINE_STARTED = 1,   /* detached: it is committed, and goes on */
	ENGINE_REFUSED = 2,   /* nothing was changed: arguments, pre-flight, limits */
	ENGINE_LOCKED = 3,    /* refused: another operation is at it */
	ENGINE_FAILED = 4,
	ENGINE_UNDONE = 5,
	ENGINE_UNKNOWN = 6,
	ENGINE_NOT_FOUND = 7, /* no such operation or job */
	ENGINE_NOT_MASTER = 8, /* ask the master: nothing was taken on by this node */
	ENGINE_UNAVAILABLE = 9, /* could not be committed now, and was not: try again */
};

struct engine_answer {
	struct request_id request;
	enum engine_result result;
	struct request_id operation;
	uint64_t number; /* 0: it never became an operation */
	enum operation_state state;
	char text[OPERATION_TEXT_MAX + 1]; /* one sentence or several lines; "" if all is said */
};

/* Unknown sizes are 0, unknown times -1. */
struct engine_progress {
	enum operation_state state;
	bool undoing;
	uint32_t step, step_count;             /* from 0 */
	char phase[NAME_MAX_SIZE + 1];         /* the step's name, or what is waited for */
	uint64_t done_bytes, total_bytes, rate; /* rate: bytes a second */
	duration time_left, step_age;
	char waits[OPERATION_SUBJECT_MAX + 1]; /* why nothing moves: a sentence; "" */
};

/* ---- between engines ---- */

enum engine_message_kind { ENGINE_MESSAGE_DISPATCH = 1, ENGINE_MESSAGE_REPORT = 2 };

struct engine_dispatch {
	uint32_t from, to; /* the leg; undoing: from the step before `to` down to `from` */
	uint64_t version;  /* of the operation's row */
	struct operation_row operation;
};

enum leg_state {
	LEG_NONE = 0,    /* nothing of it in the journal, and it was not taken on: `text` says why */
	LEG_WAITING = 1, /* taken on later: the ledger here is behind, or the node is full */
	LEG_RUNNING = 2,
	LEG_DONE = 3,   /* every step (undoing: every undo) */
	LEG_UNDONE = 4, /* a step failed or it was cancelled, and nothing of this leg is left */
	LEG_FAILED = 5, /* and something of it is left: `text` */
	LEG_UNKNOWN = 6, /* the probes cannot tell */
	LEG_OLD_EPOCH = 7, /* refused: the executor has heard of a higher epoch */
};

struct engine_report {
	struct request_id id;
	uint32_t from, to;
	bool undoing;
	enum leg_state state;
	bool cancelled; /* UNDONE because it was asked to */
	struct engine_progress progress;
	char memo[OPERATION_MEMO_MAX + 1];
	char text[OPERATION_TEXT_MAX + 1];
};

struct engine_message {
	enum engine_message_kind kind;
	uint64_t epoch; /* highest that the sender has heard of; DISPATCH: the sender is its master */
	union {
		struct engine_dispatch dispatch;
		struct engine_report report;
	};
};

/* ---- the journal of the node that executes: one record an operation, replaced as a whole ---- */

/*
 * Stored: never renumber. Forward: `step` is the one it is at, those before it are done. Going back
 * (`undoing` or `backing`): the one it is at is the one below `step`, those from `step` on are undone.
 */
enum journal_phase {
	JOURNAL_ABOUT = 1, /* the one it is at may have been begun */
	JOURNAL_NEXT = 2,  /* it was not begun */
	JOURNAL_ENDED = 3, /* the leg ended as `outcome` */
};

#define STEPS_MAX 64 /* of one operation, hooks included */

struct journal_record {
	struct request_id id;
	uint64_t number, epoch; /* epoch: highest under which this leg was dispatched */
	uint64_t version;       /* of the operation's row, as dispatched */
	uint32_t from, to;      /* the leg */
	bool undoing;           /* the leg's direction as dispatched */
	bool backing;           /* a forward leg that failed or was cancelled: undoes its own steps */
	enum journal_phase phase;
	uint32_t step, attempt; /* attempt: how often it was begun; from 1 */
	uint64_t skipped;       /* bit by step: there was nothing to do, so there is nothing to undo */
	bool left;              /* something could not be undone: `text` says what */
	enum leg_state outcome; /* ENDED */
	bool cancelled;
	char memo[OPERATION_MEMO_MAX + 1];
	char text[OPERATION_TEXT_MAX + 1]; /* why it failed, and what could not be undone */
	struct operation_row operation;
};

#endif
