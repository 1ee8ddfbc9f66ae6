/*
 * observe_links.h: do large packets and TCP connections get to each member, as small packets do?
 *
 *     every LOOK_EVERY one member: INPUT_SOUND (gossip/sounding.c), and a knock at its TCP port
 *         the next in turn, or one of those whose last look was not well
 *
 * Invariants
 *   1. One member at a time, so what it costs does not grow with the swarm; only its round does.
 *   2. Only REACHABLE members are looked at: who is unreachable is another's finding. Who becomes
 *      unreachable begins anew.
 */
#ifndef ESSAIM_OBSERVE_LINKS_H
#define ESSAIM_OBSERVE_LINKS_H

#include "body.h"

struct link_watch;

struct link_watch *link_watch_create(struct body *body);
void link_watch_destroy(struct link_watch *watch);

/* Knocks in a row at its TCP port that nobody opened. */
uint32_t link_watch_shut(const struct link_watch *watch, node_id node);

#endif
