#include "spinner.h"
#include "human.h"

#include <stdio.h>
#include <time.h>

#define SPINNER_AFTER_MS 1000 /* shorter waits need no explanation */

int64_t monotonic_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void spinner_begin(struct spinner *s, bool wanted)
{
	*s = (struct spinner){.begun_ms = monotonic_ms(), .wanted = wanted && human_listens()};
	spinner_say(s, "waiting for the daemon");
}

void spinner_say(struct spinner *s, const char *text)
{
	snprintf(s->text, sizeof s->text, "%s", text);
}

void spinner_turn(struct spinner *s)
{
	int64_t elapsed = monotonic_ms() - s->begun_ms;
	if (!s->wanted || elapsed < SPINNER_AFTER_MS || elapsed < s->next_ms)
		return;
	s->next_ms = elapsed + SPINNER_TICK_MS / 2;
	fprintf(stderr, "\r\033[K%c ", "|/-\\"[s->turn++ % 4]);
	human_print(stderr, s->text);
	fprintf(stderr, " (%lld s)", (long long)(elapsed / 1000));
	fflush(stderr);
	s->shown = true;
}

void spinner_end(struct spinner *s)
{
	if (s->shown)
		fprintf(stderr, "\r\033[K");
	s->shown = false;
}
