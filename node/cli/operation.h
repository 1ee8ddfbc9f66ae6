/*
 * operation.h: commands that are operations: started, then watched until they end.
 *
 *     words --op start--> number --op wait--> its end
 *                          | Ctrl-C, --detach: it goes on      ^ | the daemon or the master went away:
 *                          v how to find it again is said      \-/ a pause, then asked again by number
 */
#ifndef ESSAIM_CLI_OPERATION_H
#define ESSAIM_CLI_OPERATION_H

#include "commands.h"
#include "fail.h"

/* A row whose words name a verb of the engine. */
int operation_perform(struct invocation *in, struct failure *f);
/* `op wait` */
int operation_wait_perform(struct invocation *in, struct failure *f);
/* `op cancel` */
int operation_cancel_perform(struct invocation *in, struct failure *f);
/* `job add NAME … -- NOUN VERB …` */
int job_add_perform(struct invocation *in, struct failure *f);

/* OP of `op show`, `op wait`, `op cancel`: a number. */
int operation_prepare(struct invocation *in, struct failure *f);

/* The arguments of a row as the engine takes them: {"NAME": "VALUE" | ["VALUE", …]}; caller owns it. */
json_t *operation_arguments(const struct invocation *in);

#endif
