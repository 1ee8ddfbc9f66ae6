/*
 * arguments.h: from the words on the command line to a request's args, by the row of the table.
 *
 * Options begin with "--" and may stand anywhere; "--name value" and "--name=value" are the same;
 * after "--" everything is an argument. "-" alone is an argument.
 */
#ifndef ESSAIM_CLI_ARGUMENTS_H
#define ESSAIM_CLI_ARGUMENTS_H

#include "commands.h"
#include "fail.h"

struct words {
	int count;
	char **list;
	int literal; /* words from this index on stood behind "--" */
};

/* True if the word at `i` is an option (or a stray one), not an argument. */
bool word_is_option(const struct words *words, int i);

/*
 * Takes the global options out of `words`, wherever they stand, and fills *out (with its defaults
 * and the environment's). 0, or CODE_USAGE with *f filled; out->json is right even then.
 */
int globals_parse(struct words *words, struct globals *out, struct failure *f);

/* The rest of the words, for `command`; fills out->args and its flags. 0 or CODE_USAGE. */
int arguments_parse(const struct command *command, const struct words *words,
		    struct invocation *out, struct failure *f);

#endif
