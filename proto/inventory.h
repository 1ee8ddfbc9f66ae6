/*
 * inventory.h: what a node sees of its own storage, as plain structs, and the pages of its signed
 * facts made of them.
 *
 *     tools --actions/lvm, drbd--> struct lvm_seen, drbd_seen, dirs_seen --*_encode--> facts
 *     views, doctor, verdicts <-- struct lvm_head, lvm_page, drbd_page … <--*_decode-- any node's copy
 *
 *     "lvm"     head: how it went, volume groups, physical volumes, number of pages
 *     "lvm/N"   the logical volumes whose uuid falls on page N
 *     "drbd"    head: how it went, which module, number of pages
 *     "drbd/N"  the resources whose name falls on page N
 *     "dirs"    folders, mounts and pools of other kinds that were looked at
 *
 * Invariants
 *   1. What lies on a page depends on nothing but the thing's own identity and the number of pages,
 *      so a change of one volume changes one page (and the head, if room was taken).
 *   2. Three things are told apart: there is none (no such tool), it is so and so, and unknown since:
 *      with `unknown` the lists are those last seen, and `since_wall` says when that was.
 *   3. What wanders by itself (fill of pools, counters of a resync) is rounded before it is told.
 *   4. Encoded, a page is at most FACT_VALUE_MAX bytes; what does not fit is counted in `more`.
 *   5. decode refuses what is outside these limits; decode(encode(x)) == x.
 *
 * Sizes are bytes. Fills are in hundredths of a per cent (0 to 10000), -1: does not apply.
 */
#ifndef ESSAIM_INVENTORY_H
#define ESSAIM_INVENTORY_H

#include "codec.h"

#define FACT_KEY_LVM "lvm"
#define FACT_KEY_DRBD "drbd"
#define FACT_KEY_DIRS "dirs"

#define VOLUME_NAME_MAX 127 /* LVM's own limit, of group and volume together */
#define DEVICE_PATH_MAX 127
#define LVM_UUID_SIZE 32 /* without its dashes */
#define LVM_TAGS_MAX 255 /* joined by commas */

#define LVM_GROUPS_MAX 64
#define LVM_NO_GROUP UINT32_MAX
#define LVM_DEVICES_MAX 128
#define LVM_VOLUMES_MAX 1024
#define LVM_PAGES_MAX 8
#define LVM_PAGE_VOLUMES_MAX 512

#define DRBD_NAME_MAX 63
#define DRBD_WORD_MAX 23
#define DRBD_RESOURCES_MAX 256
#define DRBD_PAGES_MAX 4
#define DRBD_PAGE_RESOURCES_MAX 256
#define DRBD_VOLUMES_MAX 4 /* of one resource */
#define DRBD_PEERS_MAX 7

#define DIRS_MAX 48
#define MARKER_ID_MAX 47

/* How looking went. */
enum inventory_state {
	INVENTORY_NONE = 0,    /* the tool, or the kernel's part, is not there */
	INVENTORY_SEEN = 1,
	INVENTORY_UNKNOWN = 2, /* could not be looked at; what is shown is old */
	INVENTORY_STUCK = 3,   /* a tool hangs and cannot be ended; what is shown is old */
	INVENTORY_BLIND = 4,   /* nobody looks: the daemon has no hand */
	INVENTORY_STATES
};

/* ---- LVM ---- */

enum lv_kind {
	LV_LINEAR = 0, /* or striped: plain room */
	LV_POOL = 1,   /* a thin pool */
	LV_THIN = 2,
	LV_SNAPSHOT = 3, /* classic, with its own room */
	LV_OTHER = 4,    /* raid, cache, mirror …: shown, not handled */
	LV_KINDS
};

struct lvm_uuid {
	char text[LVM_UUID_SIZE + 1];
};

struct lvm_group {
	char name[VOLUME_NAME_MAX + 1];
	struct lvm_uuid uuid;
	uint64_t size, free, extent;
	uint32_t device_count, missing; /* PVs, and of them not found */
	bool partial, exported, read_only;
	char tags[LVM_TAGS_MAX + 1];
};

