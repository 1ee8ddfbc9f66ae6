/*
 * shrink_steps.h: the steps of making a failing run smaller; shrink.c says in which order.
 *
 * Each makes candidates of the best list so far, and whatever still fails by the same check is the
 * new best: so the steps may be taken in any order, repeated, and stopped at any time.
 */
#ifndef ESSAIM_SHRINK_STEPS_H
#define ESSAIM_SHRINK_STEPS_H

#include "prng.h"
#include "run.h"
#include "schedule.h"

#define SHRINK_HEALED (61 * SECOND) /* a run ends with at least a minute without faults */

struct shrinking {
	struct run_settings run; /* its schedule changes from try to try */
	char check[sizeof(((struct violation *)0)->check)];
	struct schedule best;
	struct violation seen; /* of the best */
	double cpu, budget, whole; /* CPU s: used, for this step, for all of them */
	struct prng dice; /* which faults to try alone */
	uint32_t runs, noted; /* choices, before any was left out */
	int64_t shown; /* when progress was last shown */
};

/* ---- one try: shrink.c ---- */

FILE *shrink_temporary(char *path);
void shrink_use(struct shrinking *s, const struct schedule *schedule);
/* Takes the candidate over if it fails under one of so many seeds; it is used up either way. */
bool shrink_try(struct shrinking *s, struct schedule *candidate, uint32_t seeds);
/* The same under as few as are worth it for a list that differs in little. */
bool shrink_try_few(struct shrinking *s, struct schedule *candidate);

/* ---- fewer faults or choices: shrink_parts.c ---- */

void shrink_faults(struct shrinking *s);
void shrink_list_of_choices(struct shrinking *s);

/* ---- a handful of the faults alone, under many dice: shrink_luck.c ---- */

void shrink_by_luck(struct shrinking *s, uint32_t enough);

/* ---- fewer nodes, less time: shrink_time.c ---- */

void shrink_up_to_violation(struct shrinking *s);
void shrink_nodes(struct shrinking *s);
void shrink_sooner(struct shrinking *s);
void shrink_length(struct shrinking *s);
/* Every fault earlier, so that the first begins soon after the founding. False: it does already. */
bool shrink_move_up(struct schedule *schedule);

/* ---- faults of the network into what they did to single messages: shrink_choices.c ---- */

void shrink_to_choices(struct shrinking *s);

/* ---- what is left, on stdout: shrink_tell.c ---- */

void shrink_tell(struct shrinking *s, uint32_t before, uint32_t nodes, const char *path);

#endif
