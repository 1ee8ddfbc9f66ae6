#include "shrink_steps.h"

#include <assert.h>
#include <inttypes.h>

#include "apart.h"
#include "weakening.h"

#define TOLD_BEFORE (5 * SECOND) /* of the trace, before the violation */
#define TOLD_LINES 60

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

void shrink_tell(struct shrinking *s, uint32_t before, uint32_t nodes, const char *path)
{
	struct run_result result;
	FILE *trace = tmpfile();
	assert(trace);
	setvbuf(trace, NULL, _IOLBF, 0); /* what was told before an assertion counts too */
	s->run.trace = trace;
	shrink_use(s, &s->best);
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
