#include "engine_inside.h"

#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "body_clock.h"
#include "engine_runner.h"
#include "journal.h"
#include "programs.h"
#include "text.h"
#include "verbs.h"

/* ---- the queue ---- */

struct told *engine_tell(struct engine_body *e, enum engine_input_kind kind, size_t size)
{
	struct told *t = calloc(1, sizeof *t + size + 1);
	if (t == NULL)
		return NULL; /* as if a message was lost; rows and ends of runs are told by others anew */
	t->kind = kind;
	STAILQ_INSERT_TAIL(&e->queue, t, link);
	return t;
}

static struct told *tell_bytes(struct engine_body *e, enum engine_input_kind kind, struct bytes key,
                               struct bytes value)
{
	struct told *t = engine_tell(e, kind, key.size + value.size + 1);
	if (t == NULL)
		return NULL;
	t->key_size = key.size;
	t->size = value.size;
	if (key.size > 0)
		memcpy(t->bytes, key.data, key.size);
	if (value.size > 0) /* behind the key and its NUL */
		memcpy(t->bytes + key.size + 1, value.data, value.size);
	return t;
}

static struct bytes key_of(const struct told *t)
{
	return (struct bytes){t->bytes, t->key_size};
}

static struct bytes value_of(const struct told *t)
{
	return (struct bytes){t->bytes + t->key_size + 1, t->size};
}

/* ---- rows ---- */

/* Of rows that only grow in number nobody needs to be told that they went: audit rows. */
static void remember(struct engine_body *e, struct bytes key, bool there)
{
	char hex[2 * (KEY_MAX_SIZE + 1) + 1];
	if (key.size == 0 || key.size > KEY_MAX_SIZE || key.data[0] == REGISTRY_AUDIT)
		return;
	hex_format(key.data, key.size, hex);
	if (there)
		json_object_set_new(e->known, hex, json_null());
	else
		json_object_del(e->known, hex);
}

static void tell_row(struct engine_body *e, struct bytes key, bool there)
{
	remember(e, key, there);
	tell_bytes(e, ENGINE_ROW, key, (struct bytes){NULL, 0});
}

static void tell_missing(struct engine_body *e)
{
	const char *hex;
	json_t *none;
	json_object_foreach(e->known, hex, none)
	{
		uint8_t name[KEY_MAX_SIZE + 1];
		struct kv_view row;
		size_t size = strlen(hex) / 2;
		if (hex_parse(hex, name, size) &&
		    !gossip_registry(e->body->gossip, (struct bytes){name, size}, &row))
			tell_bytes(e, ENGINE_ROW, (struct bytes){name, size}, (struct bytes){NULL, 0});
	}
	json_object_clear(e->known);
}

/* After a start, a snapshot, a new generation: whatever may have changed. */
static void tell_all_rows(struct engine_body *e)
{
	struct kv_view row;
	tell_missing(e);
	for (uint32_t cursor = 0; gossip_registry_at(e->body->gossip, &cursor, &row);)
		tell_row(e, row.key, true);
	if (!e->started)
		engine_tell(e, ENGINE_START, 0);
	e->started = true;
}

/* ---- mastership ---- */

/* Who is no master is told of each new epoch: it obeys no older one. */
static void look_at_mastership(struct engine_body *e, const struct now *now)
{
	uint64_t epoch = 0;
	bool acts = gossip_acts(e->body->gossip, now, &epoch);
	if (!e->started)
		return;
	if (!acts)
		epoch = gossip_epoch(e->body->gossip);
	if (acts == e->master && epoch == e->epoch)
		return;
	if (acts || e->master)
		engine_proposals_lost(e);
	e->master = acts;
	e->epoch = epoch;
	struct told *t = engine_tell(e, ENGINE_MASTERSHIP, 0);
	if (t != NULL) {
		t->flag = acts;
		t->number = e->epoch;
	}
}

/* ---- what came of a step of the mind ---- */

static void take_request(struct engine_body *e, const struct effect *effect)
{
	struct now now;
	body_clock_read(&now);
	look_at_mastership(e, &now); /* the mind asks only a master's */
	struct told *t = tell_bytes(e, ENGINE_REQUEST, (struct bytes){NULL, 0}, effect->engine.bytes);
	if (t != NULL)
		t->request = effect->engine.request;
}

void engine_body_effect(struct engine_body *e, const struct effect *effect)
{
	if (e == NULL)
		return;
	if (effect->kind == EFFECT_ROW)
		tell_row(e, effect->row.key, !effect->row.removed);
	else if (effect->kind == EFFECT_ROWS)
		tell_all_rows(e);
	else if (effect->kind == EFFECT_PROPOSED)
		engine_proposed(e, effect);
	else if (effect->kind == EFFECT_ENGINE)
		take_request(e, effect);
	else if (effect->kind == EFFECT_ENGINE_MESSAGE) {
		struct told *t = tell_bytes(e, ENGINE_MESSAGE, (struct bytes){NULL, 0},
		                            effect->engine_message.bytes);
		if (t != NULL)
			t->from = effect->engine_message.from;
	}
}

