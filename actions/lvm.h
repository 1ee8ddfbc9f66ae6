/*
 * lvm.h: what LVM is asked, word by word, and what its report means. Pure.
 *
 *     lvm_report_call --runner--> stdout (JSON), stderr (warnings) --lvm_report_parse--> struct lvm_seen
 *     lvm_create_call, lvm_extend_call …: one change each, sizes in whole extents
 *
 * Invariants
 *   1. Every call that may open a device carries a filter of its own: what lies below DRBD and what is known to hang is
 *      never opened. A path that cannot be put into a filter makes the call `overflow`, so that it is
 *      not run, rather than run without it.
 *   2. Nothing is shrunk: there is no word for it here.
 *   3. The parser takes any bytes: it refuses them with a sentence or fills *out within its limits.
 *      All numbers are texts ("33554432", "33554432B", "12.50"); unknown keys are passed over.
 *
 * The filter. LVM asks each of a device's names: one accept wins over a reject of another name. So
 * ours is a list of rejects without any accept, and stands alone in its option: in global_filter if
 * lvm.conf has none there, else in filter (both must let a device pass). With a devices file both are
 * ignored, so that is switched off for our calls.
 *
 * Sources: lvm2 2.03.16 filter-regex.c, lvm.conf(5), lvmreport(7), lvs(8) for lv_attr.
 */
#ifndef ESSAIM_LVM_H
#define ESSAIM_LVM_H

#include "error.h"
#include "inventory.h"
#include "verb.h"

#define LVM_REJECTS_MAX 64

struct lvm_filter {
	uint32_t reject_count;
	char rejects[LVM_REJECTS_MAX][DEVICE_PATH_MAX + 1];
	bool global_taken; /* lvm.conf has a global_filter of its own */
	bool without_kernel; /* no device-mapper here: metadata only, nothing is activated or zeroed */
};

/* Once. False: the list is full, or it is no path of a device. */
bool lvm_filter_reject(struct lvm_filter *filter, const char *path);

/* ---- looking ---- */

void lvm_report_call(const struct lvm_filter *filter, struct command_line *out);
/* Does lvm.conf say global_filter? Its stdout has "global_filter=" if so; it fails if not. */
void lvm_config_call(struct command_line *out);

/* 0, or -EBADMSG with a sentence. What is beyond the limits is counted in out->more. */
int lvm_report_parse(struct bytes out, struct bytes err, struct lvm_seen *seen,
                     struct error *error);

/* ---- changing ---- */

struct lvm_create {
	const char *group, *name;
	uint64_t extents;     /* plain room, or of a classic snapshot; 0: `bytes`, which LVM rounds up */
	const char *pool;     /* thin: in this pool, `bytes` large */
	uint64_t bytes;
	const char *origin;   /* a snapshot of it; with `thin` it shares its pool and has no size */
	bool thin;
	const char *tag;      /* NULL: none */
	bool inactive;        /* not activated */
};

void lvm_create_call(const struct lvm_filter *filter, const struct lvm_create *create,
                     struct command_line *out);
/* To so many extents in all: done twice, the second fails without effect. */
void lvm_extend_call(const struct lvm_filter *filter, const char *group, const char *name,
                     uint64_t extents, struct command_line *out);
void lvm_rename_call(const struct lvm_filter *filter, const char *group, const char *from,
                     const char *to, struct command_line *out);
void lvm_remove_call(const struct lvm_filter *filter, const char *group, const char *name,
                     struct command_line *out);
void lvm_activate_call(const struct lvm_filter *filter, const char *group, const char *name,
                       bool active, struct command_line *out);

/* ---- what an operation made is known by its tag ---- */

/* Those of the group with that tag, and those whose origin is called `origin` (NULL: not asked). JSON. */
void lvm_tagged_call(const struct lvm_filter *filter, const char *group, const char *tag, const char *origin,
                     struct command_line *out);
/* How much is free in the group, and in which portions. JSON. */
void lvm_room_call(const struct lvm_filter *filter, const char *group, struct command_line *out);
/* To so many bytes, rounded up by LVM. Has it them already, it fails without effect. */
void lvm_grow_call(const struct lvm_filter *filter, const char *group, const char *name, uint64_t bytes,
                   struct command_line *out);
/* Removes what has that tag; nothing has: done, too. */
void lvm_remove_tagged_call(const struct lvm_filter *filter, const char *group, const char *tag,
                            struct command_line *out);

/* Whole extents that hold so many bytes; 0 if that is beyond what a number holds or extent is 0. */
uint64_t lvm_extents(uint64_t bytes, uint64_t extent);

/* A volume's or group's name that LVM takes. 0 or -EINVAL with a sentence. */
int lvm_name_check(const char *name, struct error *error);

#endif
