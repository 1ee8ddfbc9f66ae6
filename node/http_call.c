#include "http_call.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control.h"
#include "control_frame.h"

#define BACKLOG_MAX (256 * 1024) /* of a follower that does not read */
#define ALIVE_S 15               /* a comment in the stream: proxies and tabs stay awake */

struct http_call {
	LIST_ENTRY(http_call) link;
	struct http_calls *calls;
	struct evhttp_request *request; /* NULL: answered, or its connection is gone */
	struct bufferevent *control;
	struct event *alive;
	bool follows;
};

static void on_connection_closed(struct evhttp_connection *connection, void *context);

static void call_free(struct http_call *c)
{
	if (c->request != NULL) {
		struct evhttp_connection *connection = evhttp_request_get_connection(c->request);
		if (connection != NULL)
			evhttp_connection_set_closecb(connection, NULL, NULL);
	}
	if (c->control != NULL)
		bufferevent_free(c->control);
	if (c->alive != NULL)
		event_free(c->alive);
	c->calls->count--;
	c->calls->follows -= c->follows;
	LIST_REMOVE(c, link);
	free(c);
}

static void on_connection_closed(struct evhttp_connection *connection, void *context)
{
	struct http_call *c = context;
	struct evhttp_request *request = c->request;
	c->request = NULL;
	call_free(c);
	/* libevent parts a request that is being answered from its connection, and then it is ours */
	if (evhttp_request_get_connection(request) == NULL)
		evhttp_request_free(request);
}

/* ---- answers ---- */

static int status_of(int code)
{
	switch (code) {
	case 0:
		return HTTP_OK;
	case 2:
		return HTTP_BADREQUEST;
	case 3:
	case 4:
		return HTTP_SERVUNAVAIL;
	default:
		return HTTP_NOTFOUND;
	}
}

/* Takes `json` over. */
static void reply(struct http_call *c, int status, json_t *json)
{
	struct evbuffer *out = evbuffer_new();
	char *text = json_dumps(json, JSON_COMPACT);
	if (out != NULL && text != NULL)
		evbuffer_add_printf(out, "%s\n", text);
	struct evhttp_request *request = c->request;
	call_free(c);
	evhttp_send_reply(request, status, status == HTTP_OK ? "OK" : "Refused", out);
	json_decref(json);
	free(text);
	if (out != NULL)
		evbuffer_free(out);
}

static void reply_broken(struct http_call *c)
{
	if (!c->follows) {
		reply(c, HTTP_SERVUNAVAIL,
		      json_pack("{s:{s:s, s:s}}", "error", "what", "no answer", "why",
		                "the daemon is busy: try again in a moment"));
		return;
	}
	struct evhttp_request *request = c->request;
	call_free(c);
	evhttp_send_reply_end(request);
}

static void send_chunk(struct http_call *c, const char *before, const char *text)
{
	struct evbuffer *out = evbuffer_new();
	if (out == NULL)
		return;
	evbuffer_add_printf(out, "%s%s\n\n", before, text);
	evhttp_send_reply_chunk(c->request, out);
	evbuffer_free(out);
}

static bool too_slow(const struct http_call *c)
{
	struct evhttp_connection *connection = evhttp_request_get_connection(c->request);
	struct bufferevent *client = evhttp_connection_get_bufferevent(connection);
	return evbuffer_get_length(bufferevent_get_output(client)) > BACKLOG_MAX;
}

static void send_event(struct http_call *c, const json_t *event)
{
	char *text = json_dumps(event, JSON_COMPACT);
	if (text != NULL)
		send_chunk(c, "data: ", text);
	free(text);
}

/* ---- frames from the control ---- */

/* False: the call has ended. */
static bool take_frame(struct http_call *c, const char *text, size_t size)
{
	json_t *frame = json_loadb(text, size, 0, NULL), *part;
	if (frame == NULL) {
		reply_broken(c);
		return false;
	}
	if ((part = json_object_get(frame, "event")) != NULL && c->follows) {
		send_event(c, part);
		json_decref(frame);
		if (!too_slow(c))
			return true;
		reply_broken(c);
		return false;
	}
	int code = (int)json_integer_value(json_object_get(frame, "code"));
	part = json_object_get(frame, "result");
	if (json_object_get(frame, "code") == NULL) {
		json_decref(frame); /* progress: nobody waits for it here */
		return true;
	}
	if (c->follows)
		reply_broken(c);
	else
		reply(c, status_of(code),
		      code == 0 ? json_incref(part)
		                : json_pack("{s:O}", "error", json_object_get(frame, "error")));
	json_decref(frame);
	return false;
}

