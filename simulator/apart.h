/*
 * apart.h: a run in its own process, so that an assertion in it is a finding like any other.
 */
#ifndef ESSAIM_APART_H
#define ESSAIM_APART_H

#include "run.h"

/* A run that died has one violation, of the check "crash". */
void run_apart(const struct run_settings *settings, struct run_result *out);

#endif
