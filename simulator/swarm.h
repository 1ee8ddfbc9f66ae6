/*
 * swarm.h: many cores of membership alone, to see what size does to its rules.
 *
 *     all start --> everyone finds everyone --> quiet --> one process dies --> ten hosts at once --> end
 *
 * No faults but what the network always has: latency, jitter and one packet lost in a thousand. Here
 * nothing is drawn to break the rules: run.h does that, with few nodes. What is counted here is
 * time, traffic and memory, and verdicts about the living, of which there must be none.
 *
 * Invariants
 *   1. A seed gives the same run, bit for bit.
 *   2. A core's memory is reserved, not touched: what a swarm takes is what its rules write.
 */
#ifndef ESSAIM_SIMULATOR_SWARM_H
#define ESSAIM_SIMULATOR_SWARM_H

#include <stdio.h>

#include "queue.h"
#include "weaken.h"

#define SWARM_VICTIMS 10
#define SWARM_LOOK_GAP (20 * MILLISECOND) /* of those who watch it from outside */


struct swarm_settings {
	uint32_t nodes;
	duration length;
	uint64_t seed;
	bool facts_off; /* who is there, and nothing else: facts take most of the memory */
	FILE *trace; /* what is found out about the dead; NULL: silent */
	int accident; /* enum swarm_accident: instead of the deaths */
	weakened_set weakened;
};

/* What a stretch of the run cost, over all nodes. */
struct swarm_traffic {
	duration length;
	uint64_t packets, bytes; /* UDP payload, sent */
};

struct swarm_result {
	struct swarm_settings settings;
	duration agreed;      /* from the start until all count N reachable; NEVER: not in time */
	duration facts_agreed; /* until all hold the same facts; NEVER: not in time */
	duration crash_known; /* a process died: until all living ones know; NEVER */
	duration crash_first; /* until the first one knew */
	duration many_known;  /* ten hosts died at once: until all living ones know of all */
	uint64_t false_verdicts, suspicions;
	/* with an accident: verdicts of the faulty, about them, and about them taken back */
	uint64_t by_faulty, about_faulty, taken_back;
	bool all_agree_in_the_end; /* all count all living ones reachable, the faulty apart */
	struct swarm_traffic bootstrap, quiet, crash, many, accident;
	uint64_t steps;
	double cpu_seconds;
	uint64_t core_bytes, memory_bytes; /* reserved by one core; most that the process ever held */
};

void swarm_run(const struct swarm_settings *settings, struct swarm_result *out);

#endif
