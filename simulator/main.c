/*
 * essaim-sim: the daemon's own libraries under virtual time.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "faults.h"
#include "ops.h"
#include "play.h"
#include "report.h"
#include "schedule.h"
#include "seal.h"
#include "shrink.h"
#include "swarm_accident.h"
#include "swarm_report.h"
#include "sweep.h"
#include "text.h"
#include "weakening.h"

#ifdef NDEBUG
#define ASSERTIONS_ON 0
#else
#define ASSERTIONS_ON 1
#endif

static const char usage[] =
	"usage:\n"
	"  essaim-sim run [--nodes N] [--duration 1h] [--seed S] [--no-faults]\n"
	"                 [--trace | --trace-all] [--weaken RULE[,RULE]]\n"
	"                 [--beyond] [--kinds KIND,KIND...] [--faults FILE] [--write-faults FILE]\n"
	"      one run; its result as JSON, exit code 1 if a checker objects; --faults replays a list\n"
	"      that --write-faults or shrink wrote, with its nodes, duration and seed\n"
	"  essaim-sim run --membership [--nodes N] [--duration 60s] [--seed S] [--no-facts] [--trace]\n"
	"      many cores of membership alone: all find each other, one dies, ten die at once;\n"
	"      --no-facts: nobody says anything of itself\n"
	"  essaim-sim run --accident NAME [--nodes N] [--duration 60s] [--seed S] [--weaken RULE[,RULE]]\n"
	"      the same until all is quiet, then an accident that large swarms of others had;\n"
	"      --accident-list names them, with what came of them there\n"
	"  essaim-sim sweep --seeds A..B [--jobs N] [--nodes N] [--duration D] [--no-faults]\n"
	"                   [--twice] [--keep-going] [--budget D] [--beyond] [--resume FILE]\n"
	"      many runs; stops at the first objection and prints the command that replays it;\n"
	"      --budget bounds the CPU time; --beyond lets clocks drift beyond the bound: authority\n"
	"      may overlap then, which is counted, and the ledger must hold all the same; --resume keeps\n"
	"      the tally in FILE and goes on from there, after Ctrl-C too: each seed is counted once\n"
	"  essaim-sim sweep --weaken RULE[,RULE] [--stored LIST] [--seeds A..B] ...\n"
	"      the same with rules switched off: the runs stored for them come first\n"
	"  essaim-sim sweep --weaken list\n"
	"      the rules that can be switched off\n"
	"  essaim-sim play [--rewrite] [--weaken RULE[,RULE]] FILE...\n"
	"      scripted runs with the narration they must give\n"
	"  essaim-sim shrink [--nodes N] [--duration D] [--seed S] [--faults FILE] [--weaken RULE[,RULE]]\n"
	"                    [--write-faults FILE] [--write-play FILE] [--budget D]\n"
	"      takes faults, nodes, time and what befell single messages away from a failing run for as\n"
	"      long as it fails, and tells what is left, as a list or a play; --budget bounds the CPU\n"
	"      time (default 60s)\n";

struct options {
	struct run_settings run;
	struct sweep_settings sweep;
	bool rewrite, seeds_given, list;
	const char *faults_from, *faults_to, *play_to, *stored;
	int first_file; /* index in argv */
};

static _Noreturn void misused(const char *what, const char *subject)
{
	fprintf(stderr, "essaim-sim: %s '%s'\n%s", what, subject, usage);
	exit(2);
}

static uint64_t number_of(const char *text, const char *option)
{
	char *rest;
	errno = 0;
	unsigned long long value = strtoull(text, &rest, 10);
	if (errno || *rest || *text < '0' || *text > '9') {
		fprintf(stderr, "essaim-sim: %s wants a number, not '%s'\n", option, text);
		exit(2);
	}
	return value;
}

static duration duration_of(const char *text)
{
	duration out;
	struct error error;
	if (duration_parse(text, &out, &error)) {
		fprintf(stderr, "essaim-sim: %s\n", error.text);
		exit(2);
	}
	return out;
}

static void seeds_of(const char *text, struct sweep_settings *out)
{
	char first[32];
	const char *dots = strstr(text, "..");
	if (!dots || (size_t)(dots - text) >= sizeof(first)) {
		fprintf(stderr, "essaim-sim: --seeds wants A..B, not '%s'\n", text);
		exit(2);
	}
	snprintf(first, sizeof(first), "%.*s", (int)(dots - text), text);
	out->first = number_of(first, "--seeds");
	out->last = number_of(dots + 2, "--seeds");
	if (out->first > out->last) {
		fprintf(stderr, "essaim-sim: --seeds '%s' is empty\n", text);
		exit(2);
	}
}

