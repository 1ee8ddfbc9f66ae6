/*
 * udp.h: packets in and out, one socket per listen address.
 *
 * Invariants
 *   1. At most UDP_BATCH packets are taken per wake-up, so that timers and streams get their turn.
 *   2. A send never blocks and never fails the daemon: what the kernel refuses is lost and counted.
 *   3. An ICMP "port unreachable" becomes one INPUT_REFUSED with the address it was sent to.
 */
#ifndef ESSAIM_UDP_H
#define ESSAIM_UDP_H

#include "body.h"

#define UDP_BATCH 64

struct udp;

/* Binds one socket per listen address of the config. 0 or -errno. */
int udp_open(struct body *body, struct udp **out, struct error *error);
/* `path`: which of them. */
void udp_send(struct udp *udp, uint32_t path, const struct address *to, struct bytes packet);
uint64_t udp_lost(const struct udp *udp);
void udp_close(struct udp *udp);

#endif
