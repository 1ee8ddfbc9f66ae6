#include "hand_client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "body_clock.h"
#include "journal.h"
#include "random_bytes.h"

#define READ_BURST 16
#define AGAIN_AFTER_S 1
#define SEND_ROOM (1 << 20) /* of the socket: requests in flight */

struct collected {
	uint8_t *data; /* with room for a NUL */
	size_t used, room, limit;
};

struct call {
	TAILQ_ENTRY(call) link;
	uint64_t id;
	hand_done *done;
	hand_piece *piece; /* NULL: not a stream */
	void *context;
	struct collected collected[2];
	bool cut[2];
	bool refused; /* before the hand saw it; `sentence` says why */
	char sentence[ERROR_TEXT_SIZE];
};

TAILQ_HEAD(calls, call);

struct hand_client {
	struct event_base *base;
	int fd;
	char path[108];
	struct event *readable, *again, *refusals;
	struct calls calls;
	uint32_t under_way;
	uint64_t last_id;
	struct hand_view view;
	instant gone_since; /* boot clock */
	bool complained;
};

/* ---- calls ---- */

static void free_call(struct hand_client *h, struct call *call)
{
	TAILQ_REMOVE(&h->calls, call, link);
	h->under_way--;
	free(call->collected[0].data);
	free(call->collected[1].data);
	free(call);
}

static struct call *call_of(struct hand_client *h, uint64_t id)
{
	struct call *call;
	TAILQ_FOREACH(call, &h->calls, link) {
		if (call->id == id && !call->refused)
			return call;
	}
	return NULL;
}

static struct bytes collected_bytes(struct collected *c)
{
	if (c->data == NULL)
		return (struct bytes){(const uint8_t *)"", 0};
	c->data[c->used] = '\0';
	return (struct bytes){c->data, c->used};
}

/* It is out of the list before its owner hears of it, who may ask for the next at once. */
static void finish(struct hand_client *h, struct call *call, struct hand_result *result)
{
	result->out = collected_bytes(&call->collected[0]);
	result->error = collected_bytes(&call->collected[1]);
	result->out_cut |= call->cut[0];
	result->error_cut |= call->cut[1];
	result->sentence = call->sentence;
	TAILQ_REMOVE(&h->calls, call, link);
	h->under_way--;
	call->done(call->context, result);
	free(call->collected[0].data);
	free(call->collected[1].data);
	free(call);
}

/* ---- what comes ---- */

static bool grow(struct collected *c, size_t more)
{
	size_t room = c->room == 0 ? 4096 : c->room;
	while (room < c->used + more + 1)
		room *= 2;
	if (room == c->room)
		return true;
	uint8_t *data = realloc(c->data, room);
	if (data == NULL)
		return false;
	c->data = data;
	c->room = room;
	return true;
}

static void collect(struct call *call, uint32_t which, struct bytes piece)
{
	struct collected *c = &call->collected[which];
	size_t size = piece.size < c->limit - c->used ? piece.size : c->limit - c->used;
	call->cut[which] |= size < piece.size;
	if (size == 0)
		return;
	if (!grow(c, size)) {
		call->cut[which] = true;
		return;
	}
	memcpy(c->data + c->used, piece.data, size);
	c->used += size;
}

static void take_output(struct hand_client *h, const struct hand_output *output)
{
	struct call *call = call_of(h, output->job);
	if (call == NULL)
		return;
	if (call->piece != NULL && output->which == 1)
		call->piece(call->context, output->bytes);
	else
		collect(call, output->which - 1, output->bytes);
}

static void take_ended(struct hand_client *h, const struct hand_ended *ended)
{
	struct call *call = call_of(h, ended->job);
	if (call == NULL)
		return;
	memcpy(call->sentence, ended->sentence.data, ended->sentence.size);
	call->sentence[ended->sentence.size] = '\0';
	struct hand_result result = {.outcome = ended->outcome, .code = ended->code,
	                             .out_cut = ended->out_cut, .error_cut = ended->error_cut};
	finish(h, call, &result);
}

