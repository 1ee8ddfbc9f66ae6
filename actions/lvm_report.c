/*
 * What LVM's report and its warnings mean.
 */
#include "lvm.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* ---- one value ---- */

static const char *text_of(const json_t *row, const char *key)
{
	const char *text = json_string_value(json_object_get(row, key));
	return text == NULL ? "" : text;
}

/* Printable ASCII, cut at its room: LVM's own names are nothing else. */
static void take_text(const json_t *row, const char *key, char *out, size_t room)
{
	const char *in = text_of(row, key);
	size_t at = 0;
	for (; in[at] != '\0' && at < room - 1; at++)
		out[at] = in[at] > ' ' && in[at] < 127 ? in[at] : '?';
	memset(out + at, 0, room - at);
}

/* Digits with an optional B behind; anything else is 0. */
static uint64_t take_bytes(const json_t *row, const char *key)
{
	uint64_t value = 0;
	for (const char *p = text_of(row, key); *p >= '0' && *p <= '9'; p++) {
		if (value > (UINT64_MAX - 9) / 10)
			return 0;
		value = value * 10 + (uint64_t)(*p - '0');
	}
	return value;
}

/* "12.34" as 1234; -1 if there is none. */
static int32_t take_percent(const json_t *row, const char *key)
{
	const char *p = text_of(row, key);
	int32_t value = 0;
	if (*p < '0' || *p > '9')
		return -1;
	for (; *p >= '0' && *p <= '9' && value < 1000; p++)
		value = value * 10 + (*p - '0');
	value *= 100;
	if (*p == '.' && p[1] >= '0' && p[1] <= '9') {
		value += 10 * (p[1] - '0');
		if (p[2] >= '0' && p[2] <= '9')
			value += p[2] - '0';
	}
	return value > 10000 ? 10000 : value;
}

static void uuid_from(const char *in, struct lvm_uuid *out)
{
	size_t at = 0;
	for (; *in != '\0' && *in != '.' && at < LVM_UUID_SIZE; in++) { /* warnings end in a full stop */
		if (*in != '-')
			out->text[at++] = *in > ' ' && *in < 127 ? *in : '?';
	}
	memset(out->text + at, 0, sizeof out->text - at);
}

/* ---- rows ---- */

static uint32_t group_named(struct lvm_seen *seen, const char *name)
{
	if (name[0] == '\0')
		return LVM_NO_GROUP;
	for (uint32_t i = 0; i < seen->group_count; i++) {
		if (strcmp(seen->groups[i].name, name) == 0)
			return i;
	}
	if (seen->group_count == LVM_GROUPS_MAX)
		return LVM_NO_GROUP;
	return seen->group_count++;
}

static uint32_t take_group(const json_t *row, struct lvm_seen *seen)
{
	struct lvm_group group;
	memset(&group, 0, sizeof group);
	take_text(row, "vg_name", group.name, sizeof group.name);
	uuid_from(text_of(row, "vg_uuid"), &group.uuid);
	uint32_t at = group_named(seen, group.name);
	if (at == LVM_NO_GROUP) {
		seen->more += group.name[0] != '\0';
		return at;
	}
	const char *attributes = text_of(row, "vg_attr");
	size_t size = strlen(attributes);
	group.size = take_bytes(row, "vg_size");
	group.free = take_bytes(row, "vg_free");
	group.extent = take_bytes(row, "vg_extent_size");
	group.missing = (uint32_t)take_bytes(row, "vg_missing_pv_count");
	group.read_only = size > 0 && attributes[0] == 'r';
	group.exported = size > 2 && attributes[2] == 'x';
	group.partial = size > 3 && attributes[3] == 'p';
	take_text(row, "vg_tags", group.tags, sizeof group.tags);
	seen->groups[at] = group;
	return at;
}

/* Rows of lvs and pvs name their group; those of a full report lie in its object. */
static uint32_t group_of(const json_t *row, struct lvm_seen *seen, uint32_t within)
{
	char name[VOLUME_NAME_MAX + 1];
	if (within != LVM_NO_GROUP || json_object_get(row, "vg_name") == NULL)
		return within;
	take_text(row, "vg_name", name, sizeof name);
	uint32_t at = group_named(seen, name);
	if (at != LVM_NO_GROUP)
		memcpy(seen->groups[at].name, name, sizeof name);
	return at;
}

static void take_device(const json_t *row, uint32_t within, struct lvm_seen *seen)
{
	if (seen->device_count == LVM_DEVICES_MAX) {
		seen->more++;
		return;
	}
	struct lvm_device *d = &seen->devices[seen->device_count++];
	const char *attributes = text_of(row, "pv_attr");
	memset(d, 0, sizeof *d);
	take_text(row, "pv_name", d->path, sizeof d->path);
	uuid_from(text_of(row, "pv_uuid"), &d->uuid);
	d->group = group_of(row, seen, within);
	d->size = take_bytes(row, "pv_size");
	d->free = take_bytes(row, "pv_free");
	d->missing = text_of(row, "pv_missing")[0] != '\0' || strchr(attributes, 'm') != NULL;
	d->duplicate = text_of(row, "pv_duplicate")[0] != '\0' || attributes[0] == 'd';
	if (d->group != LVM_NO_GROUP)
		seen->groups[d->group].device_count++;
}

