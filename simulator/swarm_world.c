#include "swarm_world.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "codec.h"
#include "membership.h"
#include "swarm_accident.h"

#define BOOT_ORIGIN (3600 * SECOND)
#define WALL_ORIGIN ((instant)1700000000 * SECOND)
#define LATENCY_MIN (100 * MICROSECOND)
#define LATENCY_MAX MILLISECOND
#define LOSS_PPM 1000
#define LEDGER_BYTES (64 * 1024) /* nothing is kept there */
#define START_WITHIN SECOND /* a rack that gets its power back */

static const struct cluster_id cluster = {{0x65, 0x73, 0x73, 0x61, 0x69, 0x6d}};

struct now swarm_now(const struct swarm_world *w)
{
	return (struct now){BOOT_ORIGIN + w->time, w->time + SECOND, WALL_ORIGIN + w->time};
}

/* 10.x.y.z: the node's number is its address. */
static struct address address_of(uint32_t node)
{
	return (struct address){.family = 4,
		.ip = {10, (uint8_t)(node >> 16), (uint8_t)(node >> 8), (uint8_t)node},
		.port = 7800};
}

static uint32_t node_at(const struct address *a)
{
	return (uint32_t)a->ip[1] << 16 | (uint32_t)a->ip[2] << 8 | a->ip[3];
}

static uint32_t *id_place(const struct swarm_world *w, node_id id)
{
	for (uint32_t i = (uint32_t)(id >> 32);; i++) {
		uint32_t *place = &w->by_id[i & w->by_id_mask];
		if (!*place || w->machines[*place - 1].id == id)
			return place;
	}
}

static uint32_t node_of(const struct swarm_world *w, node_id id)
{
	uint32_t place = *id_place(w, id);
	assert(place);
	return place - 1;
}

/* ---- what cores say ---- */

static instant arrival(struct swarm_world *w)
{
	return w->time + dice_between(&w->dice, LATENCY_MIN, LATENCY_MAX);
}

static void carry_packet(struct swarm_world *w, uint32_t from, const struct effect *effect)
{
	uint32_t to = node_at(&effect->packet.to);
	w->traffic->packets++;
	w->traffic->bytes += effect->packet.bytes.size;
	if (dice_chance(&w->dice, LOSS_PPM) || swarm_accident_loses(w, from, to))
		return;
	enum swarm_life life = w->machines[to].life;
	if (life == SWARM_HOST_DEAD)
		return;
	bool lives = life == SWARM_ALIVE;
	struct event *event = queue_event(&w->queue, lives ? EVENT_PACKET : EVENT_REFUSED,
	                                  lives ? to : from, lives ? effect->packet.bytes.size : 0);
	event->from = lives ? from : to;
	memcpy(event->bytes, effect->packet.bytes.data, event->size);
	queue_push(&w->queue, arrival(w), event);
}

static void carry_knock(struct swarm_world *w, uint32_t from, const struct effect *effect)
{
	uint32_t to = node_at(&effect->knock.address);
	enum swarm_life life = w->machines[to].life;
	if (swarm_accident_loses(w, from, to) || swarm_accident_loses(w, to, from))
		life = SWARM_HOST_DEAD;
	struct event *event = queue_event(&w->queue, EVENT_KNOCKED, from, 0);
	event->knocked.node = effect->knock.node;
	event->knocked.result = life == SWARM_HOST_DEAD ? KNOCK_SILENT
	                        : life == SWARM_ALIVE ? KNOCK_OPEN
	                                              : KNOCK_REFUSED;
	bool silent = life == SWARM_HOST_DEAD;
	queue_push(&w->queue, silent ? w->time + effect->knock.patience : arrival(w), event);
}

static void carry_persist(struct swarm_world *w, uint32_t node, const struct effect *effect)
{
	struct event *event = queue_event(&w->queue, EVENT_PERSISTED, node, 0);
	event->persisted.number = effect->persist.number;
	queue_push(&w->queue, w->time, event);
}

/* What the faulty say, and what is said of them, is no fault. */
static void note_faulty(struct swarm_world *w, uint32_t by, const struct trace *trace)
{
	if (w->machines[by].faulty)
		w->by_faulty += trace->rule == RULE_UNREACHABLE;
	else if (trace->rule == RULE_UNREACHABLE)
		w->about_faulty++;
	else
		w->taken_back++;
}

static void note_verdict(struct swarm_world *w, uint32_t by, const struct trace *trace)
{
	struct swarm_machine *subject = &w->machines[node_of(w, trace->subject)];
	bool lives = subject->life == SWARM_ALIVE;
	if (w->machines[by].faulty || subject->faulty)
		note_faulty(w, by, trace);
	else if (trace->rule == RULE_UNREACHABLE && lives)
		w->false_verdicts++;
	else if (trace->rule == RULE_UNREACHABLE)
		subject->knowing++;
	else if (!lives)
		subject->knowing--; /* taken for alive again */
	if (w->settings.trace && (!lives || trace->rule == RULE_UNREACHABLE))
		fprintf(w->settings.trace, "%9.3f n%u: n%u is %s (%d, %.1f s)\n", (double)w->time / 1e9,
		        by + 1, node_of(w, trace->subject) + 1,
		        trace->rule == RULE_UNREACHABLE ? "unreachable" : "reachable",
		        (int)trace->numbers[0], (double)trace->numbers[1] / 1e9);
}

