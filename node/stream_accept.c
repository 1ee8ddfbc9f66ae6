#include "stream_inside.h"

#include <errno.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "journal.h"
#include "net_address.h"
#include "text.h"

#define BACKLOG 128
/* Then the loop goes on: who has spoken is read before later ones can evict him. */
#define ACCEPT_AT_ONCE (UNPROVEN_MAX / 2)

/* Room for one more that has proven nothing: the oldest such goes. */
static void evict(struct streams *streams)
{
	struct stream *s, *oldest = NULL;
	uint32_t count = 0;
	TAILQ_FOREACH(s, &streams->list, link) {
		if (s->dialled || s->proven || s->state == STREAM_ENDED)
			continue;
		if (oldest == NULL)
			oldest = s;
		count++;
	}
	if (count >= UNPROVEN_MAX)
		stream_end(oldest, 0);
}

/* The listeners rest: for this turn of the loop, or longer. */
static void rest(struct streams *streams, time_t seconds)
{
	for (uint32_t i = 0; i < streams->listener_count; i++)
		evconnlistener_disable(streams->listeners[i]);
	struct timeval in = {seconds, 0};
	event_add(streams->listen_again, &in);
}

/* libevent itself would go on for as long as connections come. */
static void note_accept(struct streams *streams)
{
	static const struct timeval at_once = {0, 0};
	if (streams->accepted++ == 0)
		event_add(streams->listen_again, &at_once);
	if (streams->accepted >= ACCEPT_AT_ONCE)
		rest(streams, 0);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *from,
                      int length, void *context)
{
	struct streams *streams = context;
	int one = 1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	evict(streams);
	stream_create(streams, fd, STREAM_AWAIT_FIRST);
	note_accept(streams);
}

/* Out of descriptors: polling the listener would spin, so it rests for a second. */
static void on_accept_error(struct evconnlistener *listener, void *context)
{
	struct streams *streams = context;
	journal_say(LEVEL_warning, "cannot take a connection: %s", strerror(errno));
	rest(streams, 1);
}

static void on_listen_again(evutil_socket_t fd, short what, void *context)
{
	struct streams *streams = context;
	streams->accepted = 0;
	for (uint32_t i = 0; i < streams->listener_count; i++)
		evconnlistener_enable(streams->listeners[i]);
}

static int bound_socket(const struct address *address)
{
	struct sockaddr_storage name;
	socklen_t length = address_to_socket(address, &name);
	int one = 1, fd = address_socket(address, SOCK_STREAM);
	if (fd < 0)
		return fd;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one); /* restart at once */
	if (bind(fd, (struct sockaddr *)&name, length) < 0) {
		int code = -errno;
		close(fd);
		return code;
	}
	return fd;
}

static int listen_on(struct streams *streams, const struct address *address, struct error *error)
{
	char text[ADDRESS_TEXT_SIZE];
	address_format(address, text);
	int fd = bound_socket(address);
	if (fd < 0)
		return error_set(error, fd, "cannot listen on '%s' (TCP): %s", text, strerror(-fd));
	struct evconnlistener *listener = evconnlistener_new(
		streams->body->base, on_accept, streams,
		LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, BACKLOG, fd);
	if (listener == NULL) {
		int code = -errno;
		close(fd);
		return error_set(error, code, "cannot listen on '%s' (TCP): %s", text, strerror(-code));
	}
	evconnlistener_set_error_cb(listener, on_accept_error);
	streams->listeners[streams->listener_count++] = listener;
	return 0;
}

int streams_listen(struct streams *streams, struct error *error)
{
	const struct addresses *listen = &streams->body->config.listen;
	streams->listen_again = event_new(streams->body->base, -1, 0, on_listen_again, streams);
	if (streams->listen_again == NULL)
		return error_set(error, -ENOMEM, "out of memory");
	int status = 0;
	for (uint32_t i = 0; status == 0 && i < listen->count; i++)
		status = listen_on(streams, &listen->list[i], error);
	return status;
}

void streams_unlisten(struct streams *streams)
{
	for (uint32_t i = 0; i < streams->listener_count; i++)
		evconnlistener_free(streams->listeners[i]);
	streams->listener_count = 0;
	if (streams->listen_again != NULL)
		event_free(streams->listen_again);
	streams->listen_again = NULL;
}
