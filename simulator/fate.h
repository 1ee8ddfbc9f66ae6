/*
 * fate.h: what becomes of one message on its way: arrives, late, twice, or never.
 *
 * Each message has a name that does not change with what befalls others: from, to, its kind, and how
 * many of that kind went that way before. Its dice are rolled from the seed and that name, so that a
 * run with one misfortune less rolls the same for every other message. What differs from fair weather
 * is a choice (choices.h): it can be written down, and chosen again without the weather that caused it.
 *
 *     fair delay + what the weather adds, or a cut, a filter, a black hole, a clog
 *          --> choices that were listed --> choices noted --> fate
 */
#ifndef ESSAIM_FATE_H
#define ESSAIM_FATE_H

#include "choices.h"
#include "prng.h"

struct world;

/* Beside the kinds of messages. */
enum fate_kind {
	FATE_KNOCK = MESSAGE_KINDS, /* and its answer */
	FATE_DIAL,
	FATE_DIALED,
	FATE_REFUSAL,
	FATE_KINDS
};

/* How it travels: what befalls a packet only delays a stream, which a cut of either way ends. */
enum fate_way { FATE_PACKET, FATE_STREAM };

struct fate {
	bool lost, twice;
	duration takes;       /* one way */
	duration twice_takes; /* the second copy */
};

struct fate fate_of(struct world *w, uint32_t from, uint32_t to, uint32_t kind, enum fate_way way,
                    size_t size);

#endif
