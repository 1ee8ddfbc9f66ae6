#include "add_inside.h"
#include "auth.h"
#include "human.h"
#include "json.h"
#include "request.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct step {
	const char *title;
	const char *plan; /* for --dry-run */
	int (*run)(struct adding *a, struct failure *f);
};

static const struct step steps[] = {
    {"here", "ask this node for its cluster, its versions and its address", add_here},
    {"connect", "connect to that port", add_connect},
    {"host key", "compare its key with --host-key or known_hosts, or have it confirmed", add_host_key},
    {"log in", "by agent, key files, or a password typed here", add_log_in},
    {"look", "system, clock, is essaim there, does it belong to a cluster", add_look},
    {"install", "copy the package, check its sum, apt-get install", add_install},
    {"daemon", "start it if it does not answer, compare the versions and the name", add_daemon},
    {"token", "make one for one join, good for ten minutes", add_token},
    {"join", "give it the token on standard input; revoke it if that fails", add_join},
    {"seen", "wait until this node reaches the new member", add_seen},
};

#define STEPS (sizeof steps / sizeof steps[0])
#define TITLE_WIDTH 10

static volatile sig_atomic_t interrupted;

static void note_signal(int number)
{
	interrupted = number;
}

/* ---- telling ---- */

void add_say(struct adding *a, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(a->said, sizeof a->said, format, arguments);
	va_end(arguments);
}

void add_done(struct adding *a, const char *what)
{
	size_t used = strlen(a->done);
	snprintf(a->done + used, sizeof a->done - used, "%s%s", used ? ", " : "", what);
}

void add_progress(const struct adding *a, const char *step, const char *text)
{
	if (!human_listens() || a->in->globals->json)
		return;
	fprintf(stderr, "\r\033[K%-*s ", TITLE_WIDTH, step);
	human_print(stderr, text);
	fflush(stderr);
}

void add_warn(const struct adding *a, const char *format, ...)
{
	char text[320];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	if (a->in->globals->json)
		return;
	fprintf(stderr, "%s%*s ! ", human_listens() ? "\r\033[K" : "", TITLE_WIDTH - 2, "");
	human_print(stderr, text);
	fputc('\n', stderr);
}

static void tell_step(const struct adding *a, const struct step *step)
{
	if (a->in->globals->json)
		return;
	fprintf(stderr, "%s%-*s ", human_listens() ? "\r\033[K" : "", TITLE_WIDTH, step->title);
	human_wrap(stderr, a->said, TITLE_WIDTH + 1, human_width());
	fflush(stderr);
}

/* The failure of a step becomes that of the command. */
static void tell_failure(const struct adding *a, const struct step *step, struct failure *f)
{
	struct failure cause = *f;
	char what[256], why[sizeof f->why];
	snprintf(what, sizeof what, "cannot add '%.200s'", a->target_text);
	snprintf(why, sizeof why, "%.10s: %.200s%s%.350s; %.19s%.160s", step->title, cause.what,
		 *cause.what && *cause.why ? ": " : "", cause.why, *a->done ? "" : "nothing was changed",
		 a->done);
	failure_set(f, cause.code, what, why);
	failure_hint(f, "%s", cause.hint);
	if (human_listens() && !a->in->globals->json)
		fprintf(stderr, "\r\033[K");
}

/* As a failed join there would have shown it. */
static void show_cause(const struct adding *a, struct failure *f)
{
	if (f->report == NULL || a->in->globals->json)
		return;
	printf("What %s found:\n\n", a->target_text);
	show_auth(a->in, f->report);
	putchar('\n');
	fflush(stdout);
	json_decref(f->report);
	f->report = NULL;
}

/* ---- doing ---- */

static int run_steps(struct adding *a, struct failure *f)
{
	for (size_t i = 0; i < STEPS; i++) {
		*a->said = '\0';
		int code = steps[i].run(a, f);
		if (code == CODE_DONE && interrupted && !a->joined)
			code = failure_set(f, CODE_FAILED, "", "interrupted");
		if (code != CODE_DONE) {
			char left_open[256];
			add_revoke(a, left_open, sizeof left_open);
			if (*left_open)
				add_done(a, left_open);
			tell_failure(a, &steps[i], f);
			show_cause(a, f);
			return code;
		}
		tell_step(a, &steps[i]);
	}
	return CODE_DONE;
}

