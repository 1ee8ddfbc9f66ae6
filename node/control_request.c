#include "control_request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "view.h"

static int take_verb(const json_t *root, struct control_request *out, struct error *error)
{
	const char *verb = json_string_value(json_object_get(root, "verb"));
	if (verb == NULL || strlen(verb) >= sizeof out->verb)
		return error_set(error, -EINVAL, "the request has no verb");
	snprintf(out->verb, sizeof out->verb, "%s", verb);
	return 0;
}

static int take_patience(const json_t *root, struct control_request *out, struct error *error)
{
	int64_t ms = PATIENCE_DEFAULT / MILLISECOND;
	int status = args_number_optional(root, "timeout_ms", 1, INT64_MAX, &ms, error);
	if (ms > PATIENCE_MAX / MILLISECOND)
		ms = PATIENCE_MAX / MILLISECOND;
	out->patience = ms * MILLISECOND;
	return status;
}

static int take_args(const json_t *root, struct control_request *out, struct error *error)
{
	json_t *args = json_object_get(root, "args");
	if (args != NULL && !json_is_object(args))
		return error_set(error, -EINVAL, "the request's args are no object");
	out->args = args != NULL ? json_incref(args) : json_object();
	return 0;
}

int control_request_parse(const char *json, size_t size, struct control_request *out,
                          struct error *error)
{
	memset(out, 0, sizeof *out);
	json_error_t reason;
	json_t *root = json_loadb(json, size, JSON_REJECT_DUPLICATES, &reason);
	if (!json_is_object(root)) {
		json_decref(root);
		return error_set(error, -EINVAL, "the request is no JSON object");
	}
	int status = take_verb(root, out, error);
	if (status == 0)
		status = take_patience(root, out, error);
	if (status == 0)
		status = take_args(root, out, error);
	json_decref(root);
	return status;
}

void control_request_free(struct control_request *request)
{
	json_decref(request->args);
	request->args = NULL;
}

/* ---- arguments ---- */

static bool absent(const json_t *args, const char *key)
{
	const json_t *value = json_object_get(args, key);
	return value == NULL || json_is_null(value);
}

int args_text(const json_t *args, const char *key, const char **out, struct error *error)
{
	const json_t *value = json_object_get(args, key);
	if (!json_is_string(value))
		return error_set(error, -EINVAL, "'%s' is missing or no text", key);
	*out = json_string_value(value);
	return 0;
}

int args_number(const json_t *args, const char *key, int64_t min, int64_t max, int64_t *out,
                struct error *error)
{
	const json_t *value = json_object_get(args, key);
	if (!json_is_integer(value))
		return error_set(error, -EINVAL, "'%s' is missing or no number", key);
	int64_t number = json_integer_value(value);
	if (number < min || number > max)
		return error_set(error, -EINVAL, "'%s' must be between %lld and %lld", key,
		                 (long long)min, (long long)max);
	*out = number;
	return 0;
}

int args_text_optional(const json_t *args, const char *key, const char **out, struct error *error)
{
	return absent(args, key) ? 0 : args_text(args, key, out, error);
}

int args_number_optional(const json_t *args, const char *key, int64_t min, int64_t max, int64_t *out,
                         struct error *error)
{
	return absent(args, key) ? 0 : args_number(args, key, min, max, out, error);
}

int args_role(const json_t *args, enum role *out, struct error *error)
{
	const char *name = role_name(ROLE_NODE);
	int status = args_text_optional(args, "role", &name, error);
	if (status < 0)
		return status;
	*out = strcmp(name, role_name(ROLE_WITNESS)) == 0 ? ROLE_WITNESS : ROLE_NODE;
	if (strcmp(name, role_name(*out)) != 0)
		return error_set(error, -EINVAL, "'%s' is no role: node or witness", name);
	return 0;
}

bool args_flag(const json_t *args, const char *key)
{
	return json_is_true(json_object_get(args, key));
}

static int value_too_long(size_t size, struct error *error)
{
	return error_set(error, -EINVAL, "the value has %zu bytes; at most %d are kept", size,
	                 VALUE_MAX_SIZE);
}

static int decode_value(const char *text, uint8_t **out, size_t *out_size, struct error *error)
{
	size_t size = strlen(text);
	if (size > BASE64_SIZE(VALUE_MAX_SIZE))
		return value_too_long(size / 4 * 3, error);
	uint8_t *data = malloc(VALUE_MAX_SIZE + 1);
	if (data == NULL)
		return error_set(error, -EINVAL, "out of memory");
	if (!base64_decode(text, size, data, VALUE_MAX_SIZE, out_size)) {
		free(data);
		return error_set(error, -EINVAL, "'value_base64' is not base64");
	}
	*out = data;
	return 0;
}

int args_value(const json_t *args, uint8_t **out, size_t *out_size, struct error *error)
{
	const char *text;
	if (!absent(args, "value_base64")) {
		int status = args_text(args, "value_base64", &text, error);
		return status < 0 ? status : decode_value(text, out, out_size, error);
	}
	int status = args_text(args, "value", &text, error);
	if (status < 0)
		return status;
	size_t size = json_string_length(json_object_get(args, "value"));
	if (size > VALUE_MAX_SIZE)
		return value_too_long(size, error);
	uint8_t *data = malloc(size + 1);
	if (data == NULL)
		return error_set(error, -EINVAL, "out of memory");
	memcpy(data, text, size);
	*out = data;
	*out_size = size;
	return 0;
}

void json_set_value(json_t *object, const uint8_t *value, size_t size)
{
	json_t *text = NULL;
	if (size == 0 || memchr(value, 0, size) == NULL)
		text = json_stringn(size > 0 ? (const char *)value : "", size);
	if (text != NULL) {
		json_object_set_new(object, "value", text);
		return;
	}
	char *encoded = malloc(BASE64_SIZE(size));
	if (encoded == NULL)
		return;
	base64_encode(value, size, encoded);
	json_object_set_new(object, "value_base64", json_string(encoded));
	free(encoded);
}
