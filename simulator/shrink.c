#include "shrink.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "apart.h"
#include "dice.h"
#include "shrink_steps.h"

#define SEEDS_TRIED 4
#define ENOUGH 8 /* faults that one can look at */
#define FAULTS_SHARE 0.6 /* of the budget; what is left is for messages */

FILE *shrink_temporary(char *path)
{
	int fd = mkstemp(path);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
	if (!file)
		perror("essaim-sim: cannot make a file in /tmp");
	else
		setvbuf(file, NULL, _IOLBF, 0); /* what was written before an assertion counts too */
	return file;
}

/* ---- one try ---- */

void shrink_use(struct shrinking *s, const struct schedule *schedule)
{
	s->run.schedule = schedule;
	s->run.nodes = schedule->nodes;
	s->run.length = schedule->length;
	s->run.seed = schedule->seed;
}

static bool fails(struct shrinking *s, const struct schedule *candidate)
{
	struct run_result result;
	shrink_use(s, candidate);
	run_apart(&s->run, &result);
	s->runs++;
	s->cpu += result.cpu_seconds;
	if (!result.violations.count || strcmp(result.violations.list[0].check, s->check) != 0)
		return false;
	s->seen = result.violations.list[0];
	return true;
}

/* On a terminal, now and then: how many are left, and how much of the time is used. */
static void show(struct shrinking *s)
{
	int64_t now = (int64_t)time(NULL);
	if (!isatty(STDERR_FILENO) || now == s->shown)
		return;
	s->shown = now;
	fprintf(stderr, "\r%u faults, %u choices left; %u runs, %.0f of %.0f CPU s  ", s->best.count,
	        s->best.choices.count, s->runs, s->cpu, s->whole);
}

bool shrink_try(struct shrinking *s, struct schedule *candidate, uint32_t seeds)
{
	uint64_t seed = candidate->seed;
	if (candidate->choices.count) /* another seed, other messages */
		seeds = 1;
	for (uint64_t i = 0; i < seeds && s->cpu < s->budget; i++) {
		candidate->seed = seed + 2 * i; /* the same parity: the same profile */
		show(s);
		if (!fails(s, candidate))
			continue;
		schedule_finish(&s->best);
		s->best = *candidate;
		*candidate = (struct schedule){0};
		return true;
	}
	schedule_finish(candidate);
	return false;
}

bool shrink_try_few(struct shrinking *s, struct schedule *candidate)
{
	return shrink_try(s, candidate, SEEDS_TRIED);
}

/* ---- as a play ---- */

void shrink_write_play(const struct schedule *s, FILE *out)
{
	char *text = NULL, *rest = NULL;
	size_t size = 0;
	FILE *lines = open_memstream(&text, &size);
	assert(lines);
	schedule_write(s, lines);
	fclose(lines);
	fprintf(out, "# (say here what went wrong, and why it cannot any more)\n");
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		fprintf(out, "seeded %s\n", line);
	fprintf(out, "seeded run\n");
	free(text);
}

/* ---- all together ---- */

/* The run as drawn, its list taken down from the file that the run itself writes. */
static int begin(struct shrinking *s)
{
	struct run_result result;
	struct error error;
	char path[] = "/tmp/essaim-sim-XXXXXX";
	FILE *file = shrink_temporary(path);
	if (!file)
		return -1;
	s->run.kept = file;
	run_apart(&s->run, &result);
	s->run.kept = NULL;
	fclose(file);
	int read = schedule_read(path, &s->best, &error);
	unlink(path);
	if (!result.violations.count) {
		fprintf(stderr, "essaim-sim: that run does not fail\n");
		return -1;
	}
	if (read) {
		fprintf(stderr, "essaim-sim: it failed before there were any faults: %s\n",
		        result.violations.list[0].text);
		return -1;
	}
	s->seen = result.violations.list[0];
	memcpy(s->check, s->seen.check, sizeof(s->check));
	return 0;
}

static void all_faults(struct shrinking *s)
{
	if (strcmp(s->check, "crash") != 0)
		shrink_up_to_violation(s);
	shrink_length(s); /* first of all: a run that does not fail costs its whole length */
	shrink_faults(s);
	if (s->best.choices.count) {
		shrink_list_of_choices(s);
	} else {
		shrink_nodes(s);
		shrink_sooner(s);
		shrink_faults(s);
		shrink_by_luck(s, ENOUGH);
	}
	shrink_length(s);
}

int shrink(const struct shrink_settings *settings, struct schedule *out)
{
	double whole = (double)settings->budget / 1e9;
	struct shrinking s = {.run = settings->run, .whole = whole, .budget = whole * FAULTS_SHARE};
	s.run.trace = NULL;
	if (begin(&s)) {
		schedule_finish(&s.best);
		return 1;
	}
	uint32_t before = s.best.count, nodes = s.best.nodes;
	dice_seed(&s.dice, s.best.seed, DICE_FAULTS);
	all_faults(&s);
	s.budget = whole;
	shrink_to_choices(&s);
	if (isatty(STDERR_FILENO))
		fputc('\n', stderr);
	shrink_tell(&s, before, nodes, settings->path);
	*out = s.best;
	return 0;
}
