#include "json.h"

#include <stdio.h>

void json_print(const json_t *value)
{
	json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY);
	putchar('\n');
}

void json_print_line(const json_t *value)
{
	json_dumpf(value, stdout, JSON_COMPACT | JSON_ENCODE_ANY);
	putchar('\n');
	fflush(stdout);
}

json_t *json_member(const json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);
	return json_is_null(value) ? NULL : value;
}

const char *json_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text == NULL ? "" : text;
}

json_int_t json_number(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	return json_is_real(value) ? (json_int_t)json_real_value(value) : json_integer_value(value);
}

bool json_truth(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}
