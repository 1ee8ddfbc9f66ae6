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
#include "people.h"

struct world_settings {
	uint32_t nodes;
	uint64_t seed;
	enum profile profile;
	bool faults;       /* slow disks and bad weather may be drawn */
	bool exact_clocks; /* plays: every clock runs at rate 1 until told otherwise */
	bool membership_only;
	uint64_t weakened; /* rules switched off (weaken.h) */
	uint64_t kinds; /* faults that may be drawn, bit per kind; 0: all */
	bool beyond; /* clocks may drift beyond rho: authority may overlap, the ledger must hold */
	/* Told every trace; NULL: nobody listens. */
	void (*traced)(void *context, const struct world *w, const struct machine *m,
	               const struct trace *trace);
	void *context;
};

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
	uint32_t count;
	struct machine *machines; /* and one more, unnamed: for clones */
	uint32_t *found; /* node id -> machine, open addressing */
	uint32_t found_mask;
	struct network network;
	struct faults faults;
	struct clients clients;
	struct people people;
	struct insiders insiders;
	struct copies copies;
	struct observe observe;
	struct asked asked;
	uint64_t hash, events;
	uint64_t tokens; /* created so far */
	struct cluster_id cluster;
};

struct world *world_create(const struct world_settings *settings);
void world_destroy(struct world *w);

/* NULL if there is none. */
struct machine *world_find(struct world *w, node_id id);

/* Carries out the next event. */
void world_step(struct world *w);
/* Everything up to and including `until`, which becomes now. Stops early at a violation. */
void world_run(struct world *w, instant until);
static inline bool world_sound(const struct world *w)
{
	return w->observe.violations.count == 0;
}

/* ---- what drivers do to it ---- */

/* Asks through `m` and runs the world until the answer or the end of patience. */
const struct asked *world_ask(struct world *w, struct machine *m, const struct command *command,
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
