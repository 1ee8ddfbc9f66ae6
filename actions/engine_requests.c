/*
 * engine_requests.c: what people ask of the master: to begin, to wait, to cancel, to give up.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "engine_inside.h"

/* The row that would be committed, from the request and its plan. */
static void row_from(struct engine *e, const struct engine_request *request,
                     const struct verb *verb, const struct operation_plan *plan,
                     struct operation_row *row)
{
	memset(row, 0, sizeof(*row));
	row->id = request->id;
	row->epoch = e->epoch;
	memcpy(row->noun, request->noun, sizeof(row->noun));
	memcpy(row->verb, request->verb, sizeof(row->verb));
	memcpy(row->subject, plan->subject, sizeof(row->subject));
	memcpy(row->who, request->who, sizeof(row->who));
	memcpy(row->job, request->job, sizeof(row->job));
	memcpy(row->memo, plan->memo, sizeof(row->memo));
	row->from = request->from;
	row->arguments = request->arguments;
	row->locks = plan->locks;
	row->target_count = plan->target_count;
	memcpy(row->targets, plan->targets, sizeof(row->targets));
	row->blob_size = (uint32_t)request->blob.size;
	row->state = OPERATION_QUEUED;
	row->asked_wall = e->now.wall;
	duration deadline = request->deadline ? request->deadline : plan->deadline;
	if (!deadline)
		deadline = verb->deadline ? verb->deadline : OPERATION_DEADLINE;
	row->deadline_wall = e->now.wall + deadline;
}

static int plan(struct engine *e, const struct engine_request *request, const struct verb *verb,
                struct step_why *why)
{
	memset(&e->plan, 0, sizeof(e->plan));
	const struct plan_context context = {
	    .view = e->settings.view,
	    .noun = request->noun,
	    .verb = request->verb,
	    .arguments = &request->arguments,
	    .blob = request->blob,
	    .who = request->who,
	    .from = request->from,
	    .now_wall = e->now.wall,
	};
	int r = verb_arguments_check(verb, e->settings.view, &request->arguments, why);
	if (r == 0)
		r = verb->plan(&context, &e->plan, why);
	if (r == 0 && !locks_legal(&e->plan.locks)) {
		verdict_why(why, STEP_FAILED,
		            "it would need more locks than an operation can have");
		r = -E2BIG;
	}
	return r;
}

/* Every target a member, and none known to be unreachable. */
static bool targets_there(struct engine *e, const struct verb *verb, struct step_why *why)
{
	assert(e->plan.target_count <= OPERATION_TARGETS_MAX);
	for (uint32_t i = 0; i < e->plan.target_count; i++) {
		struct engine_member member;
		if (!view_member_by_id(e->settings.view, e->plan.targets[i], &member)) {
			verdict_why(why, STEP_FAILED,
			            "a node it would run on is no member any more");
			return false;
		}
		if (member.state == UNREACHABLE && verb->step_count) {
			verdict_why(why, STEP_FAILED,
			            "'%s', where it would run, is unreachable: essaim node show %s "
			            "says since when and why",
			            member.name, member.name);
			return false;
		}
	}
	return true;
}

