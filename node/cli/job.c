/*
 * job.c: `job add`: the words after "--" are a command line of their own.
 */
#include "arguments.h"
#include "client.h"
#include "json.h"
#include "operation.h"
#include "request.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static int not_understood(struct failure *f, const char *why)
{
	failure_set(f, CODE_USAGE, "'job add' is not understood", why);
	failure_hint(f, "essaim help job add");
	return CODE_USAGE;
}

/* The row of the first two words; NULL with *f filled. */
static const struct command *resolve(const json_t *words, struct failure *f)
{
	const char *noun = json_string_value(json_array_get(words, 0));
	const char *verb = json_string_value(json_array_get(words, 1));
	const struct command *command =
		noun != NULL && verb != NULL ? command_find(noun, verb) : NULL;
	if (command != NULL && command->perform == operation_perform)
		return command;
	char why[256];
	snprintf(why, sizeof why, "'%.60s %.60s' is no operation, and only those can be jobs",
		 noun != NULL ? noun : "", verb != NULL ? verb : "");
	not_understood(f, why);
	return NULL;
}

static int parse_inner(const struct invocation *in, const json_t *words, struct invocation *out,
		       struct failure *f)
{
	const struct command *command = resolve(words, f);
	size_t count = json_array_size(words);
	if (command == NULL)
		return CODE_USAGE;
	char **list = calloc(count, sizeof *list);
	for (size_t i = 2; list != NULL && i < count; i++)
		list[i - 2] = (char *)json_string_value(json_array_get(words, i));
	struct words rest = {.count = (int)count - 2, .list = list, .literal = (int)count};
	*out = (struct invocation){.globals = in->globals};
	int code = list == NULL ? not_understood(f, "out of memory")
				: arguments_parse(command, &rest, out, f);
	out->command = command;
	free(list);
	return code;
}

/* "14:30" (the next one, local), "2026-03-01T14:30" (local), the same with Z (UTC). 0: not a time. */
static json_int_t time_ms(const char *text)
{
	time_t now = time(NULL), at;
	struct tm tm;
	localtime_r(&now, &tm);
	tm.tm_sec = 0;
	const char *end = strptime(text, "%H:%M", &tm);
	if (end != NULL && *end == '\0') {
		tm.tm_isdst = -1;
		at = mktime(&tm);
		if (at <= now) {
			tm.tm_mday++;
			tm.tm_isdst = -1;
			at = mktime(&tm);
		}
		return (json_int_t)at * 1000;
	}
	memset(&tm, 0, sizeof tm);
	tm.tm_isdst = -1;
	end = strptime(text, "%Y-%m-%dT%H:%M", &tm);
	if (end != NULL && *end == ':')
		end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	if (end == NULL || (*end != '\0' && strcmp(end, "Z") != 0))
		return 0;
	tm.tm_isdst = -1;
	at = *end == 'Z' ? timegm(&tm) : mktime(&tm);
	return (json_int_t)at * 1000;
}

static int take_times(const struct invocation *in, json_t *args, struct failure *f)
{
	const char *at = json_text(in->args, "at");
	json_int_t first = *at ? time_ms(at) : 0, every = json_number(in->args, "every_ms");
	if (*at && first <= 0)
		return not_understood(f, "--at takes 14:30, 2026-03-01T14:30 or 2026-03-01T14:30:00Z");
	if (!*at && every == 0)
		return not_understood(f, "when? --every DURATION, --at TIME, or both");
	json_object_set_new(args, "first_ms", json_integer(first));
	json_object_set_new(args, "every_ms", json_integer(every));
	return CODE_DONE;
}

int job_add_perform(struct invocation *in, struct failure *f)
{
	struct invocation inner;
	json_t *result = NULL;
	int code = parse_inner(in, json_member(in->args, "command"), &inner, f);
	if (code != CODE_DONE)
		return code;
	json_t *args = json_pack("{s:s, s:s, s:s, s:o}", "name", json_text(in->args, "name"), "noun",
				 inner.command->noun, "verb", inner.command->verb, "arguments",
				 operation_arguments(&inner));
	struct exchange x = {.verb = "job add", .args = args, .writes = true};
	code = take_times(in, args, f);
	if (code == CODE_DONE)
		code = request_exchange(in, &x, &result, f);
	if (code == CODE_DONE)
		request_show(in, result);
	json_decref(result);
	json_decref(args);
	json_decref(inner.args);
	return code;
}
