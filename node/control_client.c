#include "control_client.h"

#include <errno.h>
#include <event2/buffer.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "body_clock.h"

void client_limit(struct client *client, duration in)
{
	struct timeval after;
	duration_timeval(in, &after);
	event_add(client->limit, &after);
}

/* Queues one frame; takes `frame` over. False if it is too long or there is no memory. */
static bool queue_frame(struct client *client, json_t *frame)
{
	char *text = json_dumps(frame, JSON_COMPACT);
	json_decref(frame);
	size_t size = text != NULL ? strlen(text) : 0;
	if (size == 0 || size > CONTROL_REPLY_MAX) {
		free(text);
		return false;
	}
	uint8_t length[CONTROL_LENGTH_SIZE];
	control_length_write((uint32_t)size, length);
	evbuffer_add(client->out, length, sizeof length);
	evbuffer_add(client->out, text, size);
	free(text);
	event_add(client->writable, NULL);
	return true;
}

static bool finished(const struct client *client)
{
	return client->state == CLIENT_FINISHING || client->state == CLIENT_GONE;
}

static void finish(struct client *client, json_t *frame)
{
	if (!queue_frame(client, frame))
		queue_frame(client, json_pack("{s:i, s:{s:s, s:s, s:s}}", "code", 1, "error", "what",
		                              "the answer is too long", "why",
		                              "it is beyond what one frame holds", "hint",
		                              "essaim kv list PREFIX"));
	client->state = CLIENT_FINISHING;
	client->abandon = false;
	client_limit(client, FINISH_LIMIT);
}

void client_done(struct client *client, json_t *result)
{
	if (result == NULL)
		result = json_object();
	if (finished(client))
		json_decref(result);
	else
		finish(client, json_pack("{s:i, s:o}", "code", 0, "result", result));
}

void client_refuse(struct client *client, int code, const char *hint, const char *what,
                   const char *why, ...)
{
	if (finished(client))
		return;
	char text[ERROR_TEXT_SIZE * 2];
	va_list arguments;
	va_start(arguments, why);
	vsnprintf(text, sizeof text, why, arguments);
	va_end(arguments);
	json_t *reason = json_string(text);
	if (reason == NULL) /* a peer's sentence need not be UTF-8 */
		reason = json_string("the reason is not readable");
	finish(client, json_pack("{s:i, s:{s:s, s:o, s:s}}", "code", code, "error", "what", what, "why",
	                         reason, "hint", hint != NULL ? hint : ""));
}

void client_event(struct client *client, json_t *event)
{
	if (client->state != CLIENT_FOLLOWING && client->state != CLIENT_RUNNING) {
		json_decref(event);
		return;
	}
	queue_frame(client, json_pack("{s:o}", "event", event));
	if (client->state == CLIENT_FOLLOWING &&
	    evbuffer_get_length(client->out) > FOLLOW_QUEUE_MAX) {
		client->state = CLIENT_GONE;
		event_active(client->limit, EV_TIMEOUT, 0);
	}
}

void client_progress(struct client *client, const char *text)
{
	if (client->state == CLIENT_RUNNING)
		queue_frame(client, json_pack("{s:{s:s}}", "progress", "text", text));
}

void client_tell(struct client *client, progress_tell *tell)
{
	struct timeval period;
	duration_timeval(PROGRESS_PERIOD, &period);
	client->progress = tell;
	event_add(client->control->ticker, &period);
}

void client_upload(struct client *client, upload_take *take)
{
	client->state = CLIENT_UPLOADING;
	client->upload = take;
	client->used = 0;
	client_limit(client, REQUEST_LIMIT);
}

void client_uploaded(struct client *client)
{
	client->state = CLIENT_RUNNING;
	event_del(client->limit);
}

void client_follow(struct client *client, enum follow_kind kind)
{
	client->state = CLIENT_FOLLOWING;
	client->follow = kind;
	event_del(client->limit);
}

void client_ask(struct client *client, const struct command *command, answer_render *render)
{
	client->render = render;
	client->abandon = true;
	client_limit(client, client->patience + ANSWER_GRACE);
	struct input input = {.kind = INPUT_REQUEST};
	input.request.client = client->id;
	input.request.command = command;
	input.request.patience = client->patience;
	body_step(client->body, &input);
}
