/*
 * volume_plan.h: which volume a command means, on which node, and what the steps are told of it.
 *
 *     STORAGE/NAME, --node --volume_place_*--> storage, node, row --volume_plan--> target, locks, memo
 *
 * The memo: kind=files|lvm|thin, path= or group= (and pool=), name=, tag=, size=; new= is the name that a
 * renamed volume or a snapshot gets. Steps read nothing else, so they do the same after any crash.
 */
#ifndef ESSAIM_VOLUME_PLAN_H
#define ESSAIM_VOLUME_PLAN_H

#include "storage_rows.h"
#include "volume_rows.h"

struct volume_place {
	struct storage_row storage;
	struct engine_member node; /* who does it */
	struct volume_row volume;
	uint64_t version;
};

/* A volume to be made: only where and how it is called is filled. 0, or -errno with why not. */
int volume_place_new(const struct plan_context *context, struct volume_place *out, struct step_why *why);
/* One that is recorded. */
int volume_place_of(const struct plan_context *context, struct volume_place *out, struct step_why *why);
/* "20G", and for one that is there "+5G": bytes, larger than it was (0: it is new). */
int volume_size(const char *text, uint64_t was, uint64_t *out, struct step_why *why);
/* May the new name be taken there? */
int volume_name_free(const struct engine_view *view, const struct volume_place *place, const char *name,
                     struct step_why *why);

/* Target, locks, subject and memo; `also` NULL, or the second name that it is about. */
int volume_plan(const struct volume_place *place, const char *also, uint64_t size, struct operation_plan *out,
                struct step_why *why);

/* The row of the volume that a planned operation is about, as it is now. */
bool volume_of(const struct step_context *context, struct volume_row *out, uint64_t *version);

#endif
