/*
 * operators.h: what people do to the cluster as a whole, and what becomes of its machines for that.
 *
 *     SETTING   some setting gets another legal value, through some member
 *     REKEY     a member takes another key: durable beside the old one, then asked for; at the end of
 *               the change its machine goes on under another id
 *     UPGRADE   in such a run half of the machines begin with software that speaks wire version 1; one
 *               is stopped and comes back with the present one
 *     SEIZE     most of the voters are lost for good, and somebody seizes: seizing.h
 *     WITNESS   in such a run one founder is a witness; it is struck
 *     NETWORK   in such a run there are two networks; one dies, for one machine or for all
 *
 * Invariants
 *   1. Upgrading goes on after the healing until it is done: somebody stands there.
 */
#ifndef ESSAIM_OPERATORS_H
#define ESSAIM_OPERATORS_H

#include "faults.h"
#include "seizing.h"

struct machine;
struct answer;
struct status_view;

#define OPERATORS_CLIENT ((uint64_t)3 << 61) /* client numbers from here on are theirs */
#define OPERATORS_DUE (UINT64_MAX - 1)       /* number of their EVENT_PERSON */

enum { CLIENT_SETTING, CLIENT_REKEY, CLIENT_SEIZE };

struct operators {
	struct seizing_state seizing;
	instant moved_at; /* when one last came up elsewhere */
	uint64_t settings, rekeys, rekeyed, upgrades;
};

/* Is it a member, as somebody knows, that will run again? */
bool operators_stays(const struct world *w, const struct machine *m);
/* Neither scrapped, nor gone in an ordinary way. */
bool operators_may_return(const struct machine *m);
/* Have all heard of those that came later, and of the keys that were changed? */
bool operators_all_know_the_new(const struct world *w);
/* False: it is no member, or does not run. */
bool operators_status(const struct world *w, const struct machine *m, struct status_view *out);

/* Before the founding: who is old, who will be a witness. */
void operators_begin(struct world *w);
/* The role in which machine `index` joins. */
enum role operators_role(const struct world *w, uint32_t index);

void operators_act(struct world *w, struct fault *f, bool begins);
void operators_answered(struct world *w, const struct machine *m, uint64_t client,
                        const struct answer *answer);
/* Its core ended because its key was changed: it goes on with the new one. */
void operators_rekeyed(struct world *w, struct machine *m);
/* A key waits beside that of `m` from now on. False: one waits already, or it had too many. */
bool operators_new_key(struct world *w, struct machine *m);
/* Whoever is old is upgraded; whoever is lost is seized without. */
void operators_heal(struct world *w);

#endif
