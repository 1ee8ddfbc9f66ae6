/*
 * hosts_ledger.c: one log that commits or refuses, and each node's rows as far as it has applied
 * it.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "hosts_inside.h"

node_id host_id(uint32_t index)
{
	return 0x1000 + index;
}

/* ---- rows ---- */

static struct kept_row *find(const struct row_store *store, enum registry_kind kind,
                             struct bytes name)
{
	for (uint32_t i = store->count; i > 0; i--) { /* what is asked for is mostly new */
		struct kept_row *row = &store->list[i - 1];
		if (row->kind == kind && row->name_size == name.size &&
		    !memcmp(row->name, name.data, name.size))
			return row;
	}
	return NULL;
}

const struct kept_row *hosts_find(const struct row_store *store, enum registry_kind kind,
                                  struct bytes name)
{
	return find(store, kind, name);
}

static void store_put(struct row_store *store, const struct registry_change *change,
                      uint64_t version)
{
	struct kept_row *row = find(store, change->row.kind, change->row.name);
	if (change->deleted) {
		if (row)
			*row = store->list[--store->count];
		return;
	}
	if (!row) {
		if (store->count == store->capacity) {
			store->capacity = store->capacity ? 2 * store->capacity : 16;
			store->list = realloc(store->list, store->capacity * sizeof(*store->list));
		}
		row = &store->list[store->count++];
		row->kind = change->row.kind;
		row->name_size = (uint32_t)change->row.name.size;
		memcpy(row->name, change->row.name.data, change->row.name.size);
	}
	row->version = version;
	row->value = &change->row;
}

/* ---- the log ---- */

static void *copy(const void *data, size_t size)
{
	if (!data)
		return NULL;
	void *out = malloc(size + 1);
	memcpy(out, data, size);
	return out;
}

static struct log_entry *entry_copy(const struct registry_transaction *t)
{
	struct log_entry *entry = calloc(1, sizeof(*entry));
	entry->epoch = t->epoch;
	entry->count = t->count;
	for (uint32_t i = 0; i < t->count; i++) {
		struct registry_change *change = &entry->changes[i];
		*change = t->changes[i];
		struct registry_row *row = &change->row;
		row->name.data = copy(row->name.data, row->name.size);
		row->bytes.data = copy(row->bytes.data, row->bytes.size);
		row->operation = copy(row->operation, sizeof(*row->operation));
		row->audit = copy(row->audit, sizeof(*row->audit));
		row->job = copy(row->job, sizeof(*row->job));
	}
	return entry;
}

static void entry_free(struct log_entry *entry)
{
	for (uint32_t i = 0; i < entry->count; i++) {
		struct registry_row *row = &entry->changes[i].row;
		free((void *)row->name.data);
		free((void *)row->bytes.data);
		free((void *)row->operation);
		free((void *)row->audit);
		free((void *)row->job);
	}
	free(entry);
}

void hosts_propose(struct host *h, uint64_t number, const struct registry_transaction *t)
{
	hosts_schedule(h->world, LATENCY,
	               (struct event){.kind = EVENT_COMMIT,
	                              .node = h->index,
	                              .life = h->life,
	                              .number = number,
	                              .memory = entry_copy(t)});
}

static bool as_expected(const struct hosts *w, const struct log_entry *entry)
{
	for (uint32_t i = 0; i < entry->count; i++) {
		const struct registry_change *change = &entry->changes[i];
		const struct kept_row *row =
		    find(&w->committed, change->row.kind, change->row.name);
		if (change->expected != REGISTRY_ANY &&
		    (row ? row->version : REGISTRY_ABSENT) != change->expected)
			return false;
	}
	return true;
}

static void append(struct hosts *w, struct log_entry *entry)
{
	if (w->log_count == w->log_capacity) {
		w->log_capacity = w->log_capacity ? 2 * w->log_capacity : 64;
		w->log = realloc(w->log, w->log_capacity * sizeof(struct log_entry *));
	}
	w->log[w->log_count++] = entry;
	struct registry_transaction t = {.epoch = entry->epoch, .count = entry->count};
	memcpy(t.changes, entry->changes, sizeof(t.changes));
	for (uint32_t i = 0; i < entry->count; i++)
		store_put(&w->committed, &entry->changes[i], w->log_count);
	hosts_check_commit(w, &t);
}

