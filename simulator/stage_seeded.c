/*
 * stage_seeded.c: a whole seeded run as a play's step, from the lines of a list of faults.
 *
 * `essaim-sim shrink --write-play` writes them. `seeded run` carries the run out as `essaim-sim run
 * --faults` would, by itself: the play's own world is not touched. What it decides is narrated.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"
#include "stage_steps.h"

static void narrate(struct stage *s, char *told)
{
	char *rest = NULL;
	for (char *line = strtok_r(told, "\n", &rest); line && !s->silent;
	     line = strtok_r(NULL, "\n", &rest))
		stage_say_line(s, line);
}

static int carry_out(struct stage *s)
{
	struct run_result result;
	char *told = NULL;
	size_t size = 0;
	struct run_settings settings = {.nodes = s->seeded.nodes, .length = s->seeded.length,
	                                .seed = s->seeded.seed, .faults = true,
	                                .weakened = s->settings.weakened,
	                                .schedule = &s->seeded, .trace_events = true};
	if (!settings.nodes || !settings.length)
		return play_fail(s->text, s->line, s->error,
		                 "expected 'seeded nodes N' and 'seeded duration D' first");
	settings.trace = open_memstream(&told, &size);
	assert(settings.trace);
	run(&settings, &result);
	fclose(settings.trace);
	narrate(s, told);
	free(told);
	if (!result.violations.count)
		return 0;
	return play_fail(s->text, s->line, s->error, "violation: %s: %s",
	                 result.violations.list[0].check, result.violations.list[0].text);
}

int step_seeded(struct stage *s)
{
	if (s->line->count == 2 && !strcmp(play_word(s->line, 1), "run"))
		return carry_out(s);
	return schedule_line(s->text, s->line, 1, &s->seeded, s->error);
}
