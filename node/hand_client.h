/*
 * hand_client.h: the daemon's side of the hand: asks, collects what comes back, never waits.
 *
 *     hand_run --RUN--> hand --OUTPUT…, ENDED--> done(result), from the loop, exactly once
 *        \-- no hand, too many jobs, not in the table --> done(refused), from the loop, exactly once
 *
 *     NONE: neither fd nor path
 *     GONE <--path, nobody there-- --fd or path--> JOINED --end, garbled, other release--> GONE
 *                                                  GONE --path: again each second--> JOINED
 *
 * Invariants
 *   1. `done` is called exactly once for each hand_run, never from within it; but not after hand_close.
 *   2. When the hand goes, whatever was under way ends as HAND_GONE: whether it happened is unknown. What
 *      is asked while there is no hand is refused with a sentence. The daemon goes on without.
 *   3. What the hand says is bounded here too: pieces beyond the limit are counted as cut, packets for
 *      jobs that nobody knows are dropped, and at most READ_BURST packets are taken in one go.
 *   4. Its first word is ANEW: what an earlier life of this process asked over the same link has ended, or is
 *      let end, before anything of ours begins.
 */
#ifndef ESSAIM_HAND_CLIENT_H
#define ESSAIM_HAND_CLIENT_H

#include <event2/event.h>

#include "hand_message.h"

#define HAND_SOCKET "/run/essaim-hand/socket"

struct hand_client;

struct hand_result {
	enum hand_outcome outcome;
	int32_t code; /* exit status, signal, how many seconds LVM is stuck, or the process that is stuck */
	bool out_cut, error_cut;
	struct bytes out, error; /* borrowed; followed by a NUL that size does not count */
	const char *sentence;    /* why it was refused, or ""; borrowed */
};

struct hand_request {
	uint32_t program; /* enum program */
	uint32_t count;
	const char *const *arguments; /* what follows the program's name */
	struct bytes input;           /* for a hook's stdin */
	duration deadline;            /* 0: the table's */
	uint32_t output_max;          /* 0: the table's */
};

enum hand_standing { HAND_STANDING_NONE, HAND_STANDING_JOINED, HAND_STANDING_GONE };

struct hand_view {
	enum hand_standing standing;
	duration gone_for;  /* GONE: for so long */
	duration lvm_stuck; /* for so long, as last told; 0: it is not */
	uint32_t running, waiting;
};

typedef void hand_done(void *context, const struct hand_result *result);
/* A stream's stdout, piece by piece. */
typedef void hand_piece(void *context, struct bytes piece);

/*
 * With `fd` >= 0 the hand is at its other end (taken over); else at the socket `path`, tried again and
 * again; else (path "") there is none. NULL: out of memory.
 */
struct hand_client *hand_open(struct event_base *base, int fd, const char *path);
/* The end of the socket pair that the hand gave us when it started us; -1: it did not. */
int hand_inherited(void);
/* `done` is not called any more. What is under way is left to the hand: see ANEW, and the link's end. */
void hand_close(struct hand_client *hand);

/* All is copied. The job's number; 0 only without memory, and then `done` is not called. */
uint64_t hand_run(struct hand_client *hand, const struct hand_request *request, hand_done *done,
                  void *context);
/* The same for a stream: each piece as it comes; `done` has no output but stderr. */
uint64_t hand_follow(struct hand_client *hand, const struct hand_request *request,
                     hand_piece *piece, hand_done *done, void *context);
/* Its `done` still comes. Nothing if it has ended. */
void hand_cancel(struct hand_client *hand, uint64_t job);

const char *hand_standing_name(enum hand_standing standing); /* "none", "joined", "gone" */
void hand_look(const struct hand_client *hand, struct hand_view *out);

#endif
