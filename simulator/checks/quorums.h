/*
 * quorums.h: any majority of a config meets any majority of the config it was made from.
 *
 * A config (ballot, version) is made from the one of the same ballot and the version before (R1), or
 * is a rewriting, under a new ballot, of one that exists in the same version with the same voters.
 * Source: Ongaro's thesis, 4.1 (one server at a time); lease.md R1-R4.
 */
#ifndef ESSAIM_CHECK_QUORUMS_H
#define ESSAIM_CHECK_QUORUMS_H

#include "violation.h"

#define QUORUMS_KEPT 512

struct quorums {
	uint32_t count; /* seen; the latest QUORUMS_KEPT are kept */
	struct config list[QUORUMS_KEPT];
};

/* True if every majority of `a` has a voter in common with every majority of `b`. */
bool quorums_meet(const struct config *a, const struct config *b);

/* `node` adopted this config. */
void quorums_report(struct quorums *q, struct violations *v, instant at, uint32_t node,
                    const struct config *config);

#endif
