/*
 * backup.h: `cluster backup FILE` and `cluster restore FILE`: the file's side of it.
 *
 * Invariants
 *   1. FILE is whole or not there: it is written beside, synced, checked against the daemon's own
 *      sum, and then renamed.
 *   2. Nothing is sent before all of FILE was checked; the daemon checks again what it gets.
 */
#ifndef ESSAIM_CLI_BACKUP_H
#define ESSAIM_CLI_BACKUP_H

#include "commands.h"
#include "fail.h"

int backup_perform(struct invocation *in, struct failure *f);
int restore_perform(struct invocation *in, struct failure *f);

#endif
