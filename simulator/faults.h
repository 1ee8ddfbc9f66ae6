/*
 * faults.h: a run's list of misfortunes, drawn whole from the seed before the run.
 *
 * Swarm testing (Groce et al., ISSTA 2012): every run switches a random subset of the kinds off.
 * Each fault is a pair begin/end; the last part of every run has none and begins by healing all.
 * The list is explicit, so that a failing run can be told, and later shrunk, fault by fault.
 */
#ifndef ESSAIM_FAULTS_H
#define ESSAIM_FAULTS_H

#include <assert.h>

#include "prng.h"
#include "words.h"

struct world;
struct world_settings;

/* FAULT_KINDS(KIND): KIND(NAME, "name in reports"). New ones go to the end of their group. */
#define FAULT_KINDS(KIND)                                                                          \
	/* the network */                                                                          \
	KIND(LOSS, "loss")               /* of packets; frames are late instead */                 \
	KIND(DELAY, "delay")             /* longer, with a long tail */                            \
	KIND(DUPLICATE, "duplicate")                                                               \
	KIND(REORDER, "reorder")                                                                   \
	KIND(PARTITION, "partition")     /* two groups, both ways */                               \
	KIND(ONE_WAY, "one-way")         /* one group does not hear the other */                   \
	KIND(ISOLATE, "isolate")         /* one node, both ways */                                 \
	KIND(HALF_DEAF, "half-deaf")     /* one node sends but does not hear, or the reverse */    \
	KIND(BRIDGE, "bridge")           /* two groups that only one node can reach both of */     \
	KIND(CHAIN, "chain")             /* everyone reaches two neighbours, the ends one */       \
	KIND(CLOG, "clog")               /* what one node sends is held back, then all comes */    \
	KIND(SWIZZLE, "swizzle")         /* a clog of several drawn together: see faults_draw.c */ \
	KIND(FILTER, "filter")           /* one kind of message is lost, mostly or always */       \
	KIND(BLACK_HOLE, "black-hole")   /* packets above some size vanish around one node */      \
	/* machines */                                                                             \
	KIND(CRASH, "crash")             /* the host: silence */                                   \
	KIND(KILL, "kill")               /* the process: its host refuses */                       \
	KIND(HIT_MASTER, "hit-master")   /* crash, kill, pause or isolate whoever acts */          \
	KIND(PAUSE, "pause")             /* some longer than the lease */                          \
	KIND(SUSPEND, "suspend")         /* the host sleeps: boot counts it, raw does not */       \
	KIND(MASS_RESTART, "mass-restart") /* everyone, at nearly one time */                      \
	KIND(ADDRESS_SWAP, "address-swap") /* two nodes get each other's address, and keep it */   \
	KIND(CLONE, "clone")             /* an older copy of a data folder runs beside the node */ \
	KIND(CLUSTER_SWAP, "cluster-swap") /* with a node of another cluster: foreign.h */         \
	KIND(NETWORK, "network")         /* there are two, and one dies: operators.h */            \
	KIND(WITNESS, "witness")         /* one founder is a witness: crash, kill, pause or isolate it */ \
	/* clocks */                                                                               \
	KIND(DRIFT, "drift")             /* of one clock, within the bound */                      \
	KIND(SLEW, "slew")               /* boot and wall by up to 8 %, as chrony may */           \
	KIND(WALL_STEP, "wall-step")                                                               \
	KIND(BEYOND, "beyond")           /* drift beyond the bound: only in runs that ask for it */ \
	/* disks */                                                                                \
	KIND(DISK_STALL, "disk-stall")                                                             \
	KIND(DISK_FAIL, "disk-fail")                                                               \
	KIND(DISK_FULL, "disk-full")     /* some more fits, then nothing */                        \
	KIND(ROLLBACK, "rollback")       /* the whole disk goes back to an earlier start */        \
	/* people */                                                                               \
	KIND(STOP, "stop")               /* a clean stop, and a start later */                     \
	KIND(TRANSFER, "transfer")       /* the master is asked to hand over */                    \
	KIND(JOIN, "join")               /* somebody new; half of them bring a used token too */   \
	KIND(LEAVE, "leave")                                                                       \
	KIND(REMOVE, "remove")                                                                     \
	KIND(SETTING, "setting")         /* these four: operators.h */                             \
	KIND(REKEY, "rekey")                                                                       \
	KIND(UPGRADE, "upgrade")                                                                   \
	KIND(SEIZE, "seize")                                                                       \
	/* insiders: a member in good standing whose packets lie */                                \
	KIND(REPLAY, "replay")           /* captured packets are sent again */                     \
	KIND(EQUIVOCATE, "equivocate")   /* other facts to half of the peers */                    \
	KIND(FORGE, "forge")             /* it accuses one peer in every packet */                 \
	KIND(CLOCK_LIE, "clock-lie")                                                               \
	KIND(OVERSIZE, "oversize")       /* values beyond every limit, and noise */

enum fault_kind {
#define KIND(name, text) FAULT_##name,
	FAULT_KINDS(KIND)
#undef KIND
	FAULT_COUNT
};

const char *fault_name(enum fault_kind kind);
/* All that it does, it does to single messages (choices.h). */
static inline bool fault_of_network(enum fault_kind kind)
{
	return kind <= FAULT_BLACK_HOLE;
}
/* "loss,crash" as a word of bits; false if a name is unknown. */
bool fault_kinds_parse(const char *list, uint64_t *out);

struct fault {
	instant begin, end;
	enum fault_kind kind;
	uint32_t node;    /* of the one it befalls */
	uint64_t group;   /* by node index modulo 64, for partitions */
	int64_t strength; /* ppm, ns or a fuse, by kind */
	bool begun;       /* and not ended */
};

struct faults {
	struct prng dice; /* of the drawing */
	struct fault *list;
	uint32_t count;
	uint64_t swarm; /* bit per kind: on in this run */
	uint64_t begun[FAULT_COUNT];
	uint32_t active;     /* begun and not ended */
	instant quiet_since; /* when one last began or ended, not counting the present one */
};

static_assert(FAULT_COUNT <= 64, "a swarm is one word");

/* Which kinds are on in a run of these settings; and, before the founding, in this one. */
uint64_t faults_swarm_of(const struct world_settings *settings, struct prng *dice);
void faults_swarm(struct world *w);

static inline bool faults_on(const struct faults *f, enum fault_kind kind)
{
	return f->swarm >> kind & 1;
}

/* Draws what happens from `from` up to `until` and puts it into the queue. */
void faults_draw(struct world *w, instant from, instant until);
/* Puts a list that was filled in by hand into the queue (no fault outlasts `until`). */
void faults_schedule(struct world *w, instant until);
void faults_finish(struct faults *f);

/* Fault number/2 begins (even) or ends (odd). */
void faults_due(struct world *w, uint64_t number);

/* Ends all of it: links, weather, disks, clocks' rates; wakes and starts every machine. */
void faults_heal(struct world *w);

#endif
