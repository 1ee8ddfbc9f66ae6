/*
 * engine_jobs.c: what is to be done at a time. The master judges by its wall clock that a run is
 * due and commits the judgement (the job's row with the next run's number) together with the
 * operation it begins: whoever is master, each run is begun once. Runs missed while there was no
 * master are made up for by one.
 */
#include <string.h>

#include "engine_inside.h"
#include "text.h"

static instant next_due(const struct job_row *row, instant now_wall)
{
	if (!row->every || !row->due_wall)
		return 0;
	if (row->due_wall > now_wall)
		return row->due_wall; /* it was run by hand, before its time */
	instant late = now_wall - row->due_wall;
	return row->due_wall + (late / row->every + 1) * row->every;
}

void job_ran(struct job_row *row, uint64_t audit, instant now_wall, const char *note)
{
	bool due = row->due_wall && row->due_wall <= now_wall;
	row->run++;
	row->last = audit;
	if (row->every || due)
		row->due_wall = next_due(row, now_wall);
	say(row->note, sizeof(row->note), "%s", note);
}

static void request_of(const struct job *job, struct engine_request *out)
{
	memset(out, 0, sizeof(*out));
	out->id = (struct request_id){0, job->row.number, job->row.run + 1};
	out->ask = ASK_START;
	out->from = job->row.from;
	out->arguments = job->row.arguments;
	memcpy(out->who, job->row.who, sizeof(out->who));
	memcpy(out->noun, job->row.noun, sizeof(out->noun));
	memcpy(out->verb, job->row.verb, sizeof(out->verb));
	memcpy(out->job, job->row.name, sizeof(out->job));
}

/* A run that was refused is a run: it is written down and not tried again before its next time. */
static void propose_refused(struct engine *e, struct job *job, const struct engine_request *request,
                            const char *why)
{
	struct registry_transaction t;
	struct proposal *p = proposal_begin(e, PROPOSE_JOB, &t);
	if (!p)
		return;
	struct audit_row audit = {
	    .number = audit_number(e),
	    .id = request->id,
	    .epoch = e->epoch,
	    .from = request->from,
	    .arguments = request->arguments,
	    .asked_wall = e->now.wall,
	    .ended_wall = e->now.wall,
	    .state = OPERATION_UNDONE,
	};
	memcpy(audit.noun, request->noun, sizeof(audit.noun));
	memcpy(audit.verb, request->verb, sizeof(audit.verb));
	memcpy(audit.who, request->who, sizeof(audit.who));
	say(audit.subject, sizeof(audit.subject), "job %s", request->job);
	say(audit.text, sizeof(audit.text), "refused: %.*s", OPERATION_TEXT_MAX - 10, why);
	struct job_row row = job->row;
	job_ran(&row, audit.number, e->now.wall, why);
	p->job = (uint32_t)(job - e->jobs);
	p->audit = audit.number;
	change_audit(e, &t, &audit, true);
	change_job(e, &t, &row, job->version);
	proposal_send(e, p, &t);
	job->proposal = p->number;
	output_trace(e, ENGINE_RULE_JOB_REFUSED, audit.number, 0, (int64_t)row.run, row.name);
}

static enum engine_result run(struct engine *e, struct job *job, struct step_why *why)
{
	struct engine_request request;
	request_of(job, &request);
	enum engine_result result = operation_begin(e, &request, job, why);
	if (result == ENGINE_STARTED)
		output_trace(e, ENGINE_RULE_JOB_DUE, 0, 0, (int64_t)(job->row.run + 1),
		             job->row.name);
	else if (result == ENGINE_UNAVAILABLE)
		job->propose_at = e->now.boot + PROPOSE_AGAIN;
	else
		propose_refused(e, job, &request, why->text);
	return result;
}

/* The run before is still open: this one waits for it. */
static bool still_open(struct engine *e, const struct job *job)
{
	struct slot *slot = job->row.last ? slot_by_number(e, job->row.last) : NULL;
	return slot != NULL;
}

void jobs_turn(struct engine *e)
{
	for (uint32_t i = 0; i < e->settings.jobs_max; i++) {
		struct job *job = &e->jobs[i];
		struct step_why why;
		if (!job->used || job->proposal || !job->row.due_wall || still_open(e, job))
			continue;
		duration left = job->row.due_wall - e->now.wall;
		if (left > 0 || job->propose_at > e->now.boot)
			due_at(e, left > 0 ? e->now.boot + (left < 10 * SECOND ? left : 10 * SECOND)
			                   : job->propose_at);
		else if (output_room(e, TURN_EFFECTS, TURN_BYTES))
			run(e, job, &why);
	}
}

/* ---- asked by people ---- */

