/*
 * observe_peers.h: which of our clock comparisons are worth telling.
 *
 * Each peer's offset is told as an interval on a coarse grid; it is told again only when what is
 * measured has left what was told, or when a comparison became much sharper. With more peers than a
 * fact holds, the sharpest are told.
 */
#ifndef ESSAIM_OBSERVE_PEERS_H
#define ESSAIM_OBSERVE_PEERS_H

#include "facts.h"
#include "gossip.h"

/* Fills the peers of `out` from what the mind measured. */
void peers_observe(const struct gossip *g, const struct now *now, struct clock_fact *out);

/* Is anything of `fresh` not within what `told` said? */
bool peers_differ(const struct clock_fact *told, const struct clock_fact *fresh);

#endif
