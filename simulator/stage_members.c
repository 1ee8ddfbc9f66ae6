/*
 * stage_members.c: a play's steps about members: found, join, leave, remove, stop, hand over.
 */
#include <string.h>

#include "stage_steps.h"

/* A fresh process needs a moment until its incarnation is durable. */
static void wake(struct stage *s, struct machine *m)
{
	if (m->state != MACHINE_OFF)
		return;
	machine_start(s->world, m);
	world_run(s->world, s->world->now + 100 * MILLISECOND);
}

int step_init(struct stage *s)
{
	struct machine *m;
	if (stage_machine(s, 1, &m))
		return -1;
	wake(s, m);
	if (!world_found(s->world, m))
		stage_say(s, m, "cannot found a cluster: %s", m->outcome);
	return 0;
}

static int make_token(struct stage *s, struct machine *via, uint32_t uses)
{
	if (world_token(s->world, via, uses, &s->token, &s->token_hash))
		return 0;
	return play_fail(s->text, s->line, s->error, "no token through '%s': code %d, %s",
	                 via->name, (int)s->world->asked.answer.code, s->world->asked.text);
}

int step_token(struct stage *s)
{
	struct machine *via = &s->world->machines[0];
	uint64_t uses = 1;
	s->token_held = false;
	if (!strcmp(play_word(s->line, 1), "none"))
		return 0;
	for (uint32_t word = 1; word < s->line->count; word += 2) {
		bool is_via = !strcmp(play_word(s->line, word), "via");
		if (!is_via && strcmp(play_word(s->line, word), "uses") != 0)
			return play_fail(s->text, s->line, s->error,
			                 "expected token [via NODE] [uses N], not '%s'",
			                 play_word(s->line, word));
		if (is_via ? stage_running(s, word + 1, &via) :
		             play_number(s->text, s->line, word + 1, &uses, s->error))
			return -1;
	}
	s->token_held = true;
	return make_token(s, via, (uint32_t)uses);
}

int step_join(struct stage *s)
{
	struct machine *m, *via;
	if (stage_machine(s, 1, &m) || strcmp(play_word(s->line, 2), "via") != 0)
		return play_fail(s->text, s->line, s->error, "expected join NODE via NODE");
	bool witness = !strcmp(play_word(s->line, 4), "witness");
	if (s->line->count > 4 && !witness)
		return play_fail(s->text, s->line, s->error, "expected join NODE via NODE [witness]");
	if (stage_running(s, 3, &via))
		return -1;
	s->world->joins_as = witness ? ROLE_WITNESS : ROLE_NODE;
	if ((!s->token_held || witness) && make_token(s, via, 1))
		return -1;
	wake(s, m);
	if (m->state != MACHINE_UP)
		return play_fail(s->text, s->line, s->error, "'%s' does not run here", m->name);
	if (!world_join(s->world, m, via, s->token, &s->token_hash))
		stage_say(s, m, "cannot join: %s", m->outcome);
	return 0;
}

int step_remove(struct stage *s)
{
	struct machine *m, *victim;
	if (stage_running(s, 1, &m) || stage_machine(s, 2, &victim))
		return -1;
	struct command command = {.kind = COMMAND_MEMBER_REMOVE, .if_version = NO_VERSION};
	command.subject = victim->id;
	return stage_ask(s, m, &command, "remove", victim->name);
}

int step_leave(struct stage *s)
{
	struct machine *m;
	if (stage_running(s, 1, &m))
		return -1;
	struct command command = {.kind = COMMAND_MEMBER_LEAVE, .if_version = NO_VERSION};
	command.subject = m->id;
	return stage_ask(s, m, &command, "leave", m->name);
}

int step_stop(struct stage *s)
{
	struct machine *m;
	if (stage_running(s, 1, &m))
		return -1;
	machine_input(s->world, m, &(struct input){.kind = INPUT_STOP});
	return 0;
}

int step_transfer(struct stage *s)
{
	struct machine *m, *to;
	if (stage_running(s, 1, &m) || stage_machine(s, 2, &to))
		return -1;
	struct input input = {.kind = INPUT_TRANSFER};
	input.transfer.to = to->id;
	machine_input(s->world, m, &input);
	return 0;
}
