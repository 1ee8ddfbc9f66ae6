/*
 * swarm_report.h: a swarm's run as JSON, for programs. Times that never came are null.
 */
#ifndef ESSAIM_SIMULATOR_SWARM_REPORT_H
#define ESSAIM_SIMULATOR_SWARM_REPORT_H

#include "swarm.h"

/* True if it kept its rules: all found each other, every death was known to all, nobody was maligned. */
bool swarm_good(const struct swarm_result *r);
void swarm_report(const struct swarm_result *r, FILE *out);

#endif
