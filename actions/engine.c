/*
 * engine.c: memory, the step, the deadline.
 */
#include <assert.h>
#include <string.h>

#include "engine_inside.h"

static struct engine_settings filled(const struct engine_settings *in)
{
	struct engine_settings s = *in;
	if (!s.operations_max)
		s.operations_max = OPERATIONS_MAX;
	if (!s.executing_max)
		s.executing_max = 64;
	if (!s.running_per_node)
		s.running_per_node = 8;
	if (!s.watchers_max)
		s.watchers_max = 1024;
	if (!s.audit_max)
		s.audit_max = AUDIT_ROWS_MAX;
	if (!s.jobs_max)
		s.jobs_max = JOBS_MAX;
	return s;
}

/* Where the arrays lie behind the struct; `base` NULL: only how much it all takes. */
static size_t lay_out(struct engine *e, uint8_t *base, const struct engine_settings *s)
{
	size_t at = (sizeof(struct engine) + 15) & ~(size_t)15;
	uint32_t table = 64;
	while (table < 2 * s->operations_max * LOCKS_PER_ROW_MAX)
		table *= 2;
#define PLACE(member, count)                                                                       \
	do {                                                                                       \
		if (base)                                                                          \
			e->member = (void *)(base + at);                                           \
		at = (at + sizeof(*e->member) * (count) + 15) & ~(size_t)15;                       \
	} while (0)
	PLACE(slots, s->operations_max);
	PLACE(ordered, s->operations_max);
	PLACE(table, table);
	PLACE(loads, s->operations_max * OPERATION_TARGETS_MAX);
	PLACE(audit.list, 2 * s->audit_max);
	PLACE(jobs, s->jobs_max);
	PLACE(watchers, s->watchers_max);
	PLACE(executions, s->executing_max);
#undef PLACE
	if (base) {
		e->table_mask = table - 1;
		e->audit.capacity = 2 * s->audit_max;
		e->audit.sorted = true;
	}
	return at;
}

size_t engine_size(const struct engine_settings *settings)
{
	struct engine_settings s = filled(settings);
	return lay_out(NULL, NULL, &s);
}

struct engine *engine_init(void *memory, const struct engine_settings *settings)
{
	struct engine *e = memory;
	e->settings = filled(settings);
	lay_out(e, memory, &e->settings);
	return e;
}

static void heard_of_epoch(struct engine *e, uint64_t epoch)
{
	if (epoch > e->epoch_heard)
		e->epoch_heard = epoch;
}

bool engine_load_journal(struct engine *e, const struct journal_record *record)
{
	assert(!e->started);
	for (uint32_t i = 0; i < e->settings.executing_max; i++) {
		struct execution *x = &e->executions[i];
		if (x->used)
			continue;
		memset(x, 0, sizeof(*x));
		x->used = true;
		x->recover = record->phase == JOURNAL_ABOUT;
		x->record = *record;
		heard_of_epoch(e, record->epoch);
		return true;
	}
	return false;
}

static void mastership(struct engine *e, bool master, uint64_t epoch)
{
	heard_of_epoch(e, epoch);
	bool was = e->master && e->epoch == epoch;
	e->epoch = epoch;
	if (master && was)
		return;
	if (e->master) {
		e->master = false;
		proposals_forget(e);
		watchers_not_master(e);
	}
	if (master) {
		e->master = true;
		master_gained(e);
	}
}

static void message_input(struct engine *e, node_id from, const struct engine_message *message)
{
	switch (message->kind) {
	case ENGINE_MESSAGE_DISPATCH:
		executor_dispatch(e, from, message->epoch, &message->dispatch);
		return;
	case ENGINE_MESSAGE_REPORT:
		heard_of_epoch(e, message->epoch);
		if (e->master)
			master_report(e, from, &message->report);
		return;
	}
}

