/*
 * human.h: numbers and texts as people read them.
 */
#ifndef ESSAIM_CLI_HUMAN_H
#define ESSAIM_CLI_HUMAN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define HUMAN_SIZE 32

/* "250 ms", "1.2 s", "47 s", "3 min 20 s", "5 h 12 min", "8 d 3 h"; negative: "never". */
void human_duration(int64_t ms, char out[HUMAN_SIZE]);

/* "512 B", "1.5 KiB", "20.0 GiB". */
void human_size(int64_t bytes, char out[HUMAN_SIZE]);

/* "s" unless count is 1. */
const char *plural(int64_t count);

/* Whatever another machine wrote, with control characters made harmless: "\x1b". */
void human_print(FILE *to, const char *text);

/* The same into a malloc'd string, which the caller frees. */
char *human_clean(const char *text);

/* Columns to draw for: those of the terminal, at least 80; 80 if stdout is none. */
int human_width(void);

/*
 * Prints `text` in lines that end before column `width`. The first begins where the cursor is,
 * `hang` columns in; the others after `hang` blanks.
 */
void human_wrap(FILE *to, const char *text, int hang, int width);

/* Standard error is a terminal: there is somebody to talk to. */
bool human_listens(void);

#endif