static bool fit(struct engine *e, const struct engine_request *request, struct step_why *why)
{
	struct error error;
	const struct verb *verb = verb_find(e->settings.verbs, request->noun, request->verb);
	if (name_check(request->job, &error))
		verdict_why(why, STEP_FAILED, "%s", error.text);
	else if (job_by_name(e, request->job))
		verdict_why(why, STEP_FAILED, "there is a job '%s' already: essaim job show %s",
		            request->job, request->job);
	else if (!verb)
		verdict_why(why, STEP_FAILED, "the master knows no '%s %s': essaim help",
		            request->noun, request->verb);
	else if (request->every && request->every < JOB_EVERY_MIN)
		verdict_why(why, STEP_FAILED, "a job runs every 10 s at the most");
	else if (!request->every && request->first_wall <= e->now.wall)
		verdict_why(why, STEP_FAILED, "a job needs --every, or an --at that is not over");
	else if (request->blob.size)
		verdict_why(why, STEP_FAILED, "a job cannot bring a file");
	else
		return verb_arguments_check(verb, e->settings.view, &request->arguments, why) == 0;
	return false;
}

static struct audit_row audit_for(struct engine *e, const struct engine_request *request,
                                  const char *verb)
{
	struct audit_row audit = {
	    .number = audit_number(e),
	    .id = request->id,
	    .epoch = e->epoch,
	    .from = request->from,
	    .arguments = request->arguments,
	    .asked_wall = e->now.wall,
	    .ended_wall = e->now.wall,
	    .noun = "job",
	    .state = OPERATION_DONE,
	};
	say(audit.verb, sizeof(audit.verb), "%s", verb);
	say(audit.subject, sizeof(audit.subject), "%s", request->job);
	memcpy(audit.who, request->who, sizeof(audit.who));
	return audit;
}

static void job_add(struct engine *e, const struct engine_request *request, struct proposal *p,
                    struct registry_transaction *t)
{
	struct audit_row audit = audit_for(e, request, "add");
	struct job_row row = {.number = audit.number,
	                      .every = request->every,
	                      .from = request->from,
	                      .arguments = request->arguments};
	row.due_wall = request->first_wall ? request->first_wall : e->now.wall + request->every;
	memcpy(row.name, request->job, sizeof(row.name));
	memcpy(row.noun, request->noun, sizeof(row.noun));
	memcpy(row.verb, request->verb, sizeof(row.verb));
	memcpy(row.who, request->who, sizeof(row.who));
	p->audit = audit.number;
	change_audit(e, t, &audit, true);
	change_job(e, t, &row, REGISTRY_ABSENT);
}

static void job_remove(struct engine *e, const struct engine_request *request,
                       const struct job *job, struct proposal *p, struct registry_transaction *t)
{
	struct audit_row audit = audit_for(e, request, "remove");
	p->audit = audit.number;
	change_audit(e, t, &audit, true);
	change_drop(e, t, REGISTRY_JOB,
	            (struct bytes){(const uint8_t *)job->row.name, strlen(job->row.name)},
	            job->version);
}

static uint32_t jobs_count(const struct engine *e)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < e->settings.jobs_max; i++)
		count += e->jobs[i].used;
	return count;
}

static void job_change(struct engine *e, const struct engine_request *request,
                       const struct job *job)
{
	struct registry_transaction t;
	struct proposal *p = proposal_begin(e, PROPOSE_IMMEDIATE, &t);
	if (!p) {
		answer_now(e, &request->id, ENGINE_UNAVAILABLE, NULL,
		           "too much is being written at once: try again");
		return;
	}
	p->request = request->id;
	if (request->ask == ASK_JOB_ADD)
		job_add(e, request, p, &t);
	else
		job_remove(e, request, job, p, &t);
	proposal_send(e, p, &t);
}

static void job_run(struct engine *e, const struct engine_request *request, struct job *job)
{
	struct step_why why = {""};
	if (job->proposal || still_open(e, job)) {
		verdict_why(&why, STEP_FAILED, "job '%s' is running: essaim op wait %llu",
		            request->job, (unsigned long long)job->row.last);
		answer_now(e, &request->id, ENGINE_LOCKED, NULL, why.text);
		return;
	}
	enum engine_result result = run(e, job, &why);
	struct request_id id = {0, job->row.number, job->row.run + 1};
	struct slot *slot = slot_by_id(e, &id);
	for (uint32_t i = 0; i < PROPOSALS_MAX; i++) {
		if (e->proposals[i].number && e->proposals[i].number == job->proposal && !slot)
			e->proposals[i].request = request->id; /* answered when that is applied */
	}
	if (slot)
		watcher_add(e, &request->id, slot->row.number, request->detach, false);
	else if (result != ENGINE_STARTED && !job->proposal)
		answer_now(e, &request->id, result, NULL, why.text);
}

void job_request(struct engine *e, const struct engine_request *request)
{
	struct step_why why;
	struct job *job = job_by_name(e, request->job);
	if (request->ask == ASK_JOB_ADD && !fit(e, request, &why)) {
		answer_now(e, &request->id, ENGINE_REFUSED, NULL, why.text);
	} else if (request->ask == ASK_JOB_ADD && jobs_count(e) >= e->settings.jobs_max) {
		answer_now(e, &request->id, ENGINE_REFUSED, NULL,
		           "there are as many jobs as there can be: essaim job list");
	} else if (request->ask != ASK_JOB_ADD && !job) {
		verdict_why(&why, STEP_FAILED, "there is no job '%s': essaim job list",
		            request->job);
		answer_now(e, &request->id, ENGINE_NOT_FOUND, NULL, why.text);
	} else if (request->ask == ASK_JOB_RUN) {
		job_run(e, request, job);
	} else {
		job_change(e, request, job);
	}
}
