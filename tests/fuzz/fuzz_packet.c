/*
 * A packet from anyone. The bytes are tried as they come (nothing may open), and once more as the
 * plain content of a packet sealed in quick mode, so that the decoder is reached too.
 */
#include "fuzz.h"

#include "codec.h"
#include "seal.h"

#include <assert.h>
#include <string.h>

static const node_id receiver = 2;
static const struct incarnation incarnation = {3, 4};

/* As it came: whatever opened would be a forgery. */
static void open_raw(const struct pair_key *key, const uint8_t *data, size_t size)
{
	uint8_t plain[PACKET_MAX];
	struct packet_header header;
	size_t plain_size;

	if (!packet_header_read(data, size, &header))
		return;
	bool opened = packet_open(SEAL_REAL, key, &header, receiver, &incarnation, data, size, plain,
	                          &plain_size);
	assert(!opened);
	packet_open(SEAL_QUICK, key, &header, receiver, &incarnation, data, size, plain, &plain_size);
}

/* Legal messages must survive another round, and their items' statements must fit. */
static void check_legal(const struct envelope *envelope)
{
	static const struct cluster_id cluster;
	static const struct generation generation;
	static uint8_t again[FRAME_MAX], memory[ARENA_PACKET_SIZE] __attribute__((aligned(16)));
	static struct envelope second;
	struct arena arena = {memory, sizeof memory, 0};
	uint8_t statement[STATEMENT_MAX];

	size_t size = envelope_encode(envelope, again, sizeof again);
	bool decoded = envelope_decode(again, size, &arena, &second);
	assert(decoded && second.kind == envelope->kind);
	assert(second.item_count == envelope->item_count);
	for (uint32_t i = 0; i < envelope->item_count; i++)
		item_statement(&cluster, &generation, &envelope->items[i], statement);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct pair_key key = {{1}};
	static uint8_t memory[ARENA_PACKET_SIZE] __attribute__((aligned(16)));
	static struct envelope envelope;
	struct arena arena = {memory, sizeof memory, 0};
	struct packet_header header = {.sender = 1, .sequence = 5};
	uint8_t packet[PACKET_MAX], plain[PACKET_MAX];
	size_t plain_size;

	open_raw(&key, data, size);
	if (size > PACKET_PLAIN_MAX)
		return 0;
	size_t sealed =
		packet_seal(SEAL_QUICK, &key, &header, receiver, &incarnation, data, size, packet);
	bool opened = packet_open(SEAL_QUICK, &key, &header, receiver, &incarnation, packet, sealed,
	                          plain, &plain_size);
	assert(opened && plain_size == size && memcmp(plain, data, size) == 0);
	if (envelope_decode(plain, plain_size, &arena, &envelope))
		check_legal(&envelope);
	return 0;
}
