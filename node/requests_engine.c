/*
 * requests_engine.c: what users ask of the operation engine: op, job, and every verb that is an operation.
 */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "arguments.h"
#include "body_clock.h"
#include "codec_registry.h"
#include "control_request.h"
#include "control_verbs.h"
#include "views_engine.h"

#define WAIT_PATIENCE (600 * SECOND) /* as long as the mind waits; then the command line asks anew */

/* ---- who asks ---- */

/* The kernel's word. Names are not looked up: the name service might block the loop. */
static void take_who(const struct client *client, char out[OPERATION_WHO_MAX + 1])
{
	struct ucred peer = {.uid = (uid_t)-1};
	socklen_t size = sizeof peer;
	if (getsockopt(client->fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		snprintf(out, OPERATION_WHO_MAX + 1, "unknown");
	else if (peer.uid == 0)
		snprintf(out, OPERATION_WHO_MAX + 1, "root");
	else
		snprintf(out, OPERATION_WHO_MAX + 1, "uid %u", (unsigned)peer.uid);
}

/* ---- answers ---- */

static const char *result_name(enum engine_result result)
{
	switch (result) {
	case ENGINE_DONE:
		return "done";
	case ENGINE_STARTED:
		return "started";
	case ENGINE_REFUSED:
		return "refused";
	case ENGINE_LOCKED:
		return "locked";
	case ENGINE_FAILED:
		return "failed";
	case ENGINE_UNDONE:
		return "undone";
	case ENGINE_UNKNOWN:
		return "unknown";
	case ENGINE_NOT_FOUND:
		return "not found";
	case ENGINE_NOT_MASTER:
	case ENGINE_UNAVAILABLE:
		break;
	}
	return "unavailable";
}

static json_t *render_told(const struct client *client, const struct engine_answer *a)
{
	char id[64];
	views_operation_id(&a->operation, id);
	return json_pack("{s:I, s:s, s:O, s:s, s:s, s:s}", "operation", (json_int_t)a->number, "id", id,
	                 "what", json_object_get(client->kept, "what"), "result",
	                 result_name(a->result), "state",
	                 a->number == 0 ? "" : operation_state_name(a->state), "text", a->text);
}

/* `before` and `after` stand around the words that were typed. */
static void refuse_told(struct client *client, const struct engine_answer *a, int code,
                        const char *before, const char *after)
{
	char what[128], hint[48] = "";
	snprintf(what, sizeof what, "%s'%.60s'%s", before,
	         json_string_value(json_object_get(client->kept, "what")), after);
	if (a->number != 0)
		snprintf(hint, sizeof hint, "essaim op show %llu", (unsigned long long)a->number);
	client_refuse(client, code, hint[0] != '\0' ? hint : "essaim op list", what, "%s", a->text);
}

/* NULL: it was refused. */
static json_t *render_answer(struct client *client, const struct answer *answer)
{
	static uint8_t memory[ENGINE_ARENA_SIZE];
	static struct engine_told told; /* large, and one thread */
	struct arena arena = {memory, sizeof memory, 0};
	if (!engine_told_decode(answer->value, &arena, &told) || told.is_progress) {
		client_refuse(client, 4, "essaim op list", "the answer is not understood",
		              "the master's essaim speaks another version");
		return NULL;
	}
	bool ended = told.answer.result == ENGINE_FAILED || told.answer.result == ENGINE_UNDONE ||
	             told.answer.result == ENGINE_UNKNOWN;
	if (client->follow_operation && ended)
		return render_told(client, &told.answer); /* the wait itself went well */
	switch (told.answer.result) {
	case ENGINE_DONE:
	case ENGINE_STARTED:
		return render_told(client, &told.answer);
	case ENGINE_REFUSED:
	case ENGINE_LOCKED:
	case ENGINE_NOT_FOUND:
		refuse_told(client, &told.answer, 1, "", " was refused");
		return NULL;
	case ENGINE_NOT_MASTER:
	case ENGINE_UNAVAILABLE:
		refuse_told(client, &told.answer, 3, "", " was refused");
		return NULL;
	case ENGINE_FAILED:
		refuse_told(client, &told.answer, 1, "", " failed");
		return NULL;
	case ENGINE_UNDONE:
		refuse_told(client, &told.answer, 1, "", " was not done, and nothing of it is left");
		return NULL;
	case ENGINE_UNKNOWN:
		refuse_told(client, &told.answer, 4, "how far ", " went is not known");
		return NULL;
	}
	return NULL;
}

/* Why nothing is heard of it, if that is plain from here. */
static bool tell_pause(struct client *client, char *out, size_t size)
{
	struct status_view status;
	client_status(client, &status);
	if (status.master_known)
		snprintf(out, size, "waiting for the operation");
	else
		snprintf(out, size, "there is no master at the moment: the operation goes on, and so does the wait");
	return true;
}

static json_t *progress_json(const struct engine_told *told)
{
	const struct engine_progress *p = &told->progress;
	return json_pack("{s:I, s:s, s:b, s:i, s:i, s:s, s:I, s:I, s:I, s:I, s:I, s:s}", "operation",
	                 (json_int_t)told->answer.number, "state",
	                 p->state == 0 ? "" : operation_state_name(p->state), "undoing", p->undoing,
	                 "step", (int)p->step, "steps", (int)p->step_count, "phase", p->phase,
	                 "done_bytes", (json_int_t)p->done_bytes, "total_bytes",
	                 (json_int_t)p->total_bytes, "rate", (json_int_t)p->rate, "left_ms",
	                 p->time_left < 0 ? (json_int_t)-1 : (json_int_t)(p->time_left / MILLISECOND),
	                 "step_ms",
	                 p->step_age < 0 ? (json_int_t)-1 : (json_int_t)(p->step_age / MILLISECOND),
	                 "waits", p->waits);
}

void operation_progress(struct client *client, struct bytes bytes)
{
	static uint8_t memory[ENGINE_ARENA_SIZE];
	static struct engine_told told;
	struct arena arena = {memory, sizeof memory, 0};
	if (client->follow_operation && engine_told_decode(bytes, &arena, &told) && told.is_progress)
		client_event(client, progress_json(&told));
}

/* ---- asking ---- */

static void ask(struct client *client, const struct engine_request *request)
{
	static uint8_t bytes[ENGINE_BYTES_MAX];
	struct command command = {.kind = COMMAND_ENGINE, .if_version = NO_VERSION};
	size_t size = engine_request_encode(request, bytes, sizeof bytes);
	if (size == 0) {
		client_refuse(client, 2, NULL, "the command is too long", "its arguments do not fit");
		return;
	}
	command.value = (struct bytes){bytes, size};
	client_ask(client, &command, render_answer);
}

static bool usage(struct client *client, const struct error *error)
{
	client_usage(client, error);
	return false;
}

static void keep_what(struct client *client, const char *what)
{
	client->kept = json_pack("{s:s}", "what", what);
}

/* {"NAME": "VALUE" | ["VALUE", …]} */
static bool take_arguments(struct client *client, const json_t *args, struct arguments *out)
{
	const json_t *list = json_object_get(args, "arguments"), *value, *one;
	struct error error;
	const char *name;
	size_t i;
	json_object_foreach((json_t *)list, name, value)
	{
		bool fits = true;
		if (json_is_string(value))
			fits = arguments_add(out, name, json_string_value(value));
		json_array_foreach(value, i, one)
			fits = fits && json_is_string(one) &&
			       arguments_add(out, name, json_string_value(one));
		if (!fits || (!json_is_string(value) && !json_is_array(value))) {
			error_set(&error, 0, "argument '%.60s' is no text, or does not fit", name);
			return usage(client, &error);
		}
	}
	return true;
}

static bool take_word(struct client *client, const json_t *args, const char *key, size_t max, char *out)
{
	const char *text;
	struct error error;
	if (args_text(args, key, &text, &error) < 0)
		return usage(client, &error);
	if (strlen(text) > max || text[0] == '\0') {
		error_set(&error, 0, "'%s' is empty or longer than %zu characters", key, max);
		return usage(client, &error);
	}
	memcpy(out, text, strlen(text) + 1);
	return true;
}

static bool take_verb(struct client *client, const json_t *args, struct engine_request *r)
{
	char what[2 * OPERATION_WORD_MAX + 2];
	if (!take_word(client, args, "noun", OPERATION_WORD_MAX, r->noun) ||
	    !take_word(client, args, "verb", OPERATION_WORD_MAX, r->verb) ||
	    !take_arguments(client, args, &r->arguments))
		return false;
	snprintf(what, sizeof what, "%s %s", r->noun, r->verb);
	if (client->kept == NULL)
		keep_what(client, what);
	return true;
}

static bool take_duration(struct client *client, const json_t *args, const char *key, duration *out)
{
	struct error error;
	int64_t ms = 0;
	if (args_number_optional(args, key, 0, INT64_MAX / MILLISECOND, &ms, &error) < 0)
		return usage(client, &error);
	*out = ms * MILLISECOND;
	return true;
}

static bool take_number(struct client *client, const json_t *args, uint64_t *out)
{
	struct error error;
	int64_t number = 0;
	if (args_number(args, "operation", 1, INT64_MAX, &number, &error) < 0)
		return usage(client, &error);
	*out = (uint64_t)number;
	return true;
}

/* It is committed when this is answered; whoever wants its end asks `op wait`. */
void verb_op_start(struct client *client, const json_t *args)
{
	static struct engine_request r;
	r = (struct engine_request){.ask = ASK_START, .detach = true,
		.dry_run = args_flag(args, "dry_run")};
	take_who(client, r.who);
	if (take_verb(client, args, &r) && take_duration(client, args, "deadline_ms", &r.deadline))
		ask(client, &r);
}

static void name_what(struct client *client, uint64_t number)
{
	char what[64];
	views_operation_name(client->body->gossip, number, what, sizeof what);
	keep_what(client, what);
}

void verb_op_wait(struct client *client, const json_t *args)
{
	static struct engine_request r;
	r = (struct engine_request){.ask = ASK_WAIT};
	take_who(client, r.who);
	if (!take_number(client, args, &r.number))
		return;
	name_what(client, r.number);
	client->patience = WAIT_PATIENCE;
	client->follow_operation = true;
	ask(client, &r);
	client_tell(client, tell_pause);
}

void verb_op_cancel(struct client *client, const json_t *args)
{
	static struct engine_request r;
	r = (struct engine_request){.ask = args_flag(args, "abandon") ? ASK_ABANDON : ASK_CANCEL};
	take_who(client, r.who);
	if (!take_number(client, args, &r.number))
		return;
	keep_what(client, client->verb);
	ask(client, &r);
}

/* ---- jobs ---- */

void verb_job_add(struct client *client, const json_t *args)
{
	static struct engine_request r;
	duration first = 0;
	r = (struct engine_request){.ask = ASK_JOB_ADD};
	take_who(client, r.who);
	keep_what(client, client->verb);
	if (!take_word(client, args, "name", NAME_MAX_SIZE, r.job) || !take_verb(client, args, &r) ||
	    !take_duration(client, args, "every_ms", &r.every) ||
	    !take_duration(client, args, "first_ms", &first))
		return;
	r.first_wall = first;
	ask(client, &r);
}

static void ask_job(struct client *client, const json_t *args, enum engine_ask what)
{
	static struct engine_request r;
	r = (struct engine_request){.ask = what, .detach = true};
	take_who(client, r.who);
	keep_what(client, client->verb);
	if (take_word(client, args, "name", NAME_MAX_SIZE, r.job))
		ask(client, &r);
}

void verb_job_run(struct client *client, const json_t *args)
{
	ask_job(client, args, ASK_JOB_RUN);
}

void verb_job_remove(struct client *client, const json_t *args)
{
	ask_job(client, args, ASK_JOB_REMOVE);
}
