/*
 * engine_master.c: open operations go on: each turn looks at every slot and does what its row, its
 * wishes and the last report ask for. All that counts is committed; the rest is asked again.
 */
#include <assert.h>
#include <string.h>

#include "engine_inside.h"

/* ---- changes of a row ---- */

static bool may_propose(const struct engine *e, const struct slot *slot)
{
	return slot->version && !slot->proposal && slot->propose_at <= e->now.boot;
}

/* Proposes e->row in place of the slot's. */
static void propose_change(struct engine *e, struct slot *slot)
{
	struct registry_transaction t;
	struct proposal *p = proposal_begin(e, PROPOSE_CHANGE, &t);
	if (!p)
		return;
	p->slot = (uint32_t)(slot - e->slots);
	change_operation(e, &t, &e->row, slot->version);
	proposal_send(e, p, &t);
	slot->proposal = p->number;
}

/* Ends it: the row goes, the audit row says how, and the verb's own rows change with them. */
static void propose_end(struct engine *e, struct slot *slot, enum operation_state state,
                        const char *memo, const char *text)
{
	struct operation_row *row = &e->row;
	*row = slot->row;
	if (memo)
		memcpy(row->memo, memo, sizeof(row->memo));
	struct step_context context = {e->settings.view, row,       e->settings.self,
	                               e->now.wall,      row->memo, 0};
	struct step_why why = {""};
	e->changes.count = e->changes.used = 0;
	if (slot->verb && slot->verb->rows &&
	    !slot->verb->rows(&context, state, &e->changes, &why)) {
		state = OPERATION_UNKNOWN;
		e->changes.count = 0;
	}
	struct registry_transaction t;
	struct proposal *p = proposal_begin(e, PROPOSE_END, &t);
	if (!p)
		return;
	p->slot = (uint32_t)(slot - e->slots);
	struct audit_row audit = audit_of(row);
	audit.state = state;
	audit.ended_wall = e->now.wall > 0 ? e->now.wall : 1;
	say(audit.text, sizeof(audit.text), "%s", text);
	say_more(audit.text, sizeof(audit.text), why.text);
	uint8_t name[OPERATION_NAME_SIZE];
	operation_name(&row->id, name);
	change_drop(e, &t, REGISTRY_OPERATION, (struct bytes){name, sizeof(name)}, slot->version);
	change_audit(e, &t, &audit, false);
	if (row->blob_size)
		change_drop(e, &t, REGISTRY_BLOB, (struct bytes){name, sizeof(name)}, REGISTRY_ANY);
	change_others(e, &t, &e->changes);
	proposal_send(e, p, &t);
	slot->proposal = p->number;
	output_trace(e, ENGINE_RULE_ENDED, row->number, 0, (int64_t)state,
	             operation_state_name(state));
}

static void end_from_row(struct engine *e, struct slot *slot, enum operation_state state,
                         const char *more)
{
	char text[OPERATION_TEXT_MAX + 1];
	memcpy(text, slot->row.text, sizeof(text));
	say_more(text, sizeof(text), more);
	propose_end(e, slot, state, NULL, text);
}

static void begin(struct engine *e, struct slot *slot)
{
	if (!may_propose(e, slot) || slot->abandon)
		return;
	struct engine_member member;
	for (uint32_t i = 0; i < slot->row.target_count; i++) {
		if (view_member_by_id(e->settings.view, slot->row.targets[i], &member))
			continue;
		end_from_row(e, slot, OPERATION_UNDONE,
		             "its node was removed before it could begin");
		return;
	}
	e->row = slot->row;
	e->row.state = OPERATION_RUNNING;
	e->row.started_wall = e->now.wall;
	propose_change(e, slot);
	output_trace(e, ENGINE_RULE_BEGINS, slot->row.number, 0, 0, NULL);
}

/* ---- reports become rows ---- */

static void forward_done(struct engine *e, struct slot *slot, const struct leg *leg)
{
	const struct engine_report *report = &slot->report;
	if (leg->to == verb_step_count(slot->verb)) {
		propose_end(e, slot, OPERATION_DONE, report->memo, report->text);
		return;
	}
	e->row = slot->row;
	e->row.step = leg->to;
	e->row.undoing = slot->row.state == OPERATION_CANCELLING;
	memcpy(e->row.memo, report->memo, sizeof(e->row.memo));
	propose_change(e, slot);
	output_trace(e, ENGINE_RULE_LEG_DONE, slot->row.number, slot->row.targets[leg->where], 0,
	             NULL);
}

