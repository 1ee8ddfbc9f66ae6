/*
 * storage_rows.h: the ledger's storages, as verbs look at them; and from a command's words to a row.
 */
#ifndef ESSAIM_STORAGE_ROWS_H
#define ESSAIM_STORAGE_ROWS_H

#include "storage.h"
#include "verb.h"

/* False: there is none of that name. `version` may be NULL. */
bool storage_find(const struct engine_view *view, const char *name, struct storage_row *out,
                  uint64_t *version);
/* Walks them; start with *cursor = 0. */
bool storage_next(const struct engine_view *view, uint32_t *cursor, struct storage_row *out);

/* From the arguments of `storage add`, without its id. 0, or -errno with why not. */
int storage_row_from(const struct engine_view *view, const struct arguments *arguments,
                     struct storage_row *out, struct step_why *why);
/* "a,b" or "all" into the row. 0, or -errno. */
int storage_take_nodes(const struct engine_view *view, const char *list, struct storage_row *out,
                       struct step_why *why);
/* Do two storages claim the same place on one node? */
bool storage_same_place(const struct storage_row *a, const struct storage_row *b);

/* One change of a storage's row; false: no room. `row` NULL: it is deleted. */
bool storage_change(struct verb_changes *changes, const char *name, const struct storage_row *row,
                    uint64_t expected);

/* Steps that find and make the marker of a shared folder (storage_mark.c), and what they need said. */
#define STORAGE_MARK_STEPS 2
extern const struct verb_step storage_mark_steps[STORAGE_MARK_STEPS];
/* The node that marks: one of the storage's that answers, best `from` itself. 0: none does. */
node_id storage_marker_node(const struct engine_view *view, const struct storage_row *row, node_id from);
/* The id that the steps found or made. */
void storage_marked_id(const struct step_context *context, struct storage_id *out);
/* What the plan tells the steps; without it there is nothing to mark. False: it does not fit. */
bool storage_mark_memo(char memo[OPERATION_MEMO_MAX + 1], const struct storage_row *row, bool adopt);

#endif
