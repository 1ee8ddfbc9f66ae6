/*
 * A stream from anyone: the first message, the second message, frames.
 */
#include "fuzz.h"

#include "handshake.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const struct cluster_id cluster = {{1}};
static const struct hash token_hash = {{2}};
static const uint8_t random_bytes[56] = {3};

/* Nobody who does not know the token gets an answer. */
static void try_first(const uint8_t *data)
{
	struct handshake_claim claim;
	struct stream_keys keys;
	struct hash other = {{9}};
	uint8_t second[HANDSHAKE_SECOND_SIZE];

	if (!handshake_read_claim(data, &claim))
		return;
	assert(claim.kind == STREAM_MEMBER || claim.kind == STREAM_JOIN);
	bool answered =
		handshake_second_join(&claim.cluster, &other, data, random_bytes, second, &keys);
	assert(!answered);
	handshake_second_join(&cluster, &token_hash, data, random_bytes, second, &keys);
}

/* Nor can anyone answer us: `data` was written without our ephemeral key. */
static void try_second(const uint8_t *data)
{
	struct handshake h;
	struct stream_keys keys;
	uint8_t first[HANDSHAKE_FIRST_SIZE];

	handshake_first_join(&h, &cluster, 4, &token_hash, random_bytes, first);
	handshake_finish(&h, data, &keys);
	handshake_wipe(&h);
}

/* In a block of its very size: frame_open may not look beyond it. */
static void try_frame(const uint8_t *data, size_t size)
{
	static uint8_t plain[FRAME_MAX];
	struct stream_keys keys = {{1}, {2}, {{3}}};
	size_t plain_size = 0, consumed = 0, needed = 0;
	uint8_t *copy = malloc(size > 0 ? size : 1);

	assert(copy != NULL);
	if (size > 0)
		memcpy(copy, data, size);
	switch (frame_open(&keys, copy, size, plain, &plain_size, &consumed, &needed)) {
	case FRAME_OPENED:
		assert(consumed <= size && plain_size + FRAME_OVERHEAD == consumed);
		break;
	case FRAME_MORE:
		assert(needed > size && needed <= FRAME_MAX + FRAME_OVERHEAD);
		break;
	case FRAME_BAD:
		break;
	}
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size >= HANDSHAKE_FIRST_SIZE) {
		try_first(data);
		try_second(data);
	}
	try_frame(data, size);
	return 0;
}
