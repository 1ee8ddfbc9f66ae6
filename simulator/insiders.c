#include "insiders.h"

#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "world.h"

#define LIE_BIT(kind) ((uint32_t)1 << ((kind) - FAULT_REPLAY))

static void prepare(struct world *w)
{
	struct insiders *in = &w->insiders;
	if (in->arena)
		return;
	dice_seed(&in->dice, w->settings.seed, DICE_INSIDERS);
	in->arena = malloc(ARENA_PACKET_SIZE);
	in->captured = calloc(CAPTURED_MAX, sizeof(*in->captured));
	assert(in->arena && in->captured);
}

void insiders_turn(struct world *w, const struct fault *f, bool begins)
{
	struct insiders *in = &w->insiders;
	prepare(w);
	w->machines[in->who].lies = false;
	if (begins && f->node != in->who) /* one insider at a time */
		in->lies = 0;
	if (begins)
		in->lies |= LIE_BIT(f->kind);
	else if (f->node == in->who)
		in->lies &= ~LIE_BIT(f->kind);
	if (begins) {
		in->who = f->node;
		w->machines[f->node].equivocated |= f->kind == FAULT_EQUIVOCATE;
		in->victim = w->machines[(f->node + 1 + f->group % w->count) % w->count].id;
	}
	w->machines[in->who].lies = in->lies != 0;
	if (in->lies != 0)
		clocks_lies(&w->observe.clocks.check, in->who);
}

void insiders_heal(struct world *w)
{
	struct machine *m = &w->machines[w->insiders.who];
	m->lies = false;
	w->insiders.lies = 0;
	if (w->insiders.arena)
		machine_kill(w, m);
}

void insiders_finish(struct insiders *in)
{
	free(in->arena);
	free(in->captured);
}

static bool tells(const struct insiders *in, enum fault_kind kind)
{
	return in->lies & LIE_BIT(kind);
}

/* ---- replay ---- */

static void capture(struct world *w, uint32_t to, const struct effect *effect)
{
	struct insiders *in = &w->insiders;
	struct captured *c = &in->captured[prng_below(&in->dice, CAPTURED_MAX)];
	c->to = to;
	c->message = effect->packet.message;
	c->size = (uint32_t)effect->packet.bytes.size;
	memcpy(c->bytes, effect->packet.bytes.data, c->size);
}

/* To whom it was meant, or to somebody else. */
static void replay(struct world *w, const struct machine *m)
{
	struct insiders *in = &w->insiders;
	const struct captured *c = &in->captured[prng_below(&in->dice, CAPTURED_MAX)];
	uint32_t to = prng_below(&in->dice, 4) ? c->to : (uint32_t)prng_below(&in->dice, w->count);
	if (!c->size || to == m->index)
		return;
	in->said++;
	struct fate fate = fate_of(w, m->index, to, c->message, FATE_PACKET, c->size);
	if (!fate.lost)
		network_fly(w, m->index, to, c->message, (struct bytes){c->bytes, c->size},
		            fate.takes);
}

/* ---- lies ---- */

/* What one node's signature and seal need. */
struct voice {
	const struct machine *from;
	const struct machine *to;
	struct status_view status;
	struct incarnation receiver;
	struct pair_key key;
	struct packet_header header;
};

static void sign(struct world *w, const struct voice *v, struct item *item)
{
	uint8_t statement[STATEMENT_MAX];
	size_t size = item_statement(&w->cluster, &v->status.generation, item, statement);
	statement_sign(SEAL_QUICK, &v->from->keys, statement, size, item->signature);
}

/* Half of the peers get other bytes under the same version. */
static bool equivocate(struct world *w, const struct voice *v, struct item *items, uint32_t count,
                       uint8_t *room, size_t room_size)
{
	bool lied = false;
	for (uint32_t i = 0; i < count && v->to->index % 2; i++) {
		struct item *item = &items[i];
		size_t size = item->fact.value.size;
		if (item->kind != ITEM_FACT || item->author != v->from->id || !size ||
		    size > room_size)
			continue;
		memcpy(room, item->fact.value.data, size);
		room[0] ^= 1;
		item->fact.value.data = room;
		hash_bytes(SEAL_QUICK, room, size, &item->fact.hash);
		sign(w, v, item);
		room += size;
		room_size -= size;
		lied = true;
	}
	return lied;
}

static void accuse(struct world *w, const struct voice *v, uint64_t incarnation, struct item *out)
{
	struct insiders *in = &w->insiders;
	*out = (struct item){.kind = ITEM_ACCUSATION, .author = v->from->id, .incarnation = incarnation};
	const struct machine *victim = world_find(w, in->victim);
	struct now now = machine_now(w, v->from);
	struct member_view view;
	if (gossip_member(v->from->core, &now, victim->id, &view))
		out->accusation.subject_incarnation = view.incarnation;
	out->accusation.subject = victim->id;
	out->accusation.subject_refutation = prng_below(&in->dice, 4);
	out->accusation.outcome = (enum probe_outcome)(2 + prng_below(&in->dice, 2));
	out->accusation.version = ++in->version;
	sign(w, v, out);
}

