#include "world.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "foreign.h"
#include "token.h"

#define SETTLE_MAX (20 * SECOND)

/* ---- hashing ---- */

void world_mix(struct world *w, uint64_t x)
{
	w->hash = prng_rotate((w->hash ^ x) * 0x9fb21c651e98df25u, 29);
}

void world_mix_bytes(struct world *w, const void *data, size_t size)
{
	const uint8_t *bytes = data;
	uint64_t word;
	for (; size >= sizeof(word); size -= sizeof(word), bytes += sizeof(word)) {
		memcpy(&word, bytes, sizeof(word));
		world_mix(w, word);
	}
	word = size;
	if (size)
		memcpy(&word, bytes, size);
	world_mix(w, word);
}

/* ---- making and unmaking ---- */

static void insert(struct world *w, uint32_t identity, node_id id)
{
	uint32_t slot = (uint32_t)id & w->found_mask;
	while (w->found[slot])
		slot = (slot + 1) & w->found_mask;
	w->found[slot] = identity + 1;
	w->ids[identity] = id;
}

static void index_machines(struct world *w)
{
	uint32_t identities = w->total * (REKEYS_MAX + 1);
	w->found_mask = 15;
	while (w->found_mask < 2 * identities)
		w->found_mask = w->found_mask * 2 + 1;
	w->found = calloc(w->found_mask + 1, sizeof(*w->found));
	w->ids = calloc(identities, sizeof(*w->ids));
	assert(w->found && w->ids);
	for (uint32_t i = 0; i < w->total; i++)
		if (i != w->count) /* a clone has another's name */
			insert(w, i, w->machines[i].id);
}

uint32_t world_identity(const struct world *w, node_id id)
{
	uint32_t slot = (uint32_t)id & w->found_mask;
	while (w->found[slot]) {
		if (w->ids[w->found[slot] - 1] == id)
			return w->found[slot] - 1;
		slot = (slot + 1) & w->found_mask;
	}
	return UINT32_MAX;
}

struct machine *world_find(const struct world *w, node_id id)
{
	uint32_t identity = world_identity(w, id);
	return identity == UINT32_MAX ? NULL : &w->machines[identity % w->total];
}

void world_named(struct world *w, struct machine *m, node_id id)
{
	assert(m->id_count < REKEYS_MAX);
	insert(w, m->index + w->total * ++m->id_count, id);
}

struct world *world_create(const struct world_settings *settings)
{
	struct world *w = calloc(1, sizeof(*w));
	assert(w && settings->nodes > 0);
	w->settings = *settings;
	w->settings.networks += settings->networks == 0;
	w->count = settings->nodes;
	w->total = w->count + 1 + settings->foreigners;
	dice_seed(&w->dice, settings->seed, DICE_WORLD);
	dice_seed(&w->people.dice, settings->seed, DICE_PEOPLE);
	for (size_t i = 0; i < sizeof(w->cluster.bytes); i++)
		w->cluster.bytes[i] = (uint8_t)prng_next(&w->dice);
	for (size_t i = 0; i < sizeof(w->cluster.bytes); i++)
		w->foreign_cluster.bytes[i] = (uint8_t)~w->cluster.bytes[i];
	w->machines = calloc(w->total, sizeof(*w->machines));
	assert(w->machines);
	for (uint32_t i = 0; i < w->count; i++)
		machine_init(w, &w->machines[i], i);
	w->machines[w->count].index = w->count;
	for (uint32_t i = w->count + 1; i < w->total; i++)
		machine_init(w, &w->machines[i], i);
	index_machines(w);
	network_init(&w->network, w->total);
	observe_init(&w->observe, w->total, w->total * (REKEYS_MAX + 1));
	clients_init(w);
	return w;
}

void world_destroy(struct world *w)
{
	for (uint32_t i = 0; i < w->total; i++)
		machine_finish(w, &w->machines[i]);
	disk_finish(&w->copies.image);
	insiders_finish(&w->insiders);
	faults_finish(&w->faults);
	observe_finish(&w->observe);
	network_finish(&w->network);
	queue_finish(&w->queue);
	free(w->found);
	free(w->ids);
	free(w->machines);
	free(w);
}

