/*
 * registry.c: names of registry rows and of states.
 */
#include "registry.h"

#include <assert.h>

static void put_number(uint64_t number, uint8_t out[8])
{
	for (int i = 0; i < 8; i++)
		out[i] = (uint8_t)(number >> (56 - 8 * i));
}

void operation_name(const struct request_id *id, uint8_t out[OPERATION_NAME_SIZE])
{
	put_number(id->origin, out);
	put_number(id->incarnation, out + 8);
	put_number(id->sequence, out + 16);
}

void audit_name(uint64_t number, uint8_t out[AUDIT_NAME_SIZE])
{
	put_number(number, out);
}

const char *operation_state_name(enum operation_state state)
{
	switch (state) {
	case OPERATION_QUEUED:
		return "queued";
	case OPERATION_RUNNING:
		return "running";
	case OPERATION_CANCELLING:
		return "cancelling";
	case OPERATION_DONE:
		return "done";
	case OPERATION_FAILED:
		return "failed";
	case OPERATION_UNDONE:
		return "undone";
	case OPERATION_UNKNOWN:
		return "unknown";
	}
	return "?"; /* of a later version */
}
