/*
 * volume_room.c: where a volume group seems to have too little room, how much is missing, and what would make it.
 *
 *     the node's own facts say "too little" -> vgs (they may be old) -> missing: the largest volume of somebody
 *     else's that holds as much -> what lies on it (blkid) -> how small it could be (resize2fs -P) -> refused, with
 *     the commands in order
 *
 * Nothing of this is run where the facts say that there is room, so it costs a usual operation nothing; and nothing
 * is ever made smaller here: the commands are for people. Volumes that were made here are left out: the ledger
 * knows their sizes, and they never shrink.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "inventory.h"
#include "lvm.h"
#include "programs.h"
#include "volume_steps.h"

static _Alignas(16) uint8_t scratch[INVENTORY_SCRATCH];
static struct lvm_head head; /* both large, and used for the length of one call */
static struct lvm_page page;

static bool group_of(CONTEXT, char *out, size_t size)
{
	return memo_get(context->memo, "group", out, size);
}

static const struct lvm_group *own_group(CONTEXT)
{
	struct arena arena = {scratch, sizeof scratch, 0};
	char group[VOLUME_NAME_MAX + 1];
	struct bytes value;
	if (!group_of(context, group, sizeof group) || !lvm_own_fact(context, FACT_KEY_LVM, &value) ||
	    !lvm_head_decode(value, &arena, &head))
		return NULL;
	for (uint32_t i = 0; i < head.group_count; i++) {
		if (strcmp(head.groups[i].name, group) == 0)
			return &head.groups[i];
	}
	return NULL;
}

/* More than it has now. */
static uint64_t needed(CONTEXT, uint64_t extent)
{
	uint64_t size = lvm_extents(volume_memo_number(context, "size"), extent) * extent;
	uint64_t actual = volume_memo_number(context, "actual");
	return size > actual ? size - actual : 0;
}

CHECK(room_doubtful)
{
	const struct lvm_group *group = volume_memo_is(context, "kind", "lvm") ? own_group(context) : NULL;
	return group == NULL || group->extent == 0 || needed(context, group->extent) <= group->free ? STEP_SKIP : STEP_OK;
}

BUILD(room_ask)
{
	struct lvm_filter filter;
	char group[VOLUME_NAME_MAX + 1];
	if (!group_of(context, group, sizeof group) || !lvm_own_filter(context, &filter, why))
		return false;
	lvm_room_call(&filter, group, out);
	return true;
}

/* ---- who could give it ---- */

static bool could_give(const struct lvm_volume *v, const char *group, uint64_t missing)
{
	return v->kind == LV_LINEAR && !v->sick && v->group < page.group_count && v->size > missing &&
	       strcmp(page.groups[v->group].name, group) == 0 && strstr(v->tags, "essaim-") == NULL;
}

/* The largest, into the memo. False: there is none. */
static bool choose(CONTEXT, const char *group, uint64_t missing)
{
	char key[FACT_KEY_MAX + 1], text[24];
	struct bytes value;
	uint64_t most = 0;
	for (uint32_t i = 0; i < LVM_PAGES_MAX; i++) {
		struct arena arena = {scratch, sizeof scratch, 0};
		page_key(FACT_KEY_LVM, i, key);
		if (!lvm_own_fact(context, key, &value) || !lvm_page_decode(value, &arena, &page))
			continue;
		for (uint32_t k = 0; k < page.volume_count; k++) {
			const struct lvm_volume *v = &page.volumes[k];
			if (v->size > most && could_give(v, group, missing) && memo_set(context->memo, "give", v->name))
				most = v->size;
		}
	}
	snprintf(text, sizeof text, "%llu", (unsigned long long)most);
	return most > 0 && memo_set(context->memo, "had", text);
}

/* ---- saying it ---- */

static enum step_verdict say_missing(CONTEXT, const char *more, struct step_why *why)
{
	char group[VOLUME_NAME_MAX + 1] = "";
	unsigned long long missing = volume_memo_number(context, "missing"), free = volume_memo_number(context, "free");
	group_of(context, group, sizeof group);
	return verdict_why(why, STEP_FAILED, "'%s' has too little room: %llu bytes are needed, %llu are free, %llu are missing. %s"
	                   "With another disk of more than %llu bytes: pvcreate /dev/DISK; vgextend %s /dev/DISK", group,
	                   missing + free, free, missing, more, missing, group);
}

static bool giver(CONTEXT, char *out, size_t size)
{
	char group[VOLUME_NAME_MAX + 1], name[VOLUME_NAME_MAX + 1];
	out[0] = '\0';
	if (!group_of(context, group, sizeof group) || !memo_get(context->memo, "give", name, sizeof name))
		return false;
	snprintf(out, size, "/dev/%s/%s", group, name);
	return true;
}

static uint64_t json_bytes(const json_t *row, const char *key)
{
	const char *text = json_string_value(json_object_get(row, key));
	uint64_t value = 0;
	for (; text != NULL && *text >= '0' && *text <= '9'; text++)
		value = value * 10 + (uint64_t)(*text - '0');
	return value;
}

