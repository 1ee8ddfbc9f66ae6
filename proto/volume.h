/*
 * volume.h: a volume that an operation made: the value of a registry row of kind 'v'.
 *
 *     volume create --> row 'v': volume_key (STORAGE/NAME, and @NODE where each node has a storage of its own)
 *     what is really there: a logical volume with `tag`, or the file PATH/NAME.raw
 *
 * Invariants
 *   1. `size` is what was asked for, to the byte; LVM rounds up to whole extents, so what is there is no smaller.
 *   2. `tag` names the operation that made it, and no other logical volume has it: whatever is changed or
 *      removed is found by it, so a volume of the same name that somebody else made is never touched.
 *   3. decode refuses whatever is outside of this; decode(encode(x)) == x.
 */
#ifndef ESSAIM_VOLUME_H
#define ESSAIM_VOLUME_H

#include "storage.h"

#define VOLUME_TITLE_MAX 100 /* a volume's own name: with storage and node it fits the name of a row */
#define VOLUME_TAG_MAX 47
#define VOLUME_KEY_MAX (NAME_MAX_SIZE + 1 + VOLUME_TITLE_MAX + 17)
#define VOLUME_ROW_MAX 512
#define VOLUME_UNIT 512 /* sizes are multiples of it */

struct volume_row {
	char storage[NAME_MAX_SIZE + 1];
	char name[VOLUME_TITLE_MAX + 1];
	node_id node; /* 0: its storage is shared */
	uint64_t size;
	char tag[VOLUME_TAG_MAX + 1];
	char origin[VOLUME_TITLE_MAX + 1]; /* "", or whose snapshot it is */
	bool sparse;                       /* a file whose room is not taken beforehand */
	uint64_t operation;                /* that made it: for people */
};

bool volume_name_legal(const char *name);
bool volume_row_legal(const struct volume_row *row);

void volume_tag(const struct operation_row *making, char out[VOLUME_TAG_MAX + 1]);
/* The row's name; `node` 0: of a shared storage. */
size_t volume_key(const char *storage, const char *name, node_id node, char out[VOLUME_KEY_MAX + 1]);

size_t volume_row_encode(const struct volume_row *in, uint8_t *out, size_t capacity);
bool volume_row_decode(struct bytes in, struct arena *arena, struct volume_row *out);

#endif
