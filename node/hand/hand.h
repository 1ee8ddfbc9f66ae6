/*
 * hand.h: the hand at work: requests in, children, results out; one thread, nothing that waits.
 *
 *     link --RUN--> waiting --(LVM: one at a time)--> running --> pieces, end --> link
 *
 * Invariants
 *   1. Whatever comes over the link is checked here as if it came from an attacker: the daemon reads
 *      the network. A garbled packet ends the link; what the table does not allow is refused.
 *   2. Each RUN is answered by exactly one ENDED, while its daemon lives.
 *   3. Results wait in the child's pipe, not here: while the link is full nothing is read. So memory is
 *      bounded by HAND_JOBS_MAX requests and one packet.
 *   4. LVM children run one at a time. When one does not even die by SIGKILL, LVM is stuck: whatever
 *      waits for it, or comes later, is answered so at once, with the age; all else goes on.
 *   5. The daemon's end, or its word that it begins anew over the same link: what only reads is ended; what
 *      changes something (`finish`) runs on to its end or deadline, and nothing of the next daemon starts
 *      before. Killing lvm between suspend and resume would stop every machine on that volume; and so
 *      whatever the new daemon observes first is what the old one's operations really left. It has no result
 *      of them: the engine asks the machine.
 *   6. The hand's end ends its children as a daemon's end does.
 */
#ifndef ESSAIM_HAND_H
#define ESSAIM_HAND_H

#include "job.h"

struct hand {
	int link;      /* -1: no daemon */
	int listener;  /* -1: the link is for good */
	uid_t peer;    /* who may connect to the listener */
	int signals;   /* signalfd: CHLD, TERM, INT, HUP */
	pid_t daemon;  /* our own child; 0: none */
	int daemon_status;
	bool stopping;
	struct job_places places;
	struct job jobs[HAND_JOBS_MAX];
	uint32_t next_order;
	struct hand_state told;
	bool state_due;
	uint8_t held[HAND_PACKET_MAX]; /* a packet that did not fit */
	size_t held_size;
};

/* Runs until told to stop (or its daemon ended) and no child is left but stuck ones. */
void hand_loop(struct hand *hand);

#endif
