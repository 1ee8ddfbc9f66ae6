/*
 * spinner.h: one line on a terminal's standard error that says what we wait for, after a second.
 */
#ifndef ESSAIM_CLI_SPINNER_H
#define ESSAIM_CLI_SPINNER_H

#include <stdbool.h>
#include <stdint.h>

#define SPINNER_TICK_MS 120 /* fast enough to look alive */

struct spinner {
	int64_t begun_ms;
	int64_t next_ms; /* not turned before: it may be called at any rate */
	unsigned turn;
	bool wanted, shown;
	char text[160];
};

int64_t monotonic_ms(void);

void spinner_begin(struct spinner *s, bool wanted);
void spinner_say(struct spinner *s, const char *text);
void spinner_turn(struct spinner *s);
void spinner_end(struct spinner *s); /* takes the line away */

#endif
