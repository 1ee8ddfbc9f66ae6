/*
 * volume_lvm.c: the volumes' steps on LVM.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "inventory.h"
#include "lvm.h"
#include "programs.h"
#include "volume_steps.h"

/* ---- what is kept from LVM: what lies below DRBD, and what of DRBD's cannot be read ---- */

static _Alignas(16) uint8_t scratch[INVENTORY_SCRATCH];
static struct drbd_page page; /* large, and used for the length of one call */

bool lvm_own_fact(CONTEXT, const char *key, struct bytes *out)
{
	struct fact_view fact;
	struct bytes name = {(const uint8_t *)key, strlen(key)};
	if (context->view->fact == NULL || !context->view->fact(context->view->context, context->self, name, &fact))
		return false;
	*out = fact.value;
	return out->data != NULL;
}

static bool reject_resource(const struct drbd_resource *r, struct lvm_filter *filter)
{
	char path[32];
	bool all = true;
	for (uint32_t i = 0; i < r->volume_count; i++) {
		if (r->volumes[i].backing[0] == '/')
			all = lvm_filter_reject(filter, r->volumes[i].backing) && all;
		if (strcmp(r->role, "Primary") == 0 && !r->suspended)
			continue;
		snprintf(path, sizeof path, "/dev/drbd%u", r->volumes[i].minor);
		all = lvm_filter_reject(filter, path) && all;
	}
	return all;
}

/* The page of that number, if there is one. */
static bool drbd_page_read(CONTEXT, uint32_t number)
{
	char key[FACT_KEY_MAX + 1];
	struct bytes value;
	struct arena arena = {scratch, sizeof scratch, 0};
	page_key(FACT_KEY_DRBD, number, key);
	return lvm_own_fact(context, key, &value) && drbd_page_decode(value, &arena, &page);
}

/* False: not everything fits, and then nothing is to be run. */
static bool filter_of(CONTEXT, struct lvm_filter *filter)
{
	bool all = true;
	memset(filter, 0, sizeof *filter);
	filter->global_taken = volume_memo_is(context, "global", "yes");
	for (uint32_t i = 0; i < DRBD_PAGES_MAX; i++) {
		if (!drbd_page_read(context, i))
			continue;
		for (uint32_t k = 0; k < page.resource_count; k++)
			all = reject_resource(&page.resources[k], filter) && all;
	}
	return all;
}

bool lvm_own_filter(CONTEXT, struct lvm_filter *filter, struct step_why *why)
{
	if (filter_of(context, filter))
		return true;
	verdict_why(why, STEP_FAILED, "there is more below DRBD than can be kept from LVM, so it is not run");
	return false;
}

CHECK(lvm_asks_config)
{
	struct lvm_filter filter;
	if (lvm_only(context, why) == STEP_SKIP)
		return STEP_SKIP;
	return filter_of(context, &filter) && filter.reject_count == 0 ? STEP_SKIP : STEP_OK;
}

BUILD(lvm_config)
{
	lvm_config_call(out);
	return true;
}

JUDGE(lvm_configured)
{
	bool taken = result->code == 0 && result->out.size > 0 &&
	             strstr((const char *)result->out.data, "global_filter=") != NULL;
	memo_set(context->memo, "global", taken ? "yes" : "no");
	return STEP_OK;
}

/* ---- common ---- */

struct words {
	char group[VOLUME_NAME_MAX + 1], name[VOLUME_TITLE_MAX + 1], other[VOLUME_TITLE_MAX + 1];
	char tag[VOLUME_TAG_MAX + 1], own[VOLUME_TAG_MAX + 1], pool[VOLUME_NAME_MAX + 1];
	struct lvm_filter filter;
};

static bool read_words(CONTEXT, struct words *w, struct step_why *why)
{
	w->other[0] = w->tag[0] = w->pool[0] = '\0';
	if (!memo_get(context->memo, "group", w->group, sizeof w->group) || !memo_get(context->memo, "name", w->name, sizeof w->name)) {
		verdict_why(why, STEP_FAILED, "its plan does not say what it is about");
		return false;
	}
	memo_get(context->memo, "new", w->other, sizeof w->other);
	memo_get(context->memo, "tag", w->tag, sizeof w->tag);
	memo_get(context->memo, "pool", w->pool, sizeof w->pool);
	volume_tag(context->operation, w->own);
	return lvm_own_filter(context, &w->filter, why);
}

CHECK(lvm_only)
{
	return volume_memo_is(context, "kind", "files") ? STEP_SKIP : STEP_OK;
}

