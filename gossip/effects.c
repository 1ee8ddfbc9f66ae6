#include "effects.h"

#include <assert.h>
#include <string.h>

void effects_begin(struct effects_buffer *e)
{
	e->count = 0;
	e->used = 0;
	e->op_count = 0;
}

static bool is_send(enum effect_kind kind)
{
	return kind == EFFECT_PACKET || kind == EFFECT_FRAME || kind == EFFECT_KNOCK;
}

/* Rows are told anew, an engine's request is sent again. */
static bool may_be_lost(enum effect_kind kind)
{
	return is_send(kind) || kind == EFFECT_TRACE || kind == EFFECT_CHANGED || kind == EFFECT_ROW ||
	       kind == EFFECT_ROWS || kind == EFFECT_ENGINE || kind == EFFECT_ENGINE_MESSAGE ||
	       kind == EFFECT_ENGINE_PROGRESS;
}

struct effect *effects_add(struct effects_buffer *e, enum effect_kind kind)
{
	uint32_t limit = is_send(kind) ? EFFECTS_MAX - EFFECTS_RESERVED : EFFECTS_MAX;
	if (e->count >= limit) {
		/* Debug traces may be lost when the reserve is gone too; nothing else gets there. */
		assert(may_be_lost(kind));
		(*e->dropped)++;
		return NULL;
	}
	struct effect *effect = &e->list[e->count++];
	memset(effect, 0, sizeof *effect);
	effect->kind = kind;
	return effect;
}

uint8_t *effects_room(struct effects_buffer *e, size_t size, bool must)
{
	size_t limit = must ? EFFECT_BYTES_MAX : EFFECT_BYTES_MAX - EFFECT_BYTES_RESERVED;
	size_t aligned = (size + 15) & ~(size_t)15;
	if (aligned > limit || e->used > limit - aligned) {
		assert(!must);
		(*e->dropped)++;
		return NULL;
	}
	uint8_t *room = e->bytes + e->used;
	e->used += aligned;
	return room;
}

struct bytes effects_copy(struct effects_buffer *e, struct bytes in)
{
	if (in.data == NULL)
		return in;
	uint8_t *room = effects_room(e, in.size, true);
	if (in.size > 0)
		memcpy(room, in.data, in.size);
	return (struct bytes){room, in.size};
}