struct lvm_device {
	char path[DEVICE_PATH_MAX + 1]; /* "[unknown]" if missing */
	struct lvm_uuid uuid;
	uint32_t group; /* position among the groups; LVM_NO_GROUP: in none */
	uint64_t size, free;
	bool missing, duplicate;
	char other[DEVICE_PATH_MAX + 1]; /* duplicate: where it is seen again */
};

struct lvm_volume {
	char name[VOLUME_NAME_MAX + 1];
	struct lvm_uuid uuid;
	uint32_t group; /* as above; on a page: position in the page's own list */
	enum lv_kind kind;
	uint64_t size;
	bool active, open, read_only, sick; /* sick: partial, invalid snapshot, needs check … */
	bool state_unknown;                 /* without device-mapper nobody can say active or open */
	int32_t data_fill, metadata_fill;
	char origin[VOLUME_NAME_MAX + 1], pool[VOLUME_NAME_MAX + 1];
	char tags[LVM_TAGS_MAX + 1];
};

/* All that one look brought. */
struct lvm_seen {
	uint32_t group_count, device_count, volume_count, more;
	struct lvm_group groups[LVM_GROUPS_MAX];
	struct lvm_device devices[LVM_DEVICES_MAX];
	struct lvm_volume volumes[LVM_VOLUMES_MAX];
};

struct lvm_head {
	enum inventory_state state;
	instant since_wall; /* unknown, stuck: since when */
	uint32_t page_count, volume_count, more;
	uint32_t group_count, device_count;
	struct lvm_group groups[LVM_GROUPS_MAX];
	struct lvm_device devices[LVM_DEVICES_MAX];
};

/* A group's name and uuid, repeated on each page, so that a page is understood by itself. */
struct lvm_page_group {
	char name[VOLUME_NAME_MAX + 1];
	struct lvm_uuid uuid;
};

struct lvm_page {
	uint32_t group_count, volume_count, more;
	struct lvm_page_group groups[LVM_GROUPS_MAX];
	struct lvm_volume volumes[LVM_PAGE_VOLUMES_MAX];
};

/* ---- DRBD ---- */

/* What the kernel's log said last of how a connection ended; a later word of it being up again clears it. */
enum drbd_word {
	DRBD_SAID_NOTHING = 0,
	DRBD_SAID_SPLIT_BRAIN = 1,
	DRBD_SAID_UNRELATED = 2,
	DRBD_SAID_AUTHENTICATION = 3,
	DRBD_SAID_OPTIONS = 4,
	DRBD_SAID_WORDS
};

/* One data generation: current, bitmap and two older ones, as the kernel has them (lowest bit: role). */
struct drbd_generation {
	bool known;
	uint64_t current, bitmap, older[2];
};

struct drbd_volume {
	uint32_t number, minor;
	char disk[DRBD_WORD_MAX + 1]; /* "UpToDate" */
	uint64_t size;
	bool open;
	char backing[DEVICE_PATH_MAX + 1]; /* "" unknown */
	struct drbd_generation generation;
};

/* This side's view of one volume at one peer. */
struct drbd_peer_volume {
	uint32_t number;
	char replication[DRBD_WORD_MAX + 1]; /* "Established" */
	char disk[DRBD_WORD_MAX + 1];        /* the peer's, as we believe */
	uint64_t out_of_sync;
	int32_t done; /* of a resync or verify; -1: none runs */
	bool suspended;
};

struct drbd_peer {
	uint32_t node_id;                    /* DRBD's own number, not ours */
	enum drbd_word said;
	uint64_t options;                    /* hash of what both sides must agree on; 0: unknown */
	char local[ADDRESS_TEXT_SIZE];       /* our own of this connection; "" unknown */
	char name[DRBD_NAME_MAX + 1];        /* "" while StandAlone on 8.4 */
	char address[ADDRESS_TEXT_SIZE];     /* the peer's; "" unknown */
	char connection[DRBD_WORD_MAX + 1];  /* "Connected" */
	char role[DRBD_WORD_MAX + 1];
	uint32_t volume_count;
	struct drbd_peer_volume volumes[DRBD_VOLUMES_MAX];
};

struct drbd_resource {
	char name[DRBD_NAME_MAX + 1];
	char role[DRBD_WORD_MAX + 1];
	bool suspended;
	uint32_t volume_count, peer_count;
	struct drbd_volume volumes[DRBD_VOLUMES_MAX];
	struct drbd_peer peers[DRBD_PEERS_MAX];
};

