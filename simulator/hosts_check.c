/*
 * hosts_check.c: what must hold (hosts.h), looked at on every commit, every act and at the end.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "hosts_inside.h"

void hosts_wrong(struct hosts *w, const char *format, ...)
{
	struct hosts_result *r = w->result;
	if (w->plan->trace) {
		va_list list;
		va_start(list, format);
		fprintf(w->plan->trace, "%10.6f VIOLATION ", (double)w->now / 1e9);
		vfprintf(w->plan->trace, format, list);
		fputc('\n', w->plan->trace);
		va_end(list);
	}
	if (r->violations++)
		return;
	va_list list;
	va_start(list, format);
	vsnprintf(r->first, sizeof(r->first), format, list);
	va_end(list);
}

static const struct operation_row *open_row(const struct hosts *w, const struct request_id *id)
{
	uint8_t name[OPERATION_NAME_SIZE];
	operation_name(id, name);
	const struct kept_row *row =
	    hosts_find(&w->committed, REGISTRY_OPERATION, (struct bytes){name, sizeof(name)});
	return row ? row->value->operation : NULL;
}

/* ---- locks ---- */

/* `refused`: only those that nobody may wait for. */
static bool share_a_lock(const struct operation_row *a, const struct operation_row *b, bool refused)
{
	bool waits, other_waits;
	const char *one, *other;
	for (uint32_t i = 0; locks_next(&a->locks, &i, &waits, &one);) {
		for (uint32_t j = 0; locks_next(&b->locks, &j, &other_waits, &other);) {
			if (!strcmp(one, other) && !(refused && waits && other_waits))
				return true;
		}
	}
	return false;
}

static void check_pair(struct hosts *w, const struct operation_row *a,
                       const struct operation_row *b)
{
	bool queued = a->state == OPERATION_QUEUED || b->state == OPERATION_QUEUED;
	if (!request_id_equal(&a->id, &b->id) && share_a_lock(a, b, queued))
		hosts_wrong(w, "operations %llu and %llu %s", (unsigned long long)a->number,
		            (unsigned long long)b->number,
		            queued ? "are both open, and one had to be refused"
		                   : "run under one lock");
}

void hosts_check_commit(struct hosts *w, const struct registry_transaction *t)
{
	for (uint32_t c = 0; c < t->count; c++) {
		const struct operation_row *row = t->changes[c].row.operation;
		if (!row || t->changes[c].deleted)
			continue;
		for (uint32_t i = 0; i < w->committed.count; i++) {
			if (w->committed.list[i].kind == REGISTRY_OPERATION)
				check_pair(w, row, w->committed.list[i].value->operation);
		}
	}
}

/* ---- acts ---- */

void hosts_check_act(struct host *h, const struct process *p)
{
	struct hosts *w = h->world;
	const struct client *client = hosts_client(w, p->client);
	const struct operation_row *row = open_row(w, &client->request.id);
	if (p->what != 'a')
		return;
	if (row && row->state == OPERATION_QUEUED)
		hosts_wrong(w, "step %u of request %u is begun before it is committed that it runs",
		            p->step, p->client);
	if (!client->abandoned && !row)
		hosts_wrong(w, "step %u of request %u is begun, and that is not open", p->step,
		            p->client);
	else if (!client->ordered[h->index])
		hosts_wrong(w, "step %u of request %u is begun on the word of a deposed master",
		            p->step, p->client);
}

/* ---- the end ---- */

static uint32_t audit_rows(const struct hosts *w, const struct request_id *id,
                           const struct audit_row **out)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < w->committed.count; i++) {
		const struct kept_row *row = &w->committed.list[i];
		if (row->kind != REGISTRY_AUDIT || !request_id_equal(&row->value->audit->id, id))
			continue;
		*out = row->value->audit;
		count++;
	}
	return count;
}

static bool explained(const struct audit_row *row)
{
	return row->text[0] != '\0';
}

