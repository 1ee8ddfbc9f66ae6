/*
 * bar.h: how far an operation is, as one line on a terminal's standard error; nothing if there is none.
 */
#ifndef ESSAIM_CLI_BAR_H
#define ESSAIM_CLI_BAR_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct bar {
	bool wanted, shown;
};

void bar_begin(struct bar *bar, bool wanted);
/* An event of `op wait`. */
void bar_show(struct bar *bar, const json_t *progress);
/* What is waited for instead. */
void bar_say(struct bar *bar, const char *text);
void bar_end(struct bar *bar); /* takes the line away */

/* The line itself, at most `width` columns: for tests. */
void bar_line(const json_t *progress, int width, char *out, size_t size);

#endif
