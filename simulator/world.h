/*
 * world.h: the whole simulated world: true time, machines, network, clients, faults, checkers.
 *
 * One event at a time, by true time then by insertion; every choice from the seed's dice. So equal
 * settings give an equal run, which `hash` proves: it covers every event and every trace in order.
 */
#ifndef ESSAIM_WORLD_H
#define ESSAIM_WORLD_H

#include "clients.h"
#include "copies.h"
#include "dice.h"
#include "faults.h"
#include "insiders.h"
#include "machine.h"
#include "network.h"
#include "observe.h"
#include "operators.h"
#include "people.h"

struct world_settings {
	uint32_t nodes;
	uint32_t networks; /* of each machine: 1 to ADDRESSES_MAX; 0 is 1 */
	uint32_t foreigners; /* machines of a second cluster; 0: there is none */
	uint64_t seed;
	enum profile profile;
	bool faults;       /* slow disks and bad weather may be drawn */
	bool exact_clocks; /* plays: every clock runs at rate 1 until told otherwise */
	bool membership_only;
	weakened_set weakened; /* rules switched off (weaken.h) */
	uint64_t kinds; /* faults that may be drawn, bit per kind; 0: all */
	bool beyond; /* clocks may drift beyond rho: authority may overlap, the ledger must hold */
	bool rivals; /* plays: words were not true, two generations live: not checked as one cluster */
	/* Told every trace; NULL: nobody listens. */
	void (*traced)(void *context, const struct world *w, const struct machine *m,
	               const struct trace *trace);
	void *context;
};

#define ASKED_CLIENT UINT64_MAX /* the client's name of a driver's question */

/* A question the driver waits for (world_ask). */
struct asked {
	bool pending, answered;
	uint32_t node;
	const struct command *command;
	duration patience;
	struct answer answer; /* its value and text point below */
	char text[200];
	uint8_t value[VALUE_MAX_SIZE];
};

struct world {
	struct world_settings settings;
	instant now;
	struct prng dice;
	struct queue queue;
	uint32_t count; /* of our own machines */
	uint32_t total; /* with one more, unnamed, for clones, and the second cluster's */
	struct machine *machines;
	node_id *ids;    /* by identity: machine + total * (number of its key) */
	uint32_t *found; /* node id -> identity, open addressing */
	uint32_t found_mask;
	struct network network;
	struct faults faults;
	struct clients clients;
	struct people people;
	struct operators operators;
	struct insiders insiders;
	struct copies copies;
	struct observe observe;
	struct asked asked;
	uint64_t hash, events;
	uint64_t tokens; /* created so far */
	enum role joins_as; /* world_token and world_join: the role of who joins */
	struct cluster_id cluster, foreign_cluster;
	bool foreign_met; /* addresses were swapped with it */
};

struct world *world_create(const struct world_settings *settings);
void world_destroy(struct world *w);

/* NULL if there is none. */
struct machine *world_find(const struct world *w, node_id id);
/* Which of all that ever were: a machine with another key is another. UINT32_MAX: none. */
uint32_t world_identity(const struct world *w, node_id id);
/* `m` has a key of that id, and may go on under it. */
void world_named(struct world *w, struct machine *m, node_id id);

/* Carries out the next event. */
void world_step(struct world *w);
/* Everything up to and including `until`, which becomes now. Stops early at a violation. */
void world_run(struct world *w, instant until);
static inline bool world_sound(const struct world *w)
{
	return w->observe.violations.count == 0;
}

static inline const struct cluster_id *world_cluster(const struct world *w, const struct machine *m)
{
	return m->foreign ? &w->foreign_cluster : &w->cluster;
}

/* ---- what drivers do to it ---- */

/* Asks through `m` and runs the world until the answer or the end of patience. */
const struct asked *world_ask(struct world *w, struct machine *m, const struct command *command,
                              duration patience);

/* The same of an input that names ASKED_CLIENT. */
const struct asked *world_ask_by(struct world *w, struct machine *m, const struct input *input,
                                 duration patience);

/* Founds at `m`; true when done. Runs the world for at most 20 s. */
bool world_found(struct world *w, struct machine *m);
/* Creates a token at `via`, good for `uses`; its hash in *out. */
bool world_token(struct world *w, struct machine *via, uint32_t uses, uint64_t *id,
                 struct hash *out);
/* Lets `m` join through `via`; the reason of a failure is in m->outcome. */
bool world_join(struct world *w, struct machine *m, const struct machine *via, uint64_t token,
                const struct hash *hash);

/* ---- called by the parts ---- */

void world_violation(struct world *w, const char *check, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void world_mix(struct world *w, uint64_t x);
void world_mix_bytes(struct world *w, const void *data, size_t size);

void world_started(struct world *w, struct machine *m);
void world_ended(struct world *w, struct machine *m);
void world_stepped(struct world *w, struct machine *m, const struct now *now);
void world_traced(struct world *w, struct machine *m, const struct trace *trace);
void world_answered(struct world *w, struct machine *m, uint64_t client,
                    const struct answer *answer);
void world_request_due(struct world *w, struct machine *m, const struct event *event);

#endif
