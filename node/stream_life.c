#include "stream_inside.h"

#include <assert.h>
#include <errno.h>
#include <event2/buffer.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

#include "body_clock.h"
#include "inquiry.h"

static void on_readable(evutil_socket_t fd, short what, void *context)
{
	struct stream *s = context;
	switch (s->state) {
	case STREAM_AWAIT_FIRST:
	case STREAM_AWAIT_SECOND:
		stream_on_greeting(s);
		break;
	case STREAM_OPEN:
	case STREAM_DRAINING:
		stream_on_frames(s);
		break;
	case STREAM_CONNECTING:
	case STREAM_ENDED:
		break;
	}
}

static void on_writable(evutil_socket_t fd, short what, void *context)
{
	struct stream *s = context;
	if (s->state == STREAM_CONNECTING)
		stream_on_connected(s);
	else if (s->state == STREAM_OPEN)
		stream_flush(s);
}

/* ---- time limits ---- */

static instant nearer(instant limit, instant since, duration allowed)
{
	return since != NEVER && since + allowed < limit ? since + allowed : limit;
}

static instant limit_of(const struct stream *s)
{
	switch (s->state) {
	case STREAM_CONNECTING:
	case STREAM_AWAIT_FIRST:
	case STREAM_AWAIT_SECOND:
		return s->began + HANDSHAKE_LIMIT;
	case STREAM_OPEN: {
		instant limit = s->active + (s->proven ? IDLE_LIMIT : HANDSHAKE_LIMIT);
		limit = nearer(limit, s->partial_since, PARTIAL_LIMIT);
		return nearer(limit, s->blocked_since, BLOCKED_LIMIT);
	}
	case STREAM_DRAINING:
		return s->active + DRAIN_LIMIT;
	case STREAM_ENDED:
		return 0;
	}
	assert(!"a stream state outside its enum");
	return 0;
}

void stream_arm_limit(struct stream *s)
{
	struct timeval in;
	duration_timeval(limit_of(s) - body_clock_monotonic() + MILLISECOND, &in);
	event_add(s->limit, &in);
}

/* ---- the end ---- */

static bool is_refusal(int code)
{
	return code == ECONNREFUSED || code == ECONNRESET;
}

/* The stream is freed first: what the mind does next may end or dial others. */
static void finish(struct stream *s)
{
	struct body *body = s->owner->body;
	uint64_t dial = s->dial;
	struct inquiry *inquiry = s->inquiry;
	int code = s->end_code;
	struct address address = s->address;
	bool refused = is_refusal(s->end_code) && s->kind == STREAM_MEMBER && s->address.family != 0;
	stream_free(s);
	if (inquiry != NULL)
		inquiry_ended(inquiry, code);
	if (dial != 0) {
		struct input input = {.kind = INPUT_DIALED, .dialed = {.dial = dial}};
		body_step(body, &input);
	}
	if (refused) {
		struct input input = {.kind = INPUT_REFUSED, .refused = {.from = address}};
		body_step(body, &input);
	}
}

static void on_limit(evutil_socket_t fd, short what, void *context)
{
	struct stream *s = context;
	if (s->state == STREAM_ENDED)
		finish(s);
	else if (limit_of(s) <= body_clock_monotonic())
		stream_end(s, s->state == STREAM_OPEN ? 0 : ETIMEDOUT);
	else
		stream_arm_limit(s);
}

void stream_end(struct stream *s, int code)
{
	if (s->state == STREAM_ENDED)
		return;
	s->state = STREAM_ENDED;
	s->end_code = code;
	event_del(s->readable);
	event_del(s->writable);
	close(s->fd);
	s->fd = -1;
	event_active(s->limit, EV_TIMEOUT, 0);
}

void stream_free(struct stream *s)
{
	TAILQ_REMOVE(&s->owner->list, s, link);
	if (s->readable != NULL)
		event_free(s->readable);
	if (s->writable != NULL)
		event_free(s->writable);
	if (s->limit != NULL)
		event_free(s->limit);
	if (s->fd >= 0)
		close(s->fd);
	if (s->in != NULL)
		evbuffer_free(s->in);
	if (s->out != NULL)
		evbuffer_free(s->out);
	if (s->waiting != NULL)
		evbuffer_free(s->waiting);
	handshake_wipe(&s->shake);
	bytes_wipe(&s->keys, sizeof s->keys);
	free(s);
}

/* ---- the beginning ---- */

static bool make_events(struct stream *s)
{
	struct event_base *base = s->owner->body->base;
	s->readable = event_new(base, s->fd, EV_READ | EV_PERSIST, on_readable, s);
	s->writable = event_new(base, s->fd, EV_WRITE, on_writable, s);
	s->limit = event_new(base, -1, 0, on_limit, s);
	if (s->readable == NULL || s->writable == NULL || s->limit == NULL)
		return false;
	/* A connection in the making is first heard of by becoming writable. */
	return event_add(s->state == STREAM_CONNECTING ? s->writable : s->readable, NULL) == 0;
}

struct stream *stream_create(struct streams *streams, int fd, enum stream_state state)
{
	struct stream *s = calloc(1, sizeof *s);
	if (s == NULL) {
		close(fd);
		return NULL;
	}
	unsigned unacknowledged = UNACKNOWLEDGED_LIMIT_MS;
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacknowledged, sizeof unacknowledged);
	s->owner = streams;
	s->id = ++streams->last_id;
	s->fd = fd;
	s->state = state;
	s->needed = 4;
	s->began = s->active = body_clock_monotonic();
	s->partial_since = s->blocked_since = NEVER;
	TAILQ_INSERT_TAIL(&streams->list, s, link);
	if (!make_events(s)) {
		stream_free(s);
		return NULL;
	}
	stream_arm_limit(s);
	return s;
}
