/*
 * clocks.h: what a node says of another's clock is true, and whom the doctor accuses is guilty.
 *
 * The world tells the true readings of every clock at each look; from them follows who is guilty: who
 * lies, whose clocks were stepped or ran at another rate lately (samples may be older than that), or
 * whose wall clock is far from the middle of all.
 *
 * Invariants
 *   1. Between two innocents an offset lies within its stated bound of the true one, always.
 *   2. While most of those that were compared are innocent, no innocent is accused.
 */
#ifndef ESSAIM_CHECK_CLOCKS_H
#define ESSAIM_CHECK_CLOCKS_H

#include "violation.h"

#define CLOCKS_NODES_MAX 64

struct clocks_node {
	bool liar;
	instant at, wall;     /* true time, and its wall clock then */
	instant disturbed_at; /* NEVER: not yet */
	bool guilty;          /* as of the last clocks_judge */
};

struct clocks_check {
	uint32_t count;
	struct clocks_node nodes[CLOCKS_NODES_MAX];
	uint64_t judged, named; /* offsets; accusations of the guilty */
};

void clocks_check_init(struct clocks_check *c, uint32_t nodes);
/* A look: the reading of each node's clock and whether one of its clocks was stepped or got another rate since
 * the look before, then judge; then what nodes say. */
void clocks_truth(struct clocks_check *c, uint32_t node, instant at, instant wall, bool touched);
void clocks_lies(struct clocks_check *c, uint32_t node);
void clocks_judge(struct clocks_check *c, instant at);

void clocks_offset(struct clocks_check *c, struct violations *v, uint32_t viewer, uint32_t about,
                   duration offset, duration error);
/* `compared`: a bit for each node whose clock the viewer compared, itself too. True: a guilty one. */
bool clocks_accused(struct clocks_check *c, struct violations *v, uint32_t viewer, uint32_t about,
                    uint64_t compared);

#endif
