/*
 * engine_rows.c: what the ledger says becomes slots, jobs and the audit's index.
 */
#include <assert.h>
#include <string.h>

#include "engine_inside.h"

struct slot *slot_by_id(struct engine *e, const struct request_id *id)
{
	for (uint32_t i = 0; i < e->slot_count; i++) {
		if (e->slots[i].used && request_id_equal(&e->slots[i].row.id, id))
			return &e->slots[i];
	}
	return NULL;
}

struct slot *slot_by_number(struct engine *e, uint64_t number)
{
	for (uint32_t i = 0; i < e->slot_count; i++) {
		if (e->slots[i].used && e->slots[i].row.number == number)
			return &e->slots[i];
	}
	return NULL;
}

struct slot *slot_free(struct engine *e)
{
	for (uint32_t i = 0; i < e->settings.operations_max; i++) {
		struct slot *slot = &e->slots[i];
		if (slot->used)
			continue;
		memset(slot, 0, sizeof(*slot));
		slot->used = true;
		if (i >= e->slot_count)
			e->slot_count = i + 1;
		return slot;
	}
	return NULL;
}

static uint32_t position(const struct engine *e, const struct slot *slot)
{
	return (uint32_t)(slot - e->slots);
}

static void order(struct engine *e, const struct slot *slot)
{
	uint32_t at = e->ordered_count++;
	while (at > 0 && e->slots[e->ordered[at - 1]].row.number > slot->row.number) {
		e->ordered[at] = e->ordered[at - 1];
		at--;
	}
	e->ordered[at] = position(e, slot);
}

void slot_drop(struct engine *e, struct slot *slot)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < e->ordered_count; i++) {
		if (e->ordered[i] != position(e, slot))
			e->ordered[kept++] = e->ordered[i];
	}
	e->ordered_count = kept;
	slot->used = false;
	while (e->slot_count && !e->slots[e->slot_count - 1].used)
		e->slot_count--;
	e->queue_dirty = true;
}

/* Another leg: what was reported is not about it. */
static bool same_leg(const struct operation_row *a, const struct operation_row *b)
{
	return a->step == b->step && a->undoing == b->undoing;
}

static void operation_applied(struct engine *e, const struct operation_row *row, uint64_t version)
{
	struct slot *slot = slot_by_id(e, &row->id);
	bool known = slot && slot->version;
	if (!slot)
		slot = slot_free(e);
	if (!slot)
		return; /* of a version that allows more: its master looks after it */
	if (!known || !same_leg(&slot->row, row))
		slot->reported = false;
	if (!known || slot->row.state != row->state || !same_leg(&slot->row, row))
		slot->dispatch_at = 0;
	slot->row = *row;
	slot->version = version;
	slot->look = true;
	slot->verb = verb_find(e->settings.verbs, row->noun, row->verb);
	locks_hash(slot);
	if (!known)
		order(e, slot);
	e->queue_dirty = true;
	if (e->master)
		watchers_committed(e, slot);
}

static void operation_gone(struct engine *e, struct bytes name)
{
	uint8_t at[OPERATION_NAME_SIZE];
	for (uint32_t i = 0; i < e->slot_count; i++) {
		struct slot *slot = &e->slots[i];
		if (!slot->used || !slot->version)
			continue;
		operation_name(&slot->row.id, at);
		if (name.size != sizeof(at) || memcmp(at, name.data, sizeof(at)))
			continue;
		struct request_id id = slot->row.id;
		slot_drop(e, slot);
		executor_ended(e, &id);
		return;
	}
}

struct job *job_by_name(struct engine *e, const char *name)
{
	for (uint32_t i = 0; i < e->settings.jobs_max; i++) {
		if (e->jobs[i].used && !strcmp(e->jobs[i].row.name, name))
			return &e->jobs[i];
	}
	return NULL;
}

static void job_applied(struct engine *e, const struct job_row *row, uint64_t version)
{
	struct job *job = job_by_name(e, row->name);
	for (uint32_t i = 0; !job && i < e->settings.jobs_max; i++) {
		if (!e->jobs[i].used)
			job = &e->jobs[i];
	}
	if (!job)
		return;
	if (!job->used)
		memset(job, 0, sizeof(*job));
	job->used = true;
	job->row = *row;
	job->version = version;
}

static void job_gone(struct engine *e, struct bytes name)
{
	for (uint32_t i = 0; i < e->settings.jobs_max; i++) {
		struct job *job = &e->jobs[i];
		if (job->used && strlen(job->row.name) == name.size &&
		    !memcmp(job->row.name, name.data, name.size))
			job->used = false;
	}
}

void rows_input(struct engine *e, const struct engine_input *input)
{
	const struct registry_row *row = &input->row.row;
	bool deleted = input->row.deleted;
	switch (row->kind) {
	case REGISTRY_OPERATION:
		if (deleted)
			operation_gone(e, row->name);
		else
			operation_applied(e, row->operation, row->version);
		return;
	case REGISTRY_AUDIT:
		if (deleted)
			audit_dropped(e, row->name);
		else
			audit_applied(e, row->audit);
		return;
	case REGISTRY_JOB:
		if (deleted)
			job_gone(e, row->name);
		else
			job_applied(e, row->job, row->version);
		return;
	case REGISTRY_BLOB:
	case REGISTRY_STORAGE:
	case REGISTRY_VOLUME:
	case REGISTRY_MACHINE:
	case REGISTRY_PERMIT:
		return;
	}
}
