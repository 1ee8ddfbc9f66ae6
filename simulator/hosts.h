/*
 * hosts.h: a model of hosts for the operation engine: a few nodes, each with an engine, a journal
 * on a disk and tools that hang, fail after they worked, or lose their answers; a ledger that
 * commits or refuses; a network that loses, doubles and delays. Virtual time, one seed.
 *
 *     hosts_plan (what goes wrong) --hosts_run--> hosts_result (what was violated)
 *
 * Each effect that is carried out and each input that is given is a *point* of that node's life; a
 * plan may crash a node at any of them. Enumerating plans is hosts_enumerate's.
 *
 * What must hold, looked at on every act and at the end (hosts_check.c)
 *   1. A step's effect happens at most once.
 *   2. Nothing is begun for an operation that is not open in the committed ledger (one that was
 * given up may be, by a node that has not heard of it), and nothing on the word of a deposed
 * master.
 *   3. No two operations that hold one lock are at it at once.
 *   4. Every request is answered in the end, DONE means all effects are there, UNDONE none, and
 * FAILED and UNKNOWN are explained.
 *   5. One audit row a request, ended; no row in 'o' and no journal record is left.
 *   6. Each run of a job has one audit row, and there are no more runs than times.
 */
#ifndef ESSAIM_HOSTS_H
#define ESSAIM_HOSTS_H

#include <stdio.h>

#include "engine.h"
#include "prng.h"

#define HOSTS_MAX 3
#define HOSTS_STEPS_MAX 8
#define MISHAPS_MAX 4
#define TOOL_FAULTS_MAX 4

enum tool_behaviour {
	TOOL_WORKS,
	TOOL_FAILS,       /* exit 5, no effect */
	TOOL_FAILS_AFTER, /* exit 5, and the effect is there */
	TOOL_HANGS,       /* killed at its deadline; no effect */
	TOOL_HANGS_AFTER,
	TOOL_LOSES, /* nobody knows how it ended; no effect */
	TOOL_LOSES_AFTER,
	TOOL_MISSING, /* not started */
	TOOL_BEHAVIOURS
};

enum mishap_kind {
	MISHAP_NONE,
	MISHAP_CRASH,    /* the node ends at `point`, and starts again `down` later */
	MISHAP_TRANSFER, /* another node becomes master when `node` reaches `point` */
	MISHAP_CANCEL,   /* somebody cancels the first operation then */
	MISHAP_ABANDON,  /* ... or gives it up */
};

struct mishap {
	enum mishap_kind kind;
	uint32_t node, point;
	duration down;
};

struct hosts_plan {
	const char *verb; /* "make": one node; "move": legs on two; of volumes: the real ones' names */
	bool volumes, files; /* the verbs of volumes, on LVM or in a folder (hosts_volumes.c); one operation */
	uint32_t operations;
	bool same_lock; /* all at once want one thing ('!'); else each its own, all one VG ('~') */
	bool one_vg;
	bool job; /* beside them something is made every ten seconds */
	uint32_t mishap_count;
	struct mishap mishaps[MISHAPS_MAX];
	uint32_t tool_fault_count;
	struct {
		uint32_t command; /* the so manieth command of the run, from 0 */
		enum tool_behaviour behaviour;
	} tool_faults[TOOL_FAULTS_MAX];
	uint32_t tool_percent;                               /* of commands that misbehave, drawn */
	uint32_t loss_percent, double_percent, late_percent; /* of messages */
	uint32_t crashes;                                    /* drawn, over `spread` */
	uint32_t transfers;                                  /* drawn */
	uint32_t journal_fails_percent;
	duration spread;
	uint64_t seed;
	uint32_t weakened;
	bool impatient; /* requests are asked again every 100 ms */
	FILE *trace;    /* NULL: silent */
};

struct hosts_result {
	uint32_t violations;
	char first[400]; /* the first of them */
	uint32_t points[HOSTS_MAX];
	uint32_t commands, crashes, transfers, adopted, probes, resumed;
	uint32_t job_runs;
	uint32_t ended[8]; /* by enum operation_state */
	duration took;
};

void hosts_run(const struct hosts_plan *plan, struct hosts_result *out);

/* Every crash point, every behaviour of every command, every cancel and change of master. */
struct hosts_tally {
	uint64_t runs, violations;
	uint32_t ended[8];
	uint64_t crashes, adopted, probes, resumed, job_runs;
	char first[1200]; /* of the first violation: what, and the command that replays it */
};

void hosts_enumerate(uint32_t weakened, bool stop, struct hosts_tally *out);
/* The same for each verb of volumes, on LVM and in a folder. */
void hosts_enumerate_volumes(bool stop, struct hosts_tally *out);
/* Drawn mishaps of all kinds together. */
void hosts_sweep(uint64_t first, uint64_t last, uint32_t weakened, bool stop,
                 struct hosts_tally *out);
/* A thousand operations in the queue and the master killed in the middle. */
void hosts_thousand(uint64_t seed, uint32_t weakened, struct hosts_tally *out);

#endif
