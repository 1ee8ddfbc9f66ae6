/*
 * expect.c: what a play may demand of the world (play_parse.h has the words).
 */
#include <stdio.h>
#include <string.h>

#include "stage_steps.h"

static bool acts(struct stage *s, const struct machine *m)
{
	struct now now = machine_now(s->world, m);
	uint64_t epoch;
	return machine_runs(m) && gossip_acts(m->core, &now, &epoch);
}

static uint32_t acting(struct stage *s, const char **name)
{
	uint32_t count = 0;
	*name = "nobody";
	for (uint32_t i = 0; i < s->world->count; i++) {
		if (!acts(s, &s->world->machines[i]))
			continue;
		*name = s->world->machines[i].name;
		count++;
	}
	return count;
}

static int expect_count(struct stage *s, uint32_t wanted)
{
	const char *name;
	uint32_t count = acting(s, &name);
	if (count == wanted)
		return 0;
	return play_fail(s->text, s->line, s->error, "%u act as master (%s), expected %u", count,
	                 name, wanted);
}

static int expect_master(struct stage *s)
{
	struct machine *m;
	const char *name;
	if (stage_machine(s, 2, &m))
		return -1;
	acting(s, &name);
	if (acts(s, m))
		return 0;
	return play_fail(s->text, s->line, s->error, "'%s' is not master, %s is", m->name, name);
}

static int expect_value(struct stage *s, uint32_t word, bool there)
{
	struct machine *m;
	struct kv_view view;
	if (stage_machine(s, word, &m))
		return -1;
	const char *key = play_word(s->line, word + 1), *value = play_word(s->line, word + 2);
	struct bytes name = {(const uint8_t *)key, strlen(key)};
	bool found = m->core && gossip_kv(m->core, name, &view);
	if (!there)
		return found ? play_fail(s->text, s->line, s->error, "'%s' has '%s'", m->name,
		                         key) :
		               0;
	if (!found)
		return play_fail(s->text, s->line, s->error, "'%s' has no '%s'", m->name, key);
	if (view.value.size == strlen(value) && !memcmp(view.value.data, value, view.value.size))
		return 0;
	return play_fail(s->text, s->line, s->error, "'%s' has '%s' = '%.*s'", m->name, key,
	                 (int)view.value.size, (const char *)view.value.data);
}

static int expect_state(struct stage *s)
{
	struct machine *m, *other;
	struct member_view view;
	if (stage_machine(s, 2, &m) || stage_machine(s, 3, &other))
		return -1;
	struct now now = machine_now(s->world, m);
	if (!m->core || !gossip_member(m->core, &now, other->id, &view))
		return play_fail(s->text, s->line, s->error, "'%s' does not know '%s'", m->name,
		                 other->name);
	if (!strcmp(reachability_name(view.state), play_word(s->line, 4)))
		return 0;
	return play_fail(s->text, s->line, s->error, "'%s' sees '%s' as %s", m->name, other->name,
	                 reachability_name(view.state));
}

static int expect_standing(struct stage *s)
{
	struct machine *m;
	struct status_view view = {.standing = STANDING_STOPPED};
	if (stage_machine(s, 2, &m))
		return -1;
	struct now now = machine_now(s->world, m);
	if (m->core)
		gossip_status(m->core, &now, &view);
	else if (m->ended)
		view.standing = m->ended;
	if (!strcmp(standing_name(view.standing), play_word(s->line, 3)))
		return 0;
	return play_fail(s->text, s->line, s->error, "'%s' is %s", m->name,
	                 standing_name(view.standing));
}

static int expect_rule(struct stage *s, uint32_t word, bool seen)
{
	struct machine *m;
	enum rule rule;
	if (play_rule(s->text, s->line, word, &rule, s->error) || stage_machine(s, word + 1, &m))
		return -1;
	if (s->seen[m->index][rule] == seen)
		return 0;
	return play_fail(s->text, s->line, s->error, "'%s' %s to %s in that step", m->name,
	                 seen ? "did not come" : "came", rule_info(rule)->name);
}

static int expect_answer(struct stage *s, const char *value)
{
	const struct asked *asked = &s->world->asked;
	bool done = asked->answered && asked->answer.code == ANSWER_DONE;
	size_t size = done ? asked->answer.value.size : 0;
	if (value ? done && size == strlen(value) && !memcmp(asked->value, value, size) : !done)
		return 0;
	return play_fail(s->text, s->line, s->error, "the answer is %s'%.*s'", done ? "" : "none: ",
	                 (int)size, (const char *)asked->value);
}

int step_expect(struct stage *s)
{
	const char *what = play_word(s->line, 1), *next = play_word(s->line, 2);
	bool none = !strcmp(what, "no");
	if (none && !strcmp(next, "master"))
		return expect_count(s, 0);
	if (none && !strcmp(next, "value"))
		return expect_value(s, 3, false);
	if (!strcmp(what, "one") && !strcmp(next, "master"))
		return expect_count(s, 1);
	if (!strcmp(what, "master"))
		return expect_master(s);
	if (!strcmp(what, "value"))
		return expect_value(s, 2, true);
	if (!strcmp(what, "state"))
		return expect_state(s);
	if (!strcmp(what, "standing"))
		return expect_standing(s);
	if (none && !strcmp(next, "rule"))
		return expect_rule(s, 3, false);
	if (none && !strcmp(next, "answer"))
		return expect_answer(s, NULL);
	if (!strcmp(what, "answer"))
		return expect_answer(s, next);
	if (!strcmp(what, "rule"))
		return expect_rule(s, 2, true);
	return play_fail(s->text, s->line, s->error,
	                 "expected master, no master, one master, value, no value, state, standing, "
	                 "rule, no rule, answer or no answer, not '%s'",
	                 what);
}
