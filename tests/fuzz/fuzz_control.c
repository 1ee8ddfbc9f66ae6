/*
 * A control frame as the daemon takes it: length, request, and each argument by type.
 * What was taken must survive being shown again.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "control_frame.h"
#include "control_request.h"

static void take_arguments(const json_t *args)
{
	struct error error;
	const char *text = "";
	int64_t number = 0;
	uint8_t *value;
	size_t value_size;
	args_text_optional(args, "key", &text, &error);
	args_number_optional(args, "if_version", 0, INT64_MAX, &number, &error);
	if (number < 0)
		abort();
	if (args_value(args, &value, &value_size, &error) < 0)
		return;
	uint8_t *again;
	size_t again_size;
	json_t *shown = json_object();
	json_set_value(shown, value, value_size);
	if (args_value(shown, &again, &again_size, &error) < 0 || again_size != value_size ||
	    memcmp(again, value, value_size) != 0)
		abort();
	json_decref(shown);
	free(again);
	free(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct control_request request;
	struct error error;
	uint32_t length;
	if (size < CONTROL_LENGTH_SIZE || !control_length_read(data, CONTROL_FRAME_MAX, &length) ||
	    length > size - CONTROL_LENGTH_SIZE)
		return 0;
	if (control_request_parse((const char *)data + CONTROL_LENGTH_SIZE, length, &request, &error) < 0)
		return 0;
	if (request.patience <= 0 || request.patience > PATIENCE_MAX ||
	    memchr(request.verb, '\0', sizeof request.verb) == NULL)
		abort();
	take_arguments(request.args);
	control_request_free(&request);
	return 0;
}
