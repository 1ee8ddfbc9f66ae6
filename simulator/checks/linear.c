#include "linear.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

uint32_t history_add(struct history *h, const struct operation *op)
{
	if (h->count == h->capacity) {
		h->capacity = h->capacity ? h->capacity * 2 : 64;
		h->list = realloc(h->list, h->capacity * sizeof(*h->list));
		assert(h->list);
	}
	h->list[h->count] = *op;
	return h->count++;
}

void history_finish(struct history *h)
{
	free(h->list);
	*h = (struct history){0};
}

/* ---- the register ---- */

/* `exact` false: an unknown put gave the row some version above `version`. */
struct row_state {
	uint64_t version, value;
	bool exact;
};

static bool could_be(const struct row_state *s, uint64_t version)
{
	return s->exact ? version == s->version : version > s->version;
}

static bool put(const struct operation *op, struct row_state *s)
{
	bool known = op->end != LINEAR_UNKNOWN;
	uint64_t floor = s->version;
	if (op->if_version != LINEAR_ANY) {
		if (!could_be(s, op->if_version))
			return false;
		floor = op->if_version;
	}
	if (known && op->version <= floor)
		return false;
	*s = (struct row_state){known ? op->version : floor, op->value, known};
	return true;
}

static bool get(const struct operation *op, struct row_state *s)
{
	if (!could_be(s, op->version) || (op->version && op->value != s->value))
		return false;
	s->version = op->version;
	s->exact = true;
	return true;
}

static bool apply(const struct operation *op, struct row_state *s)
{
	switch (op->kind) {
	case LINEAR_PUT:
		return put(op, s);
	case LINEAR_GET:
		return get(op, s);
	case LINEAR_CONFLICT:
		return !s->exact || s->version != op->if_version;
	}
	return false;
}

/* ---- the list of calls and returns ---- */

struct mark {
	uint64_t at;
	uint32_t operation;
	bool returns;
	struct mark *previous, *next, *match; /* match: a call's return */
};

static int by_time(const void *a, const void *b)
{
	const struct mark *x = a, *y = b;
	return (x->at > y->at) - (x->at < y->at);
}

static void unlink_mark(struct mark *m)
{
	m->previous->next = m->next;
	if (m->next)
		m->next->previous = m->previous;
}

static void relink_mark(struct mark *m)
{
	m->previous->next = m;
	if (m->next)
		m->next->previous = m;
}

static void lift(struct mark *call)
{
	unlink_mark(call);
	if (call->match)
		unlink_mark(call->match);
}

static void unlift(struct mark *call)
{
	if (call->match)
		relink_mark(call->match);
	relink_mark(call);
}

/* marks[0] is the head. */
static struct mark *make_marks(const struct history *h)
{
	struct mark *marks = calloc(2 * (size_t)h->count + 1, sizeof(*marks));
	struct mark **calls = calloc(h->count + 1, sizeof(struct mark *));
	uint32_t count = 1;
	assert(marks && calls);
	for (uint32_t i = 0; i < h->count; i++) {
		marks[count++] = (struct mark){.at = h->list[i].begin, .operation = i};
		if (h->list[i].end != LINEAR_UNKNOWN)
			marks[count++] = (struct mark){
				.at = h->list[i].end, .operation = i, .returns = true};
	}
	qsort(marks + 1, count - 1, sizeof(*marks), by_time);
	for (uint32_t i = 1; i < count; i++) {
		marks[i].previous = &marks[i - 1];
		marks[i - 1].next = &marks[i];
		if (marks[i].returns)
			calls[marks[i].operation]->match = &marks[i];
		else
			calls[marks[i].operation] = &marks[i];
	}
	free(calls);
	return marks;
}

/* ---- Lowe's memory: sets are told apart by a 64-bit sum of their members' hashes ---- */

struct memory {
	uint64_t *table;
	uint64_t capacity, count;
};

static uint64_t scramble(uint64_t x)
{
	x = (x ^ x >> 31) * 0x7fb5d329728ea185u;
	x = (x ^ x >> 27) * 0x81dadef4bc2dd44du;
	return x ^ x >> 33;
}

static bool put_new(struct memory *m, uint64_t key)
{
	uint64_t slot = key & (m->capacity - 1);
	while (m->table[slot] && m->table[slot] != key)
		slot = (slot + 1) & (m->capacity - 1);
	bool fresh = !m->table[slot];
	m->table[slot] = key;
	m->count += fresh;
	return fresh;
}

/* True if this set in this state was not visited before. */
static bool visit(struct memory *m, uint64_t set, const struct row_state *s)
{
	uint64_t key = scramble(set + scramble(s->version * 2 + s->exact + scramble(s->value)));
	if (2 * (m->count + 1) >= m->capacity) {
		struct memory old = *m;
		m->capacity = old.capacity ? old.capacity * 2 : 1024;
		m->count = 0;
		m->table = calloc(m->capacity, sizeof(*m->table));
		assert(m->table);
		for (uint64_t i = 0; i < old.capacity; i++)
			if (old.table[i])
				put_new(m, old.table[i]);
		free(old.table);
	}
	return put_new(m, key | 1);
}

/* ---- the search ---- */

struct step {
	struct mark *call;
	struct row_state before;
};

struct search {
	const struct history *history;
	struct mark *head;
	struct memory memory;
	struct step *stack;
	uint32_t depth, returned, deepest, stuck;
	uint64_t set;
	struct row_state state;
};

static uint64_t member(const struct mark *call)
{
	return scramble(call->operation + 1);
}

static bool advance(struct search *s, struct mark *call)
{
	struct row_state after = s->state;
	if (!apply(&s->history->list[call->operation], &after) ||
	    !visit(&s->memory, s->set + member(call), &after))
		return false;
	s->stack[s->depth++] = (struct step){call, s->state};
	s->state = after;
	s->set += member(call);
	s->returned += call->match != NULL;
	lift(call);
	return true;
}

static struct mark *retreat(struct search *s)
{
	struct step *step = &s->stack[--s->depth];
	s->state = step->before;
	s->set -= member(step->call);
	s->returned -= step->call->match != NULL;
	unlift(step->call);
	return step->call->next;
}

static enum linear_verdict search(struct search *s, uint32_t returns)
{
	struct mark *at = s->head->next;
	for (uint32_t steps = 0; s->returned < returns; steps++) {
		if (steps == LINEAR_STEPS)
			return LINEAR_UNDECIDED;
		if (at && !at->returns) {
			at = advance(s, at) ? s->head->next : at->next;
			continue;
		}
		/* Whoever returns here was not linearized before: some earlier choice was wrong. */
		if (at && s->depth >= s->deepest) {
			s->deepest = s->depth;
			s->stuck = at->operation;
		}
		if (!s->depth)
			return LINEAR_NO;
		at = retreat(s);
	}
	return LINEAR_YES;
}

enum linear_verdict linear_check(const struct history *h, uint32_t *stuck)
{
	struct search s = {.history = h, .state = {.exact = true}};
	uint32_t returns = 0;
	for (uint32_t i = 0; i < h->count; i++)
		returns += h->list[i].end != LINEAR_UNKNOWN;
	s.head = make_marks(h);
	s.stack = calloc(h->count + 1, sizeof(*s.stack));
	assert(s.stack);
	enum linear_verdict verdict = search(&s, returns);
	*stuck = s.stuck;
	free(s.head);
	free(s.stack);
	free(s.memory.table);
	return verdict;
}
