/*
 * alone_engine.c: see alone_engine.h.
 */
#include "alone_engine.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

/* ---- a verb of two steps; the first has a probe and an undo ---- */

static bool first(const struct step_context *c, struct command_line *out, struct step_why *why)
{
	command_word(out, "first");
	return true;
}

static bool first_probe(const struct step_context *c, struct command_line *out,
                        struct step_why *why)
{
	command_word(out, "probe");
	return true;
}

static bool first_undo(const struct step_context *c, struct command_line *out, struct step_why *why)
{
	command_word(out, "undo");
	return true;
}

static bool second(const struct step_context *c, struct command_line *out, struct step_why *why)
{
	command_word(out, "second");
	return true;
}

static enum step_verdict probe_judge(const struct step_context *c,
                                     const struct command_result *result, struct step_why *why)
{
	if (result->code)
		return STEP_UNCERTAIN;
	return bytes_are(result->out, "there") ? STEP_THERE : STEP_ABSENT;
}

static enum step_verdict second_judge(const struct step_context *c,
                                      const struct command_result *result, struct step_why *why)
{
	if (result->code == 0)
		return STEP_OK;
	return verdict_why(why, result->code == 1 ? STEP_FAILED : STEP_UNCERTAIN, "it said no");
}

static int plan(const struct plan_context *context, struct operation_plan *out,
                struct step_why *why)
{
	const char *name = arguments_get(context->arguments, "name");
	if (!strcmp(name, "forbidden")) {
		verdict_why(why, STEP_FAILED, "'forbidden' may not be made");
		return -EPERM;
	}
	out->target_count = 1;
	out->targets[0] = arguments_get(context->arguments, "other") ? OTHER : SELF;
	out->deadline = 100 * SECOND;
	locks_add(&out->locks, false, name);
	if (arguments_get(context->arguments, "turn"))
		locks_add(&out->locks, true, "turn");
	say(out->subject, sizeof(out->subject), "%s", name);
	say(out->told, sizeof(out->told), "would make '%s'", name);
	return 0;
}

static const struct verb_argument known[] = {{"name", ARGUMENT_NAME, true, ""},
                                             {"other", ARGUMENT_FLAG, false, ""},
                                             {"turn", ARGUMENT_FLAG, false, ""}};
static const struct verb_step steps[] = {
    {.name = "first step",
     .act = {first, NULL},
     .probe = {first_probe, probe_judge},
     .undo = {first_undo, NULL},
     .cancellable = true},
    {.name = "second step", .act = {second, second_judge}},
};
static const struct verb make = {.noun = "thing",
                                 .verb = "make",
                                 .arguments = known,
                                 .argument_count = 3,
                                 .steps = steps,
                                 .step_count = 2,
                                 .plan = plan};
static const struct verb declare = {
    .noun = "thing", .verb = "declare", .arguments = known, .argument_count = 3, .plan = plan};
static const struct verb *const list[] = {&make, &declare};
const struct verb_table alone_verbs = {list, 2};

/* ---- rows ---- */

static struct alone_row *find(struct alone *a, enum registry_kind kind, struct bytes name)
{
	for (uint32_t i = 0; i < ALONE_ROWS_MAX; i++) {
		struct alone_row *row = &a->rows[i];
		if (row->used && row->kind == kind && row->name_size == name.size &&
		    !memcmp(row->name, name.data, name.size))
			return row;
	}
	return NULL;
}

static void show(const struct alone_row *row, struct registry_row *out)
{
	memset(out, 0, sizeof(*out));
	out->kind = row->kind;
	out->name = (struct bytes){row->name, row->name_size};
	out->version = row->version;
	out->operation = row->kind == REGISTRY_OPERATION ? &row->operation : NULL;
	out->audit = row->kind == REGISTRY_AUDIT ? &row->audit : NULL;
	out->job = row->kind == REGISTRY_JOB ? &row->job : NULL;
}

