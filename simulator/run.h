/*
 * run.h: one seeded run: found, join, misfortunes, healing, a last look.
 *
 *     founding --> faults and clients --> healed, clients stop --> last reads --> result
 */
#ifndef ESSAIM_RUN_H
#define ESSAIM_RUN_H

#include <stdio.h>

#include "failover.h"
#include "violation.h"

struct run_settings {
	uint32_t nodes;
	duration length;
	uint64_t seed;
	bool faults;
	bool membership_only;
	FILE *trace; /* every decision as a sentence; NULL: none */
	bool trace_all; /* those of level debug too */
};

/* Plain data: a sweep sends it through a pipe. */
struct run_result {
	uint64_t seed;
	uint32_t nodes;
	duration simulated;
	double cpu_seconds;
	uint64_t events, packets, hash;
	uint64_t acknowledged, unknown, refused, reads, faults;
	uint32_t masters;
	struct failover failover;
	struct violations violations;
};

void run(const struct run_settings *settings, struct run_result *out);

#endif
