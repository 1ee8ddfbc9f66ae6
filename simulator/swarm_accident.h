/*
 * swarm_accident.h: what befell other people's large swarms, for a swarm of ours to live through.
 *
 *     all start --> everyone finds everyone --> quiet --> the accident --> end
 *
 * Each row names an accident, who published it, and what came of it there. A few members are the faulty
 * ones; what the others think of each other must not suffer. What they think of the faulty is counted, and is no
 * fault: a link that loses four packets of five may be called either way.
 *
 * ACCIDENT(name, what happens, where, what came of it there)
 */
#ifndef ESSAIM_SIMULATOR_SWARM_ACCIDENT_H
#define ESSAIM_SIMULATOR_SWARM_ACCIDENT_H

#include <stdio.h>

#include "swarm.h"

#define SWARM_ACCIDENTS(ACCIDENT)                                                                  \
	ACCIDENT(NONE, "none", "one process dies, then ten hosts at once", "-", "-")               \
	ACCIDENT(FLIP_FLOP, "flip-flop",                                                           \
	         "one in a hundred hears nothing for 20 s, then all for 20 s, and so on",          \
	         "Rapid (ATC 2018), N=1000",                                                       \
	         "memberlist oscillates and never removes all of them; Rapid removes exactly the faulty") \
	ACCIDENT(LOSSY, "lossy", "one in a hundred loses 80 % of what it sends",                   \
	         "Rapid (ATC 2018), N=1000",                                                       \
	         "Akka removes benign nodes; memberlist oscillates; Rapid removes exactly the faulty") \
	ACCIDENT(CRASHES, "crashes", "ten hosts die at once", "Rapid (ATC 2018), N=1000",          \
	         "one view change, about 10 s later than memberlist")                              \
	ACCIDENT(HALF_DETACHED, "half-detached", "one member reaches only a tenth of the others",  \
	         "consul 5928", "a storm of suspicions through the whole pool")                    \
	ACCIDENT(RESTART, "restart", "three of four stop cleanly and start again at once",         \
	         "serf 662, 150 of 200", "some stay 'leaving' for ever")                           \
	ACCIDENT(RAIN, "rain", "every link loses one packet of ten", "-", "-")                  \
	ACCIDENT(DOWNPOUR, "downpour", "every link loses one packet of five", "-", "-")         \
	ACCIDENT(DELUGE, "deluge", "every link loses three packets of ten", "-", "-")             \
	ACCIDENT(BUSY, "busy", "every process is kept from running for up to 2 s, again and again", \
	         "serf, 200 agents on two cores", "58,848 false failures, never converges")        \
	ACCIDENT(ACCUSER, "accuser", "one member accuses whom it observes, 200 times a second",    \
	         "consul 5567", "a storm of refutations that spreads")

enum swarm_accident {
#define ACCIDENT(id, name, what, where, there) ACCIDENT_##id,
	SWARM_ACCIDENTS(ACCIDENT)
#undef ACCIDENT
	ACCIDENT_COUNT
};

struct swarm_world;

bool swarm_accident_parse(const char *name, enum swarm_accident *out);
void swarm_accident_list(FILE *out);
const char *swarm_accident_name(enum swarm_accident accident);
const char *swarm_accident_there(enum swarm_accident accident);

/* Where one in a hundred is faulty: so many. */
uint32_t swarm_accident_few(uint32_t nodes);
/* It begins now: who is faulty is drawn, who dies dies, who restarts stops. */
void swarm_accident_begin(struct swarm_world *w);
/* Called every 20 ms of the world's time while it lasts. */
void swarm_accident_goes_on(struct swarm_world *w);
/* Is a packet that leaves now lost on that way? */
bool swarm_accident_loses(struct swarm_world *w, uint32_t from, uint32_t to);

#endif
