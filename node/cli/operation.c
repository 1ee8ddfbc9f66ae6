#include "operation.h"
#include "bar.h"
#include "client.h"
#include "human.h"
#include "json.h"
#include "request.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define AGAIN_MS 500

int operation_prepare(struct invocation *in, struct failure *f)
{
	const char *text = json_text(in->args, "operation");
	char *end;
	long long number = strtoll(text, &end, 10);
	if (*text < '0' || *text > '9' || *end != '\0' || number < 1) {
		char why[128];
		snprintf(why, sizeof why, "'%.60s' is not the number of an operation", text);
		failure_set(f, CODE_USAGE, "the command is not understood", why);
		failure_hint(f, "essaim op list");
		return CODE_USAGE;
	}
	json_object_set_new(in->args, "operation", json_integer(number));
	return CODE_DONE;
}

/* ---- Ctrl-C ---- */

static char farewell[160];

/* Only what may be called from a handler. */
static void on_interrupt(int signal_number)
{
	ssize_t written = write(STDERR_FILENO, farewell, strlen(farewell));
	(void)written;
	_exit(128 + signal_number);
}

static void say_farewell_at_interrupt(json_int_t number)
{
	struct sigaction action = {.sa_handler = on_interrupt};
	snprintf(farewell, sizeof farewell,
		 "\noperation %lld goes on; 'essaim op wait %lld' shows it again, 'essaim op cancel %lld' ends it\n",
		 (long long)number, (long long)number, (long long)number);
	sigaction(SIGINT, &action, NULL);
}

/* ---- waiting ---- */

struct waiting {
	const struct invocation *in;
	struct bar bar;
	bool heard; /* of the operation, once: from then on silence is a pause */
};

static bool on_progress(void *context, const json_t *event)
{
	struct waiting *w = context;
	w->heard = true;
	if (w->in->globals->json)
		json_print_line(event);
	else
		bar_show(&w->bar, event);
	return fflush(stdout) == 0 && !ferror(stdout);
}

static void on_text(void *context, const char *text)
{
	struct waiting *w = context;
	bar_say(&w->bar, text);
}

/* It may well go on: nobody who knows its end was heard. */
static bool interrupted(int code, const struct failure *f)
{
	return code == CODE_NO_MASTER || code == CODE_UNKNOWN || (code != CODE_DONE && !f->answered);
}

static int ask_once(const struct invocation *in, struct waiting *w, json_int_t number,
		    json_t **out_result, struct failure *f)
{
	json_t *args = json_pack("{s:I}", "operation", number);
	struct exchange x = {.verb = "op wait", .args = args, .endless = true,
			     .on_event = on_progress, .on_text = on_text, .context = w};
	*f = (struct failure){0};
	int code = request_exchange(in, &x, out_result, f);
	json_decref(args);
	return code;
}

/* What its end means for whoever waited. */
static int judge(const struct invocation *in, json_t *result, struct failure *f)
{
	const char *end = json_text(result, "result"), *verb = json_text(result, "what");
	char what[160];
	if (strcmp(end, "done") == 0) {
		if (in->globals->json)
			json_print_line(result);
		else if (*json_text(result, "text"))
			human_print(stdout, json_text(result, "text")), putchar('\n');
		else if (human_listens())
			fprintf(stderr, "done\n");
		return CODE_DONE;
	}
	bool unknown = strcmp(end, "unknown") == 0;
	if (strcmp(end, "undone") == 0)
		snprintf(what, sizeof what, "'%.60s' was not done, and nothing of it is left", verb);
	else if (unknown)
		snprintf(what, sizeof what, "how far '%.60s' went is not known", verb);
	else
		snprintf(what, sizeof what, "'%.60s' failed", verb);
	failure_set(f, unknown ? CODE_UNKNOWN : CODE_FAILED, what, json_text(result, "text"));
	failure_hint(f, "essaim op show %lld", (long long)json_number(result, "operation"));
	return f->code;
}

/* `begun`: somebody told us that it exists. */
static int wait_for(const struct invocation *in, json_int_t number, bool begun, struct failure *f)
{
	struct waiting w = {.in = in, .heard = begun};
	json_t *result = NULL;
	int code;
	bar_begin(&w.bar, !in->globals->json);
	say_farewell_at_interrupt(number);
	while (interrupted(code = ask_once(in, &w, number, &result, f), f)) {
		if (!w.heard && !f->answered)
			break; /* no daemon from the beginning: that is no pause */
		bar_say(&w.bar, f->answered ? "nobody answers for the cluster at the moment; the operation goes on"
					    : "the daemon is away; the operation goes on");
		poll(NULL, 0, AGAIN_MS);
	}
	bar_end(&w.bar);
	signal(SIGINT, SIG_DFL);
	if (code == CODE_DONE && result != NULL)
		code = judge(in, result, f);
	json_decref(result);
	return code;
}

int operation_wait_perform(struct invocation *in, struct failure *f)
{
	int code = operation_prepare(in, f);
	return code != CODE_DONE ? code : wait_for(in, json_number(in->args, "operation"), false, f);
}

/* ---- starting ---- */

/* Everything as text: the engine knows what it means. */
static json_t *as_text(const json_t *value)
{
	char number[24];
	if (json_is_true(value))
		return json_string("yes");
	if (!json_is_integer(value))
		return json_incref((json_t *)value);
	snprintf(number, sizeof number, "%lld", (long long)json_integer_value(value));
	return json_string(number);
}

json_t *operation_arguments(const struct invocation *in)
{
	json_t *out = json_object(), *value;
	const char *key;
	json_object_foreach(in->args, key, value)
	{
		bool ours = strcmp(key, "detach") == 0 || strcmp(key, "dry_run") == 0;
		if (!ours && !json_is_false(value) && !json_is_null(value))
			json_object_set_new(out, key, as_text(value));
	}
	return out;
}

static void show_started(const struct invocation *in, const json_t *result)
{
	if (in->globals->json)
		json_print(result);
	else if (json_truth(in->args, "dry_run"))
		human_print(stdout, json_text(result, "text")), putchar('\n');
	else
		printf("%lld\n", (long long)json_number(result, "operation"));
}

int operation_perform(struct invocation *in, struct failure *f)
{
	json_t *result = NULL;
	json_t *args = json_pack("{s:s, s:s, s:o, s:b}", "noun", in->command->noun, "verb",
				 in->command->verb, "arguments", operation_arguments(in), "dry_run",
				 json_truth(in->args, "dry_run"));
	struct exchange x = {.verb = "op start", .args = args, .writes = true};
	int code = request_exchange(in, &x, &result, f);
	json_decref(args);
	json_int_t number = json_number(result, "operation");
	bool only = json_truth(in->args, "detach") || json_truth(in->args, "dry_run");
	if (code == CODE_DONE && (only || number == 0))
		show_started(in, result);
	else if (code == CODE_DONE)
		code = wait_for(in, number, true, f);
	json_decref(result);
	return code;
}

int operation_cancel_perform(struct invocation *in, struct failure *f)
{
	json_t *result = NULL;
	struct exchange x = {.verb = "op cancel", .args = in->args, .writes = true};
	int code = operation_prepare(in, f);
	if (code == CODE_DONE)
		code = request_exchange(in, &x, &result, f);
	if (code == CODE_DONE)
		request_show(in, result);
	json_decref(result);
	return code;
}
