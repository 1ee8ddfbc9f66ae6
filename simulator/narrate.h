/*
 * narrate.h: a decision as one line of narration, in the log's own sentence.
 *
 *       | 0.250 a  P4 master of epoch 1
 */
#ifndef ESSAIM_NARRATE_H
#define ESSAIM_NARRATE_H

#include <stddef.h>

#include "world.h"

#define NARRATION_MAX 640

/* NUL-ended, without a newline. `since`: the instant that is shown as 0. */
void narrate_trace(const struct world *w, const struct machine *m, const struct trace *trace,
                   instant since, char out[NARRATION_MAX]);
void narrate_text(const struct world *w, const struct machine *m, instant since, const char *text,
                  char out[NARRATION_MAX]);

#endif
