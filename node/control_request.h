/*
 * control_request.h: a request's bytes to {verb, args, patience}, and its arguments by type.
 * Pure: no socket, no mind.
 */
#ifndef ESSAIM_CONTROL_REQUEST_H
#define ESSAIM_CONTROL_REQUEST_H

#include <jansson.h>

#include "error.h"
#include "words.h"

#define VERB_SIZE 32
#define PATIENCE_DEFAULT (10 * SECOND)
#define PATIENCE_MAX (3600 * SECOND)

struct control_request {
	char verb[VERB_SIZE];
	json_t *args; /* an object; owned */
	duration patience;
};

/* 0, or -EINVAL with the reason and nothing to free. */
int control_request_parse(const char *json, size_t size, struct control_request *out,
                          struct error *error);
void control_request_free(struct control_request *request);

/* Each -EINVAL with a sentence if missing or of another type; *out is borrowed from args. */
int args_text(const json_t *args, const char *key, const char **out, struct error *error);
int args_number(const json_t *args, const char *key, int64_t min, int64_t max, int64_t *out,
                struct error *error);
/* The same, but absent (or null) leaves *out as it is. */
int args_text_optional(const json_t *args, const char *key, const char **out, struct error *error);
int args_number_optional(const json_t *args, const char *key, int64_t min, int64_t max, int64_t *out,
                         struct error *error);
/* "role": node (also if absent) or witness. */
int args_role(const json_t *args, enum role *out, struct error *error);
bool args_flag(const json_t *args, const char *key);

/* Text as it is, or base64 under "<key>_base64"; *out holds *out_size bytes, caller frees. */
int args_value(const json_t *args, uint8_t **out, size_t *out_size, struct error *error);

/* Adds `value` under "value", or "value_base64" if it is not UTF-8 or holds a NUL. */
void json_set_value(json_t *object, const uint8_t *value, size_t size);

#endif
