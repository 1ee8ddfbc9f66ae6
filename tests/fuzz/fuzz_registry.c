/*
 * The engine's rows, journal, requests, answers and messages: any bytes are refused, or say what encodes and
 * reads back to the same.
 */
#include "fuzz.h"

#include "codec_registry.h"
#include "storage.h"

#include <assert.h>
#include <string.h>

static uint8_t packed[ENGINE_BYTES_MAX], again[ENGINE_BYTES_MAX];
static _Alignas(16) uint8_t memory[ENGINE_ARENA_SIZE], other_memory[ENGINE_ARENA_SIZE];

/* Same bytes again: the structs themselves have padding, and some borrow from the arena. */
#define TRY(type, encode, decode)                                                                  \
	static void try_##type(struct bytes in)                                                    \
	{                                                                                          \
		static struct type one, two;                                                       \
		struct arena arena = {memory, sizeof memory, 0};                                   \
		struct arena other = {other_memory, sizeof other_memory, 0};                       \
		if (!decode(in, &arena, &one))                                                     \
			return;                                                                    \
		size_t size = encode(&one, packed, sizeof packed);                                 \
		bool back = decode((struct bytes){packed, size}, &other, &two);                    \
		assert(back);                                                                      \
		size_t more = encode(&two, again, sizeof again);                                   \
		assert(more == size && memcmp(packed, again, size) == 0);                          \
	}

TRY(operation_row, operation_row_encode, operation_row_decode)
TRY(audit_row, audit_row_encode, audit_row_decode)
TRY(job_row, job_row_encode, job_row_decode)
TRY(engine_request, engine_request_encode, engine_request_decode)
TRY(engine_told, engine_told_encode, engine_told_decode)
TRY(engine_message, engine_message_encode, engine_message_decode)
TRY(journal_record, journal_record_encode, journal_record_decode)
TRY(storage_row, storage_row_encode, storage_row_decode)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = {data, size};
	if (size > ENGINE_BYTES_MAX)
		return 0;
	try_operation_row(in);
	try_audit_row(in);
	try_job_row(in);
	try_engine_request(in);
	try_engine_told(in);
	try_engine_message(in);
	try_journal_record(in);
	try_storage_row(in);
	return 0;
}
