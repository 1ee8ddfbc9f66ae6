/*
 * help.h: the table explained to people.
 */
#ifndef ESSAIM_CLI_HELP_H
#define ESSAIM_CLI_HELP_H

#include "commands.h"
#include "fail.h"

/* `essaim help ...`: as in commands.h. Prints its own errors. */
int help_run(const struct invocation *invocation);

void help_overview(void);
void help_noun(const struct noun *noun);
void help_command(const struct command *command);

/* For a word that is no verb of `noun` (no noun or top-level verb, if that is NULL). CODE_USAGE. */
int unknown_word(const char *noun, const char *word, struct failure *f);

#endif
