#include "disk.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static uint8_t *copy(struct bytes in)
{
	uint8_t *out = malloc(in.size ? in.size : 1);
	assert(out);
	if (in.size)
		memcpy(out, in.data, in.size);
	return out;
}

/* ---- what is written ---- */

static struct disk_row **row_slot(struct disk *d, struct bytes key)
{
	uint32_t hash = 5381;
	for (size_t i = 0; i < key.size; i++)
		hash = hash * 33 ^ key.data[i];
	struct disk_row **slot = &d->rows[hash % DISK_BUCKETS];
	while (*slot && ((*slot)->key_size != key.size ||
	                 memcmp((*slot)->key, key.data, key.size) != 0))
		slot = &(*slot)->next;
	return slot;
}

static void row_put(struct disk *d, struct bytes key, struct bytes value)
{
	struct disk_row **slot = row_slot(d, key);
	if (!*slot) {
		*slot = calloc(1, sizeof(**slot) + key.size);
		assert(*slot);
		(*slot)->key_size = key.size;
		memcpy((*slot)->key, key.data, key.size);
	}
	free((*slot)->value);
	(*slot)->value = copy(value);
	(*slot)->value_size = value.size;
}

static void row_delete(struct disk *d, struct bytes key)
{
	struct disk_row **slot = row_slot(d, key);
	struct disk_row *row = *slot;
	if (!row)
		return;
	*slot = row->next;
	free(row->value);
	free(row);
}

static void rows_clear(struct disk *d)
{
	for (int i = 0; i < DISK_BUCKETS; i++) {
		while (d->rows[i]) {
			struct disk_row *row = d->rows[i];
			d->rows[i] = row->next;
			free(row->value);
			free(row);
		}
	}
}

static void entries_cut_above(struct disk *d, uint64_t index)
{
	while (d->entry_count && d->entries[d->entry_count - 1].index > index)
		free(d->entries[--d->entry_count].data);
}

static void entries_trim_below(struct disk *d, uint64_t index)
{
	uint32_t gone = 0;
	while (gone < d->entry_count && d->entries[gone].index <= index)
		free(d->entries[gone++].data);
	d->entry_count -= gone;
	if (gone && d->entry_count)
		memmove(d->entries, d->entries + gone, d->entry_count * sizeof(*d->entries));
}

/* The place of `index`, or where it belongs. Nearly always the end. */
static uint32_t entry_place(const struct disk *d, uint64_t index)
{
	uint32_t place = d->entry_count;
	while (place > 0 && d->entries[place - 1].index >= index)
		place--;
	return place;
}

static void entry_put(struct disk *d, const struct disk_op *op)
{
	uint32_t place = entry_place(d, op->index);
	if (place < d->entry_count && d->entries[place].index == op->index) {
		free(d->entries[place].data);
	} else {
		if (d->entry_count == d->entry_capacity) {
			d->entry_capacity = d->entry_capacity ? d->entry_capacity * 2 : 64;
			d->entries = realloc(d->entries,
			                     d->entry_capacity * sizeof(*d->entries));
			assert(d->entries);
		}
		memmove(d->entries + place + 1, d->entries + place,
		        (d->entry_count - place) * sizeof(*d->entries));
		d->entry_count++;
	}
	d->entries[place] =
		(struct disk_entry){op->index, op->ballot, op->value.size, copy(op->value)};
}

static void durable_put(struct disk *d, struct bytes record)
{
	free(d->durable);
	d->durable = copy(record);
	d->durable_size = record.size;
}

static void write_op(struct disk *d, const struct disk_op *op)
{
	switch (op->kind) {
	case STORE_DURABLE:
		durable_put(d, op->value);
		return;
	case STORE_ENTRY:
		entry_put(d, op);
		return;
	case STORE_CUT_ABOVE:
		entries_cut_above(d, op->index);
		return;
	case STORE_TRIM_BELOW:
		entries_trim_below(d, op->index);
		return;
	case STORE_ROW:
		row_put(d, op->key, op->value);
		return;
	case STORE_ROW_DELETE:
		row_delete(d, op->key);
		return;
	case STORE_ROWS_CLEAR:
		rows_clear(d);
		return;
	case STORE_JOURNAL: /* no machine here has an engine */
	case STORE_JOURNAL_DELETE:
	case STORE_FORMAT:
		return; /* every process here knows every format */
	}
	assert(!"a store operation outside its enum");
}

/* ---- what is on its way ---- */

static void take_head(struct disk *d, bool written)
{
	struct disk_transaction *t = d->head;
	for (uint32_t i = 0; written && i < t->op_count; i++)
		write_op(d, &t->ops[i]);
	d->head = t->next;
	if (!d->head)
		d->tail = NULL;
	d->queued--;
	free(t);
}

static struct bytes place_bytes(uint8_t **room, struct bytes in)
{
	struct bytes out = {*room, in.size};
	if (in.size)
		memcpy(*room, in.data, in.size);
	*room += in.size;
	return out;
}

