/*
 * http_call.h: a request of the web window becomes one of the control socket, over a socket pair.
 *
 *     WAITING --final frame--> answered (JSON)
 *     FOLLOWING --event frame--> a chunk "data: …" … --gone--> closed
 *
 * Invariant: at most CALLS_MAX at once, FOLLOWS_MAX of them following; the page goes first.
 */
#ifndef ESSAIM_HTTP_CALL_H
#define ESSAIM_HTTP_CALL_H

#include <sys/queue.h>

#include "body.h"

#define CALLS_MAX 24
#define FOLLOWS_MAX 12

struct evhttp_request;
struct http_call;
LIST_HEAD(http_call_list, http_call);

struct http_calls {
	struct body *body;
	struct http_call_list list;
	uint32_t count, follows;
};

void http_calls_open(struct http_calls *calls, struct body *body);
void http_calls_close(struct http_calls *calls);

/* Answers with what the verb says; `argument` may be NULL. The request is given away. */
void http_call(struct http_calls *calls, struct evhttp_request *request, const char *verb,
               const char *argument, const char *value);
/* Answers with the stream of events. */
void http_call_follow(struct http_calls *calls, struct evhttp_request *request);

#endif
