/*
 * engine_propose.c: transactions of registry rows, and what came of them.
 */
#include <assert.h>
#include <string.h>

#include "engine_inside.h"

struct proposal *proposal_begin(struct engine *e, enum proposal_kind kind,
                                struct registry_transaction *transaction)
{
	if (!output_room(e, TURN_EFFECTS, TURN_BYTES))
		return NULL;
	for (uint32_t i = 0; i < PROPOSALS_MAX; i++) {
		struct proposal *p = &e->proposals[i];
		if (p->number)
			continue;
		memset(p, 0, sizeof(*p));
		p->kind = kind;
		p->job = UINT32_MAX;
		memset(transaction, 0, sizeof(*transaction));
		transaction->epoch = e->epoch;
		return p;
	}
	return NULL; /* PROPOSED frees one, and that is a turn of its own */
}

void proposal_send(struct engine *e, struct proposal *p, const struct registry_transaction *t)
{
	assert(t->count);
	p->number = ++e->out.proposals;
	struct engine_effect *effect = output_add(e, DO_PROPOSE);
	effect->propose.number = p->number;
	effect->propose.transaction = *t;
}

static struct registry_change *change_add(struct engine *e, struct registry_transaction *t,
                                          uint64_t expected)
{
	assert(t->count < REGISTRY_CHANGES_MAX);
	struct registry_change *change = &t->changes[t->count++];
	memset(change, 0, sizeof(*change));
	change->expected = ENGINE_WEAKENED(e, ENGINE_WEAK_EXPECT) ? REGISTRY_ANY : expected;
	return change;
}

void change_put(struct engine *e, struct registry_transaction *t, const struct registry_row *row,
                uint64_t expected)
{
	struct registry_change *change = change_add(e, t, expected);
	change->row = *row;
	change->row.name.data = output_copy(e, row->name.data, row->name.size);
	change->row.bytes.data = output_copy(e, row->bytes.data, row->bytes.size);
}

void change_drop(struct engine *e, struct registry_transaction *t, enum registry_kind kind,
                 struct bytes name, uint64_t expected)
{
	struct registry_row row = {.kind = kind, .name = name};
	change_put(e, t, &row, expected);
	t->changes[t->count - 1].deleted = true;
}

void change_operation(struct engine *e, struct registry_transaction *t,
                      const struct operation_row *row, uint64_t expected)
{
	uint8_t name[OPERATION_NAME_SIZE];
	operation_name(&row->id, name);
	struct registry_row put = {.kind = REGISTRY_OPERATION, .name = {name, sizeof(name)}};
	put.operation = output_copy(e, row, sizeof(*row));
	change_put(e, t, &put, expected);
}

void change_job(struct engine *e, struct registry_transaction *t, const struct job_row *row,
                uint64_t expected)
{
	struct registry_row put = {.kind = REGISTRY_JOB,
	                           .name = {(const uint8_t *)row->name, strlen(row->name)}};
	put.job = output_copy(e, row, sizeof(*row));
	change_put(e, t, &put, expected);
}

#define PRUNED_AT_ONCE 2 /* others write audit rows too, and drop none */

/* With a new row the oldest go, once there are more than are kept; never those of what is open. */
static void prune(struct engine *e, struct registry_transaction *t)
{
	uint8_t name[AUDIT_NAME_SIZE];
	uint32_t pruned = 0;
	audit_by_number(e, 0); /* sorts them, if they were just loaded */
	uint32_t count = e->audit.count;
	for (uint32_t i = 0; i < count && pruned < PRUNED_AT_ONCE; i++) {
		const struct audited *oldest = &e->audit.list[i];
		if (count - pruned < e->settings.audit_max)
			return;
		if (!oldest->ended)
			continue;
		audit_name(oldest->number, name);
		change_drop(e, t, REGISTRY_AUDIT, (struct bytes){name, sizeof(name)}, REGISTRY_ANY);
		output_trace(e, ENGINE_RULE_AUDIT_DROPPED, 0, 0, (int64_t)oldest->number, NULL);
		pruned++;
	}
}

void change_audit(struct engine *e, struct registry_transaction *t, const struct audit_row *row,
                  bool new)
{
	uint8_t name[AUDIT_NAME_SIZE];
	audit_name(row->number, name);
	struct registry_row put = {.kind = REGISTRY_AUDIT, .name = {name, sizeof(name)}};
	put.audit = output_copy(e, row, sizeof(*row));
	change_put(e, t, &put, new ? REGISTRY_ABSENT : REGISTRY_ANY);
	if (new)
		prune(e, t);
}

