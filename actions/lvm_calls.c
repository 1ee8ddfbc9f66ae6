/*
 * What LVM is told to do, word by word.
 */
#include "lvm.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "programs.h"

/* A reject of 127 bytes grows by its frame and by [.] for each dot. */
#define FILTER_TEXT_MAX 4096

#define GROUP_FIELDS                                                                               \
	"vg_name,vg_uuid,vg_attr,vg_size,vg_free,vg_extent_size,vg_missing_pv_count,vg_tags"
#define DEVICE_FIELDS "pv_name,pv_uuid,pv_size,pv_free,pv_attr,pv_missing,pv_duplicate"
#define VOLUME_FIELDS                                                                              \
	"lv_name,lv_uuid,lv_size,lv_attr,origin,pool_lv,data_percent,metadata_percent,lv_tags"

/* ---- the filter ---- */

static bool path_fits(const char *path)
{
	size_t size = strlen(path);
	static const char legal[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_.:+-@=,";
	if (size == 0 || size > DEVICE_PATH_MAX || path[0] != '/')
		return false;
	for (size_t i = 0; i < size; i++) {
		if (strchr(legal, path[i]) == NULL)
			return false;
	}
	return true;
}

bool lvm_filter_reject(struct lvm_filter *filter, const char *path)
{
	for (uint32_t i = 0; i < filter->reject_count; i++) {
		if (strcmp(filter->rejects[i], path) == 0)
			return true;
	}
	if (filter->reject_count == LVM_REJECTS_MAX || !path_fits(path))
		return false;
	memcpy(filter->rejects[filter->reject_count++], path, strlen(path) + 1);
	return true;
}

struct writer {
	char text[FILTER_TEXT_MAX];
	size_t used;
	bool overflow;
};

static void put(struct writer *w, const char *text)
{
	size_t size = strlen(text);
	if (size >= sizeof w->text - w->used) {
		w->overflow = true;
		return;
	}
	memcpy(w->text + w->used, text, size + 1);
	w->used += size;
}

/* As a regular expression that means just this path. */
static void put_reject(struct writer *w, const char *path)
{
	put(w, "\"r|^");
	for (const char *p = path; *p != '\0'; p++) {
		char one[4] = {*p, '\0'};
		if (*p == '.' || *p == '+')
			snprintf(one, sizeof one, "[%c]", *p);
		put(w, one);
	}
	put(w, "$|\"");
}

static void put_filter(struct writer *w, const struct lvm_filter *filter)
{
	put(w, filter->global_taken ? "devices/use_devicesfile=0 devices/filter=["
	                            : "devices/use_devicesfile=0 devices/global_filter=[");
	for (uint32_t i = 0; i < filter->reject_count; i++) {
		put(w, i == 0 ? "" : ",");
		put_reject(w, filter->rejects[i]);
	}
	put(w, "]");
}

static void begin(const struct lvm_filter *filter, enum program program, const char *command,
                  struct command_line *out)
{
	struct writer w = {.used = 0};
	memset(out, 0, sizeof *out);
	out->program = program;
	command_word(out, "%s", command);
	if (filter->without_kernel) {
		command_word(out, "--driverloaded");
		command_word(out, "n");
	}
	if (filter->reject_count == 0)
		return;
	put_filter(&w, filter);
	command_word(out, "--config");
	command_word(out, "%s", w.text);
	out->overflow |= w.overflow;
}

/* ---- looking ---- */

static void report_of(struct command_line *out, const char *kind, const char *fields)
{
	command_word(out, "--configreport");
	command_word(out, "%s", kind);
	command_word(out, "-o");
	command_word(out, "%s", fields);
}

void lvm_report_call(const struct lvm_filter *filter, struct command_line *out)
{
	static const char *const words[] = {"--reportformat", "json", "--units", "b", "--nosuffix"};
	begin(filter, PROGRAM_LVM_REPORT, "fullreport", out);
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		command_word(out, "%s", words[i]);
	report_of(out, "vg", GROUP_FIELDS);
	report_of(out, "pv", DEVICE_FIELDS);
	report_of(out, "lv", VOLUME_FIELDS);
	report_of(out, "pvseg", "pvseg_start"); /* cannot be left out, only kept short */
	report_of(out, "seg", "seg_start_pe");
}

void lvm_config_call(struct command_line *out)
{
	memset(out, 0, sizeof *out);
	out->program = PROGRAM_LVM_REPORT;
	command_word(out, "lvmconfig");
	command_word(out, "devices/global_filter");
}

/* ---- changing ---- */

void lvm_create_call(const struct lvm_filter *filter, const struct lvm_create *create,
                     struct command_line *out)
{
	bool inactive = create->inactive || filter->without_kernel;
	begin(filter, PROGRAM_LVM_CHANGE, "lvcreate", out);
	command_word(out, "--yes");
	if (create->tag != NULL) {
		command_word(out, "--addtag");
		command_word(out, "%s", create->tag);
	}
	if (inactive) {
		command_word(out, "-an");
		if (create->origin == NULL && create->pool == NULL)
			command_word(out, "-Zn"); /* zeroing needs the device */
	}
	command_word(out, "-n");
	command_word(out, "%s", create->name);
	if (create->origin != NULL)
		command_word(out, "-s");
	if (create->origin != NULL && create->thin) {
		command_word(out, "-kn"); /* else it is skipped when its group is activated */
	} else if (create->pool != NULL) {
		command_word(out, "-V");
		command_word(out, "%llub", (unsigned long long)create->bytes);
		command_word(out, "-T");
	} else if (create->extents == 0) {
		command_word(out, "-L");
		command_word(out, "%llub", (unsigned long long)create->bytes);
	} else {
		command_word(out, "-l");
		command_word(out, "%llu", (unsigned long long)create->extents);
	}
	if (create->origin != NULL)
		command_word(out, "%s/%s", create->group, create->origin);
	else if (create->pool != NULL)
		command_word(out, "%s/%s", create->group, create->pool);
	else
		command_word(out, "%s", create->group);
}

void lvm_extend_call(const struct lvm_filter *filter, const char *group, const char *name,
                     uint64_t extents, struct command_line *out)
{
	begin(filter, PROGRAM_LVM_CHANGE, "lvextend", out);
	command_word(out, "-l");
	command_word(out, "%llu", (unsigned long long)extents);
	command_word(out, "%s/%s", group, name);
}

void lvm_rename_call(const struct lvm_filter *filter, const char *group, const char *from,
                     const char *to, struct command_line *out)
{
	begin(filter, PROGRAM_LVM_CHANGE, "lvrename", out);
	command_word(out, "%s", group);
	command_word(out, "%s", from);
	command_word(out, "%s", to);
}

void lvm_remove_call(const struct lvm_filter *filter, const char *group, const char *name,
                     struct command_line *out)
{
	begin(filter, PROGRAM_LVM_CHANGE, "lvremove", out);
	command_word(out, "--yes");
	command_word(out, "%s/%s", group, name);
}

void lvm_activate_call(const struct lvm_filter *filter, const char *group, const char *name,
                       bool active, struct command_line *out)
{
	begin(filter, PROGRAM_LVM_CHANGE, "lvchange", out);
	command_word(out, active ? "-ay" : "-an");
	command_word(out, "-K");
	command_word(out, "%s/%s", group, name);
}

/* ---- by tag ---- */

void lvm_tagged_call(const struct lvm_filter *filter, const char *group, const char *tag, const char *origin,
                     struct command_line *out)
{
	static const char *const words[] = {"--reportformat", "json", "--units", "b", "--nosuffix", "-o",
		"lv_name,lv_size,lv_tags,origin,lv_device_open", "-S"};
	begin(filter, PROGRAM_LVM_REPORT, "lvs", out);
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		command_word(out, "%s", words[i]);
	if (origin == NULL)
		command_word(out, "lv_tags=%s", tag);
	else
		command_word(out, "lv_tags=%s||origin=\"%s\"", tag, origin);
	command_word(out, "%s", group);
}

void lvm_room_call(const struct lvm_filter *filter, const char *group, struct command_line *out)
{
	static const char *const words[] = {"--reportformat", "json", "--units", "b", "--nosuffix", "-o",
		"vg_free,vg_extent_size"};
	begin(filter, PROGRAM_LVM_REPORT, "vgs", out);
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		command_word(out, "%s", words[i]);
	command_word(out, "%s", group);
}

void lvm_grow_call(const struct lvm_filter *filter, const char *group, const char *name, uint64_t bytes,
                   struct command_line *out)
{
	begin(filter, PROGRAM_LVM_CHANGE, "lvextend", out);
	command_word(out, "-L");
	command_word(out, "%llub", (unsigned long long)bytes);
	command_word(out, "%s/%s", group, name);
}

void lvm_remove_tagged_call(const struct lvm_filter *filter, const char *group, const char *tag,
                            struct command_line *out)
{
	begin(filter, PROGRAM_LVM_CHANGE, "lvremove", out);
	command_word(out, "--yes");
	command_word(out, "-S");
	command_word(out, "lv_tags=%s", tag);
	command_word(out, "%s", group);
}

/* ---- sizes and names ---- */

uint64_t lvm_extents(uint64_t bytes, uint64_t extent)
{
	if (extent == 0 || bytes > UINT64_MAX - extent)
		return 0;
	return (bytes + extent - 1) / extent;
}

/* lvm(8), VALID NAMES: what LVM calls its own hidden parts. */
static bool reserved(const char *name)
{
	static const char *const starts[] = {"snapshot", "pvmove"};
	static const char *const parts[] = {"_cdata", "_cmeta", "_corig", "_cpool", "_cvol", "_imeta",
		"_iorig", "_mimage", "_mlog", "_pmspare", "_rimage", "_rmeta", "_tdata", "_tmeta", "_vdata",
		"_vorigin", "_wcorig"};
	for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
		if (strncmp(name, starts[i], strlen(starts[i])) == 0)
			return true;
	}
	for (const char *at = strchr(name, '_'); at != NULL; at = strchr(at + 1, '_')) {
		for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
			if (strncmp(at, parts[i], strlen(parts[i])) == 0)
				return true;
		}
	}
	return false;
}

int lvm_name_check(const char *name, struct error *error)
{
	static const char legal[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+_.-";
	size_t size = strlen(name);
	if (size == 0 || size > VOLUME_NAME_MAX)
		return error_set(error, -EINVAL, "a volume's name has 1 to %d characters", VOLUME_NAME_MAX);
	for (size_t i = 0; i < size; i++) {
		if (strchr(legal, name[i]) == NULL)
			return error_set(error, -EINVAL,
			                 "'%s' is no name for a volume: only letters, digits and + _ . - are", name);
	}
	if (name[0] == '-' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return error_set(error, -EINVAL, "'%s' is no name for a volume: choose one that begins with a letter",
		                 name);
	if (reserved(name))
		return error_set(error, -EINVAL, "'%s' is a name that LVM keeps for its own parts", name);
	return 0;
}
