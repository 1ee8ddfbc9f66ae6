/*
 * shrink.h: from a failing run to few faults that still make it fail.
 *
 *     as drawn --> up to the violation --> ddmin over faults --> fewer nodes --> less time
 *         --> if still too many: a handful of them alone, under many dice --> ddmin again
 *         --> faults of the network into what they did to each message --> ddmin over these --> told
 *
 * A run with fewer faults is another run: every packet rolls other dice. So a candidate list may be
 * tried under a few seeds of the same profile before it is judged harmless. What is left fails by the
 * same check as what was drawn; that it is for the same cause is likely, and not certain.
 *
 * Source: Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input" (2002).
 */
#ifndef ESSAIM_SHRINK_H
#define ESSAIM_SHRINK_H

#include "run.h"
#include "schedule.h"

struct shrink_settings {
	struct run_settings run;
	duration budget; /* CPU time */
	const char *path; /* where the list will be written; NULL: nowhere */
};

/* Tells what is left on stdout; the list in *out (schedule_finish). 0; 1 if the run does not fail. */
int shrink(const struct shrink_settings *settings, struct schedule *out);

/* The same run as a play, to be narrated by `essaim-sim play --rewrite` once its cause is mended. */
void shrink_write_play(const struct schedule *s, FILE *out);

#endif
