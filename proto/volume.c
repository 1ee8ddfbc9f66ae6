#include "volume.h"

#include <stdio.h>
#include <string.h>

bool volume_name_legal(const char *name)
{
	static const char legal[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+_.-";
	size_t size = strnlen(name, VOLUME_TITLE_MAX + 1);
	return size > 0 && size <= VOLUME_TITLE_MAX && name[0] != '-' && name[0] != '.' &&
	       strspn(name, legal) == size;
}

bool volume_row_legal(const struct volume_row *row)
{
	size_t tag = strnlen(row->tag, VOLUME_TAG_MAX + 1);
	return storage_name_legal(row->storage) && volume_name_legal(row->name) && row->size > 0 &&
	       row->size % VOLUME_UNIT == 0 && tag > 0 && tag <= VOLUME_TAG_MAX &&
	       (row->origin[0] == '\0' || volume_name_legal(row->origin));
}

void volume_tag(const struct operation_row *making, char out[VOLUME_TAG_MAX + 1])
{
	struct storage_id id;
	char text[STORAGE_ID_TEXT];
	storage_id_make(making, &id);
	storage_id_text(&id, text);
	snprintf(out, VOLUME_TAG_MAX + 1, "essaim-%llu-%.16s", (unsigned long long)making->number, text);
}

size_t volume_key(const char *storage, const char *name, node_id node, char out[VOLUME_KEY_MAX + 1])
{
	int size = snprintf(out, VOLUME_KEY_MAX + 1, "%.63s/%.100s", storage, name);
	if (node != 0)
		size += snprintf(out + size, VOLUME_KEY_MAX + 1 - (size_t)size, "@%016llx", (unsigned long long)node);
	return (size_t)size;
}
