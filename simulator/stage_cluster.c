/*
 * stage_cluster.c: a play's steps about the whole cluster: settings, hand-over on request, voters.
 */
#include <inttypes.h>
#include <string.h>

#include "stage_steps.h"

int step_set(struct stage *s)
{
	struct machine *m;
	if (stage_running(s, 1, &m))
		return -1;
	const char *name = play_word(s->line, 2), *value = play_word(s->line, 3);
	struct command command = {.kind = COMMAND_SETTING_PUT, .if_version = NO_VERSION};
	command.key = (struct bytes){(const uint8_t *)name, strlen(name)};
	command.value = (struct bytes){(const uint8_t *)value, strlen(value)};
	return stage_ask(s, m, &command, "set", name);
}

int step_hand(struct stage *s)
{
	struct machine *m, *to = NULL;
	bool any = !strcmp(play_word(s->line, 2), "any");
	if (stage_running(s, 1, &m) || (!any && stage_machine(s, 2, &to)))
		return -1;
	struct command command = {.kind = COMMAND_MASTER_TRANSFER, .if_version = NO_VERSION};
	command.subject = any ? 0 : to->id;
	const struct asked *asked = world_ask(s->world, m, &command, STAGE_PATIENCE);
	const struct answer *a = &asked->answer;
	if (!asked->answered)
		stage_say(s, m, "hand over: no answer");
	else if (a->code != ANSWER_DONE)
		stage_say(s, m, "hand over: code %d: %s", (int)a->code, asked->text);
	else
		stage_say(s, m, "hand over: done, epoch %" PRIu64 ", nobody acted for %" PRIu64 " us",
		          a->epoch, a->version / 1000);
	return 0;
}

int step_why(struct stage *s)
{
	struct machine *m;
	struct voters_view view;
	if (stage_running(s, 1, &m))
		return -1;
	struct now now = machine_now(s->world, m);
	gossip_voters(m->core, &now, &view);
	stage_say(s, m, "voters: %s", view.why);
	return 0;
}

/* Tells what was answered as "WHAT: …". */
static void tell(struct stage *s, struct machine *m, const char *what)
{
	const struct asked *asked = &s->world->asked;
	if (!asked->answered)
		stage_say(s, m, "%s: no answer", what);
	else if (asked->answer.code != ANSWER_DONE)
		stage_say(s, m, "%s: code %d: %s", what, (int)asked->answer.code, asked->text);
	else
		stage_say(s, m, "%s: done", what);
}

#define SEIZE_PATIENCE (60 * SECOND)

/* seize a b c: a seizes, and b and c are named dead. */
int step_seize(struct stage *s)
{
	struct machine *m;
	node_id dead[PLAY_WORDS_MAX];
	struct seizing_state *o = &s->world->operators.seizing;
	if (stage_running(s, 1, &m))
		return -1;
	struct input input = {.kind = INPUT_SEIZE};
	input.seize.client = ASKED_CLIENT;
	input.seize.dead = dead;
	for (uint32_t word = 2; word < s->line->count; word++) {
		struct machine *victim;
		if (stage_machine(s, word, &victim))
			return -1;
		dead[input.seize.dead_count++] = victim->id;
	}
	o->phase = SEIZING_ASKS;
	o->seizer = m->index;
	const struct asked *asked = world_ask_by(s->world, m, &input, SEIZE_PATIENCE);
	o->phase = asked->answered && asked->answer.code == ANSWER_DONE ? SEIZING_DONE : SEIZING_NOT;
	tell(s, m, "seize");
	return 0;
}

/* What somebody would ask for who speaks as that member, and has not its key: no daemon of ours does. */
static int rekey_unsigned(struct stage *s, struct machine *m)
{
	struct command command = {.kind = COMMAND_MEMBER_REKEY, .if_version = NO_VERSION, .subject = m->id};
	if (!operators_new_key(s->world, m))
		return play_fail(s->text, s->line, s->error, "'%s' had keys enough", m->name);
	command.member.old_key = m->keys.public_key;
	command.member.key = m->next.public_key;
	return stage_ask(s, m, &command, "rekey", "unsigned");
}

int step_rekey(struct stage *s)
{
	struct machine *m;
	if (stage_running(s, 1, &m))
		return -1;
	const char *how = play_word(s->line, 2);
	if (how[0] != '\0' && strcmp(how, "unsigned") != 0)
		return play_fail(s->text, s->line, s->error, "expected rekey NODE [unsigned]");
	if (how[0] != '\0')
		return rekey_unsigned(s, m);
	struct input input = {.kind = INPUT_REKEY};
	input.rekey.client = ASKED_CLIENT;
	input.rekey.patience = STAGE_PATIENCE;
	if (!operators_new_key(s->world, m))
		return play_fail(s->text, s->line, s->error, "'%s' had keys enough", m->name);
	input.rekey.next = &m->next;
	world_ask_by(s->world, m, &input, STAGE_PATIENCE);
	tell(s, m, "rekey");
	return 0;
}