/* A leg is undone (or left as it is): the ones before it are next. */
static void gone_back(struct engine *e, struct slot *slot, const struct leg *leg)
{
	const struct engine_report *report = &slot->report;
	e->row = slot->row;
	say_more(e->row.text, sizeof(e->row.text), report->text);
	e->row.left = e->row.left || report->state == LEG_FAILED;
	e->row.undoing = true;
	e->row.step = leg->from;
	if (leg->from == 0 || ENGINE_WEAKENED(e, ENGINE_WEAK_UNDO)) {
		char text[OPERATION_TEXT_MAX + 1];
		memcpy(text, e->row.text, sizeof(text));
		propose_end(e, slot, e->row.left ? OPERATION_FAILED : OPERATION_UNDONE,
		            report->memo, text);
		return;
	}
	output_trace(e, ENGINE_RULE_GOES_BACK, slot->row.number, 0, 0, e->row.text);
	propose_change(e, slot);
}

/* True: the report decided something, which is proposed. */
static bool report_decides(struct engine *e, struct slot *slot, const struct leg *leg)
{
	const struct engine_report *report = &slot->report;
	if (!slot->reported || report->from != leg->from || report->to != leg->to ||
	    report->undoing != leg->undoing)
		return false;
	switch (report->state) {
	case LEG_NONE:
	case LEG_WAITING:
	case LEG_RUNNING:
	case LEG_OLD_EPOCH:
		return false;
	case LEG_DONE:
		if (leg->undoing)
			gone_back(e, slot, leg);
		else
			forward_done(e, slot, leg);
		return true;
	case LEG_UNDONE:
	case LEG_FAILED:
		gone_back(e, slot, leg);
		return true;
	case LEG_UNKNOWN:
		end_from_row(e, slot, OPERATION_UNKNOWN, report->text);
		return true;
	}
	return false;
}

void master_report(struct engine *e, node_id from, const struct engine_report *report)
{
	struct slot *slot = slot_by_id(e, &report->id);
	if (!slot || !slot->version || !slot->verb)
		return;
	struct leg leg = leg_of(slot->verb, &slot->row);
	if (from != slot->row.targets[leg.where] || report->from != leg.from ||
	    report->to != leg.to || report->undoing != leg.undoing)
		return; /* of a leg that is over, or of nobody we asked */
	slot->report = *report;
	slot->reported = true;
	slot->dispatch_at = e->now.boot + RESEND;
	for (uint32_t i = 0; i < e->settings.watchers_max && e->watcher_count; i++) {
		if (e->watchers[i].used && e->watchers[i].number == slot->row.number)
			e->watchers[i].tell_at = e->now.boot;
	}
}

/* ---- the turn ---- */

static void dispatch(struct engine *e, struct slot *slot, const struct leg *leg)
{
	if (slot->dispatch_at > e->now.boot || !output_room(e, TURN_EFFECTS, TURN_BYTES))
		return;
	struct engine_message *m = &e->message;
	memset(m, 0, sizeof(*m));
	m->kind = ENGINE_MESSAGE_DISPATCH;
	m->epoch = e->epoch;
	m->dispatch.from = leg->from;
	m->dispatch.to = leg->to;
	m->dispatch.version = slot->version;
	m->dispatch.operation = slot->row;
	output_send(e, slot->row.targets[leg->where], m);
	slot->dispatch_at = e->now.boot + RESEND;
	output_trace(e, ENGINE_RULE_DISPATCHED, slot->row.number, slot->row.targets[leg->where],
	             leg->from, NULL);
}

static bool past_deadline(const struct engine *e, const struct slot *slot)
{
	return e->now.wall >= slot->row.deadline_wall;
}

static void due_at_deadline(struct engine *e, const struct slot *slot)
{
	duration left = slot->row.deadline_wall - e->now.wall;
	due_at(e,
	       e->now.boot + (left < 10 * SECOND ? left : 10 * SECOND)); /* wall clocks are set */
}

static void cancel(struct engine *e, struct slot *slot)
{
	e->row = slot->row;
	e->row.state = OPERATION_CANCELLING;
	say_more(e->row.text, sizeof(e->row.text),
	         slot->cancel ? slot->wish : "its deadline passed");
	output_trace(e, ENGINE_RULE_CANCELLING, slot->row.number, 0, 0, e->row.text);
	propose_change(e, slot);
}

static bool target_gone(struct engine *e, struct slot *slot, const struct leg *leg)
{
	struct engine_member member;
	if (!slot->look)
		return false;
	slot->look = false;
	if (view_member_by_id(e->settings.view, slot->row.targets[leg->where], &member))
		return false;
	slot->look = true; /* until that is committed */
	char text[160];
	say(text, sizeof(text),
	    "the node that did it was removed from the cluster at step %u: how far it went is not "
	    "known",
	    slot->row.step);
	output_trace(e, ENGINE_RULE_TARGET_GONE, slot->row.number, slot->row.targets[leg->where], 0,
	             NULL);
	end_from_row(e, slot, OPERATION_UNKNOWN, text);
	return true;
}

static void consider_queued(struct engine *e, struct slot *slot)
{
	if (slot->cancel || slot->abandon)
		end_from_row(e, slot, OPERATION_UNDONE, slot->wish);
	else if (past_deadline(e, slot))
		end_from_row(e, slot, OPERATION_UNDONE,
		             "its deadline passed before it could begin");
	else
		due_at_deadline(e, slot);
}