void change_others(struct engine *e, struct registry_transaction *t, const struct verb_changes *c)
{
	for (uint32_t i = 0; i < c->count; i++) {
		const struct registry_change *change = &c->list[i];
		change_put(e, t, &change->row, change->expected);
		t->changes[t->count - 1].deleted = change->deleted;
	}
}

/* ---- what came of them ---- */

static const char *const meanwhile = "something it depends on changed meanwhile: try again";

static void answer_proposal(struct engine *e, const struct proposal *p, enum proposal_result result,
                            const char *text)
{
	switch (result) {
	case PROPOSAL_APPLIED: {
		const struct audit_row *row = audit_read(e, p->audit);
		if (row)
			answer_ended(e, &p->request, row);
		else
			answer_now(e, &p->request, ENGINE_DONE, NULL, "");
		return;
	}
	case PROPOSAL_CONFLICT:
		answer_now(e, &p->request, ENGINE_UNAVAILABLE, NULL, meanwhile);
		return;
	case PROPOSAL_REFUSED:
		answer_now(e, &p->request, ENGINE_UNAVAILABLE, NULL, text);
		return;
	case PROPOSAL_UNKNOWN:
		answer_now(e, &p->request, ENGINE_NOT_MASTER, NULL, "");
		return;
	}
}

/* An operation that is not committed after all: forgotten, and whoever waits for it told. */
static void start_failed(struct engine *e, const struct proposal *p, enum proposal_result result,
                         const char *text)
{
	struct slot *slot = &e->slots[p->slot];
	if (!slot->used || slot->version || slot->proposal != p->number)
		return;
	slot_drop(e, slot);
	if (result == PROPOSAL_UNKNOWN)
		watchers_failed(e, p->audit, ENGINE_NOT_MASTER, "");
	else
		watchers_failed(e, p->audit, ENGINE_UNAVAILABLE,
		                result == PROPOSAL_CONFLICT ? meanwhile : text);
}

static void settle(struct engine *e, const struct proposal *p, enum proposal_result result,
                   const char *text)
{
	switch (p->kind) {
	case PROPOSE_IMMEDIATE:
		answer_proposal(e, p, result, text);
		return;
	case PROPOSE_START:
		if (result != PROPOSAL_APPLIED)
			start_failed(e, p, result, text);
		break;
	case PROPOSE_JOB:
		if (p->request.origin) /* somebody asked for this run */
			answer_proposal(e, p, result, text);
		break;
	case PROPOSE_CHANGE:
	case PROPOSE_END:
		break;
	}
	if (p->job != UINT32_MAX && e->jobs[p->job].proposal == p->number) {
		e->jobs[p->job].proposal = 0;
		e->jobs[p->job].propose_at =
		    result == PROPOSAL_APPLIED ? 0 : e->now.boot + PROPOSE_AGAIN;
	}
	if (p->kind != PROPOSE_START && p->kind != PROPOSE_CHANGE && p->kind != PROPOSE_END)
		return;
	struct slot *slot = &e->slots[p->slot];
	if (!slot->used || slot->proposal != p->number)
		return;
	slot->proposal = 0;
	slot->propose_at = result == PROPOSAL_REFUSED ? e->now.boot + PROPOSE_AGAIN : 0;
	if (result == PROPOSAL_CONFLICT)
		output_trace(e, ENGINE_RULE_CONFLICT, slot->row.number, 0, 0, NULL);
}

void proposed_input(struct engine *e, uint64_t number, enum proposal_result result,
                    const char *text)
{
	e->queue_dirty = true;
	for (uint32_t i = 0; i < PROPOSALS_MAX; i++) {
		struct proposal settled = e->proposals[i];
		if (!number || settled.number != number)
			continue;
		e->proposals[i].number = 0;
		settle(e, &settled, result, text ? text : "");
		return;
	}
}

/* Nobody can say any more what became of them: rows will. */
void proposals_forget(struct engine *e)
{
	for (uint32_t i = 0; i < PROPOSALS_MAX; i++) {
		struct proposal *p = &e->proposals[i];
		if (p->number && p->kind == PROPOSE_IMMEDIATE &&
		    output_room(e, TURN_EFFECTS, TURN_BYTES))
			answer_now(e, &p->request, ENGINE_NOT_MASTER, NULL, "");
		p->number = 0;
	}
	for (uint32_t i = 0; i < e->settings.operations_max; i++) {
		struct slot *slot = &e->slots[i];
		slot->proposal = 0;
		slot->cancel = slot->abandon = false;
		if (slot->used && !slot->version)
			slot_drop(e, slot);
	}
	for (uint32_t i = 0; i < e->settings.jobs_max; i++)
		e->jobs[i].proposal = 0;
}
