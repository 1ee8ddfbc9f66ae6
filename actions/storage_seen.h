/*
 * storage_seen.h: is what was declared there, on one node, by that node's own words? Pure.
 *
 *     storage_row + a node's LVM and DRBD --storage_see--> fine | standby | missing | other | unseen
 *
 * Invariants
 *   1. What a node could not look at is unseen, never missing.
 *   2. `other` needs a proof: another UUID than the reference, a group that lies not on the resource,
 *      another mount than declared, or another marker (or none where something is mounted).
 *   3. A shared folder without its marker that is no mount point is not mounted: volumes made there
 *      would lie on the system's own disk, hidden by the mount when it comes.
 */
#ifndef ESSAIM_STORAGE_SEEN_H
#define ESSAIM_STORAGE_SEEN_H

#include "storage.h"

enum storage_state {
	STORAGE_UNSEEN = 0,  /* nobody can say */
	STORAGE_FINE = 1,
	STORAGE_STANDBY = 2, /* drbd-lvm: the resource is there, and is used at its other side */
	STORAGE_MISSING = 3,
	STORAGE_OTHER = 4,   /* something of that name is there, but not the same as elsewhere */
	STORAGE_UNMOUNTED = 5, /* the folder is there, and what has to be mounted on it is not */
	STORAGE_STALE = 6,     /* it hangs */
	STORAGE_STATES
};

const char *storage_state_name(enum storage_state state); /* "fine", "missing", … */

/* What a node says of itself; NULL: it has not said. */
struct storage_evidence {
	const struct lvm_head *lvm;
	const struct drbd_resource *resource; /* drbd-lvm: the one that was declared */
	bool drbd_known;                      /* it has told of its resources: no `resource` means that there is none */
	const struct lvm_volume *pool;        /* lvm-thin */
	bool pools_known;
	const struct dir_seen *dir; /* dir, nfs, zfs */
};

struct storage_seen {
	enum storage_state state;
	uint64_t size, free;
	struct lvm_uuid uuid; /* of its group; "" none seen */
	char why[128];        /* for people; "" if it is fine */
};

/* `reference`: the UUID that the first of its nodes sees; NULL: none does. */
void storage_see(const struct storage_row *row, const struct storage_evidence *evidence,
                 const struct lvm_uuid *reference, struct storage_seen *out);

/* The UUID of the storage's group there; NULL. */
const struct lvm_uuid *storage_uuid(const struct storage_row *row, const struct lvm_head *lvm);

#endif
