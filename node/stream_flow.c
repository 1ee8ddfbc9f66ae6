#include "stream_inside.h"

#include <errno.h>
#include <event2/buffer.h>
#include <string.h>
#include <sys/socket.h>

#include "body_clock.h"
#include "inquiry.h"

/* ---- out ---- */

static size_t queued(const struct stream *s)
{
	size_t size = s->out != NULL ? evbuffer_get_length(s->out) : 0;
	return size + (s->waiting != NULL ? evbuffer_get_length(s->waiting) : 0);
}

/* Our side is done: tell the peer, and give it time to read all before the socket goes. */
static void drain(struct stream *s)
{
	s->state = STREAM_DRAINING;
	s->active = body_clock_monotonic();
	shutdown(s->fd, SHUT_WR);
	stream_arm_limit(s);
}

static void wait_writable(struct stream *s)
{
	if (s->blocked_since == NEVER) {
		s->blocked_since = body_clock_monotonic();
		stream_arm_limit(s);
	}
	event_add(s->writable, NULL);
}

void stream_flush(struct stream *s)
{
	while (evbuffer_get_length(s->out) > 0) {
		int written = evbuffer_write(s->out, s->fd);
		if (written < 0 && (errno == EAGAIN || errno == EINTR)) {
			wait_writable(s);
			return;
		}
		if (written <= 0) {
			stream_end(s, errno);
			return;
		}
		s->blocked_since = NEVER;
	}
	if (s->close_after)
		drain(s);
}

static void seal(struct stream *s, struct bytes frame)
{
	struct evbuffer_iovec room;
	if (evbuffer_reserve_space(s->out, (ev_ssize_t)(frame.size + FRAME_OVERHEAD), &room, 1) != 1)
		return;
	room.iov_len = frame_seal(&s->keys, frame.data, frame.size, room.iov_base);
	evbuffer_commit_space(s->out, &room, 1);
}

static void keep_waiting(struct stream *s, struct bytes frame)
{
	uint32_t size = (uint32_t)frame.size;
	if (s->waiting == NULL)
		s->waiting = evbuffer_new();
	if (s->waiting == NULL)
		return;
	evbuffer_add(s->waiting, &size, sizeof size);
	evbuffer_add(s->waiting, frame.data, frame.size);
}

void stream_send(struct stream *s, struct bytes frame)
{
	if (frame.size > FRAME_MAX || queued(s) + frame.size + FRAME_OVERHEAD > QUEUE_MAX)
		return;
	if (s->state != STREAM_OPEN) {
		keep_waiting(s, frame);
		return;
	}
	s->active = body_clock_monotonic();
	seal(s, frame);
	stream_flush(s);
}

static void seal_waiting(struct stream *s)
{
	uint32_t size;
	while (s->waiting != NULL && evbuffer_remove(s->waiting, &size, sizeof size) == sizeof size) {
		uint8_t *data = evbuffer_pullup(s->waiting, size);
		if (data == NULL)
			break;
		seal(s, (struct bytes){data, size});
		evbuffer_drain(s->waiting, size);
	}
	if (s->waiting != NULL)
		evbuffer_free(s->waiting);
	s->waiting = NULL;
}

void stream_opened(struct stream *s)
{
	handshake_wipe(&s->shake);
	s->in = evbuffer_new();
	s->out = evbuffer_new();
	if (s->in == NULL || s->out == NULL) {
		stream_end(s, ENOMEM);
		return;
	}
	s->state = STREAM_OPEN;
	s->active = body_clock_monotonic();
	stream_arm_limit(s);
	seal_waiting(s);
	stream_flush(s);
}

/* ---- in ---- */

static void give_frame(struct stream *s, size_t size)
{
	if (s->inquiry != NULL) {
		inquiry_frame(s->inquiry, (struct bytes){s->owner->plain, size});
		return;
	}
	struct input input = {.kind = INPUT_FRAME};
	input.frame.stream = s->id;
	input.frame.from = s->kind == STREAM_MEMBER ? s->peer : 0;
	input.frame.token = s->kind == STREAM_JOIN ? s->token : 0;
	input.frame.binding = s->keys.binding;
	input.frame.bytes = (struct bytes){s->owner->plain, size};
	body_step(s->owner->body, &input);
}

/* Opens the frame at the head; false if there is none complete (or the stream ended). */
static bool take_frame(struct stream *s)
{
	size_t size = evbuffer_get_length(s->in);
	if (size < s->needed)
		return false;
	size_t plain_size, consumed;
	enum frame_result result = frame_open(&s->keys, evbuffer_pullup(s->in, -1), size,
	                                      s->owner->plain, &plain_size, &consumed, &s->needed);
	switch (result) {
	case FRAME_MORE:
		return false;
	case FRAME_BAD:
		stream_end(s, EPROTO);
		return false;
	case FRAME_OPENED:
		break;
	}
	evbuffer_drain(s->in, consumed);
	s->needed = 4;
	if (!s->proven)
		stream_on_proven(s);
	give_frame(s, plain_size);
	return s->state == STREAM_OPEN;
}

static void note_partial(struct stream *s)
{
	bool partial = evbuffer_get_length(s->in) > 0;
	if (partial && s->partial_since == NEVER) {
		s->partial_since = body_clock_monotonic();
		stream_arm_limit(s);
	} else if (!partial) {
		s->partial_since = NEVER;
	}
}

void stream_on_frames(struct stream *s)
{
	int got = evbuffer_read(s->in, s->fd, READ_AT_ONCE);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		stream_end(s, got < 0 ? errno : 0);
		return;
	}
	if (s->state == STREAM_DRAINING) {
		evbuffer_drain(s->in, evbuffer_get_length(s->in));
		return;
	}
	s->active = body_clock_monotonic();
	bool any = false;
	while (take_frame(s))
		any = true;
	if (s->state != STREAM_OPEN)
		return;
	if (any)
		s->partial_since = NEVER;
	note_partial(s);
}