void engine_body_member(struct engine_body *e)
{
	if (e != NULL)
		engine_tell(e, ENGINE_MEMBER, 0);
}

void engine_body_persists(struct engine_body *e, uint64_t number)
{
	struct journaling *j;
	STAILQ_FOREACH(j, &e->journalings, link) {
		if (j->persist == 0)
			j->persist = number;
	}
}

void engine_body_persisted(struct engine_body *e, uint64_t number, bool failed)
{
	struct journaling *j;
	while (e != NULL && (j = STAILQ_FIRST(&e->journalings)) != NULL && j->persist != 0 &&
	       j->persist <= number) {
		STAILQ_REMOVE_HEAD(&e->journalings, link);
		struct told *t = engine_tell(e, ENGINE_JOURNALED, 0);
		if (t != NULL) {
			t->number = j->number;
			t->flag = failed;
		}
		free(j);
	}
}

void engine_body_ended(struct engine_body *e, uint64_t run, const struct command_result *result)
{
	struct told *t = tell_bytes(e, ENGINE_RESULT, result->out, result->err);
	if (t == NULL)
		abort(); /* a run without an end would hold its operation for ever */
	t->number = run;
	t->code = result->end;
	t->exit_code = result->code;
	t->flag = result->truncated;
	engine_body_turn(e);
}

void engine_body_output(struct engine_body *e, uint64_t run, uint64_t done, uint64_t total)
{
	struct told *t = engine_tell(e, ENGINE_OUTPUT, 0);
	if (t == NULL)
		return;
	t->number = run;
	t->done = done;
	t->total = total;
	engine_body_turn(e);
}

/* ---- telling it ---- */

/* False: what it would be about is not legal, or over. */
static bool fill_row(struct engine_body *e, const struct told *t, struct engine_input *in)
{
	struct kv_view view;
	struct bytes key = key_of(t);
	if (key.size == 0)
		return false;
	in->row.deleted = !gossip_registry(e->body->gossip, key, &view);
	in->row.row = (struct registry_row){.kind = (enum registry_kind)key.data[0],
		.name = {key.data + 1, key.size - 1}};
	if (in->row.deleted)
		return true;
	bool legal = registry_row_decode(key, view.value, &e->view_arena, &e->view_room,
	                                 &in->row.row);
	in->row.row.version = view.version;
	return legal;
}

static bool fill_request(struct engine_body *e, const struct told *t, struct engine_request *request,
                         struct engine_input *in)
{
	if (!engine_request_decode(value_of(t), &e->arena, request))
		return false;
	request->id = t->request;
	request->from = t->request.origin;
	in->request = request;
	return true;
}

static bool fill_message(struct engine_body *e, const struct told *t, struct engine_message *message,
                         struct engine_input *in)
{
	in->message.from = t->from;
	in->message.message = message;
	return engine_message_decode(value_of(t), &e->arena, message);
}

union told_room {
	struct engine_request request;
	struct engine_message message;
	struct command_result result;
};

static bool fill(struct engine_body *e, const struct told *t, union told_room *room,
                 struct engine_input *in)
{
	*in = (struct engine_input){.kind = t->kind};
	switch (t->kind) {
	case ENGINE_TICK:
	case ENGINE_START:
	case ENGINE_MEMBER:
		return true;
	case ENGINE_ROW:
		return fill_row(e, t, in);
	case ENGINE_MASTERSHIP:
		in->mastership.master = t->flag;
		in->mastership.epoch = t->number;
		return true;
	case ENGINE_PROPOSED:
		in->proposed.number = t->number;
		in->proposed.result = (enum proposal_result)t->code;
		in->proposed.text = (const char *)t->bytes;
		return true;
	case ENGINE_REQUEST:
		return fill_request(e, t, &room->request, in);
	case ENGINE_MESSAGE:
		return fill_message(e, t, &room->message, in);
	case ENGINE_JOURNALED:
		in->journaled.number = t->number;
		in->journaled.failed = t->flag;
		return true;
	case ENGINE_RESULT:
		room->result = (struct command_result){(enum command_end)t->code, t->exit_code, t->flag,
		                                       key_of(t), value_of(t)};
		in->result.run = t->number;
		in->result.result = &room->result;
		return true;
	case ENGINE_OUTPUT:
		in->output.run = t->number;
		in->output.done_bytes = t->done;
		in->output.total_bytes = t->total;
		return true;
	}
	return false;
}

