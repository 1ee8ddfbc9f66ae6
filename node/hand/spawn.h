/*
 * spawn.h: from a row of the table to a running child.
 *
 * The child has: the row's file, the arguments as they are, a fixed environment, / as its folder,
 * stdin empty or the job's input, two pipes, no other descriptor, no core dump, a group of its own.
 */
#ifndef ESSAIM_SPAWN_H
#define ESSAIM_SPAWN_H

#include "job.h"

#define SPAWN_PATH_SIZE 512

struct spawn_order {
	const struct program_row *row;
	const struct hand_run *run;
	uint64_t id;
	int input; /* -1: none */
	char path[SPAWN_PATH_SIZE];
	pid_t pid;    /* out */
	int pipes[2]; /* out: our ends */
};

/* Fills `path`. False: not installed, or a hook that is not safe to run. */
bool spawn_find(const struct job_places *places, struct spawn_order *order, struct error *error);
bool spawn(const struct job_places *places, struct spawn_order *order, struct error *error);

#endif
