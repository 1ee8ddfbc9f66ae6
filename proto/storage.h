/*
 * storage.h: a storage as it was declared once for all nodes: the value of a registry row of kind 's'.
 * What a node really has of it stands in its facts (proto/inventory.h); nothing here was observed.
 *
 *     storage add … --> storage_row --encode--> row 's' + its name
 *     volumes of it:     row 'v', volume_key (volume.h): storage_volume_prefix is how it begins
 *
 *     type       path          source           group   pool          a volume is
 *     dir        the folder                                            PATH/NAME.raw
 *     nfs        mounted there SERVER:EXPORT                           PATH/NAME.raw
 *     zfs                                               POOL/DATASET   DATASET/NAME
 *     lvm                                       VG                     /dev/VG/NAME
 *     lvm-thin                                  VG      its thin pool  /dev/VG/NAME
 *     drbd-lvm                 DRBD's resource  VG                     /dev/VG/NAME, at its primary
 *
 * Invariants
 *   1. `id` is given once and never changes: the marker file of a shared folder holds it as text. It is
 *      a hash of the operation that added the storage, so it is the same however often that is tried.
 *   2. Exactly the texts of the table above are set; node_count 0 means all nodes, those to come, too.
 *   3. `shared` is a claim, to be proven by each node: by the marker, the VG's UUID, the DRBD resource.
 *   4. decode refuses whatever is outside of this; decode(encode(x)) == x.
 */
#ifndef ESSAIM_STORAGE_H
#define ESSAIM_STORAGE_H

#include "codec.h"
#include "inventory.h"
#include "registry.h"

#define STORAGE_ID_SIZE 16
#define STORAGE_ID_TEXT (2 * STORAGE_ID_SIZE + 1)
#define STORAGE_NODES_MAX 64
#define STORAGES_MAX DIRS_MAX /* declared: all folders of a node fit its fact */
#define STORAGE_ROW_MAX 2048  /* bytes that each of them fits */
#define STORAGE_LOCK_MAX (NAME_MAX_SIZE + 9)

/* Stored: never renumber. */
enum storage_type {
	STORAGE_DIR = 1,
	STORAGE_NFS = 2,
	STORAGE_ZFS = 3,
	STORAGE_LVM = 4,
	STORAGE_LVM_THIN = 5,
	STORAGE_DRBD_LVM = 6,
	STORAGE_TYPES
};

struct storage_id {
	uint8_t bytes[STORAGE_ID_SIZE];
};

struct storage_row {
	struct storage_id id;
	char name[NAME_MAX_SIZE + 1];
	enum storage_type type;
	bool shared; /* one thing that several nodes reach; else each node has its own of that name */
	char path[DEVICE_PATH_MAX + 1];
	char source[DEVICE_PATH_MAX + 1];
	char group[VOLUME_NAME_MAX + 1];
	char pool[VOLUME_NAME_MAX + 1];
	uint32_t node_count; /* 0: all */
	node_id nodes[STORAGE_NODES_MAX];
};

const char *storage_type_name(enum storage_type type); /* "lvm-thin"; "?" if there is none */
bool storage_type_parse(const char *text, enum storage_type *out);

/* Which of the four texts does a type have? */
bool storage_has_path(enum storage_type type);
bool storage_has_source(enum storage_type type);
bool storage_has_group(enum storage_type type);
bool storage_has_pool(enum storage_type type);

/* A name, and nothing that a shell or a path would take for something else; at most NAME_MAX_SIZE. */
bool storage_name_legal(const char *name);
/* All of invariant 2. */
bool storage_row_legal(const struct storage_row *row);

/* Has it to be on that node? */
bool storage_on(const struct storage_row *row, node_id node);
/* Is it proven to be the same by a marker file with its id? */
bool storage_marked(const struct storage_row *row);

void storage_id_make(const struct operation_row *adding, struct storage_id *out);
void storage_id_text(const struct storage_id *id, char out[STORAGE_ID_TEXT]);

/* "storage NAME": held by whatever changes a storage's row; makers of volumes wait for it ('~'). */
void storage_lock(const char *storage, char out[STORAGE_LOCK_MAX]);
/* "NAME/": how the names of all rows 'v' on that storage begin (no storage's name holds a '/'). */
size_t storage_volume_prefix(const char *storage, char out[NAME_MAX_SIZE + 2]);
/* Where a volume's bytes are: a file or a device; "" for zfs. False: it does not fit. */
bool storage_volume_path(const struct storage_row *row, const char *volume, char *out, size_t size);

size_t storage_row_encode(const struct storage_row *in, uint8_t *out, size_t capacity);
bool storage_row_decode(struct bytes in, struct arena *arena, struct storage_row *out);

#endif
