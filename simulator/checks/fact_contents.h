/*
 * fact_contents.h: a fact is everywhere what its owner made it; whoever relays it alters nothing.
 *
 * One (owner, incarnation, version, key) has one content. The first content seen counts, and an
 * owner is asked before the others.
 */
#ifndef ESSAIM_CHECK_FACTS_H
#define ESSAIM_CHECK_FACTS_H

#include "violation.h"

struct fact_seen {
	uint64_t name; /* hash of owner, incarnation, version, key; 0: free */
	uint64_t content;
	uint32_t by;
};

struct facts_check {
	struct fact_seen *table; /* open addressing, a power of two */
	uint64_t capacity, count;
};

void facts_report(struct facts_check *f, struct violations *v, instant at, uint32_t node,
                  uint64_t name, uint64_t content);
void facts_check_finish(struct facts_check *f);

#endif