/* ---- what the tool says of one volume ---- */

struct seen {
	bool there, open;
	char name[VOLUME_NAME_MAX + 1];
	uint64_t size;
	char snapshots[120]; /* of it, with commas */
};

static uint64_t number_of(const char *text)
{
	uint64_t value = 0;
	for (; *text >= '0' && *text <= '9'; text++)
		value = value * 10 + (uint64_t)(*text - '0');
	return value;
}

static const char *text_of(const json_t *row, const char *key)
{
	const char *text = json_string_value(json_object_get(row, key));
	return text == NULL ? "" : text;
}

/* Is `tag` one of those in "a,b"? */
static bool tagged(const char *tags, const char *tag)
{
	size_t size = strlen(tag);
	for (const char *at = tags; (at = strstr(at, tag)) != NULL; at += size) {
		if ((at == tags || at[-1] == ',') && (at[size] == ',' || at[size] == '\0'))
			return true;
	}
	return false;
}

static void take_row(const json_t *row, const char *tag, struct seen *out)
{
	if (tagged(text_of(row, "lv_tags"), tag)) {
		out->there = true;
		out->open = strcmp(text_of(row, "lv_device_open"), "open") == 0;
		out->size = number_of(text_of(row, "lv_size"));
		snprintf(out->name, sizeof out->name, "%.127s", text_of(row, "lv_name"));
		return;
	}
	size_t used = strlen(out->snapshots);
	snprintf(out->snapshots + used, sizeof out->snapshots - used, "%s%s", used == 0 ? "" : ", ", text_of(row, "lv_name"));
}

/* False: it is no answer. */
static bool read_seen(const struct command_result *result, const char *tag, struct seen *out)
{
	json_error_t error;
	memset(out, 0, sizeof *out);
	if (result->end != COMMAND_EXITED || result->code != 0 || result->truncated || result->out.size == 0)
		return false;
	json_t *all = json_loadb((const char *)result->out.data, result->out.size, 0, &error);
	json_t *list = json_object_get(json_array_get(json_object_get(all, "report"), 0), "lv");
	for (size_t i = 0; i < json_array_size(list); i++)
		take_row(json_array_get(list, i), tag, out);
	bool good = list != NULL;
	json_decref(all);
	return good;
}

/* ---- looking ---- */

BUILD(lvm_look)
{
	struct words w;
	if (!read_words(context, &w, why))
		return false;
	lvm_tagged_call(&w.filter, w.group, w.tag, w.name, out);
	return true;
}

JUDGE(lvm_looked)
{
	struct words w;
	struct seen seen;
	char text[24];
	if (!read_words(context, &w, why))
		return STEP_FAILED;
	if (!read_seen(result, w.tag, &seen))
		return volume_failed(result, why, STEP_FAILED);
	if (!seen.there)
		return verdict_why(why, STEP_FAILED, "'%s' has no volume with the tag '%s' any more: it was removed by hand", w.group,
		                   w.tag);
	if (strcmp(seen.name, w.name) != 0)
		return verdict_why(why, STEP_FAILED, "it was renamed by hand: lvrename %s %s %s", w.group, seen.name, w.name);
	snprintf(text, sizeof text, "%llu", (unsigned long long)seen.size);
	memo_set(context->memo, "actual", text);
	memo_set(context->memo, "open", seen.open ? "yes" : "no");
	if (seen.snapshots[0] != '\0')
		memo_set(context->memo, "snapshots", seen.snapshots);
	return STEP_OK;
}

/* ---- in use ---- */

/* Which of DRBD's resources lies on it? */
static bool below_drbd(CONTEXT, const char *path, char resource[DRBD_NAME_MAX + 1])
{
	for (uint32_t i = 0; i < DRBD_PAGES_MAX; i++) {
		for (uint32_t k = 0; drbd_page_read(context, i) && k < page.resource_count; k++) {
			const struct drbd_resource *r = &page.resources[k];
			for (uint32_t v = 0; v < r->volume_count; v++) {
				if (strcmp(r->volumes[v].backing, path) == 0) {
					memcpy(resource, r->name, DRBD_NAME_MAX + 1);
					return true;
				}
			}
		}
	}
	return false;
}

static bool device_path(CONTEXT, char *out, size_t size)
{
	char group[VOLUME_NAME_MAX + 1], name[VOLUME_TITLE_MAX + 1];
	out[0] = '\0';
	if (memo_get(context->memo, "group", group, sizeof group) && memo_get(context->memo, "name", name, sizeof name))
		snprintf(out, size, "/dev/%s/%s", group, name);
	return out[0] != '\0';
}

