#include "net_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

socklen_t address_to_socket(const struct address *in, struct sockaddr_storage *out)
{
	memset(out, 0, sizeof *out);
	if (in->family == 4) {
		struct sockaddr_in *v4 = (struct sockaddr_in *)out;
		v4->sin_family = AF_INET;
		v4->sin_port = htons(in->port);
		memcpy(&v4->sin_addr, in->ip, 4);
		return sizeof *v4;
	}
	if (in->family == 6) {
		struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(in->port);
		memcpy(&v6->sin6_addr, in->ip, 16);
		return sizeof *v6;
	}
	return 0;
}

static void from_v6(const struct sockaddr_in6 *v6, struct address *out)
{
	out->port = ntohs(v6->sin6_port);
	if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
		out->family = 4;
		memcpy(out->ip, v6->sin6_addr.s6_addr + 12, 4);
		return;
	}
	out->family = 6;
	memcpy(out->ip, &v6->sin6_addr, 16);
}

void address_from_socket(const struct sockaddr_storage *in, struct address *out)
{
	memset(out, 0, sizeof *out);
	if (in->ss_family == AF_INET) {
		const struct sockaddr_in *v4 = (const struct sockaddr_in *)in;
		out->family = 4;
		out->port = ntohs(v4->sin_port);
		memcpy(out->ip, &v4->sin_addr, 4);
	} else if (in->ss_family == AF_INET6) {
		from_v6((const struct sockaddr_in6 *)in, out);
	}
}

int address_socket(const struct address *address, int type)
{
	int one = 1;
	int family = address->family == 4 ? AF_INET : AF_INET6;
	int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	/* IPv4 has a socket of its own: "[::]" must not take its port. */
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
	if (type == SOCK_STREAM) /* frames are answers somebody waits for: never held back */
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	return fd;
}

bool address_is_wildcard(const struct address *address)
{
	static const uint8_t zeros[sizeof address->ip];
	return memcmp(address->ip, zeros, sizeof zeros) == 0;
}

void net_bind_source(int fd, const struct addresses *listen, uint32_t path, uint8_t family)
{
	if (path >= listen->count || listen->list[path].family != family ||
	    address_is_wildcard(&listen->list[path]))
		return;
	struct address source = listen->list[path];
	struct sockaddr_storage name;
	source.port = 0;
	socklen_t length = address_to_socket(&source, &name);
	bind(fd, (struct sockaddr *)&name, length);
}

bool net_ends(int fd, struct address *ours, struct address *theirs)
{
	struct sockaddr_storage name = {0};
	socklen_t length = sizeof name;
	if (getsockname(fd, (struct sockaddr *)&name, &length) < 0)
		return false;
	address_from_socket(&name, ours);
	length = sizeof name;
	if (getpeername(fd, (struct sockaddr *)&name, &length) < 0)
		return false;
	address_from_socket(&name, theirs);
	return true;
}

bool address_is_loopback(const struct address *address)
{
	static const uint8_t six[16] = {[15] = 1};
	if (address->family == 4)
		return address->ip[0] == 127;
	return address->family == 6 && memcmp(address->ip, six, sizeof six) == 0;
}
