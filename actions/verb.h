/*
 * verb.h: a verb is a table of steps; everything the engine knows of it stands here.
 *
 *     arguments --plan (master)--> targets, locks, deadline, or why not
 *     each step, where it belongs:
 *
 *       check -> [journal ABOUT] -> do.build -> RUN -> do.judge -> [journal DID] -> next
 *         |                                              |
 *       refuse                       STEP_UNCERTAIN: probe.build -> RUN -> probe.judge
 *
 *     a step failed, or was cancelled: for each step before it, from the last,
 *       [journal ABOUT] -> undo.build -> RUN -> probe (its effect must be gone) -> [journal DID]
 *
 * Invariants that whoever writes a verb keeps
 *   1. All functions are pure: they read the operation, its memo, the view and a command's output.
 *   2. A step changes one thing, by one command. Its probe tells whether *this operation's* effect
 * is there (by the operation's number in a tag, a name or a size), never whether something like it
 * is.
 *   3. `do.judge` says STEP_FAILED only if it is certain that nothing was changed; a command that
 *      ended otherwise than it should is STEP_UNCERTAIN, and the probe decides. A command that
 * hung, was killed or whose result was lost is not shown to `judge` at all: the probe decides.
 *   4. No probe: the step may be done twice (`repeatable`), or its uncertainty ends the operation
 * as UNKNOWN.
 *   5. A step without undo either changes nothing (`harmless`) or is told as left behind.
 *
 * The engine asks the probe only when it must (after a crash, a lost result, an uncertain
 * judgement): a first, clean attempt costs one command.
 */
#ifndef ESSAIM_VERB_H
#define ESSAIM_VERB_H

#include "arguments.h"
#include "engine_words.h"
#include "error.h"
#include "view.h"

/* ---- what the world looks like from inside a verb: filled by the body, read-only ---- */

struct engine_member {
	node_id id;
	char name[NAME_MAX_SIZE + 1];
	enum role role;
	enum reachability state;
	duration since; /* how long in this state */
};

struct engine_view {
	void *context;
	/* Index up to which this node's ledger is applied. */
	uint64_t (*applied)(void *context);
	/* False: no such row. Pointers in `out` are valid until the next call of row or next_row.
	 */
	bool (*row)(void *context, enum registry_kind kind, struct bytes name,
	            struct registry_row *out);
	/* Walks a table in any order; start with *cursor = 0. */
	bool (*next_row)(void *context, enum registry_kind kind, uint32_t *cursor,
	                 struct registry_row *out);
	/* Members only (no one who left or was removed); false: no more. */
	bool (*member)(void *context, uint32_t position, struct engine_member *out);
	/* A fact as this node has it; value borrowed until the next call. False: none, or
	 * withdrawn. */
	bool (*fact)(void *context, node_id owner, struct bytes key, struct fact_view *out);
	/* Does this node have hooks for that verb? NULL: never. */
	bool (*hooked)(void *context, const char *noun, const char *verb, bool after);
};

bool view_member_by_id(const struct engine_view *view, node_id id, struct engine_member *out);
bool view_member_by_name(const struct engine_view *view, const char *name,
                         struct engine_member *out);

/* ---- a command to be run, in memory of its own ---- */

#define COMMAND_WORDS_MAX 48
#define COMMAND_TEXT_MAX 6144
#define COMMAND_INPUT_MAX (8 * 1024)

struct command_line {
	uint32_t program; /* enum program (programs.h): argv[0] and the path are its */
	uint32_t word_count;
	const char *words[COMMAND_WORDS_MAX]; /* after argv[0]; into text */
	uint32_t text_size;
	char text[COMMAND_TEXT_MAX];
	bool overflow;       /* something did not fit: it is never run */
	uint32_t input_size; /* what it reads from stdin */
	char input[COMMAND_INPUT_MAX];
	duration timeout;      /* 0: the step's */
	uint32_t output_limit; /* of stdout; 0: 64 KiB */
};