void hosts_seed(struct hosts *w, const struct registry_transaction *t)
{
	append(w, entry_copy(t));
}

/* Nobody but the master of that epoch commits; whether its process still lives does not matter. */
void hosts_commit(struct hosts *w, struct event *event)
{
	struct log_entry *entry = event->memory;
	enum proposal_result result = PROPOSAL_APPLIED;
	if (w->master != event->node || entry->epoch != w->epoch)
		result = PROPOSAL_UNKNOWN;
	else if (!as_expected(w, entry))
		result = PROPOSAL_CONFLICT;
	if (result == PROPOSAL_APPLIED) {
		append(w, entry);
		for (uint32_t i = 0; i < HOSTS_MAX; i++) {
			duration lag =
			    i == event->node
				? 0
				: LATENCY + (duration)prng_below(&w->dice, 20) * MILLISECOND;
			hosts_schedule(w, lag,
			               (struct event){.kind = EVENT_APPLY,
			                              .node = i,
			                              .life = w->hosts[i].life,
			                              .number = w->log_count});
		}
	} else {
		entry_free(entry);
	}
	event->memory = NULL;
	hosts_schedule(w, 0,
	               (struct event){.kind = EVENT_PROPOSED,
	                              .node = event->node,
	                              .life = event->life,
	                              .number = event->number,
	                              .code = result});
}

void hosts_apply(struct host *h, uint64_t index)
{
	uint32_t life = h->life;
	while (h->up && h->life == life && h->applied < index) {
		const struct log_entry *entry = h->world->log[h->applied++];
		for (uint32_t i = 0; i < entry->count; i++)
			store_put(&h->rows, &entry->changes[i], h->applied);
		for (uint32_t i = 0; i < entry->count && h->up && h->life == life; i++) {
			struct engine_input input = {.kind = ENGINE_ROW};
			input.row.deleted = entry->changes[i].deleted;
			input.row.row = entry->changes[i].row;
			input.row.row.version = h->applied;
			host_deliver(h, &input);
		}
	}
}

void hosts_forget(struct hosts *w)
{
	for (uint32_t i = 0; i < w->log_count; i++)
		entry_free(w->log[i]);
	free(w->log);
	free(w->committed.list);
	for (uint32_t i = 0; i < w->event_count; i++) {
		if (w->events[i].kind == EVENT_COMMIT && w->events[i].memory)
			entry_free(w->events[i].memory);
		else
			free(w->events[i].memory);
	}
	for (uint32_t i = 0; i < HOSTS_MAX; i++)
		free(w->hosts[i].rows.list);
}

/* ---- the view ---- */

static uint64_t view_applied(void *context)
{
	return ((struct host *)context)->applied;
}

static void show(const struct kept_row *row, struct registry_row *out)
{
	*out = *row->value;
	out->version = row->version;
}

static bool view_row(void *context, enum registry_kind kind, struct bytes name,
                     struct registry_row *out)
{
	const struct kept_row *row = find(&((struct host *)context)->rows, kind, name);
	if (row)
		show(row, out);
	return row != NULL;
}

static bool view_next(void *context, enum registry_kind kind, uint32_t *cursor,
                      struct registry_row *out)
{
	const struct row_store *store = &((struct host *)context)->rows;
	while (*cursor < store->count) {
		const struct kept_row *row = &store->list[(*cursor)++];
		if (row->kind != kind)
			continue;
		show(row, out);
		return true;
	}
	return false;
}

static bool view_member(void *context, uint32_t position, struct engine_member *out)
{
	if (position >= HOSTS_MAX)
		return false;
	memset(out, 0, sizeof(*out));
	out->id = host_id(position);
	out->name[0] = 'n';
	out->name[1] = (char)('0' + position);
	out->state = REACHABLE;
	return true;
}

static bool view_fact(void *context, node_id owner, struct bytes key, struct fact_view *out)
{
	return false;
}

void host_view(struct host *h, struct engine_view *out)
{
	*out = (struct engine_view){h,           view_applied, view_row, view_next,
	                            view_member, view_fact,    NULL};
}