/* ---- running ---- */

static void mix_event(struct world *w, const struct event *event)
{
	w->events++;
	world_mix(w, (uint64_t)w->now);
	world_mix(w, (uint64_t)event->node << 32 | (uint64_t)event->kind << 24 | event->from);
	/* A packet's seal ends it and depends on every bit before. */
	const uint32_t tag = PACKET_OVERHEAD - PACKET_HEADER_SIZE;
	uint32_t from = event->kind == EVENT_PACKET && event->size > tag ? event->size - tag : 0;
	world_mix_bytes(w, event->bytes + from, event->size - from);
}

static void dispatch(struct world *w, struct event *event)
{
	switch (event->kind) {
	case EVENT_FAULT:
		faults_due(w, event->number);
		break;
	case EVENT_CLIENT:
		clients_due(w);
		break;
	case EVENT_PERSON:
		if (event->number == UINT64_MAX)
			copies_due(w);
		else if (event->number == OPERATORS_DUE)
			seizing_due(w);
		else
			people_due(w, event->number);
		break;
	case EVENT_LOOK:
		observe_look(w);
		break;
	case EVENT_FOREIGN:
		foreign_due(w);
		break;
	case EVENT_TIMER:
	case EVENT_PACKET:
	case EVENT_FRAME:
	case EVENT_REFUSED:
	case EVENT_KNOCKED:
	case EVENT_DIAL:
	case EVENT_DIALED:
	case EVENT_PERSISTED:
	case EVENT_REQUEST:
	case EVENT_ABANDON:
	case EVENT_SYNC_DUE:
	case EVENT_SYNCED:
		machine_event(w, &w->machines[event->node], event);
		return;
	}
	queue_free(&w->queue, event);
}

void world_step(struct world *w)
{
	instant at;
	struct event *event = queue_pop(&w->queue, &at);
	assert(at >= w->now);
	w->now = at;
	mix_event(w, event);
	dispatch(w, event);
}

void world_run(struct world *w, instant until)
{
	while (queue_next_at(&w->queue) <= until) {
		world_step(w);
		if (!world_sound(w))
			return;
	}
	w->now = until;
}

/* ---- what drivers do ---- */

/* Runs until *flag, the limit, or a violation. */
static bool run_until(struct world *w, const bool *flag, duration limit)
{
	instant until = w->now + limit;
	while (!*flag && world_sound(w) && queue_next_at(&w->queue) <= until)
		world_step(w);
	if (!*flag && world_sound(w))
		w->now = until;
	return *flag;
}

const struct asked *world_ask(struct world *w, struct machine *m, const struct command *command,
                              duration patience)
{
	struct asked *asked = &w->asked;
	*asked = (struct asked){.pending = true, .node = m->index};
	asked->command = command;
	asked->patience = patience;
	struct event *event = queue_event(&w->queue, EVENT_REQUEST, m->index, 0);
	event->life = m->life;
	event->number = ASKED_CLIENT;
	queue_push(&w->queue, w->now, event);
	run_until(w, &asked->answered, patience + SECOND);
	asked->pending = false;
	return asked;
}

const struct asked *world_ask_by(struct world *w, struct machine *m, const struct input *input,
                                 duration patience)
{
	struct asked *asked = &w->asked;
	*asked = (struct asked){.pending = true, .node = m->index};
	machine_input(w, m, input);
	run_until(w, &asked->answered, patience);
	asked->pending = false;
	return asked;
}

bool world_found(struct world *w, struct machine *m)
{
	struct input input = {.kind = INPUT_INIT};
	input.init.name = m->called;
	input.init.profile = w->settings.profile;
	input.init.cluster = *world_cluster(w, m);
	m->outcome_known = false;
	machine_input(w, m, &input);
	return run_until(w, &m->outcome_known, SETTLE_MAX) && m->outcome_done;
}

