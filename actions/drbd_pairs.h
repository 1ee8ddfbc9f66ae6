/*
 * drbd_pairs.h: which resource of which node is the other side of which. Pure.
 *
 * Two are a pair if they have one name and one says of the other that it is its peer: by the other
 * node's name, by the address, or, where neither is said (8.4 StandAlone), because there is no third.
 * A peer that no node of the cluster is gives a pair with one side only.
 */
#ifndef ESSAIM_DRBD_PAIRS_H
#define ESSAIM_DRBD_PAIRS_H

#include "drbd.h"

/* A resource as one node has it. */
struct drbd_holder {
	node_id node;
	const char *name; /* the node's */
	bool known;       /* its facts are not old */
	const struct drbd_resource *resource;
};

#define NO_HOLDER UINT32_MAX

struct drbd_pair {
	uint32_t holders[2]; /* positions; the second may be NO_HOLDER */
	uint32_t peers[2];   /* of each the other's position among its peers */
	struct drbd_judgement judgement;
};

/* Returns how many there are; those beyond `max` are not written. */
uint32_t drbd_pairs(const struct drbd_holder *holders, uint32_t count, struct drbd_pair *out,
                    uint32_t max);

#endif
