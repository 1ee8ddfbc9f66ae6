/*
 * engine_steps.c: one leg, step by step: forward, and back when it fails or is cancelled.
 *
 *     forward:  check -> ABOUT durable -> act --OK--> next step
 *                                          |--certainly not--> back
 *                                          `--nobody knows --> probe --there--> next step
 *                                                                `---absent--> back (after a crash:
 * act again) back:     ABOUT durable -> undo --OK, or the probe finds nothing--> the step below
 *                                  `--it stays--> left behind, told, and on
 *     at both ends: ENDED durable -> report
 */
#include <assert.h>
#include <string.h>

#include "engine_inside.h"

static bool goes_back(const struct execution *x)
{
	return x->record.undoing || x->record.backing;
}

/* The step it is at. */
static uint32_t index_of(const struct execution *x)
{
	return goes_back(x) ? x->record.step - 1 : x->record.step;
}

static const struct verb_step *step_of(const struct engine *e, const struct execution *x)
{
	return step_at(execution_verb(e, x), index_of(x));
}

static struct step_context context_of(const struct engine *e, struct execution *x)
{
	return (struct step_context){
	    .view = e->settings.view,
	    .operation = &x->record.operation,
	    .self = e->settings.self,
	    .now_wall = e->now.wall,
	    .memo = x->record.memo,
	    .hook_program = e->settings.hook_program,
	};
}

/* One more sentence for whoever asks why. */
static void note(struct execution *x, const char *head, const char *text)
{
	char all[OPERATION_TEXT_MAX + 1];
	say(all, sizeof(all), "%s%s", head, text);
	say_more(x->record.text, sizeof(x->record.text), all);
}

static void end_leg(struct engine *e, struct execution *x, enum leg_state outcome)
{
	x->record.phase = JOURNAL_ENDED;
	x->record.outcome = outcome;
	execution_journal(e, x, TASK_REST);
}

/* ---- moving on ---- */

static void next_step(struct execution *x)
{
	struct journal_record *r = &x->record;
	if (goes_back(x))
		r->step--;
	else
		r->step++;
	r->attempt = 0;
	r->phase = JOURNAL_NEXT;
	x->waits_until = 0;
	x->done_bytes = x->total_bytes = x->measured_bytes = x->rate = 0;
	x->why.text[0] = x->waits[0] = '\0';
	x->state = EXECUTION_DECIDING;
}

/* From here on what this leg did is undone. `also`: the present step may have had an effect. */
static void turn_back(struct execution *x, bool also)
{
	x->record.backing = true;
	x->record.phase = JOURNAL_NEXT;
	x->record.attempt = 0;
	x->record.step += also;
	x->why.text[0] = x->waits[0] = '\0';
	x->waits_until = 0;
	x->state = EXECUTION_DECIDING;
}

static void fail(struct engine *e, struct execution *x, const char *why, bool also)
{
	char head[NAME_MAX_SIZE + 4];
	say(head, sizeof(head), "%s: ", step_of(e, x)->name);
	note(x, head, why);
	output_trace(e, ENGINE_RULE_STEP_FAILED, x->record.number, 0, index_of(x), why);
	turn_back(x, also);
}

static void leave_behind(struct engine *e, struct execution *x, const char *why)
{
	char head[NAME_MAX_SIZE + 32];
	say(head, sizeof(head), "not undone: %s%s", step_of(e, x)->name, *why ? ": " : "");
	note(x, head, why);
	x->record.left = true;
	next_step(x);
}

static void nobody_knows(struct engine *e, struct execution *x)
{
	char head[NAME_MAX_SIZE + 64];
	say(head, sizeof(head), "%s: it is not known whether that was done%s", step_of(e, x)->name,
	    x->why.text[0] ? ": " : "");
	note(x, head, x->why.text);
	end_leg(e, x, LEG_UNKNOWN);
}

static void begin(struct engine *e, struct execution *x, enum execution_task task)
{
	x->record.phase = JOURNAL_ABOUT;
	x->record.attempt++;
	x->step_began = e->now.boot;
	x->probes = 0;
	execution_journal(e, x, task);
}

static void probe(struct engine *e, struct execution *x)
{
	output_trace(e, ENGINE_RULE_PROBES, x->record.number, 0, index_of(x), NULL);
	steps_run(e, x, TASK_PROBE);
}

/* ---- forward ---- */

static void begin_act(struct engine *e, struct execution *x)
{
	if (x->record.attempt >= ATTEMPTS_MAX) {
		fail(e, x,
		     "it was begun three times, and each time its node stopped before it ended",
		     false);
		return;
	}
	output_trace(e, ENGINE_RULE_STEP, x->record.number, 0, index_of(x), step_of(e, x)->name);
	begin(e, x, TASK_ACT);
	if (x->record.attempt == 1)
		execution_report(e, x);
}