static void carry(struct swarm_world *w, uint32_t node, const struct effect *effect)
{
	switch (effect->kind) {
	case EFFECT_PACKET:
		carry_packet(w, node, effect);
		break;
	case EFFECT_KNOCK:
		carry_knock(w, node, effect);
		break;
	case EFFECT_PERSIST:
		carry_persist(w, node, effect);
		break;
	case EFFECT_TRACE:
		w->suspicions += effect->trace.rule == RULE_SUSPECT;
		if (effect->trace.rule == RULE_UNREACHABLE || effect->trace.rule == RULE_REACHABLE)
			note_verdict(w, node, &effect->trace);
		break;
	case EFFECT_FRAME: /* nothing that membership alone says is too large for a packet */
	case EFFECT_ANSWER:
	case EFFECT_DIAL:
	case EFFECT_HANG_UP:
	case EFFECT_PATH_DOWN:
	case EFFECT_CHANGED:
	case EFFECT_OUTCOME:
	case EFFECT_STOP:
	case EFFECT_PROGRESS:
	case EFFECT_ROW:
	case EFFECT_ROWS:
	case EFFECT_PROPOSED:
	case EFFECT_ENGINE:
	case EFFECT_ENGINE_PROGRESS:
	case EFFECT_ENGINE_MESSAGE:
		break;
	}
}

void swarm_feed(struct swarm_world *w, uint32_t node, const struct input *input)
{
	struct swarm_machine *m = &w->machines[node];
	struct now now = swarm_now(w);
	struct effects effects = gossip_step(m->core, &now, input);
	w->steps++;
	for (uint32_t i = 0; i < effects.count; i++)
		carry(w, node, &effects.list[i]);
	instant due = m->life == SWARM_ALIVE ? gossip_deadline(m->core) : NEVER;
	swarm_timer_set(&w->timers, node, due == NEVER ? NEVER : due - BOOT_ORIGIN);
}

/* ---- life and death ---- */

static void load_durable(struct swarm_world *w, uint32_t node)
{
	uint8_t record[4096];
	struct durable d = {.cluster = cluster, .generation = {.number = 1}, .applied = 1};
	d.incarnation.number = ++w->machines[node].incarnation;
	d.standing = STANDING_MEMBER;
	snprintf(d.name, sizeof(d.name), "n%u", node + 1);
	size_t size = durable_encode(&d, record, sizeof(record));
	bool loaded = gossip_load_durable(w->machines[node].core, (struct bytes){record, size});
	assert(size && loaded);
}

/* As its ledger would: the row itself is of no use without a ledger. */
static void load_member(struct swarm_world *w, uint32_t node, uint32_t of)
{
	char name[16];
	struct member_row row = {.state = MEMBER_ACTIVE, .changed_index = 1};
	row.record.key = w->keys[of];
	row.record.name = (struct bytes){(const uint8_t *)name, 0};
	row.record.name.size = (size_t)snprintf(name, sizeof(name), "n%u", of + 1);
	row.record.address = address_of(of);
	row.record.wire_min = WIRE_VERSION_MIN;
	row.record.wire_max = WIRE_VERSION_MAX;
	row.record.incarnation = 1;
	members_put(w->machines[node].core, &row);
}

