/*
 * quorum.h: majorities. Small and pure, so that it can be enumerated exhaustively.
 */
#ifndef ESSAIM_QUORUM_H
#define ESSAIM_QUORUM_H

#include "words.h"

/* More than half. */
uint32_t quorum_needed(uint32_t voters);
uint32_t quorum_count(uint32_t mask);
bool quorum_reached(uint32_t mask, uint32_t voters);
/* The highest index that a majority's `match` covers; 0 for no voters. count <= VOTERS_MAX. */
uint64_t quorum_index(const uint64_t *match, uint32_t count);

#endif
