#include "network.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "insiders.h"
#include "world.h"

#define DIAL_PATIENCE (3 * SECOND)

void network_init(struct network *n, uint32_t count)
{
	n->count = count;
	n->links = calloc((size_t)count * count, sizeof(*n->links));
	n->holders = calloc(count, sizeof(*n->holders));
	n->ordinals = calloc((size_t)count * count * FATE_KINDS, sizeof(*n->ordinals));
	assert(n->links && n->holders && n->ordinals);
	for (uint32_t i = 0; i < count; i++)
		n->holders[i] = i;
	n->weather = network_fair();
}

void network_finish(struct network *n)
{
	free(n->links);
	free(n->ordinals);
	choices_finish(&n->choices);
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

void network_cut_net(struct network *n, uint32_t from, uint32_t to, uint32_t net, bool cut)
{
	struct link *link = network_link(n, from, to);
	link->cut_nets = (uint8_t)((link->cut_nets & ~(1u << net)) | (cut ? 1u << net : 0));
}

void network_unplug(struct network *n, uint32_t machine, uint32_t net, bool unplugged)
{
	for (uint32_t i = 0; i < n->count; i++) {
		network_cut_net(n, machine, i, net, unplugged);
		network_cut_net(n, i, machine, net, unplugged);
	}
}

void network_heal(struct network *n)
{
	n->cuts = 0;
	for (uint32_t i = 0; i < n->count * n->count; i++) {
		n->links[i].cut = false;
		n->links[i].cut_nets = 0;
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
	n->swaps++;
	a->address = b->address;
	b->address = kept;
	n->holders[address_number(&a->address)] = a->index;
	n->holders[address_number(&b->address)] = b->index;
}

static struct machine *find_address(struct world *w, const struct address *a)
{
	uint32_t number = address_number(a);
	if (a->family != 4 || a->ip[0] != 10 || a->ip[1] >= w->settings.networks || a->port != DEFAULT_PORT ||
	    number >= w->network.count)
		return NULL;
	return &w->machines[w->network.holders[number]];
}

/* ---- packets ---- */

struct event *network_fly(struct world *w, uint32_t from, uint32_t to, enum message_kind message,
                          struct bytes bytes, duration takes)
{
	struct event *event = queue_event(&w->queue, EVENT_PACKET, to, bytes.size);
	event->from = from;
	event->message = (uint8_t)message;
	memcpy(event->bytes, bytes.data, bytes.size);
	queue_push(&w->queue, w->now + takes, event);
	return event;
}

/* From an address in one network to one in another it goes by the latter, and its answer by the former. */
static bool net_open(struct network *n, uint32_t from, uint32_t to, uint32_t net)
{
	return (network_link(n, from, to)->cut_nets >> net & 1) == 0;
}

/* A stream needs the way there and the way back. */
static bool nets_open(struct network *n, uint32_t from, uint32_t from_net, uint32_t to,
                      uint32_t to_net)
{
	return net_open(n, from, to, to_net) && net_open(n, to, from, from_net);
}

static void fly_by(struct world *w, const struct machine *m, const struct machine *to,
                   const struct effect *effect, struct bytes bytes, duration takes)
{
	struct event *event = network_fly(w, m->index, to->index, effect->packet.message, bytes, takes);
	event->nets[0] = (uint8_t)effect->packet.path;
	event->nets[1] = effect->packet.to.ip[1];
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
	if (!to || tape_takes(&n->tapes, m->index, to->index, effect))
		return;
	struct fate fate = fate_of(w, m->index, to->index, message, FATE_PACKET, bytes.size);
	fate.lost |= !net_open(n, m->index, to->index, effect->packet.to.ip[1]);
	if (!fate.lost)
		fly_by(w, m, to, effect, bytes, fate.takes);
	if (!fate.lost && fate.twice)
		fly_by(w, m, to, effect, bytes, fate.twice_takes);
}

void network_refuse(struct world *w, struct machine *m, const struct event *event)
{
	if (machine_silent(m))
		return;
	struct fate fate = fate_of(w, m->index, event->from, FATE_REFUSAL, FATE_PACKET, 0);
	if (fate.lost || !net_open(&w->network, m->index, event->from, event->nets[0]))
		return;
	struct event *refusal = queue_event(&w->queue, EVENT_REFUSED, event->from, 0);
	refusal->from = m->index;
	refusal->nets[0] = event->nets[1];
	refusal->life = w->machines[event->from].life;
	queue_push(&w->queue, w->now + fate.takes, refusal);
}

/* ---- frames ---- */

static void queue_frame(struct world *w, uint32_t from, uint32_t to, struct event *event,
                        enum message_kind message, struct bytes bytes)
{
	struct link *link = network_link(&w->network, from, to);
	struct fate fate = fate_of(w, from, to, message, FATE_STREAM, bytes.size);
	if (fate.lost) {
		queue_free(&w->queue, event);
		return;
	}
	instant at = w->now + fate.takes;
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
	if (!machine_runs(to))
		return;
	struct event *event =
		queue_event(&w->queue, EVENT_FRAME, to->index, effect->frame.bytes.size);
	event->frame.stream = (uint64_t)m->index + 1;
	queue_frame(w, m->index, to->index, event, effect->frame.message, effect->frame.bytes);
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
	if (s->lives[!other] == m->life && s->lives[other] == to->life) {
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

/* An answer goes by the stream that the question came by: by whichever that was. */
static bool any_net_open(struct world *w, uint32_t a, uint32_t b)
{
	for (uint32_t net = 0; net < w->settings.networks; net++) {
		if (nets_open(&w->network, a, net, b, net))
			return true;
	}
	return false;
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
	if (!to || to == m || (!named && to->id != effect->frame.to))
		return;
	if (named ? any_net_open(w, m->index, to->index)
	          : nets_open(&w->network, m->index, effect->frame.path, to->index,
	                      effect->frame.address.ip[1]))
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
	       gossip_stream_key(m->core, from->id);
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
	if (to && !machine_silent(to) &&
	    nets_open(&w->network, m->index, effect->knock.path, to->index,
	              effect->knock.address.ip[1])) {
		struct fate fate = fate_of(w, m->index, to->index, FATE_KNOCK, FATE_STREAM, 0);
		if (!fate.lost && w->now + 2 * fate.takes < at) {
			/* The kernel takes a connection even for a process that is stopped. */
			event->knocked.result = machine_runs(to) ? KNOCK_OPEN : KNOCK_REFUSED;
			at = w->now + 2 * fate.takes;
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
	struct fate fate = {.lost = true};
	uint32_t net = effect->dial.address.ip[1];
	if (to && !machine_silent(to) && nets_open(&w->network, m->index, net, to->index, net))
		fate = fate_of(w, m->index, to->index, FATE_DIAL, FATE_STREAM, 0);
	if (fate.lost) {
		dial_failed(w, m, effect->dial.dial, w->now + DIAL_PATIENCE);
		return;
	}
	if (!machine_runs(to)) {
		dial_failed(w, m, effect->dial.dial, w->now + 2 * fate.takes);
		return;
	}
	struct event *event = queue_event(&w->queue, EVENT_DIAL, to->index, 0);
	event->from = m->index;
	event->life = m->life;
	event->dial.dial = effect->dial.dial;
	event->dial.token = effect->dial.token;
	event->dial.hash = effect->dial.token_hash;
	queue_push(&w->queue, w->now + 2 * fate.takes, event);
}

static struct join_stream *open_join(struct world *w, const struct machine *from,
                                     const struct machine *to, const struct event *event)
{
	struct network *n = &w->network;
	uint64_t id = JOIN_STREAM_FIRST + ++n->streams;
	struct join_stream *s = &n->joins[id % JOIN_STREAMS_MAX];
	*s = (struct join_stream){
		.id = id,
		.ends = {from->index, to->index},
		.lives = {from->life, to->life},
		.dial = event->dial.dial,
		.token = event->dial.token,
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
	instant back = w->now +
	               fate_of(w, m->index, from->index, FATE_DIALED, FATE_STREAM, 0).takes;
	bool known = m->state == MACHINE_UP &&
	             gossip_token_hash(m->core, &now, event->dial.token, &hash) &&
	             memcmp(&hash, &event->dial.hash, sizeof(hash)) == 0;
	if (!known) {
		dial_failed(w, from, event->dial.dial, back);
		return;
	}
	struct join_stream *s = open_join(w, from, m, event);
	struct event *answer = queue_event(&w->queue, EVENT_DIALED, from->index, 0);
	answer->life = from->life;
	answer->dial.dial = event->dial.dial;
	answer->dial.stream = s->id;
	answer->dial.hash = s->binding;
	queue_push(&w->queue, back, answer);
}

void network_ended(struct world *w, const struct machine *m)
{
	struct network *n = &w->network;
	for (int i = 0; i < JOIN_STREAMS_MAX; i++) {
		struct join_stream *s = &n->joins[i];
		const struct machine *from = &w->machines[s->ends[0]];
		if (s->id == 0 || s->ends[1] != m->index || s->lives[1] != m->life)
			continue;
		s->id = 0;
		if (s->lives[0] == from->life && machine_runs(from) && any_net_open(w, from->index, m->index))
			dial_failed(w, &w->machines[from->index], s->dial, w->now + n->weather.delay);
	}
}