static void make_core(struct swarm_world *w, uint32_t node)
{
	uint64_t seed = w->settings.seed << 16 ^ node;
	struct gossip_settings settings = {.seal = SEAL_QUICK, .membership_only = true};
	uint8_t key_seed[32] = {0};
	memcpy(key_seed, &seed, sizeof(seed));
	node_keys_from_seed(SEAL_QUICK, key_seed, &settings.keys);
	settings.address = address_of(node);
	settings.members_max = w->settings.nodes;
	settings.facts_off = w->settings.facts_off;
	settings.weakened = w->settings.weakened;
	settings.ledger_bytes = LEDGER_BYTES;
	settings.log_bytes = 2 * ENTRIES_BYTES_MAX;
	for (int i = 0; i < 4; i++)
		settings.seed[i] = prng_next(&w->dice);
	settings.nonce = prng_next(&w->dice);
	memcpy(settings.salt, &settings.nonce, sizeof(settings.nonce));
	w->core_bytes = gossip_size(&settings);
	void *memory = mmap(NULL, w->core_bytes, PROT_READ | PROT_WRITE,
	                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert(memory != MAP_FAILED);
	w->machines[node].core = gossip_init(memory, &settings);
	w->machines[node].id = node_key_id(&settings.keys.public_key);
	w->keys[node] = settings.keys.public_key;
	*id_place(w, w->machines[node].id) = node + 1;
}

void swarm_begin(struct swarm_world *w, uint32_t node)
{
	w->machines[node].life = SWARM_ALIVE;
	load_durable(w, node);
	for (uint32_t i = 0; i < w->settings.nodes; i++)
		load_member(w, node, i);
	swarm_feed(w, node, &(struct input){.kind = INPUT_START});
}

void swarm_kill(struct swarm_world *w, uint32_t node, enum swarm_life life)
{
	w->machines[node].life = life;
	w->machines[node].died = w->time;
	swarm_timer_set(&w->timers, node, NEVER);
}

void swarm_stop(struct swarm_world *w, uint32_t node)
{
	swarm_feed(w, node, &(struct input){.kind = INPUT_STOP});
	swarm_kill(w, node, SWARM_PROCESS_DEAD);
}

/* The same node in a new process: nothing is left but its key and what its store has. */
static void make_anew(struct swarm_world *w, uint32_t node)
{
	munmap(w->machines[node].core, w->core_bytes);
	make_core(w, node);
	w->machines[node].knowing = 0;
}

void swarm_world_start(struct swarm_world *w, const struct swarm_settings *settings)
{
	uint32_t nodes = settings->nodes;
	w->settings = *settings;
	w->accident_since = NEVER;
	dice_seed(&w->dice, settings->seed, DICE_WORLD);
	for (w->by_id_mask = 1; w->by_id_mask < 2 * nodes;)
		w->by_id_mask *= 2;
	w->by_id = calloc(w->by_id_mask--, sizeof(*w->by_id));
	w->machines = calloc(nodes, sizeof(*w->machines));
	w->keys = calloc(nodes, sizeof(*w->keys));
	assert(w->by_id && w->machines && w->keys);
	swarm_timers_start(&w->timers, nodes);
	for (uint32_t i = 0; i < nodes; i++) {
		make_core(w, i);
		queue_push(&w->queue, dice_between(&w->dice, 0, START_WITHIN),
		           queue_event(&w->queue, EVENT_PERSON, i, 0));
	}
}

void swarm_world_finish(struct swarm_world *w)
{
	for (uint32_t i = 0; i < w->settings.nodes; i++)
		munmap(w->machines[i].core, w->core_bytes);
	swarm_timers_finish(&w->timers);
	queue_finish(&w->queue);
	free(w->by_id);
	free(w->machines);
	free(w->keys);
}

/* ---- time ---- */

static void deliver(struct swarm_world *w, const struct event *event)
{
	struct input input = {0};
	switch (event->kind) {
	case EVENT_PACKET:
		input.kind = INPUT_PACKET;
		input.packet.from = address_of(event->from);
		input.packet.bytes = (struct bytes){event->bytes, event->size};
		break;
	case EVENT_REFUSED:
		input.kind = INPUT_REFUSED;
		input.refused.from = address_of(event->from);
		break;
	case EVENT_KNOCKED:
		input.kind = INPUT_KNOCKED;
		input.knocked.node = event->knocked.node;
		input.knocked.result = event->knocked.result;
		break;
	case EVENT_PERSISTED:
		input.kind = INPUT_PERSISTED;
		input.persisted.number = event->persisted.number;
		break;
	default:
		assert(!"not an event of a swarm");
	}
	swarm_feed(w, event->node, &input);
}

static void next_event(struct swarm_world *w)
{
	struct event *event = queue_pop(&w->queue, &w->time);
	instant thaws = w->machines[event->node].frozen_until;
	if (event->kind == EVENT_PERSON) {
		if (w->machines[event->node].life != SWARM_NOT_STARTED)
			make_anew(w, event->node);
		swarm_begin(w, event->node);
	} else if (thaws > w->time) {
		/* after the timer that is due then: what came meanwhile lies in the socket */
		queue_push(&w->queue, thaws + 1, event);
		return;
	} else if (w->machines[event->node].life == SWARM_ALIVE)
		deliver(w, event);
	queue_free(&w->queue, event);
}

bool swarm_world_step(struct swarm_world *w, instant until)
{
	struct swarm_timer timer = swarm_timer_next(&w->timers);
	instant event_at = queue_next_at(&w->queue);
	if (event_at >= until && timer.at >= until) {
		w->time = until;
		return false;
	}
	if (event_at <= timer.at) {
		next_event(w);
		return true;
	}
	w->time = timer.at > w->time ? timer.at : w->time;
	if (w->machines[timer.node].frozen_until > w->time) {
		swarm_timer_set(&w->timers, timer.node, w->machines[timer.node].frozen_until);
		return true;
	}
	swarm_feed(w, timer.node, &(struct input){.kind = INPUT_TICK});
	return true;
}
