/*
 * engine_view.c: the world as the engine's verbs may look at it: rows, members, facts.
 */
#include <string.h>

#include "body_clock.h"
#include "engine_inside.h"
#include "engine_runner.h"

static uint64_t applied(void *context)
{
	struct engine_body *e = context;
	return gossip_applied(e->body->gossip);
}

static bool decode(struct engine_body *e, const struct kv_view *view, struct registry_row *out)
{
	if (!registry_row_decode(view->key, view->value, &e->view_arena, &e->view_room, out))
		return false;
	out->version = view->version;
	return true;
}

static bool row(void *context, enum registry_kind kind, struct bytes name, struct registry_row *out)
{
	struct engine_body *e = context;
	uint8_t room[REGISTRY_NAME_MAX + 1];
	struct kv_view view;
	if (name.size > REGISTRY_NAME_MAX ||
	    !gossip_registry(e->body->gossip, registry_row_key(kind, name, room), &view))
		return false;
	bool legal = decode(e, &view, out);
	out->name = name;
	return legal;
}

static bool next_row(void *context, enum registry_kind kind, uint32_t *cursor, struct registry_row *out)
{
	struct engine_body *e = context;
	struct kv_view view;
	while (gossip_registry_at(e->body->gossip, cursor, &view)) {
		if (view.key.size > 0 && view.key.data[0] == (uint8_t)kind && decode(e, &view, out))
			return true;
	}
	return false;
}

/* Those who left keep their place in the mind's list: it is walked on from where it was left. */
static bool member(void *context, uint32_t position, struct engine_member *out)
{
	struct engine_body *e = context;
	struct member_view view;
	struct now now;
	body_clock_read(&now);
	if (position == 0 || position < e->member_position)
		e->member_position = e->member_index = 0;
	while (gossip_member_at(e->body->gossip, &now, e->member_index, &view)) {
		bool gone = view.state == GONE_LEFT || view.state == GONE_REMOVED;
		if (!gone && e->member_position == position) {
			*out = (struct engine_member){.id = view.id, .role = view.role,
				.state = view.self ? REACHABLE : view.state, .since = view.since};
			memcpy(out->name, view.name, sizeof out->name);
			return true;
		}
		e->member_position += !gone;
		e->member_index++;
	}
	e->member_position = e->member_index = 0;
	return false;
}

static bool fact(void *context, node_id owner, struct bytes key, struct fact_view *out)
{
	struct engine_body *e = context;
	struct now now;
	body_clock_read(&now);
	for (uint32_t i = 0; gossip_fact_at(e->body->gossip, &now, i, out); i++) {
		if (out->owner == owner && out->key.size == key.size &&
		    memcmp(out->key.data, key.data, key.size) == 0)
			return !out->tombstone;
	}
	return false;
}

static bool hooked(void *context, const char *noun, const char *verb, bool after)
{
	struct engine_body *e = context;
	return runner_hooked(e->body, noun, verb, after);
}

void engine_view_fill(struct engine_body *e)
{
	e->view = (struct engine_view){e, applied, row, next_row, member, fact, hooked};
}
