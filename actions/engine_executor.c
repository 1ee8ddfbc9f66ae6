/*
 * engine_executor.c: a node does what it is asked as a target: which orders it takes, what it keeps
 * in its journal, what it reports.
 */
#include <assert.h>
#include <string.h>

#include "engine_inside.h"

struct execution *execution_by_id(struct engine *e, const struct request_id *id)
{
	for (uint32_t i = 0; i < e->settings.executing_max; i++) {
		if (e->executions[i].used && request_id_equal(&e->executions[i].record.id, id))
			return &e->executions[i];
	}
	return NULL;
}

const struct verb *execution_verb(const struct engine *e, const struct execution *x)
{
	return verb_find(e->settings.verbs, x->record.operation.noun, x->record.operation.verb);
}

/* ---- reports ---- */

void execution_progress(const struct engine *e, const struct execution *x,
                        struct engine_progress *out)
{
	const struct journal_record *r = &x->record;
	const struct verb *verb = execution_verb(e, x);
	memset(out, 0, sizeof(*out));
	out->state = r->operation.state;
	out->undoing = r->undoing || r->backing;
	out->step = r->step && out->undoing ? r->step - 1 : r->step;
	out->step_count = verb ? verb_step_count(verb) : 0;
	if (verb && out->step < out->step_count)
		say(out->phase, sizeof(out->phase), "%s", step_at(verb, out->step)->name);
	out->done_bytes = x->done_bytes;
	out->total_bytes = x->total_bytes;
	out->rate = x->rate;
	out->time_left = -1;
	if (x->rate && x->total_bytes > x->done_bytes)
		out->time_left = (duration)((x->total_bytes - x->done_bytes) / x->rate) * SECOND;
	out->step_age = x->step_began ? e->now.boot - x->step_began : -1;
	memcpy(out->waits, x->waits, sizeof(out->waits));
	if (x->state == EXECUTION_COMMAND && e->now.boot > x->command_deadline + STUCK_AFTER)
		say(out->waits, sizeof(out->waits),
		    "its command was killed %lld s ago and does not end",
		    (long long)((e->now.boot - x->command_deadline) / SECOND));
}

static void report(struct engine *e, node_id to, const struct engine_report *body)
{
	struct engine_message *m = &e->message;
	memset(m, 0, sizeof(*m));
	m->kind = ENGINE_MESSAGE_REPORT;
	m->epoch = e->epoch_heard;
	m->report = *body;
	output_send(e, to, m);
}

void execution_report(struct engine *e, struct execution *x)
{
	const struct journal_record *r = &x->record;
	struct engine_report body;
	if (!x->master || !output_room(e, TURN_EFFECTS, TURN_BYTES))
		return; /* the master asks again */
	memset(&body, 0, sizeof(body));
	body.id = r->id;
	body.from = r->from;
	body.to = r->to;
	body.undoing = r->undoing;
	bool ended = r->phase == JOURNAL_ENDED && x->state == EXECUTION_RESTING;
	body.state = ended ? r->outcome : LEG_RUNNING;
	body.cancelled = r->cancelled;
	execution_progress(e, x, &body.progress);
	memcpy(body.memo, r->memo, sizeof(body.memo));
	memcpy(body.text, r->text, sizeof(body.text));
	report(e, x->master, &body);
	x->reported_at = e->now.boot;
}

static void refuse(struct engine *e, node_id to, const struct engine_dispatch *d,
                   enum leg_state state, const char *text)
{
	struct engine_report body;
	memset(&body, 0, sizeof(body));
	body.id = d->operation.id;
	body.from = d->from;
	body.to = d->to;
	body.undoing = d->operation.undoing;
	body.state = state;
	body.progress.time_left = body.progress.step_age = -1;
	say(body.text, sizeof(body.text), "%s", text);
	report(e, to, &body);
}

/* ---- the journal ---- */

void execution_wait(struct execution *x, instant at, enum execution_task task)
{
	x->state = EXECUTION_WAITING;
	x->at = at;
	x->task = task;
}

static void drop(struct engine *e, struct execution *x)
{
	x->orphan = true;
	x->then = TASK_FORGET;
	if (!output_room(e, TURN_EFFECTS, TURN_BYTES)) {
		execution_wait(x, e->now.boot, TASK_FORGET);
		return;
	}
	struct engine_effect *effect = output_add(e, DO_JOURNAL);
	effect->journal.number = x->journal = ++e->out.journals;
	effect->journal.drop = true;
	effect->journal.id = x->record.id;
	x->state = EXECUTION_JOURNALING;
}

static void go_on(struct engine *e, struct execution *x, enum execution_task task)
{
	switch (task) {
	case TASK_DECIDE:
		x->state = EXECUTION_DECIDING;
		return;
	case TASK_ACT:
	case TASK_PROBE:
	case TASK_UNDO:
		steps_run(e, x, task);
		return;
	case TASK_JOURNAL:
		execution_journal(e, x, x->then);
		return;
	case TASK_REST:
		x->state = EXECUTION_RESTING;
		x->at = e->now.boot + RESEND;
		execution_report(e, x);
		return;
	case TASK_FORGET:
		drop(e, x);
		return;
	}
}

