/*
 * faults.h: a run's list of misfortunes, drawn whole from the seed before the run.
 *
 * Swarm testing (Groce et al., ISSTA 2012): every run switches a random subset of the kinds off.
 * Each fault is a pair begin/end; the last part of every run has none and begins by healing all.
 * The list is explicit, so that a failing run can be told, and later shrunk, fault by fault.
 */
#ifndef ESSAIM_FAULTS_H
#define ESSAIM_FAULTS_H

#include "words.h"

struct world;

#define FAULT_KINDS(KIND)                                                                          \
	KIND(LOSS, "loss")               /* of packets; frames are late instead */                 \
	KIND(DELAY, "delay")             /* longer, with a long tail */                            \
	KIND(DUPLICATE, "duplicate")                                                               \
	KIND(REORDER, "reorder")                                                                   \
	KIND(PARTITION, "partition")     /* two groups, both ways */                               \
	KIND(ONE_WAY, "one-way")         /* one group does not hear the other */                   \
	KIND(ISOLATE, "isolate")         /* one node, both ways */                                 \
	KIND(HALF_DEAF, "half-deaf")     /* one node sends but does not hear, or the reverse */    \
	KIND(CRASH, "crash")             /* the host: silence */                                   \
	KIND(KILL, "kill")               /* the process: its host refuses */                       \
	KIND(HIT_MASTER, "hit-master")   /* crash, kill, pause or isolate whoever acts */          \
	KIND(PAUSE, "pause")             /* some longer than the lease */                          \
	KIND(DRIFT, "drift")             /* of one clock, within the bound */                      \
	KIND(WALL_STEP, "wall-step")                                                               \
	KIND(DISK_STALL, "disk-stall")                                                             \
	KIND(DISK_FAIL, "disk-fail")                                                               \
	KIND(MASS_RESTART, "mass-restart") /* everyone, at nearly one time */

enum fault_kind {
#define KIND(name, text) FAULT_##name,
	FAULT_KINDS(KIND)
#undef KIND
	FAULT_COUNT
};

const char *fault_name(enum fault_kind kind);

struct fault {
	instant begin, end;
	enum fault_kind kind;
	uint32_t node;    /* of the one it befalls */
	uint64_t group;   /* by node index modulo 64, for partitions */
	int64_t strength; /* ppm, ns or a fuse, by kind */
};

struct faults {
	struct fault *list;
	uint32_t count;
	uint32_t swarm; /* bit per kind: on in this run */
	uint64_t begun[FAULT_COUNT];
};

/* Draws what happens from `from` up to `until` and puts it into the queue. */
void faults_draw(struct world *w, instant from, instant until);
void faults_finish(struct faults *f);

/* Fault number/2 begins (even) or ends (odd). */
void faults_due(struct world *w, uint64_t number);

/* Ends all of it: links, weather, disks, clocks' rates; wakes and starts every machine. */
void faults_heal(struct world *w);

#endif
