#include "add_inside.h"
#include "client.h"
#include "human.h"
#include "json.h"
#include "request.h"
#include "spinner.h"
#include "text.h"
#include "token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define KNOCK_AT 4            /* addresses that the other machine tries */
#define TOKEN_LIFE_MS 600000  /* longer than any join, shorter than a coffee break */
#define SEEN_LIMIT_MS 30000
#define SEEN_EVERY_MS 200

static int ask(const struct adding *a, const char *verb, json_t *args, bool writes, json_t **out,
	       struct failure *f)
{
	struct exchange x = {.verb = verb, .args = args, .writes = writes};
	int code = request_exchange(a->in, &x, out, f);
	json_decref(args);
	return code;
}

/* ---- what we are ---- */

/* Ours first; then others that answer, in case the way to us is shut. */
static void choose_addresses(struct adding *a, const json_t *rows)
{
	size_t i;
	json_t *row;
	for (int self = 1; self >= 0; self--) {
		json_array_foreach(rows, i, row)
		{
			bool fits = json_truth(row, "self") == (self == 1) &&
				    strcmp(json_text(row, "state"), "reachable") == 0;
			if (fits && json_array_size(a->addresses) < KNOCK_AT)
				json_array_append(a->addresses, json_object_get(row, "address"));
		}
	}
}

static int take_status(struct adding *a, const json_t *status, struct failure *f)
{
	snprintf(a->cluster, sizeof a->cluster, "%s", json_text(status, "cluster"));
	a->level = json_number(status, "level");
	if (strcmp(json_text(status, "standing"), "member") == 0)
		return 0;
	failure_set(f, CODE_FAILED, "", "this node is no member of a cluster itself");
	failure_hint(f, "essaim init NAME   # or run 'essaim node add' on a member");
	return CODE_FAILED;
}

static int take_rows(struct adding *a, struct failure *f)
{
	json_t *rows = NULL;
	json_t *through = json_member(a->in->args, "through");
	if (through != NULL) {
		a->addresses = json_pack("[O]", through);
		return 0;
	}
	int code = ask(a, "node list", json_object(), false, &rows, f);
	a->addresses = json_array();
	if (code == 0)
		choose_addresses(a, rows);
	json_decref(rows);
	return code;
}

int add_here(struct adding *a, struct failure *f)
{
	json_t *status = NULL, *version = NULL;
	int code = ask(a, "status", json_object(), false, &status, f);
	if (code == 0)
		code = take_status(a, status, f);
	if (code == 0)
		code = ask(a, "version", json_object(), false, &version, f);
	a->wire = (struct wire_range){json_number(version, "wire_min"), json_number(version, "wire_max")};
	if (code == 0)
		code = take_rows(a, f);
	if (code == 0)
		add_say(a, "'%s', a member of cluster %.8s", json_text(status, "node"), a->cluster);
	json_decref(status);
	json_decref(version);
	return code;
}

/* ---- the token ---- */

static int keep_token(struct adding *a, const char *text, struct failure *f)
{
	struct token token;
	struct error error;
	if (token_parse(text, &token, &error) != 0)
		return failure_set(f, CODE_FAILED, "our daemon's token is malformed", error.text);
	node_id_format(token.id, a->token_id);
	explicit_bzero(&token, sizeof token);
	a->token = strdup(text);
	if (a->token == NULL)
		abort();
	a->token_open = true;
	return 0;
}

int add_token(struct adding *a, struct failure *f)
{
	json_t *result = NULL;
	json_t *args = json_pack("{s:s, s:i, s:i}", "role", a->witness ? "witness" : "node", "expires_ms",
				 TOKEN_LIFE_MS, "uses", 1);
	int code = ask(a, "token create", args, true, &result, f);
	if (code == 0)
		code = keep_token(a, json_text(result, "token"), f);
	if (code == 0)
		add_say(a, "%s, for one %s, ten minutes", a->token_id, a->witness ? "witness" : "node");
	json_decref(result);
	return code;
}

void add_revoke(struct adding *a, char *out, size_t size)
{
	struct failure f = {0};
	json_t *result = NULL;
	*out = '\0';
	if (!a->token_open)
		return;
	a->token_open = false;
	if (ask(a, "token revoke", json_pack("{s:s}", "id", a->token_id), true, &result, &f) != 0)
		snprintf(out, size, "token %s could not be revoked (%.100s); it ends by itself within ten "
			 "minutes", a->token_id, f.what);
	json_decref(result);
}

/* ---- is it there? ---- */

static json_t *find_row(const json_t *rows, const char *name)
{
	size_t i;
	json_t *row;
	json_array_foreach(rows, i, row)
	{
		const char *state = json_text(row, "state");
		bool gone = strcmp(state, "left") == 0 || strcmp(state, "removed") == 0;
		if (!gone && strcmp(json_text(row, "name"), name) == 0)
			return json_incref(row);
	}
	return NULL;
}

json_t *add_find_member(const struct adding *a)
{
	struct failure ignored = {0};
	json_t *rows = NULL;
	ask(a, "node list", json_object(), false, &rows, &ignored);
	json_t *row = find_row(rows, a->name);
	json_decref(rows);
	return row;
}

static bool is_reachable(const json_t *row)
{
	return strcmp(json_text(row, "state"), "reachable") == 0;
}

int add_seen(struct adding *a, struct failure *f)
{
	const struct timespec pause = {0, SEEN_EVERY_MS * 1000000L};
	int64_t until = monotonic_ms() + SEEN_LIMIT_MS;
	for (;;) {
		json_decref(a->member);
		a->member = add_find_member(a);
		if (is_reachable(a->member) || monotonic_ms() >= until || *a->stop)
			break;
		nanosleep(&pause, NULL);
	}
	if (is_reachable(a->member)) {
		add_say(a, "'%s' at %s, reachable from here", a->name, json_text(a->member, "address"));
		return 0;
	}
	failure_set(f, CODE_FAILED, "", a->member == NULL ? "it joined, and our daemon does not list it yet"
		    : *a->stop ? "interrupted; it is a member, and not heard yet"
		    : "it is a member, but was not heard here for 30 s: packets from it do not arrive");
	failure_hint(f, "essaim node show %s   # then: essaim doctor network --node %s", a->name, a->name);
	return CODE_FAILED;
}