void execution_journal(struct engine *e, struct execution *x, enum execution_task then)
{
	x->then = then;
	if (!output_room(e, TURN_EFFECTS, TURN_BYTES)) {
		execution_wait(x, e->now.boot, TASK_JOURNAL);
		return;
	}
	struct engine_effect *effect = output_add(e, DO_JOURNAL);
	effect->journal.number = ++e->out.journals;
	effect->journal.id = x->record.id;
	effect->journal.record = output_copy(e, &x->record, sizeof(x->record));
	x->journal = effect->journal.number;
	x->state = EXECUTION_JOURNALING;
	if (ENGINE_WEAKENED(e, ENGINE_WEAK_JOURNAL))
		go_on(e, x, then);
}

static void journaled(struct engine *e, struct execution *x)
{
	if (x->then == TASK_FORGET) {
		output_trace(e, ENGINE_RULE_FORGOTTEN, x->record.number, 0, 0, NULL);
		x->used = false;
	} else if (x->orphan) {
		drop(e, x);
	} else {
		go_on(e, x, x->then);
	}
}

void executor_journaled(struct engine *e, uint64_t number, bool failed)
{
	for (uint32_t i = 0; i < e->settings.executing_max; i++) {
		struct execution *x = &e->executions[i];
		if (!x->used || x->state != EXECUTION_JOURNALING || x->journal != number)
			continue;
		if (failed) {
			output_trace(e, ENGINE_RULE_JOURNAL_FAILED, x->record.number, 0, 0, NULL);
			say(x->waits, sizeof(x->waits),
			    "its node's journal cannot be written: is its disk full?");
			execution_wait(x, e->now.boot + JOURNAL_AGAIN,
			               x->then == TASK_FORGET ? TASK_FORGET : TASK_JOURNAL);
			return;
		}
		x->waits[0] = '\0';
		journaled(e, x);
		return;
	}
}

/* ---- orders ---- */

/* Does this node's own ledger say that it has ended, or that the order is out of date? */
static bool over(struct engine *e, const struct engine_dispatch *d, bool *out_stale)
{
	const struct slot *slot = slot_by_id(e, &d->operation.id);
	uint64_t applied = e->settings.view->applied(e->settings.view->context);
	*out_stale = slot && slot->version > d->version;
	if (ENGINE_WEAKENED(e, ENGINE_WEAK_ENDED))
		return *out_stale = false;
	return (!slot || !slot->version) && applied >= d->version;
}

/* A new leg; what an earlier one of the same operation skipped stays known: there is nothing to
 * undo. */
static void record_begin(struct execution *x, uint64_t epoch, const struct engine_dispatch *d)
{
	struct journal_record *r = &x->record;
	uint64_t skipped = x->used ? r->skipped : 0;
	memset(x, 0, sizeof(*x));
	x->used = true;
	r->id = d->operation.id;
	r->number = d->operation.number;
	r->epoch = epoch;
	r->version = d->version;
	r->from = d->from;
	r->to = d->to;
	r->undoing = d->operation.undoing;
	r->phase = JOURNAL_NEXT;
	r->step = r->undoing ? d->to : d->from;
	r->skipped = skipped;
	r->operation = d->operation;
	memcpy(r->memo, d->operation.memo, sizeof(r->memo));
	x->state = EXECUTION_DECIDING;
}

static bool same_leg(const struct journal_record *r, const struct engine_dispatch *d)
{
	return r->from == d->from && r->to == d->to && r->undoing == d->operation.undoing;
}

/* What is at it, or was, hears the order again: perhaps of another master, perhaps to stop. */
static void again(struct engine *e, struct execution *x, uint64_t epoch,
                  const struct engine_dispatch *d)
{
	struct journal_record *r = &x->record;
	bool stop = d->operation.state == OPERATION_CANCELLING &&
	            r->operation.state != OPERATION_CANCELLING;
	r->operation = d->operation;
	r->version = d->version;
	r->epoch = epoch;
	if (x->state == EXECUTION_RESTING && r->phase != JOURNAL_ENDED) {
		output_trace(e, ENGINE_RULE_RESUMED, r->number, 0, r->step, NULL);
		x->state = EXECUTION_DECIDING;
	}
	if (stop)
		steps_cancel(e, x);
	execution_report(e, x);
}

static struct execution *execution_free(struct engine *e)
{
	for (uint32_t i = 0; i < e->settings.executing_max; i++) {
		if (!e->executions[i].used)
			return &e->executions[i];
	}
	return NULL;
}

static void take_order(struct engine *e, node_id from, uint64_t epoch,
                       const struct engine_dispatch *d)
{
	struct execution *x = execution_by_id(e, &d->operation.id);
	if (x && d->version < x->record.version)
		return; /* older than what is known here: its sender has newer, or is not master */
	if (x && same_leg(&x->record, d)) {
		x->master = from;
		again(e, x, epoch, d);
		return;
	}
	if (x && (x->state != EXECUTION_RESTING || x->record.phase != JOURNAL_ENDED)) {
		refuse(e, from, d, LEG_WAITING, "its node is still at another part of it");
		return;
	}
	if (!x)
		x = execution_free(e);
	if (!x) {
		refuse(e, from, d, LEG_WAITING, "its node does as much at once as it can");
		return;
	}
	record_begin(x, epoch, d);
	x->master = from;
	output_trace(e, ENGINE_RULE_TAKEN, d->operation.number, from, d->from, NULL);
}

