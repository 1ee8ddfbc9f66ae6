#include "stream_inside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "body_clock.h"
#include "net_address.h"
#include "random_bytes.h"

/* ---- finding ---- */

static struct stream *find_named(struct streams *streams, uint64_t id)
{
	struct stream *s;
	TAILQ_FOREACH(s, &streams->list, link) {
		if (s->id == id && s->state != STREAM_ENDED)
			return s;
	}
	return NULL;
}

static bool leads_to(const struct stream *s, node_id node)
{
	bool ours = s->state == STREAM_CONNECTING || s->state == STREAM_AWAIT_SECOND;
	return s->kind == STREAM_MEMBER && s->peer == node && !s->close_after &&
	       ((s->state == STREAM_OPEN && s->proven) || ours);
}

/* An open one before one in the making. */
static struct stream *find_member(struct streams *streams, node_id node)
{
	struct stream *s, *found = NULL;
	TAILQ_FOREACH(s, &streams->list, link) {
		if (!leads_to(s, node))
			continue;
		if (s->state == STREAM_OPEN)
			return s;
		found = s;
	}
	return found;
}

/* ---- dialling ---- */

static struct stream *connect_to(struct streams *streams, const struct address *address,
                                 uint32_t path)
{
	struct sockaddr_storage name;
	socklen_t length = address_to_socket(address, &name);
	if (length == 0 || streams->muted)
		return NULL;
	int fd = address_socket(address, SOCK_STREAM);
	if (fd < 0)
		return NULL;
	net_bind_source(fd, &streams->body->config.listen, path, address->family);
	int code = connect(fd, (struct sockaddr *)&name, length) < 0 ? errno : 0;
	struct stream *s = stream_create(streams, fd, STREAM_CONNECTING);
	if (s == NULL)
		return NULL;
	s->dialled = true;
	s->address = *address;
	if (code != 0 && code != EINPROGRESS)
		stream_end(s, code);
	return s;
}

static bool own_cluster(struct streams *streams, struct cluster_id *out)
{
	struct status_view status;
	struct now now;
	body_clock_read(&now);
	gossip_status(streams->body->gossip, &now, &status);
	*out = status.cluster;
	return status.standing != STANDING_BLANK;
}

static struct stream *dial_member(struct streams *streams, node_id node,
                                  const struct address *address, uint32_t path)
{
	const struct node_key *key = gossip_stream_key(streams->body->gossip, node);
	struct cluster_id cluster;
	if (key == NULL || !own_cluster(streams, &cluster))
		return NULL;
	struct stream *s = connect_to(streams, address, path);
	if (s == NULL)
		return NULL;
	uint8_t random[32];
	random_bytes(random, sizeof random);
	s->kind = STREAM_MEMBER;
	s->peer = node;
	handshake_first_member(&s->shake, &cluster, &streams->body->keys, key, random, s->greeting);
	bytes_wipe(random, sizeof random);
	return s->state == STREAM_ENDED ? NULL : s;
}

void streams_dial(struct streams *streams, const struct effect *effect)
{
	struct stream *s = connect_to(streams, &effect->dial.address, ADDRESSES_MAX);
	if (s == NULL) {
		/*
		 * It cannot even begin. The failure is reported from the loop like any other end,
		 * so a stream that leads nowhere carries the report.
		 */
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		s = fd < 0 ? NULL : stream_create(streams, fd, STREAM_CONNECTING);
		if (s == NULL)
			return; /* the mind's own time limit for joining holds */
		stream_end(s, ENETUNREACH);
	}
	uint8_t random[32];
	random_bytes(random, sizeof random);
	s->kind = STREAM_JOIN;
	s->dial = effect->dial.dial;
	s->token = effect->dial.token;
	handshake_first_join(&s->shake, &effect->dial.cluster, effect->dial.token,
	                     &effect->dial.token_hash, random, s->greeting);
	bytes_wipe(random, sizeof random);
}

