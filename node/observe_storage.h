/*
 * observe_storage.h: what this node sees of its storage, as signed facts (proto/inventory.h).
 *
 *     observe_lvm    fullreport on a timer, at once when LVM's own backup folder changed
 *     observe_drbd   a long-running `events2`, the kernel's log, `show` and `get-gi`; `events2 --now` while
 *                    something is resynchronised
 *     observe_dirs   declared folders, NFS mounts and ZFS pools: each asked every 5 s
 *
 * LVM: 5 s after a change, doubling to 30 s while nothing changes, to 60 s while it fails.
 *
 * Invariants
 *   1. An unchanged machine publishes nothing, and its unchanged report is compared, not parsed.
 *   2. No tool: the fact says there is none. A tool that hangs: the fact says since when, with what
 *      was seen last; it is not sent again into what hangs.
 *   3. LVM is never sent to a device below DRBD.
 *   4. All tools are run by the hand. A daemon without one looks at nothing, and says so.
 */
#ifndef ESSAIM_OBSERVE_STORAGE_H
#define ESSAIM_OBSERVE_STORAGE_H

#include "body.h"
#include "inventory.h"

struct storage_watch;
struct lvm_watch;
struct drbd_watch;
struct dirs_watch;

struct storage_watch *storage_watch_create(struct body *body);
void storage_watch_destroy(struct storage_watch *watch);

/* As last observed; NULL: not yet. */
const struct lvm_head *storage_watch_lvm(const struct storage_watch *watch);
const struct lvm_seen *storage_watch_volumes(const struct storage_watch *watch);
const struct drbd_head *storage_watch_drbd(const struct storage_watch *watch);

/* The parts; `again` is once a second, as a member. `drbd` NULL: what lies below DRBD is not known. */
struct lvm_watch *lvm_watch_create(struct body *body);
void lvm_watch_destroy(struct lvm_watch *watch);
void lvm_watch_again(struct lvm_watch *watch, instant wall, const struct drbd_seen *drbd);
const struct lvm_head *lvm_watch_head(const struct lvm_watch *watch);
const struct lvm_seen *lvm_watch_seen(const struct lvm_watch *watch);

struct drbd_watch *drbd_watch_create(struct body *body);
void drbd_watch_destroy(struct drbd_watch *watch);
void drbd_watch_again(struct drbd_watch *watch, instant wall);
const struct drbd_head *drbd_watch_head(const struct drbd_watch *watch);
/* NULL: DRBD is there, but what it has is not known. */
const struct drbd_seen *drbd_watch_seen(const struct drbd_watch *watch);

struct dirs_watch *dirs_watch_create(struct body *body);
void dirs_watch_destroy(struct dirs_watch *watch);
void dirs_watch_again(struct dirs_watch *watch, instant wall);

/* Publishes, or takes back if size is 0; what is already said so is not said again. */
void inventory_publish(struct body *body, const char *key, const uint8_t *value, size_t size);

#endif
