#include "auth.h"
#include "client.h"
#include "human.h"
#include "json.h"
#include "prepare.h"
#include "request.h"

#include <stdio.h>
#include <string.h>

#define TEXT_COLUMN 19

static bool is_wrong(const json_t *check)
{
	return strcmp(json_text(check, "state"), "wrong") == 0;
}

static void show_check(const json_t *check)
{
	const char *command = json_text(check, "command");
	printf("%-7s  %-8s  ", json_text(check, "state"), json_text(check, "check"));
	human_wrap(stdout, json_text(check, "what"), TEXT_COLUMN, human_width());
	if (*command == '\0')
		return;
	printf("%*s", TEXT_COLUMN, "");
	human_print(stdout, command); /* whole, to be pasted */
	putchar('\n');
}

void show_auth(const struct invocation *in, const json_t *result)
{
	size_t i;
	json_t *check;
	json_array_foreach(json_member(result, "checks"), i, check)
		show_check(check);
	putchar('\n');
	human_wrap(stdout, json_text(result, "verdict"), 0, human_width());
}

static bool any_wrong(const json_t *result)
{
	size_t i;
	json_t *check;
	json_array_foreach(json_member(result, "checks"), i, check)
	{
		if (is_wrong(check))
			return true;
	}
	return false;
}

int auth_perform(struct invocation *in, struct failure *f)
{
	json_t *result;
	struct exchange x = {.verb = "doctor auth", .args = in->args};
	int code = prepare_token(in, f);
	if (code != CODE_DONE)
		return code;
	code = request_exchange(in, &x, &result, f);
	if (result == NULL)
		return code;
	request_show(in, result);
	if (code == CODE_DONE && any_wrong(result))
		code = CODE_FAILED; /* the screen says it all: no further sentence */
	json_decref(result);
	return code;
}

/* The same question as the join that failed, at its first address. NULL: it cannot be had. */
static json_t *ask_why(const struct invocation *in)
{
	static const char *const same[] = {"token", "name", "role"};
	struct failure ignored;
	json_t *result, *args = json_object();
	struct exchange x = {.verb = "doctor auth", .args = args};
	json_object_set(args, "address", json_array_get(json_member(in->args, "addresses"), 0));
	for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
		json_object_set(args, same[i], json_object_get(in->args, same[i]));
	request_exchange(in, &x, &result, &ignored);
	json_decref(args);
	return result;
}

int join_perform(struct invocation *in, struct failure *f)
{
	int code = prepare_token(in, f);
	if (code == CODE_DONE)
		code = request_run(in, f);
	if (code == CODE_DONE || code == CODE_USAGE)
		return code;
	json_t *result = ask_why(in);
	if (result == NULL)
		return code;
	if (in->globals->json) {
		f->report = result; /* printed with the error */
		return code;
	}
	show_auth(in, result);
	putchar('\n');
	fflush(stdout);
	json_decref(result);
	return code;
}
