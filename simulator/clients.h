/*
 * clients.h: people and programs that put and get rows through random nodes.
 *
 * Rows 0-5 are registers (each put a new value), rows 6-8 counters raised by get and
 * put --if-version. What was asked and answered goes to checks/writes. A client whose node dies
 * does not know what became of its request; some unknown outcomes are asked again under the same
 * request id, which must not apply twice.
 */
#ifndef ESSAIM_CLIENTS_H
#define ESSAIM_CLIENTS_H

#include "gossip.h"
#include "prng.h"

struct world;
struct machine;

enum client_phase { CLIENT_FREE, CLIENT_GETS, CLIENT_PUTS };

struct client {
	enum client_phase phase;
	uint64_t number; /* the body's name of this request */
	uint32_t node, life, key;
	bool raises;       /* a counter: a put follows the get */
	uint64_t floor;
	uint64_t begun;       /* history stamp */
	uint64_t retry_floor; /* its node's commit index when it was asked again */
	uint64_t value;    /* being put */
	uint64_t if_version;
	uint64_t retry_of;
	uint32_t retries;
	duration patience;
	instant begun_at;
};

#define CLIENTS_MAX 64
#define CLIENT_REGISTERS 6
#define CLIENT_COUNTERS 3
#define UNKNOWN_VALUES_KEPT 256

struct clients {
	struct prng dice;
	struct client list[CLIENTS_MAX];
	uint64_t numbers, values;
	duration pace; /* mean time between two new requests */
	bool active;
	uint64_t unknown_values[UNKNOWN_VALUES_KEPT]; /* puts nobody was told the outcome of */
	uint64_t abandoned; /* requests whose patience ended without a word */
};

void clients_init(struct world *w);
void clients_begin(struct world *w);
/* No new requests; those under way go on. */
void clients_stop(struct world *w);
bool clients_idle(const struct world *w);

void clients_due(struct world *w);
void clients_request(struct world *w, struct machine *m, uint64_t number);
void clients_answered(struct world *w, uint64_t number, const struct answer *answer);
/* A new generation: what was seen before is no floor any more. */
void clients_forget(struct world *w);
/* The process of `m` ended: its clients will never know. */
void clients_ended(struct world *w, const struct machine *m);

/* When all is healed: every row is read once more, through `m`. False if one cannot be read. */
bool clients_last_look(struct world *w, struct machine *m);

#endif
