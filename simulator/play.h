/*
 * play.h: a scripted run whose narration is part of the script (play_parse.h has the language).
 */
#ifndef ESSAIM_PLAY_H
#define ESSAIM_PLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "weaken.h"

struct error;

/*
 * Plays one file, on stdout "ok FILE" or on stderr what differs, with its line. `rewrite` writes
 * the narration that was given into the file instead of comparing. `weakened`: rules switched off
 * (weaken.h). Returns 0 or 1.
 */
int play_file(const char *path, bool rewrite, weakened_set weakened);

/* The same in silence: 0, 1 with what differs in *error, or -1 if the file cannot be read. */
int play_perform(const char *path, weakened_set weakened, struct error *error);

#endif