static enum engine_result propose_operation(struct engine *e, const struct engine_request *request,
                                            const struct verb *verb, struct job *job,
                                            struct step_why *why)
{
	struct registry_transaction t;
	struct slot *slot = slot_free(e);
	struct proposal *p = slot ? proposal_begin(e, PROPOSE_START, &t) : NULL;
	if (!p) {
		if (slot)
			slot_drop(e, slot);
		verdict_why(why, STEP_FAILED,
		            "%u operations are open, no more are taken on: essaim op list",
		            e->settings.operations_max);
		return ENGINE_UNAVAILABLE;
	}
	p->slot = (uint32_t)(slot - e->slots);
	slot->verb = verb;
	row_from(e, request, verb, &e->plan, &slot->row);
	slot->row.number = p->audit = audit_number(e);
	locks_hash(slot);
	change_operation(e, &t, &slot->row, REGISTRY_ABSENT);
	struct audit_row audit = audit_of(&slot->row);
	change_audit(e, &t, &audit, true);
	if (request->blob.size) {
		uint8_t name[OPERATION_NAME_SIZE];
		operation_name(&request->id, name);
		struct registry_row blob = {
		    .kind = REGISTRY_BLOB, .name = {name, sizeof(name)}, .bytes = request->blob};
		change_put(e, &t, &blob, REGISTRY_ABSENT);
	}
	if (job) {
		struct job_row row = job->row;
		job_ran(&row, audit.number, e->now.wall, "");
		change_job(e, &t, &row, job->version);
		p->job = (uint32_t)(job - e->jobs);
	}
	proposal_send(e, p, &t);
	slot->proposal = p->number;
	if (job)
		job->proposal = p->number;
	output_trace(e, ENGINE_RULE_QUEUED, slot->row.number, request->from, 0, slot->row.subject);
	return ENGINE_STARTED;
}

/* A verb without steps: its rows and its audit row are one transaction. */
static enum engine_result propose_immediate(struct engine *e, const struct engine_request *request,
                                            const struct verb *verb, struct job *job,
                                            struct step_why *why)
{
	struct operation_row *row = &e->row;
	row_from(e, request, verb, &e->plan, row);
	struct step_context context = {e->settings.view, row,       e->settings.self,
	                               e->now.wall,      row->memo, 0};
	e->changes.count = e->changes.used = 0;
	if (verb->rows && !verb->rows(&context, OPERATION_DONE, &e->changes, why))
		return ENGINE_REFUSED;
	struct registry_transaction t;
	struct proposal *p = proposal_begin(e, PROPOSE_IMMEDIATE, &t);
	if (!p) {
		verdict_why(why, STEP_FAILED, "too much is being written at once: try again");
		return ENGINE_UNAVAILABLE;
	}
	p->request = request->id;
	row->number = p->audit = audit_number(e);
	struct audit_row audit = audit_of(row);
	audit.state = OPERATION_DONE;
	audit.ended_wall = e->now.wall;
	memcpy(audit.text, why->text, sizeof(audit.text));
	change_audit(e, &t, &audit, true);
	change_others(e, &t, &e->changes);
	if (job) {
		struct job_row next = job->row;
		job_ran(&next, audit.number, e->now.wall, "");
		change_job(e, &t, &next, job->version);
		p->kind = PROPOSE_JOB;
		p->job = (uint32_t)(job - e->jobs);
	}
	proposal_send(e, p, &t);
	if (job)
		job->proposal = p->number;
	return ENGINE_STARTED;
}

enum engine_result operation_begin(struct engine *e, const struct engine_request *request,
                                   struct job *job, struct step_why *why)
{
	const struct verb *verb = verb_find(e->settings.verbs, request->noun, request->verb);
	why->text[0] = '\0';
	if (!verb) {
		verdict_why(why, STEP_FAILED, "the master knows no '%s %s': essaim help",
		            request->noun, request->verb);
		return ENGINE_REFUSED;
	}
	if (request->blob.size > OPERATION_BLOB_MAX || !arguments_legal(&request->arguments)) {
		verdict_why(why, STEP_FAILED, "its arguments are too large or not well-formed");
		return ENGINE_REFUSED;
	}
	if (plan(e, request, verb, why) || !targets_there(e, verb, why))
		return ENGINE_REFUSED;
	const char *name;
	struct slot *holder = locks_taken(e, &e->plan.locks, &name);
	if (holder) {
		locks_say(e, holder, name, why);
		return ENGINE_LOCKED;
	}
	if (request->dry_run) {
		verdict_why(why, STEP_OK, "%s", e->plan.told);
		return ENGINE_DONE;
	}
	if (!verb->step_count)
		return propose_immediate(e, request, verb, job, why);
	return propose_operation(e, request, verb, job, why);
}

