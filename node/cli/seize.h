/*
 * seize.h: `master seize`: look, show what will happen and what is lost, let the names be typed,
 * ask. The daemon judges all of it again.
 */
#ifndef ESSAIM_CLI_SEIZE_H
#define ESSAIM_CLI_SEIZE_H

#include "commands.h"
#include "fail.h"

int seize_perform(struct invocation *in, struct failure *f);

#endif
