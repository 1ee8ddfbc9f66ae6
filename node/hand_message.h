/*
 * hand_message.h: the few words between the daemon and the hand, one a packet (SOCK_SEQPACKET).
 *
 *     daemon --ANEW-- first of all: earlier jobs are nobody's ------------------>
 *            --RUN{job, program, deadline, output_max, arguments, input}--> hand
 *            --CANCEL{job}------------------------------------------------>
 *            <--STATE{lvm stuck for, running, waiting}-- whenever it changed, and first of all
 *            <--OUTPUT{job, which, bytes}--              pieces, in order
 *            <--ENDED{job, outcome, code, cut, sentence}-- exactly once for each RUN
 *
 * Numbers are big-endian and of fixed size. Invariants
 *   1. A packet is of one kind, and exactly as long as what it says: a byte too few or too many, a
 *      missing NUL, an unknown kind or a number out of bounds is refused whole.
 *   2. What was read points into the packet; nothing is allocated.
 *   3. A garbled packet is a bug or an attack: whoever gets it hangs up.
 */
#ifndef ESSAIM_HAND_MESSAGE_H
#define ESSAIM_HAND_MESSAGE_H

#include "programs.h"

#define HAND_PROTOCOL 2
#define HAND_PACKET_MAX (PROGRAM_ARGUMENTS_BYTES + PROGRAM_INPUT_MAX + 64)
#define HAND_PIECE_MAX 16384
#define HAND_JOBS_MAX 32 /* waiting, running and stuck ones together */

enum hand_kind { HAND_RUN = 1, HAND_CANCEL, HAND_STATE, HAND_OUTPUT, HAND_ENDED, HAND_ANEW };

enum hand_outcome {
	HAND_EXITED = 1, /* code: its exit status */
	HAND_SIGNALLED,  /* code: the signal */
	HAND_TIMED_OUT,  /* its deadline came: ended by force */
	HAND_CANCELLED,  /* it was asked to end, or the hand ends */
	HAND_REFUSED,    /* it was never started; the sentence says why */
	HAND_STUCK,      /* it does not even die; whether it did its work is unknown. code: its process */
	HAND_LVM_STUCK,  /* never started: another LVM command does not end; code: for how many seconds */
	HAND_GONE,       /* only said by the client: the hand went; whether it did its work is unknown */
};

struct hand_run {
	uint64_t job; /* not 0 */
	uint32_t program;
	uint32_t deadline_ms; /* 0: the table's */
	uint32_t output_max;  /* 0: the table's */
	uint32_t count;
	const char *arguments[PROGRAM_ARGUMENTS_MAX];
	struct bytes input;
};

struct hand_state {
	uint32_t protocol;
	uint64_t lvm_stuck_ms; /* 0: it is not */
	uint32_t running, waiting;
};

struct hand_output {
	uint64_t job;
	uint32_t which; /* 1: stdout, 2: stderr */
	struct bytes bytes;
};

struct hand_ended {
	uint64_t job;
	enum hand_outcome outcome;
	int32_t code;
	bool out_cut, error_cut;
	struct bytes sentence; /* no NUL; may be empty */
};

struct hand_message {
	enum hand_kind kind;
	union {
		struct hand_run run;
		uint64_t cancel; /* the job */
		struct hand_state state;
		struct hand_output output;
		struct hand_ended ended;
	};
};

/* Into `out` (HAND_PACKET_MAX bytes): the size. What is given must be within the bounds. */
size_t hand_message_write(const struct hand_message *message, uint8_t *out);

/* False: garbled. */
bool hand_message_read(struct bytes packet, struct hand_message *out);

#endif
