/*
 * dir_probe.h: what `essaim-files probe` and `zpool list` say of a folder or a pool. Pure.
 *
 * Invariants
 *   1. Any bytes are taken: unknown keys are passed over, a text is cut to what is printable and fits.
 *   2. What is not said is unknown, never so: a folder is mounted and writable only by the tool's word.
 *   3. Free room is told in hundredths of the size, so that a folder in use is no stream of facts.
 *
 * Sources: programs.h for the words of probe; zpool-list(8).
 */
#ifndef ESSAIM_DIR_PROBE_H
#define ESSAIM_DIR_PROBE_H

#include "storage.h"
#include "verb.h"

/* What has to be asked for that storage. False: nothing, it is none of folders or pools. */
bool dir_probe_call(const struct storage_row *row, struct command_line *out);
/* What is looked at for it, without anything seen. */
void dir_probe_begin(const struct storage_row *row, struct dir_seen *out);

/* The tool's output into what was begun. False: it is not what such a tool says. */
bool dir_probe_parse(const char *text, struct dir_seen *out);

#endif
