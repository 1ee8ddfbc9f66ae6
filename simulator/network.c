#include "network.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "insiders.h"
#include "world.h"

/* TCP's least retransmission time-out: what a lost segment costs a stream. */
#define RETRANSMIT (200 * MILLISECOND)
#define DIAL_PATIENCE (3 * SECOND)

void network_init(struct network *n, uint32_t count)
{
	n->count = count;
	n->links = calloc((size_t)count * count, sizeof(*n->links));
	n->holders = calloc(count, sizeof(*n->holders));
	assert(n->links && n->holders);
	for (uint32_t i = 0; i < count; i++)
		n->holders[i] = i;
	n->weather = network_fair();
}

void network_finish(struct network *n)
{
	free(n->links);
	tapes_finish(&n->tapes);
	free(n->holders);
}

struct weather network_fair(void)
{
	return (struct weather){.delay = 100 * MICROSECOND, .jitter = 100 * MICROSECOND};
}

/* A stream across a cut does not survive it: what it still carries is lost. */
void network_cut(struct network *n, uint32_t from, uint32_t to, bool cut)
{
	struct link *link = network_link(n, from, to);
	if (link->cut != cut)
		n->cuts = cut ? n->cuts + 1 : n->cuts - 1;
	link->cut = cut;
}

void network_heal(struct network *n)
{
	n->cuts = 0;
	for (uint32_t i = 0; i < n->count * n->count; i++) {
		n->links[i].cut = false;
		n->links[i].size_limit = 0;
		n->links[i].clogged_until = 0;
	}
}

static uint32_t address_number(const struct address *a)
{
	return (uint32_t)a->ip[2] << 8 | a->ip[3];
}

void network_swap(struct network *n, struct machine *a, struct machine *b)
{
	struct address kept = a->address;
	a->address = b->address;
	b->address = kept;
	n->holders[address_number(&a->address)] = a->index;
	n->holders[address_number(&b->address)] = b->index;
}

static struct machine *find_address(struct world *w, const struct address *a)
{
	uint32_t number = address_number(a);
	if (a->family != 4 || a->ip[0] != 10 || a->port != DEFAULT_PORT ||
	    number >= w->network.count)
		return NULL;
	return &w->machines[w->network.holders[number]];
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

/* When it leaves: at once, or when the clog ends. */
static instant leaves(struct world *w, const struct link *link)
{
	return link->clogged_until > w->now ? link->clogged_until : w->now;
}

static bool filtered(struct world *w, enum message_kind message)
{
	const struct weather *weather = &w->network.weather;
	return weather->filter && message == weather->filter &&
	       dice_chance(&w->dice, weather->filter_ppm);
}

/* ---- packets ---- */

void network_fly(struct world *w, uint32_t from, uint32_t to, enum message_kind message,
                 struct bytes bytes)
{
	struct event *event = queue_event(&w->queue, EVENT_PACKET, to, bytes.size);
	instant at = leaves(w, network_link(&w->network, from, to)) + one_way(w);
	if (dice_chance(&w->dice, w->network.weather.reorder_ppm))
		at += dice_tail(&w->dice, 20 * MILLISECOND);
	event->from = from;
	event->message = (uint8_t)message;
	memcpy(event->bytes, bytes.data, bytes.size);
	queue_push(&w->queue, at, event);
}

void network_packet(struct world *w, struct machine *m, const struct effect *effect)
{
	struct network *n = &w->network;
	struct bytes bytes = effect->packet.bytes;
	enum message_kind message = effect->packet.message;
	uint8_t changed[PACKET_MAX];
	n->packets++;
	n->bytes += bytes.size;
	m->sent_packets++;
	m->sent_bytes += bytes.size;
	assert(bytes.size <= PACKET_MAX);
	if (m->lies || w->insiders.forger.works)
		bytes = insiders_packet(w, m, effect, changed);
	struct machine *to = find_address(w, &effect->packet.to);
	const struct link *link = to ? network_link(n, m->index, to->index) : NULL;
	if (!to || tape_takes(&n->tapes, m->index, to->index, effect) || link->cut ||
	    filtered(w, message) ||
	    (link->size_limit && bytes.size > link->size_limit))
		return;
	if (!dice_chance(&w->dice, n->weather.loss_ppm))
		network_fly(w, m->index, to->index, message, bytes);
	if (dice_chance(&w->dice, n->weather.duplicate_ppm))
		network_fly(w, m->index, to->index, message, bytes);
}

void network_refuse(struct world *w, struct machine *m, const struct event *event)
{
	struct network *n = &w->network;
	if (machine_silent(m) || network_link(n, m->index, event->from)->cut ||
	    dice_chance(&w->dice, n->weather.loss_ppm))
		return;
	struct event *refusal = queue_event(&w->queue, EVENT_REFUSED, event->from, 0);
	refusal->from = m->index;
	refusal->life = w->machines[event->from].life;
	queue_push(&w->queue, w->now + one_way(w), refusal);
}

/* ---- frames ---- */

static void queue_frame(struct world *w, uint32_t from, uint32_t to, struct event *event,
                        enum message_kind message, struct bytes bytes)
{
	struct link *link = network_link(&w->network, from, to);
	instant at = leaves(w, link) + one_way(w);
	while (dice_chance(&w->dice, w->network.weather.loss_ppm))
		at += RETRANSMIT;
	if (at <= link->frames_until)
		at = link->frames_until + 1;
	link->frames_until = at;
	event->from = from;
	event->life = w->machines[to].life;
	event->frame.hangups = link->hangups;
	event->message = (uint8_t)message;
	memcpy(event->bytes, bytes.data, bytes.size);
	w->network.frames++;
	queue_push(&w->queue, at, event);
}

static void member_frame(struct world *w, struct machine *m, struct machine *to,
                         const struct effect *effect)
{
	if (!open_both_ways(&w->network, m->index, to->index) || !machine_runs(to) ||
	    filtered(w, effect->frame.message))
		return;
	struct event *event =
		queue_event(&w->queue, EVENT_FRAME, to->index, effect->frame.bytes.size);
	event->frame.stream = (uint64_t)m->index + 1;
	queue_frame(w, m->index, to->index, event, effect->frame.message,
		            effect->frame.bytes);
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
		queue_frame(w, m->index, to->index, event, effect->frame.message,
		            effect->frame.bytes);
	}
	if (effect->frame.close_after)
		s->id = 0;
}

void network_frame(struct world *w, struct machine *m, const struct effect *effect)
{
	assert(effect->frame.bytes.size <= FRAME_MAX);
	m->sent_bytes += effect->frame.bytes.size;
	if (effect->frame.stream >= JOIN_STREAM_FIRST) {
		join_frame(w, m, effect);
		return;
	}
	bool named = effect->frame.stream && effect->frame.stream <= w->network.count;
	struct machine *to = named ? &w->machines[effect->frame.stream - 1] :
	                             find_address(w, &effect->frame.address);
	/* Whoever has that address now: the handshake fails if it is not whom we wanted. */
	if (to && to != m && (named || to->id == effect->frame.to))
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
	if (to && !machine_silent(to) && open_both_ways(&w->network, m->index, to->index)) {
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
	if (!to || machine_silent(to) ||
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
