#include "stage.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stage_steps.h"


/* ---- narration ---- */

void stage_say_line(struct stage *s, const char *line)
{
	if (s->said_count == s->said_capacity) {
		s->said_capacity = s->said_capacity ? s->said_capacity * 2 : 16;
		s->said = realloc(s->said, s->said_capacity * sizeof(*s->said));
		assert(s->said);
	}
	s->said[s->said_count] = strdup(line);
	assert(s->said[s->said_count]);
	s->said_count++;
}

void stage_say(struct stage *s, const struct machine *m, const char *format, ...)
{
	char text[256], line[NARRATION_MAX];
	va_list arguments;
	if (s->silent)
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	narrate_text(s->world, m, 0, text, line);
	stage_say_line(s, line);
}

void stage_hush(struct stage *s)
{
	while (s->said_count)
		free(s->said[--s->said_count]);
}

static void on_trace(void *context, const struct world *w, const struct machine *m,
                     const struct trace *trace)
{
	struct stage *s = context;
	char line[NARRATION_MAX];
	s->seen[m->index][trace->rule] = true;
	if (!s->shown[trace->rule])
		return;
	narrate_trace(w, m, trace, 0, line);
	stage_say_line(s, line);
}

void stage_init(struct stage *s, const struct play_text *text, struct error *error)
{
	*s = (struct stage){.text = text, .error = error};
	s->settings = (struct world_settings){.seed = 1, .exact_clocks = true};
	for (int rule = 0; rule < RULE_COUNT; rule++)
		s->shown[rule] = rule_info((enum rule)rule)->event;
}

void stage_finish(struct stage *s)
{
	stage_hush(s);
	free(s->said);
	schedule_finish(&s->seeded);
	if (s->world)
		world_destroy(s->world);
}

/* ---- what steps share ---- */

static int need_world(struct stage *s)
{
	if (s->world)
		return 0;
	if (!s->settings.nodes)
		return play_fail(s->text, s->line, s->error, "expected 'nodes N' first");
	s->settings.traced = on_trace;
	s->settings.context = s;
	s->world = world_create(&s->settings);
	return 0;
}

int stage_machine(struct stage *s, uint32_t word, struct machine **out)
{
	uint32_t index;
	const char *name = play_word(s->line, word);
	if (name[0] >= 'A' && !name[1] && (uint32_t)(name[0] - 'A') < s->world->settings.foreigners) {
		*out = foreign_machine(s->world, (uint32_t)(name[0] - 'A'));
		return 0;
	}
	if (play_node(s->text, s->line, word, s->world->count, &index, s->error))
		return -1;
	*out = &s->world->machines[index];
	return 0;
}

int stage_running(struct stage *s, uint32_t word, struct machine **out)
{
	if (stage_machine(s, word, out))
		return -1;
	if ((*out)->state != MACHINE_UP)
		return play_fail(s->text, s->line, s->error, "'%s' does not run here",
		                 (*out)->name);
	return 0;
}

int stage_ask(struct stage *s, struct machine *m, const struct command *command,
               const char *what, const char *object)
{
	const struct asked *asked = world_ask(s->world, m, command, STAGE_PATIENCE);
	const struct answer *a = &asked->answer;
	if (!asked->answered)
		stage_say(s, m, "%s %s: no answer", what, object);
	else if (a->code != ANSWER_DONE)
		stage_say(s, m, "%s %s: code %d: %s", what, object, (int)a->code, asked->text);
	else if (command->kind == COMMAND_KV_GET)
		stage_say(s, m, "%s %s: %.*s, version %" PRIu64, what, object, (int)a->value.size,
		          (const char *)a->value.data, a->version);
	else if (command->kind == COMMAND_KV_PUT)
		stage_say(s, m, "%s %s: done, version %" PRIu64, what, object, a->version);
	else
		stage_say(s, m, "%s %s: done", what, object);
	return 0;
}

/* ---- the steps ---- */

enum step_time { STEP_BEFORE, STEP_ANY, STEP_WORLD, STEP_TIME };

static const struct {
	const char *word;
	uint32_t words_min, words_max;
	enum step_time time;
	int (*act)(struct stage *s);
} steps[] = {
#define STEP(word, least, most, when) {#word, least, most, STEP_##when, step_##word},
	STAGE_STEPS(STEP)
#undef STEP
};

static int prepare(struct stage *s, enum step_time time)
{
	if (time == STEP_BEFORE && s->world)
		return play_fail(s->text, s->line, s->error,
		                 "expected this before the first step that acts");
	if (time == STEP_TIME)
		memset(s->seen, 0, sizeof(s->seen));
	return time == STEP_BEFORE || time == STEP_ANY ? 0 : need_world(s);
}

static int check_sound(struct stage *s)
{
	if (!s->world || world_sound(s->world))
		return 0;
	const struct violation *v = &s->world->observe.violations.list[0];
	return play_fail(s->text, s->line, s->error, "violation: %s: %s", v->check, v->text);
}

int stage_step(struct stage *s)
{
	const struct play_line *line = s->line;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (strcmp(steps[i].word, line->words[0]) != 0)
			continue;
		if (line->count < steps[i].words_min || line->count > steps[i].words_max)
			return play_fail(s->text, line, s->error,
			                 "expected %u to %u words after '%s'",
			                 steps[i].words_min - 1, steps[i].words_max - 1,
			                 line->words[0]);
		if (prepare(s, steps[i].time) || steps[i].act(s))
			return -1;
		return check_sound(s);
	}
	return play_fail(s->text, line, s->error, "expected a step such as run or cut, not '%s'",
	                 line->words[0]);
}
