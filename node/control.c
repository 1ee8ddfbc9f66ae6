#include "control.h"

#include <errno.h>
#include <event2/buffer.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "backup.h"
#include "body_clock.h"
#include "control_access.h"
#include "control_client.h"
#include "control_verbs.h"
#include "inquiry.h"
#include "journal.h"
#include "restore.h"

/* ---- the end of a client ---- */

/* The mind is told last: what it does then may touch other clients, never this one. */
static void client_free(struct client *c)
{
	struct body *body = c->body;
	uint64_t id = c->id;
	bool abandon = c->abandon, restoring = restore_under_way(c->restore);
	TAILQ_REMOVE(&c->control->clients, c, link);
	c->control->client_count--;
	c->control->reader_count -= !c->may_write;
	if (c->readable != NULL)
		event_free(c->readable);
	if (c->writable != NULL)
		event_free(c->writable);
	if (c->limit != NULL)
		event_free(c->limit);
	close(c->fd);
	if (c->out != NULL)
		evbuffer_free(c->out);
	json_decref(c->kept);
	backup_free(c->backup);
	restore_free(c->restore);
	inquiry_free(c->inquiry);
	free(c->prefix);
	free(c->request);
	free(c);
	if (restoring)
		restore_abandon(body);
	if (abandon)
		body_step(body, &(struct input){.kind = INPUT_ABANDON, .abandon = {.client = id}});
}

static void client_overdue(struct client *c)
{
	uint64_t id = c->id;
	bool abandon = c->abandon;
	struct body *body = c->body;
	client_refuse(c, 4, "essaim status", "no answer in time", "it may be done, or may still be");
	if (abandon)
		body_step(body, &(struct input){.kind = INPUT_ABANDON, .abandon = {.client = id}});
}

static void on_limit(evutil_socket_t fd, short what, void *context)
{
	struct client *c = context;
	if (c->state == CLIENT_RUNNING)
		client_overdue(c);
	else
		client_free(c);
}

/* ---- writing ---- */

static void on_writable(evutil_socket_t fd, short what, void *context)
{
	struct client *c = context;
	int written = evbuffer_write(c->out, fd);
	if (written < 0 && errno != EAGAIN && errno != EINTR) {
		client_free(c);
		return;
	}
	if (c->backup != NULL && c->state == CLIENT_RUNNING && evbuffer_get_length(c->out) == 0)
		backup_more(c);
	if (evbuffer_get_length(c->out) > 0)
		event_add(c->writable, NULL);
	else if (c->state == CLIENT_FINISHING)
		client_free(c);
}

/* ---- reading ---- */

static bool take_length(struct client *c)
{
	if (!control_length_read(c->length, CONTROL_FRAME_MAX, &c->size)) {
		client_refuse(c, 2, NULL, "the request was refused",
		              "it is empty, or longer than %d bytes", CONTROL_FRAME_MAX);
		return false;
	}
	c->request = malloc(c->size);
	if (c->request == NULL)
		client_refuse(c, 1, NULL, "the request was refused", "out of memory");
	return c->request != NULL;
}

static void run_request(struct client *c)
{
	char *request = c->request;
	c->request = NULL;
	if (c->state == CLIENT_UPLOADING) {
		c->used = 0;
		client_limit(c, REQUEST_LIMIT);
		c->upload(c, request, c->size);
	} else {
		c->state = CLIENT_RUNNING;
		event_del(c->limit);
		control_dispatch(c, request, c->size);
	}
	free(request);
}

/* One read into what is missing; false if there was none, or the client is gone. */
static bool read_some(struct client *c)
{
	bool header = c->used < sizeof c->length;
	void *at = header ? (void *)(c->length + c->used) : c->request + (c->used - sizeof c->length);
	size_t missing = (header ? sizeof c->length : sizeof c->length + c->size) - c->used;
	ssize_t got = recv(c->fd, at, missing, MSG_DONTWAIT);
	if (got > 0) {
		c->used += (size_t)got;
		return true;
	}
	if (got == 0 || (errno != EAGAIN && errno != EINTR))
		client_free(c);
	return false;
}

