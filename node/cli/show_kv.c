#include "base64.h"
#include "human.h"
#include "json.h"
#include "show.h"
#include "table.h"
#include "words.h"

#include <string.h>
#include <unistd.h>

/* Byte for byte; a terminal gets the newline that the value may lack. */
static void print_raw(const char *data, size_t size)
{
	fwrite(data, 1, size, stdout);
	if (isatty(STDOUT_FILENO) && (size == 0 || data[size - 1] != '\n'))
		putchar('\n');
}

void show_value(const struct invocation *in, const json_t *result)
{
	static uint8_t decoded[VALUE_MAX_SIZE];
	const json_t *text = json_object_get(result, "value");
	const char *encoded = json_text(result, "value_base64");
	size_t size;
	if (json_is_string(text))
		print_raw(json_string_value(text), json_string_length(text));
	else if (base64_decode(encoded, strlen(encoded), decoded, sizeof decoded, &size))
		print_raw((const char *)decoded, size);
}

void show_put(const struct invocation *in, const json_t *result)
{
	if (human_listens())
		fprintf(stderr, "version %lld\n", (long long)json_number(result, "version"));
}

void show_keys(const struct invocation *in, const json_t *result)
{
	static const struct column columns[] = {
	    {"KEY", COLUMN_TEXT}, {"VERSION", COLUMN_NUMBER}, {"SIZE", COLUMN_NUMBER}, {0}};
	size_t i;
	json_t *row;
	if (json_array_size(result) == 0) {
		printf("No keys.\n");
		return;
	}
	struct libscols_table *table = table_begin(columns);
	json_array_foreach(result, i, row)
	{
		char version[24], size[HUMAN_SIZE];
		snprintf(version, sizeof version, "%lld", (long long)json_number(row, "version"));
		human_size(json_number(row, "size"), size);
		table_row(table, (const char *const[]){json_text(row, "key"), version, size});
	}
	table_end(table);
}

void show_change(const struct invocation *in, const json_t *event)
{
	const char *encoded = json_text(event, "value_base64");
	human_print(stdout, json_text(event, "key"));
	printf("  version %lld  ", (long long)json_number(event, "version"));
	if (json_is_string(json_object_get(event, "value")))
		human_print(stdout, json_text(event, "value"));
	else if (*encoded)
		printf("(binary, %zu characters of base64)", strlen(encoded));
	else
		printf("(deleted)");
	putchar('\n');
}
