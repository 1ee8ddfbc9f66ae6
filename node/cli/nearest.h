/*
 * nearest.h: what a mistyped word probably meant.
 */
#ifndef ESSAIM_CLI_NEAREST_H
#define ESSAIM_CLI_NEAREST_H

#include <stddef.h>

/* The candidate with the fewest changes to `word`; NULL if none is near enough to be a slip. */
const char *nearest(const char *word, const char *const *candidates, size_t count);

#endif