CHECK(lvm_unused)
{
	char path[VOLUME_NAME_MAX + VOLUME_TITLE_MAX + 8], resource[DRBD_NAME_MAX + 1], snapshots[160];
	if (lvm_only(context, why) == STEP_SKIP || !device_path(context, path, sizeof path))
		return STEP_SKIP;
	if (below_drbd(context, path, resource))
		return verdict_why(why, STEP_FAILED, "it is in use: the DRBD resource '%s' lies on it: essaim drbd show %s", resource,
		                   resource);
	bool own = volume_memo_is(context, "kind", "lvm"); /* those of a thin pool stand by themselves */
	if (own && memo_get(context->memo, "snapshots", snapshots, sizeof snapshots))
		return verdict_why(why, STEP_FAILED, "it is in use: its snapshots would go with it (%s): remove them first", snapshots);
	return volume_memo_is(context, "open", "yes") ? STEP_OK : STEP_SKIP;
}

BUILD(lvm_mounts)
{
	char path[VOLUME_NAME_MAX + VOLUME_TITLE_MAX + 8];
	device_path(context, path, sizeof path);
	out->program = PROGRAM_MOUNTS;
	command_word(out, "--noheadings");
	command_word(out, "--output");
	command_word(out, "TARGET");
	command_word(out, "--source");
	command_word(out, "%s", path);
	return true;
}

JUDGE(lvm_mounted)
{
	char path[VOLUME_NAME_MAX + VOLUME_TITLE_MAX + 8];
	const char *where = result->out.size > 0 ? (const char *)result->out.data : "";
	device_path(context, path, sizeof path);
	if (result->code == 0 && where[0] == '/')
		return verdict_why(why, STEP_FAILED, "it is in use: mounted at %.*s", (int)strcspn(where, "\n"), where);
	return verdict_why(why, STEP_FAILED, "it is in use: a process or a device above has it open: fuser -v %s; lsblk %s", path,
	                   path);
}

/* ---- making ---- */

BUILD(lvm_make)
{
	struct words w;
	if (!read_words(context, &w, why))
		return false;
	struct lvm_create create = {.group = w.group, .name = w.name, .tag = w.own,
		.pool = w.pool[0] != '\0' ? w.pool : NULL, .bytes = volume_memo_number(context, "size"),
		.inactive = step_argument(context, "inactive") != NULL};
	lvm_create_call(&w.filter, &create, out);
	return true;
}

BUILD(lvm_snapshot)
{
	struct words w;
	if (!read_words(context, &w, why))
		return false;
	struct lvm_create create = {.group = w.group, .name = w.other, .tag = w.own, .origin = w.name,
		.thin = w.pool[0] != '\0', .bytes = volume_memo_number(context, "room")};
	lvm_create_call(&w.filter, &create, out);
	return true;
}

/* Behind `before` in what the tool said; 0: it did not say so. */
static uint64_t said_number(const char *text, const char *before)
{
	const char *at = strstr(text, before);
	return at == NULL ? 0 : number_of(at + strlen(before));
}

static uint64_t extent_of(CONTEXT, const char *group)
{
	static struct lvm_head head;
	struct arena arena = {scratch, sizeof scratch, 0};
	struct bytes value;
	if (!lvm_own_fact(context, FACT_KEY_LVM, &value) || !lvm_head_decode(value, &arena, &head))
		return 0;
	for (uint32_t i = 0; i < head.group_count; i++) {
		if (strcmp(head.groups[i].name, group) == 0)
			return head.groups[i].extent;
	}
	return 0;
}

/* LVM's two ways of saying that there is too little room, in extents. False: it said neither. */
static bool no_room(const char *text, uint64_t *needed, uint64_t *available)
{
	const char *at = strstr(text, "extents): ");
	*available = said_number(text, "insufficient free space (");
	if (at != NULL && strstr(text, "insufficient free space (") != NULL) {
		*needed = number_of(at + strlen("extents): "));
		return *needed > *available;
	}
	*needed = said_number(text, "Insufficient free space: ");
	*available = said_number(text, "but only ");
	return *needed > *available;
}

