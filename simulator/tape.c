#include "tape.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

bool tape_begin(struct tapes *t, const struct tape *wanted)
{
	for (int i = 0; i < TAPES_MAX; i++) {
		if (t->list[i].used)
			continue;
		t->list[i] = *wanted;
		t->list[i].used = t->list[i].runs = true;
		return true;
	}
	return false;
}

void tapes_finish(struct tapes *t)
{
	for (int i = 0; i < TAPES_MAX; i++) {
		while (t->list[i].head) {
			struct taped *first = t->list[i].head;
			t->list[i].head = first->next;
			free(first);
		}
	}
}

static void keep(struct tape *tape, struct bytes bytes)
{
	struct taped *copy = calloc(1, sizeof(*copy) + bytes.size);
	assert(copy);
	copy->size = bytes.size;
	memcpy(copy->bytes, bytes.data, bytes.size);
	if (tape->tail)
		tape->tail->next = copy;
	else
		tape->head = copy;
	tape->tail = copy;
}

bool tape_takes(struct tapes *t, uint32_t from, uint32_t to, const struct effect *effect)
{
	bool held = false;
	for (int i = 0; i < TAPES_MAX; i++) {
		struct tape *tape = &t->list[i];
		if (!tape->runs || tape->from != from || tape->to != to ||
		    (tape->kind != MESSAGE_NONE && tape->kind != effect->packet.message))
			continue;
		if (tape->first) {
			tape->first--;
			continue;
		}
		keep(tape, effect->packet.bytes);
		held |= tape->holds;
	}
	return held;
}

void tape_pass(struct tapes *t, uint32_t from, uint32_t to, enum message_kind kind)
{
	for (int i = 0; i < TAPES_MAX; i++)
		if (t->list[i].from == from && t->list[i].to == to &&
		    (kind == MESSAGE_NONE || kind == t->list[i].kind))
			t->list[i].runs = false;
}

uint32_t tape_replay(struct world *w, uint32_t from, uint32_t to)
{
	uint32_t count = 0;
	for (int i = 0; i < TAPES_MAX; i++) {
		struct tape *tape = &w->network.tapes.list[i];
		if (!tape->used || tape->from != from || tape->to != to)
			continue;
		tape->holds = false;
		for (const struct taped *p = tape->head; p; p = p->next) {
			struct event *event = queue_event(&w->queue, EVENT_PACKET, to, p->size);
			event->from = from;
			memcpy(event->bytes, p->bytes, p->size);
			queue_push(&w->queue, w->now + 100 * MICROSECOND + count++, event);
		}
	}
	return count;
}

bool tape_kind(const char *word, enum message_kind *out)
{
	uint32_t kind = MESSAGE_NONE;
	bool known = !*word || (choice_kind_parse(word, &kind) && kind < MESSAGE_KINDS);
	*out = (enum message_kind)kind;
	return known;
}
