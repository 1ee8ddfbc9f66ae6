/*
 * volume_steps.h: what the steps of the volumes' verbs do (verb_volume.c puts them in order): to LVM, and to
 * the files of a folder by essaim-files. Each kind's checks skip what is of the other kind.
 *
 *     LVM    made with the operation's tag, and found by that tag ever after: by probes, to remove, to undo
 *     files  made pending under the operation's number, then given their name
 */
#ifndef ESSAIM_VOLUME_STEPS_H
#define ESSAIM_VOLUME_STEPS_H

#include "lvm.h"
#include "volume_plan.h"

#define CONTEXT const struct step_context *context
#define CHECK(name) enum step_verdict name(CONTEXT, struct step_why *why)
#define BUILD(name) bool name(CONTEXT, struct command_line *out, struct step_why *why)
#define JUDGE(name) enum step_verdict name(CONTEXT, const struct command_result *result, struct step_why *why)

/* Is the storage still declared? */
CHECK(volume_declared);
/* The tool's own last line. */
enum step_verdict volume_failed(const struct command_result *result, struct step_why *why, enum step_verdict verdict);
/* Numbers of the memo; 0: none. */
uint64_t volume_memo_number(CONTEXT, const char *name);
bool volume_memo_is(CONTEXT, const char *name, const char *value);

/* ---- volume_lvm.c ---- */

CHECK(lvm_asks_config);  /* only where something has to be kept from LVM */
BUILD(lvm_config);
JUDGE(lvm_configured);
CHECK(lvm_only);
/* Finds it by its tag: memo actual=, open=, snapshots=. */
BUILD(lvm_look);
JUDGE(lvm_looked);
CHECK(lvm_unused);       /* refuses what is in use, by what its node knows; or lets the mounts be looked at */
BUILD(lvm_mounts);
JUDGE(lvm_mounted);
BUILD(lvm_make);
BUILD(lvm_snapshot);
JUDGE(lvm_made);
BUILD(lvm_find);         /* what has the operation's own tag */
JUDGE(lvm_found);
BUILD(lvm_unmake);
CHECK(lvm_too_small);
BUILD(lvm_grow);
BUILD(lvm_find_old);     /* what has the volume's tag */
JUDGE(lvm_has_size);
BUILD(lvm_rename);
BUILD(lvm_rename_back);
JUDGE(lvm_is_renamed);
BUILD(lvm_remove);
JUDGE(lvm_is_gone);

/* What the node that runs it says of itself; false: nothing. */
bool lvm_own_fact(CONTEXT, const char *key, struct bytes *out);
/* What LVM is kept from; false: not everything fits, and then nothing is run. */
bool lvm_own_filter(CONTEXT, struct lvm_filter *filter, struct step_why *why);

/* ---- volume_room.c ---- */

CHECK(room_doubtful);    /* its facts say that there is too little */
BUILD(room_ask);
JUDGE(room_told);        /* memo missing=, free=, give=, had= */
CHECK(room_missing);
BUILD(room_signature);
JUDGE(room_looked);      /* memo block= */
BUILD(room_minimum);
JUDGE(room_computed);    /* always refuses */

/* ---- volume_files.c ---- */

CHECK(files_only);
JUDGE(files_done);
BUILD(files_look);       /* memo inode= */
JUDGE(files_looked);
BUILD(files_make);
BUILD(files_copy);
BUILD(files_state);      /* of the new name, with the operation's number */
JUDGE(files_is_pending);
BUILD(files_drop);
BUILD(files_place);
JUDGE(files_is_placed);
BUILD(files_withdraw);
BUILD(files_grow);
BUILD(files_state_old);
JUDGE(files_has_size);
BUILD(files_rename);
BUILD(files_rename_back);
JUDGE(files_is_renamed);
BUILD(files_take);       /* the volume becomes pending: nobody can open it by its name */
JUDGE(files_is_taken);
BUILD(files_give_back);
BUILD(files_forget);
JUDGE(files_is_gone);

#endif
