/*
 * prepare.h: what some rows need before their request can go out. Types as in commands.h.
 */
#ifndef ESSAIM_CLI_PREPARE_H
#define ESSAIM_CLI_PREPARE_H

#include "commands.h"
#include "fail.h"

/*
 * Asks the user to type the node's name, if there is a user: standard input is a terminal and
 * --yes was not given. Programs are not asked.
 */
int prepare_confirmed(struct invocation *invocation, struct failure *f);

/* Reads a line of standard input: is it exactly that? */
bool prepare_typed(const char *expected);

/* "-" becomes what standard input holds; bytes that JSON cannot carry well become base64. */
/* A --token of '-' is read from standard input: on a command line `ps` would show it. */
int prepare_token(struct invocation *invocation, struct failure *f);
int prepare_put(struct invocation *invocation, struct failure *f);

/* Without PREFIX: everything. */
int prepare_watch(struct invocation *invocation, struct failure *f);

#endif