static void on_frames(struct bufferevent *control, void *context)
{
	struct http_call *c = context;
	struct evbuffer *in = bufferevent_get_input(control);
	for (;;) {
		uint8_t head[CONTROL_LENGTH_SIZE];
		uint32_t size;
		if (evbuffer_copyout(in, head, sizeof head) < (ssize_t)sizeof head)
			return;
		if (!control_length_read(head, CONTROL_REPLY_MAX, &size)) {
			reply_broken(c);
			return;
		}
		if (evbuffer_get_length(in) < sizeof head + size)
			return;
		evbuffer_drain(in, sizeof head);
		char *text = malloc(size);
		if (text == NULL || evbuffer_remove(in, text, size) < 0) {
			free(text);
			reply_broken(c);
			return;
		}
		bool more = take_frame(c, text, size);
		free(text);
		if (!more)
			return;
	}
}

static void on_control_end(struct bufferevent *control, short what, void *context)
{
	reply_broken(context);
}

static void on_alive(evutil_socket_t none, short what, void *context)
{
	send_chunk(context, ": still here", "");
}

/* ---- asking ---- */

static bool connect_control(struct http_call *c)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0)
		return false;
	c->control = bufferevent_socket_new(c->calls->body->base, pair[0], BEV_OPT_CLOSE_ON_FREE);
	if (c->control == NULL) {
		close(pair[0]);
		close(pair[1]);
		return false;
	}
	bufferevent_setcb(c->control, on_frames, NULL, on_control_end, c);
	bufferevent_enable(c->control, EV_READ | EV_WRITE);
	return control_attach(c->calls->body->control, pair[1]);
}

/* Takes `request` over. */
static bool ask(struct http_call *c, json_t *request)
{
	uint8_t head[CONTROL_LENGTH_SIZE];
	char *text = json_dumps(request, JSON_COMPACT);
	json_decref(request);
	if (text == NULL)
		return false;
	control_length_write((uint32_t)strlen(text), head);
	bool sent = bufferevent_write(c->control, head, sizeof head) == 0 &&
	            bufferevent_write(c->control, text, strlen(text)) == 0;
	free(text);
	return sent;
}

static struct http_call *call_new(struct http_calls *calls, struct evhttp_request *request,
                                  bool follows)
{
	struct http_call *c = calls->count >= CALLS_MAX || (follows && calls->follows >= FOLLOWS_MAX)
	                          ? NULL
	                          : calloc(1, sizeof *c);
	if (c == NULL) {
		evhttp_send_reply(request, HTTP_SERVUNAVAIL, "too many at once", NULL);
		return NULL;
	}
	*c = (struct http_call){.calls = calls, .request = request, .follows = follows};
	LIST_INSERT_HEAD(&calls->list, c, link);
	calls->count++;
	calls->follows += follows;
	evhttp_connection_set_closecb(evhttp_request_get_connection(request), on_connection_closed, c);
	return c;
}

void http_call(struct http_calls *calls, struct evhttp_request *request, const char *verb,
               const char *argument, const char *value)
{
	struct http_call *c = call_new(calls, request, false);
	if (c == NULL)
		return;
	json_t *args = json_object();
	if (argument != NULL)
		json_object_set_new(args, argument, json_string(value));
	if (!connect_control(c) || !ask(c, json_pack("{s:s, s:o}", "verb", verb, "args", args)))
		reply_broken(c);
}

void http_call_follow(struct http_calls *calls, struct evhttp_request *request)
{
	struct timeval period = {ALIVE_S, 0};
	struct http_call *c = call_new(calls, request, true);
	if (c == NULL)
		return;
	evhttp_send_reply_start(request, HTTP_OK, "OK");
	c->alive = event_new(calls->body->base, -1, EV_PERSIST, on_alive, c);
	if (c->alive == NULL || event_add(c->alive, &period) < 0 || !connect_control(c) ||
	    !ask(c, json_pack("{s:s, s:{s:b, s:i}}", "verb", "events", "args", "follow", 1, "lines", 20)))
		reply_broken(c);
}

void http_calls_open(struct http_calls *calls, struct body *body)
{
	*calls = (struct http_calls){.body = body};
	LIST_INIT(&calls->list);
}

void http_calls_close(struct http_calls *calls)
{
	struct http_call *c, *next;
	for (c = LIST_FIRST(&calls->list); c != NULL; c = next) {
		next = LIST_NEXT(c, link);
		call_free(c);
	}
}
