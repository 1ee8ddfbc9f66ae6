#include "stream_inside.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "body_clock.h"
#include "inquiry.h"
#include "random_bytes.h"

/* A greeting fits an empty socket buffer whole; if not, the kernel is in no state to talk. */
static bool send_greeting(struct stream *s, const uint8_t *greeting, size_t size)
{
	if (send(s->fd, greeting, size, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)size)
		return true;
	stream_end(s, errno != 0 ? errno : EIO);
	return false;
}

void stream_on_connected(struct stream *s)
{
	int code = 0;
	socklen_t size = sizeof code;
	getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &code, &size);
	if (code != 0) {
		stream_end(s, code);
		return;
	}
	if (s->inquiry != NULL && !inquiry_connected(s->inquiry, s->fd)) {
		stream_end(s, 0);
		return;
	}
	/* The first message was made when the stream was dialled. */
	s->state = STREAM_AWAIT_SECOND;
	event_add(s->readable, NULL);
	send_greeting(s, s->greeting, HANDSHAKE_FIRST_SIZE);
}

/* ---- as responder ---- */

static bool versions_meet(const struct handshake_claim *claim)
{
	return claim->wire_min <= WIRE_VERSION_MAX && claim->wire_max >= WIRE_VERSION_MIN;
}

static bool answer_member(struct stream *s, const struct handshake_claim *claim,
                          uint8_t out[HANDSHAKE_SECOND_SIZE])
{
	struct body *body = s->owner->body;
	const struct node_key *key = gossip_stream_key(body->gossip, claim->member);
	if (key == NULL || claim->member == node_key_id(&body->keys.public_key))
		return false;
	uint8_t random[56];
	random_bytes(random, sizeof random);
	bool proven = handshake_second_member(&claim->cluster, &body->keys, key, s->greeting, random,
	                                      out, &s->keys);
	bytes_wipe(random, sizeof random);
	s->peer = claim->member;
	return proven;
}

static bool answer_join(struct stream *s, const struct handshake_claim *claim,
                        const struct now *now, uint8_t out[HANDSHAKE_SECOND_SIZE])
{
	struct hash hash;
	if (!gossip_token_hash(s->owner->body->gossip, now, claim->token, &hash))
		return false;
	uint8_t random[56];
	random_bytes(random, sizeof random);
	bool proven = handshake_second_join(&claim->cluster, &hash, s->greeting, random, out, &s->keys);
	bytes_wipe(random, sizeof random);
	s->token = claim->token;
	return proven;
}

static bool answer_claim(struct stream *s, uint8_t out[HANDSHAKE_SECOND_SIZE])
{
	struct handshake_claim claim;
	struct status_view status;
	struct now now;
	body_clock_read(&now);
	gossip_status(s->owner->body->gossip, &now, &status);
	if (!handshake_read_claim(s->greeting, &claim) || !versions_meet(&claim) ||
	    status.standing == STANDING_BLANK ||
	    memcmp(&claim.cluster, &status.cluster, sizeof claim.cluster) != 0)
		return false;
	s->kind = claim.kind;
	switch (claim.kind) {
	case STREAM_MEMBER:
		return answer_member(s, &claim, out);
	case STREAM_JOIN:
		return answer_join(s, &claim, &now, out);
	}
	return false; /* the claim's kind came from the network */
}

/* One accepted stream per member: the newer one counts. */
static void replace_older(struct stream *s)
{
	struct stream *other;
	TAILQ_FOREACH(other, &s->owner->list, link) {
		if (other != s && other->state == STREAM_OPEN && other->kind == STREAM_MEMBER &&
		    !other->dialled && other->peer == s->peer)
			stream_end(other, 0);
	}
}

/*
 * Those who hold a token are few, unless one of them means harm, or a whole rack joins at once. Who has
 * its answer and only drains goes first: the oldest that still wait are those whose entry is on its way.
 */
static void limit_joins(struct streams *streams)
{
	struct stream *s, *oldest = NULL, *answered = NULL;
	uint32_t count = 0;
	TAILQ_FOREACH(s, &streams->list, link) {
		if (s->kind != STREAM_JOIN || s->dialled || !s->proven || s->state == STREAM_ENDED)
			continue;
		if (oldest == NULL)
			oldest = s;
		if (answered == NULL && s->state == STREAM_DRAINING)
			answered = s;
		count++;
	}
	if (count > JOINS_MAX)
		stream_end(answered != NULL ? answered : oldest, 0);
}

static void learn_address(struct stream *s)
{
	struct member_view member;
	struct now now;
	body_clock_read(&now);
	if (gossip_member(s->owner->body->gossip, &now, s->peer, &member))
		s->address = member.address;
}

static void on_first(struct stream *s)
{
	uint8_t second[HANDSHAKE_SECOND_SIZE];
	if (!answer_claim(s, second)) {
		stream_end(s, 0); /* without a word: a stranger learns nothing */
		return;
	}
	if (send_greeting(s, second, sizeof second))
		stream_opened(s);
}

void stream_on_proven(struct stream *s)
{
	s->proven = true;
	switch (s->kind) {
	case STREAM_MEMBER:
		replace_older(s);
		learn_address(s);
		break;
	case STREAM_JOIN:
		limit_joins(s->owner);
		break;
	}
}

/* ---- as initiator ---- */

static void on_second(struct stream *s)
{
	if (!handshake_finish(&s->shake, s->greeting, &s->keys)) {
		stream_end(s, EPROTO);
		return;
	}
	s->proven = true;
	stream_opened(s);
	if (s->inquiry != NULL && s->state == STREAM_OPEN)
		stream_send(s, inquiry_question(s->inquiry));
	if (s->dial == 0 || s->state == STREAM_ENDED)
		return;
	struct input input = {.kind = INPUT_DIALED,
	                      .dialed = {.dial = s->dial, .stream = s->id, .binding = s->keys.binding}};
	body_step(s->owner->body, &input);
}

void stream_on_greeting(struct stream *s)
{
	ssize_t got = recv(s->fd, s->greeting + s->greeting_size,
	                   HANDSHAKE_FIRST_SIZE - s->greeting_size, MSG_DONTWAIT);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		stream_end(s, got < 0 ? errno : 0);
		return;
	}
	s->greeting_size += (size_t)got;
	if (s->greeting_size < HANDSHAKE_FIRST_SIZE)
		return;
	if (s->state == STREAM_AWAIT_FIRST)
		on_first(s);
	else
		on_second(s);
}
