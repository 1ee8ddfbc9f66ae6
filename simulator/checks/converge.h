/*
 * converge.h: once everything is healed, everyone agrees within a bound, and goes on agreeing.
 *
 * Agreement: every node knows the same master and epoch, one of them is that master, nobody lacks
 * what another had committed a look ago, nobody finds a member unreachable, and generation, level and settings are one;
 * and whoever has committed the same index has the same rows.
 * Source: TigerBeetle's VOPR, liveness mode.
 */
#ifndef ESSAIM_CHECK_CONVERGE_H
#define ESSAIM_CHECK_CONVERGE_H

#include "violation.h"

struct converge_view {
	uint32_t node;
	bool runs; /* false: nothing is expected of it */
	node_id self, master;
	bool self_master;
	uint64_t epoch, commit;
	uint64_t floor; /* what somebody had committed a look ago */
	uint32_t members, reachable;
	uint64_t generation, settings; /* its number; a hash of what is set */
	uint64_t rows; /* a hash of all rows, with their versions: one log gives one state, by entries or by a snapshot */
	uint32_t level;
	bool left_behind; /* it knows nobody of those who are left: see observe.c */
};

#define CONVERGE_BOUND (30 * SECOND)

struct converge {
	instant healed_at; /* NEVER: not yet */
	instant agreed_at; /* NEVER: not now */
	uint64_t commit; /* the highest of the last look */
	bool reported;
};

/* True if they agree; else `why` holds the first reason. */
bool converge_agree(const struct converge_view *views, uint32_t count, char *why, size_t size);

void converge_report(struct converge *c, struct violations *v, instant at,
                     const struct converge_view *views, uint32_t count);

#endif
