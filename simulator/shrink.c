#include "shrink.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apart.h"
#include "report.h"
#include "weakening.h"

#define SEEDS_TRIED 4
#define TOLD_BEFORE (5 * SECOND) /* of the trace, before the violation */
#define TOLD_LINES 60
#define AFTER_VIOLATION (61 * SECOND) /* a run ends with at least a minute without faults */

struct shrinking {
	struct run_settings run; /* its schedule changes from try to try */
	char check[sizeof(((struct violation *)0)->check)];
	struct schedule best;
	struct violation seen; /* of the best */
	double cpu, budget;
	uint32_t runs;
};

/* ---- one try ---- */

static bool fails(struct shrinking *s, const struct schedule *candidate)
{
	struct run_result result;
	s->run.schedule = candidate;
	s->run.nodes = candidate->nodes;
	s->run.length = candidate->length;
	s->run.seed = candidate->seed;
	run_apart(&s->run, &result);
	s->runs++;
	s->cpu += result.cpu_seconds;
	if (!result.violations.count || strcmp(result.violations.list[0].check, s->check) != 0)
		return false;
	s->seen = result.violations.list[0];
	return true;
}

/* Takes the candidate over if it fails under one of a few seeds. */
static bool try(struct shrinking *s, struct schedule *candidate)
{
	uint64_t seed = candidate->seed;
	for (uint64_t i = 0; i < SEEDS_TRIED && s->cpu < s->budget; i++) {
		candidate->seed = seed + 2 * i; /* the same parity: the same profile */
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

/* ---- over the faults ---- */

static void without(const struct schedule *all, uint32_t from, uint32_t to, struct schedule *out)
{
	schedule_empty(all, out);
	for (uint32_t i = 0; i < all->count; i++)
		if (i < from || i >= to)
			schedule_add(out, &all->list[i]);
}

static bool drop_chunk(struct shrinking *s, uint32_t from, uint32_t size)
{
	struct schedule candidate;
	uint32_t to = from + size < s->best.count ? from + size : s->best.count;
	without(&s->best, from, to, &candidate);
	return try(s, &candidate);
}

/* ddmin's complements: ever smaller chunks are left out, until no single one can be. */
static void fewer_faults(struct shrinking *s)
{
	uint32_t size = s->best.count;
	while (size > 0 && s->cpu < s->budget) {
		bool dropped = false;
		for (uint32_t from = 0; from < s->best.count && s->cpu < s->budget;) {
			if (drop_chunk(s, from, size))
				dropped = true;
			else
				from += size;
		}
		if (dropped && size == 1)
			continue;
		size = size == 1 && !dropped ? 0 : (size + 1) / 2;
	}
}

/* What begins after the violation cannot have caused it. */
static void up_to_violation(struct shrinking *s)
{
	struct schedule candidate;
	schedule_empty(&s->best, &candidate);
	for (uint32_t i = 0; i < s->best.count; i++)
		if (s->best.list[i].begin <= s->seen.at)
			schedule_add(&candidate, &s->best.list[i]);
	try(s, &candidate);
}

/* ---- over nodes and time ---- */

static void fewer_nodes(struct shrinking *s)
{
	while (s->best.nodes > 1 && s->cpu < s->budget) {
		struct schedule candidate;
		schedule_empty(&s->best, &candidate);
		candidate.nodes--;
		for (uint32_t i = 0; i < s->best.count; i++)
			if (s->best.list[i].node < candidate.nodes)
				schedule_add(&candidate, &s->best.list[i]);
		if (!try(s, &candidate))
			return;
	}
}

/* Everything earlier by as much as the first fault may come earlier. */
static void sooner(struct shrinking *s)
{
	struct schedule candidate;
	instant first = NEVER;
	for (uint32_t i = 0; i < s->best.count; i++)
		if (s->best.list[i].begin < first)
			first = s->best.list[i].begin;
	duration by = first - (instant)s->best.nodes * SECOND - 2 * SECOND; /* founding, settling */
	if (first == NEVER || by < SECOND)
		return;
	schedule_copy(&s->best, &candidate);
	for (uint32_t i = 0; i < candidate.count; i++) {
		candidate.list[i].begin -= by;
		candidate.list[i].end -= by;
	}
	try(s, &candidate);
}

static void shorter(struct shrinking *s)
{
	struct schedule candidate;
	duration length = s->seen.at / SECOND * SECOND + AFTER_VIOLATION;
	if (length >= s->best.length)
		return;
	schedule_copy(&s->best, &candidate);
	candidate.length = length;
	for (uint32_t i = 0; i < candidate.count; i++)
		if (candidate.list[i].end > length)
			candidate.list[i].end = length;
	try(s, &candidate);
}

/* ---- telling ---- */

static int64_t line_ms(const char *line)
{
	int64_t seconds = 0, ms = 0;
	return sscanf(line, "  | %" SCNd64 ".%" SCNd64, &seconds, &ms) == 2 ? seconds * 1000 + ms : -1;
}

/* The last lines of the trace, and how every node stands. */
static void print_tail(FILE *trace, instant until)
{
	char line[1024];
	uint32_t wanted = 0, skipped;
	int64_t from = (until - TOLD_BEFORE) / MILLISECOND;
	rewind(trace);
	while (fgets(line, sizeof(line), trace))
		wanted += line_ms(line) < 0 || line_ms(line) >= from;
	skipped = wanted > TOLD_LINES ? wanted - TOLD_LINES : 0;
	rewind(trace);
	while (fgets(line, sizeof(line), trace)) {
		if (line_ms(line) >= 0 && line_ms(line) < from)
			continue;
		if (skipped)
			skipped--;
		else
			fputs(line, stdout);
	}
}

static void print_replay(const struct shrinking *s, const char *path)
{
	char names[WEAKENING_NAMES_MAX];
	weakening_names(s->run.weakened, names);
	printf("replay: essaim-sim run --faults %s%s%s --trace\n", path ? path : "FILE",
	       s->run.weakened ? " --weaken " : "", names);
}

static void tell(struct shrinking *s, uint32_t before, uint32_t nodes, const char *path)
{
	struct run_result result;
	FILE *trace = tmpfile();
	assert(trace);
	setvbuf(trace, NULL, _IOLBF, 0); /* what was told before an assertion counts too */
	s->run.trace = trace;
	s->run.schedule = &s->best;
	s->run.nodes = s->best.nodes;
	s->run.length = s->best.length;
	s->run.seed = s->best.seed;
	run_apart(&s->run, &result);
	printf("%u of %u faults remain, %u of %u nodes, %" PRId64 " s; %u runs, %.1f CPU s\n",
	       s->best.count, before, s->best.nodes, nodes, s->best.length / SECOND, s->runs,
	       s->cpu);
	printf("%.3f s: %s: %s\n", (double)s->seen.at / 1e9, s->seen.check, s->seen.text);
	schedule_write(&s->best, stdout);
	print_tail(trace, s->seen.at);
	print_replay(s, path);
	fclose(trace);
}

/* ---- all together ---- */

/* The run as drawn, its list taken down from the file that the run itself writes. */
static int begin(struct shrinking *s)
{
	struct run_result result;
	struct error error;
	char path[] = "/tmp/essaim-sim-XXXXXX";
	int fd = mkstemp(path);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
	if (!file) {
		perror("essaim-sim: cannot make a file in /tmp");
		return -1;
	}
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

int shrink(const struct shrink_settings *settings, struct schedule *out)
{
	struct shrinking s = {.run = settings->run, .budget = (double)settings->budget / 1e9};
	s.run.trace = NULL;
	if (begin(&s)) {
		schedule_finish(&s.best);
		return 1;
	}
	uint32_t before = s.best.count, nodes = s.best.nodes;
	if (strcmp(s.check, "crash") != 0)
		up_to_violation(&s);
	fewer_faults(&s);
	fewer_nodes(&s);
	sooner(&s);
	fewer_faults(&s);
	shorter(&s);
	tell(&s, before, nodes, settings->path);
	*out = s.best;
	return 0;
}
