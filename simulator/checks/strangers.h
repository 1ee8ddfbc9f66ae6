/*
 * strangers.h: what belongs to one cluster never appears in another.
 *
 * Told of every name that a node shows (a member, the owner of a fact, its master) and of the rows
 * that only one cluster has.
 */
#ifndef ESSAIM_CHECK_STRANGERS_H
#define ESSAIM_CHECK_STRANGERS_H

#include "violation.h"

/* Where it was shown, and whose it is. */
struct shown {
	const char *what; /* "a member", … */
	uint32_t node, subject;
	uint32_t cluster, of; /* of the node that shows it, and its own */
};

static inline void strangers_report(struct violations *v, instant at, const struct shown *s)
{
	if (s->cluster != s->of)
		violation_add(v, at, "strangers", "node %u shows %s of the other cluster, of its node %u",
		              s->node, s->what, s->subject);
}

#endif