static void accident_of(const char *text, struct run_settings *run)
{
	enum swarm_accident accident;
	if (!swarm_accident_parse(text, &accident)) {
		fprintf(stderr, "essaim-sim: --accident '%s' is none; there are:\n", text);
		swarm_accident_list(stderr);
		exit(2);
	}
	run->accident = accident;
	run->membership_only = true;
}

static uint64_t kinds_of(const char *text)
{
	uint64_t kinds;
	if (fault_kinds_parse(text, &kinds))
		return kinds;
	fprintf(stderr, "essaim-sim: --kinds '%s' names an unknown fault; there are:", text);
	for (int kind = 0; kind < FAULT_COUNT; kind++)
		fprintf(stderr, " %s", fault_name((enum fault_kind)kind));
	fputc('\n', stderr);
	exit(2);
}

static void weaken_of(const char *names, struct options *o)
{
	struct error error;
	o->list = !strcmp(names, "list");
	if (o->list || !weakening_parse(names, &o->run.weakened, &error))
		return;
	fprintf(stderr, "essaim-sim: %s\n", error.text);
	exit(2);
}

static bool flag(struct options *o, const char *word)
{
	if (!strcmp(word, "--no-faults"))
		o->run.faults = false;
	else if (!strcmp(word, "--membership"))
		o->run.membership_only = true;
	else if (!strcmp(word, "--accident-list"))
		swarm_accident_list(stdout), exit(0);
	else if (!strcmp(word, "--no-facts"))
		o->run.facts_off = true;
	else if (!strcmp(word, "--beyond"))
		o->run.beyond = true;
	else if (!strcmp(word, "--trace"))
		o->run.trace = stderr;
	else if (!strcmp(word, "--trace-all"))
		o->run.trace = stderr, o->run.trace_all = true;
	else if (!strcmp(word, "--twice"))
		o->sweep.twice = true;
	else if (!strcmp(word, "--keep-going"))
		o->sweep.keep_going = true;
	else if (!strcmp(word, "--rewrite"))
		o->rewrite = true;
	else
		return false;
	return true;
}

static bool valued(struct options *o, const char *word, const char *value)
{
	if (!strcmp(word, "--nodes"))
		o->run.nodes = (uint32_t)number_of(value, word);
	else if (!strcmp(word, "--duration"))
		o->run.length = duration_of(value);
	else if (!strcmp(word, "--kinds"))
		o->run.kinds = kinds_of(value);
	else if (!strcmp(word, "--seed"))
		o->run.seed = number_of(value, word);
	else if (!strcmp(word, "--seeds"))
		seeds_of(value, &o->sweep), o->seeds_given = true;
	else if (!strcmp(word, "--jobs"))
		o->sweep.jobs = (uint32_t)number_of(value, word);
	else if (!strcmp(word, "--weaken"))
		weaken_of(value, o);
	else if (!strcmp(word, "--faults"))
		o->faults_from = value;
	else if (!strcmp(word, "--write-faults"))
		o->faults_to = value;
	else if (!strcmp(word, "--write-play"))
		o->play_to = value;
	else if (!strcmp(word, "--accident"))
		accident_of(value, &o->run);
	else if (!strcmp(word, "--stored"))
		o->stored = value;
	else if (!strcmp(word, "--resume"))
		o->sweep.resume = value;
	else if (!strcmp(word, "--budget"))
		o->sweep.budget = duration_of(value);
	else
		return false;
	return true;
}

static void parse(int argc, char **argv, struct options *o)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	*o = (struct options){.first_file = argc};
	o->run = (struct run_settings){
		.nodes = 5, .length = 600 * SECOND, .seed = 1, .faults = true};
	o->sweep.jobs = cores > 0 ? (uint32_t)cores : 1;
	o->stored = WEAKENINGS_STORED;
	o->sweep.first = 1, o->sweep.last = 100; /* when rules are weakened; else they must be given */
	for (int i = 2; i < argc; i++) {
		if (argv[i][0] != '-') {
			o->first_file = i;
			break;
		}
		if (flag(o, argv[i]))
			continue;
		char *value = strchr(argv[i], '=');
		if (value != NULL) { /* --weaken=RULE */
			*value++ = '\0';
			if (!valued(o, argv[i], value))
				misused("unknown option", argv[i]);
			continue;
		}
		if (i + 1 >= argc || !valued(o, argv[i], argv[i + 1]))
			misused("unknown or incomplete option", argv[i]);
		i++;
	}
	if (o->run.nodes < 1 || o->run.nodes > MEMBERS_MAX)
		misused("1 to 4096 is the range of", "--nodes");
	if (o->sweep.jobs < 1 || o->sweep.jobs > 256)
		misused("1 to 256 is the range of", "--jobs");
	o->sweep.run = o->run;
	o->sweep.run.trace = NULL;
}

