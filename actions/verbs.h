/*
 * verbs.h: every verb that is an operation, in one table; each has a file of its own.
 */
#ifndef ESSAIM_VERBS_H
#define ESSAIM_VERBS_H

#include "verb.h"

extern const struct verb_table verbs;

extern const struct verb verb_hook_run; /* hook_run.c */
extern const struct verb verb_storage_add, verb_storage_set, verb_storage_remove; /* verb_storage.c */
extern const struct verb verb_volume_create, verb_volume_extend, verb_volume_rename, verb_volume_snapshot,
    verb_volume_remove; /* verb_volume.c */

#endif
