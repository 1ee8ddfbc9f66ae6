/*
 * sweep.h: many seeds over all cores, each in its own process, so that an assertion in one run is
 * a finding, not the end of the sweep.
 */
#ifndef ESSAIM_SWEEP_H
#define ESSAIM_SWEEP_H

#include "run.h"

struct sweep_settings {
	struct run_settings run; /* its seed is ignored */
	uint64_t first, last;
	uint32_t jobs;
	bool twice;      /* every seed; else every 50th */
	bool keep_going; /* after a violation */
	duration budget; /* CPU time; 0: no bound */
};

/* Prints a summary as JSON. Returns the exit code: 1 if anything was found. */
int sweep(const struct sweep_settings *settings);

#endif