JUDGE(room_told)
{
	char group[VOLUME_NAME_MAX + 1] = "", text[24];
	json_error_t error;
	json_t *all = result->code != 0 ? NULL : json_loadb((const char *)result->out.data, result->out.size, 0, &error);
	json_t *row = json_array_get(json_object_get(json_array_get(json_object_get(all, "report"), 0), "vg"), 0);
	uint64_t free = json_bytes(row, "vg_free"), extent = json_bytes(row, "vg_extent_size");
	json_decref(all);
	if (extent == 0 || needed(context, extent) <= free)
		return STEP_OK; /* the facts were old, or nobody can say: LVM itself will */
	uint64_t missing = needed(context, extent) - free;
	snprintf(text, sizeof text, "%llu", (unsigned long long)missing);
	memo_set(context->memo, "missing", text);
	snprintf(text, sizeof text, "%llu", (unsigned long long)free);
	memo_set(context->memo, "free", text);
	group_of(context, group, sizeof group);
	return choose(context, group, missing) ? STEP_OK : say_missing(context, "", why);
}

CHECK(room_missing)
{
	return volume_memo_number(context, "missing") > 0 ? STEP_OK : STEP_SKIP;
}

/* ---- what lies there ---- */

BUILD(room_signature)
{
	char path[2 * VOLUME_NAME_MAX + 8];
	bool good = giver(context, path, sizeof path);
	out->program = PROGRAM_SIGNATURES;
	command_word(out, "-p");
	command_word(out, "-o");
	command_word(out, "export");
	command_word(out, "%s", path);
	return good;
}

/* The value of a line "KEY=VALUE"; "" if there is none. */
static void value_of(const struct command_result *result, const char *key, char *out, size_t size)
{
	const char *at = result->code == 0 && result->out.size > 0 ? (const char *)result->out.data : NULL;
	size_t length = strlen(key);
	out[0] = '\0';
	for (; at != NULL && *at != '\0'; at = strchr(at, '\n'), at = at == NULL ? NULL : at + 1) {
		if (strncmp(at, key, length) == 0 && at[length] == '=')
			snprintf(out, size, "%.*s", (int)strcspn(at + length + 1, "\n"), at + length + 1);
	}
}

JUDGE(room_looked)
{
	char type[24], block[24], path[2 * VOLUME_NAME_MAX + 8], more[2 * VOLUME_NAME_MAX + 160];
	value_of(result, "TYPE", type, sizeof type);
	value_of(result, "BLOCK_SIZE", block, sizeof block);
	giver(context, path, sizeof path);
	if (strncmp(type, "ext", 3) == 0 && block[0] != '\0' && memo_set(context->memo, "block", block))
		return STEP_OK;
	if (strcmp(type, "xfs") == 0)
		snprintf(more, sizeof more, "The largest volume there, %s, holds xfs, which cannot be made smaller. ", path);
	else
		snprintf(more, sizeof more, "What lies on the largest volume there, %s (%s), is nothing that is made smaller by a "
		         "known way. ", path, type[0] != '\0' ? type : "unknown");
	return say_missing(context, more, why);
}

BUILD(room_minimum)
{
	char path[2 * VOLUME_NAME_MAX + 8];
	bool good = giver(context, path, sizeof path);
	out->program = PROGRAM_EXT_MINIMUM;
	command_word(out, "-P");
	command_word(out, "%s", path);
	return good;
}

/* "Estimated minimum size of the filesystem: 2052" blocks. 0: it does not say. */
static uint64_t minimum_of(CONTEXT, const struct command_result *result)
{
	static const char before[] = "minimum size of the filesystem: ";
	const char *at = result->code == 0 && result->out.size > 0 ? strstr((const char *)result->out.data, before) : NULL;
	uint64_t blocks = 0;
	for (at = at == NULL ? "" : at + strlen(before); *at >= '0' && *at <= '9'; at++)
		blocks = blocks * 10 + (uint64_t)(*at - '0');
	return blocks * volume_memo_number(context, "block");
}

JUDGE(room_computed)
{
	char path[2 * VOLUME_NAME_MAX + 8], more[5 * (2 * VOLUME_NAME_MAX + 8) + 200];
	uint64_t least = minimum_of(context, result), had = volume_memo_number(context, "had");
	uint64_t left = had - volume_memo_number(context, "missing");
	giver(context, path, sizeof path);
	if (least == 0)
		snprintf(more, sizeof more, "How small the file system on %s could be was not to be learnt. ", path);
	else if (least > left)
		snprintf(more, sizeof more, "The largest volume there, %s, needs at least %llu of its %llu bytes: it cannot give so "
		         "much. ", path, (unsigned long long)least, (unsigned long long)had);
	else
		snprintf(more, sizeof more, "%s can give them; unused, and after a backup: umount %s; e2fsck -f %s; resize2fs %s %lluK; "
		         "lvreduce -L %llub %s. ", path, path, path, path, (unsigned long long)(left / 1024),
		         (unsigned long long)left, path);
	return say_missing(context, more, why);
}
