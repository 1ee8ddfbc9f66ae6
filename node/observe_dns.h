/*
 * observe_dns.h: how well names are resolved here: each configured name server by itself (evdns), and
 * the system's resolver as programs see it (resolve_child.h).
 *
 *     every second one question: next server x next name (own, then peers in turn)
 *         A/AAAA of the name, PTR of the address      --answers--> verdicts --changed--> fact "dns"
 *     every few seconds one name by getaddrinfo in a child
 *
 * Invariants
 *   1. Nothing here waits in the loop; every question has a limit.
 *   2. A server is dead after DEAD_AFTER questions in a row without an answer, well again after one.
 *   3. resolv.conf is looked at again every round; a change begins everything anew.
 *   4. While the system's look-ups come to nothing (no child can be made, it crashes, it babbles) the fact
 *      is unknown, and says since when.
 */
#ifndef ESSAIM_OBSERVE_DNS_H
#define ESSAIM_OBSERVE_DNS_H

#include "body.h"
#include "facts.h"

struct dns_watch;

struct dns_watch *dns_watch_create(struct body *body);
void dns_watch_destroy(struct dns_watch *watch);

/* As last observed; NULL: not yet. */
const struct dns_fact *dns_watch_fact(const struct dns_watch *watch);

#endif