static void put(struct alone *a, const struct registry_change *change)
{
	struct alone_row *row = find(a, change->row.kind, change->row.name);
	if (change->deleted) {
		if (row)
			row->used = false;
		return;
	}
	for (uint32_t i = 0; !row && i < ALONE_ROWS_MAX; i++) {
		if (!a->rows[i].used)
			row = &a->rows[i];
	}
	assert(row);
	row->used = true;
	row->kind = change->row.kind;
	row->name_size = change->row.name.size;
	memcpy(row->name, change->row.name.data, row->name_size);
	row->version = a->index;
	if (change->row.operation)
		row->operation = *change->row.operation;
	if (change->row.audit)
		row->audit = *change->row.audit;
	if (change->row.job)
		row->job = *change->row.job;
}

static enum proposal_result commit(struct alone *a, const struct registry_transaction *t)
{
	if (a->refuse_proposals)
		return PROPOSAL_REFUSED;
	for (uint32_t i = 0; i < t->count; i++) {
		const struct registry_change *change = &t->changes[i];
		struct alone_row *row = find(a, change->row.kind, change->row.name);
		if (change->expected != REGISTRY_ANY &&
		    (row ? row->version : 0) != change->expected)
			return PROPOSAL_CONFLICT;
	}
	a->index++;
	for (uint32_t i = 0; i < t->count; i++)
		put(a, &t->changes[i]);
	return PROPOSAL_APPLIED;
}

/* ---- view ---- */

static uint64_t view_applied(void *context)
{
	return ((struct alone *)context)->index;
}

static bool view_row(void *context, enum registry_kind kind, struct bytes name,
                     struct registry_row *out)
{
	struct alone_row *row = find(context, kind, name);
	if (row)
		show(row, out);
	return row != NULL;
}

static bool view_member(void *context, uint32_t position, struct engine_member *out)
{
	const struct alone *a = context;
	if (position >= 2 - (uint32_t)a->other_gone)
		return false;
	*out = (struct engine_member){.id = SELF + position, .state = REACHABLE};
	say(out->name, sizeof(out->name), "n%u", SELF + position);
	if (position && a->other_unreachable)
		out->state = UNREACHABLE;
	return true;
}

static bool view_hooked(void *context, const char *noun, const char *verb, bool after)
{
	return ((struct alone *)context)->hooked;
}

/* ---- carrying ---- */

static struct alone_pending *later(struct alone *a, enum engine_input_kind kind, uint64_t number)
{
	assert(a->pending_count < ALONE_PENDING_MAX);
	struct alone_pending *p = &a->pending[a->pending_count++];
	memset(p, 0, sizeof(*p));
	p->kind = kind;
	p->number = number;
	return p;
}

/* Committed at once; the engine hears of it behind this step. */
static void propose(struct alone *a, const struct engine_effect *effect)
{
	const struct registry_transaction *t = &effect->propose.transaction;
	struct alone_pending *p = later(a, ENGINE_PROPOSED, effect->propose.number);
	p->result = commit(a, t);
	p->change_count = p->result == PROPOSAL_APPLIED ? t->count : 0;
	for (uint32_t i = 0; i < p->change_count; i++) {
		p->changes[i].deleted = t->changes[i].deleted;
		p->changes[i].kind = t->changes[i].row.kind;
		p->changes[i].size = t->changes[i].row.name.size;
		memcpy(p->changes[i].name, t->changes[i].row.name.data, p->changes[i].size);
	}
}

static void keep_run(struct alone *a, const struct engine_effect *effect)
{
	a->run = effect->run.run;
	a->run_count++;
	a->command = *effect->run.command;
	for (uint32_t i = 0; i < a->command.word_count; i++)
		a->command.words[i] =
		    a->command.text + (effect->run.command->words[i] - effect->run.command->text);
}

