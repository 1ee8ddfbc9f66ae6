/*
 * body_clock.h: the only place in the daemon that reads a clock for the mind.
 *
 * `now` is read once per event, after its input was taken from the kernel: an input is never
 * younger than its `now` (lease.md, Time: an owner's round begins before it is sent).
 */
#ifndef ESSAIM_BODY_CLOCK_H
#define ESSAIM_BODY_CLOCK_H

#include "words.h"

void body_clock_read(struct now *out);

/* CLOCK_REALTIME alone, for a log line's stamp. */
instant body_clock_wall(void);

/* CLOCK_MONOTONIC, for measuring how long things took; never given to the mind. */
instant body_clock_monotonic(void);

/* What the kernel knows of how well CLOCK_REALTIME is kept; false if it does not say. */
struct clock_sync {
	bool synchronised;  /* a time service says so, and the bound below is under 16 s */
	duration max_error; /* its bound of the error */
};
bool body_clock_sync(struct clock_sync *out);

/* RFC 3339 in UTC with milliseconds: "2026-01-31T23:59:59.000Z". */
#define WALL_TEXT_SIZE 32
void wall_format(instant wall, char out[WALL_TEXT_SIZE]);

/* A duration as libevent wants it; negative becomes zero. */
struct timeval;
void duration_timeval(duration d, struct timeval *out);

#endif
