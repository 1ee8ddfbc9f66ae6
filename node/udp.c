#include "udp.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net_address.h"
#include "text.h"

#define AT_ONCE 16          /* packets per system call */
#define PACKET_ROOM 2048    /* more than PACKET_MAX: the mind counts what is too long */
#define RECEIVE_BUFFER (1024 * 1024)

struct udp_socket {
	struct udp *udp;
	int fd;
	uint8_t family;
	struct event *readable;
};

struct udp {
	struct body *body;
	uint32_t count;
	struct udp_socket sockets[LISTEN_MAX];
	uint64_t lost;
	/* one batch */
	uint8_t buffers[AT_ONCE][PACKET_ROOM];
	struct sockaddr_storage from[AT_ONCE];
	struct iovec iovecs[AT_ONCE];
	struct mmsghdr messages[AT_ONCE];
};

/* ---- errors the network sent back ---- */

static bool is_refusal(struct cmsghdr *control)
{
	bool v4 = control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_RECVERR;
	bool v6 = control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_RECVERR;
	if (!v4 && !v6)
		return false;
	struct sock_extended_err e;
	memcpy(&e, CMSG_DATA(control), sizeof e);
	return e.ee_errno == ECONNREFUSED &&
	       (e.ee_origin == SO_EE_ORIGIN_ICMP || e.ee_origin == SO_EE_ORIGIN_ICMP6);
}

/* Takes one queued error; false when there is none. *out has family 0 if it is no refusal. */
static bool next_error(int fd, struct address *out)
{
	struct sockaddr_storage sent_to = {0};
	union {
		struct cmsghdr align;
		uint8_t bytes[512];
	} control;
	uint8_t packet[64];
	struct iovec iovec = {packet, sizeof packet};
	struct msghdr message = {.msg_name = &sent_to, .msg_namelen = sizeof sent_to,
	                         .msg_iov = &iovec, .msg_iovlen = 1,
	                         .msg_control = &control, .msg_controllen = sizeof control};
	if (recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return false;
	memset(out, 0, sizeof *out);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c != NULL; c = CMSG_NXTHDR(&message, c)) {
		if (is_refusal(c))
			address_from_socket(&sent_to, out);
	}
	return true;
}

static void take_errors(struct udp_socket *socket)
{
	struct address address;
	for (int i = 0; i < UDP_BATCH && next_error(socket->fd, &address); i++) {
		if (address.family == 0)
			continue;
		struct input input = {.kind = INPUT_REFUSED, .refused = {.from = address}};
		body_step(socket->udp->body, &input);
	}
}

/* ---- packets ---- */

static void prepare_batch(struct udp *udp)
{
	for (int i = 0; i < AT_ONCE; i++) {
		udp->iovecs[i] = (struct iovec){udp->buffers[i], PACKET_ROOM};
		udp->messages[i].msg_hdr = (struct msghdr){
			.msg_name = &udp->from[i], .msg_namelen = sizeof udp->from[i],
			.msg_iov = &udp->iovecs[i], .msg_iovlen = 1,
		};
	}
}

static void give_packet(struct udp *udp, uint32_t path, int i)
{
	struct input input = {.kind = INPUT_PACKET};
	address_from_socket(&udp->from[i], &input.packet.from);
	input.packet.path = path;
	input.packet.bytes = (struct bytes){udp->buffers[i], udp->messages[i].msg_len};
	body_step(udp->body, &input);
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
	struct udp_socket *socket = context;
	struct udp *udp = socket->udp;
	for (int taken = 0; taken < UDP_BATCH;) {
		prepare_batch(udp);
		int got = recvmmsg(fd, udp->messages, AT_ONCE, MSG_DONTWAIT, NULL);
		if (got < 0) {
			/* The error of an earlier send; its details are in the error queue. */
			if (errno != EAGAIN && errno != EINTR)
				take_errors(socket);
			break;
		}
		for (int i = 0; i < got; i++)
			give_packet(udp, (uint32_t)(socket - udp->sockets), i);
		taken += got;
		if (got < AT_ONCE)
			break;
	}
	take_errors(socket);
}

void udp_send(struct udp *udp, uint32_t path, const struct address *to, struct bytes packet)
{
	const struct udp_socket *socket = path < udp->count ? &udp->sockets[path] : NULL;
	struct sockaddr_storage address;
	socklen_t length = address_to_socket(to, &address);
	/* A second try: the first may only have brought the error of an earlier packet. */
	for (int i = 0; socket != NULL && socket->family == to->family && i < 2; i++) {
		if (sendto(socket->fd, packet.data, packet.size, MSG_DONTWAIT | MSG_NOSIGNAL,
		           (struct sockaddr *)&address, length) >= 0)
			return;
		if (errno == EAGAIN)
			break;
	}
	udp->lost++;
}

uint64_t udp_lost(const struct udp *udp)
{
	return udp->lost;
}

/* ---- life ---- */

static void set_options(int fd, uint8_t family)
{
	int one = 1, room = RECEIVE_BUFFER;
	if (family == 4)
		setsockopt(fd, IPPROTO_IP, IP_RECVERR, &one, sizeof one);
	else
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &one, sizeof one);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room); /* as far as the kernel allows */
}

static int open_socket(struct udp *udp, const struct address *address, struct error *error)
{
	char text[ADDRESS_TEXT_SIZE];
	struct sockaddr_storage name;
	socklen_t length = address_to_socket(address, &name);
	address_format(address, text);
	int fd = address_socket(address, SOCK_DGRAM);
	if (fd < 0)
		return error_set(error, fd, "cannot open a UDP socket for '%s': %s", text, strerror(-fd));
	if (bind(fd, (struct sockaddr *)&name, length) < 0) {
		int code = -errno;
		close(fd);
		return error_set(error, code, "cannot listen on '%s' (UDP): %s", text, strerror(-code));
	}
	set_options(fd, address->family);
	struct udp_socket *socket = &udp->sockets[udp->count++];
	*socket = (struct udp_socket){.udp = udp, .fd = fd, .family = address->family};
	socket->readable = event_new(udp->body->base, fd, EV_READ | EV_PERSIST, on_readable, socket);
	if (socket->readable == NULL || event_add(socket->readable, NULL) < 0)
		return error_set(error, -ENOMEM, "cannot listen on '%s': out of memory", text);
	return 0;
}

int udp_open(struct body *body, struct udp **out, struct error *error)
{
	struct udp *udp = calloc(1, sizeof *udp);
	if (udp == NULL)
		return error_set(error, -ENOMEM, "out of memory");
	udp->body = body;
	int status = 0;
	for (uint32_t i = 0; status == 0 && i < body->config.listen.count; i++)
		status = open_socket(udp, &body->config.listen.list[i], error);
	if (status < 0) {
		udp_close(udp);
		return status;
	}
	*out = udp;
	return 0;
}

void udp_close(struct udp *udp)
{
	for (uint32_t i = 0; i < udp->count; i++) {
		if (udp->sockets[i].readable != NULL)
			event_free(udp->sockets[i].readable);
		close(udp->sockets[i].fd);
	}
	free(udp);
}
