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
#define FAULTS_SHARE 0.6 /* of the budget; what is left is for messages */
#define CHOICES_MAX 20000
#define CHOICES_TOLD 100 /* more of them say less than the faults that made them */
#define AFTER_VIOLATION (61 * SECOND) /* a run ends with at least a minute without faults */

struct shrinking {
	struct run_settings run; /* its schedule changes from try to try */
	char check[sizeof(((struct violation *)0)->check)];
	struct schedule best;
	struct violation seen; /* of the best */
	double cpu, budget;
	uint32_t runs, noted; /* choices, before any was left out */
};

static FILE *open_temporary(char *path)
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

static void use(struct shrinking *s, const struct schedule *schedule)
{
	s->run.schedule = schedule;
	s->run.nodes = schedule->nodes;
	s->run.length = schedule->length;
	s->run.seed = schedule->seed;
}

static bool fails(struct shrinking *s, const struct schedule *candidate)
{
	struct run_result result;
	use(s, candidate);
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
	uint64_t tries = candidate->choices.count ? 1 : SEEDS_TRIED; /* another seed, other messages */
	for (uint64_t i = 0; i < tries && s->cpu < s->budget; i++) {
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

/* ---- fewer of something ---- */

static void without_faults(const struct schedule *all, uint32_t from, uint32_t to,
                           struct schedule *out)
{
	schedule_empty(all, out);
	choice_list_copy(&all->choices, &out->choices);
	for (uint32_t i = 0; i < all->count; i++)
		if (i < from || i >= to)
			schedule_add(out, &all->list[i]);
}

static void without_choices(const struct schedule *all, uint32_t from, uint32_t to,
                            struct schedule *out)
{
	schedule_copy(all, out);
	choice_list_finish(&out->choices);
	for (uint32_t i = 0; i < all->choices.count; i++)
		if (i < from || i >= to)
			choice_list_add(&out->choices, &all->choices.list[i]);
}

/* What can be left out of a schedule, one by one. */
struct part {
	uint32_t (*count)(const struct schedule *s);
	void (*without)(const struct schedule *all, uint32_t from, uint32_t to,
	                struct schedule *out);
};

static uint32_t count_faults(const struct schedule *s)
{
	return s->count;
}

static uint32_t count_choices(const struct schedule *s)
{
	return s->choices.count;
}

static const struct part faults = {count_faults, without_faults};
static const struct part choices = {count_choices, without_choices};

static bool drop_chunk(struct shrinking *s, const struct part *part, uint32_t from, uint32_t size)
{
	struct schedule candidate;
	uint32_t count = part->count(&s->best);
	part->without(&s->best, from, from + size < count ? from + size : count, &candidate);
	return try(s, &candidate);
}

/* ddmin's complements: ever smaller chunks are left out, until no single one can be. */
static void fewer(struct shrinking *s, const struct part *part)
{
	uint32_t size = part->count(&s->best);
	while (size > 0 && s->cpu < s->budget) {
		bool dropped = false;
		for (uint32_t from = 0; from < part->count(&s->best) && s->cpu < s->budget;) {
			if (drop_chunk(s, part, from, size))
				dropped = true;
			else
				from += size;
		}
		if (dropped && size == 1)
			continue;
		size = size == 1 && !dropped ? 0 : (size + 1) / 2;
	}
}

/* ---- from faults of the network to what they did to each message ---- */

/* The same run, noting what befalls messages up to the violation, behind the faults of other kinds. */
static int note_choices(struct shrinking *s, struct schedule *out)
{
	struct run_result result;
	struct error error;
	char path[] = "/tmp/essaim-sim-XXXXXX";
	FILE *file = open_temporary(path);
	if (!file)
		return -1;
	schedule_empty(&s->best, out);
	for (uint32_t i = 0; i < s->best.count; i++)
		if (!fault_of_network(s->best.list[i].kind))
			schedule_add(out, &s->best.list[i]);
	schedule_write(out, file);
	schedule_finish(out);
	use(s, &s->best);
	s->run.noted = file;
	run_apart(&s->run, &result);
	s->run.noted = NULL;
	fclose(file);
	int code = schedule_read(path, out, &error);
	unlink(path);
	return code;
}

/*
 * If only what the network did counts, the run without its faults but with their effects on each
 * message is the very same, and most of these effects can be left out.
 */
static void to_choices(struct shrinking *s)
{
	struct schedule candidate, before;
	struct violation seen = s->seen;
	uint32_t others = 0;
	for (uint32_t i = 0; i < s->best.count; i++)
		others += !fault_of_network(s->best.list[i].kind);
	if (others == s->best.count || note_choices(s, &candidate))
		return;
	s->noted = candidate.choices.count;
	if (s->noted > CHOICES_MAX) {
		schedule_finish(&candidate);
		return;
	}
	choice_list_by_kind(&candidate.choices); /* so that chunks are of messages that belong together */
	schedule_copy(&s->best, &before);
	if (try(s, &candidate))
		fewer(s, &choices);
	if (s->best.choices.count > CHOICES_TOLD) {
		schedule_finish(&s->best);
		s->best = before;
		s->seen = seen;
		return;
	}
	schedule_finish(&before);
	fewer(s, &faults);
}

/* ---- over time and nodes ---- */

/* What begins after the violation cannot have caused it. */
static void up_to_violation(struct shrinking *s)
{
	struct schedule candidate;
	schedule_empty(&s->best, &candidate);
	choice_list_copy(&s->best.choices, &candidate.choices);
	for (uint32_t i = 0; i < s->best.count; i++)
		if (s->best.list[i].begin <= s->seen.at)
			schedule_add(&candidate, &s->best.list[i]);
	try(s, &candidate);
}

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
	use(s, &s->best);
	run_apart(&s->run, &result);
	printf("%u of %u faults remain, %u of %u nodes, %" PRId64 " s; %u runs, %.1f CPU s\n",
	       s->best.count, before, s->best.nodes, nodes, s->best.length / SECOND, s->runs,
	       s->cpu);
	if (s->best.choices.count)
		printf("%u of %u choices of the network remain\n", s->best.choices.count,
		       s->noted > s->best.choices.count ? s->noted : s->best.choices.count);
	printf("%.3f s: %s: %s\n", (double)s->seen.at / 1e9, s->seen.check, s->seen.text);
	schedule_write(&s->best, stdout);
	print_tail(trace, s->seen.at);
	print_replay(s, path);
	fclose(trace);
}

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
	FILE *file = open_temporary(path);
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

int shrink(const struct shrink_settings *settings, struct schedule *out)
{
	struct shrinking s = {.run = settings->run,
	                      .budget = (double)settings->budget / 1e9 * FAULTS_SHARE};
	s.run.trace = NULL;
	if (begin(&s)) {
		schedule_finish(&s.best);
		return 1;
	}
	uint32_t before = s.best.count, nodes = s.best.nodes;
	if (strcmp(s.check, "crash") != 0)
		up_to_violation(&s);
	shorter(&s); /* first of all: a run that does not fail costs its whole length */
	fewer(&s, &faults);
	if (s.best.choices.count) {
		fewer(&s, &choices);
	} else {
		fewer_nodes(&s);
		sooner(&s);
		fewer(&s, &faults);
	}
	shorter(&s);
	s.budget = (double)settings->budget / 1e9;
	to_choices(&s);
	tell(&s, before, nodes, settings->path);
	*out = s.best;
	return 0;
}
