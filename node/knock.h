/*
 * knock.h: does an address take TCP connections? A host whose kernel answers while its daemon does
 * not is sick, not dead.
 *
 * Invariants: at most KNOCKS_MAX at once, each ends within its patience and is reported once, from
 * the loop. Nothing is said on the connection. One that cannot even begin is reported as silent.
 */
#ifndef ESSAIM_KNOCK_H
#define ESSAIM_KNOCK_H

#include "body.h"

#define KNOCKS_MAX 64

struct knock_question {
	node_id node;
	struct address address;
	uint32_t path; /* leave by that of our listen addresses */
	duration patience;
};

typedef void knock_done(void *context, node_id node, enum knock_result result);

/* False: not even begun; `done` is not called. */
bool knock_ask(struct body *body, const struct knock_question *question, knock_done *done, void *context);

/* EFFECT_KNOCK: the mind is told */
void knock_start(struct body *body, const struct effect *effect);
/* At the end: those under way go unreported. */
void knocks_close(struct body *body);

#endif
