/*
 * marzullo.h: whose clock is off, from intervals that all claim to hold the same truth.
 *
 * Each member's offset to ours is known as offset +- error. The true time lies where most intervals
 * meet; whose interval misses that place is off. Two that disagree cannot say who it is.
 *
 * Invariants
 *   1. While an interval reaches the place where most meet, its owner is never accused.
 *   2. Without a majority (more than half of all meeting in one place) nobody is accused.
 *
 * Source: Marzullo, "Maintaining the Time in a Distributed System" (1984), as NTP's intersection
 * algorithm uses it (RFC 5905, 11.2.1).
 */
#ifndef ESSAIM_MARZULLO_H
#define ESSAIM_MARZULLO_H

#include "words.h"

struct interval {
	duration from, to; /* from <= to */
};

struct meeting {
	struct interval where; /* the smallest interval in which `count` of them meet */
	uint32_t count;        /* the most that meet anywhere */
	bool majority;         /* more than half of all */
};

#define INTERVALS_MAX 4096

struct edge {
	duration at;
	int32_t step; /* +1: an interval begins, -1: it ends */
};

/* `count` <= INTERVALS_MAX; `scratch` has room for 2 * count. Of two places of equal count the first. */
struct meeting marzullo(const struct interval *intervals, uint32_t count, struct edge *scratch);

/* How far the interval misses the meeting: 0 if they touch, negative if it lies before it. */
duration interval_misses(const struct interval *interval, const struct meeting *meeting);

#endif
