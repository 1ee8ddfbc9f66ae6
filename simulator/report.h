/*
 * report.h: a run's result as JSON, for programs.
 */
#ifndef ESSAIM_REPORT_H
#define ESSAIM_REPORT_H

#include <stdio.h>

#include "run.h"

void report_run(const struct run_result *result, FILE *out);

/* The command that shows this very run again. */
#define REPLAY_MAX 160
void report_replay(const struct run_settings *settings, char out[REPLAY_MAX]);

#endif
