#include "network.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

/* TCP's least retransmission time-out: what a lost segment costs a stream. */
#define RETRANSMIT (200 * MILLISECOND)
#define DIAL_PATIENCE (3 * SECOND)

void network_init(struct network *n, uint32_t count)
{
	n->count = count;
	n->links = calloc((size_t)count * count, sizeof(*n->links));
	assert(n->links);
	n->weather = network_fair();
}

void network_finish(struct network *n)
{
	free(n->links);
}

struct weather network_fair(void)
{
	return (struct weather){.delay = 100 * MICROSECOND, .jitter = 100 * MICROSECOND};
}

/* A stream across a cut does not survive it: what it still carries is lost. */
void network_cut(struct network *n, uint32_t from, uint32_t to, bool cut)
{
	network_link(n, from, to)->cut = cut;
}

void network_heal(struct network *n)
{
	for (uint32_t i = 0; i < n->count * n->count; i++)
		n->links[i].cut = false;
}

static struct machine *find_address(struct world *w, const struct address *a)
{
	uint32_t index = (uint32_t)a->ip[2] << 8 | a->ip[3];
	if (a->family != 4 || a->ip[0] != 10 || a->port != DEFAULT_PORT || index >= w->count)
		return NULL;
	return &w->machines[index];
}

static bool open_both_ways(struct network *n, uint32_t a, uint32_t b)
{
	return !network_link(n, a, b)->cut && !network_link(n, b, a)->cut;
}

static duration one_way(struct world *w)
{
	const struct weather *weather = &w->network.weather;
	duration d = weather->delay;
	if (weather->jitter)
		d += dice_between(&w->dice, 0, weather->jitter);
	if (dice_chance(&w->dice, weather->tail_ppm))
		d += dice_tail(&w->dice, weather->tail);
	return d;
}

/* ---- packets ---- */

static void fly(struct world *w, uint32_t from, uint32_t to, struct bytes bytes)
{
	struct event *event = queue_event(&w->queue, EVENT_PACKET, to, bytes.size);
	duration delay = one_way(w);
	if (dice_chance(&w->dice, w->network.weather.reorder_ppm))
		delay += dice_tail(&w->dice, 20 * MILLISECOND);
	event->from = from;
	memcpy(event->bytes, bytes.data, bytes.size);
	queue_push(&w->queue, w->now + delay, event);
}

void network_packet(struct world *w, struct machine *m, const struct effect *effect)
{
	struct network *n = &w->network;
	n->packets++;
	n->bytes += effect->packet.bytes.size;
	assert(effect->packet.bytes.size <= PACKET_MAX);
	struct machine *to = find_address(w, &effect->packet.to);
	if (!to || network_link(n, m->index, to->index)->cut)
		return;
	if (!dice_chance(&w->dice, n->weather.loss_ppm))
		fly(w, m->index, to->index, effect->packet.bytes);
	if (dice_chance(&w->dice, n->weather.duplicate_ppm))
		fly(w, m->index, to->index, effect->packet.bytes);
}

void network_refuse(struct world *w, struct machine *m, const struct event *event)
{
	struct network *n = &w->network;
	if (m->state == MACHINE_DOWN || network_link(n, m->index, event->from)->cut ||
	    dice_chance(&w->dice, n->weather.loss_ppm))
		return;
	struct event *refusal = queue_event(&w->queue, EVENT_REFUSED, event->from, 0);
	refusal->from = m->index;
	refusal->life = w->machines[event->from].life;
	queue_push(&w->queue, w->now + one_way(w), refusal);
}

/* ---- frames ---- */

static void queue_frame(struct world *w, uint32_t from, uint32_t to, struct event *event,
                        struct bytes bytes)
{
	struct link *link = network_link(&w->network, from, to);
	instant at = w->now + one_way(w);
	while (dice_chance(&w->dice, w->network.weather.loss_ppm))
		at += RETRANSMIT;
	if (at <= link->frames_until)
		at = link->frames_until + 1;
	link->frames_until = at;
	event->from = from;
	event->life = w->machines[to].life;
	event->frame.hangups = link->hangups;
	memcpy(event->bytes, bytes.data, bytes.size);
	w->network.frames++;
	queue_push(&w->queue, at, event);
}

static void member_frame(struct world *w, struct machine *m, struct machine *to,
                         const struct effect *effect)
{
	if (!open_both_ways(&w->network, m->index, to->index) || !machine_runs(to))
		return;
	struct event *event =
		queue_event(&w->queue, EVENT_FRAME, to->index, effect->frame.bytes.size);
	event->frame.stream = (uint64_t)m->index + 1;
	queue_frame(w, m->index, to->index, event, effect->frame.bytes);
}

static struct join_stream *find_join(struct network *n, uint64_t id)
{
	struct join_stream *s = &n->joins[id % JOIN_STREAMS_MAX];
	return s->id == id ? s : NULL;
}

static void join_frame(struct world *w, struct machine *m, const struct effect *effect)
{
	struct join_stream *s = find_join(&w->network, effect->frame.stream);
	if (!s)
		return;
	int other = s->ends[0] == m->index;
	struct machine *to = &w->machines[s->ends[other]];
	if (s->lives[!other] == m->life && s->lives[other] == to->life &&
	    open_both_ways(&w->network, m->index, to->index)) {
		struct event *event =
			queue_event(&w->queue, EVENT_FRAME, to->index, effect->frame.bytes.size);
		event->frame.stream = s->id;
		event->frame.token = s->token;
		event->frame.binding = s->binding;
		queue_frame(w, m->index, to->index, event, effect->frame.bytes);
	}
	if (effect->frame.close_after)
		s->id = 0;
}

