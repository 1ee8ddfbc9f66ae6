#include "observe_tool.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "body_clock.h"
#include "journal.h"
#include "programs.h"

/* ---- what does not die ---- */

/* What is gone meanwhile, or cannot be watched, is not held: then the hand's own limits hold. */
static void hold(struct tool *t, pid_t process)
{
	t->held = (int)syscall(SYS_pidfd_open, process, 0);
	journal_say(LEVEL_warning, "process %d of an observer does not end, not even killed: it is not asked again before",
	            (int)process);
}

static bool is_held(struct tool *t)
{
	struct pollfd gone = {.fd = t->held, .events = POLLIN};
	if (t->held < 0)
		return false;
	if (poll(&gone, 1, 0) <= 0)
		return true;
	close(t->held);
	t->held = -1;
	return false;
}

/* ---- answers ---- */

static void on_done(void *context, const struct hand_result *result)
{
	struct tool *t = context;
	t->job = 0;
	if (result->outcome == HAND_STUCK)
		hold(t, result->code);
	t->done(t->context, result);
}

static void take_byte(struct tool *t, char byte)
{
	if (byte != '\n') {
		t->skipping |= t->used == sizeof t->text - 1;
		if (!t->skipping)
			t->text[t->used++] = byte == '\0' ? '?' : byte;
		return;
	}
	t->text[t->used] = '\0';
	if (!t->skipping)
		t->line(t->context, t->text);
	t->used = 0;
	t->skipping = false;
}

static void on_piece(void *context, struct bytes piece)
{
	for (size_t i = 0; i < piece.size; i++)
		take_byte(context, (char)piece.data[i]);
}

/* ---- questions ---- */

static int ask(struct tool *t, const struct command_line *command, duration limit, hand_piece *piece)
{
	struct hand_view hand;
	hand_look(t->body->hand, &hand);
	if (hand.standing != HAND_STANDING_JOINED)
		return -ENOTCONN;
	if (command->overflow)
		return -E2BIG;
	if (tool_busy(t))
		return -EBUSY;
	struct hand_request request = {.program = command->program, .count = command->word_count,
	                               .arguments = command->words, .deadline = limit};
	t->used = 0;
	t->skipping = false;
	t->asked = body_clock_monotonic();
	t->job = hand_follow(t->body->hand, &request, piece, on_done, t);
	return t->job == 0 ? -ENOMEM : 0;
}

int tool_ask(struct tool *t, const struct command_line *command, duration limit, hand_done *done, void *context)
{
	int r = ask(t, command, limit, NULL);
	if (r == 0) {
		t->done = done;
		t->context = context;
	}
	return r;
}

int tool_follow(struct tool *t, const struct command_line *command, tool_line *line, hand_done *done,
                void *context)
{
	int r = ask(t, command, 0, on_piece);
	if (r == 0) {
		t->line = line;
		t->done = done;
		t->context = context;
	}
	return r;
}

void tool_cancel(struct tool *t)
{
	if (t->job != 0)
		hand_cancel(t->body->hand, t->job);
}

/* ---- how it is ---- */

bool tool_busy(struct tool *t)
{
	return t->job != 0 || is_held(t);
}

duration tool_stuck_for(struct tool *t)
{
	return is_held(t) ? body_clock_monotonic() - t->asked : 0;
}

duration tool_asked_for(const struct tool *t)
{
	return t->job == 0 ? 0 : body_clock_monotonic() - t->asked;
}

bool tool_installed(uint32_t program)
{
	const struct program_row *row = program_row(program);
	for (int i = 0; row != NULL && i < PROGRAM_PATHS_MAX && row->paths[i] != NULL; i++) {
		if (row->helper || access(row->paths[i], X_OK) == 0)
			return true;
	}
	return false;
}

bool tool_well(const struct hand_result *r)
{
	return r->outcome == HAND_EXITED && r->code == 0 && !r->out_cut;
}

/* ---- life ---- */

void tool_open(struct tool *t, struct body *body)
{
	memset(t, 0, sizeof *t);
	t->body = body;
	t->held = -1;
}

void tool_close(struct tool *t)
{
	if (t->body != NULL && t->held >= 0)
		close(t->held);
}
