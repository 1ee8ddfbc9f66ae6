/*
 * loop.h: the daemon's heart: inputs go to the mind, its effects are carried out, one timer.
 */
#ifndef ESSAIM_LOOP_H
#define ESSAIM_LOOP_H

#include "body.h"

/* Makes the timer (CLOCK_BOOTTIME: a suspend counts) and the signals. 0 or -errno. */
int loop_open(struct body *body, struct error *error);

/* Gives INPUT_START and runs until the end. */
void loop_run(struct body *body);
void loop_close(struct body *body);

/* Ends loop_run soon, from anywhere in it. */
void loop_end(struct body *body);

/* Did it end because its key was changed? */
bool loop_rekeyed(const struct body *body);

/* "left its cluster": how a node with that standing is none of a cluster any more; NULL: it is. */
const char *loop_gone(enum standing standing);

#endif
