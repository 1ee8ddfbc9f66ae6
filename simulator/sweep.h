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
	duration budget; /* CPU time of this process's runs; 0: no bound */
	const char *resume; /* the tally is kept in this file and taken up from it (tally.h); or NULL */
};

/*
 * Prints a summary as JSON; after SIGINT or SIGTERM at once, of what it has by then. Returns the exit
 * code: 1 if anything was found, 2 if the kept tally cannot be used.
 */
int sweep(const struct sweep_settings *settings);

#endif
