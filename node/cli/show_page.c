#include "human.h"
#include "json.h"
#include "show.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define FIELD_WIDTH 13 /* "incarnation" and air */

void show_field(const char *title, const char *format, ...)
{
	char *text;
	va_list arguments;
	va_start(arguments, format);
	int size = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (size < 0)
		abort();
	printf("%-*s", FIELD_WIDTH, title);
	human_wrap(stdout, text, FIELD_WIDTH, human_width());
	free(text);
}

void show_notice(const char *format, ...)
{
	char *text;
	va_list arguments;
	va_start(arguments, format);
	int size = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (size < 0)
		abort();
	printf("! ");
	human_wrap(stdout, text, 2, human_width());
	free(text);
}

const char *show_duration(const json_t *object, const char *key)
{
	static char texts[4][HUMAN_SIZE];
	static unsigned turn;
	char *out = texts[turn++ % 4];
	human_duration(json_number(object, key), out);
	return out;
}

void show_names(const json_t *list, const char *none, char *out, size_t size)
{
	size_t i;
	json_t *item;
	snprintf(out, size, "%s", json_array_size(list) == 0 ? none : "");
	json_array_foreach(list, i, item)
	{
		size_t used = strlen(out);
		const char *name =
		    json_is_string(item) ? json_string_value(item) : json_text(item, "name");
		snprintf(out + used, size - used, "%s%s", used ? ", " : "", name);
	}
}

void show_done(const struct invocation *in, const json_t *result)
{
	char name[64];
	if (!human_listens())
		return;
	command_name(in->command, name, sizeof name);
	fprintf(stderr, "%s: done\n", name);
}