void network_frame(struct world *w, struct machine *m, const struct effect *effect)
{
	assert(effect->frame.bytes.size <= FRAME_MAX);
	if (effect->frame.stream >= JOIN_STREAM_FIRST) {
		join_frame(w, m, effect);
		return;
	}
	struct machine *to = effect->frame.stream ?
		(effect->frame.stream <= w->count ? &w->machines[effect->frame.stream - 1] : NULL) :
		find_address(w, &effect->frame.address);
	if (to && to != m)
		member_frame(w, m, to, effect);
}

bool network_frame_alive(struct world *w, const struct machine *m, const struct event *event)
{
	if (event->life != m->life || m->state != MACHINE_UP)
		return false;
	if (event->frame.stream >= JOIN_STREAM_FIRST)
		return true;
	struct machine *from = &w->machines[event->from];
	return event->frame.hangups == network_link(&w->network, event->from, m->index)->hangups &&
	       gossip_key(m->core, from->id);
}

void network_hang_up(struct world *w, struct machine *m, const struct effect *effect)
{
	struct machine *to = world_find(w, effect->hang_up.node);
	if (!to)
		return;
	network_link(&w->network, m->index, to->index)->hangups++;
	network_link(&w->network, to->index, m->index)->hangups++;
}

/* ---- knocks and dials ---- */

void network_knock(struct world *w, struct machine *m, const struct effect *effect)
{
	struct machine *to = find_address(w, &effect->knock.address);
	struct event *event = queue_event(&w->queue, EVENT_KNOCKED, m->index, 0);
	event->life = m->life;
	event->knocked.node = effect->knock.node;
	event->knocked.result = KNOCK_SILENT;
	instant at = w->now + effect->knock.patience;
	if (to && to->state != MACHINE_DOWN && open_both_ways(&w->network, m->index, to->index)) {
		instant answer = w->now + one_way(w) + one_way(w);
		if (answer < at) {
			/* The kernel takes a connection even for a process that is stopped. */
			event->knocked.result = machine_runs(to) ? KNOCK_OPEN : KNOCK_REFUSED;
			at = answer;
		}
	}
	queue_push(&w->queue, at, event);
}

static void dial_failed(struct world *w, struct machine *m, uint64_t dial, instant at)
{
	struct event *event = queue_event(&w->queue, EVENT_DIALED, m->index, 0);
	event->life = m->life;
	event->dial.dial = dial;
	queue_push(&w->queue, at, event);
}

void network_dial(struct world *w, struct machine *m, const struct effect *effect)
{
	struct machine *to = find_address(w, &effect->dial.address);
	if (!to || to->state == MACHINE_DOWN ||
	    !open_both_ways(&w->network, m->index, to->index)) {
		dial_failed(w, m, effect->dial.dial, w->now + DIAL_PATIENCE);
		return;
	}
	if (!machine_runs(to)) {
		dial_failed(w, m, effect->dial.dial, w->now + 2 * one_way(w));
		return;
	}
	struct event *event = queue_event(&w->queue, EVENT_DIAL, to->index, 0);
	event->from = m->index;
	event->life = m->life;
	event->dial.dial = effect->dial.dial;
	event->dial.token = effect->dial.token;
	event->dial.hash = effect->dial.token_hash;
	queue_push(&w->queue, w->now + 2 * one_way(w), event);
}

static struct join_stream *open_join(struct world *w, const struct machine *from,
                                     const struct machine *to, uint64_t token)
{
	struct network *n = &w->network;
	uint64_t id = JOIN_STREAM_FIRST + ++n->streams;
	struct join_stream *s = &n->joins[id % JOIN_STREAMS_MAX];
	*s = (struct join_stream){
		.id = id,
		.ends = {from->index, to->index},
		.lives = {from->life, to->life},
		.token = token,
	};
	uint8_t name[8];
	memcpy(name, &id, sizeof(name));
	hash_bytes(SEAL_QUICK, name, sizeof(name), &s->binding);
	return s;
}

/* The member that is asked looks the token up: only who knows its hash gets a stream. */
void network_dialled(struct world *w, struct machine *m, const struct event *event)
{
	struct machine *from = &w->machines[event->from];
	if (event->life != from->life || !machine_runs(from))
		return;
	struct now now = machine_now(w, m);
	struct hash hash;
	instant back = w->now + one_way(w);
	bool known = m->state == MACHINE_UP &&
	             gossip_token_hash(m->core, &now, event->dial.token, &hash) &&
	             memcmp(&hash, &event->dial.hash, sizeof(hash)) == 0;
	if (!known) {
		dial_failed(w, from, event->dial.dial, back);
		return;
	}
	struct join_stream *s = open_join(w, from, m, event->dial.token);
	struct event *answer = queue_event(&w->queue, EVENT_DIALED, from->index, 0);
	answer->life = from->life;
	answer->dial.dial = event->dial.dial;
	answer->dial.stream = s->id;
	answer->dial.hash = s->binding;
	queue_push(&w->queue, back, answer);
}
