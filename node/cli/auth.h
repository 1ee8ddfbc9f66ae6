/*
 * auth.h: the rows of `doctor auth` and `join`: why this node is not let in, point by point.
 */
#ifndef ESSAIM_CLI_AUTH_H
#define ESSAIM_CLI_AUTH_H

#include "commands.h"
#include "fail.h"

/* Exit 0 while no point is wrong. */
int auth_perform(struct invocation *in, struct failure *f);
void show_auth(const struct invocation *in, const json_t *result);

/* A join that fails shows the same screen before its error; with --json the error holds it. */
int join_perform(struct invocation *in, struct failure *f);

#endif
