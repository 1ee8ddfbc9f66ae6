#include "stage.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tape.h"

#define PUT_PATIENCE (10 * SECOND)
#define POST_CLIENT (UINT64_MAX - 1)

/* ---- narration ---- */

static void say_line(struct stage *s, const char *line)
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
	say_line(s, line);
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
	say_line(s, line);
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
	if (s->world)
		world_destroy(s->world);
}

/* ---- before the world exists ---- */

static int step_nodes(struct stage *s)
{
	uint64_t count;
	if (play_number(s->text, s->line, 1, &count, s->error))
		return -1;
	if (count < 1 || count > PLAY_NODES_MAX)
		return play_fail(s->text, s->line, s->error, "expected 1 to %d nodes",
		                 PLAY_NODES_MAX);
	s->settings.nodes = (uint32_t)count;
	return 0;
}

static int step_node(struct stage *s)
{
	uint32_t index;
	s->settings.nodes++;
	if (s->settings.nodes > PLAY_NODES_MAX ||
	    play_node(s->text, s->line, 1, s->settings.nodes, &index, s->error) ||
	    index + 1 != s->settings.nodes)
		return play_fail(s->text, s->line, s->error,
		                 "expected nodes to be named a, b, c in this order");
	return 0;
}

static int step_seed(struct stage *s)
{
	return play_number(s->text, s->line, 1, &s->settings.seed, s->error);
}

static int step_profile(struct stage *s)
{
	const char *name = play_word(s->line, 1);
	if (strcmp(name, "lan") != 0 && strcmp(name, "default") != 0)
		return play_fail(s->text, s->line, s->error, "expected default or lan, not '%s'",
		                 name);
	s->settings.profile = strcmp(name, "lan") ? PROFILE_DEFAULT : PROFILE_LAN;
	return 0;
}

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
	if (play_node(s->text, s->line, word, s->world->count, &index, s->error))
		return -1;
	*out = &s->world->machines[index];
	return 0;
}

static int need_running(struct stage *s, uint32_t word, struct machine **out)
{
	if (stage_machine(s, word, out))
		return -1;
	if ((*out)->state != MACHINE_UP)
		return play_fail(s->text, s->line, s->error, "'%s' does not run here",
		                 (*out)->name);
	return 0;
}

/* ---- members ---- */

/* A fresh process needs a moment until its incarnation is durable. */
static void wake(struct stage *s, struct machine *m)
{
	if (m->state != MACHINE_OFF)
		return;
	machine_start(s->world, m);
	world_run(s->world, s->world->now + 100 * MILLISECOND);
}

static int step_init(struct stage *s)
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

static int step_token(struct stage *s)
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
		if (is_via ? need_running(s, word + 1, &via) :
		             play_number(s->text, s->line, word + 1, &uses, s->error))
			return -1;
	}
	s->token_held = true;
	return make_token(s, via, (uint32_t)uses);
}

static int step_join(struct stage *s)
{
	struct machine *m, *via;
	if (stage_machine(s, 1, &m) || strcmp(play_word(s->line, 2), "via") != 0)
		return play_fail(s->text, s->line, s->error, "expected join NODE via NODE");
	if (need_running(s, 3, &via))
		return -1;
	if (!s->token_held && make_token(s, via, 1))
		return -1;
	wake(s, m);
	if (m->state != MACHINE_UP)
		return play_fail(s->text, s->line, s->error, "'%s' does not run here", m->name);
	if (!world_join(s->world, m, via, s->token, &s->token_hash))
		stage_say(s, m, "cannot join: %s", m->outcome);
	return 0;
}

