#include "queue.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Pool p holds events with room for 64 << p bytes; the last one holds any legal frame. */
static uint8_t pool_for(size_t size)
{
	uint8_t pool = 0;
	while (((size_t)64 << pool) < size)
		pool++;
	assert(pool < QUEUE_POOLS);
	return pool;
}

struct event *queue_event(struct queue *q, enum event_kind kind, uint32_t node, size_t size)
{
	uint8_t pool = pool_for(size);
	struct event *event = q->free[pool];
	if (event)
		q->free[pool] = event->next;
	else
		event = malloc(sizeof(*event) + ((size_t)64 << pool));
	assert(event);
	memset(event, 0, sizeof(*event));
	event->pool = pool;
	event->kind = kind;
	event->node = node;
	event->size = (uint32_t)size;
	return event;
}

void queue_free(struct queue *q, struct event *event)
{
	event->next = q->free[event->pool];
	q->free[event->pool] = event;
}

static bool before(const struct queue_item *a, const struct queue_item *b)
{
	return a->at < b->at || (a->at == b->at && a->order < b->order);
}

static void grow(struct queue *q)
{
	q->capacity = q->capacity ? q->capacity * 2 : 1024;
	q->heap = realloc(q->heap, q->capacity * sizeof(*q->heap));
	assert(q->heap);
}

void queue_push(struct queue *q, instant at, struct event *event)
{
	if (q->count == q->capacity)
		grow(q);
	struct queue_item item = {at, q->order++, event};
	uint32_t hole = q->count++;
	while (hole > 0 && before(&item, &q->heap[(hole - 1) / 2])) {
		q->heap[hole] = q->heap[(hole - 1) / 2];
		hole = (hole - 1) / 2;
	}
	q->heap[hole] = item;
}

instant queue_next_at(const struct queue *q)
{
	return q->count ? q->heap[0].at : NEVER;
}

struct event *queue_pop(struct queue *q, instant *at)
{
	assert(q->count > 0);
	struct event *event = q->heap[0].event;
	*at = q->heap[0].at;
	struct queue_item last = q->heap[--q->count];
	uint32_t hole = 0;
	for (;;) {
		uint32_t child = 2 * hole + 1;
		if (child >= q->count)
			break;
		if (child + 1 < q->count && before(&q->heap[child + 1], &q->heap[child]))
			child++;
		if (!before(&q->heap[child], &last))
			break;
		q->heap[hole] = q->heap[child];
		hole = child;
	}
	if (q->count)
		q->heap[hole] = last;
	return event;
}

void queue_finish(struct queue *q)
{
	for (uint32_t i = 0; i < q->count; i++)
		queue_free(q, q->heap[i].event);
	for (int pool = 0; pool < QUEUE_POOLS; pool++) {
		while (q->free[pool]) {
			struct event *event = q->free[pool];
			q->free[pool] = event->next;
			free(event);
		}
	}
	free(q->heap);
	*q = (struct queue){0};
}