static void carry(struct alone *a, const struct engine_effect *effect)
{
	switch (effect->kind) {
	case DO_PROPOSE:
		propose(a, effect);
		return;
	case DO_JOURNAL:
		later(a, ENGINE_JOURNALED, effect->journal.number);
		a->dropped += effect->journal.drop;
		if (!effect->journal.drop)
			a->record = *effect->journal.record;
		return;
	case DO_RUN:
		keep_run(a, effect);
		return;
	case DO_KILL:
		a->killed = effect->kill.run;
		return;
	case DO_SEND:
		if (effect->send.to == SELF) {
			later(a, ENGINE_MESSAGE, 0)->message = *effect->send.message;
		} else {
			a->sent_count++;
			a->sent = *effect->send.message;
		}
		return;
	case DO_ANSWER:
		assert(a->answer_count < ALONE_ANSWERS_MAX);
		a->answers[a->answer_count++] = *effect->answer;
		return;
	case DO_PROGRESS:
		a->progress = *effect->progress.progress;
		return;
	case DO_TRACE:
		return;
	}
}

static void step(struct alone *a, const struct engine_input *input)
{
	struct engine_output out;
	engine_step(a->engine, &a->now, input, &out);
	for (uint32_t i = 0; i < out.count; i++)
		carry(a, &out.list[i]);
}

static void step_rows(struct alone *a, const struct alone_pending *p)
{
	for (uint32_t i = 0; i < p->change_count; i++) {
		struct engine_input input = {.kind = ENGINE_ROW};
		struct bytes name = {p->changes[i].name, p->changes[i].size};
		struct alone_row *row = find(a, p->changes[i].kind, name);
		input.row.deleted = p->changes[i].deleted;
		input.row.row = (struct registry_row){.kind = p->changes[i].kind, .name = name};
		if (row && !input.row.deleted)
			show(row, &input.row.row);
		else if (!row && !input.row.deleted)
			continue; /* a later change has deleted it: that is told too */
		step(a, &input);
	}
}

static void step_pending(struct alone *a, const struct alone_pending *p)
{
	struct engine_input input = {.kind = p->kind};
	if (p->kind == ENGINE_PROPOSED) {
		step_rows(a, p);
		input.proposed.number = p->number;
		input.proposed.result = p->result;
		input.proposed.text = "the ledger is full";
	} else if (p->kind == ENGINE_JOURNALED) {
		input.journaled.number = p->number;
		input.journaled.failed = a->journal_fails;
	} else {
		input.message.from = SELF;
		input.message.message = &p->message;
	}
	step(a, &input);
}

void alone_give(struct alone *a, const struct engine_input *input)
{
	struct engine_input tick = {.kind = ENGINE_TICK};
	step(a, input);
	for (int i = 0; i < 2000; i++) {
		if (a->pending_count) {
			struct alone_pending first = a->pending[0];
			memmove(a->pending, a->pending + 1, --a->pending_count * sizeof(first));
			step_pending(a, &first);
		} else if (engine_deadline(a->engine, &a->now) <= a->now.boot) {
			step(a, &tick);
		} else {
			return;
		}
	}
	assert(!"the engine comes to rest");
}

/* ---- a life ---- */

static const struct engine_view *view_of(struct alone *a)
{
	a->view =
	    (struct engine_view){a, view_applied, view_row, NULL, view_member, NULL, view_hooked};
	return &a->view;
}

static void start(struct alone *a, const struct journal_record *record)
{
	struct engine_settings settings = {
	    .self = SELF,
	    .verbs = &alone_verbs,
	    .view = view_of(a),
	    .operations_max = 16,
	    .executing_max = 4,
	    .watchers_max = 8,
	    .audit_max = 8,
	    .jobs_max = 4,
	    .running_per_node = 2,
	    .hook_program = 9,
	};
	free(a->engine);
	a->engine = engine_init(calloc(1, engine_size(&settings)), &settings);
	a->pending_count = 0;
	a->run = 0;
	if (record)
		assert(engine_load_journal(a->engine, record));
	for (uint32_t i = 0; i < ALONE_ROWS_MAX; i++) {
		struct engine_input input = {.kind = ENGINE_ROW};
		if (!a->rows[i].used)
			continue;
		show(&a->rows[i], &input.row.row);
		step(a, &input);
	}
	alone_give(a, &(struct engine_input){.kind = ENGINE_START});
	struct engine_input input = {.kind = ENGINE_MASTERSHIP};
	input.mastership.master = true;
	input.mastership.epoch = ++a->epoch;
	alone_give(a, &input);
}

