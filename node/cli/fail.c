#include "fail.h"
#include "human.h"
#include "json.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int failure_set(struct failure *f, int code, const char *what, const char *why)
{
	f->code = code;
	snprintf(f->what, sizeof f->what, "%s", what);
	snprintf(f->why, sizeof f->why, "%s", why);
	f->hint[0] = '\0';
	return code;
}

void failure_hint(struct failure *f, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(f->hint, sizeof f->hint, format, arguments);
	va_end(arguments);
}

int failure_from_json(struct failure *f, int code, const json_t *error)
{
	const char *what = json_text(error, "what");
	failure_set(f, code, *what ? what : "the daemon refused", json_text(error, "why"));
	failure_hint(f, "%s", json_text(error, "hint"));
	f->answered = true;
	return code;
}

static void print_json(const struct failure *f)
{
	json_t *error = json_pack("{s:s, s:s}", "what", f->what, "why", f->why);
	if (*f->hint)
		json_object_set_new(error, "hint", json_string(f->hint));
	json_t *answer = json_pack("{s:o, s:i}", "error", error, "code", f->code);
	if (f->report != NULL)
		json_object_set_new(answer, "doctor", f->report);
	json_print(answer);
	json_decref(answer);
}

int failure_print(const struct failure *f, bool json)
{
	if (json) {
		print_json(f);
		return f->code;
	}
	fprintf(stderr, "essaim: ");
	human_print(stderr, f->what);
	if (*f->why) {
		fprintf(stderr, ": ");
		human_print(stderr, f->why);
	}
	fputc('\n', stderr);
	if (*f->hint) {
		fprintf(stderr, "  try: ");
		human_print(stderr, f->hint);
		fputc('\n', stderr);
	}
	return f->code;
}