/* What waits for something to change. */
static void look_again(struct engine *e)
{
	e->queue_dirty = true;
	for (uint32_t i = 0; i < e->settings.executing_max; i++) {
		struct execution *x = &e->executions[i];
		if (x->used && x->state == EXECUTION_WAITING && x->task == TASK_DECIDE)
			x->at = e->now.boot;
	}
}

static void take(struct engine *e, const struct engine_input *input)
{
	switch (input->kind) {
	case ENGINE_TICK:
		return;
	case ENGINE_START:
		e->started = true;
		executor_started(e);
		return;
	case ENGINE_ROW:
		rows_input(e, input);
		return;
	case ENGINE_MEMBER:
		for (uint32_t i = 0; i < e->slot_count; i++)
			e->slots[i].look = true;
		look_again(e);
		return;
	case ENGINE_MASTERSHIP:
		mastership(e, input->mastership.master, input->mastership.epoch);
		return;
	case ENGINE_PROPOSED:
		proposed_input(e, input->proposed.number, input->proposed.result,
		               input->proposed.text);
		return;
	case ENGINE_REQUEST:
		request_input(e, input->request);
		return;
	case ENGINE_MESSAGE:
		message_input(e, input->message.from, input->message.message);
		return;
	case ENGINE_JOURNALED:
		executor_journaled(e, input->journaled.number, input->journaled.failed);
		return;
	case ENGINE_RESULT:
		steps_result(e, input->result.run, input->result.result);
		return;
	case ENGINE_OUTPUT:
		steps_output(e, input->output.run, input->output.done_bytes,
		             input->output.total_bytes);
		return;
	}
}

void engine_step(struct engine *e, const struct now *now, const struct engine_input *input,
                 struct engine_output *out)
{
	output_begin(e);
	e->now = *now;
	e->more = false;
	e->due = NEVER;
	take(e, input);
	if (e->started) {
		executor_turn(e);
		if (e->master) {
			master_turn(e);
			jobs_turn(e);
			watchers_tell(e);
		}
	}
	out->count = e->out.count;
	out->list = e->out.list;
}

instant engine_deadline(const struct engine *e, const struct now *now)
{
	return e->more ? now->boot : e->due;
}

/* ---- for those who show ---- */

static const struct slot *shown_slot(const struct engine *e, uint64_t number)
{
	for (uint32_t i = 0; i < e->ordered_count; i++) {
		if (e->slots[e->ordered[i]].row.number == number)
			return &e->slots[e->ordered[i]];
	}
	return NULL;
}

bool engine_progress_of(const struct engine *e, uint64_t number, const struct now *now,
                        struct engine_progress *out)
{
	for (uint32_t i = 0; i < e->settings.executing_max; i++) {
		const struct execution *x = &e->executions[i];
		if (x->used && x->record.number == number) {
			execution_progress(e, x, out);
			return true;
		}
	}
	const struct slot *slot = shown_slot(e, number);
	if (!slot || !e->master)
		return false;
	master_progress(e, slot, out);
	return true;
}

void engine_figures(const struct engine *e, const struct now *now, struct engine_figures *out)
{
	memset(out, 0, sizeof(*out));
	for (uint32_t i = 0; i < e->ordered_count; i++) {
		enum operation_state state = e->slots[e->ordered[i]].row.state;
		out->open++;
		out->queued += state == OPERATION_QUEUED;
		out->running += state != OPERATION_QUEUED;
	}
	for (uint32_t i = 0; i < e->settings.executing_max; i++) {
		const struct execution *x = &e->executions[i];
		out->executing += x->used;
		if (!x->used || x->state != EXECUTION_COMMAND ||
		    now->boot < x->command_deadline + STUCK_AFTER)
			continue;
		if (now->boot - x->command_deadline > out->stuck_for) {
			out->stuck_for = now->boot - x->command_deadline;
			out->stuck_run = x->run;
		}
	}
	out->watchers = e->watcher_count;
	for (uint32_t i = 0; i < PROPOSALS_MAX; i++)
		out->proposals += e->proposals[i].number != 0;
}
