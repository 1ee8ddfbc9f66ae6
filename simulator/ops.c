/*
 * ops.c: the command line of the engine's simulator.
 */
#include "ops.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hosts.h"

const char ops_usage[] =
    "  essaim-sim ops [enumerate | volumes | sweep | thousand | list]... [--seeds A..B] [--weaken RULE]\n"
    "      the operation engine among hosts whose tools hang, fail after they worked or lose "
    "their\n"
    "      answers: every crash point of every step for every node, every cancel and change of\n"
    "      master; drawn ones of all kinds; a thousand operations and a killed master; list: the\n"
    "      rules that --weaken can switch off\n";

static const struct {
	const char *name, *sentence;
} weakenings[] = {
#define WEAK(bit, name, sentence) {name, sentence},
    ENGINE_WEAKENINGS(WEAK)
#undef WEAK
};

static int print(const char *part, const struct hosts_tally *t)
{
	printf(
	    "{\"part\": \"%s\", \"runs\": %" PRIu64 ", \"violations\": %" PRIu64
	    ", \"crashes\": %" PRIu64 ", \"adopted\": %" PRIu64 ", \"resumed\": %" PRIu64
	    ", \"probes\": %" PRIu64 ", \"job_runs\": %" PRIu64
	    ", \"done\": %u, \"failed\": %u, \"undone\": %u, \"unknown\": %u, \"first\": \"%s\"}\n",
	    part, t->runs, t->violations, t->crashes, t->adopted, t->resumed, t->probes,
	    t->job_runs, t->ended[OPERATION_DONE], t->ended[OPERATION_FAILED],
	    t->ended[OPERATION_UNDONE], t->ended[OPERATION_UNKNOWN], t->first);
	return t->violations != 0;
}

static int misused(const char *what)
{
	fprintf(stderr, "essaim-sim: ops: '%s'?\nusage:\n%s", what, ops_usage);
	return 2;
}

static int weakening_of(const char *name)
{
	for (int i = 0; i < ENGINE_WEAK_COUNT; i++) {
		if (!strcmp(weakenings[i].name, name))
			return i;
	}
	return -1;
}

struct asked {
	bool enumerate, volumes, sweep, thousand;
	uint64_t first, last;
	uint32_t weakened;
};

static int go(const struct asked *asked)
{
	struct hosts_tally t;
	bool stop = asked->weakened != 0;
	int bad = 0;
	if (asked->enumerate) {
		hosts_enumerate(asked->weakened, stop, &t);
		bad |= print("enumerate", &t);
	}
	if (asked->volumes && !(bad && stop)) {
		hosts_enumerate_volumes(true, &t);
		bad |= print("volumes", &t);
	}
	if (asked->sweep && !(bad && stop)) {
		hosts_sweep(asked->first, asked->last, asked->weakened, stop, &t);
		bad |= print("sweep", &t);
	}
	if (asked->thousand && !(bad && stop)) {
		hosts_thousand(asked->first, asked->weakened, &t);
		bad |= print("thousand", &t);
	}
	return bad;
}

static int list(void)
{
	for (int i = 0; i < ENGINE_WEAK_COUNT; i++)
		printf("%-10s %s\n", weakenings[i].name, weakenings[i].sentence);
	return 0;
}

int verb_ops(int argc, char **argv)
{
	struct asked asked = {.first = 1, .last = 1000};
	for (int i = 2; i < argc; i++) {
		int bit;
		if (!strcmp(argv[i], "enumerate"))
			asked.enumerate = true;
		else if (!strcmp(argv[i], "volumes"))
			asked.volumes = true;
		else if (!strcmp(argv[i], "sweep"))
			asked.sweep = true;
		else if (!strcmp(argv[i], "thousand"))
			asked.thousand = true;
		else if (!strcmp(argv[i], "list"))
			return list();
		else if (!strcmp(argv[i], "--seeds") && i + 1 < argc &&
		         sscanf(argv[i + 1], "%" SCNu64 "..%" SCNu64, &asked.first, &asked.last) ==
		             2)
			i++;
		else if (!strcmp(argv[i], "--weaken") && i + 1 < argc &&
		         (bit = weakening_of(argv[i + 1])) >= 0)
			asked.weakened |= 1u << bit, i++;
		else
			return misused(argv[i]);
	}
	if (!asked.enumerate && !asked.volumes && !asked.sweep && !asked.thousand)
		asked.enumerate = asked.volumes = asked.sweep = asked.thousand = true;
	return go(&asked);
}
