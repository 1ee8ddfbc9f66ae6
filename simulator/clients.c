#include "clients.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

#define PATIENCE (10 * SECOND)
/* Whoever got no word by then, of a process that was not paused meanwhile, is owed one. */
#define PATIENCE_END (60 * SECOND)
#define RETRIES 2

void clients_init(struct world *w)
{
	struct clients *c = &w->clients;
	dice_seed(&c->dice, w->settings.seed, DICE_CLIENTS);
	c->pace = dice_magnitude(&c->dice, 500 * MILLISECOND, 10 * SECOND);
}

static void plan_next(struct world *w)
{
	struct clients *c = &w->clients;
	duration wait = dice_tail(&c->dice, c->pace);
	if (dice_chance(&c->dice, 300000))
		wait = dice_between(&c->dice, 0, 5 * MILLISECOND);
	queue_push(&w->queue, w->now + wait, queue_event(&w->queue, EVENT_CLIENT, 0, 0));
}

void clients_begin(struct world *w)
{
	w->clients.active = true;
	plan_next(w);
}

void clients_stop(struct world *w)
{
	w->clients.active = false;
}

bool clients_idle(const struct world *w)
{
	for (int i = 0; i < CLIENTS_MAX; i++)
		if (w->clients.list[i].phase != CLIENT_FREE)
			return false;
	return true;
}

static struct client *find(struct clients *c, uint64_t number)
{
	struct client *client = &c->list[number % CLIENTS_MAX];
	return client->phase != CLIENT_FREE && client->number == number ? client : NULL;
}

static void submit(struct world *w, const struct client *client, duration wait)
{
	struct event *event = queue_event(&w->queue, EVENT_REQUEST, client->node, 0);
	event->life = client->life;
	event->number = client->number;
	queue_push(&w->queue, w->now + wait, event);
}

/* ---- what became of it ---- */

static struct writes *writes_of(struct world *w)
{
	return &w->observe.writes;
}

static void record(struct world *w, const struct client *client, enum linear_kind kind, bool known,
                   uint64_t version, uint64_t value)
{
	struct observe *o = &w->observe;
	if (kind == LINEAR_GET && w->settings.beyond)
		return; /* a read may be stale then: only the ledger must hold */
	struct operation op = {
		.kind = kind,
		.begin = client->begun,
		.end = known ? ++o->stamp : LINEAR_UNKNOWN,
		.value = value,
		.version = version,
		.if_version = client->if_version == NO_VERSION ? LINEAR_ANY : client->if_version,
	};
	history_add(&o->histories[client->key], &op);
}

static void outcome_unknown(struct world *w, struct client *client)
{
	writes_of(w)->unknown++;
	if (client->phase == CLIENT_PUTS) {
		record(w, client, LINEAR_PUT, false, 0, client->value);
		if (!client->raises)
			w->clients.unknown_values[client->value % UNKNOWN_VALUES_KEPT] = client->value;
	}
	if (client->phase == CLIENT_PUTS && client->raises)
		writes_raised(writes_of(w), client->key, false);
	client->phase = CLIENT_FREE;
}

static uint64_t parse_value(struct bytes value)
{
	uint64_t out = 0;
	for (size_t i = 0; i < value.size && value.data[i] >= '0' && value.data[i] <= '9'; i++)
		out = out * 10 + (value.data[i] - '0');
	return out;
}

static void next_number(struct clients *c, struct client *client)
{
	c->numbers += CLIENTS_MAX;
	client->number = c->numbers + (uint64_t)(client - c->list);
}

static void got(struct world *w, struct client *client, const struct answer *answer)
{
	uint64_t value = answer->found ? parse_value(answer->value) : 0;
	uint64_t floor = w->settings.beyond ? 0 : client->floor; /* a stale read is allowed then */
	writes_get(writes_of(w), &w->observe.violations, w->now, client->key, floor,
	           answer->found, answer->version, value);
	record(w, client, LINEAR_GET, true, answer->found ? answer->version : 0, value);
	if (value && w->clients.unknown_values[value % UNKNOWN_VALUES_KEPT] == value)
		sometimes_met(&w->observe.sometimes, SOMETIMES_UNKNOWN_APPLIED);
	client->phase = CLIENT_FREE;
	if (!client->raises)
		return;
	client->phase = CLIENT_PUTS;
	client->if_version = answer->found ? answer->version : 0;
	client->value = value + 1;
	client->floor = writes_begin(writes_of(w), client->key);
	client->begun = ++w->observe.stamp;
	client->retries = 0;
	if (client->value > writes_of(w)->highest_value)
		writes_of(w)->highest_value = client->value;
	next_number(&w->clients, client);
	submit(w, client, 0);
}

