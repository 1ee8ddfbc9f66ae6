/*
 * hosts_tools.c: verbs of a few steps, and the tools that they run: each works, fails, hangs or
 * loses its answer, with or without having done what it is for.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hosts_inside.h"
#include "text.h"
#include "verbs.h"

#define TOOL_BEGINS (2 * MILLISECOND) /* until its effect */
#define TOOL_ENDS (2 * MILLISECOND)   /* from there to its result */
#define TOOL_TIMEOUT (2 * SECOND)
#define TOOL_TIMEOUT_MAX (30 * SECOND) /* those that may take hours are not waited for so long */

/* ---- verbs ---- */

static bool build(const struct step_context *context, struct command_line *out, char what,
                  uint32_t step)
{
	out->program = 1;
	command_word(out, "%c", what);
	const struct request_id *id = &context->operation->id;
	command_word(out, "%llu",
	             (unsigned long long)(id->origin ? id->sequence : JOB_CLIENT + id->sequence));
	command_word(out, "%u", step);
	return true;
}

static enum step_verdict look(const struct step_context *context,
                              const struct command_result *result, struct step_why *why)
{
	if (result->code)
		return verdict_why(why, STEP_UNCERTAIN, "the probe failed");
	return bytes_are(result->out, "there") ? STEP_THERE : STEP_ABSENT;
}

#define STEP_OF(n)                                                                                 \
	static bool act##n(const struct step_context *c, struct command_line *out,                 \
	                   struct step_why *why)                                                   \
	{                                                                                          \
		return build(c, out, 'a', n);                                                      \
	}                                                                                          \
	static bool undo##n(const struct step_context *c, struct command_line *out,                \
	                    struct step_why *why)                                                  \
	{                                                                                          \
		return build(c, out, 'u', n);                                                      \
	}                                                                                          \
	static bool probe##n(const struct step_context *c, struct command_line *out,               \
	                     struct step_why *why)                                                 \
	{                                                                                          \
		return build(c, out, 'p', n);                                                      \
	}
STEP_OF(0)
STEP_OF(1)
STEP_OF(2)
STEP_OF(3)

