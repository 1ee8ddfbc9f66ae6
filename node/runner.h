/*
 * runner.h: tools of the system, run beside the loop and never waited for in it.
 *
 *     runner_start --fork, exec--> child --output--> run_done (once), or lines to run_line (streams)
 *                                    \--limit--> killed with its group, timed_out
 *                                              \--does not die--> runner_stuck_since
 *
 * Invariants
 *   1. One child at a time in each runner; it never outlives its limit or us.
 *   2. A child that was killed and does not die (it hangs in the kernel) keeps its runner busy: no
 *      second one is sent into the same hole. That is the state "stuck", with its age.
 *   3. What it prints is taken up to a limit, the rest is thrown away and said to be cut.
 *   4. Programs are found at fixed places, never by PATH, and get no shell, no terminal, and LC_ALL=C.
 */
#ifndef ESSAIM_RUNNER_H
#define ESSAIM_RUNNER_H

#include <event2/event.h>

#include "verb.h"

struct runner;

struct run_result {
	bool timed_out, truncated;
	int status; /* exit status, or -signal */
	struct bytes out, err; /* borrowed for the call; each is followed by a NUL */
};

typedef void run_done(void *context, const struct run_result *result);
typedef void run_line(void *context, const char *line);

struct runner *runner_create(struct event_base *base);
void runner_destroy(struct runner *runner); /* kills a child that runs; `done` is not called */
void runner_kill(struct runner *runner);    /* the same, and it can be used again */

/* Where that program (programs.h) is, or NULL: it is not installed. */
const char *runner_find(uint32_t program);

bool runner_busy(struct runner *runner);
/* Monotonic time since when a killed child has not died; 0: none. */
instant runner_stuck_since(struct runner *runner);

/* 0, or -errno: nothing was started and `done` is not called. */
int runner_start(struct runner *runner, const struct command_line *command,
                 duration limit, run_done *done, void *context);
/* Without a limit: each line of its output goes to `line`; `done` when it ends. */
int runner_stream(struct runner *runner, const struct command_line *command,
                  run_line *line, run_done *done, void *context);

#endif
