/*
 * observe_clock.h: how well this machine's own clock is kept: by the kernel's word (adjtimex), by
 * which time service, and whether the wall clock jumped against the boot clock.
 *
 *     tick each second --> clock_watch_tick: steps, rate --> clock_watch_fact: what is published
 */
#ifndef ESSAIM_OBSERVE_CLOCK_H
#define ESSAIM_OBSERVE_CLOCK_H

#include "facts.h"

struct clock_watch {
	bool begun;
	instant last;     /* boot clock, at the tick before */
	duration base;    /* wall less boot, as it was while nothing happened */
	duration suspect; /* what it was at the tick before, if that was far from base; else base */
	struct now since; /* where the measurement of the rate began */
	int64_t rate_ppb; /* of BOOTTIME against RAW: what NTP's slew does to it */
	instant stepped_wall;
	duration stepped;
};

void clock_watch_tick(struct clock_watch *watch, const struct now *now);
/* All but the peers. */
void clock_watch_fact(const struct clock_watch *watch, struct clock_fact *out);

#endif
