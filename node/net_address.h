/*
 * net_address.h: our addresses to the kernel's and back.
 */
#ifndef ESSAIM_NET_ADDRESS_H
#define ESSAIM_NET_ADDRESS_H

#include <sys/socket.h>

#include "words.h"

/* The length to give to the kernel; 0 if the address is none. */
socklen_t address_to_socket(const struct address *in, struct sockaddr_storage *out);

/* Family 0 if it is neither IPv4 nor IPv6. IPv4 mapped into IPv6 becomes IPv4. */
void address_from_socket(const struct sockaddr_storage *in, struct address *out);

/* A non-blocking, close-on-exec socket of that family (SOCK_STREAM, SOCK_DGRAM), or -errno. */
int address_socket(const struct address *address, int type);

/* "0.0.0.0" or "[::]", whatever the port. */
bool address_is_wildcard(const struct address *address);

/* 127.0.0.0/8 or ::1. */
bool address_is_loopback(const struct address *address);

/*
 * Lets a socket that is about to connect leave by the listen address at `path`, if there is one of
 * that family and it names an address. If the kernel refuses, the routes decide as ever.
 */
void net_bind_source(int fd, const struct addresses *listen, uint32_t path, uint8_t family);

/* Both ends of a stream; false: it has none (yet). */
bool net_ends(int fd, struct address *ours, struct address *theirs);

#endif
