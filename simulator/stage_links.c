/*
 * stage_links.c: a play's steps about links: cuts, and tapes of packets.
 */
#include <string.h>

#include "stage_steps.h"
#include "tape.h"

static int one_way_cut(struct stage *s, const char *word, bool *was)
{
	uint32_t nodes = s->world->count;
	*was = word[0] && word[1] == '>';
	if (!*was)
		return 0;
	if ((uint32_t)(word[0] - 'a') >= nodes || (uint32_t)(word[2] - 'a') >= nodes || word[3])
		return play_fail(s->text, s->line, s->error, "expected cut a>b, not '%s'", word);
	network_cut(&s->world->network, (uint32_t)(word[0] - 'a'), (uint32_t)(word[2] - 'a'), true);
	return 0;
}

/* "a>b" */
static int direction(struct stage *s, uint32_t word, uint32_t *from, uint32_t *to)
{
	const char *text = play_word(s->line, word);
	uint32_t count = s->world->count;
	*from = (uint32_t)(text[0] - 'a');
	*to = text[0] && text[1] == '>' && text[2] && !text[3] ? (uint32_t)(text[2] - 'a') : count;
	if (*from < count && *to < count && *from != *to)
		return 0;
	return play_fail(s->text, s->line, s->error, "expected a direction such as a>b, not '%s'",
	                 text);
}

static int kind_word(struct stage *s, enum message_kind *out)
{
	if (tape_kind(play_word(s->line, 2), out))
		return 0;
	return play_fail(s->text, s->line, s->error,
	                 "expected a message such as release, not '%s'",
	                 play_word(s->line, 2));
}

static int begin_tape(struct stage *s, bool holds)
{
	struct tape tape = {.holds = holds};
	if (direction(s, 1, &tape.from, &tape.to) || kind_word(s, &tape.kind) ||
	    (s->line->count > 3 && play_number(s->text, s->line, 3, &tape.first, s->error)))
		return -1;
	if (!tape_begin(&s->world->network.tapes, &tape))
		return play_fail(s->text, s->line, s->error, "expected at most %d tapes", TAPES_MAX);
	return 0;
}

int step_tape(struct stage *s)
{
	return begin_tape(s, false);
}

int step_hold(struct stage *s)
{
	return begin_tape(s, true);
}

int step_pass(struct stage *s)
{
	uint32_t from, to;
	enum message_kind kind;
	if (direction(s, 1, &from, &to) || kind_word(s, &kind))
		return -1;
	tape_pass(&s->world->network.tapes, from, to, kind);
	return 0;
}

int step_replay(struct stage *s)
{
	uint32_t from, to;
	if (direction(s, 1, &from, &to))
		return -1;
	if (tape_replay(s->world, from, to) > 0)
		return 0;
	return play_fail(s->text, s->line, s->error, "nothing is on the tape of '%s'",
	                 play_word(s->line, 1));
}

int step_cut(struct stage *s)
{
	struct machine *a, *b;
	bool one_way;
	if (one_way_cut(s, play_word(s->line, 1), &one_way))
		return -1;
	if (one_way)
		return 0;
	if (stage_machine(s, 1, &a) || stage_machine(s, 2, &b))
		return -1;
	network_cut(&s->world->network, a->index, b->index, true);
	network_cut(&s->world->network, b->index, a->index, true);
	return 0;
}

int step_heal(struct stage *s)
{
	struct machine *a, *b;
	if (s->line->count == 1) {
		network_heal(&s->world->network);
		return 0;
	}
	if (stage_machine(s, 1, &a) || stage_machine(s, 2, &b))
		return -1;
	network_cut(&s->world->network, a->index, b->index, false);
	network_cut(&s->world->network, b->index, a->index, false);
	return 0;
}

/* "unplug a 1", "unplug all 1": networks are counted from 1 in plays. */
static int plug(struct stage *s, bool unplugged)
{
	uint64_t net;
	struct machine *m = NULL;
	bool all = !strcmp(play_word(s->line, 1), "all");
	uint32_t count = s->world->settings.networks;
	if ((!all && stage_machine(s, 1, &m)) || play_number(s->text, s->line, 2, &net, s->error))
		return -1;
	if (net < 1 || net > count)
		return play_fail(s->text, s->line, s->error, "expected network 1 to %u", count);
	for (uint32_t i = 0; i < s->world->count; i++) {
		if (all || i == m->index)
			network_unplug(&s->world->network, i, (uint32_t)net - 1, unplugged);
	}
	return 0;
}

int step_unplug(struct stage *s)
{
	return plug(s, true);
}

int step_plug(struct stage *s)
{
	return plug(s, false);
}
