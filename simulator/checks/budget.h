/*
 * budget.h: what a node sends stays within bounds, even while everything around it breaks.
 *
 * Bounds are per node and second over a window of at least WINDOW, for a cluster of `nodes`.
 */
#ifndef ESSAIM_CHECK_BUDGET_H
#define ESSAIM_CHECK_BUDGET_H

#include <inttypes.h>

#include "violation.h"

#define BUDGET_WINDOW (10 * SECOND)
/* A master sends each voter a round per renewal (10/s with the lan profile) and every append; all
 * else of membership is a few packets a second per node, whatever the size. */
#define BUDGET_PACKETS_OWN 100
#define BUDGET_PACKETS_PEER 40
#define BUDGET_BYTES_OWN (64 * 1024)
#define BUDGET_BYTES_PEER (64 * 1024)

struct budget_window {
	instant since;
	uint64_t packets, bytes; /* sent when the window began */
};

static inline void budget_report(struct budget_window *b, struct violations *v, instant at,
                                 uint32_t node, uint32_t nodes, uint64_t packets, uint64_t bytes)
{
	uint64_t peers = nodes > 8 ? 8 : nodes; /* voters and the learner; the rest does not grow */
	duration length = at - b->since;
	if (length < BUDGET_WINDOW)
		return;
	uint64_t seconds = (uint64_t)(length / SECOND);
	uint64_t sent = (packets - b->packets) / seconds, size = (bytes - b->bytes) / seconds;
	*b = (struct budget_window){at, packets, bytes};
	if (sent > BUDGET_PACKETS_OWN + BUDGET_PACKETS_PEER * peers)
		violation_add(v, at, "budget", "node %u sent %" PRIu64 " packets a second", node, sent);
	if (size > BUDGET_BYTES_OWN + BUDGET_BYTES_PEER * peers)
		violation_add(v, at, "budget", "node %u sent %" PRIu64 " bytes a second", node, size);
}

#endif