static bool take_state(struct hand_client *h, const struct hand_state *state)
{
	bool was_stuck = h->view.lvm_stuck > 0, is_stuck = state->lvm_stuck_ms > 0;
	if (state->protocol != HAND_PROTOCOL) {
		journal_say(LEVEL_error, "the hand speaks version %u, this daemon %d: restart both (systemctl restart essaim-hand essaimd)",
		            state->protocol, HAND_PROTOCOL);
		return false;
	}
	if (is_stuck != was_stuck)
		journal_say(is_stuck ? LEVEL_error : LEVEL_notice,
		            is_stuck ? "LVM is stuck: a command does not end, and cannot be killed"
		                     : "LVM is no longer stuck");
	h->view.lvm_stuck = (duration)(state->lvm_stuck_ms % ((uint64_t)NEVER / MILLISECOND)) * MILLISECOND;
	h->view.running = state->running;
	h->view.waiting = state->waiting;
	return true;
}

static bool take_packet(struct hand_client *h, struct bytes packet)
{
	struct hand_message message;
	if (!hand_message_read(packet, &message))
		return false;
	switch (message.kind) {
	case HAND_STATE:
		return take_state(h, &message.state);
	case HAND_OUTPUT:
		take_output(h, &message.output);
		return true;
	case HAND_ENDED:
		take_ended(h, &message.ended);
		return true;
	case HAND_RUN:
	case HAND_CANCEL:
	case HAND_ANEW:
		break; /* ours to say */
	}
	return false;
}

/* ---- the link ---- */

static instant boot_now(void)
{
	struct now now;
	body_clock_read(&now);
	return now.boot;
}

static void be_gone(struct hand_client *h)
{
	if (h->view.standing != HAND_STANDING_GONE)
		h->gone_since = boot_now();
	h->view = (struct hand_view){.standing = HAND_STANDING_GONE};
}

static void try_again(struct hand_client *h)
{
	const struct timeval later = {AGAIN_AFTER_S, 0};
	if (h->path[0] != '\0')
		event_add(h->again, &later);
}

static const char gone_sentence[] = "the hand is gone: whether the command did its work is unknown";

static void fail_all(struct hand_client *h)
{
	struct call *call, *next;
	struct calls gone = TAILQ_HEAD_INITIALIZER(gone);
	/* Only those of now: their owners may ask again, and are refused. */
	for (call = TAILQ_FIRST(&h->calls); call != NULL; call = next) {
		next = TAILQ_NEXT(call, link);
		if (call->refused)
			continue;
		TAILQ_REMOVE(&h->calls, call, link);
		TAILQ_INSERT_TAIL(&gone, call, link);
	}
	while ((call = TAILQ_FIRST(&gone)) != NULL) {
		TAILQ_REMOVE(&gone, call, link);
		TAILQ_INSERT_HEAD(&h->calls, call, link);
		memcpy(call->sentence, gone_sentence, sizeof gone_sentence);
		struct hand_result result = {.outcome = HAND_GONE};
		finish(h, call, &result);
	}
}

static void lose(struct hand_client *h, const char *why)
{
	journal_say(LEVEL_error, "the hand is gone (%s): operations are refused until it is back", why);
	event_free(h->readable);
	h->readable = NULL;
	close(h->fd);
	h->fd = -1;
	be_gone(h);
	fail_all(h);
	try_again(h);
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
	struct hand_client *h = context;
	static uint8_t packet[HAND_PACKET_MAX + 1];
	for (int i = 0; i < READ_BURST && h->fd >= 0; i++) {
		ssize_t got = recv(fd, packet, sizeof packet, MSG_DONTWAIT);
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (got <= 0) {
			lose(h, got == 0 ? "it ended" : strerror(errno));
			return;
		}
		if (!take_packet(h, (struct bytes){packet, (size_t)got})) {
			lose(h, "it said what cannot be understood");
			return;
		}
	}
}

