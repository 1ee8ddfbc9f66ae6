/*
 * stage_rows.c: a play's steps about rows, and commands whose answer nobody waits for.
 */
#include <string.h>

#include "stage_steps.h"

#define POST_CLIENT (UINT64_MAX - 1)

static struct bytes bytes_of(const char *word)
{
	return (struct bytes){(const uint8_t *)word, strlen(word)};
}

int step_put(struct stage *s)
{
	struct machine *m;
	struct command command = {.kind = COMMAND_KV_PUT, .if_version = NO_VERSION};
	if (stage_running(s, 1, &m))
		return -1;
	if (s->line->count < 4 ||
	    (s->line->count > 4 && strcmp(play_word(s->line, 4), "if") != 0))
		return play_fail(s->text, s->line, s->error,
		                 "expected put NODE KEY VALUE [if VERSION]");
	if (s->line->count > 4 &&
	    play_number(s->text, s->line, 5, &command.if_version, s->error))
		return -1;
	command.key = bytes_of(play_word(s->line, 2));
	command.value = bytes_of(play_word(s->line, 3));
	return stage_ask(s, m, &command, "put", play_word(s->line, 2));
}

static void post(struct stage *s, struct machine *m, const struct command *command)
{
	struct input input = {.kind = INPUT_REQUEST};
	input.request.client = POST_CLIENT;
	input.request.command = command;
	input.request.patience = STAGE_PATIENCE;
	machine_input(s->world, m, &input);
}

/* A put whose answer nobody waits for. */
int step_post(struct stage *s)
{
	struct machine *m;
	struct command command = {.kind = COMMAND_KV_PUT, .if_version = NO_VERSION};
	if (stage_running(s, 1, &m))
		return -1;
	command.key = bytes_of(play_word(s->line, 2));
	command.value = bytes_of(play_word(s->line, 3));
	post(s, m, &command);
	return 0;
}

/* A removal likewise. */
int step_dismiss(struct stage *s)
{
	struct machine *m, *victim;
	struct command command = {.kind = COMMAND_MEMBER_REMOVE, .if_version = NO_VERSION};
	if (stage_running(s, 1, &m) || stage_machine(s, 2, &victim))
		return -1;
	command.subject = victim->id;
	post(s, m, &command);
	return 0;
}

/* As the engine of that node would, were it the master of that epoch. Whether it is done, rules tell. */
int step_row(struct stage *s)
{
	struct machine *m;
	struct command command = {.kind = COMMAND_REGISTRY, .token = 1, .change_count = 1};
	struct input input = {.kind = INPUT_PROPOSE};
	struct row_change *change = &command.changes[0];
	if (stage_running(s, 1, &m) ||
	    play_number(s->text, s->line, 4, &change->if_version, s->error) ||
	    play_number(s->text, s->line, 5, &command.epoch, s->error))
		return -1;
	change->key = bytes_of(play_word(s->line, 2));
	change->value = bytes_of(play_word(s->line, 3));
	input.propose.command = &command;
	machine_input(s->world, m, &input);
	return 0;
}

int step_get(struct stage *s)
{
	struct machine *m;
	if (stage_running(s, 1, &m))
		return -1;
	struct command command = {.kind = COMMAND_KV_GET, .if_version = NO_VERSION};
	command.key = bytes_of(play_word(s->line, 2));
	return stage_ask(s, m, &command, "get", play_word(s->line, 2));
}
