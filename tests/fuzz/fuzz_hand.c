/*
 * A packet between daemon and hand, as either side takes it: what is taken writes the same bytes again, and
 * what the table lets through is within its bounds.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "hand_message.h"

static void check_run(const struct hand_run *run)
{
	struct error error;
	if (!program_check(run->program, run->count, run->arguments, &error)) {
		if (memchr(error.text, '\0', sizeof error.text) == NULL || error.text[0] == '\0')
			abort();
		return;
	}
	if (program_row(run->program) == NULL || run->count > PROGRAM_ARGUMENTS_MAX)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t again[HAND_PACKET_MAX];
	struct hand_message message;
	if (!hand_message_read((struct bytes){data, size}, &message))
		return 0;
	if (message.kind == HAND_RUN)
		check_run(&message.run);
	if (hand_message_write(&message, again) != size || memcmp(again, data, size) != 0)
		abort();
	return 0;
}
