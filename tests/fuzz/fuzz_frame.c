/*
 * What comes out of a proven stream or the store, and still may be anything: envelopes, commands,
 * the durable record, rows. Whatever is legal must survive another round.
 */
#include "fuzz.h"

#include "codec.h"

#include <assert.h>
#include <string.h>

static uint8_t memory[ARENA_FRAME_SIZE] __attribute__((aligned(16)));
static uint8_t memory_2[ARENA_FRAME_SIZE] __attribute__((aligned(16)));
static uint8_t again[2 * FRAME_MAX];
static struct arena arena = {memory, sizeof memory, 0}, arena_2 = {memory_2, sizeof memory_2, 0};

/* `type`_decode, and if legal: encode, decode, encode gives the same bytes. */
#define ROUND_TRIP(type, data, size) \
	do { \
		static struct type first_, second_; \
		static uint8_t third_[2 * FRAME_MAX]; \
		if (type##_decode(data, size, &arena, &first_)) { \
			size_t size_ = type##_encode(&first_, again, sizeof again); \
			bool decoded_ = type##_decode(again, size_, &arena_2, &second_); \
			assert(decoded_); \
			size_t last_ = type##_encode(&second_, third_, sizeof third_); \
			assert(last_ == size_ && memcmp(again, third_, size_) == 0); \
		} \
	} while (0)

/* Legal values that our own encoding would write longer than a frame are not ours to repeat. */
static void envelope_round_trip(const uint8_t *data, size_t size)
{
	static struct envelope first, second;

	if (!envelope_decode(data, size, &arena, &first))
		return;
	size_t packed = envelope_encode(&first, again, sizeof again);
	assert(packed > 0 || first.kind == MESSAGE_NONE);
	if (packed > FRAME_MAX)
		return;
	bool decoded = envelope_decode(again, packed, &arena_2, &second);
	assert(decoded && second.kind == first.kind);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	envelope_round_trip(data, size);
	ROUND_TRIP(command, data, size);
	ROUND_TRIP(durable, data, size);
	ROUND_TRIP(member_row, data, size);
	ROUND_TRIP(token_row, data, size);
	ROUND_TRIP(kv_row, data, size);
	ROUND_TRIP(origin_row, data, size);
	ROUND_TRIP(seized, data, size);
	return 0;
}
