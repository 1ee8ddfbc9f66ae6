/*
 * job.h: one program that the hand runs: started, listened to, ended.
 *
 *     WAITING --> RUNNING --ends--> ENDED --output drained--> (told, free)
 *                    \--deadline, cancel: TERM, then KILL--> ENDED
 *                                                  \--does not die--> STUCK (told) --dies--> free
 *
 * Invariants
 *   1. Each child leads a process group of its own, and has a cgroup of its own where the hand has
 *      one: whatever it started dies with it.
 *   2. The group is killed while its dead leader is not reaped yet: its number cannot be another's.
 *   3. Nothing waits: pipes are non-blocking, children are reaped when they are dead.
 *   4. What exceeds the limit of output is read and thrown away: a babbling child is not blocked, and
 *      costs the daemon nothing.
 */
#ifndef ESSAIM_JOB_H
#define ESSAIM_JOB_H

#include <sys/types.h>

#include "hand_message.h"

#define JOB_TERM_PATIENCE (2 * SECOND) /* from TERM to KILL */
#define JOB_KILL_PATIENCE (3 * SECOND) /* from KILL to "stuck" */

enum job_state { JOB_FREE, JOB_WAITING, JOB_RUNNING, JOB_ENDED, JOB_STUCK };

struct job {
	enum job_state state;
	uint64_t id;
	const struct program_row *row;
	struct hand_run run; /* points into `packet` */
	uint8_t *packet;     /* allocated */
	uint32_t order;      /* who waits longest goes first */
	pid_t pid;
	int pipes[2]; /* stdout, stderr; -1: at its end */
	uint32_t limits[2], sent[2];
	bool cut[2];
	instant began;
	instant deadline;  /* NEVER: none */
	instant next_blow; /* NEVER: not being ended */
	enum { BLOW_NONE, BLOW_TERM, BLOW_KILL } blow;
	enum hand_outcome ending; /* why it is being ended; 0: it is not */
	bool orphan;              /* its daemon is gone: nobody is told */
	uint32_t drained;         /* reads since it ended */
	int status;               /* of waitpid */
};

/* Where children find what they need. */
struct job_places {
	char helpers[256]; /* the hand's own folder */
	const char *hooks; /* NULL: none */
	char cgroup[256];  /* "": none */
};

/* From WAITING to RUNNING. False: not started, the sentence says why. */
bool job_start(struct job *job, const struct job_places *places, instant now, struct error *error);

/* TERM now, KILL later; remembers why. Nothing if it is being ended already. */
void job_end(struct job *job, const struct job_places *places, enum hand_outcome why, instant now);

/* Deadline and blows that are due; true: it has become STUCK by this. */
bool job_tick(struct job *job, const struct job_places *places, instant now);

/* Is it dead? Then its group is killed, it is reaped, and its state is ENDED. */
bool job_reap(struct job *job, const struct job_places *places);

/* One piece of what it said, into `piece`: its size, 0 if there is none now. Says which pipe. */
size_t job_read(struct job *job, uint8_t piece[HAND_PIECE_MAX], uint32_t *out_which);

/* ENDED, and all it said was read? */
bool job_over(const struct job *job);
void job_result(const struct job *job, struct hand_ended *out);
void job_free(struct job *job);

/* When it wants job_tick; NEVER: not by itself. */
instant job_due(const struct job *job);

#endif
