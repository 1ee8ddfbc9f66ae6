/*
 * stream_inside.h: what the stream_*.c files share: one stream's struct, and who does what to it.
 *
 *   stream.c            the table: finding, dialling, sending, hanging up
 *   stream_accept.c     listening
 *   stream_shake.c      from connected to OPEN
 *   stream_flow.c       frames in and out of an OPEN stream
 *   stream_life.c       making, time limits, ending, freeing
 */
#ifndef ESSAIM_STREAM_INSIDE_H
#define ESSAIM_STREAM_INSIDE_H

#include <sys/queue.h>

#include "handshake.h"
#include "stream.h"

#define UNPROVEN_MAX 64
#define JOINS_MAX 32 /* a token that is used up or revoked still opens a stream, to be told so */
#define HANDSHAKE_LIMIT (3 * SECOND) /* connecting included */
#define IDLE_LIMIT (60 * SECOND)
#define PARTIAL_LIMIT (30 * SECOND) /* a frame begun must end: 1 MiB at 300 kbit/s */
#define BLOCKED_LIMIT (10 * SECOND) /* a peer that takes nothing */
#define DRAIN_LIMIT (3 * SECOND)
/* Data not acknowledged for so long: the path is gone, and TCP's own back-off would hide its return. */
#define UNACKNOWLEDGED_LIMIT_MS 3000
#define QUEUE_MAX (4 * 1024 * 1024)
#define READ_AT_ONCE (64 * 1024)

enum stream_state {
	STREAM_CONNECTING,
	STREAM_AWAIT_FIRST,
	STREAM_AWAIT_SECOND,
	STREAM_OPEN,
	STREAM_DRAINING, /* everything was given to the kernel, the peer may close */
	STREAM_ENDED
};

struct evbuffer;

struct stream {
	TAILQ_ENTRY(stream) link;
	struct streams *owner;
	uint64_t id;
	enum stream_state state;
	enum stream_kind kind;
	bool dialled;
	bool proven;      /* its peer is there now: a second that fits, or a frame that opened */
	bool close_after; /* DRAINING once the queue is empty */
	node_id peer;     /* member stream: proven once OPEN */
	uint64_t token;   /* join stream */
	struct inquiry *inquiry; /* join stream of the doctor's; NULL: the mind's */
	uint64_t dial;    /* the mind's name for a join stream it asked for; it is told of its end, too */
	struct address address; /* where its peer listens; family 0: unknown */
	int fd;
	int end_code;     /* errno that ended it; 0: quietly */
	struct event *readable, *writable, *limit;
	/* handshake */
	uint8_t greeting[HANDSHAKE_FIRST_SIZE];
	size_t greeting_size;
	struct handshake shake;
	/* frames */
	struct stream_keys keys;
	struct evbuffer *in, *out; /* sealed */
	struct evbuffer *waiting;  /* plain frames with their lengths, until OPEN */
	size_t needed;             /* bytes that complete the frame at the head of `in` */
	instant began, active, partial_since, blocked_since; /* monotonic; NEVER: not so */
};

TAILQ_HEAD(stream_list, stream);

struct evconnlistener;

struct streams {
	struct body *body;
	struct stream_list list; /* oldest first */
	uint64_t last_id;
	uint32_t listener_count;
	struct evconnlistener *listeners[LISTEN_MAX];
	uint32_t accepted;          /* since listen_again last fired */
	struct event *listen_again; /* when the listeners have rested */
	bool muted;
	uint8_t *plain;             /* FRAME_MAX: the frame being opened */
};

/* stream_life.c. stream_create takes `fd` over (closes it on failure). */
struct stream *stream_create(struct streams *streams, int fd, enum stream_state state);
void stream_end(struct stream *stream, int code);
void stream_free(struct stream *stream);
/* (Re)arms the time limit after a change that may bring it nearer. */
void stream_arm_limit(struct stream *stream);

/* stream_shake.c */
void stream_on_connected(struct stream *stream);
void stream_on_greeting(struct stream *stream);
/* Its first frame opened. */
void stream_on_proven(struct stream *stream);

/* stream_flow.c */
void stream_send(struct stream *stream, struct bytes frame);
void stream_opened(struct stream *stream);
void stream_flush(struct stream *stream);
void stream_on_frames(struct stream *stream);

/* stream_accept.c */
int streams_listen(struct streams *streams, struct error *error);
void streams_unlisten(struct streams *streams);

#endif
