/*
 * storages.h: the declared storages from the ledger, and what the nodes' facts say of each.
 *
 *     rows 's' --storages_next--> row --storages_see--> one storage_seen for each node it has to be on
 */
#ifndef ESSAIM_STORAGES_H
#define ESSAIM_STORAGES_H

#include "gossip.h"
#include "storage_seen.h"

/* Walks them; start with *cursor = 0. */
bool storages_next(const struct gossip *gossip, uint32_t *cursor, struct storage_row *out);

/* One node's own words, decoded once for all storages. */
struct storages_node {
	node_id id;
	char name[NAME_MAX_SIZE + 1];
	bool self, old; /* old: it is away, or could not look */
	bool told;      /* of its LVM */
	struct lvm_head lvm;
	struct dirs_seen dirs; /* folders and pools; none if it has not told */
};

struct storages {
	const struct gossip *gossip;
	struct now now;
	uint32_t count, capacity;
	struct storages_node *nodes; /* every member but witnesses */
	struct arena arena;
	struct lvm_page *page;
};

/* False: no memory; free it all the same. */
bool storages_open(struct storages *s, const struct gossip *gossip, const struct now *now);
void storages_free(struct storages *s);

typedef void storages_told(void *context, const struct storages_node *node, const struct storage_seen *seen);
/* Each node it has to be on; `only` 0: all of them. */
void storages_see(struct storages *s, const struct storage_row *row, node_id only, storages_told *told,
                  void *context);

#endif