#define STEP(n, at, stops)                                                                         \
	{                                                                                          \
		.name = "step " #n, .where = at, .act = {act##n, NULL}, .probe = {probe##n, look}, \
		.undo = {undo##n, NULL}, .timeout = TOOL_TIMEOUT, .cancellable = stops,            \
	}

static const struct verb_step make_steps[] = {STEP(0, 0, true), STEP(1, 0, true),
                                              STEP(2, 0, false)};
static const struct verb_step move_steps[] = {STEP(0, 0, true), STEP(1, 1, true), STEP(2, 1, true),
                                              STEP(3, 0, true)};

static int plan(const struct plan_context *context, struct operation_plan *out,
                struct step_why *why)
{
	out->target_count = 2;
	out->targets[0] = host_id((uint32_t)atoi(arguments_get(context->arguments, "at")));
	out->targets[1] =
	    host_id((uint32_t)(atoi(arguments_get(context->arguments, "at")) + 1) % HOSTS_MAX);
	const char *thing = arguments_get(context->arguments, "thing");
	const char *vg = arguments_get(context->arguments, "vg");
	locks_add(&out->locks, false, thing);
	if (vg)
		locks_add(&out->locks, true, vg);
	say(out->subject, sizeof(out->subject), "%s", thing);
	return 0;
}

/* A finished thing has a row of its own, put with the outcome. */
static bool rows(const struct step_context *context, enum operation_state state,
                 struct verb_changes *out, struct step_why *why)
{
	uint8_t name[OPERATION_NAME_SIZE];
	if (state != OPERATION_DONE)
		return true;
	operation_name(&context->operation->id, name);
	struct registry_change *change = &out->list[out->count++];
	*change = (struct registry_change){.expected = REGISTRY_ABSENT};
	change->row.kind = REGISTRY_VOLUME;
	change->row.name = changes_keep(out, (struct bytes){name, sizeof(name)});
	change->row.bytes = changes_keep(out, text_bytes("a thing"));
	return true;
}

static const struct verb_argument known[] = {{"at", ARGUMENT_TEXT, true, ""},
                                             {"thing", ARGUMENT_TEXT, true, ""},
                                             {"vg", ARGUMENT_TEXT, false, ""}};
static const struct verb make = {.noun = "thing",
                                 .verb = "make",
                                 .arguments = known,
                                 .argument_count = 3,
                                 .steps = make_steps,
                                 .step_count = 3,
                                 .plan = plan,
                                 .rows = rows};
static const struct verb move = {.noun = "thing",
                                 .verb = "move",
                                 .arguments = known,
                                 .argument_count = 3,
                                 .steps = move_steps,
                                 .step_count = 4,
                                 .plan = plan,
                                 .rows = rows};
static const struct verb *const list[] = {&make, &move, &verb_volume_create, &verb_volume_extend, &verb_volume_rename,
                                          &verb_volume_snapshot, &verb_volume_remove};
const struct verb_table hosts_verbs = {list, sizeof(list) / sizeof(list[0])};

uint32_t hosts_steps(const char *verb)
{
	return verb_find(&hosts_verbs, "thing", verb)->step_count;
}

/* ---- tools ---- */

/* Who asked for it: a request, or a run of the job. */
struct client *hosts_client(struct hosts *w, uint32_t number)
{
	if (number < JOB_CLIENT)
		return &w->clients[number];
	assert(number - JOB_CLIENT < JOB_RUNS_MAX);
	return &w->runs[number - JOB_CLIENT];
}

struct client *hosts_client_of(struct hosts *w, const struct request_id *id)
{
	struct client *client =
	    hosts_client(w, (uint32_t)(id->origin ? id->sequence : JOB_CLIENT + id->sequence));
	client->request.id = *id;
	return client;
}

static enum tool_behaviour behaviour_of(struct hosts *w)
{
	uint32_t number = w->commands++;
	w->result->commands = w->commands;
	for (uint32_t i = 0; i < w->plan->tool_fault_count; i++) {
		if (w->plan->tool_faults[i].command == number)
			return w->plan->tool_faults[i].behaviour;
	}
	if (hosts_chance(w, w->plan->tool_percent))
		return (enum tool_behaviour)prng_below(&w->dice, TOOL_BEHAVIOURS);
	return TOOL_WORKS;
}

static bool has_effect(enum tool_behaviour behaviour)
{
	return behaviour == TOOL_WORKS || behaviour == TOOL_FAILS_AFTER ||
	       behaviour == TOOL_HANGS_AFTER || behaviour == TOOL_LOSES_AFTER;
}

static struct process *by_run(struct host *h, uint64_t run)
{
	for (uint32_t i = 0; i < PROCESSES_MAX; i++) {
		if (h->processes[i].used && h->processes[i].run == run)
			return &h->processes[i];
	}
	return NULL;
}

static struct event about(const struct host *h, enum event_kind kind, uint64_t run)
{
	return (struct event){.kind = kind, .node = h->index, .life = h->life, .number = run};
}

void host_tool_run(struct host *h, const struct engine_effect *effect)
{
	struct hosts *w = h->world;
	const struct command_line *command = effect->run.command;
	struct process *p = h->processes;
	while (p->used)
		p++;
	assert(p < h->processes + PROCESSES_MAX);
	memset(p, 0, sizeof(*p));
	p->used = true;
	p->run = effect->run.run;
	if (w->plan->volumes) {
		host_volume_tool(p, command);
		while (!w->clients[p->client].starts) /* who cancels may have asked first */
			p->client++;
	} else {
		p->what = command->words[0][0];
		p->client = (uint32_t)atoi(command->words[1]);
		p->step = (uint32_t)atoi(command->words[2]);
	}
	p->behaviour = behaviour_of(w);
	w->result->probes += p->what == 'p';
	hosts_check_act(h, p);
	duration ends = TOOL_BEGINS + TOOL_ENDS;
	switch (p->behaviour) {
	case TOOL_WORKS:
	case TOOL_FAILS:
	case TOOL_FAILS_AFTER:
		p->end = COMMAND_EXITED;
		break;
	case TOOL_HANGS:
	case TOOL_HANGS_AFTER:
		p->end = COMMAND_TIMED_OUT;
		ends = command->timeout < TOOL_TIMEOUT_MAX ? command->timeout : TOOL_TIMEOUT_MAX;
		break;
	case TOOL_LOSES:
	case TOOL_LOSES_AFTER:
		p->end = COMMAND_LOST;
		break;
	case TOOL_MISSING:
	case TOOL_BEHAVIOURS:
		p->end = COMMAND_NOT_STARTED;
		break;
	}
	if (has_effect(p->behaviour))
		hosts_schedule(w, TOOL_BEGINS, about(h, EVENT_EFFECT, p->run));
	hosts_schedule(w, ends, about(h, EVENT_RESULT, p->run));
}

void host_tool_kill(struct host *h, uint64_t run)
{
	struct process *p = by_run(h, run);
	if (!p || p->ended)
		return;
	p->end = COMMAND_KILLED;
	p->ended = true;
	hosts_schedule(h->world, LATENCY, about(h, EVENT_RESULT, run));
}

void host_tool_effect(struct host *h, uint64_t run)
{
	struct process *p = by_run(h, run);
	if (!p || p->ended)
		return;
	struct client *client = hosts_client(h->world, p->client);
	p->done_effect = true;
	if (p->volumes) {
		host_volume_effect(h, p);
		return;
	}
	if (p->what == 'a') {
		client->present[p->step] = true;
		if (++client->times[p->step] > 1)
			hosts_wrong(h->world, "step %u of request %u was done %u times", p->step,
			            p->client, client->times[p->step]);
	} else if (p->what == 'u') {
		client->present[p->step] = false;
	}
}

void host_tool_result(struct host *h, uint64_t run)
{
	struct process *p = by_run(h, run);
	if (!p)
		return;
	struct process ended = *p;
	p->used = false;
	bool there = hosts_client(h->world, ended.client)->present[ended.step];
	bool fails = ended.behaviour == TOOL_FAILS || ended.behaviour == TOOL_FAILS_AFTER;
	struct command_result result = {.end = ended.end, .code = fails ? 5 : 0};
	result.out = ended.what == 'p' ? text_bytes(there ? "there" : "absent") : text_bytes("");
	if (ended.volumes) { /* 1: of essaim-files' codes the one that is certain of nothing */
		result.code = !fails ? ended.code : h->world->plan->files ? 1 : 5;
		result.out = text_bytes(ended.end == COMMAND_EXITED && !fails ? ended.out : "");
	}
	result.err = text_bytes(result.code ? "no such luck\n" : "");
	struct engine_input input = {.kind = ENGINE_RESULT};
	input.result.run = run;
	input.result.result = &result;
	host_deliver(h, &input);
}