struct drbd_seen {
	uint32_t resource_count, more;
	struct drbd_resource resources[DRBD_RESOURCES_MAX];
};

struct drbd_head {
	enum inventory_state state;
	instant since_wall;
	char version[DRBD_WORD_MAX + 1]; /* of the kernel's module */
	uint32_t page_count, resource_count, more;
};

struct drbd_page {
	uint32_t resource_count, more;
	struct drbd_resource resources[DRBD_PAGE_RESOURCES_MAX];
};

/* ---- folders and pools ---- */

enum dir_kind { DIR_FOLDER = 0, DIR_NFS = 1, DIR_ZFS = 2, DIR_KINDS };

struct dir_seen {
	enum dir_kind kind;
	char storage[NAME_MAX_SIZE + 1];  /* the declared storage it was looked at for */
	char path[DEVICE_PATH_MAX + 1];   /* zfs: the pool's name */
	char source[DEVICE_PATH_MAX + 1]; /* what is mounted there: "server:/export", a device; "" none */
	enum inventory_state state;       /* NONE: no such path; STUCK: stale, it hangs */
	instant since_wall;
	bool mounted, writable;
	uint64_t size, free;              /* free in steps of a hundredth of the size */
	char marker[MARKER_ID_MAX + 1];   /* zfs: the pool's guid; "" none */
	char health[DRBD_WORD_MAX + 1];   /* zfs: "ONLINE" */
};

struct dirs_seen {
	uint32_t count;
	struct dir_seen list[DIRS_MAX];
};

/* ---- pages ---- */

/* How many pages so many things get: a power of two that changes rarely. `now` is what they have. */
uint32_t lvm_pages_for(uint32_t volumes, uint32_t now);
uint32_t drbd_pages_for(uint32_t resources, uint32_t now);
uint32_t lvm_page_of(const struct lvm_uuid *uuid, uint32_t pages);
uint32_t drbd_page_of(const char *resource, uint32_t pages);

/* Those of what was seen that belong to `page`, in order of group and name (resources: of name). */
void lvm_page_take(const struct lvm_seen *seen, uint32_t pages, uint32_t page, struct lvm_page *out);
void drbd_page_take(const struct drbd_seen *seen, uint32_t pages, uint32_t page,
                    struct drbd_page *out);

/* "lvm/3"; `out` holds FACT_KEY_MAX + 1. */
void page_key(const char *fact, uint32_t page, char out[FACT_KEY_MAX + 1]);
/* Is that the key of such a page, and of which? */
bool page_key_parse(struct bytes key, const char *fact, uint32_t *out);

/*
 * Each encode returns the size, 0 if it does not fit (pages that page_take made and that are too big
 * are cut by lvm_page_encode itself, the rest counted in `more`). `scratch` holds the parts meanwhile:
 * INVENTORY_SCRATCH bytes are always enough.
 */
#define INVENTORY_SCRATCH (1024 * 1024)
size_t lvm_head_encode(const struct lvm_head *in, struct arena *scratch, uint8_t *out, size_t room);
size_t lvm_page_encode(const struct lvm_page *in, struct arena *scratch, uint8_t *out, size_t room);
size_t drbd_head_encode(const struct drbd_head *in, struct arena *scratch, uint8_t *out, size_t room);
size_t drbd_page_encode(const struct drbd_page *in, struct arena *scratch, uint8_t *out, size_t room);
size_t dirs_encode(const struct dirs_seen *in, struct arena *scratch, uint8_t *out, size_t room);

/* `arena` holds the parts while decoding; nothing of *out points into it. */
bool lvm_head_decode(struct bytes in, struct arena *arena, struct lvm_head *out);
bool lvm_page_decode(struct bytes in, struct arena *arena, struct lvm_page *out);
bool drbd_head_decode(struct bytes in, struct arena *arena, struct drbd_head *out);
bool drbd_page_decode(struct bytes in, struct arena *arena, struct drbd_page *out);
bool dirs_decode(struct bytes in, struct arena *arena, struct dirs_seen *out);

const char *inventory_state_name(enum inventory_state state);
const char *lv_kind_name(enum lv_kind kind);

#endif
