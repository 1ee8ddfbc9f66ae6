/*
 * engine_runner.h: who runs the engine's commands: the hand.
 *
 * Each run is reported once by engine_body_ended, from the loop and never from within run or kill; what
 * cannot even begin is reported as COMMAND_NOT_STARTED.
 */
#ifndef ESSAIM_ENGINE_RUNNER_H
#define ESSAIM_ENGINE_RUNNER_H

#include "engine_body.h"

void runner_run(struct body *body, uint64_t run, const struct command_line *command);
void runner_kill(struct body *body, uint64_t run);

/* Ends what runs, without a report: the engine has ended. */
void runner_close(struct body *body);

/* Is there a hook for that verb? (engine_view's) */
bool runner_hooked(struct body *body, const char *noun, const char *verb, bool after);

#endif
