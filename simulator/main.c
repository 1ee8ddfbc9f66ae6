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

#include "play.h"
#include "report.h"
#include "seal.h"
#include "sweep.h"
#include "text.h"

#ifdef NDEBUG
#define ASSERTIONS_ON 0
#else
#define ASSERTIONS_ON 1
#endif

static const char usage[] =
	"usage:\n"
	"  essaim-sim run [--nodes N] [--duration 1h] [--seed S] [--no-faults]\n"
	"                 [--trace | --trace-all]\n"
	"      one run; its result as JSON, exit code 1 if a checker objects\n"
	"  essaim-sim sweep --seeds A..B [--jobs N] [--nodes N] [--duration D] [--no-faults]\n"
	"                   [--twice] [--keep-going] [--budget D]\n"
	"      many runs; stops at the first objection and prints the command that replays it;\n"
	"      --budget bounds the CPU time\n"
	"  essaim-sim play [--rewrite] FILE...\n"
	"      scripted runs with the narration they must give\n";

struct options {
	struct run_settings run;
	struct sweep_settings sweep;
	bool rewrite, seeds_given;
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

static bool flag(struct options *o, const char *word)
{
	if (!strcmp(word, "--no-faults"))
		o->run.faults = false;
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
	else if (!strcmp(word, "--seed"))
		o->run.seed = number_of(value, word);
	else if (!strcmp(word, "--seeds"))
		seeds_of(value, &o->sweep), o->seeds_given = true;
	else if (!strcmp(word, "--jobs"))
		o->sweep.jobs = (uint32_t)number_of(value, word);
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
	for (int i = 2; i < argc; i++) {
		if (argv[i][0] != '-') {
			o->first_file = i;
			break;
		}
		if (flag(o, argv[i]))
			continue;
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

static int verb_run(const struct options *o)
{
	struct run_result result;
	run(&o->run, &result);
	report_run(&result, stdout);
	return result.violations.count ? 1 : 0;
}

static int verb_sweep(const struct options *o)
{
	if (!o->seeds_given)
		misused("sweep wants", "--seeds A..B");
	return sweep(&o->sweep);
}

static int verb_play(const struct options *o, int argc, char **argv)
{
	int worst = 0;
	if (o->first_file >= argc)
		misused("play wants a", "FILE");
	for (int i = o->first_file; i < argc; i++)
		if (play_file(argv[i], o->rewrite))
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
		return 0;
	}
	if (seal_start()) {
		fprintf(stderr, "essaim-sim: libsodium does not start\n");
		return 1;
	}
	parse(argc, argv, &o);
	if (!strcmp(argv[1], "run"))
		return verb_run(&o);
	if (!strcmp(argv[1], "sweep"))
		return verb_sweep(&o);
	if (!strcmp(argv[1], "play"))
		return verb_play(&o, argc, argv);
	misused("unknown verb", argv[1]);
}
