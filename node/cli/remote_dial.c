#include "remote_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "spinner.h"

static int cannot(const struct target *target, int code, struct error *error)
{
	char name[320];
	const char *why = strerror(-code);
	target_format(target, name, sizeof name);
	switch (-code) {
	case ECONNREFUSED:
		why = "nobody listens on that port";
		break;
	case ETIMEDOUT:
		why = "no answer; it is off, or something drops the packets on the way";
		break;
	case EHOSTUNREACH:
	case ENETUNREACH:
		why = "there is no way to that address";
		break;
	}
	return error_set(error, code, "cannot connect to port %u of '%.200s': %s", target->port,
			 target->host, why);
}

static int wait_connected(int fd, int64_t until_ms)
{
	for (;;) {
		struct pollfd waited = {.fd = fd, .events = POLLOUT};
		int64_t left = until_ms - monotonic_ms();
		int ready = left > 0 ? poll(&waited, 1, (int)left) : 0;
		int failed = 0;
		socklen_t size = sizeof failed;
		if (ready == 0)
			return -ETIMEDOUT;
		if (ready < 0 && errno == EINTR)
			continue;
		if (ready < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &size) != 0)
			return -errno;
		return -failed;
	}
}

static int dial_one(const struct addrinfo *a, int64_t until_ms)
{
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	int status = connect(fd, a->ai_addr, a->ai_addrlen) == 0 ? 0 : -errno;
	if (status == -EINPROGRESS)
		status = wait_connected(fd, until_ms);
	if (status == 0)
		return fd;
	close(fd);
	return status;
}

int remote_dial(const struct target *target, int limit_ms, struct error *error)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
	char port[8];
	snprintf(port, sizeof port, "%u", target->port);
	int failed = getaddrinfo(target->host, port, &hints, &found);
	if (failed != 0)
		return error_set(error, -ENOENT, "the name '%.200s' has no address: %s", target->host,
				 gai_strerror(failed));
	int64_t until = monotonic_ms() + limit_ms;
	int status = -EHOSTUNREACH;
	for (const struct addrinfo *a = found; a != NULL && status < 0; a = a->ai_next)
		status = dial_one(a, until);
	freeaddrinfo(found);
	return status < 0 ? cannot(target, status, error) : status;
}