static void give_up(struct engine *e, struct slot *slot)
{
	char text[sizeof(slot->wish) + 80];
	say(text, sizeof(text), "%s: what its node did last is not known", slot->wish);
	end_from_row(e, slot, OPERATION_UNKNOWN, text);
}

static void consider_running(struct engine *e, struct slot *slot)
{
	struct leg leg = leg_of(slot->verb, &slot->row);
	if (slot->abandon) {
		give_up(e, slot);
		return;
	}
	if (target_gone(e, slot, &leg) || report_decides(e, slot, &leg))
		return;
	bool stops = (slot->cancel || past_deadline(e, slot)) && !slot->row.undoing;
	if (slot->row.state == OPERATION_RUNNING && stops) {
		cancel(e, slot);
		return;
	}
	dispatch(e, slot, &leg);
	due_at(e, slot->dispatch_at);
	if (slot->row.state == OPERATION_RUNNING)
		due_at_deadline(e, slot);
}

static void consider(struct engine *e, struct slot *slot)
{
	if (!may_propose(e, slot)) {
		if (slot->version && slot->row.state == OPERATION_QUEUED && slot->verb &&
		    ENGINE_WEAKENED(e, ENGINE_WEAK_COMMIT)) {
			struct leg leg = leg_of(slot->verb, &slot->row);
			dispatch(e, slot, &leg);
		}
		if (slot->propose_at > e->now.boot)
			due_at(e, slot->propose_at);
		return;
	}
	if (!output_room(e, TURN_EFFECTS, TURN_BYTES))
		return;
	if (!slot->verb) { /* its steps are known to a newer essaim only: that one's turn as master
		            */
		if (slot->abandon)
			give_up(e, slot);
		return;
	}
	if (slot->row.state == OPERATION_QUEUED)
		consider_queued(e, slot);
	else if (!ENGINE_WEAKENED(e, ENGINE_WEAK_ADOPT) || slot->row.epoch == e->epoch)
		consider_running(e, slot);
}

void master_turn(struct engine *e)
{
	for (uint32_t i = 0; i < e->slot_count; i++) {
		if (e->slots[i].used)
			consider(e, &e->slots[i]);
	}
	if (e->queue_dirty) {
		e->queue_dirty = false;
		locks_queue(e, begin);
		e->queue_dirty = e->queue_dirty || e->more;
	}
}

void master_gained(struct engine *e)
{
	if (e->ordered_count)
		output_trace(e, ENGINE_RULE_ADOPTED, 0, 0, e->ordered_count, NULL);
	for (uint32_t i = 0; i < e->slot_count; i++) {
		e->slots[i].dispatch_at = 0;
		e->slots[i].look = true;
		e->slots[i].reported = false;
		e->slots[i].propose_at = 0;
	}
	e->queue_dirty = true;
}

/* ---- progress ---- */

static void queued_waits(const struct engine *e, const struct slot *slot,
                         struct engine_progress *out)
{
	for (uint32_t i = 0; i < e->ordered_count; i++) {
		const struct slot *other = &e->slots[e->ordered[i]];
		if (other == slot)
			break;
		for (uint32_t a = 0; a < slot->lock_count; a++) {
			for (uint32_t b = 0; b < other->lock_count; b++) {
				if (slot->locks[a] != other->locks[b])
					continue;
				say(out->waits, sizeof(out->waits),
				    "waits for operation %llu, %s %s",
				    (unsigned long long)other->row.number, other->row.noun,
				    other->row.verb);
				return;
			}
		}
	}
	say(out->waits, sizeof(out->waits), "waits for its turn");
}

void master_progress(const struct engine *e, const struct slot *slot, struct engine_progress *out)
{
	memset(out, 0, sizeof(*out));
	out->time_left = out->step_age = -1;
	if (slot->reported)
		*out = slot->report.progress;
	out->state = slot->row.state;
	out->undoing = slot->row.undoing || out->undoing;
	if (!slot->verb) {
		say(out->waits, sizeof(out->waits), "this master is too old to know what it is");
		return;
	}
	out->step_count = slot->verb->step_count;
	if (slot->row.state == OPERATION_QUEUED) {
		queued_waits(e, slot, out);
		return;
	}
	struct engine_member member;
	struct leg leg = leg_of(slot->verb, &slot->row);
	bool known = view_member_by_id(e->settings.view, slot->row.targets[leg.where], &member);
	if (known && member.state == UNREACHABLE)
		say(out->waits, sizeof(out->waits),
		    "'%s', where it runs, is unreachable: it is finished when that is back",
		    member.name);
	else if (slot->reported &&
	         (slot->report.state == LEG_NONE || slot->report.state == LEG_WAITING))
		say(out->waits, sizeof(out->waits), "%.*s", (int)sizeof(out->waits) - 1,
		    slot->report.text);
	else if (!slot->reported && known)
		say(out->waits, sizeof(out->waits), "'%s' is asked how far it is", member.name);
}