static void check_again(struct engine *e, struct execution *x, const struct verb_step *step,
                        const char *why)
{
	if (!x->waits_until)
		x->waits_until = e->now.boot + (step->timeout ? step->timeout : STEP_TIMEOUT);
	if (e->now.boot >= x->waits_until) {
		fail(e, x, why, false);
		return;
	}
	say(x->waits, sizeof(x->waits), "%.*s", (int)sizeof(x->waits) - 1, why);
	execution_wait(x, e->now.boot + CHECK_AGAIN, TASK_DECIDE);
}

static void consider(struct engine *e, struct execution *x, const struct verb_step *step)
{
	struct step_why why = {""};
	struct step_context context = context_of(e, x);
	enum step_verdict verdict = step->check ? step->check(&context, &why) : STEP_OK;
	switch (verdict) {
	case STEP_OK:
		if (step->act.build) {
			begin_act(e, x);
			return;
		}
		break; /* the check was all of it */
	case STEP_WAIT:
		check_again(e, x, step, why.text);
		return;
	case STEP_FAILED:
	case STEP_UNCERTAIN:
	case STEP_ABSENT:
		fail(e, x, why.text, false);
		return;
	case STEP_SKIP:
	case STEP_THERE:
		break;
	}
	x->record.skipped |= 1ull << x->record.step;
	next_step(x);
}

/* The record is of an earlier life: was the step done? */
static void recover_forward(struct engine *e, struct execution *x, const struct verb_step *step)
{
	x->step_began = e->now.boot;
	if (step->probe.build && !ENGINE_WEAKENED(e, ENGINE_WEAK_PROBE)) {
		x->probes = 0;
		probe(e, x);
	} else if (step->repeatable || ENGINE_WEAKENED(e, ENGINE_WEAK_PROBE)) {
		begin_act(e, x);
	} else {
		nobody_knows(e, x);
	}
}

static void forward(struct engine *e, struct execution *x)
{
	struct journal_record *r = &x->record;
	if (r->step == r->to) {
		end_leg(e, x, LEG_DONE);
		return;
	}
	const struct verb_step *step = step_of(e, x);
	if (x->recover) {
		x->recover = false;
		recover_forward(e, x, step);
	} else if (r->operation.state == OPERATION_CANCELLING && step->cancellable) {
		r->cancelled = true;
		turn_back(x, false);
	} else {
		consider(e, x, step);
	}
}

/* ---- back ---- */

static void recover_backward(struct engine *e, struct execution *x, const struct verb_step *step)
{
	x->step_began = e->now.boot;
	if (step->probe.build) {
		x->probes = 0;
		probe(e, x);
	} else if (step->repeatable && x->record.attempt < ATTEMPTS_MAX) {
		begin(e, x, TASK_UNDO);
	} else {
		leave_behind(e, x, "its node stopped in the middle of undoing it");
	}
}

static void backward(struct engine *e, struct execution *x)
{
	struct journal_record *r = &x->record;
	if (r->step == r->from) {
		if (r->undoing)
			end_leg(e, x, r->left ? LEG_FAILED : LEG_DONE);
		else
			end_leg(e, x, r->left ? LEG_FAILED : LEG_UNDONE);
		return;
	}
	const struct verb_step *step = step_of(e, x);
	if (x->recover) {
		x->recover = false;
		recover_backward(e, x, step);
	} else if (r->skipped >> index_of(x) & 1 || step->harmless || !step->act.build) {
		next_step(x);
	} else if (!step->undo.build) {
		leave_behind(e, x, "");
	} else if (r->attempt >= ATTEMPTS_MAX) {
		struct step_why why = x->why;
		leave_behind(e, x, why.text);
	} else {
		output_trace(e, ENGINE_RULE_UNDOES, r->number, 0, index_of(x), NULL);
		begin(e, x, TASK_UNDO);
	}
}

void steps_decide(struct engine *e, struct execution *x)
{
	while (x->used && x->state == EXECUTION_DECIDING) {
		if (!output_room(e, TURN_EFFECTS, TURN_BYTES))
			return;
		if (goes_back(x))
			backward(e, x);
		else
			forward(e, x);
	}
}

/* ---- commands ---- */

static const struct step_act *act_of(const struct verb_step *step, enum execution_task task)
{
	if (task == TASK_PROBE)
		return &step->probe;
	return task == TASK_UNDO ? &step->undo : &step->act;
}

static void act_ended(struct engine *e, struct execution *x, enum step_verdict verdict,
                      const char *why);