static void done(struct world *w, struct client *client, const struct answer *answer)
{
	if (client->phase == CLIENT_GETS) {
		got(w, client, answer);
		return;
	}
	/* An answer to a repeated request may tell of its first application. */
	writes_put(writes_of(w), &w->observe.violations, w->now, client->key, client->floor,
	           answer->version, client->value);
	record(w, client, LINEAR_PUT, true, answer->version, client->value);
	if (client->retries && answer->version <= client->retry_floor)
		sometimes_met(&w->observe.sometimes, SOMETIMES_REPEAT_ANSWERED);
	if (client->raises)
		writes_raised(writes_of(w), client->key, true);
	client->phase = CLIENT_FREE;
}

static void unknown(struct world *w, struct client *client, const struct answer *answer)
{
	bool again = client->phase == CLIENT_PUTS && client->retries < RETRIES &&
	             dice_chance(&w->clients.dice, 500000);
	if (!again) {
		outcome_unknown(w, client);
		return;
	}
	client->retries++;
	client->retry_of = answer->request.sequence;
	next_number(&w->clients, client);
	submit(w, client, dice_between(&w->clients.dice, 0, 5 * SECOND));
}

/* Of all refusals of a get, the one that tells something about the row. */
static bool no_such_key(const struct answer *answer)
{
	static const char text[] = "there is no such key";
	return answer->code == ANSWER_REFUSED && answer->text.size == sizeof(text) - 1 &&
	       memcmp(answer->text.data, text, answer->text.size) == 0;
}

static bool other_version(const struct answer *answer)
{
	static const char text[] = "the row has another version";
	return answer->text.size == sizeof(text) - 1 &&
	       memcmp(answer->text.data, text, answer->text.size) == 0;
}

/*
 * A refusal of a repeat says nothing about the first try: it may have been applied and forgotten.
 * A "not found" of a get is an answer: the row is not there.
 */
static void refused(struct world *w, struct client *client, const struct answer *answer)
{
	if (client->phase == CLIENT_GETS && no_such_key(answer)) {
		got(w, client, answer);
		return;
	}
	if (client->retries) {
		outcome_unknown(w, client);
		return;
	}
	writes_of(w)->refused++;
	if (client->phase == CLIENT_PUTS && other_version(answer)) {
		record(w, client, LINEAR_CONFLICT, true, 0, 0);
		sometimes_met(&w->observe.sometimes, SOMETIMES_CONFLICT);
	}
	client->phase = CLIENT_FREE;
}

void clients_answered(struct world *w, uint64_t number, const struct answer *answer)
{
	struct client *client = find(&w->clients, number);
	if (!client)
		return;
	switch (answer->code) {
	case ANSWER_DONE:
		done(w, client, answer);
		return;
	case ANSWER_REFUSED:
	case ANSWER_NO_MASTER:
		refused(w, client, answer);
		return;
	case ANSWER_UNKNOWN:
		unknown(w, client, answer);
		return;
	case ANSWER_NOT_MASTER:
	case ANSWER_BUSY:
	case ANSWER_PROGRESS:
		world_violation(w, "answers", "a user got the internal answer code %d",
		                (int)answer->code);
		return;
	}
	world_violation(w, "answers", "a user got answer code %d", (int)answer->code);
}

void clients_forget(struct world *w)
{
	for (int i = 0; i < CLIENTS_MAX; i++)
		w->clients.list[i].floor = w->clients.list[i].retry_floor = 0;
}

void clients_ended(struct world *w, const struct machine *m)
{
	for (int i = 0; i < CLIENTS_MAX; i++) {
		struct client *client = &w->clients.list[i];
		if (client->phase != CLIENT_FREE && client->node == m->index)
			outcome_unknown(w, client);
	}
}

/* ---- asking ---- */

void clients_request(struct world *w, struct machine *m, uint64_t number)
{
	struct client *client = find(&w->clients, number);
	if (!client)
		return;
	char key[8], value[24];
	int key_size = snprintf(key, sizeof(key), "k%u", client->key);
	int value_size = snprintf(value, sizeof(value), "%" PRIu64, client->value);
	bool gets = client->phase == CLIENT_GETS;
	struct command command = {
		.kind = gets ? COMMAND_KV_GET : COMMAND_KV_PUT,
		.key = {(const uint8_t *)key, (size_t)key_size},
		.if_version = gets ? NO_VERSION : client->if_version,
	};
	if (!gets)
		command.value = (struct bytes){(const uint8_t *)value, (size_t)value_size};
	struct input input = {.kind = INPUT_REQUEST};
	input.request.client = number;
	input.request.command = &command;
	input.request.patience = client->patience;
	client->retry_floor = gossip_commit(m->core);
	input.request.retry_of = client->retry_of;
	machine_input(w, m, &input);
}

