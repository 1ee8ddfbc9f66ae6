/*
 * arguments.h: the packed lists of registry.h: arguments, locks, and memos.
 *
 * Invariants
 *   1. A list that was only written by these functions is legal; *_legal says whether one that came
 *      from elsewhere is (ended by NUL, a name before each '=').
 *   2. Adding what does not fit changes nothing and returns false.
 */
#ifndef ESSAIM_ARGUMENTS_H
#define ESSAIM_ARGUMENTS_H

#include "registry.h"

bool arguments_add(struct arguments *list, const char *name, const char *value);
/* The value of the first argument of that name; NULL: not given. */
const char *arguments_get(const struct arguments *list, const char *name);
/* Walks them: start with *cursor = 0. `name` is cut to its size. */
bool arguments_next(const struct arguments *list, uint32_t *cursor, char name[NAME_MAX_SIZE + 1],
                    const char **value);
bool arguments_legal(const struct arguments *list);

/* `waits`: who finds it taken waits in the queue; else it is refused. */
bool locks_add(struct lock_list *list, bool waits, const char *name);
bool locks_next(const struct lock_list *list, uint32_t *cursor, bool *waits, const char **name);
bool locks_legal(const struct lock_list *list);

/* Sets NAME=VALUE in a memo, in place of an earlier one. Neither holds a newline. */
bool memo_set(char memo[OPERATION_MEMO_MAX + 1], const char *name, const char *value);
/* False: not there. `out` is cut at size. */
bool memo_get(const char *memo, const char *name, char *out, size_t size);

#endif