static void undo_ended(struct engine *e, struct execution *x, enum step_verdict verdict,
                       const char *why);
static void probe_ended(struct engine *e, struct execution *x, enum step_verdict verdict,
                        const char *why);

static void ended(struct engine *e, struct execution *x, enum execution_task task,
                  enum step_verdict verdict, const char *why)
{
	if (task == TASK_PROBE)
		probe_ended(e, x, verdict, why);
	else if (task == TASK_UNDO)
		undo_ended(e, x, verdict, why);
	else
		act_ended(e, x, verdict, why);
}

void steps_run(struct engine *e, struct execution *x, enum execution_task task)
{
	const struct verb_step *step = step_of(e, x);
	struct step_context context = context_of(e, x);
	struct step_why why = {""};
	if (!output_room(e, TURN_EFFECTS, TURN_BYTES)) {
		execution_wait(x, e->now.boot, task);
		return;
	}
	struct command_line *command = &e->command;
	memset(command, 0, sizeof(*command));
	bool built = act_of(step, task)->build(&context, command, &why);
	if (built && command->overflow)
		verdict_why(&why, STEP_FAILED, "its command would be too long");
	if (!built || command->overflow) {
		x->state = EXECUTION_DECIDING;
		ended(e, x, task, STEP_FAILED, why.text);
		return;
	}
	if (!command->timeout)
		command->timeout = step->timeout ? step->timeout : STEP_TIMEOUT;
	if (!command->output_limit)
		command->output_limit = OUTPUT_LIMIT;
	struct command_line *kept = output_copy(e, command, sizeof(*command));
	for (uint32_t i = 0; i < kept->word_count;
	     i++) { /* words point into text, and text has moved */
		if (kept->words[i] >= command->text &&
		    kept->words[i] < command->text + sizeof(command->text))
			kept->words[i] = kept->text + (kept->words[i] - command->text);
	}
	x->run = ++e->runs;
	x->task = task;
	x->killed = false;
	x->state = EXECUTION_COMMAND;
	x->command_deadline = e->now.boot + command->timeout;
	x->measured_at = e->now.boot;
	struct engine_effect *effect = output_add(e, DO_RUN);
	effect->run.run = x->run;
	effect->run.operation = x->record.number;
	effect->run.step = step->name;
	effect->run.command = kept;
}

void steps_cancel(struct engine *e, struct execution *x)
{
	if (x->state == EXECUTION_WAITING && x->task == TASK_DECIDE)
		x->state = EXECUTION_DECIDING;
	if (x->state != EXECUTION_COMMAND || x->task != TASK_ACT || x->killed ||
	    !step_of(e, x)->cancellable || !output_room(e, TURN_EFFECTS, TURN_BYTES))
		return;
	x->killed = true;
	x->command_deadline = e->now.boot; /* from now on it may be called stuck */
	output_add(e, DO_KILL)->kill.run = x->run;
	output_trace(e, ENGINE_RULE_KILLED, x->record.number, 0, 0, NULL);
}

/* ---- results ---- */

/* The tool's own last words, and how it ended. */
static void say_end(const struct command_result *result, struct step_why *why)
{
	size_t size = result->err.size;
	const char *err = (const char *)result->err.data;
	while (size && (err[size - 1] == '\n' || err[size - 1] == ' '))
		size--;
	size_t kept = size < 500 ? size : 500;
	const char *tail = size ? err + size - kept : "";
	switch (result->end) {
	case COMMAND_EXITED:
		verdict_why(why, STEP_FAILED, "exit %d%s%.*s", result->code, kept ? ": " : "",
		            (int)kept, tail);
		return;
	case COMMAND_SIGNALED:
		verdict_why(why, STEP_FAILED, "ended by signal %d%s%.*s", result->code,
		            kept ? ": " : "", (int)kept, tail);
		return;
	case COMMAND_TIMED_OUT:
		verdict_why(why, STEP_FAILED, "it did not end in its time and was killed");
		return;
	case COMMAND_KILLED:
		verdict_why(why, STEP_FAILED, "it was killed");
		return;
	case COMMAND_NOT_STARTED:
		verdict_why(why, STEP_FAILED, "it could not be started%s%.*s", kept ? ": " : "",
		            (int)kept, tail);
		return;
	case COMMAND_LOST:
		verdict_why(why, STEP_FAILED, "its result was lost%s%.*s", kept ? ": " : "", (int)kept,
		            tail);
		return;
	}
}