static void say_anew(struct hand_client *h)
{
	uint8_t packet[16];
	size_t size = hand_message_write(&(struct hand_message){.kind = HAND_ANEW}, packet);
	if (send(h->fd, packet, size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		journal_say(LEVEL_warning, "the hand takes no word: %s", strerror(errno));
}

static bool join(struct hand_client *h, int fd)
{
	const int room = SEND_ROOM;
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
	evutil_make_socket_nonblocking(fd);
	evutil_make_socket_closeonexec(fd);
	h->readable = event_new(h->base, fd, EV_READ | EV_PERSIST, on_readable, h);
	if (h->readable == NULL || event_add(h->readable, NULL) < 0) {
		close(fd);
		return false;
	}
	h->fd = fd;
	say_anew(h);
	h->complained = false;
	h->view = (struct hand_view){.standing = HAND_STANDING_JOINED};
	return true;
}

static void connect_to(struct hand_client *h)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	memcpy(at.sun_path, h->path, sizeof h->path);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof at) == 0) {
		if (join(h, fd))
			return;
	} else {
		if (!h->complained)
			journal_say(LEVEL_notice, "no hand at '%s' (%s): operations are refused until there is one",
			            h->path, strerror(errno));
		h->complained = true;
		be_gone(h);
		if (fd >= 0)
			close(fd);
	}
	try_again(h);
}

static void on_again(evutil_socket_t none, short what, void *context)
{
	connect_to(context);
}

/* ---- asking ---- */

static void on_refusals(evutil_socket_t none, short what, void *context)
{
	struct hand_client *h = context;
	uint64_t last = h->last_id; /* who asks anew when refused is refused in the next round */
	struct call *call, *next;
	for (call = TAILQ_FIRST(&h->calls); call != NULL; call = next) {
		next = TAILQ_NEXT(call, link);
		if (!call->refused || call->id > last)
			continue;
		struct hand_result result = {.outcome = HAND_REFUSED};
		finish(h, call, &result);
		next = TAILQ_FIRST(&h->calls); /* its owner may have changed the list */
	}
}

static void refuse(struct hand_client *h, struct call *call)
{
	call->refused = true;
	event_active(h->refusals, 0, 0);
}

static bool may_ask(const struct hand_client *h, const struct hand_request *request,
                    struct error *error)
{
	if (!program_check(request->program, request->count, request->arguments, error))
		return false;
	if (request->input.size > PROGRAM_INPUT_MAX)
		return error_set(error, 0, "%zu bytes of input are too many: at most %d", request->input.size,
		                 PROGRAM_INPUT_MAX) != 0;
	if (h->fd < 0)
		return error_set(error, 0, h->view.standing == HAND_STANDING_NONE
		                 ? "this daemon was started without a hand: nothing can be done on this node (see essaim-hand(8))"
		                 : "the hand is gone: nothing can be done on this node (systemctl status essaim-hand)") != 0;
	if (h->under_way >= HAND_JOBS_MAX)
		return error_set(error, 0, "%d commands are under way already, and no more are taken",
		                 HAND_JOBS_MAX) != 0;
	return true;
}

static uint32_t milliseconds(duration d)
{
	if (d > PROGRAM_DEADLINE_MAX)
		d = PROGRAM_DEADLINE_MAX;
	return d <= 0 ? 0 : (uint32_t)((d + MILLISECOND - 1) / MILLISECOND);
}