static bool lie_about_clocks(struct world *w, struct envelope *e)
{
	struct prng *dice = &w->insiders.dice;
	duration by = dice_between(dice, -60 * SECOND, 60 * SECOND);
	if (e->kind == MESSAGE_ACK) {
		e->ack.received_wall += by;
		e->ack.sent_wall += dice_between(dice, -60 * SECOND, 60 * SECOND);
	} else if (e->kind == MESSAGE_PROBE) {
		e->probe.sent_wall += by;
	} else if (e->kind == MESSAGE_ACCEPTED) {
		e->accepted.voter_clock += by;
	} else if (e->kind == MESSAGE_ACCEPT) {
		e->accept.owner_sent += by;
		e->accept.echo_received += dice_between(dice, 0, 60 * SECOND);
	} else {
		return false;
	}
	return true;
}

/*
 * Under a good seal: bits turned over, and up to a full packet of noise behind them. The header stays:
 * who lies about its own incarnation only shuts itself out.
 */
#define ENVELOPE_HEADER 40

static size_t garble(struct world *w, uint8_t *plain, size_t size)
{
	struct prng *dice = &w->insiders.dice;
	size_t longer = size + prng_below(dice, PACKET_PLAIN_MAX - size + 1);
	for (size_t i = size; i < longer; i++)
		plain[i] = (uint8_t)prng_next(dice);
	for (uint64_t i = 1 + prng_below(dice, 8); i-- > 0 && longer > ENVELOPE_HEADER;)
		plain[ENVELOPE_HEADER + prng_below(dice, longer - ENVELOPE_HEADER)] =
			prng_below(dice, 2) ? 0xff : (uint8_t)prng_next(dice);
	return longer;
}

static size_t lie(struct world *w, const struct voice *v, const uint8_t *plain, size_t size,
                  uint8_t *out)
{
	struct insiders *in = &w->insiders;
	struct arena arena = {.data = in->arena, .size = ARENA_PACKET_SIZE};
	struct item items[ITEMS_PER_PACKET_MAX];
	uint8_t values[PACKET_MAX];
	struct envelope e;
	bool lied = false;
	if (!envelope_decode(plain, size, &arena, &e))
		return 0;
	memcpy(items, e.items, e.item_count * sizeof(*items));
	e.items = items;
	if (tells(in, FAULT_EQUIVOCATE))
		lied |= equivocate(w, v, items, e.item_count, values, sizeof(values));
	if (tells(in, FAULT_CLOCK_LIE))
		lied |= lie_about_clocks(w, &e);
	if (tells(in, FAULT_FORGE) && in->victim != v->from->id &&
	    e.item_count < ITEMS_PER_PACKET_MAX) {
		accuse(w, v, e.incarnation, &items[e.item_count++]);
		lied = true;
	}
	return lied ? envelope_encode(&e, out, PACKET_PLAIN_MAX) : 0;
}

static bool find_voice(struct world *w, struct machine *m, const struct effect *effect,
                       struct voice *v)
{
	struct member_view view;
	struct now now = machine_now(w, m);
	*v = (struct voice){.from = m, .to = world_find(w, effect->packet.to_node)};
	struct bytes bytes = effect->packet.bytes;
	if (!v->to || !packet_header_read(bytes.data, bytes.size, &v->header) ||
	    v->header.unknown_receiver || !gossip_member(m->core, &now, v->to->id, &view))
		return false;
	v->receiver = (struct incarnation){view.incarnation, v->to->nonce};
	gossip_status(m->core, &now, &v->status);
	return pair_key_compute(SEAL_QUICK, &m->keys, &v->to->keys.public_key, &w->cluster,
	                        &v->status.generation, &v->key);
}

static struct bytes alter(struct world *w, struct machine *m, const struct effect *effect,
                          uint8_t *room)
{
	struct bytes honest = effect->packet.bytes;
	uint8_t plain[PACKET_MAX], lied[PACKET_MAX];
	struct voice v;
	size_t size, altered;
	if (!find_voice(w, m, effect, &v) ||
	    !packet_open(SEAL_QUICK, &v.key, &v.header, v.to->id, &v.receiver, honest.data,
	                 honest.size, plain, &size))
		return honest;
	altered = lie(w, &v, plain, size, lied);
	if (!altered)
		memcpy(lied, plain, size);
	/* Lease and ledger trust their voters' words, as Paxos does: there only the clocks may lie. */
	if (tells(&w->insiders, FAULT_OVERSIZE) && effect->packet.message < MESSAGE_PREPARE &&
	    !prng_below(&w->insiders.dice, 4))
		altered = garble(w, lied, altered ? altered : size);
	if (!altered)
		return honest;
	w->insiders.said++;
	size = packet_seal(SEAL_QUICK, &v.key, &v.header, v.to->id, &v.receiver, lied, altered, room);
	return (struct bytes){room, size};
}