static int ask(struct stage *s, struct machine *m, const struct command *command,
               const char *what, const char *object)
{
	const struct asked *asked = world_ask(s->world, m, command, PUT_PATIENCE);
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

static int step_remove(struct stage *s)
{
	struct machine *m, *victim;
	if (need_running(s, 1, &m) || stage_machine(s, 2, &victim))
		return -1;
	struct command command = {.kind = COMMAND_MEMBER_REMOVE, .if_version = NO_VERSION};
	command.subject = victim->id;
	return ask(s, m, &command, "remove", victim->name);
}

static int step_leave(struct stage *s)
{
	struct machine *m;
	if (need_running(s, 1, &m))
		return -1;
	struct command command = {.kind = COMMAND_MEMBER_LEAVE, .if_version = NO_VERSION};
	command.subject = m->id;
	return ask(s, m, &command, "leave", m->name);
}

static int step_stop(struct stage *s)
{
	struct machine *m;
	if (need_running(s, 1, &m))
		return -1;
	machine_input(s->world, m, &(struct input){.kind = INPUT_STOP});
	return 0;
}

static int step_transfer(struct stage *s)
{
	struct machine *m, *to;
	if (need_running(s, 1, &m) || stage_machine(s, 2, &to))
		return -1;
	struct input input = {.kind = INPUT_TRANSFER};
	input.transfer.to = to->id;
	machine_input(s->world, m, &input);
	return 0;
}

/* ---- links ---- */

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
	                 "expected a message of the lease such as release, not '%s'",
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

static int step_tape(struct stage *s)
{
	return begin_tape(s, false);
}

static int step_hold(struct stage *s)
{
	return begin_tape(s, true);
}

static int step_pass(struct stage *s)
{
	uint32_t from, to;
	enum message_kind kind;
	if (direction(s, 1, &from, &to) || kind_word(s, &kind))
		return -1;
	tape_pass(&s->world->network.tapes, from, to, kind);
	return 0;
}

static int step_replay(struct stage *s)
{
	uint32_t from, to;
	if (direction(s, 1, &from, &to))
		return -1;
	if (tape_replay(s->world, from, to) > 0)
		return 0;
	return play_fail(s->text, s->line, s->error, "nothing is on the tape of '%s'",
	                 play_word(s->line, 1));
}

static int step_cut(struct stage *s)
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

static int step_heal(struct stage *s)
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

/* ---- machines ---- */

static int with_machine(struct stage *s, void (*act)(struct world *, struct machine *))
{
	struct machine *m;
	if (stage_machine(s, 1, &m))
		return -1;
	act(s->world, m);
	return 0;
}

static int step_crash(struct stage *s)
{
	return with_machine(s, machine_crash);
}

static int step_kill(struct stage *s)
{
	return with_machine(s, machine_kill);
}

static int step_forge(struct stage *s)
{
	struct machine *m;
	if (stage_machine(s, 1, &m))
		return -1;
	insiders_forge(s->world, m);
	return 0;
}

static int step_start(struct stage *s)
{
	return with_machine(s, machine_start);
}

static int step_pause(struct stage *s)
{
	return with_machine(s, machine_pause);
}

static int step_resume(struct stage *s)
{
	return with_machine(s, machine_resume);
}

static int step_drift(struct stage *s)
{
	static const char *const names[CLOCK_NAMES] = {"boot", "raw", "wall"};
	struct machine *m;
	int64_t ppm;
	if (stage_machine(s, 1, &m) || play_ppm(s->text, s->line, 3, &ppm, s->error))
		return -1;
	for (int i = 0; i < CLOCK_NAMES; i++) {
		if (strcmp(names[i], play_word(s->line, 2)) != 0)
			continue;
		clock_set_rate(&m->clocks[i], s->world->now, ppm);
		m->timer_at = NEVER;
		if (m->state == MACHINE_UP)
			machine_input(s->world, m, &(struct input){.kind = INPUT_TICK});
		return 0;
	}
	return play_fail(s->text, s->line, s->error, "expected boot, raw or wall, not '%s'",
	                 play_word(s->line, 2));
}

static int step_step(struct stage *s)
{
	struct machine *m;
	duration by;
	bool back = !strcmp(play_word(s->line, 2), "back");
	if (stage_machine(s, 1, &m) ||
	    play_duration(s->text, s->line, back ? 3 : 2, &by, s->error))
		return -1;
	m->clocks[CLOCK_OF_WALL].local += back ? -by : by;
	return 0;
}

static int step_disk(struct stage *s)
{
	static const char *const names[] = {"well", "stall", "fail"};
	struct machine *m;
	if (stage_machine(s, 1, &m))
		return -1;
	for (int mood = DISK_WELL; mood <= DISK_FAILING; mood++) {
		if (strcmp(names[mood], play_word(s->line, 2)) != 0)
			continue;
		machine_disk(s->world, m, (enum disk_mood)mood);
		return 0;
	}
	return play_fail(s->text, s->line, s->error, "expected stall, fail or well, not '%s'",
	                 play_word(s->line, 2));
}

static int step_run(struct stage *s)
{
	duration d;
	if (play_duration(s->text, s->line, 1, &d, s->error))
		return -1;
	world_run(s->world, s->world->now + d);
	return 0;
}

/* ---- rows ---- */

static struct bytes bytes_of(const char *word)
{
	return (struct bytes){(const uint8_t *)word, strlen(word)};
}

static int step_put(struct stage *s)
{
	struct machine *m;
	struct command command = {.kind = COMMAND_KV_PUT, .if_version = NO_VERSION};
	if (need_running(s, 1, &m))
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
	return ask(s, m, &command, "put", play_word(s->line, 2));
}

static void post(struct stage *s, struct machine *m, const struct command *command)
{
	struct input input = {.kind = INPUT_REQUEST};
	input.request.client = POST_CLIENT;
	input.request.command = command;
	input.request.patience = PUT_PATIENCE;
	machine_input(s->world, m, &input);
}

/* A put whose answer nobody waits for. */
static int step_post(struct stage *s)
{
	struct machine *m;
	struct command command = {.kind = COMMAND_KV_PUT, .if_version = NO_VERSION};
	if (need_running(s, 1, &m))
		return -1;
	command.key = bytes_of(play_word(s->line, 2));
	command.value = bytes_of(play_word(s->line, 3));
	post(s, m, &command);
	return 0;
}

/* A removal likewise. */
static int step_dismiss(struct stage *s)
{
	struct machine *m, *victim;
	struct command command = {.kind = COMMAND_MEMBER_REMOVE, .if_version = NO_VERSION};
	if (need_running(s, 1, &m) || stage_machine(s, 2, &victim))
		return -1;
	command.subject = victim->id;
	post(s, m, &command);
	return 0;
}

static int step_get(struct stage *s)
{
	struct machine *m;
	if (need_running(s, 1, &m))
		return -1;
	struct command command = {.kind = COMMAND_KV_GET, .if_version = NO_VERSION};
	command.key = bytes_of(play_word(s->line, 2));
	return ask(s, m, &command, "get", play_word(s->line, 2));
}

/* ---- what is narrated ---- */

static int show_rules(struct stage *s, bool shown)
{
	bool all = s->line->count == 2 && !strcmp(play_word(s->line, 1), "all");
	if (all)
		s->silent = !shown;
	for (int rule = 0; all && rule < RULE_COUNT; rule++)
		s->shown[rule] = shown;
	for (uint32_t word = 1; word < s->line->count && !all; word++) {
		enum rule rule;
		if (play_rule(s->text, s->line, word, &rule, s->error))
			return -1;
		s->shown[rule] = shown;
	}
	return 0;
}

static int step_show(struct stage *s)
{
	return show_rules(s, true);
}

static int step_quiet(struct stage *s)
{
	return show_rules(s, false);
}

/* ---- the table of steps ---- */

enum step_time { STEP_BEFORE, STEP_ANY, STEP_WORLD, STEP_TAKES_TIME };

static const struct {
	const char *word;
	uint32_t words_min, words_max;
	enum step_time time;
	int (*act)(struct stage *s);
} steps[] = {
	{"nodes", 2, 2, STEP_BEFORE, step_nodes},
	{"node", 2, 2, STEP_BEFORE, step_node},
	{"seed", 2, 2, STEP_BEFORE, step_seed},
	{"profile", 2, 2, STEP_BEFORE, step_profile},
	{"show", 2, PLAY_WORDS_MAX, STEP_ANY, step_show},
	{"quiet", 2, PLAY_WORDS_MAX, STEP_ANY, step_quiet},
	{"init", 2, 2, STEP_TAKES_TIME, step_init},
	{"token", 1, 5, STEP_TAKES_TIME, step_token},
	{"join", 4, 4, STEP_TAKES_TIME, step_join},
	{"leave", 2, 2, STEP_TAKES_TIME, step_leave},
	{"remove", 3, 3, STEP_TAKES_TIME, step_remove},
	{"stop", 2, 2, STEP_WORLD, step_stop},
	{"transfer", 3, 3, STEP_WORLD, step_transfer},
	{"cut", 2, 3, STEP_WORLD, step_cut},
	{"heal", 1, 3, STEP_WORLD, step_heal},
	{"tape", 2, 3, STEP_WORLD, step_tape},
	{"hold", 2, 4, STEP_WORLD, step_hold},
	{"pass", 2, 3, STEP_WORLD, step_pass},
	{"replay", 2, 2, STEP_WORLD, step_replay},
	{"crash", 2, 2, STEP_WORLD, step_crash},
	{"kill", 2, 2, STEP_WORLD, step_kill},
	{"forge", 2, 2, STEP_WORLD, step_forge},
	{"start", 2, 2, STEP_WORLD, step_start},
	{"pause", 2, 2, STEP_WORLD, step_pause},
	{"resume", 2, 2, STEP_WORLD, step_resume},
	{"drift", 4, 4, STEP_WORLD, step_drift},
	{"step", 3, 4, STEP_WORLD, step_step},
	{"disk", 3, 3, STEP_WORLD, step_disk},
	{"run", 2, 2, STEP_TAKES_TIME, step_run},
	{"put", 4, 6, STEP_TAKES_TIME, step_put},
	{"post", 4, 4, STEP_WORLD, step_post},
	{"dismiss", 3, 3, STEP_WORLD, step_dismiss},
	{"get", 3, 3, STEP_TAKES_TIME, step_get},
	{"expect", 3, 5, STEP_WORLD, stage_expect},
};

static int prepare(struct stage *s, enum step_time time)
{
	if (time == STEP_BEFORE && s->world)
		return play_fail(s->text, s->line, s->error,
		                 "expected this before the first step that acts");
	if (time == STEP_TAKES_TIME)
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
