/*
 * settings.h: what the cluster agreed on besides its members: rows 's' + name (proto/setting.h has
 * the table of names and legal values).
 *
 * Invariants
 *   1. The master refuses an unknown name or an illegal value before anything is appended; applying
 *      looks at neither, because builds with other tables must agree.
 *   2. Whatever a row holds, a reader gets a legal value: what this build cannot read counts as not
 *      set.
 *   3. "level" (level.h) is a row of the same table, and no setting: nobody puts it by hand.
 */
#ifndef ESSAIM_SETTINGS_H
#define ESSAIM_SETTINGS_H

#include "gossip.h"
#include "ledger.h"
#include "setting.h"

#define SETTING_VALUE_ROOM 256 /* of a committed text: later builds may know longer ones */

/* The committed value, else the standard one; for `profile` that of the configuration. */
int64_t settings_number(const struct gossip *g, enum setting setting);

/* Is this COMMAND_SETTING_PUT legal? 0, or a negative errno and the sentence to refuse it with. */
int settings_check(const struct command *command, struct error *error);
enum outcome settings_apply(struct gossip *g, uint64_t index, const struct command *command);

#endif
