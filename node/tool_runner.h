/*
 * tool_runner.h: tools of the system, run beside the loop and never waited for in it.
 *
 *     tool_runner_start --fork, exec--> child --output--> run_done (once), or lines to run_line (streams)
 *                                    \--limit--> killed with its group, timed_out
 *                                              \--does not die--> tool_runner_stuck_since
 *
 * Invariants
 *   1. One child at a time in each runner; it never outlives its limit or us.
 *   2. A child that was killed and does not die (it hangs in the kernel) keeps its runner busy: no
 *      second one is sent into the same hole. That is the state "stuck", with its age.
 *   3. What it prints is taken up to a limit, the rest is thrown away and said to be cut.
 *   4. Programs are found at fixed places, never by PATH, and get no shell, no terminal, and LC_ALL=C.
 */
#ifndef ESSAIM_TOOL_RUNNER_H
#define ESSAIM_TOOL_RUNNER_H

#include <event2/event.h>

#include "verb.h"

struct tool_runner;

struct run_result {
	bool timed_out, truncated;
	int status; /* exit status, or -signal */
	struct bytes out, err; /* borrowed for the call; each is followed by a NUL */
};

typedef void run_done(void *context, const struct run_result *result);
typedef void run_line(void *context, const char *line);

struct tool_runner *tool_runner_create(struct event_base *base);
void tool_runner_destroy(struct tool_runner *runner); /* kills a child that runs; `done` is not called */
void tool_runner_kill(struct tool_runner *runner);    /* the same, and it can be used again */

/* Where that program (programs.h) is, or NULL: it is not installed. */
const char *tool_runner_find(uint32_t program);

bool tool_runner_busy(struct tool_runner *runner);
/* Monotonic time since when a killed child has not died; 0: none. */
instant tool_runner_stuck_since(struct tool_runner *runner);

/* 0, or -errno: nothing was started and `done` is not called. */
int tool_runner_start(struct tool_runner *runner, const struct command_line *command,
                 duration limit, run_done *done, void *context);
/* Without a limit: each line of its output goes to `line`; `done` when it ends. */
int tool_runner_stream(struct tool_runner *runner, const struct command_line *command,
                  run_line *line, run_done *done, void *context);

#endif