void disk_submit(struct disk *d, uint64_t number, bool lazy, uint32_t op_count,
                 const struct store_op *ops)
{
	size_t size = sizeof(struct disk_transaction) + op_count * sizeof(struct disk_op);
	size_t bytes = 0;
	for (uint32_t i = 0; i < op_count; i++)
		bytes += ops[i].key.size + ops[i].value.size;
	struct disk_transaction *t = calloc(1, size + bytes);
	assert(t);
	t->number = number;
	t->lazy = lazy;
	t->op_count = op_count;
	t->size = bytes;
	uint8_t *room = (uint8_t *)t + size;
	for (uint32_t i = 0; i < op_count; i++) {
		t->ops[i].kind = ops[i].kind;
		t->ops[i].index = ops[i].index;
		t->ops[i].ballot = ops[i].ballot;
		t->ops[i].key = place_bytes(&room, ops[i].key);
		t->ops[i].value = place_bytes(&room, ops[i].value);
	}
	if (d->tail)
		d->tail->next = t;
	else
		d->head = t;
	d->tail = t;
	d->queued++;
}

bool disk_urgent(const struct disk *d)
{
	for (const struct disk_transaction *t = d->head; t; t = t->next)
		if (!t->lazy && !t->reported)
			return true;
	return false;
}

uint64_t disk_begin(struct disk *d)
{
	assert(d->batch == 0 && d->queued > 0);
	d->batch = d->queued;
	d->overdue = false;
	return ++d->batches;
}

/* A full disk still takes what fits; nothing is written behind a transaction that did not. */
static bool fails(struct disk *d, const struct disk_transaction *t, bool failed)
{
	if (d->mood == DISK_FAILING || failed)
		return true;
	if (d->mood != DISK_FULL)
		return false;
	if (t->size > d->room)
		return true;
	d->room -= t->size;
	return false;
}

void disk_end(struct disk *d, disk_report *report, void *context)
{
	uint32_t count = d->batch;
	bool failed = false;
	struct disk_transaction *t = d->head;
	d->batch = 0;
	d->overdue = false;
	for (uint32_t i = 0; i < count; i++) {
		struct disk_transaction *next = t->next;
		failed = fails(d, t, failed);
		if (!t->reported)
			report(context, t->number, failed);
		t->reported = true;
		if (!failed)
			take_head(d, true);
		t = next;
	}
}

void disk_crash(struct disk *d, struct prng *dice)
{
	bool writes = d->mood != DISK_FAILING && d->mood != DISK_FULL;
	uint64_t kept = d->batch && writes ? prng_below(dice, d->batch + 1) : 0;
	while (d->head) {
		take_head(d, kept > 0);
		kept -= kept > 0;
	}
	d->batch = 0;
	d->batches++;
	d->overdue = false;
}

void disk_flush(struct disk *d)
{
	while (d->head)
		take_head(d, d->mood != DISK_FAILING && d->mood != DISK_FULL);
	d->batch = 0;
	d->batches++;
	d->overdue = false;
}

bool disk_load(const struct disk *d, struct gossip *core)
{
	if (d->durable && !gossip_load_durable(core, (struct bytes){d->durable, d->durable_size}))
		return false;
	for (int i = 0; i < DISK_BUCKETS; i++)
		for (const struct disk_row *row = d->rows[i]; row; row = row->next)
			if (!gossip_load_row(core, (struct bytes){row->key, row->key_size},
			                     (struct bytes){row->value, row->value_size}))
				return false;
	for (uint32_t i = 0; i < d->entry_count; i++) {
		const struct disk_entry *e = &d->entries[i];
		if (!gossip_load_entry(core, e->index, &e->ballot,
		                       (struct bytes){e->data, e->size}))
			return false;
	}
	return true;
}

static void copy_rows(const struct disk *from, struct disk *out)
{
	for (int i = 0; i < DISK_BUCKETS; i++)
		for (const struct disk_row *row = from->rows[i]; row; row = row->next)
			row_put(out, (struct bytes){row->key, row->key_size},
			        (struct bytes){row->value, row->value_size});
}

void disk_copy(const struct disk *from, struct disk *out)
{
	*out = (struct disk){0};
	if (from->durable)
		durable_put(out, (struct bytes){from->durable, from->durable_size});
	copy_rows(from, out);
	for (uint32_t i = 0; i < from->entry_count; i++) {
		const struct disk_entry *e = &from->entries[i];
		struct disk_op op = {.kind = STORE_ENTRY, .index = e->index, .ballot = e->ballot};
		op.value = (struct bytes){e->data, e->size};
		entry_put(out, &op);
	}
}

void disk_finish(struct disk *d)
{
	while (d->head)
		take_head(d, false);
	rows_clear(d);
	entries_cut_above(d, 0);
	free(d->entries);
	free(d->durable);
	*d = (struct disk){0};
}