static enum lv_kind kind_of(char type)
{
	switch (type) {
	case '-':
	case 'o': /* something is a snapshot of it */
		return LV_LINEAR;
	case 't':
		return LV_POOL;
	case 'V':
		return LV_THIN;
	case 's':
		return LV_SNAPSHOT;
	default:
		return LV_OTHER;
	}
}

/* lvs(8): the ten letters of lv_attr. Letters 5 and 6 are X where nobody can be asked. */
static void take_attributes(const char *letters, struct lvm_volume *v)
{
	char a[10] = "----------";
	memcpy(a, letters, strlen(letters) < sizeof a ? strlen(letters) : sizeof a);
	v->kind = kind_of(a[0]);
	v->read_only = a[1] == 'r' || a[1] == 'R';
	v->state_unknown = a[4] == 'X';
	v->active = strchr("asISMmc", a[4]) != NULL;
	v->open = a[5] == 'o';
	v->sick = strchr("ISMmcC", a[4]) != NULL || (a[8] != '-' && a[8] != 'X');
}

static void take_volume(const json_t *row, uint32_t within, struct lvm_seen *seen)
{
	if (seen->volume_count == LVM_VOLUMES_MAX) {
		seen->more++;
		return;
	}
	struct lvm_volume *v = &seen->volumes[seen->volume_count++];
	memset(v, 0, sizeof *v);
	take_text(row, "lv_name", v->name, sizeof v->name);
	uuid_from(text_of(row, "lv_uuid"), &v->uuid);
	v->group = group_of(row, seen, within);
	v->size = take_bytes(row, "lv_size");
	take_attributes(text_of(row, "lv_attr"), v);
	v->data_fill = take_percent(row, "data_percent");
	v->metadata_fill = take_percent(row, "metadata_percent");
	take_text(row, "origin", v->origin, sizeof v->origin);
	take_text(row, "pool_lv", v->pool, sizeof v->pool);
	take_text(row, "lv_tags", v->tags, sizeof v->tags);
}

/* ---- the report ---- */

static void take_report(const json_t *report, struct lvm_seen *seen)
{
	const json_t *groups = json_object_get(report, "vg");
	const json_t *devices = json_object_get(report, "pv");
	const json_t *volumes = json_object_get(report, "lv");
	uint32_t within = LVM_NO_GROUP;
	for (size_t i = 0; i < json_array_size(groups); i++) {
		uint32_t at = take_group(json_array_get(groups, i), seen);
		if (devices != NULL || volumes != NULL)
			within = at;
	}
	for (size_t i = 0; i < json_array_size(devices); i++)
		take_device(json_array_get(devices, i), within, seen);
	for (size_t i = 0; i < json_array_size(volumes); i++)
		take_volume(json_array_get(volumes, i), within, seen);
}

/* Groups may have been named by rows before their own row came; so order is made at the end. */
static int by_group_and_name(const void *one, const void *other)
{
	const struct lvm_volume *a = one, *b = other;
	if (a->group != b->group)
		return a->group < b->group ? -1 : 1;
	return strcmp(a->name, b->name);
}

/* ---- the warnings ---- */

/* "WARNING: Not using device /dev/sdb for PV UUID." */
static void take_duplicate(const char *line, struct lvm_seen *seen)
{
	static const char first[] = "Not using device ", second[] = " for PV ";
	char path[DEVICE_PATH_MAX + 1] = "";
	struct lvm_uuid uuid;
	const char *from = strstr(line, first);
	const char *to = from == NULL ? NULL : strstr(from, second);
	if (to == NULL)
		return;
	from += sizeof first - 1;
	size_t size = to > from ? (size_t)(to - from) : 0;
	if (size > DEVICE_PATH_MAX)
		size = DEVICE_PATH_MAX;
	for (size_t i = 0; i < size; i++)
		path[i] = from[i] > ' ' && from[i] < 127 ? from[i] : '?';
	uuid_from(to + sizeof second - 1, &uuid);
	for (uint32_t i = 0; i < seen->device_count; i++) {
		if (strcmp(seen->devices[i].uuid.text, uuid.text) != 0)
			continue;
		seen->devices[i].duplicate = true;
		memcpy(seen->devices[i].other, path, sizeof path);
	}
}

static void take_warnings(struct bytes err, struct lvm_seen *seen)
{
	char line[512];
	size_t used = 0;
	for (size_t i = 0; i <= err.size; i++) {
		if (i < err.size && err.data[i] != '\n') {
			if (used < sizeof line - 1 && err.data[i] != '\0')
				line[used++] = (char)err.data[i];
			continue;
		}
		line[used] = '\0';
		take_duplicate(line, seen);
		used = 0;
	}
}

int lvm_report_parse(struct bytes out, struct bytes err, struct lvm_seen *seen, struct error *error)
{
	json_error_t why;
	json_t *root = json_loadb((const char *)out.data, out.size, 0, &why);
	const json_t *reports = json_object_get(root, "report");
	memset(seen, 0, sizeof *seen);
	if (!json_is_array(reports)) {
		json_decref(root);
		return error_set(error, -EBADMSG, "the report of 'lvm' cannot be read: %s",
		                 root == NULL ? why.text : "it has no 'report'");
	}
	for (size_t i = 0; i < json_array_size(reports); i++)
		take_report(json_array_get(reports, i), seen);
	json_decref(root);
	qsort(seen->volumes, seen->volume_count, sizeof seen->volumes[0], by_group_and_name);
	take_warnings(err, seen);
	return 0;
}
