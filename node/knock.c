#include "knock.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "body_clock.h"
#include "net_address.h"

struct knock {
	LIST_ENTRY(knock) link;
	struct body *body;
	node_id node;
	knock_done *done;
	void *context;
	int fd;   /* -1: could not begin */
	int code; /* errno of connect, if it ended at once */
	struct event *event;
};

static enum knock_result result_of(const struct knock *k, short what)
{
	int code = k->code;
	socklen_t size = sizeof code;
	if (code == 0 && (k->fd < 0 || (what & EV_TIMEOUT) != 0 ||
	                  getsockopt(k->fd, SOL_SOCKET, SO_ERROR, &code, &size) < 0))
		return KNOCK_SILENT;
	if (code == ECONNREFUSED || code == ECONNRESET)
		return KNOCK_REFUSED;
	return code == 0 ? KNOCK_OPEN : KNOCK_SILENT;
}

static void knock_free(struct knock *k)
{
	LIST_REMOVE(k, link);
	k->body->knocks--;
	if (k->event != NULL)
		event_free(k->event);
	if (k->fd >= 0)
		close(k->fd);
	free(k);
}

static void on_answer(evutil_socket_t fd, short what, void *context)
{
	struct knock *k = context;
	const struct knock was = *k;
	enum knock_result result = result_of(k, what);
	knock_free(k);
	was.done(was.context, was.node, result);
}

void knocks_close(struct body *body)
{
	while (!LIST_EMPTY(&body->knocking))
		knock_free(LIST_FIRST(&body->knocking));
}

/* -1 if the connection cannot even begin, or ended at once: then *code says how. */
static int begin(const struct body *body, const struct address *address, uint32_t path, int *code)
{
	struct sockaddr_storage name;
	socklen_t length = address_to_socket(address, &name);
	if (length == 0 || body->knocks >= KNOCKS_MAX)
		return -1;
	int fd = address_socket(address, SOCK_STREAM);
	if (fd < 0)
		return -1;
	net_bind_source(fd, &body->config.listen, path, address->family);
	if (connect(fd, (struct sockaddr *)&name, length) < 0 && errno != EINPROGRESS) {
		*code = errno;
		close(fd);
		return -1;
	}
	return fd;
}

bool knock_ask(struct body *body, const struct knock_question *question, knock_done *done, void *context)
{
	struct knock *k = calloc(1, sizeof *k);
	if (k == NULL)
		return false;
	k->body = body;
	k->node = question->node;
	k->done = done;
	k->context = context;
	k->fd = begin(body, &question->address, question->path, &k->code);
	k->event = event_new(body->base, k->fd, k->fd >= 0 ? EV_WRITE : 0, on_answer, k);
	LIST_INSERT_HEAD(&body->knocking, k, link);
	body->knocks++;
	struct timeval patience;
	duration_timeval(question->patience, &patience);
	if (k->event == NULL || event_add(k->event, &patience) < 0) {
		knock_free(k);
		return false;
	}
	if (k->fd < 0)
		event_active(k->event, EV_TIMEOUT, 0);
	return true;
}

static void tell_mind(void *context, node_id node, enum knock_result result)
{
	struct input input = {.kind = INPUT_KNOCKED, .knocked = {.node = node, .result = result}};
	body_step(context, &input);
}

void knock_start(struct body *body, const struct effect *effect)
{
	struct knock_question question = {effect->knock.node, effect->knock.address, effect->knock.path,
	                                  effect->knock.patience};
	/* not even begun: as silent as it gets, and the prober has its own time limit */
	knock_ask(body, &question, tell_mind, body);
}