static enum step_verdict say_room(CONTEXT, const char *group, uint64_t needed, uint64_t available, struct step_why *why)
{
	uint64_t extent = extent_of(context, group);
	unsigned long long missing = needed - available;
	if (extent == 0)
		return verdict_why(why, STEP_FAILED, "'%s' has too little room: %llu extents are needed, %llu are free, %llu are missing",
		                   group, (unsigned long long)needed, (unsigned long long)available, missing);
	return verdict_why(why, STEP_FAILED, "'%s' has too little room: %llu bytes are needed, %llu are free, %llu are missing. "
	                   "With another disk of at least %llu bytes: pvcreate /dev/DISK; vgextend %s /dev/DISK", group,
	                   (unsigned long long)(needed * extent), (unsigned long long)(available * extent), missing * extent,
	                   (missing + 1) * extent, group);
}

JUDGE(lvm_made)
{
	char group[VOLUME_NAME_MAX + 1];
	uint64_t needed, available;
	const char *said = result->err.size > 0 ? (const char *)result->err.data : "";
	if (result->end == COMMAND_EXITED && result->code == 0)
		return STEP_OK;
	if (result->end == COMMAND_EXITED && no_room(said, &needed, &available)) {
		memo_get(context->memo, "group", group, sizeof group);
		return say_room(context, group, needed, available, why);
	}
	return volume_failed(result, why, STEP_UNCERTAIN);
}

BUILD(lvm_find)
{
	struct words w;
	if (!read_words(context, &w, why))
		return false;
	lvm_tagged_call(&w.filter, w.group, w.own, NULL, out);
	return true;
}

JUDGE(lvm_found)
{
	struct seen seen;
	char tag[VOLUME_TAG_MAX + 1];
	volume_tag(context->operation, tag);
	if (!read_seen(result, tag, &seen))
		return volume_failed(result, why, STEP_UNCERTAIN);
	return seen.there ? STEP_THERE : STEP_ABSENT;
}

BUILD(lvm_unmake)
{
	struct words w;
	if (!read_words(context, &w, why))
		return false;
	lvm_remove_tagged_call(&w.filter, w.group, w.own, out);
	return true;
}

/* ---- growing ---- */

CHECK(lvm_too_small)
{
	if (lvm_only(context, why) == STEP_SKIP)
		return STEP_SKIP;
	return volume_memo_number(context, "actual") >= volume_memo_number(context, "size") ? STEP_SKIP : STEP_OK;
}

BUILD(lvm_grow)
{
	struct words w;
	if (!read_words(context, &w, why))
		return false;
	lvm_grow_call(&w.filter, w.group, w.name, volume_memo_number(context, "size"), out);
	return true;
}

BUILD(lvm_find_old)
{
	struct words w;
	if (!read_words(context, &w, why))
		return false;
	lvm_tagged_call(&w.filter, w.group, w.tag, NULL, out);
	return true;
}

static bool see_old(CONTEXT, const struct command_result *result, struct seen *out)
{
	char tag[VOLUME_TAG_MAX + 1];
	return memo_get(context->memo, "tag", tag, sizeof tag) && read_seen(result, tag, out);
}

JUDGE(lvm_has_size)
{
	struct seen seen;
	if (!see_old(context, result, &seen))
		return volume_failed(result, why, STEP_UNCERTAIN);
	return seen.there && seen.size >= volume_memo_number(context, "size") ? STEP_THERE : STEP_ABSENT;
}

/* ---- renaming ---- */

BUILD(lvm_rename)
{
	struct words w;
	if (!read_words(context, &w, why))
		return false;
	lvm_rename_call(&w.filter, w.group, w.name, w.other, out);
	return true;
}

BUILD(lvm_rename_back)
{
	struct words w;
	if (!read_words(context, &w, why))
		return false;
	lvm_rename_call(&w.filter, w.group, w.other, w.name, out);
	return true;
}

JUDGE(lvm_is_renamed)
{
	struct seen seen;
	char name[VOLUME_TITLE_MAX + 1];
	if (!see_old(context, result, &seen) || !memo_get(context->memo, "new", name, sizeof name))
		return volume_failed(result, why, STEP_UNCERTAIN);
	return seen.there && strcmp(seen.name, name) == 0 ? STEP_THERE : STEP_ABSENT;
}

/* ---- removing ---- */

BUILD(lvm_remove)
{
	struct words w;
	if (!read_words(context, &w, why))
		return false;
	lvm_remove_tagged_call(&w.filter, w.group, w.tag, out);
	return true;
}

JUDGE(lvm_is_gone)
{
	struct seen seen;
	if (!see_old(context, result, &seen))
		return volume_failed(result, why, STEP_UNCERTAIN);
	return seen.there ? STEP_ABSENT : STEP_THERE;
}
