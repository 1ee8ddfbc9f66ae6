#include "inquiry.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "body_clock.h"
#include "control_request.h"
#include "control_verbs.h"
#include "doctor_auth.h"
#include "net_address.h"
#include "observe_dns.h"
#include "observer.h"
#include "stream.h"
#include "text.h"
#include "token.h"

#define STEP (100 * MILLISECOND)
#define PACKET_AGAIN (300 * MILLISECOND)
#define PACKET_SMALL 64
#define PACKET_OVER (800 * MILLISECOND)
#define FACT_ARENA (64 * 1024)

struct inquiry {
	struct client *client;
	struct body *body;
	struct event *step;
	instant began; /* monotonic */
	struct address address;
	char address_text[ADDRESS_TEXT_SIZE];
	char name[NAME_MAX_SIZE + 1], peer[NAME_MAX_SIZE + 1], master[NAME_MAX_SIZE + 1];
	struct token token; /* wiped as soon as it was used */
	bool connected, proven, over;
	struct now asked;
	uint8_t frame[1024];
	int packet_fd;
	uint32_t packets;
	struct auth_evidence e;
};

/* ---- the token's stream ---- */

bool inquiry_connected(struct inquiry *q, int fd)
{
	int segment = 0;
	socklen_t size = sizeof segment;
	q->connected = true;
	q->e.reach = REACH_OPEN;
	q->e.reached_in = body_clock_monotonic() - q->began;
	if (getsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &segment, &size) == 0 && segment > 0)
		q->e.segment = (uint32_t)segment;
	return q->e.has_token;
}

struct bytes inquiry_question(struct inquiry *q)
{
	struct envelope e = {.wire = WIRE_VERSION_MIN, .kind = MESSAGE_INQUIRY};
	q->proven = true;
	body_clock_read(&q->asked);
	e.inquiry.key = q->body->keys.public_key;
	e.inquiry.name = text_bytes(q->name);
	e.inquiry.wire_min = q->e.wire_min;
	e.inquiry.wire_max = q->e.wire_max;
	e.inquiry.sent_wall = q->asked.wall;
	return (struct bytes){q->frame, envelope_encode(&e, q->frame, sizeof q->frame)};
}

static void keep_text(struct bytes in, char out[NAME_MAX_SIZE + 1])
{
	size_t size = in.size < NAME_MAX_SIZE ? in.size : NAME_MAX_SIZE;
	memset(out, 0, NAME_MAX_SIZE + 1);
	if (size > 0)
		memcpy(out, in.data, size);
	if (name_check(out, NULL) < 0)
		out[0] = '\0'; /* shown to people: what is no name is left out */
}

static void keep_side(struct bytes clock, struct bytes dns, struct auth_side *out)
{
	uint8_t *memory = malloc(FACT_ARENA);
	struct arena arena = {memory, FACT_ARENA, 0};
	struct clock_fact clock_fact;
	struct dns_fact dns_fact;
	bool has_clock = memory != NULL && clock.size > 0 && clock_fact_decode(clock, &arena, &clock_fact);
	bool has_dns = memory != NULL && dns.size > 0 && dns_fact_decode(dns, &arena, &dns_fact);
	auth_side_of(has_clock ? &clock_fact : NULL, has_dns ? &dns_fact : NULL, out);
	free(memory);
}

/* Four stamps: ours when we asked, theirs when it came and went, ours now. */
static void keep_offset(struct inquiry *q, const struct inquired *m, const struct now *now)
{
	duration away = now->boot - q->asked.boot - (m->sent_wall - m->received_wall);
	if (away < 0 || away > INQUIRY_LIMIT)
		return;
	q->e.offset_known = true;
	q->e.offset = m->received_wall - q->asked.wall - away / 2;
	q->e.error = away / 2 + MICROSECOND;
}

