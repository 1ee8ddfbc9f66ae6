#include "volume_rows.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "view_names.h"

#define ARENA_SIZE 2048 /* a row's parts while it is read */

static bool decode(struct bytes value, struct volume_row *out)
{
	_Alignas(16) uint8_t memory[ARENA_SIZE];
	struct arena arena = {memory, sizeof memory, 0};
	return volume_row_decode(value, &arena, out);
}

bool volume_find(const struct engine_view *view, const char *storage, const char *name, node_id node,
                 struct volume_row *out, uint64_t *version)
{
	char key[VOLUME_KEY_MAX + 1];
	struct registry_row row;
	struct bytes name_of = {(const uint8_t *)key, volume_key(storage, name, node, key)};
	if (!view->row(view->context, REGISTRY_VOLUME, name_of, &row))
		return false;
	if (version != NULL)
		*version = row.version;
	return decode(row.bytes, out);
}

bool volume_next(const struct engine_view *view, uint32_t *cursor, struct volume_row *out)
{
	struct registry_row row;
	while (view->next_row(view->context, REGISTRY_VOLUME, cursor, &row)) {
		if (decode(row.bytes, out))
			return true;
	}
	return false;
}

bool volume_change(struct verb_changes *changes, const struct volume_row *row, bool deleted, uint64_t expected)
{
	uint8_t value[VOLUME_ROW_MAX];
	char text[VOLUME_KEY_MAX + 1];
	size_t size = volume_key(row->storage, row->name, row->node, text);
	struct bytes key = changes_keep(changes, (struct bytes){(const uint8_t *)text, size}), bytes = {NULL, 0};
	if (!deleted)
		bytes = changes_keep(changes, (struct bytes){value, volume_row_encode(row, value, sizeof value)});
	if (key.data == NULL || (!deleted && bytes.size == 0) || changes->count == VERB_CHANGES_MAX)
		return false;
	changes->list[changes->count++] = (struct registry_change){
		.row = {.kind = REGISTRY_VOLUME, .name = key, .bytes = bytes}, .deleted = deleted, .expected = expected};
	return true;
}

int refuse_unknown_volume(const struct engine_view *view, const char *title, struct step_why *why)
{
	struct names_near near = {.wanted = title};
	struct volume_row row;
	char other[NAME_MAX_SIZE + VOLUME_TITLE_MAX + 2], meant[NAMES_NEAR_MAX * (NAME_MAX_SIZE + 8) + 24];
	for (uint32_t cursor = 0; volume_next(view, &cursor, &row);) {
		snprintf(other, sizeof other, "%s/%s", row.storage, row.name);
		names_near_offer(&near, other);
	}
	names_near_say(&near, meant, sizeof meant);
	verdict_why(why, STEP_FAILED, "no volume that was made here is called '%.170s'%s: essaim volume list shows them", title,
	            meant);
	return -ENOENT;
}