/* Appends one word (printf form). What does not fit sets `overflow`. */
void command_word(struct command_line *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

enum command_end {
	COMMAND_EXITED = 1,      /* code: exit status */
	COMMAND_SIGNALED = 2,    /* code: signal, not ours */
	COMMAND_TIMED_OUT = 3,   /* killed at its deadline, and gone */
	COMMAND_KILLED = 4,      /* by DO_KILL, and gone */
	COMMAND_NOT_STARTED = 5, /* certainly never ran: no such program, no room; err says why */
	COMMAND_LOST = 6,        /* nobody knows: the hand went away with it. It is gone */
};

struct command_result {
	enum command_end end;
	int code;
	bool truncated;        /* stdout was cut at the limit */
	struct bytes out, err; /* borrowed; out is followed by a NUL that size does not count */
};

/* ---- steps ---- */

enum step_verdict {
	STEP_OK = 1,        /* do: done. undo: undone. check: go on */
	STEP_FAILED = 2,    /* certainly without effect; explained in `why`. check: refuse */
	STEP_UNCERTAIN = 3, /* ask the probe */
	STEP_SKIP = 4,  /* check: there is nothing to do; it counts as done, with nothing to undo */
	STEP_WAIT = 5,  /* check: not yet (a fact is still old); asked again each second */
	STEP_THERE = 6, /* probe: the effect is there */
	STEP_ABSENT = 7, /* probe: it is not */
};

struct step_why {
	char text[OPERATION_TEXT_MAX + 1];
};

/* Writes (printf form) and returns `verdict`. */
enum step_verdict verdict_why(struct step_why *why, enum step_verdict verdict, const char *format,
                              ...) __attribute__((format(printf, 3, 4)));

/* Writes (printf form); what does not fit is cut. */
void say(char *out, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* One more sentence behind what is there, if there is any. */
void say_more(char *out, size_t size, const char *more);

/* What a step's functions see. `memo` may be written by judges: later steps and the outcome read
 * it. */
struct step_context {
	const struct engine_view *view;
	const struct operation_row *operation;
	node_id self; /* the node that runs it */
	instant now_wall;
	char *memo;            /* memo_set, memo_get */
	uint32_t hook_program; /* the engine's own hook steps */
};

const char *step_argument(const struct step_context *context,
                          const char *name); /* NULL: not given */

struct step_act {
	/* False: cannot be built (explained): the step fails without effect. NULL: there is no such
	 * act. */
	bool (*build)(const struct step_context *context, struct command_line *out,
	              struct step_why *why);
	/* NULL: exit code 0 is STEP_OK, all else STEP_UNCERTAIN with the tool's own last words. */
	enum step_verdict (*judge)(const struct step_context *context,
	                           const struct command_result *result, struct step_why *why);
};

struct verb_step {
	const char *name; /* "create the volume" */
	uint32_t where;   /* position among the operation's targets */
	/* NULL: go on. Asked before every attempt; must not refuse what was begun before and is
	 * done. */
	enum step_verdict (*check)(const struct step_context *context, struct step_why *why);
	struct step_act act, probe, undo; /* act.build NULL: the check is all there is */
	duration timeout;                 /* of each of its commands; 0: 60 s */
	bool cancellable; /* may be killed while it runs (probe and undo clean up), and left before
	                     it begins */
	bool repeatable;  /* without a probe: doing it twice does no harm */
	bool harmless;    /* changes nothing: nothing to undo */
};

/* ---- the verb ---- */

enum argument_kind {
	ARGUMENT_TEXT,
	ARGUMENT_NAME,
	ARGUMENT_NODE,
	ARGUMENT_SIZE,
	ARGUMENT_DURATION,
	ARGUMENT_FLAG,
};

struct verb_argument {
	const char *name;
	enum argument_kind kind;
	bool required;
	const char *help;
};

#define VERB_ARGUMENTS_MAX 16

/* What the master decides before it takes an operation on. Zeroed; plan fills it. */
struct operation_plan {
	uint32_t target_count;
	node_id targets[OPERATION_TARGETS_MAX];
	struct lock_list locks;
	char subject[OPERATION_SUBJECT_MAX + 1];
	duration deadline; /* of the whole; 0: the verb's */
	char memo[OPERATION_MEMO_MAX + 1];
	char told[OPERATION_TEXT_MAX + 1]; /* --dry-run: what would be done */
};

struct plan_context {
	const struct engine_view *view;
	const char *noun, *verb;
	const struct arguments *arguments;
	struct bytes blob;
	const char *who;
	node_id from;
	instant now_wall;
};

/* Rows of other tables that change with the outcome, in the same transaction. */
#define VERB_CHANGES_MAX 4

struct verb_changes {
	uint32_t count;
	struct registry_change list[VERB_CHANGES_MAX]; /* names and bytes point into `memory` */
	uint32_t used;
	uint8_t memory[OPERATION_BLOB_MAX + 4096];
};

/* A copy that lives as long as `changes`; data NULL if there is no room. */
struct bytes changes_keep(struct verb_changes *changes, struct bytes in);

struct verb {
	const char *noun, *verb, *help;
	const struct verb_argument *arguments;
	uint32_t argument_count;
	const struct verb_step *steps;
	uint32_t step_count; /* 0: nothing is run anywhere; plan and rows are one transaction */
	duration deadline;   /* of the whole; 0: one hour */
	/* At the master. 0, or -errno: refused, for the reason in `why`. */
	int (*plan)(const struct plan_context *context, struct operation_plan *out,
	            struct step_why *why);
	/*
	 * At the master, when it is to be committed that the operation ended as `state`: what else
	 * changes. NULL: nothing. False: the rows no longer allow it: an operation without steps is
	 * refused; one with steps becomes UNKNOWN, explained by `why`.
	 */
	bool (*rows)(const struct step_context *context, enum operation_state state,
	             struct verb_changes *out, struct step_why *why);
};

struct verb_table {
	const struct verb *const *list;
	uint32_t count;
};

const struct verb *verb_find(const struct verb_table *table, const char *noun, const char *verb);

/* "20G", "512M", "1048576B": of 1024, with a unit; bare numbers are refused. False: none. */
bool verb_size(const char *text, uint64_t *out_bytes);

/* Are these the verb's arguments: known, required ones there, each of its kind? 0 or -EINVAL. */
int verb_arguments_check(const struct verb *verb, const struct engine_view *view,
                         const struct arguments *arguments, struct step_why *why);

#endif
