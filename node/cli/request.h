/*
 * request.h: a row of the table as a request: ask the daemon, then print for people or programs.
 */
#ifndef ESSAIM_CLI_REQUEST_H
#define ESSAIM_CLI_REQUEST_H

#include "commands.h"
#include "fail.h"

/* Exit code; *f is filled unless it is CODE_DONE. */
int request_run(struct invocation *invocation, struct failure *f);

/*
 * One request of a row that performs several: `x` needs verb, args and what it hooks in; the rest
 * is filled from the invocation. Exit code; *out_result is owned by the caller.
 */
struct exchange;
int request_exchange(const struct invocation *in, struct exchange *x, json_t **out_result,
		     struct failure *f);

/* Prints a result for people or programs. */
void request_show(const struct invocation *in, const json_t *result);

/*
 * The result of a reading verb without arguments, for filling in what another answer lacks (why
 * there is no master; this node's name). Owned by the caller; NULL if it cannot be had.
 */
json_t *request_quietly(const struct globals *globals, const char *verb);

#endif
