/*
 * control_client.h: one connection of the control socket, as its verb sees it.
 */
#ifndef ESSAIM_CONTROL_CLIENT_H
#define ESSAIM_CONTROL_CLIENT_H

#include <jansson.h>
#include <sys/queue.h>

#include "control.h"
#include "control_frame.h"

#define CLIENTS_MAX 64
#define READERS_MAX 40 /* of those, who may only read: nobody shuts the administrator out */
#define REQUEST_LIMIT (5 * SECOND)
#define FINISH_LIMIT (5 * SECOND)
#define ANSWER_GRACE SECOND               /* the mind answers by its own deadline first */
#define FOLLOW_QUEUE_MAX (1024 * 1024)
#define PROGRESS_PERIOD (250 * MILLISECOND)

enum client_state {
	CLIENT_READING,
	CLIENT_UPLOADING, /* the verb wants further frames: client_upload */
	CLIENT_RUNNING,
	CLIENT_FOLLOWING,
	CLIENT_FINISHING,
	CLIENT_GONE
};
enum follow_kind { FOLLOW_NOTHING, FOLLOW_EVENTS, FOLLOW_KV };

struct backup;
struct evbuffer;
struct client;
struct inquiry;
struct restore;

/* Makes the result of a request that was done; NULL becomes {}. */
typedef json_t *answer_render(struct client *client, const struct answer *answer);
/* Takes a further frame of an upload: `size` bytes of text. */
typedef void upload_take(struct client *client, const char *text, size_t size);
/* What a long request waits for now, for its user; false: nothing to say. */
typedef bool progress_tell(struct client *client, char *out, size_t size);

struct client {
	TAILQ_ENTRY(client) link;
	struct control *control;
	struct body *body;
	uint64_t id;
	enum client_state state;
	bool may_write;
	int fd;
	struct event *readable, *writable, *limit;
	/* the request */
	uint8_t length[CONTROL_LENGTH_SIZE];
	size_t used; /* of length and request together */
	uint32_t size;
	char *request;
	duration patience;
	char verb[32];
	/* while it runs */
	bool abandon; /* the mind works for it */
	answer_render *render;
	json_t *kept; /* what the result needs from the request; owned */
	struct backup *backup;   /* `cluster backup`; owned */
	struct restore *restore; /* `cluster restore`; owned */
	struct inquiry *inquiry; /* `doctor auth`; owned */
	bool follow_operation; /* `op wait`: progress is told as events */
	upload_take *upload;
	progress_tell *progress;
	char told[160]; /* the last progress */
	enum follow_kind follow;
	char *prefix; /* FOLLOW_KV; owned */
	size_t prefix_size;
	struct evbuffer *out;
};

TAILQ_HEAD(client_list, client);

struct control {
	struct body *body;
	int fd;
	struct event *acceptable;
	struct event *accept_again; /* after the process ran out of descriptors */
	struct client_list clients;
	uint32_t client_count, reader_count;
	uint64_t last_id;
	bool forming;            /* an init or join is under way */
	uint64_t forming_client; /* who asked for it */
	int group;               /* gid of `essaim`, or -1 */
	struct event *ticker;    /* tells those with `progress`, as long as there are some */
};

/* The final frame. Takes `result` over; NULL means {}. */
void client_done(struct client *client, json_t *result);
void client_refuse(struct client *client, int code, const char *hint, const char *what,
                   const char *why, ...) __attribute__((format(printf, 5, 6)));

/* An intermediate frame {"event": …}; takes `event` over. A client too slow for it is dropped. */
void client_event(struct client *client, json_t *event);
void client_follow(struct client *client, enum follow_kind kind);

/* An intermediate frame {"progress": {"text"}}: for people who wait. */
void client_progress(struct client *client, const char *text);
/* From now on `tell` is asked every PROGRESS_PERIOD, until the client is finished. */
void client_tell(struct client *client, progress_tell *tell);

/* Further frames go to `take`, until that finishes the client or calls client_uploaded. Each must
 * arrive within REQUEST_LIMIT. */
void client_upload(struct client *client, upload_take *take);
void client_uploaded(struct client *client);

/* It must be finished by then: else its outcome is unknown. */
void client_limit(struct client *client, duration in);

/* Hands the command to the mind; `render` (may be NULL) makes the result of an ANSWER_DONE. */
void client_ask(struct client *client, const struct command *command, answer_render *render);

/* control_verbs.c: runs the verb of a whole request. */
void control_dispatch(struct client *client, const char *json, size_t size);

#endif
