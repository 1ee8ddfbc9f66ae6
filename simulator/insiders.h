/*
 * insiders.h: a member in good standing, with its keys, whose packets lie.
 *
 * The core of that machine is honest; its packets are opened on the way out, altered, signed and
 * sealed again. So every lie arrives under a proven key and only the rules can resist it. What is
 * expected: no checker objects, whatever one insider says of members, facts and clocks. What a voter
 * promises and accepts is believed, as in every Paxos: that part is not lied about here.
 *
 * Only plays know the forger: who is offered the lease keeps its READY to itself and makes up the
 * master's TRANSFER, with all but the master's signature.
 */
#ifndef ESSAIM_INSIDERS_H
#define ESSAIM_INSIDERS_H

#include "faults.h"
#include "gossip.h"

struct machine;

#define CAPTURED_MAX 64

struct captured {
	uint32_t to;
	enum message_kind message;
	uint32_t size; /* 0: free */
	uint8_t bytes[PACKET_MAX];
};

struct forger {
	bool works, offered;
	uint32_t who;
	struct ready ready; /* its own: says all that a TRANSFER needs */
	uint64_t told;      /* bit per machine that got the forgery, itself too */
};

struct insiders {
	struct prng dice;
	uint32_t lies; /* bit per fault kind, from FAULT_REPLAY on */
	uint32_t who;
	node_id victim; /* of forged accusations */
	uint64_t said;  /* packets altered or sent again */
	uint64_t version;
	struct captured *captured; /* CAPTURED_MAX */
	uint8_t *arena;
	struct forger forger;
};

void insiders_turn(struct world *w, const struct fault *f, bool begins);

/* From now on `m` forges the TRANSFER that ends what is offered to it. */
void insiders_forge(struct world *w, const struct machine *m);

/* What leaves instead of this packet; may point into `room`. */
struct bytes insiders_packet(struct world *w, struct machine *m, const struct effect *effect,
                             uint8_t room[PACKET_MAX]);

/* The liar is found and its process started anew. */
void insiders_heal(struct world *w);

void insiders_finish(struct insiders *in);

#endif
