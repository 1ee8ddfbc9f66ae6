/*
 * near_names.h: which members' names a mistyped name may have meant.
 */
#ifndef ESSAIM_NEAR_NAMES_H
#define ESSAIM_NEAR_NAMES_H

#include "gossip.h"

#define NEAR_NAMES_MAX 3
#define NEAR_NAMES_TEXT (NEAR_NAMES_MAX * (NAME_MAX_SIZE + 5) + 1)

/* Insertions, deletions and replaced letters from one name to the other. */
uint32_t name_distance(const char *a, const char *b);

/* "'n2', 'n12' or 'n3'": members that are not gone, the nearest first; "" if none is near. */
void near_names(const struct gossip *g, const struct now *now, const char *name,
                char out[NEAR_NAMES_TEXT]);

#endif