static void give_up_waiting(struct world *w)
{
	for (int i = 0; i < CLIENTS_MAX; i++) {
		struct client *client = &w->clients.list[i];
		const struct machine *m = &w->machines[client->node];
		if (client->phase == CLIENT_FREE || m->state != MACHINE_UP ||
		    w->now - client->begun_at < PATIENCE_END || w->now - m->resumed_at < PATIENCE_END)
			continue;
		struct event *event = queue_event(&w->queue, EVENT_ABANDON, client->node, 0);
		event->life = client->life;
		event->number = client->number;
		queue_push(&w->queue, w->now, event);
		w->clients.abandoned++;
		outcome_unknown(w, client);
	}
}

static void choose(struct world *w, struct client *client)
{
	struct clients *c = &w->clients;
	bool counter = dice_chance(&c->dice, 300000);
	client->raises = counter;
	client->key = counter ? CLIENT_REGISTERS + (uint32_t)prng_below(&c->dice, CLIENT_COUNTERS) :
	                        (uint32_t)prng_below(&c->dice, CLIENT_REGISTERS);
	client->phase = counter || dice_chance(&c->dice, 400000) ? CLIENT_GETS : CLIENT_PUTS;
	if (client->phase == CLIENT_GETS)
		return;
	/* Register values are above what any counter reaches. */
	client->value = 1000000 + ++c->values;
	client->if_version = NO_VERSION;
	if (client->value > writes_of(w)->highest_value)
		writes_of(w)->highest_value = client->value;
}

static void begin(struct world *w, struct machine *m)
{
	struct clients *c = &w->clients;
	struct client *client = &c->list[prng_below(&c->dice, CLIENTS_MAX)];
	if (client->phase != CLIENT_FREE || m->state != MACHINE_UP)
		return;
	*client = (struct client){.node = m->index, .life = m->life, .begun_at = w->now};
	/* Some give up so early that they often ask again for what is under way or done. */
	client->patience = dice_chance(&c->dice, 200000) ?
		dice_magnitude(&c->dice, MILLISECOND, SECOND) : PATIENCE;
	choose(w, client);
	client->floor = writes_begin(writes_of(w), client->key);
	client->begun = ++w->observe.stamp;
	next_number(c, client);
	submit(w, client, 0);
}

/* A fact of that node: most fit a packet, some must be pulled. */
static void publish(struct world *w, struct machine *m)
{
	struct prng *dice = &w->clients.dice;
	static uint8_t value[4096];
	uint8_t key[2] = {'f', (uint8_t)('0' + prng_below(dice, 4))};
	struct input input = {.kind = INPUT_PUBLISH};
	size_t size = 1 + prng_below(dice, prng_below(dice, 4) ? FACT_INLINE_MAX : sizeof(value));
	if (m->state != MACHINE_UP)
		return;
	for (size_t i = 0; i < size; i++)
		value[i] = (uint8_t)(prng_next(dice) >> 7);
	input.publish.key = (struct bytes){key, sizeof(key)};
	input.publish.value = (struct bytes){value, size};
	machine_input(w, m, &input);
}

void clients_due(struct world *w)
{
	struct clients *c = &w->clients;
	give_up_waiting(w);
	if (c->active)
		begin(w, &w->machines[prng_below(&c->dice, w->count)]);
	if (c->active && dice_chance(&c->dice, 30000))
		publish(w, &w->machines[prng_below(&c->dice, w->count)]);
	if (c->active || !clients_idle(w))
		plan_next(w);
}

bool clients_last_look(struct world *w, struct machine *m)
{
	for (uint32_t key = 0; key < CLIENT_REGISTERS + CLIENT_COUNTERS; key++) {
		char name[8];
		int size = snprintf(name, sizeof(name), "k%u", key);
		struct command command = {
			.kind = COMMAND_KV_GET,
			.key = {(const uint8_t *)name, (size_t)size},
			.if_version = NO_VERSION,
		};
		uint64_t floor = writes_begin(writes_of(w), key), begun = ++w->observe.stamp;
		const struct asked *asked = world_ask(w, m, &command, PATIENCE);
		const struct answer *answer = &asked->answer;
		bool missing = answer->code == ANSWER_REFUSED &&
		               !strcmp(asked->text, "there is no such key");
		if (!asked->answered || (answer->code != ANSWER_DONE && !missing))
			return false;
		uint64_t value = answer->found ? parse_value(answer->value) : 0;
		writes_get(writes_of(w), &w->observe.violations, w->now, key, floor,
		           answer->found, answer->version, value);
		struct client last = {.key = key, .begun = begun, .if_version = NO_VERSION};
		record(w, &last, LINEAR_GET, true, answer->found ? answer->version : 0, value);
		if (key >= CLIENT_REGISTERS)
			writes_final_counter(writes_of(w), &w->observe.violations, w->now, key,
			                     value);
	}
	return true;
}
