#include "storage.h"

#include <stdio.h>
#include <string.h>

#include "checksum.h"

/* ---- types ---- */

static const struct {
	const char *name;
	bool path, source, group, pool;
} types[STORAGE_TYPES] = {
	[STORAGE_DIR] = {"dir", .path = true},
	[STORAGE_NFS] = {"nfs", .path = true, .source = true},
	[STORAGE_ZFS] = {"zfs", .pool = true},
	[STORAGE_LVM] = {"lvm", .group = true},
	[STORAGE_LVM_THIN] = {"lvm-thin", .group = true, .pool = true},
	[STORAGE_DRBD_LVM] = {"drbd-lvm", .source = true, .group = true},
};

static bool known(uint32_t type)
{
	return type >= STORAGE_DIR && type < STORAGE_TYPES;
}

const char *storage_type_name(enum storage_type type)
{
	return known(type) ? types[type].name : "?";
}

bool storage_type_parse(const char *text, enum storage_type *out)
{
	for (uint32_t i = STORAGE_DIR; i < STORAGE_TYPES; i++) {
		if (strcmp(text, types[i].name) == 0) {
			*out = (enum storage_type)i;
			return true;
		}
	}
	return false;
}

bool storage_has_path(enum storage_type type)
{
	return known(type) && types[type].path;
}

bool storage_has_source(enum storage_type type)
{
	return known(type) && types[type].source;
}

bool storage_has_group(enum storage_type type)
{
	return known(type) && types[type].group;
}

bool storage_has_pool(enum storage_type type)
{
	return known(type) && types[type].pool;
}

/* ---- what is legal ---- */

static bool plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
	       c == '_' || c == '.' || c == '+';
}

static bool word_legal(const char *text, const char *also, size_t max)
{
	size_t size = strnlen(text, max + 1);
	if (size == 0 || size > max || text[0] == '-' || text[0] == '.')
		return false;
	for (size_t i = 0; i < size; i++) {
		if (!plain(text[i]) && strchr(also, text[i]) == NULL)
			return false;
	}
	return true;
}

bool storage_name_legal(const char *name)
{
	return word_legal(name, "", NAME_MAX_SIZE);
}

/* Absolute, no "." or ".." on the way, no doubled or last '/', nothing that spoils a terminal. */
static bool path_legal(const char *path)
{
	size_t size = strnlen(path, DEVICE_PATH_MAX + 1);
	if (size < 2 || size > DEVICE_PATH_MAX || path[0] != '/' || path[size - 1] == '/')
		return false;
	for (size_t i = 0; i < size; i++) {
		if (path[i] < ' ' || path[i] == 0x7f)
			return false;
	}
	return strstr(path, "//") == NULL && strstr(path, "/./") == NULL && strstr(path, "/../") == NULL &&
	       strcmp(path + size - 2, "/.") != 0 && (size < 3 || strcmp(path + size - 3, "/..") != 0);
}

static bool source_legal(const struct storage_row *row)
{
	if (row->type == STORAGE_NFS)
		return word_legal(row->source, ":/[]%@~,", DEVICE_PATH_MAX) && strchr(row->source, ':') != NULL;
	return word_legal(row->source, "", DRBD_NAME_MAX);
}

static bool text_legal(bool has, bool legal, const char *text)
{
	return has ? legal : text[0] == '\0';
}

static bool nodes_legal(const struct storage_row *row)
{
	if (row->node_count > STORAGE_NODES_MAX)
		return false;
	for (uint32_t i = 0; i < row->node_count; i++) {
		if (row->nodes[i] == 0)
			return false;
	}
	return true;
}

bool storage_row_legal(const struct storage_row *row)
{
	if (!known(row->type) || !storage_name_legal(row->name) || !nodes_legal(row))
		return false;
	return text_legal(types[row->type].path, path_legal(row->path), row->path) &&
	       text_legal(types[row->type].source, source_legal(row), row->source) &&
	       text_legal(types[row->type].group, word_legal(row->group, "", VOLUME_NAME_MAX), row->group) &&
	       text_legal(types[row->type].pool,
	                  word_legal(row->pool, row->type == STORAGE_ZFS ? "/:" : "", VOLUME_NAME_MAX), row->pool);
}

bool storage_on(const struct storage_row *row, node_id node)
{
	for (uint32_t i = 0; i < row->node_count; i++) {
		if (row->nodes[i] == node)
			return true;
	}
	return row->node_count == 0;
}

bool storage_marked(const struct storage_row *row)
{
	return row->shared && (row->type == STORAGE_DIR || row->type == STORAGE_NFS);
}

/* ---- names ---- */

static int digit(char c)
{
	return c >= 'a' ? c - 'a' + 10 : c - '0';
}

void storage_id_make(const struct operation_row *adding, struct storage_id *out)
{
	char text[160], sum[SHA256_TEXT_SIZE];
	int size = snprintf(text, sizeof text, "storage %016llx %llu %llu %llu %lld",
	                    (unsigned long long)adding->id.origin, (unsigned long long)adding->id.incarnation,
	                    (unsigned long long)adding->id.sequence, (unsigned long long)adding->number,
	                    (long long)adding->asked_wall);
	sha256_text(text, (size_t)size, sum);
	for (size_t i = 0; i < STORAGE_ID_SIZE; i++)
		out->bytes[i] = (uint8_t)(digit(sum[2 * i]) << 4 | digit(sum[2 * i + 1]));
}

void storage_id_text(const struct storage_id *id, char out[STORAGE_ID_TEXT])
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < STORAGE_ID_SIZE; i++) {
		out[2 * i] = digits[id->bytes[i] >> 4];
		out[2 * i + 1] = digits[id->bytes[i] & 15];
	}
	out[STORAGE_ID_TEXT - 1] = '\0';
}

void storage_lock(const char *storage, char out[STORAGE_LOCK_MAX])
{
	snprintf(out, STORAGE_LOCK_MAX, "storage %.63s", storage);
}

size_t storage_volume_prefix(const char *storage, char out[NAME_MAX_SIZE + 2])
{
	return (size_t)snprintf(out, NAME_MAX_SIZE + 2, "%.63s/", storage);
}

bool storage_volume_path(const struct storage_row *row, const char *volume, char *out, size_t size)
{
	int used = 0;
	out[0] = '\0';
	if (storage_has_path(row->type))
		used = snprintf(out, size, "%s/%s.raw", row->path, volume);
	else if (storage_has_group(row->type))
		used = snprintf(out, size, "/dev/%s/%s", row->group, volume);
	return used >= 0 && (size_t)used < size;
}