static void check_effects(struct hosts *w, uint32_t index, const struct audit_row *row)
{
	const struct client *client = hosts_client(w, index);
	if (row->state != OPERATION_DONE && !explained(row))
		hosts_wrong(w, "request %u is %s, and nothing says why", index,
		            operation_state_name(row->state));
	if (w->plan->volumes) {
		hosts_volumes_check(w, row->state);
		return;
	}
	uint32_t steps = hosts_steps(client->request.verb), there = 0;
	uint8_t name[OPERATION_NAME_SIZE];
	operation_name(&client->request.id, name);
	bool listed =
	    hosts_find(&w->committed, REGISTRY_VOLUME, (struct bytes){name, sizeof(name)});
	for (uint32_t i = 0; i < steps; i++)
		there += client->present[i];
	if (row->state == OPERATION_DONE && there != steps)
		hosts_wrong(w, "request %u is done, and %u of its %u steps are", index, there,
		            steps);
	if (row->state == OPERATION_UNDONE && there)
		hosts_wrong(w, "request %u is undone, and %u of its steps are done", index, there);
	if (listed != (row->state == OPERATION_DONE))
		hosts_wrong(w, "request %u is %s, its thing is %s", index,
		            operation_state_name(row->state), listed ? "listed" : "not listed");
}

static void check_client(struct hosts *w, uint32_t index)
{
	const struct client *client = &w->clients[index];
	const struct audit_row *row = NULL;
	uint32_t count = audit_rows(w, &client->request.id, &row);
	if (!client->answered)
		hosts_wrong(w, "request %u was never answered", index);
	if (!client->starts)
		return;
	if (client->result == ENGINE_LOCKED || client->result == ENGINE_REFUSED) {
		if (count)
			hosts_wrong(w, "request %u was refused, and there is an operation", index);
		return;
	}
	if (count != 1) {
		hosts_wrong(w, "request %u has %u audit rows", index, count);
		return;
	}
	if (!row->ended_wall)
		hosts_wrong(w, "request %u has an open audit row at the end", index);
	w->result->ended[row->state & 7]++;
	check_effects(w, index, row);
}

/* The job's row, if it is there. */
static const struct job_row *job_row(const struct hosts *w)
{
	const struct kept_row *row =
	    hosts_find(&w->committed, REGISTRY_JOB, (struct bytes){(const uint8_t *)"tick", 4});
	return row ? row->value->job : NULL;
}

static void check_job(struct hosts *w)
{
	const struct job_row *job = job_row(w);
	if (!job)
		return;
	w->result->job_runs = (uint32_t)job->run;
	if (job->run > (uint64_t)(w->now / JOB_EVERY))
		hosts_wrong(w, "the job ran %llu times in %lld s", (unsigned long long)job->run,
		            (long long)(w->now / SECOND));
	for (uint64_t run = 1; run <= job->run; run++) {
		const struct audit_row *row = NULL;
		struct request_id id = {0, job->number, run};
		uint32_t count = audit_rows(w, &id, &row);
		if (count != 1)
			hosts_wrong(w, "run %llu of the job has %u audit rows",
			            (unsigned long long)run, count);
		else if (!row->ended_wall)
			hosts_wrong(w, "run %llu of the job never ended", (unsigned long long)run);
		else if (!w->runs[run].abandoned) {
			w->runs[run].request.id = id;
			check_effects(w, JOB_CLIENT + (uint32_t)run, row);
		}
	}
}

static bool alone(const struct hosts_plan *plan)
{
	return !plan->tool_percent && !plan->crashes && plan->tool_fault_count < 2;
}

void hosts_check_end(struct hosts *w)
{
	for (uint32_t i = 0; i < w->client_count; i++)
		check_client(w, i);
	check_job(w);
	bool given_up = false;
	for (uint32_t i = 0; i < w->client_count; i++)
		given_up = given_up || w->clients[i].abandoned;
	if (alone(w->plan) && !given_up && w->result->ended[OPERATION_UNKNOWN])
		hosts_wrong(w, "one mishap alone left an operation unknown");
	for (uint32_t i = 0; i < w->committed.count; i++) {
		if (w->committed.list[i].kind == REGISTRY_OPERATION)
			hosts_wrong(
			    w, "operation %llu never ended",
			    (unsigned long long)w->committed.list[i].value->operation->number);
	}
	for (uint32_t i = 0; i < HOSTS_MAX; i++) {
		if (w->hosts[i].record_count)
			hosts_wrong(w, "node n%u keeps %u journal records", i,
			            w->hosts[i].record_count);
	}
}

bool hosts_over(const struct hosts *w)
{
	for (uint32_t i = 0; i < w->client_count; i++) {
		if (!w->clients[i].answered)
			return false;
	}
	for (uint32_t i = 0; i < w->committed.count; i++) {
		if (w->committed.list[i].kind == REGISTRY_OPERATION)
			return false;
	}
	for (uint32_t i = 0; i < HOSTS_MAX; i++) {
		if (w->hosts[i].record_count || !w->hosts[i].up)
			return false;
	}
	return true;
}
