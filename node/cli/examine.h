/*
 * examine.h: the rows of `doctor`, `clock` and `dns`.
 */
#ifndef ESSAIM_CLI_EXAMINE_H
#define ESSAIM_CLI_EXAMINE_H

#include "commands.h"
#include "fail.h"

/* `doctor`: exit 0 while nothing that was found is an error. */
int doctor_perform(struct invocation *in, struct failure *f);
void show_findings(const struct invocation *in, const json_t *result);

/* `doctor explain CODE`: from the table, without the daemon. */
int doctor_explain(struct invocation *in, struct failure *f);

void show_clock(const struct invocation *in, const json_t *result);
void show_dns(const struct invocation *in, const json_t *result);

#endif