static bool send_run(struct hand_client *h, const struct hand_request *request, struct call *call)
{
	static uint8_t packet[HAND_PACKET_MAX];
	struct hand_message m = {.kind = HAND_RUN};
	m.run = (struct hand_run){.job = call->id, .program = request->program,
	                          .deadline_ms = milliseconds(request->deadline),
	                          .output_max = request->output_max, .count = request->count,
	                          .input = request->input};
	for (uint32_t i = 0; i < request->count; i++)
		m.run.arguments[i] = request->arguments[i];
	size_t size = hand_message_write(&m, packet);
	return send(h->fd, packet, size, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

static void set_limits(struct call *call, struct hand_request *request)
{
	const struct program_row *row = program_row(request->program);
	if (request->output_max > PROGRAM_OUTPUT_MAX)
		request->output_max = PROGRAM_OUTPUT_MAX;
	call->collected[0].limit = request->output_max > 0 ? request->output_max : row != NULL ? row->output_max : 0;
	call->collected[1].limit = PROGRAM_ERROR_MAX;
}

uint64_t hand_follow(struct hand_client *h, const struct hand_request *asked, hand_piece *piece,
                     hand_done *done, void *context)
{
	struct hand_request request = *asked;
	struct error error;
	struct call *call = calloc(1, sizeof *call);
	if (call == NULL)
		return 0;
	*call = (struct call){.id = ++h->last_id, .done = done, .piece = piece, .context = context};
	set_limits(call, &request);
	bool good = may_ask(h, &request, &error);
	TAILQ_INSERT_TAIL(&h->calls, call, link);
	h->under_way++;
	if (good && !send_run(h, &request, call))
		good = error_set(&error, 0, "the hand takes no request now: %s", strerror(errno)) != 0;
	if (!good) {
		memcpy(call->sentence, error.text, sizeof call->sentence);
		refuse(h, call);
	}
	return call->id;
}

uint64_t hand_run(struct hand_client *h, const struct hand_request *request, hand_done *done,
                  void *context)
{
	return hand_follow(h, request, NULL, done, context);
}

void hand_cancel(struct hand_client *h, uint64_t job)
{
	uint8_t packet[HAND_PACKET_MAX];
	if (call_of(h, job) == NULL || h->fd < 0)
		return;
	size_t size = hand_message_write(&(struct hand_message){.kind = HAND_CANCEL, .cancel = job}, packet);
	if (send(h->fd, packet, size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		journal_say(LEVEL_warning, "the hand takes no word to cancel: %s", strerror(errno));
}

void hand_look(const struct hand_client *h, struct hand_view *out)
{
	*out = h->view;
	if (h->view.standing == HAND_STANDING_GONE)
		out->gone_for = boot_now() - h->gone_since;
}

const char *hand_standing_name(enum hand_standing standing)
{
	static const char *const names[] = {"none", "joined", "gone"};
	return names[standing];
}

/* ---- life ---- */

/* A copy: after a change of key the body is opened a second time, within the same process. */
int hand_inherited(void)
{
	int type = 0;
	socklen_t size = sizeof type;
	const char *number = getenv("ESSAIM_HAND_FD");
	int fd = number != NULL ? atoi(number) : -1;
	if (fd <= STDERR_FILENO || getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0 ||
	    type != SOCK_SEQPACKET)
		return -1;
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	return fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
}

struct hand_client *hand_open(struct event_base *base, int fd, const char *path)
{
	struct hand_client *h = calloc(1, sizeof *h);
	if (h == NULL)
		return NULL;
	h->base = base;
	h->fd = -1;
	h->last_id = random_number() >> 1; /* what still comes for an earlier client is not ours */
	TAILQ_INIT(&h->calls);
	h->again = event_new(base, -1, 0, on_again, h);
	h->refusals = event_new(base, -1, 0, on_refusals, h);
	if (h->again == NULL || h->refusals == NULL) {
		hand_close(h);
		return NULL;
	}
	if (fd >= 0) {
		join(h, fd);
	} else if (path[0] != '\0' && strlen(path) < sizeof h->path) {
		memcpy(h->path, path, strlen(path));
		connect_to(h);
	}
	return h;
}

void hand_close(struct hand_client *h)
{
	struct call *call;
	if (h == NULL)
		return;
	while ((call = TAILQ_FIRST(&h->calls)) != NULL)
		free_call(h, call);
	if (h->readable != NULL)
		event_free(h->readable);
	if (h->again != NULL)
		event_free(h->again);
	if (h->refusals != NULL)
		event_free(h->refusals);
	if (h->fd >= 0)
		close(h->fd);
	free(h);
}
