/*
 * restore.h: `cluster restore`: a backup comes in line by line and founds the next generation of its
 * cluster on this blank node.
 *
 *     request --> head: RESTORE_BEGIN --> rows: RESTORE_ROW ... --> last line, sum right: RESTORE_END
 *                          \--a line is wrong, the client is gone--> RESTORE_ABANDON
 *
 * Invariant: the mind is told END only if the file is whole by its own checksum, and nothing of it
 * is durable before.
 */
#ifndef ESSAIM_RESTORE_H
#define ESSAIM_RESTORE_H

#include <stdbool.h>

struct body;
struct restore;

/* Has the mind begun, and not been told END or ABANDON? NULL: no. */
bool restore_under_way(const struct restore *restore);
void restore_abandon(struct body *body);
/* The mind has said what came of it: there is nothing to abandon any more. NULL is fine. */
void restore_over(struct restore *restore);

/* The client is gone, or done. NULL is fine. */
void restore_free(struct restore *restore);

#endif