static enum step_verdict judge(struct engine *e, struct execution *x,
                               const struct command_result *result, struct step_why *why)
{
	const struct step_act *act = act_of(step_of(e, x), x->task);
	struct step_context context = context_of(e, x);
	if (result->end == COMMAND_NOT_STARTED) {
		say_end(result, why);
		return STEP_FAILED;
	}
	if (result->end != COMMAND_EXITED) {
		say_end(result, why);
		return STEP_UNCERTAIN;
	}
	if (act->judge)
		return act->judge(&context, result, why);
	if (result->code)
		say_end(result, why);
	return result->code == 0 ? STEP_OK : STEP_UNCERTAIN;
}

static void act_ended(struct engine *e, struct execution *x, enum step_verdict verdict,
                      const char *why)
{
	const struct verb_step *step = step_of(e, x);
	if (verdict == STEP_OK) {
		note(x, "", why);
		output_trace(e, ENGINE_RULE_STEP_DONE, x->record.number, 0, index_of(x),
		             step->name);
		next_step(x);
	} else if (verdict == STEP_FAILED || ENGINE_WEAKENED(e, ENGINE_WEAK_LOST)) {
		fail(e, x, why, false);
	} else if (step->probe.build) {
		verdict_why(&x->why, STEP_UNCERTAIN, "%s",
		            *why ? why : "it is not clear how it ended");
		probe(e, x);
	} else if (step->repeatable) {
		fail(e, x, why, !step->harmless);
	} else {
		verdict_why(&x->why, STEP_UNCERTAIN, "%s", why);
		nobody_knows(e, x);
	}
}

static void undo_ended(struct engine *e, struct execution *x, enum step_verdict verdict,
                       const char *why)
{
	if (verdict == STEP_OK) {
		next_step(x);
		return;
	}
	char kept[OPERATION_TEXT_MAX + 1];
	say(kept, sizeof(kept), "%s", why);
	verdict_why(&x->why, STEP_FAILED, "%s", kept);
	if (step_of(e, x)->probe.build)
		probe(e, x);
	else
		leave_behind(e, x, kept);
}

static void found_there(struct engine *e, struct execution *x)
{
	output_trace(e, ENGINE_RULE_FOUND_DONE, x->record.number, 0, index_of(x), NULL);
	if (goes_back(x)) /* still there: undo it (again) */
		execution_wait(x, e->now.boot + (x->why.text[0] ? PROBE_AGAIN : 0), TASK_DECIDE);
	else
		next_step(x);
}

static void found_absent(struct engine *e, struct execution *x)
{
	output_trace(e, ENGINE_RULE_FOUND_ABSENT, x->record.number, 0, index_of(x), NULL);
	if (goes_back(x)) {
		next_step(x);
	} else if (x->record.operation.state == OPERATION_CANCELLING &&
	           step_of(e, x)->cancellable) {
		x->record.cancelled = true;
		turn_back(x, false);
	} else if (x->why.text[0]) {
		struct step_why why = x->why;
		fail(e, x, why.text, false);
	} else {
		begin_act(e, x);
	}
}

static void probe_ended(struct engine *e, struct execution *x, enum step_verdict verdict,
                        const char *why)
{
	if (verdict == STEP_THERE) {
		found_there(e, x);
	} else if (verdict == STEP_ABSENT) {
		found_absent(e, x);
	} else if (++x->probes < PROBES_MAX) {
		say(x->waits, sizeof(x->waits), "asks whether that was done: %.80s", why);
		execution_wait(x, e->now.boot + PROBE_AGAIN, TASK_PROBE);
	} else if (goes_back(x)) {
		leave_behind(e, x, why);
	} else {
		if (!x->why.text[0])
			verdict_why(&x->why, STEP_UNCERTAIN, "%s", why);
		nobody_knows(e, x);
	}
}

static struct execution *by_run(struct engine *e, uint64_t run)
{
	for (uint32_t i = 0; run && i < e->settings.executing_max; i++) {
		struct execution *x = &e->executions[i];
		if (x->used && x->state == EXECUTION_COMMAND && x->run == run)
			return x;
	}
	return NULL;
}

void steps_result(struct engine *e, uint64_t run, const struct command_result *result)
{
	struct execution *x = by_run(e, run);
	if (!x)
		return;
	struct step_why why = {""};
	enum execution_task task = x->task;
	enum step_verdict verdict = judge(e, x, result, &why);
	x->run = 0;
	x->state = EXECUTION_DECIDING; /* the turn goes on from here */
	if (!x->orphan)
		ended(e, x, task, verdict, why.text);
}

void steps_output(struct engine *e, uint64_t run, uint64_t done, uint64_t total)
{
	struct execution *x = by_run(e, run);
	if (!x)
		return;
	x->done_bytes = done;
	x->total_bytes = total;
}
