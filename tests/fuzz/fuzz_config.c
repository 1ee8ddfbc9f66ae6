/*
 * A config file: any bytes are either refused with a sentence, or give a config that prints as a
 * file which reads back to the same.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "config.h"

static int read_bytes(struct node_config *config, const void *data, size_t size,
                      struct error *error)
{
	FILE *in = fmemopen((void *)(uintptr_t)data, size, "r");
	if (in == NULL)
		return -1;
	int status = node_config_read_stream(config, in, "fuzz", error);
	fclose(in);
	return status;
}

static void check_prints_back(const struct node_config *config)
{
	struct node_config again;
	struct error error;
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	if (out == NULL)
		abort();
	node_config_print(config, out);
	fclose(out);
	node_config_defaults(&again);
	if (read_bytes(&again, text, size, &error) < 0 || node_config_check(&again, &error) < 0 ||
	    memcmp(&again, config, sizeof again) != 0)
		abort();
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct node_config config;
	struct error error = {""};
	if (size == 0 || size > 65536)
		return 0;
	node_config_defaults(&config);
	if (read_bytes(&config, data, size, &error) < 0) {
		if (error.text[0] == '\0')
			abort();
		return 0;
	}
	if (node_config_check(&config, &error) == 0)
		check_prints_back(&config);
	return 0;
}
