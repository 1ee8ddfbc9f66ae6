/*
 * drbd.h: what DRBD's tools and the kernel say, and what both sides' words mean together. Pure.
 *
 *     drbdsetup events2 --statistics   --drbd_events_line--> \
 *     /dev/kmsg                        --drbd_kernel_line-->  struct drbd_seen --facts--> other nodes
 *     drbdsetup show, get-gi           --drbd_show_parse…-> /
 *     /proc/drbd                       --drbd_proc_parse--> (where the tools are missing)
 *
 *     struct drbd_resource of this side and of the other --drbd_judge--> struct drbd_judgement
 *
 * Grammar of events2 (8.4 and 9): `exists|create|change|destroy|call|response|rename` then
 * `resource|device|connection|peer-device|path|helper|-`, then key:value pairs. `exists -` ends the dump.
 *
 * Invariants
 *   1. Unknown verbs, kinds and keys are passed over; nothing is kept of a line that is not understood.
 *   2. StandAlone alone proves nothing: that it is a split brain is the kernel's word ("helper command:
 *      /sbin/drbdadm split-brain", "Split-Brain detected but unresolved") or follows from the generations
 *      of both sides.
 *   3. What the kernel said of a connection holds until that connection is up again.
 *   4. A verdict that needs both sides is not given for one: it says which side is not known.
 *
 * Sources: drbd-utils 9.22 (user/v84/drbdsetup.c, user/v9), drbd 8.4.11 drbd_uuid_compare and
 * receive_protocol, DRBD user's guide (troubleshooting).
 */
#ifndef ESSAIM_DRBD_H
#define ESSAIM_DRBD_H

#include "inventory.h"

/* ---- reading ---- */

enum drbd_line {
	DRBD_LINE_TAKEN,
	DRBD_LINE_COMPLETE, /* "exists -": the dump is whole */
	DRBD_LINE_PASSED,   /* not understood, or nothing to us */
	DRBD_LINE_LOST,     /* events were lost: ask anew with --now */
};

/* `seen` zeroed at first; lines change it one by one. */
enum drbd_line drbd_events_line(struct drbd_seen *seen, const char *line);

/* A line of /dev/kmsg ("6,339,5140900,-;drbd …") or dmesg ("[ 5.1] drbd …"). True: it said something. */
bool drbd_kernel_line(struct drbd_seen *seen, const char *line);

/* /proc/drbd, whole: resources are called after their minor ("drbd0"). False: it is none. */
bool drbd_proc_parse(const char *text, struct drbd_seen *seen, char version[DRBD_WORD_MAX + 1]);
bool drbd_version_parse(const char *text, char version[DRBD_WORD_MAX + 1]);

/*
 * `drbdsetup show --show-defaults RESOURCE`: backing devices, addresses, and a hash of the options
 * that both sides must agree on. Into the resource of that name in `seen`; false: not found in it.
 */
bool drbd_show_parse(const char *text, struct drbd_seen *seen);

/* "CURRENT:BITMAP:OLD:OLD:…" anywhere in what show-gi, get-gi, drbdmeta or the kernel print. */
bool drbd_generation_parse(const char *text, struct drbd_generation *out);

struct drbd_resource *drbd_resource_named(struct drbd_seen *seen, const char *name);
const struct drbd_resource *drbd_resource_of_minor(const struct drbd_seen *seen, uint32_t minor);

/* ---- judging ---- */

enum drbd_lineage {
	LINEAGE_UNKNOWN,
	LINEAGE_SAME,
	LINEAGE_FIRST_NEWER, /* the first has all that the second has, and more */
	LINEAGE_SECOND_NEWER,
	LINEAGE_SPLIT,       /* each has what the other lacks */
	LINEAGE_UNRELATED,
};
enum drbd_lineage drbd_compare(const struct drbd_generation *first,
                               const struct drbd_generation *second);

enum drbd_verdict {
	DRBD_FINE = 0,
	DRBD_RESYNCING = 1,
	DRBD_VERIFYING = 2,
	DRBD_DIFFERS = 3,      /* connected, both UpToDate, and blocks known to differ (after a verify) */
	DRBD_CONNECTING = 4,   /* no connection, and whoever is up tries */
	DRBD_DIVERGED = 5,     /* no connection, and both were written: a split brain when they meet */
	DRBD_ADMIN = 6,        /* StandAlone, and nothing says why but somebody's disconnect */
	DRBD_AUTHENTICATION = 7,
	DRBD_OPTIONS = 8,      /* they differ in what both sides must agree on */
	DRBD_UNRELATED = 9,
	DRBD_SPLIT_BRAIN = 10,
	DRBD_STALE = 11,       /* a side is believed UpToDate that is not: silently stale */
	DRBD_DEGRADED = 12,    /* a disk is not UpToDate, nothing mends it, and both sides know */
	DRBD_EMPTY = 13,       /* never synchronised: both Inconsistent */
	DRBD_DOWN = 14,        /* configured on one side, not up on the other */
	DRBD_UNKNOWN = 15,     /* a side is not known, and what the other says does not suffice */
	DRBD_VERDICTS
};

/* One side, as its node's facts have it. */
struct drbd_side {
	bool known;                            /* its facts are there and not old */
	const struct drbd_resource *resource;  /* NULL: it is not up there */
	uint32_t peer;                         /* position of the other among its peers */
};

struct drbd_judgement {
	enum drbd_verdict verdict;
	uint32_t side;        /* 0 or 1: whom it is about (StandAlone, stale, down, unknown); 2: both */
	uint32_t volume;      /* number, of disks */
	uint64_t out_of_sync; /* the larger of both sides' counts */
	int32_t done;         /* of a resync, as its target or source says; -1 */
	bool options_differ;  /* not yet in the way: the next connect would be refused */
};

void drbd_judge(const struct drbd_side sides[2], struct drbd_judgement *out);

const char *drbd_verdict_name(enum drbd_verdict verdict); /* "split-brain" */
/* What it means, in a sentence without names. */
const char *drbd_verdict_sentence(enum drbd_verdict verdict);
/* Is it nothing to do? FINE, RESYNCING, VERIFYING. */
bool drbd_verdict_well(enum drbd_verdict verdict);

#endif