void inquiry_frame(struct inquiry *q, struct bytes frame)
{
	uint8_t *memory = malloc(FACT_ARENA);
	struct arena arena = {memory, FACT_ARENA, 0};
	struct envelope e;
	struct now now;
	body_clock_read(&now);
	if (memory != NULL && frame.size <= FACT_ARENA / 4 &&
	    envelope_decode(frame.data, frame.size, &arena, &e) && e.kind == MESSAGE_INQUIRED) {
		q->e.door = DOOR_ANSWERED;
		q->e.answer = e.inquired;
		keep_text(e.inquired.name, q->peer);
		keep_text(e.inquired.master, q->master);
		keep_side(e.inquired.clock, e.inquired.dns, &q->e.theirs);
		keep_offset(q, &e.inquired, &now);
		q->over = true;
	}
	free(memory);
}

static enum auth_reach reach_of(int code)
{
	if (code == ECONNREFUSED || code == ECONNRESET)
		return REACH_REFUSED;
	if (code == ENETUNREACH || code == EHOSTUNREACH || code == EADDRNOTAVAIL)
		return REACH_NO_ROUTE;
	return REACH_SILENT;
}

void inquiry_ended(struct inquiry *q, int code)
{
	if (!q->connected) {
		q->e.reach = reach_of(code);
		q->e.reached_in = body_clock_monotonic() - q->began;
	} else if (q->e.has_token && q->e.door != DOOR_ANSWERED) {
		q->e.door = q->proven ? DOOR_PROVEN : code == ETIMEDOUT ? DOOR_SILENT : DOOR_SHUT;
	}
	q->over = true;
}

/* ---- packets ---- */

static void open_packets(struct inquiry *q)
{
	struct sockaddr_storage name;
	socklen_t length = address_to_socket(&q->address, &name);
	int fd = length == 0 ? -1 : address_socket(&q->address, SOCK_DGRAM);
	bool v6 = q->address.family == 6;
	int no_fragments = v6 ? IPV6_PMTUDISC_DO : IP_PMTUDISC_DO;
	q->packet_fd = -1;
	if (fd < 0)
		return;
	net_bind_source(fd, &q->body->config.listen, ADDRESSES_MAX, q->address.family);
	setsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER,
	           &no_fragments, sizeof no_fragments);
	if (connect(fd, (struct sockaddr *)&name, length) == 0)
		q->packet_fd = fd;
	else
		close(fd);
}

/*
 * They open for nobody; only what the kernels on the way say of them is of interest. The second is
 * small: the first may be too large to reach whoever would refuse it.
 */
static void send_packet(struct inquiry *q)
{
	static const uint8_t nothing[PACKET_MAX];
	size_t size = q->packets++ == 0 ? PACKET_MAX : PACKET_SMALL;
	if (q->packet_fd < 0 || send(q->packet_fd, nothing, size, MSG_DONTWAIT) >= 0)
		return;
	if (errno == EMSGSIZE)
		q->e.too_big = true;
	else if (errno == ECONNREFUSED)
		q->e.udp = UDP_REFUSED;
}

static void hear_packet(struct inquiry *q)
{
	uint8_t byte;
	if (q->packet_fd >= 0 && recv(q->packet_fd, &byte, 1, MSG_DONTWAIT) < 0) {
		if (errno == ECONNREFUSED)
			q->e.udp = UDP_REFUSED;
		if (errno == EMSGSIZE)
			q->e.too_big = true;
	}
}

/* ---- what this node knows without asking ---- */

static bool at_address(const struct member_view *m, const struct address *address)
{
	bool found = address_equal(&m->address, address);
	for (uint32_t i = 0; i < m->path_count; i++)
		found |= address_equal(&m->paths[i].remote, address);
	return found;
}