/* Is it an order for this node that it understands? Else why not. */
static const char *wrong_order(struct engine *e, const struct engine_dispatch *d)
{
	const struct operation_row *row = &d->operation;
	const struct verb *verb = verb_find(e->settings.verbs, row->noun, row->verb);
	if (!verb || verb_step_count(verb) > STEPS_MAX)
		return "its node's essaim is too old to know how";
	if (row->step > verb_step_count(verb) ||
	    (row->undoing ? !row->step : row->step == verb_step_count(verb)))
		return "its steps are not those of its node's essaim";
	struct leg leg = leg_of(verb, row);
	if (leg.from != d->from || leg.to != d->to)
		return "its steps are not those of its node's essaim";
	if (leg.where >= row->target_count || row->targets[leg.where] != e->settings.self)
		return "it is another node's";
	return NULL;
}

void executor_dispatch(struct engine *e, node_id from, uint64_t epoch,
                       const struct engine_dispatch *d)
{
	if (!e->started)
		return;
	if (epoch < e->epoch_heard && !ENGINE_WEAKENED(e, ENGINE_WEAK_EPOCH)) {
		output_trace(e, ENGINE_RULE_OLD_EPOCH, d->operation.number, from, (int64_t)epoch,
		             NULL);
		refuse(e, from, d, LEG_OLD_EPOCH, "its node has heard of a later master");
		return;
	}
	if (epoch > e->epoch_heard)
		e->epoch_heard = epoch;
	bool stale;
	if (over(e, d, &stale)) {
		output_trace(e, ENGINE_RULE_NOT_OPEN, d->operation.number, from, 0, NULL);
		refuse(e, from, d, LEG_NONE, "by its node's ledger it has ended");
		return;
	}
	const char *wrong = stale ? NULL : wrong_order(e, d);
	if (wrong)
		refuse(e, from, d, LEG_NONE, wrong);
	else if (!stale)
		take_order(e, from, epoch, d);
}

/* ---- what has ended for everybody ---- */

void executor_ended(struct engine *e, const struct request_id *id)
{
	struct execution *x = execution_by_id(e, id);
	if (!x)
		return;
	switch (x->state) {
	case EXECUTION_RESTING:
	case EXECUTION_DECIDING:
	case EXECUTION_WAITING:
		drop(e, x);
		return;
	case EXECUTION_COMMAND: /* given up while this node is at it: the command is the last */
		x->orphan = true;
		steps_cancel(e, x);
		return;
	case EXECUTION_JOURNALING:
		x->orphan = true;
		return;
	}
}

/* Its row was gone before this node's ledger could show it going. */
static void look_whether_over(struct engine *e, struct execution *x)
{
	uint64_t applied = e->settings.view->applied(e->settings.view->context);
	if (x->at > e->now.boot) {
		due_at(e, x->at);
		return;
	}
	x->at = e->now.boot + 10 * RESEND;
	due_at(e, x->at);
	if (!slot_by_id(e, &x->record.id) && applied >= x->record.version)
		drop(e, x);
}

void executor_started(struct engine *e)
{
	for (uint32_t i = 0; i < e->settings.executing_max; i++)
		e->executions[i].at = e->now.boot;
}

static void progress_by_bytes(struct engine *e, struct execution *x)
{
	if (x->done_bytes == x->measured_bytes)
		return;
	if (e->now.boot < x->measured_at + PROGRESS_EVERY) {
		due_at(e, x->measured_at + PROGRESS_EVERY);
		return;
	}
	duration passed = e->now.boot - x->measured_at;
	uint64_t more = x->done_bytes > x->measured_bytes ? x->done_bytes - x->measured_bytes : 0;
	uint64_t rate = more * 1000 / (uint64_t)(passed / MILLISECOND);
	x->rate = x->rate ? (3 * x->rate + rate) / 4 : rate;
	x->measured_bytes = x->done_bytes;
	x->measured_at = e->now.boot;
	execution_report(e, x);
}

void executor_turn(struct engine *e)
{
	for (uint32_t i = 0; i < e->settings.executing_max; i++) {
		struct execution *x = &e->executions[i];
		if (!x->used)
			continue;
		if (x->orphan && (x->state == EXECUTION_DECIDING || x->state == EXECUTION_RESTING))
			drop(e, x);
		if (x->state == EXECUTION_RESTING)
			look_whether_over(e, x);
		else if (x->state == EXECUTION_COMMAND)
			progress_by_bytes(e, x);
		if (x->state == EXECUTION_WAITING && x->at <= e->now.boot)
			go_on(e, x, x->task);
		if (x->state == EXECUTION_DECIDING)
			steps_decide(e, x);
		if (x->used && x->state == EXECUTION_WAITING)
			due_at(e, x->at);
	}
}