/* After the request nothing more is expected but the end. */
static void read_end(struct client *c)
{
	char byte;
	ssize_t got = recv(c->fd, &byte, 1, MSG_DONTWAIT);
	if (got > 0 && c->state == CLIENT_FOLLOWING)
		client_free(c); /* unread, its end would go unseen for as long as nothing happens */
	else if (got > 0)
		event_del(c->readable); /* more than one request: not read, not answered */
	else if (got == 0 || (errno != EAGAIN && errno != EINTR))
		client_free(c);
}

static bool reading(const struct client *c)
{
	return c->state == CLIENT_READING || c->state == CLIENT_UPLOADING;
}

/* One frame at a time: the loop has other work, too. */
static void on_readable(evutil_socket_t fd, short what, void *context)
{
	struct client *c = context;
	if (!reading(c)) {
		read_end(c);
		return;
	}
	while (reading(c) && read_some(c)) {
		if (c->used == sizeof c->length && !take_length(c))
			return;
		if (c->used > sizeof c->length && c->used == sizeof c->length + c->size) {
			run_request(c);
			return;
		}
	}
}

/* ---- accepting ---- */

static bool make_events(struct client *c)
{
	struct event_base *base = c->body->base;
	c->readable = event_new(base, c->fd, EV_READ | EV_PERSIST, on_readable, c);
	c->writable = event_new(base, c->fd, EV_WRITE, on_writable, c);
	c->limit = event_new(base, -1, 0, on_limit, c);
	c->out = evbuffer_new();
	return c->readable != NULL && c->writable != NULL && c->limit != NULL && c->out != NULL &&
	       event_add(c->readable, NULL) == 0;
}

static void client_create(struct control *control, int fd, bool may_write)
{
	struct client *c = calloc(1, sizeof *c);
	if (c == NULL) {
		close(fd);
		return;
	}
	c->control = control;
	c->body = control->body;
	c->id = ++control->last_id;
	c->fd = fd;
	c->may_write = may_write;
	TAILQ_INSERT_TAIL(&control->clients, c, link);
	control->client_count++;
	control->reader_count += !c->may_write;
	struct timeval limit;
	duration_timeval(REQUEST_LIMIT, &limit);
	if (!make_events(c) || event_add(c->limit, &limit) < 0)
		client_free(c);
}

/* Out of descriptors: polling the listener would spin, so it rests for a second. */
static void rest(struct control *control, int code)
{
	if (code != EMFILE && code != ENFILE && code != ENOMEM && code != ENOBUFS)
		return;
	journal_say(LEVEL_warning, "cannot take a control connection: %s", strerror(code));
	event_del(control->acceptable);
	struct timeval second = {1, 0};
	event_add(control->accept_again, &second);
}

static void on_accept_again(evutil_socket_t none, short what, void *context)
{
	struct control *control = context;
	event_add(control->acceptable, NULL);
}

/* Beyond the bound the newest is closed at once: those before it may be waiting for answers. */
static void on_acceptable(evutil_socket_t listener, short what, void *context)
{
	struct control *control = context;
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0) {
		rest(control, errno);
		return;
	}
	bool may_write = access_may_write(fd, control->group);
	if (control->client_count >= CLIENTS_MAX ||
	    (!may_write && control->reader_count >= READERS_MAX))
		close(fd);
	else
		client_create(control, fd, may_write);
}

bool control_attach(struct control *control, int fd)
{
	if (control->client_count < CLIENTS_MAX && control->reader_count < READERS_MAX) {
		client_create(control, fd, false);
		return true;
	}
	close(fd);
	return false;
}

/* ---- progress ---- */

static void on_ticker(evutil_socket_t none, short what, void *context)
{
	struct control *control = context;
	struct client *c;
	bool more = false;
	TAILQ_FOREACH(c, &control->clients, link) {
		char text[sizeof c->told];
		if (c->progress == NULL || c->state != CLIENT_RUNNING)
			continue;
		more = true;
		if (!c->progress(c, text, sizeof text) || strcmp(text, c->told) == 0)
			continue;
		memcpy(c->told, text, sizeof text);
		client_progress(c, text);
	}
	struct timeval period;
	duration_timeval(PROGRESS_PERIOD, &period);
	if (more)
		event_add(control->ticker, &period);
}