static void take_path(struct inquiry *q, const struct member_view *m)
{
	for (uint32_t i = 0; i < m->path_count; i++) {
		const struct path_view *p = &m->paths[i];
		if (!address_equal(&p->remote, &q->address) || p->state != PATH_UP ||
		    m->state != REACHABLE || p->round_trip < 0)
			continue;
		q->e.udp = UDP_ANSWERED;
		q->e.udp_round_trip = p->round_trip;
	}
}

static void take_facts(struct inquiry *q, const struct now *now, node_id owner)
{
	struct bytes clock = {NULL, 0}, dns = {NULL, 0};
	struct fact_view fact;
	for (uint32_t i = 0; gossip_fact_at(q->body->gossip, now, i, &fact); i++) {
		if (fact.owner != owner || fact.tombstone || fact.value.data == NULL)
			continue;
		if (bytes_are(fact.key, FACT_KEY_CLOCK))
			clock = fact.value;
		if (bytes_are(fact.key, FACT_KEY_DNS))
			dns = fact.value;
	}
	keep_side(clock, dns, &q->e.theirs);
}

/* A member need not ask at the door for what it hears from its peer all the time. */
static void take_member(struct inquiry *q, const struct now *now)
{
	struct member_view m;
	for (uint32_t i = 0; gossip_member_at(q->body->gossip, now, i, &m); i++) {
		if (m.self || m.state == GONE_LEFT || m.state == GONE_REMOVED ||
		    !at_address(&m, &q->address))
			continue;
		take_path(q, &m);
		if (q->e.door == DOOR_ANSWERED)
			return;
		snprintf(q->peer, sizeof q->peer, "%s", m.name);
		q->e.offset_known = m.clock_known;
		q->e.offset = m.clock_offset;
		q->e.error = m.clock_error;
		take_facts(q, now, m.id);
		return;
	}
}

/* A blank node publishes nothing: its clock is asked for here. */
static void take_ours(struct inquiry *q)
{
	struct clock_sync sync;
	struct clock_fact clock = {.unknown = !body_clock_sync(&sync)};
	clock.synchronised = !clock.unknown && sync.synchronised;
	auth_side_of(&clock, dns_watch_fact(q->body->dns), &q->e.ours);
}

static void take_standing(struct inquiry *q)
{
	struct status_view status;
	client_status(q->client, &status);
	q->e.member = status.standing == STANDING_MEMBER || status.standing == STANDING_LEAVING;
	q->e.removed = status.standing == STANDING_REMOVED;
	q->e.own_cluster = status.cluster;
}

/* ---- the end ---- */

static json_t *report_json(const struct auth_report *report)
{
	json_t *checks = json_array();
	for (uint32_t i = 0; i < report->count; i++) {
		const struct auth_check *c = &report->list[i];
		json_array_append_new(checks, json_pack("{s:s, s:s, s:s, s:s}", "check", c->check, "state",
		                                        auth_state_name(c->state), "what", c->what,
		                                        "command", c->command));
	}
	return json_pack("{s:o, s:s}", "checks", checks, "verdict", report->verdict);
}

static void conclude(struct inquiry *q)
{
	struct auth_report *report = malloc(sizeof *report);
	struct client *client = q->client;
	struct now now;
	body_clock_read(&now);
	if (!q->over && q->e.has_token && q->connected)
		q->e.door = q->proven ? DOOR_PROVEN : DOOR_SILENT;
	take_standing(q);
	take_ours(q);
	take_member(q, &now);
	q->e.now_wall = now.wall;
	q->e.address = q->address_text;
	q->e.name = q->name;
	q->e.peer = q->peer;
	q->e.master = q->master;
	if (report != NULL)
		doctor_auth(&q->e, report);
	client->inquiry = NULL;
	inquiry_free(q);
	if (report != NULL)
		client_done(client, report_json(report));
	else
		client_refuse(client, 1, NULL, "'doctor auth' failed", "out of memory");
	free(report);
}

