/*
 * report.h: a run's result as JSON, for programs.
 */
#ifndef ESSAIM_REPORT_H
#define ESSAIM_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "run.h"

void report_run(const struct run_result *result, FILE *out);

/* How often each was met (sometimes.h), by its sentence. */
/* {"loss": 12, …} of the faults that began. */
json_t *report_faults(const uint64_t befell[FAULT_COUNT]);
json_t *report_situations(const uint64_t met[SOMETIMES_COUNT]);

/* The command that shows this very run again. */
#define REPLAY_MAX 5200
void report_replay(const struct run_settings *settings, char out[REPLAY_MAX]);

#endif