/* ---- effects ---- */

static struct client *find_client(struct control *control, uint64_t id)
{
	struct client *c;
	TAILQ_FOREACH(c, &control->clients, link) {
		if (c->id == id && (c->state == CLIENT_RUNNING || c->state == CLIENT_UPLOADING))
			return c;
	}
	return NULL;
}

/* How far we are from a master: how many voters answer us, and how many it takes. */
static void refuse_without_master(struct client *c, int length, const char *text)
{
	struct status_view status;
	struct now now;
	body_clock_read(&now);
	gossip_status(c->body->gossip, &now, &status);
	if (status.voters_total == 0)
		client_refuse(c, 3, "essaim status", "there is no master", "%.*s", length, text);
	else
		client_refuse(c, 3, "essaim status", "there is no master",
		              "%.*s; %u of %u voters are reachable from here, %u are needed", length,
		              text, status.voters_reachable, status.voters_total, status.voters_needed);
}

/* The command that shows what a refusal is about; NULL if the sentence says it all. */
static const char *hint_of(const char *verb)
{
	static const char *const hints[][2] = {
		{"master transfer", "essaim cluster show"},
		{"master seize", "essaim node list"},
		{"cluster set", "essaim cluster show"},
		{"node remove", "essaim cluster show"},
		{"node rekey", "essaim status"},
		{"leave", "essaim cluster show"},
	};
	for (size_t i = 0; i < sizeof hints / sizeof hints[0]; i++) {
		if (strcmp(hints[i][0], verb) == 0)
			return hints[i][1];
	}
	return NULL;
}

static void refuse_answer(struct client *c, const struct answer *answer)
{
	char what[80];
	int length = (int)answer->text.size;
	const char *text = (const char *)answer->text.data;
	if (length == 0)
		text = "no reason was given", length = (int)strlen(text);
	switch (answer->code) {
	case ANSWER_NO_MASTER:
	case ANSWER_NOT_MASTER:
		refuse_without_master(c, length, text);
		return;
	case ANSWER_UNKNOWN:
		client_refuse(c, 4, "essaim status", "the outcome is unknown", "%.*s", length, text);
		return;
	case ANSWER_DONE:
	case ANSWER_REFUSED:
	case ANSWER_BUSY:
	case ANSWER_PROGRESS:
		break;
	}
	snprintf(what, sizeof what, "'%s' was refused", c->verb);
	client_refuse(c, 1, hint_of(c->verb), what, "%.*s", length, text);
}

void control_answer(struct control *control, uint64_t id, const struct answer *answer)
{
	struct client *c = find_client(control, id);
	if (c == NULL)
		return;
	c->abandon = false;
	if (answer->code != ANSWER_DONE)
		refuse_answer(c, answer);
	else if (c->render != NULL)
		client_done(c, c->render(c, answer));
	else
		client_done(c, NULL);
}

void control_progress(struct control *control, const struct effect *effect)
{
	struct client *c = find_client(control, effect->progress.client);
	if (c != NULL)
		seize_progress(c, effect);
}

void control_engine_progress(struct control *control, uint64_t id, struct bytes bytes)
{
	struct client *c = find_client(control, id);
	if (c != NULL)
		operation_progress(c, bytes);
}

void control_outcome(struct control *control, bool done, struct bytes text)
{
	control->forming = false;
	struct client *c = find_client(control, control->forming_client);
	if (c == NULL)
		return;
	char what[80];
	restore_over(c->restore);
	snprintf(what, sizeof what, "'%s' failed", c->verb);
	if (done)
		client_done(c, c->render(c, NULL));
	else
		client_refuse(c, 1, "essaim status", what, "%.*s", (int)text.size,
		              (const char *)text.data);
}

/* ---- life ---- */

