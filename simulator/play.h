/*
 * play.h: a scripted run whose narration is part of the script (play_parse.h has the language).
 */
#ifndef ESSAIM_PLAY_H
#define ESSAIM_PLAY_H

#include <stdbool.h>

/*
 * Plays one file, on stdout "ok FILE" or on stderr what differs, with its line. `rewrite` writes
 * the narration that was given into the file instead of comparing. Returns 0 or 1.
 */
int play_file(const char *path, bool rewrite);

#endif