/* What --faults names, into the run's settings. */
static void take_schedule(struct options *o, struct schedule *schedule)
{
	struct error error;
	if (!o->faults_from)
		return;
	if (schedule_read(o->faults_from, schedule, &error)) {
		fprintf(stderr, "essaim-sim: %s\n", error.text);
		exit(2);
	}
	o->run.nodes = schedule->nodes;
	o->run.length = schedule->length;
	o->run.seed = schedule->seed;
	o->run.schedule = schedule;
	o->run.schedule_path = o->faults_from;
}

static FILE *open_faults(const char *path)
{
	FILE *file = path ? fopen(path, "w") : NULL;
	if (path && !file) {
		fprintf(stderr, "essaim-sim: cannot write '%s': %s\n", path, strerror(errno));
		exit(1);
	}
	return file;
}

static void close_faults(const char *path, FILE *file)
{
	if (!file || !fclose(file))
		return;
	fprintf(stderr, "essaim-sim: cannot write '%s': %s\n", path, strerror(errno));
	exit(1);
}

static int run_membership(const struct run_settings *run)
{
	struct swarm_settings settings = {run->nodes, run->length, run->seed,
	                                  run->facts_off, run->trace, run->accident, run->weakened};
	struct swarm_result result;
	if (run->nodes <= 3 * SWARM_VICTIMS)
		misused("too few nodes for", "--membership");
	swarm_run(&settings, &result);
	swarm_report(&result, stdout);
	return swarm_good(&result) ? 0 : 1;
}

static int verb_run(struct options *o)
{
	if (o->run.membership_only)
		return run_membership(&o->run);
	struct run_result result;
	struct schedule used = {0};
	take_schedule(o, &used);
	o->run.kept = open_faults(o->faults_to);
	run(&o->run, &result);
	report_run(&result, stdout);
	close_faults(o->faults_to, o->run.kept);
	schedule_finish(&used);
	return result.violations.count ? 1 : 0;
}

static int verb_shrink(struct options *o)
{
	struct schedule used = {0}, kept = {0};
	take_schedule(o, &used);
	struct shrink_settings settings = {.run = o->run, .budget = o->sweep.budget,
	                                   .path = o->faults_to};
	if (!settings.budget)
		settings.budget = 60 * SECOND;
	int code = shrink(&settings, &kept);
	FILE *file = code ? NULL : open_faults(o->faults_to);
	if (file)
		schedule_write(&kept, file);
	close_faults(o->faults_to, file);
	file = code ? NULL : open_faults(o->play_to);
	if (file)
		shrink_write_play(&kept, file);
	close_faults(o->play_to, file);
	schedule_finish(&used);
	schedule_finish(&kept);
	return code;
}

static int verb_sweep(const struct options *o)
{
	struct error error;
	if (o->list) {
		weakening_list(stdout);
		return 0;
	}
	int noticed = o->run.weakened ?
		weakening_try_stored(o->stored, o->run.weakened, stderr, &error) : 0;
	if (noticed < 0)
		fprintf(stderr, "essaim-sim: %s\n", error.text);
	if (noticed)
		return noticed < 0 ? 2 : 1;
	if (!o->seeds_given && !o->run.weakened)
		misused("sweep wants", "--seeds A..B");
	return sweep(&o->sweep);
}

static int verb_play(const struct options *o, int argc, char **argv)
{
	int worst = 0;
	if (o->first_file >= argc)
		misused("play wants a", "FILE");
	for (int i = o->first_file; i < argc; i++)
		if (play_file(argv[i], o->rewrite, o->run.weakened))
			worst = 1;
	return worst;
}

int main(int argc, char **argv)
{
	struct options o;
	if (!ASSERTIONS_ON) {
		fprintf(stderr, "essaim-sim: built without assertions: a run would prove nothing; "
		                "build with -Db_ndebug=false\n");
		return 2;
	}
	if (argc < 2)
		misused("it wants a verb, such as", "run");
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "help")) {
		fputs(usage, stdout);
		fputs(ops_usage, stdout);
		return 0;
	}
	if (seal_start()) {
		fprintf(stderr, "essaim-sim: libsodium does not start\n");
		return 1;
	}
	if (!strcmp(argv[1], "ops"))
		return verb_ops(argc, argv);
	parse(argc, argv, &o);
	if (!strcmp(argv[1], "run"))
		return verb_run(&o);
	if (!strcmp(argv[1], "sweep"))
		return verb_sweep(&o);
	if (!strcmp(argv[1], "play"))
		return verb_play(&o, argc, argv);
	if (!strcmp(argv[1], "shrink"))
		return verb_shrink(&o);
	misused("unknown verb", argv[1]);
}
