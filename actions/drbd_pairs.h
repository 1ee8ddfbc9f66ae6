/*
 * drbd_pairs.h: which resource of which node is the other side of which. Pure.
 *
 * Two are a pair if they have one name and one says of the other that it is its peer: by the other
 * node's name, by the address, or, where neither is said (8.4 StandAlone), because there is no third.
 * A peer that no node of the cluster is gives a pair with one side only. A node of the cluster that has no
 * such resource, by its own present word, has it down: known by its name, or by the address that is meant.
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

/* A node of the cluster, whether it has resources or not. */
struct drbd_node {
	node_id node;
	const char *name;
	char host[ADDRESS_TEXT_SIZE]; /* "10.0.0.1", "fe80::1": without a port */
	bool known; /* what it has is known, and not old */
};

#define NO_HOLDER UINT32_MAX

struct drbd_pair {
	uint32_t holders[2]; /* positions; the second may be NO_HOLDER */
	uint32_t peers[2];   /* of each the other's position among its peers */
	node_id absent;      /* the second, if it is a node that has no such resource; 0: it is not */
	struct drbd_judgement judgement;
};

/* Returns how many there are; those beyond `max` are not written. */
uint32_t drbd_pairs(const struct drbd_holder *holders, uint32_t count, const struct drbd_node *nodes,
                    uint32_t node_count, struct drbd_pair *out, uint32_t max);

#endif