/* ---- asked again ---- */

/* Was this very request taken on before? Then it is answered, or attached to what it began. */
static bool repeated(struct engine *e, const struct engine_request *request)
{
	if (ENGINE_WEAKENED(e, ENGINE_WEAK_REPEAT))
		return false;
	struct slot *slot = slot_by_id(e, &request->id);
	if (slot) {
		output_trace(e, ENGINE_RULE_REPEATED, slot->row.number, request->from, 0, NULL);
		watcher_add(e, &request->id, slot->row.number, request->detach, false);
		if (slot->version)
			watchers_committed(e, slot);
		return true;
	}
	const struct audited *audited = audit_by_id(e, &request->id);
	const struct audit_row *row = audited ? audit_read(e, audited->number) : NULL;
	if (row && row->ended_wall) {
		output_trace(e, ENGINE_RULE_REPEATED, row->number, request->from, 0, NULL);
		answer_ended(e, &request->id, row);
		return true;
	}
	for (uint32_t i = 0; i < PROPOSALS_MAX; i++) {
		const struct proposal *p = &e->proposals[i];
		if (p->number && p->kind == PROPOSE_IMMEDIATE &&
		    request_id_equal(&p->request, &request->id))
			return true; /* under way: it is answered once */
	}
	return false;
}

static void start(struct engine *e, const struct engine_request *request)
{
	struct step_why why;
	enum engine_result result = operation_begin(e, request, NULL, &why);
	if (result != ENGINE_STARTED) {
		output_trace(e, ENGINE_RULE_REFUSED, 0, request->from, 0, why.text);
		answer_now(e, &request->id, result, NULL, why.text);
		return;
	}
	struct slot *slot = slot_by_id(e, &request->id);
	if (slot) /* none: nothing is run, and it is answered when it is applied */
		watcher_add(e, &request->id, slot->row.number, request->detach, false);
}

static void about_one(struct engine *e, const struct engine_request *request)
{
	struct slot *slot = slot_by_number(e, request->number);
	if (!slot || !slot->version) {
		const struct audit_row *row = audit_read(e, request->number);
		char text[64];
		say(text, sizeof(text), "there is no operation %llu: essaim op list",
		    (unsigned long long)request->number);
		if (row && row->ended_wall)
			answer_ended(e, &request->id, row);
		else
			answer_now(e, &request->id, ENGINE_NOT_FOUND, NULL, text);
		return;
	}
	if (!watcher_add(e, &request->id, request->number, false, request->ask == ASK_CANCEL)) {
		answer_now(e, &request->id, ENGINE_UNAVAILABLE, slot,
		           "too many wait for answers: try again");
		return;
	}
	if (request->ask == ASK_CANCEL || request->ask == ASK_ABANDON) {
		slot->cancel = slot->cancel || request->ask == ASK_CANCEL;
		slot->abandon = slot->abandon || request->ask == ASK_ABANDON;
		say(slot->wish, sizeof(slot->wish), "%s by %s",
		    request->ask == ASK_CANCEL ? "cancelled" : "given up", request->who);
		e->queue_dirty = true;
	}
	watchers_committed(e, slot); /* perhaps it is being cancelled already */
}

void request_input(struct engine *e, const struct engine_request *request)
{
	if (!e->master) {
		answer_now(e, &request->id, ENGINE_NOT_MASTER, NULL, "");
		return;
	}
	switch (request->ask) {
	case ASK_START:
		if (request->dry_run || !repeated(e, request))
			start(e, request);
		return;
	case ASK_WAIT:
	case ASK_CANCEL:
	case ASK_ABANDON:
		about_one(e, request);
		return;
	case ASK_JOB_ADD:
	case ASK_JOB_REMOVE:
	case ASK_JOB_RUN:
		if (!repeated(e, request))
			job_request(e, request);
		return;
	}
}
