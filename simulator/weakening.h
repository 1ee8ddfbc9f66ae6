/*
 * weakening.h: rules switched off by name, and the stored runs that must notice it.
 *
 * A line of the stored list (tests/sim/weaken.txt) is one of
 *
 *     RULE[,RULE] run NODES DURATION SEED      a seeded run
 *     RULE[,RULE] accident NAME NODES DURATION SEED   a swarm's, without facts (swarm_accident.h)
 *     RULE[,RULE] faults FILE                  a list of faults (schedule.h)
 *     RULE[,RULE] play FILE                    a play; FILEs are beside the list
 *     RULE covered | model | argued            nothing to run: why is said behind the #
 */
#ifndef ESSAIM_WEAKENING_H
#define ESSAIM_WEAKENING_H

#include "run.h"
#include "weaken.h"

struct error;

#define WEAKENING_NAMES_MAX 256

/* "a,b" to bits. 0, or -1 with all names in *error. */
int weakening_parse(const char *names, weakened_set *out, struct error *error);
void weakening_list(FILE *out);
/* The names of `bits`, with commas. */
void weakening_names(weakened_set bits, char out[WEAKENING_NAMES_MAX]);

/*
 * Tries the stored runs of exactly these rules, in order; stops at the first that notices and says
 * so on `out`. 1: noticed; 0: none did; -1: the list is unreadable, with *error.
 */
int weakening_try_stored(const char *path, weakened_set bits, FILE *out, struct error *error);

#endif