static void on_step(evutil_socket_t none, short what, void *context)
{
	struct inquiry *q = context;
	duration since = body_clock_monotonic() - q->began;
	duration patience = q->client->patience < INQUIRY_LIMIT ? q->client->patience : INQUIRY_LIMIT;
	hear_packet(q);
	if (q->packets == 1 && since >= PACKET_AGAIN)
		send_packet(q);
	if ((q->over && since >= PACKET_OVER) || since >= patience) {
		conclude(q);
		return;
	}
	struct timeval next;
	duration_timeval(STEP, &next);
	event_add(q->step, &next);
}

static bool tell(struct client *client, char *out, size_t size)
{
	const struct inquiry *q = client->inquiry;
	if (q == NULL)
		return false;
	snprintf(out, size, "%s %s", !q->connected ? "connecting to" : q->proven ? "asking" :
	         "proving the token to", q->address_text);
	return true;
}

void inquiry_free(struct inquiry *q)
{
	if (q == NULL)
		return;
	streams_forget(q->body->streams, q);
	if (q->step != NULL)
		event_free(q->step);
	if (q->packet_fd >= 0)
		close(q->packet_fd);
	bytes_wipe(&q->token, sizeof q->token);
	free(q);
}

/* ---- the beginning ---- */

static int take_args(struct inquiry *q, const json_t *args, struct error *error)
{
	const char *address = NULL, *token = NULL, *name;
	int status = client_take_name(q->client, args, &name, error);
	if (status == 0)
		status = args_text(args, "address", &address, error);
	if (status == 0)
		status = address_parse(address, &q->address, error);
	if (status == 0)
		status = args_role(args, &q->e.role, error);
	if (status == 0)
		status = args_text_optional(args, "token", &token, error);
	if (status == 0 && token != NULL)
		status = token_parse(token, &q->token, error);
	if (status < 0)
		return status;
	snprintf(q->name, sizeof q->name, "%s", name);
	address_format(&q->address, q->address_text);
	q->e.has_token = token != NULL;
	q->e.token_cluster = q->token.cluster;
	q->e.role_given = json_object_get(args, "role") != NULL;
	return 0;
}

static void dial(struct inquiry *q)
{
	struct join_secret secret = {.cluster = q->token.cluster, .token = q->token.id};
	token_hash(&q->token, &secret.hash);
	bytes_wipe(&q->token, sizeof q->token);
	if (!streams_inquire(q->body->streams, &q->address, &secret, q)) {
		q->over = true;
		q->e.reach = REACH_NO_ROUTE; /* not even a socket of that family */
	}
	bytes_wipe(&secret, sizeof secret);
}

static struct inquiry *make(struct client *client)
{
	struct inquiry *q = calloc(1, sizeof *q);
	if (q == NULL)
		return NULL;
	q->client = client;
	q->body = client->body;
	q->packet_fd = -1;
	q->began = body_clock_monotonic();
	q->e.reach = client->body->idle ? REACH_MUTED : REACH_SILENT;
	q->e.wire_min = WIRE_VERSION_MIN;
	q->e.wire_max = WIRE_VERSION_MAX;
	q->step = event_new(q->body->base, -1, 0, on_step, q);
	if (q->step != NULL)
		return q;
	inquiry_free(q);
	return NULL;
}

static void begin(struct inquiry *q)
{
	struct timeval next;
	duration_timeval(STEP, &next);
	event_add(q->step, &next);
	q->client->inquiry = q;
	client_tell(q->client, tell);
	if (q->body->idle) {
		q->over = true;
		return;
	}
	dial(q);
	open_packets(q);
	send_packet(q);
}

void verb_doctor_auth(struct client *client, const json_t *args)
{
	struct error error;
	struct inquiry *q = make(client);
	if (q == NULL) {
		client_refuse(client, 1, NULL, "'doctor auth' failed", "out of memory");
		return;
	}
	if (take_args(q, args, &error) == 0) {
		begin(q);
		return;
	}
	client_usage(client, &error);
	inquiry_free(q);
}
