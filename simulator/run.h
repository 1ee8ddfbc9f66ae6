/*
 * run.h: one seeded run: found, join, misfortunes, healing, a last look.
 *
 *     founding --> faults and clients --> healed, clients stop --> last reads --> result
 */
#ifndef ESSAIM_RUN_H
#define ESSAIM_RUN_H

#include <stdio.h>

#include "failover.h"
#include "faults.h"
#include "fate.h"
#include "sometimes.h"
#include "violation.h"
#include "weaken.h"

struct schedule;

struct run_settings {
	uint32_t nodes;
	duration length;
	uint64_t seed;
	bool faults;
	uint64_t kinds; /* of faults, bit per kind; 0: all */
	bool beyond; /* clocks may drift beyond rho */
	bool membership_only;
	int accident; /* enum swarm_accident, with membership_only */
	bool facts_off; /* of membership_only */
	weakened_set weakened; /* rules switched off (weaken.h) */
	const struct schedule *schedule; /* the faults; NULL: drawn from the seed */
	const char *schedule_path;       /* where it came from, for the command that replays */
	FILE *kept; /* the list of faults is written here as soon as it is known; NULL: nowhere */
	FILE *noted; /* what the network does to single messages is written here; NULL: nowhere */
	FILE *trace; /* every decision as a sentence; NULL: none */
	bool trace_all; /* those of level debug too */
	bool trace_events; /* only what `essaim events` keeps, as in plays */
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
	uint64_t expected;  /* overlaps of authority in a run beyond the bound */
	uint64_t undecided; /* histories that were too tangled to search */
	uint64_t met[SOMETIMES_COUNT];
	uint64_t befell[FAULT_COUNT]; /* faults that began, by kind */
	uint64_t messages[FATE_KINDS]; /* by kind: packets and frames sent */
	struct failover failover;
	struct violations violations;
};

void run(const struct run_settings *settings, struct run_result *out);

#endif
