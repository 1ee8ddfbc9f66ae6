#include "add_inside.h"
#include "auth.h"
#include "human.h"
#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DAEMON_LIMIT_MS 40000
#define DAY_MS 86400000 /* the longest --timeout */

/* ---- its daemon ---- */

#define START ADD_PATHS \
	"answers() { essaim --json --timeout 2s version >/dev/null 2>&1; }; " \
	"answers || systemctl start essaimd || exit 10; " \
	"i=0; until answers; do i=$((i+1)); [ $i -lt 40 ] || exit 11; sleep 0.5; done; " \
	"essaim --json --timeout 2s version"

static int check_versions(struct adding *a, struct failure *f)
{
	char why[400], version[64];
	json_t *said = add_printed_json(a);
	struct wire_range there = {json_number(said, "wire_min"), json_number(said, "wire_max")};
	snprintf(version, sizeof version, "%s", json_text(said, "version"));
	json_decref(said);
	if (wire_fits(a->wire, there, a->level)) {
		add_say(a, "runs %s, speaks wire versions %lld to %lld", version, (long long)there.min,
			(long long)there.max);
		return 0;
	}
	snprintf(why, sizeof why, "its essaim %s speaks wire versions %lld to %lld; here %lld to %lld, and "
		 "the cluster is at level %lld", version, (long long)there.min, (long long)there.max,
		 (long long)a->wire.min, (long long)a->wire.max, (long long)a->level);
	return add_refuse(f, why, "--package with the release that runs here");
}

/* Only now is its name known. */
static int check_name(struct adding *a, struct failure *f)
{
	char why[200];
	const char *name = json_text(a->in->args, "name");
	if (*name)
		snprintf(a->name, sizeof a->name, "%s", name);
	json_t *taken = add_find_member(a);
	if (taken == NULL)
		return 0;
	json_decref(taken);
	snprintf(why, sizeof why, "a member is called '%s' already", a->name);
	return add_refuse(f, why, "--name with another one");
}

int add_daemon(struct adding *a, struct failure *f)
{
	char hint[480];
	int code = add_run(a, START, DAEMON_LIMIT_MS, f);
	if (code != 0)
		return code;
	if (a->output.code != 0) {
		snprintf(hint, sizeof hint, "%s journalctl -n 30 -u essaimd", add_ssh_words(a));
		return add_ended_badly(a, a->output.code == 11 ? "its daemon does not answer"
							   : "its daemon cannot be started", hint, f);
	}
	code = check_versions(a, f);
	if (code == 0)
		code = add_check_standing(a, f);
	return code == 0 ? check_name(a, f) : code;
}

/* ---- join ---- */

static bool join_script(const struct adding *a, char *out, size_t size)
{
	size_t i;
	json_t *address;
	const char *name = json_text(a->in->args, "name");
	snprintf(out, size, ADD_PATHS "exec essaim --json --timeout %dms join --token -", a->in->globals->timeout_ms);
	bool fits = true;
	json_array_foreach(a->addresses, i, address)
		fits = fits && quote_append(out, size, json_string_value(address));
	if (*name)
		fits = fits && quote_append(out, size, "--name") && quote_append(out, size, name);
	return fits && (!a->witness || quote_append(out, size, "--witness"));
}

/* What the join there said when it failed, and what it found by looking for the cause. */
static void take_refusal(struct adding *a, struct failure *f)
{
	json_t *said = add_printed_json(a), *error = json_member(said, "error");
	char why[600];
	if (error == NULL) {
		add_ended_badly(a, "the join failed", add_ssh_words(a), f);
	} else {
		snprintf(why, sizeof why, "%s%s%s", json_text(error, "what"),
			 *json_text(error, "why") ? ": " : "", json_text(error, "why"));
		failure_set(f, CODE_FAILED, "the join failed", why);
		failure_hint(f, "%s", json_text(error, "hint"));
		f->report = json_incref(json_member(said, "doctor"));
		if (a->output.code == CODE_USAGE) /* an older one takes no token from standard input */
			failure_hint(f, "--package with the release that runs here");
	}
	json_decref(said);
}

/* It may have been admitted all the same: our daemon hears of it within moments, or never. */
static bool did_join(const struct adding *a)
{
	const struct timespec pause = {0, 200000000L};
	json_t *row = NULL;
	for (int i = 0; i < 15 && row == NULL && *a->name; i++) {
		row = add_find_member(a);
		if (row == NULL)
			nanosleep(&pause, NULL);
	}
	json_decref(row);
	return row != NULL;
}

/* If the answer is lost, who is a member here is what counts; and from the revocation on nobody
 * becomes one by this token. */
static int join_failed(struct adding *a, bool lost, struct failure *f)
{
	char left_open[256];
	add_revoke(a, left_open, sizeof left_open);
	if (lost && did_join(a)) {
		a->joined = true;
		add_warn(a, "its answer was lost, but it is a member");
		return 0;
	}
	add_done(a, *left_open ? left_open : "the token is revoked");
	return CODE_FAILED;
}

int add_join(struct adding *a, struct failure *f)
{
	char script[4096];
	struct error error;
	struct remote_task task = {.script = script, .input = a->token, .input_size = strlen(a->token),
				   .stop = a->stop};
	/* The join, the look for its cause when it fails, and what the daemons need to say so. */
	task.limit_ms = a->in->globals->timeout_ms > DAY_MS / 4 ? DAY_MS
							        : 2 * a->in->globals->timeout_ms + 10000;
	if (!join_script(a, script, sizeof script))
		return failure_set(f, CODE_USAGE, "", "the names and addresses are too long");
	add_progress(a, "join", "it knocks");
	int status = remote_run(a->remote, &task, &a->output, &error);
	if (status != 0)
		add_refuse(f, error.text, "essaim node list");
	else if (a->output.code != 0)
		take_refusal(a, f);
	if (status != 0 || a->output.code != 0)
		return join_failed(a, status != 0 || a->output.code < 0 || a->output.code == CODE_UNKNOWN, f);
	json_t *said = add_printed_json(a);
	if (*json_text(said, "node"))
		snprintf(a->name, sizeof a->name, "%s", json_text(said, "node"));
	json_decref(said);
	a->joined = true;
	a->token_open = false;
	add_done(a, "it joined");
	add_say(a, "admitted as '%s', through %s", a->name,
		json_string_value(json_array_get(a->addresses, 0)));
	return 0;
}