void alone_begin(struct alone *a)
{
	memset(a, 0, sizeof(*a));
	a->now = (struct now){1000 * SECOND, 1000 * SECOND, 1000000 * SECOND};
	a->pending = calloc(ALONE_PENDING_MAX, sizeof(*a->pending));
	start(a, NULL);
}

void alone_end(struct alone *a)
{
	free(a->engine);
	free(a->pending);
}

void alone_again(struct alone *a, const struct journal_record *record)
{
	start(a, record);
}

void alone_pass(struct alone *a, duration d)
{
	a->now.boot += d;
	a->now.raw += d;
	a->now.wall += d;
	alone_give(a, &(struct engine_input){.kind = ENGINE_TICK});
}

/* ---- asking ---- */

struct engine_request alone_request(struct alone *a, enum engine_ask ask)
{
	struct engine_request request = {
	    .id = {OTHER, 1, ++a->sequence}, .ask = ask, .from = OTHER};
	say(request.who, sizeof(request.who), "anna");
	say(request.noun, sizeof(request.noun), "thing");
	say(request.verb, sizeof(request.verb), "make");
	return request;
}

struct engine_request alone_make(struct alone *a, const char *name, bool at_other)
{
	struct engine_request request = alone_request(a, ASK_START);
	arguments_add(&request.arguments, "name", name);
	if (at_other)
		arguments_add(&request.arguments, "other", "");
	return request;
}

const struct engine_answer *alone_ask(struct alone *a, const struct engine_request *request)
{
	uint32_t before = a->answer_count;
	struct engine_input input = {.kind = ENGINE_REQUEST, .request = request};
	alone_give(a, &input);
	return a->answer_count > before ? &a->answers[a->answer_count - 1] : NULL;
}

void alone_finish(struct alone *a, enum command_end end, int code, const char *out)
{
	struct command_result result = {
	    .end = end, .code = code, .out = text_bytes(out), .err = text_bytes(out)};
	struct engine_input input = {.kind = ENGINE_RESULT};
	input.result.run = a->run;
	input.result.result = &result;
	a->run = 0;
	alone_give(a, &input);
}

uint32_t alone_count(const struct alone *a, enum registry_kind kind)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < ALONE_ROWS_MAX; i++)
		count += a->rows[i].used && a->rows[i].kind == kind;
	return count;
}

const struct audit_row *alone_audit(const struct alone *a, uint64_t number)
{
	for (uint32_t i = 0; i < ALONE_ROWS_MAX; i++) {
		if (a->rows[i].used && a->rows[i].kind == REGISTRY_AUDIT &&
		    a->rows[i].audit.number == number)
			return &a->rows[i].audit;
	}
	return NULL;
}

const struct operation_row *alone_operation(const struct alone *a, uint64_t number)
{
	for (uint32_t i = 0; i < ALONE_ROWS_MAX; i++) {
		if (a->rows[i].used && a->rows[i].kind == REGISTRY_OPERATION &&
		    a->rows[i].operation.number == number)
			return &a->rows[i].operation;
	}
	return NULL;
}

const struct job_row *alone_job(const struct alone *a, const char *name)
{
	for (uint32_t i = 0; i < ALONE_ROWS_MAX; i++) {
		if (a->rows[i].used && a->rows[i].kind == REGISTRY_JOB &&
		    !strcmp(a->rows[i].job.name, name))
			return &a->rows[i].job;
	}
	return NULL;
}
