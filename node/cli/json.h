/*
 * json.h: printing results for programs, and reading answers without trusting their shape.
 *
 * The readers take NULL and wrong types and answer "", 0, false or NULL: an older or newer daemon
 * may leave a field out, and a table with a gap is better than no table.
 */
#ifndef ESSAIM_CLI_JSON_H
#define ESSAIM_CLI_JSON_H

#include <jansson.h>
#include <stdbool.h>

void json_print(const json_t *value);      /* indented by two */
void json_print_line(const json_t *value); /* compact, one line, flushed */

const char *json_text(const json_t *object, const char *key);
json_int_t json_number(const json_t *object, const char *key);
bool json_truth(const json_t *object, const char *key);
/* NULL if missing or null. Borrowed. */
json_t *json_member(const json_t *object, const char *key);

#endif