static void step(struct engine_body *e, const struct engine_input *in)
{
	struct engine_output out;
	struct now now;
	body_clock_read(&now);
	engine_step(e->engine, &now, in, &out);
	engine_carry(e, &now, &out);
}

static void arm(struct engine_body *e)
{
	struct now now;
	struct timeval after;
	body_clock_read(&now);
	instant at = engine_deadline(e->engine, &now);
	if (at == e->timer_at && at != NEVER && event_pending(e->timer, EV_TIMEOUT, NULL))
		return;
	e->timer_at = at;
	if (at == NEVER) {
		event_del(e->timer);
		return;
	}
	duration_timeval(at > now.boot ? at - now.boot : MILLISECOND, &after);
	event_add(e->timer, &after);
}

void engine_body_turn(struct engine_body *e)
{
	struct told *t;
	struct now now;
	static union told_room room; /* large, and one thread */
	if (e == NULL || e->turning || e->body->stepping)
		return;
	e->turning = true;
	body_clock_read(&now);
	look_at_mastership(e, &now);
	while (e->started && (t = STAILQ_FIRST(&e->queue)) != NULL) {
		struct engine_input in;
		STAILQ_REMOVE_HEAD(&e->queue, link);
		if (fill(e, t, &room, &in))
			step(e, &in);
		free(t);
		body_clock_read(&now);
		look_at_mastership(e, &now); /* what it wanted were steps of the mind */
	}
	if (e->started)
		arm(e);
	e->turning = false;
}

/* ---- life ---- */

static void on_timer(evutil_socket_t none, short what, void *context)
{
	struct engine_body *e = context;
	engine_tell(e, ENGINE_TICK, 0);
	engine_body_turn(e);
}

static void on_again(evutil_socket_t none, short what, void *context)
{
	struct engine_body *e = context;
	engine_propose_again(e);
	engine_body_turn(e);
}

static bool make_memory(struct engine_body *e)
{
	struct engine_settings settings = {.self = node_key_id(&e->body->keys.public_key),
		.verbs = &verbs, .view = &e->view, .hook_program = PROGRAM_HOOK};
	e->memory_size = engine_size(&settings);
	e->memory = calloc(1, e->memory_size); /* room nobody uses is never touched, and so not resident */
	e->arena.data = malloc(ENGINE_ARENA_SIZE);
	e->view_arena.data = malloc(ENGINE_ARENA_SIZE);
	e->scratch = malloc(ENGINE_SCRATCH);
	e->known = json_object();
	e->arena.size = e->view_arena.size = ENGINE_ARENA_SIZE;
	if (e->memory == NULL || e->arena.data == NULL || e->view_arena.data == NULL ||
	    e->scratch == NULL || e->known == NULL)
		return false;
	e->engine = engine_init(e->memory, &settings);
	return true;
}

struct engine_body *engine_body_create(struct body *body)
{
	struct engine_body *e = calloc(1, sizeof *e);
	if (e == NULL)
		return NULL;
	e->body = body;
	e->timer_at = NEVER;
	STAILQ_INIT(&e->queue);
	STAILQ_INIT(&e->proposals);
	STAILQ_INIT(&e->journalings);
	engine_view_fill(e);
	e->timer = event_new(body->base, -1, 0, on_timer, e);
	e->again = event_new(body->base, -1, 0, on_again, e);
	if (e->timer != NULL && e->again != NULL && make_memory(e))
		return e;
	engine_body_destroy(e);
	return NULL;
}

bool engine_body_load(struct engine_body *e, struct bytes value)
{
	static struct journal_record record;
	return journal_record_decode(value, &e->arena, &record) &&
	       engine_load_journal(e->engine, &record);
}

static void free_lists(struct engine_body *e)
{
	struct told *t;
	struct proposal *p;
	struct journaling *j;
	while ((t = STAILQ_FIRST(&e->queue)) != NULL) {
		STAILQ_REMOVE_HEAD(&e->queue, link);
		free(t);
	}
	while ((p = STAILQ_FIRST(&e->proposals)) != NULL) {
		STAILQ_REMOVE_HEAD(&e->proposals, link);
		free(p);
	}
	while ((j = STAILQ_FIRST(&e->journalings)) != NULL) {
		STAILQ_REMOVE_HEAD(&e->journalings, link);
		free(j);
	}
}

void engine_body_destroy(struct engine_body *e)
{
	if (e == NULL)
		return;
	free_lists(e);
	if (e->timer != NULL)
		event_free(e->timer);
	if (e->again != NULL)
		event_free(e->again);
	json_decref(e->known);
	free(e->memory);
	free(e->arena.data);
	free(e->view_arena.data);
	free(e->scratch);
	free(e);
}

const struct engine *engine_body_engine(const struct engine_body *e)
{
	return e->engine;
}
