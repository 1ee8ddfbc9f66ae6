/*
 * tally.h: how far a sweep is and what its runs found, in sum. With `sweep --resume FILE` it outlives
 * the process, as a text of one number a line.
 *
 * Every seed from `first` to below `next` was begun. Those in `open` have no result yet: who goes on
 * begins with them, so each seed is counted once.
 */
#ifndef ESSAIM_TALLY_H
#define ESSAIM_TALLY_H

#include "run.h"

struct error;

#define JOBS_MAX 256
#define FAILOVERS_SUMMED 65536

struct tally {
	uint64_t first, next;
	uint64_t open[JOBS_MAX];
	uint32_t open_count;
	uint64_t done, found, twice;
	uint64_t failed; /* the first seed that failed, if one was found */
	double cpu, simulated; /* seconds */
	uint64_t events, packets, masters, faults, acknowledged, unknown;
	uint64_t expected, undecided;
	uint64_t met[SOMETIMES_COUNT], befell[FAULT_COUNT];
	int64_t *failovers; /* ms, FAILOVERS_SUMMED */
	uint32_t failover_count;
};

void tally_init(struct tally *t, uint64_t first);
void tally_finish(struct tally *t);

/* One run more; `twice`: it was run twice. */
void tally_add(struct tally *t, const struct run_result *result, bool twice);

/* The time that `percent` of the failovers did not exceed, in ms, or -1 without any. */
int64_t tally_failover(struct tally *t, uint32_t percent);

/*
 * `shape` says in one line what runs these are: a tally of other runs is not taken. A file that does
 * not exist is a tally at its beginning. 0, or -1 with "file:line: expected …".
 */
int tally_read(struct tally *t, const char *path, const char *shape, struct error *error);

/* Replaces the file as a whole: a sweep that is killed in here leaves the one before. */
int tally_write(struct tally *t, const char *path, const char *shape, struct error *error);

#endif
