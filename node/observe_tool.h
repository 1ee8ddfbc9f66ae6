/*
 * observe_tool.h: what an observer asks of the system's tools: one question at a time, by the hand.
 *
 *     tool_ask    --hand_run-->    done(result), once
 *     tool_follow --hand_follow--> line(text) for each line of its output, done(result) at its end
 *
 *     FREE --ask, follow--> ASKED --done--> FREE
 *                             \--a child that does not even die--> HELD --its process is gone--> FREE
 *
 * Invariants
 *   1. Nothing waits here, and `done` is called from the loop, never from within ask or follow.
 *   2. While a process that was killed and does not die is there (it hangs in the kernel), no second one is
 *      sent into the same hole: the tool is busy, and says since when.
 *   3. A daemon without a hand asks nobody: it has not the rights, and what it sees without them would be
 *      another truth than the product's.
 *   4. A line that is too long is left out whole.
 */
#ifndef ESSAIM_OBSERVE_TOOL_H
#define ESSAIM_OBSERVE_TOOL_H

#include "body.h"
#include "hand_client.h"
#include "verb.h"

#define TOOL_LINE_MAX 8192

typedef void tool_line(void *context, const char *line);

struct tool {
	struct body *body;
	uint64_t job;  /* 0: nothing is asked */
	instant asked; /* monotonic: of the last question */
	int held;      /* pidfd of what does not die; -1: nothing */
	hand_done *done;
	tool_line *line;
	void *context;
	size_t used;   /* of the line that is not whole yet */
	bool skipping; /* it was too long: up to its end nothing is kept */
	char text[TOOL_LINE_MAX];
};

void tool_open(struct tool *tool, struct body *body);
/* When the hand is closed already: nothing is called any more. */
void tool_close(struct tool *tool);

/* 0, or -errno: nothing was asked and `done` is not called. Everything is copied. */
int tool_ask(struct tool *tool, const struct command_line *command, duration limit, hand_done *done,
             void *context);
int tool_follow(struct tool *tool, const struct command_line *command, tool_line *line, hand_done *done,
                void *context);
/* Its `done` still comes. Nothing if nothing is asked. */
void tool_cancel(struct tool *tool);

bool tool_busy(struct tool *tool);
/* For how long a process has not died now, from its question on; 0: there is none. */
duration tool_stuck_for(struct tool *tool);
/* For how long the present question is open; 0: there is none. */
duration tool_asked_for(const struct tool *tool);

/* Is that program of the table there, for whoever may run it? A helper always is. */
bool tool_installed(uint32_t program);

/* Did it end well, with all of its output? */
bool tool_well(const struct hand_result *result);

#endif
