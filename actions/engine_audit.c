/*
 * engine_audit.c: every write has a row that stays: its number is the operation's name among
 * people, its id answers a request that is asked again.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine_inside.h"

static int by_number(const void *a, const void *b)
{
	uint64_t x = ((const struct audited *)a)->number, y = ((const struct audited *)b)->number;
	return (x > y) - (x < y);
}

static struct audited *find(struct engine *e, uint64_t number)
{
	if (!e->audit.sorted) { /* rows are loaded in no order */
		qsort(e->audit.list, e->audit.count, sizeof(*e->audit.list), by_number);
		e->audit.sorted = true;
	}
	uint32_t low = 0, high = e->audit.count;
	while (low < high) {
		uint32_t middle = (low + high) / 2;
		if (e->audit.list[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low < e->audit.count && e->audit.list[low].number == number ? &e->audit.list[low]
	                                                                   : NULL;
}

static void drop(struct engine *e, struct audited *row)
{
	struct audited *end = e->audit.list + e->audit.count--;
	memmove(row, row + 1, (size_t)((uint8_t *)end - (uint8_t *)(row + 1)));
}

void audit_applied(struct engine *e, const struct audit_row *row)
{
	bool ended = row->ended_wall != 0;
	if (row->number > e->audit.last)
		e->audit.last = row->number;
	struct audited *known = e->started ? find(e, row->number) : NULL;
	if (known) {
		known->ended = ended;
	} else {
		struct audited *list = e->audit.list;
		if (e->audit.count == e->audit.capacity && find(e, list[0].number))
			drop(e, &list[0]); /* the oldest: only a repeat of it is no longer known */
		if (e->audit.count && list[e->audit.count - 1].number > row->number)
			e->audit.sorted = false;
		list[e->audit.count++] = (struct audited){row->number, row->id, ended};
	}
	if (ended && e->master)
		watchers_ended(e, row);
}

void audit_dropped(struct engine *e, struct bytes name)
{
	uint64_t number = 0;
	for (size_t i = 0; i < name.size; i++)
		number = number << 8 | name.data[i];
	struct audited *known = find(e, number);
	if (known)
		drop(e, known);
}

const struct audited *audit_by_id(const struct engine *e, const struct request_id *id)
{
	for (uint32_t i = e->audit.count; i > 0; i--) {
		if (request_id_equal(&e->audit.list[i - 1].id, id))
			return &e->audit.list[i - 1];
	}
	return NULL;
}

const struct audited *audit_by_number(const struct engine *e, uint64_t number)
{
	return find((struct engine *)e, number);
}

uint64_t audit_number(struct engine *e)
{
	return ++e->audit.last;
}

const struct audit_row *audit_read(struct engine *e, uint64_t number)
{
	uint8_t name[AUDIT_NAME_SIZE];
	struct registry_row row;
	audit_name(number, name);
	const struct engine_view *view = e->settings.view;
	if (!view->row(view->context, REGISTRY_AUDIT, (struct bytes){name, sizeof(name)}, &row))
		return NULL;
	return row.audit;
}

struct audit_row audit_of(const struct operation_row *row)
{
	struct audit_row audit = {
	    .number = row->number,
	    .id = row->id,
	    .epoch = row->epoch,
	    .from = row->from,
	    .arguments = row->arguments,
	    .asked_wall = row->asked_wall,
	    .state = OPERATION_QUEUED,
	};
	memcpy(audit.noun, row->noun, sizeof(audit.noun));
	memcpy(audit.verb, row->verb, sizeof(audit.verb));
	memcpy(audit.subject, row->subject, sizeof(audit.subject));
	memcpy(audit.who, row->who, sizeof(audit.who));
	return audit;
}
