/*
 * drbd_holders.h: the DRBD resources of all nodes, from their facts, for whoever puts sides together.
 */
#ifndef ESSAIM_DRBD_HOLDERS_H
#define ESSAIM_DRBD_HOLDERS_H

#include "drbd_pairs.h"
#include "gossip.h"

struct drbd_holders {
	uint32_t count, capacity;
	uint32_t node_count, node_capacity;
	struct drbd_node *nodes; /* who says what it has, be it nothing */
	bool whole; /* all fitted the memory */
	struct drbd_holder *list; /* their resources are our own copies; names are the mind's */
};

/* Those of that name; NULL: all. What does not fit the memory is left out, and then it is not `whole`. */
void drbd_holders_gather(struct drbd_holders *out, const struct gossip *gossip, const struct now *now,
                         const char *name);
void drbd_holders_free(struct drbd_holders *holders);

#endif
