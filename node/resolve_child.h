/*
 * resolve_child.h: what the system's own resolver says of a name, asked in a child that can be killed.
 *
 *     resolve_start --spawns `essaimd --resolve NAME`--> lines of addresses, "end" --> resolve_done
 *                                     \--RESOLVE_LIMIT--> killed, timed_out
 *
 * getaddrinfo is what ssh, libvirt and log-ins really wait for (nsswitch, mDNS, LDAP …), and it can
 * hang for minutes. Invariant: one child at a time; it never outlives its limit or us.
 */
#ifndef ESSAIM_RESOLVE_CHILD_H
#define ESSAIM_RESOLVE_CHILD_H

#include <event2/event.h>

#include "words.h"

#define RESOLVE_LIMIT (5 * SECOND)
#define RESOLVED_MAX 8

struct resolved {
	bool timed_out;
	bool broken; /* the child did not come to its end, or said what it should not: nothing is known */
	bool mute;   /* no name server was reached: that says nothing of the name */
	bool found;
	duration took;
	uint32_t count;
	struct address list[RESOLVED_MAX]; /* port 0 */
};

typedef void resolve_done(void *context, const struct resolved *resolved);

struct resolver;

struct resolver *resolver_create(struct event_base *base);
void resolver_destroy(struct resolver *resolver); /* kills a child that runs */

/* Does a child run, or does one that was killed not die? */
bool resolver_busy(struct resolver *resolver);
/* False: it could not be started; `done` is not called. */
bool resolver_start(struct resolver *resolver, const char *name, resolve_done *done, void *context);

/* The child's main: prints addresses, returns the exit status. */
int resolve_main(const char *name);

#endif