/* ---- a forged TRANSFER ---- */

void insiders_forge(struct world *w, const struct machine *m)
{
	prepare(w);
	w->insiders.forger = (struct forger){.works = true, .who = m->index};
}

static size_t forge_claim(const struct now *now, const struct ready *ready, uint64_t epoch,
                          uint8_t *out, size_t capacity)
{
	struct command claim = {.kind = COMMAND_CLAIM, .judged_wall = now->wall, .epoch = epoch};
	claim.owner = ready->owner;
	claim.ballot = ready->successor;
	claim.if_version = NO_VERSION;
	return command_encode(&claim, out, capacity);
}

/* All of it is known to who was offered the lease, but for the signature: that is its own. */
static void forge_transfer(struct world *w, struct transfer *out, uint8_t *room, size_t size)
{
	const struct forger *f = &w->insiders.forger;
	const struct machine *m = &w->machines[f->who];
	uint8_t statement[STATEMENT_MAX];
	struct now now = machine_now(w, m);
	struct status_view s;
	struct member_view master;
	struct hash claim;
	gossip_status(m->core, &now, &s);
	*out = (struct transfer){.ballot = f->ready.ballot, .successor = f->ready.successor,
	                         .owner = f->ready.owner, .last_index = s.commit,
	                         .last_ballot = f->ready.ballot, .round = 1,
	                         .config_ballot = s.config.ballot,
	                         .config_version = s.config.version, .commit = s.commit};
	if (gossip_member(m->core, &now, s.master, &master))
		out->from = (struct owner){
			s.master, {master.incarnation, world_find(w, s.master)->nonce}};
	out->claim = (struct bytes){room, forge_claim(&now, &f->ready, s.epoch + 1, room, size)};
	hash_bytes(SEAL_QUICK, room, out->claim.size, &claim);
	size_t length = transfer_statement(&s.cluster, &s.generation, out, &claim, statement);
	statement_sign(SEAL_QUICK, &m->keys, statement, length, out->signature);
}

/*
 * Takes the place, and the number, of the next packet of the forger to each voter, and of the next of
 * the master to the forger, who can seal in the name of all that talk to it.
 */
static struct bytes forge(struct world *w, struct machine *m, const struct effect *effect,
                          uint8_t *room)
{
	struct forger *f = &w->insiders.forger;
	struct bytes honest = effect->packet.bytes;
	uint8_t plain[PACKET_MAX], forged[PACKET_MAX], claim[256];
	struct arena arena = {.data = w->insiders.arena, .size = ARENA_PACKET_SIZE};
	struct envelope e;
	struct voice v;
	size_t size;
	if (!find_voice(w, m, effect, &v) || (m->index != f->who && v.to->index != f->who) ||
	    !packet_open(SEAL_QUICK, &v.key, &v.header, v.to->id, &v.receiver, honest.data,
	                 honest.size, plain, &size) ||
	    !envelope_decode(plain, size, &arena, &e))
		return honest;
	if (m->index == f->who && e.kind == MESSAGE_READY) {
		f->offered = true;
		f->ready = e.ready;
		return honest;
	}
	struct transfer t;
	if (!f->offered || f->told >> v.to->index & 1)
		return honest;
	forge_transfer(w, &t, claim, sizeof(claim));
	if (v.to->id == t.from.node || (m->index != f->who && m->id != t.from.node))
		return honest;
	f->told |= (uint64_t)1 << v.to->index;
	w->insiders.said++;
	e.kind = MESSAGE_TRANSFER;
	e.transfer = t;
	e.item_count = 0;
	size = envelope_encode(&e, forged, PACKET_PLAIN_MAX);
	size = packet_seal(SEAL_QUICK, &v.key, &v.header, v.to->id, &v.receiver, forged, size, room);
	return (struct bytes){room, size};
}

struct bytes insiders_packet(struct world *w, struct machine *m, const struct effect *effect,
                             uint8_t room[PACKET_MAX])
{
	struct insiders *in = &w->insiders;
	const struct machine *to = world_find(w, effect->packet.to_node);
	if (in->forger.works)
		return forge(w, m, effect, room);
	if (tells(in, FAULT_REPLAY) && to) {
		if (!prng_below(&in->dice, 4))
			capture(w, to->index, effect);
		if (!prng_below(&in->dice, 4))
			replay(w, m);
	}
	if (!(in->lies & ~LIE_BIT(FAULT_REPLAY)) || !prng_below(&in->dice, 2))
		return effect->packet.bytes;
	return alter(w, m, effect, room);
}
