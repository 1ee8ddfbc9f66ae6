/*
 * engine_output.c: the ordered list of effects, and the memory behind them until the next step.
 */
#include <assert.h>
#include <string.h>

#include "engine_inside.h"

void output_begin(struct engine *e)
{
	e->out.count = 0;
	e->out.used = 0;
}

bool output_room(struct engine *e, uint32_t effects, size_t bytes)
{
	if (e->out.count + effects <= EFFECTS_MAX && e->out.used + bytes <= ARENA_SIZE)
		return true;
	e->more = true;
	return false;
}

struct engine_effect *output_add(struct engine *e, enum engine_effect_kind kind)
{
	assert(e->out.count < EFFECTS_MAX);
	struct engine_effect *effect = &e->out.list[e->out.count++];
	memset(effect, 0, sizeof(*effect));
	effect->kind = kind;
	return effect;
}

void *output_copy(struct engine *e, const void *data, size_t size)
{
	size_t at = (e->out.used + 15) & ~(size_t)15;
	assert(at + size <= ARENA_SIZE);
	e->out.used = at + size;
	if (size)
		memcpy(e->out.arena + at, data, size);
	return e->out.arena + at;
}

void output_trace(struct engine *e, enum engine_rule rule, uint64_t number, node_id node,
                  int64_t value, const char *text)
{
	/* What is told to people must not cost what is done: the last places are kept. */
	if (e->out.count + TURN_EFFECTS > EFFECTS_MAX || e->out.used + 2048 > ARENA_SIZE)
		return;
	const char *kept = text ? output_copy(e, text, strlen(text) + 1) : "";
	output_add(e, DO_TRACE)->trace = (struct engine_trace){rule, number, node, value, kept};
}

void output_send(struct engine *e, node_id to, const struct engine_message *message)
{
	struct engine_effect *effect = output_add(e, DO_SEND);
	effect->send.to = to;
	effect->send.message = output_copy(e, message, sizeof(*message));
}