/* A socket file that nobody listens on is what a killed daemon left: it may be replaced. */
static int clear_stale(const struct sockaddr_un *name, const char *path, struct error *error)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int code = fd < 0 || connect(fd, (const struct sockaddr *)name, sizeof *name) < 0 ? errno : 0;
	if (fd >= 0)
		close(fd);
	if (code == 0 || code == EAGAIN) /* its backlog is full: it is busy, or paused */
		return error_set(error, -EADDRINUSE, "another essaimd listens on socket '%s'", path);
	struct stat st;
	if (code == ECONNREFUSED && lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
		unlink(path);
	return 0;
}

/* Its folder is made if its own parent exists, as /run/essaim is without systemd. */
static void make_folder(const char *path)
{
	char folder[SOCKET_PATH_SIZE];
	snprintf(folder, sizeof folder, "%s", path);
	char *slash = strrchr(folder, '/');
	if (slash == NULL || slash == folder)
		return;
	*slash = '\0';
	mkdir(folder, 0755);
}

static int bind_socket(struct control *control, const char *path, struct error *error)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	snprintf(name.sun_path, sizeof name.sun_path, "%s", path);
	make_folder(path);
	int status = clear_stale(&name, path, error);
	if (status < 0)
		return status;
	control->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	/* Everybody may connect and read; who may write is checked by credentials. */
	if (control->fd < 0 || bind(control->fd, (struct sockaddr *)&name, sizeof name) < 0 ||
	    chmod(path, 0666) < 0 || listen(control->fd, CLIENTS_MAX) < 0)
		return error_set(error, -errno, "cannot open control socket '%s': %s", path,
		                 strerror(errno));
	return 0;
}

int control_open(struct body *body, struct control **out, struct error *error)
{
	struct control *control = calloc(1, sizeof *control);
	if (control == NULL)
		return error_set(error, -ENOMEM, "out of memory");
	control->body = body;
	control->fd = -1;
	control->group = access_group();
	TAILQ_INIT(&control->clients);
	int status = bind_socket(control, body->config.socket, error);
	if (status == 0) {
		control->acceptable = event_new(body->base, control->fd, EV_READ | EV_PERSIST,
		                                on_acceptable, control);
		control->accept_again = event_new(body->base, -1, 0, on_accept_again, control);
		control->ticker = event_new(body->base, -1, 0, on_ticker, control);
		if (control->acceptable == NULL || control->accept_again == NULL ||
		    control->ticker == NULL ||
		    event_add(control->acceptable, NULL) < 0)
			status = error_set(error, -ENOMEM, "out of memory");
	}
	if (status < 0) {
		if (control->fd >= 0)
			close(control->fd);
		free(control);
		return status;
	}
	*out = control;
	return 0;
}

static void drain_client(struct client *c, instant until)
{
	while (evbuffer_get_length(c->out) > 0 && body_clock_monotonic() < until) {
		struct pollfd p = {.fd = c->fd, .events = POLLOUT};
		int ms = (int)((until - body_clock_monotonic()) / MILLISECOND) + 1;
		if (poll(&p, 1, ms) <= 0 || evbuffer_write(c->out, c->fd) < 0)
			return;
	}
}

void control_drain(struct control *control, duration patience)
{
	instant until = body_clock_monotonic() + patience;
	struct client *c;
	TAILQ_FOREACH(c, &control->clients, link) {
		if (c->state == CLIENT_RUNNING)
			client_refuse(c, c->abandon ? 4 : 1, "essaim status", "no answer",
			              "the daemon stops");
		drain_client(c, until);
	}
}

void control_close(struct control *control)
{
	while (!TAILQ_EMPTY(&control->clients)) {
		struct client *c = TAILQ_FIRST(&control->clients);
		c->abandon = false; /* the mind has ended */
		restore_free(c->restore);
		c->restore = NULL;
		client_free(c);
	}
	event_free(control->acceptable);
	event_free(control->accept_again);
	event_free(control->ticker);
	close(control->fd);
	unlink(control->body->config.socket);
	free(control);
}
