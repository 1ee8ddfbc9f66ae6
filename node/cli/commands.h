/*
 * commands.h: the one table of what `essaim` can do. Dispatch, parsing, help, completion and the
 * man page are all read from it, so they cannot disagree.
 *
 * Invariants
 *   1. Names, order and JSON keys are an interface: programs drive them.
 *   2. Rows of one noun are adjacent; rows without a noun (top-level verbs) come first.
 *   3. A noun without a verb means its row with `bare` set; no words at all mean `status`.
 *   4. `writes` is set for every verb that may change something: if its answer is lost, the
 *      outcome is unknown (exit code 4), never "failed".
 */
#ifndef ESSAIM_CLI_COMMANDS_H
#define ESSAIM_CLI_COMMANDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct failure;
struct invocation;

/* Exit codes; the daemon answers with the same numbers. */
enum { CODE_DONE = 0, CODE_FAILED = 1, CODE_USAGE = 2, CODE_NO_MASTER = 3, CODE_UNKNOWN = 4 };

enum argument_count { ARGUMENT_ONE, ARGUMENT_OPTIONAL, ARGUMENT_MANY };

struct argument {
	const char *word; /* as people see it: "NAME"; NULL ends the list */
	const char *key;  /* in the request's args */
	enum argument_count count;
	bool is_node; /* completed with the names of members */
	bool is_setting; /* a name of proto/setting.h: completed and explained from that table */
};

enum option_kind {
	OPTION_FLAG,     /* always sent, true or false */
	OPTION_REQUIRED, /* text that must be given */
	OPTION_TEXT,     /* sent if given, or if there is a default */
	OPTION_CHOICE,   /* the same, one of `value`'s words */
	OPTION_NUMBER,   /* the same, as an integer */
	OPTION_DURATION, /* the same, as milliseconds */
	OPTION_LIST,     /* the same, as an array: "A,B" */
	OPTION_WORD,     /* a flag that sends its own name, or else the default */
};

struct option {
	const char *name;  /* without "--"; NULL ends the list */
	const char *value; /* as people see it: "DURATION", "default|lan"; NULL for a flag */
	const char *key;   /* in the request's args; NULL: a flag for the command line itself */
	enum option_kind kind;
	const char *fallback; /* used when it is not given; NULL: nothing is sent */
	const char *help;
};

struct example {
	const char *line; /* NULL ends the list */
	const char *means;
};

struct command {
	const char *noun; /* NULL: a top-level verb */
	const char *verb;
	struct argument arguments[5];
	struct option options[12];
	const char *summary; /* one line, lower case, no full stop */
	const char *help;    /* paragraphs, with an empty line between; wrapped when printed */
	struct example examples[4];
	const char *verify; /* the command that tells what became of it (a key is added); or NULL */
	bool bare;
	bool bare_takes; /* ... and a word after the noun that is no verb is its argument */
	bool writes;
	bool follows; /* what it prints arrives as events; the final answer is empty */
	/* Runs without the daemon. NULL: the row is a request. */
	int (*run)(const struct invocation *);
	/* More than one question and its answer (files, confirmations that need a look first): does
	 * all of it. Returns an exit code, with *failure filled unless it is 0. */
	int (*perform)(struct invocation *, struct failure *);
	/* Completes the request; may ask the user. Returns 0, or an exit code with *failure filled.
	 */
	int (*prepare)(struct invocation *, struct failure *);
	/* Draws a result (or, if `follows`, one event) for people. */
	void (*show)(const struct invocation *, const json_t *);
};

/* Ended by a row without a verb. */
extern const struct command commands[];

/* Options that every command takes; ended like a row's. Their key is unused. */
extern const struct option global_options[];

struct noun {
	const char *word; /* NULL ends the list */
	const char *summary;
};

extern const struct noun nouns[];

const struct noun *noun_find(const char *word);

/* NULL if there is none. `noun` may be NULL. */
const struct command *command_find(const char *noun, const char *verb);

/* The row a bare noun stands for; NULL if there is no such noun. */
const struct command *command_bare(const char *noun);

/* "kv put": as in requests and in help. */
void command_name(const struct command *command, char *out, size_t size);

/* "kv put KEY VALUE [--if-version N]" without the program's name. */
void command_usage(const struct command *command, char *out, size_t size);

/* What was typed, understood. */
struct globals {
	const char *socket;
	int timeout_ms;
	bool json, help, version;
};

struct invocation {
	const struct command *command;
	const struct globals *globals;
	json_t *args; /* owned */
	bool yes;     /* --yes: do not ask */
	bool wide;    /* --wide: more columns */
};

#endif