static json_t *result_of(const struct adding *a)
{
	return json_pack("{s:s, s:s, s:O, s:s, s:b, s:s, s:I, s:I}", "target", a->target_text, "node",
			 a->name, "address", json_object_get(a->member, "address"), "host_key",
			 a->key.fingerprint, "installed", a->installed, "package", a->there_version,
			 "clock_offset_ms", (json_int_t)a->offset_ms, "clock_bound_ms",
			 (json_int_t)a->bound_ms);
}

void show_added(const struct invocation *in, const json_t *result)
{
	human_print(stdout, json_text(result, "node"));
	printf(" is a member, at ");
	human_print(stdout, json_text(result, "address"));
	putchar('\n');
}

/* What --dry-run prints instead. */
static void show_plan(const struct adding *a)
{
	json_t *list = json_array();
	if (!a->in->globals->json)
		printf("%-*s %s\n%-*s %s\n\n", TITLE_WIDTH, "target", a->target_text, TITLE_WIDTH, "package",
		       a->package.data != NULL ? a->package.version : "none: essaim must be there");
	for (size_t i = 0; i < STEPS; i++) {
		json_array_append_new(list, json_pack("{s:s, s:s}", "step", steps[i].title, "does",
						      steps[i].plan));
		if (!a->in->globals->json)
			printf("%-*s %s\n", TITLE_WIDTH, steps[i].title, steps[i].plan);
	}
	json_t *plan = json_pack("{s:s, s:o*, s:o}", "target", a->target_text, "package",
				 a->package.data ? json_string(a->package.version) : NULL, "steps", list);
	if (a->in->globals->json)
		json_print(plan);
	json_decref(plan);
}

/* ---- what was typed ---- */

static int usage(struct failure *f, const char *what, const char *why)
{
	failure_set(f, CODE_USAGE, what, why);
	failure_hint(f, "essaim help node add");
	return CODE_USAGE;
}

static int take_package(struct adding *a, struct failure *f)
{
	char found[512];
	struct error error;
	const char *path = json_string_value(json_object_get(a->in->args, "package"));
	bool forbidden = json_truth(a->in->args, "no_install");
	if (path != NULL && forbidden)
		return usage(f, "--package and --no-install", "only one of them can be meant");
	/* What is found rather than named is for a machine that has none: it upgrades nothing. */
	a->package_named = path != NULL;
	if (path == NULL && !forbidden && package_find(found, sizeof found, &error) == 0)
		path = found;
	if (path == NULL || package_read(path, &a->package, &error) == 0)
		return 0;
	failure_set(f, CODE_FAILED, "the package is of no use", error.text);
	failure_hint(f, "dpkg-deb -I FILE   # what a package is");
	return CODE_FAILED;
}

static int take_words(struct adding *a, struct failure *f)
{
	struct error error;
	const json_t *args = a->in->args;
	const char *text = json_text(args, "target");
	if (target_parse(text, &a->target, &error) != 0) {
		char what[160];
		snprintf(what, sizeof what, "'%.120s' is no target", text);
		return usage(f, what, error.text);
	}
	target_format(&a->target, a->target_text, sizeof a->target_text);
	a->given_key = json_string_value(json_object_get(args, "host_key"));
	if (a->given_key != NULL && !fingerprint_valid(a->given_key))
		return usage(f, "option '--host-key'", "wants SHA256: and 43 digits, as ssh-keygen -l prints it");
	a->identity = json_string_value(json_object_get(args, "identity"));
	a->witness = strcmp(json_text(args, "role"), "witness") == 0;
	a->somebody_there = isatty(STDIN_FILENO) && human_listens() && !a->in->globals->json;
	return take_package(a, f);
}

static void finish(struct adding *a)
{
	remote_close(a->remote);
	package_free(&a->package);
	json_decref(a->addresses);
	json_decref(a->member);
	if (a->token != NULL)
		explicit_bzero(a->token, strlen(a->token));
	free(a->token);
	free(a);
}

int add_perform(struct invocation *in, struct failure *f)
{
	struct sigaction on_signal = {.sa_handler = note_signal};
	struct adding *a = calloc(1, sizeof *a);
	if (a == NULL)
		abort();
	a->in = in;
	a->stop = &interrupted;
	int code = take_words(a, f);
	if (code == 0 && json_truth(in->args, "dry_run")) {
		show_plan(a);
	} else if (code == 0) {
		/* An interrupted join is taken back, not left behind with its token. */
		sigaction(SIGINT, &on_signal, NULL);
		sigaction(SIGTERM, &on_signal, NULL);
		code = run_steps(a, f);
		json_t *result = code == CODE_DONE ? result_of(a) : NULL;
		if (result != NULL)
			request_show(in, result);
		json_decref(result);
	}
	finish(a);
	return code;
}
