/*
 * The envelope: its header, the table of message kinds, and the memory that all decoding uses.
 */
#include "codec_internal.h"

#include <assert.h>

/* ---- memory ---- */

void *arena_take(struct arena *arena, size_t size)
{
	uintptr_t at = (uintptr_t)(arena->data + arena->used);
	size_t skip = (size_t)(-at & 15);

	if (arena->size - arena->used < skip || arena->size - arena->used - skip < size)
		return NULL;
	void *taken = arena->data + arena->used + skip;
	arena->used += skip + size;
	return taken;
}

static void *allocator_take(void *arena, size_t size)
{
	return arena_take(arena, size);
}

/* The arena is emptied as a whole by the next decode. */
static void allocator_free(void *arena, void *data)
{
}

void *arena_unpack(struct arena *arena, const ProtobufCMessageDescriptor *type, const uint8_t *in,
                   size_t size)
{
	ProtobufCAllocator allocator = {allocator_take, allocator_free, arena};

	arena->used = 0;
	if (size > FRAME_MAX)
		return NULL;
	return protobuf_c_message_unpack(type, &allocator, size, in);
}

void *scratch_take(struct arena *scratch, size_t size)
{
	void *taken = arena_take(scratch, size);

	assert(taken != NULL);
	return taken;
}

void *part_new(struct arena *scratch, const ProtobufCMessageDescriptor *type)
{
	void *part = scratch_take(scratch, type->sizeof_message);

	type->message_init(part);
	return part;
}

size_t part_pack(const ProtobufCMessage *message, uint8_t *out, size_t capacity)
{
	size_t size = protobuf_c_message_get_packed_size(message);

	if (size > capacity)
		return 0;
	return protobuf_c_message_pack(message, out);
}

/* ---- the kinds ---- */

struct kind {
	Essaim__Wire__Envelope__MessageCase wire;
	put_message *put;
	take_message *take;
};

#define KIND(upper, lower) {ESSAIM__WIRE__ENVELOPE__MESSAGE_##upper, put_##lower, take_##lower}

static const struct kind kinds[MESSAGE_KINDS] = {
	[MESSAGE_HELLO] = KIND(HELLO, hello),
	[MESSAGE_WELCOME] = KIND(WELCOME, welcome),
	[MESSAGE_PROBE] = KIND(PROBE, probe),
	[MESSAGE_ACK] = KIND(ACK, ack),
	[MESSAGE_PROBE_REQUEST] = KIND(PROBE_REQUEST, probe_request),
	[MESSAGE_PROBE_REPORT] = KIND(PROBE_REPORT, probe_report),
	[MESSAGE_GOSSIP] = KIND(GOSSIP, gossip),
	[MESSAGE_DIGEST] = KIND(DIGEST, digest),
	[MESSAGE_FACT_PULL] = KIND(FACT_PULL, fact_pull),
	[MESSAGE_FACT_VALUE] = KIND(FACT_VALUE, fact_value),
	[MESSAGE_FAREWELL] = KIND(FAREWELL, farewell),
	[MESSAGE_PREPARE] = KIND(PREPARE, prepare),
	[MESSAGE_PROMISE] = KIND(PROMISE, promise),
	[MESSAGE_REJECT] = KIND(REJECT, reject),
	[MESSAGE_ACCEPT] = KIND(ACCEPT, accept),
	[MESSAGE_ACCEPTED] = KIND(ACCEPTED, accepted),
	[MESSAGE_RELEASE] = KIND(RELEASE, release),
	[MESSAGE_OFFER] = KIND(OFFER, offer),
	[MESSAGE_READY] = KIND(READY, ready),
	[MESSAGE_TRANSFER] = KIND(TRANSFER, transfer),
	[MESSAGE_FETCH] = KIND(FETCH, fetch),
	[MESSAGE_ENTRIES] = KIND(ENTRIES, entries),
	[MESSAGE_SNAPSHOT] = KIND(SNAPSHOT, snapshot),
	[MESSAGE_REQUEST] = KIND(REQUEST, request),
	[MESSAGE_ANSWER] = KIND(ANSWER, answer),
	[MESSAGE_JOIN] = KIND(JOIN, join),
	[MESSAGE_JOINED] = KIND(JOINED, joined),
	[MESSAGE_SURVEY] = KIND(SURVEY, survey),
	[MESSAGE_SURVEY_ANSWER] = KIND(SURVEY_ANSWER, survey_answer),
	[MESSAGE_SEIZED] = KIND(SEIZED, seized),
	[MESSAGE_INQUIRY] = KIND(INQUIRY, inquiry),
	[MESSAGE_INQUIRED] = KIND(INQUIRED, inquired),
	[MESSAGE_ENGINE] = KIND(ENGINE, engine),
};

/* MESSAGE_NONE if this build does not know it: then only the items are taken. */
static enum message_kind kind_of(Essaim__Wire__Envelope__MessageCase wire)
{
	for (unsigned kind = MESSAGE_NONE + 1; kind < MESSAGE_KINDS; kind++)
		if (kinds[kind].wire == wire)
			return (enum message_kind)kind;
	return MESSAGE_NONE;
}

/* ---- the envelope ---- */

static void put_items(struct arena *scratch, const struct envelope *in, Essaim__Wire__Envelope *out)
{
	assert(in->item_count <= ITEMS_PER_PACKET_MAX);
	if (in->item_count == 0)
		return;
	out->n_items = in->item_count;
	out->items = scratch_take(scratch, in->item_count * sizeof *out->items);
	for (uint32_t i = 0; i < in->item_count; i++)
		out->items[i] = put_item(scratch, &in->items[i]);
}

size_t envelope_encode(const struct envelope *in, uint8_t *out, size_t capacity)
{
	_Alignas(16) uint8_t memory[SCRATCH_SIZE];
	struct arena scratch = {memory, sizeof memory, 0};
	Essaim__Wire__Envelope wire = ESSAIM__WIRE__ENVELOPE__INIT;

	wire.wire = in->wire;
	wire.incarnation = in->incarnation;
	wire.commit = in->commit;
	wire.summary = in->summary;
	wire.refutation = in->refutation;
	wire.generation = in->generation;
	wire.generation_tag = in->generation_tag;
	put_items(&scratch, in, &wire);
	assert(in->kind < MESSAGE_KINDS);
	if (in->kind != MESSAGE_NONE) {
		wire.message_case = kinds[in->kind].wire;
		wire.probe = kinds[in->kind].put(&scratch, in); /* any member of the union will do */
	}
	return part_pack(&wire.base, out, capacity);
}

bool envelope_decode(const uint8_t *in, size_t size, struct arena *arena, struct envelope *out)
{
	const Essaim__Wire__Envelope *wire =
		arena_unpack(arena, &essaim__wire__envelope__descriptor, in, size);

	if (wire == NULL)
		return false;
	out->wire = wire->wire;
	out->incarnation = wire->incarnation;
	out->commit = wire->commit;
	out->summary = wire->summary;
	out->refutation = wire->refutation;
	out->generation = wire->generation;
	out->generation_tag = wire->generation_tag;
	out->kind = kind_of(wire->message_case);
	if (!take_items(wire, arena, out))
		return false;
	return out->kind == MESSAGE_NONE || kinds[out->kind].take(wire->probe, arena, out);
}