bool world_token(struct world *w, struct machine *via, uint32_t uses, uint64_t *id,
                 struct hash *out)
{
	struct token token = {.cluster = *world_cluster(w, via), .id = ++w->tokens};
	for (size_t i = 0; i < sizeof(token.secret); i++)
		token.secret[i] = (uint8_t)prng_next(&w->dice);
	token_hash(&token, out);
	*id = token.id;
	struct command command = {
		.kind = COMMAND_TOKEN_CREATE,
		.if_version = NO_VERSION,
		.token = token.id,
		.token_hash = *out,
		.token_expires_wall = machine_now(w, via).wall + 3 * 3600 * SECOND,
		.token_uses = uses,
		.role = w->joins_as,
	};
	const struct asked *asked = world_ask(w, via, &command, 10 * SECOND);
	return asked->answered && asked->answer.code == ANSWER_DONE;
}

bool world_join(struct world *w, struct machine *m, const struct machine *via, uint64_t token,
                const struct hash *hash)
{
	struct input input = {.kind = INPUT_JOIN};
	input.join.name = m->called;
	input.join.role = w->joins_as;
	input.join.token = token;
	input.join.cluster = *world_cluster(w, via);
	input.join.token_hash = *hash;
	struct address addresses[ADDRESSES_MAX];
	for (uint32_t net = 0; net < w->settings.networks; net++)
		addresses[net] = machine_address(via, net);
	input.join.address_count = w->settings.networks;
	input.join.addresses = addresses;
	m->outcome_known = false;
	snprintf(m->outcome, sizeof(m->outcome), "no outcome within %d s",
	         (int)(SETTLE_MAX / SECOND));
	machine_input(w, m, &input);
	return run_until(w, &m->outcome_known, SETTLE_MAX) && m->outcome_done;
}

/* ---- called by the parts ---- */

void world_violation(struct world *w, const char *check, const char *format, ...)
{
	char text[232];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	violation_add(&w->observe.violations, w->now, check, "%s", text);
}

void world_started(struct world *w, struct machine *m)
{
	observe_started(w, m);
}

void world_ended(struct world *w, struct machine *m)
{
	observe_ended(w, m);
	clients_ended(w, m);
}

void world_stepped(struct world *w, struct machine *m, const struct now *now)
{
	observe_stepped(w, m, now);
}

void world_traced(struct world *w, struct machine *m, const struct trace *trace)
{
	world_mix(w, (uint64_t)trace->rule << 32 | m->index);
	world_mix(w, trace->subject);
	world_mix(w, trace->other);
	for (int i = 0; i < 3; i++)
		world_mix(w, (uint64_t)trace->numbers[i]);
	observe_traced(w, m, trace);
	if (w->settings.traced)
		w->settings.traced(w->settings.context, w, m, trace);
}

static void keep_answer(struct asked *asked, const struct answer *answer)
{
	asked->answered = true;
	asked->answer = *answer;
	if (answer->value.size)
		memcpy(asked->value, answer->value.data, answer->value.size);
	asked->answer.value.data = asked->value;
	snprintf(asked->text, sizeof(asked->text), "%.*s", (int)answer->text.size,
	         answer->text.data ? (const char *)answer->text.data : "");
}

void world_answered(struct world *w, struct machine *m, uint64_t client,
                    const struct answer *answer)
{
	if (client >= OPERATORS_CLIENT && client != ASKED_CLIENT)
		operators_answered(w, m, client, answer);
	else if (client >= PEOPLE_CLIENT && client != ASKED_CLIENT)
		people_answered(w, client, answer);
	else if (client != ASKED_CLIENT)
		clients_answered(w, client, answer);
	else if (w->asked.pending && w->asked.node == m->index)
		keep_answer(&w->asked, answer);
}

void world_request_due(struct world *w, struct machine *m, const struct event *event)
{
	if (m->state != MACHINE_UP || event->life != m->life)
		return;
	struct input input = {.kind = INPUT_REQUEST};
	input.request.client = event->number;
	if (event->number != ASKED_CLIENT) {
		clients_request(w, m, event->number);
		return;
	}
	if (!w->asked.pending)
		return;
	input.request.command = w->asked.command;
	input.request.patience = w->asked.patience;
	machine_input(w, m, &input);
}
