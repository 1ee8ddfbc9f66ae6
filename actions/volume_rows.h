/*
 * volume_rows.h: the ledger's volumes, as verbs look at them.
 */
#ifndef ESSAIM_VOLUME_ROWS_H
#define ESSAIM_VOLUME_ROWS_H

#include "verb.h"
#include "volume.h"

/* False: there is none. `node` 0: of a shared storage. `version` may be NULL. */
bool volume_find(const struct engine_view *view, const char *storage, const char *name, node_id node,
                 struct volume_row *out, uint64_t *version);
/* Walks them; start with *cursor = 0. */
bool volume_next(const struct engine_view *view, uint32_t *cursor, struct volume_row *out);
/* One change of the row that `row` names; `deleted`: it goes. False: no room. */
bool volume_change(struct verb_changes *changes, const struct volume_row *row, bool deleted, uint64_t expected);

/* "no volume is called 'x' (did you mean 'y'?): essaim volume list shows them"; returns -ENOENT. */
int refuse_unknown_volume(const struct engine_view *view, const char *title, struct step_why *why);

#endif