bool streams_inquire(struct streams *streams, const struct address *address,
                     const struct join_secret *secret, struct inquiry *inquiry)
{
	struct stream *s = connect_to(streams, address, ADDRESSES_MAX);
	if (s == NULL)
		return false;
	uint8_t random[32];
	random_bytes(random, sizeof random);
	s->kind = STREAM_JOIN;
	s->token = secret->token;
	s->inquiry = inquiry;
	handshake_first_join(&s->shake, &secret->cluster, secret->token, &secret->hash, random,
	                     s->greeting);
	bytes_wipe(random, sizeof random);
	return true;
}

void streams_forget(struct streams *streams, const struct inquiry *inquiry)
{
	struct stream *s;
	TAILQ_FOREACH(s, &streams->list, link) {
		if (s->inquiry != inquiry)
			continue;
		s->inquiry = NULL;
		stream_end(s, 0);
	}
}

/* ---- effects ---- */

void streams_frame(struct streams *streams, const struct effect *effect)
{
	struct stream *s;
	if (effect->frame.stream != 0)
		s = find_named(streams, effect->frame.stream);
	else
		s = find_member(streams, effect->frame.to);
	if (s == NULL && effect->frame.stream == 0)
		s = dial_member(streams, effect->frame.to, &effect->frame.address,
		                effect->frame.path);
	if (s == NULL || s->state == STREAM_DRAINING)
		return;
	if (effect->frame.close_after)
		s->close_after = true;
	stream_send(s, effect->frame.bytes);
}

void streams_hang_up(struct streams *streams, node_id node)
{
	struct stream *s;
	TAILQ_FOREACH(s, &streams->list, link) {
		if (s->kind == STREAM_MEMBER && s->peer == node)
			stream_end(s, 0);
	}
}

static bool same_ip(const struct address *a, const struct address *b)
{
	return a->family == b->family && memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

/* Whoever dialled: the ends are what the kernel says. */
static bool stream_on_path(const struct stream *s, uint32_t path, const struct address *remote)
{
	const struct addresses *listen = &s->owner->body->config.listen;
	struct address ours, theirs;
	if (s->state == STREAM_ENDED || path >= listen->count || !net_ends(s->fd, &ours, &theirs))
		return false;
	const struct address *local = &listen->list[path];
	return same_ip(&theirs, remote) &&
	       (address_is_wildcard(local) ? ours.family == local->family : same_ip(&ours, local));
}

/* What was queued there is lost, as frames may be; the next one dials another way. */
void streams_path_down(struct streams *streams, const struct effect *effect)
{
	struct stream *s;
	TAILQ_FOREACH(s, &streams->list, link) {
		if (s->kind == STREAM_MEMBER && s->peer == effect->path_down.node &&
		    stream_on_path(s, effect->path_down.path, &effect->path_down.address))
			stream_end(s, 0);
	}
}

/* ---- life ---- */

int streams_open(struct body *body, struct streams **out, struct error *error)
{
	struct streams *streams = calloc(1, sizeof *streams);
	if (streams == NULL)
		return error_set(error, -ENOMEM, "out of memory");
	TAILQ_INIT(&streams->list);
	streams->body = body;
	streams->plain = mmap(NULL, FRAME_MAX, PROT_READ | PROT_WRITE,
	                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	int status = streams->plain == MAP_FAILED ? error_set(error, -ENOMEM, "out of memory")
						  : streams_listen(streams, error);
	if (status < 0) {
		streams_close(streams);
		return status;
	}
	*out = streams;
	return 0;
}

void streams_mute(struct streams *streams)
{
	streams->muted = true;
	streams_unlisten(streams);
}

void streams_close(struct streams *streams)
{
	streams_unlisten(streams);
	while (!TAILQ_EMPTY(&streams->list))
		stream_free(TAILQ_FIRST(&streams->list));
	if (streams->plain != MAP_FAILED)
		munmap(streams->plain, FRAME_MAX);
	free(streams);
}
