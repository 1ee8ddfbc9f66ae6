#include "weakening.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apart.h"
#include "play.h"
#include "play_parse.h"
#include "report.h"
#include "schedule.h"
#include "swarm_accident.h"
#include "swarm_report.h"
#include "weaken.h"

static_assert(WEAK_COUNT <= 128, "gossip_settings.weakened has a bit for each");

struct row {
	const char *name, *rule, *sentence;
};

static const struct row rows[WEAK_COUNT] = {
#define WEAK(bit, name, rule, sentence) {name, rule, sentence},
	WEAKENINGS(WEAK)
#undef WEAK
};

/* ---- names ---- */

void weakening_list(FILE *out)
{
	for (int i = 0; i < WEAK_COUNT; i++)
		fprintf(out, "%-18s %-10s %s\n", rows[i].name, rows[i].rule, rows[i].sentence);
}

static int unknown(const char *name, size_t size, struct error *error)
{
	char names[WEAK_COUNT * 24] = "";
	for (int i = 0; i < WEAK_COUNT; i++) {
		strcat(names, i ? ", " : "");
		strcat(names, rows[i].name);
	}
	fprintf(stderr, "essaim-sim: the rules that can be weakened are %s\n", names);
	return error_set(error, -1, "there is no rule '%.*s' to weaken", (int)size, name);
}

int weakening_parse(const char *names, weakened_set *out, struct error *error)
{
	weakened_set bits = 0;
	for (const char *at = names;;) {
		size_t size = strcspn(at, ",");
		int i = 0;
		while (i < WEAK_COUNT &&
		       (strlen(rows[i].name) != size || strncmp(rows[i].name, at, size) != 0))
			i++;
		if (i == WEAK_COUNT)
			return unknown(at, size, error);
		bits |= (weakened_set)1 << i;
		if (!at[size])
			break;
		at += size + 1;
	}
	*out = bits;
	return 0;
}

void weakening_names(weakened_set bits, char out[WEAKENING_NAMES_MAX])
{
	size_t used = 0;
	out[0] = '\0';
	for (int i = 0; i < WEAK_COUNT; i++) {
		if (!(bits >> i & 1) || used + strlen(rows[i].name) + 2 > WEAKENING_NAMES_MAX)
			continue;
		used += (size_t)snprintf(out + used, WEAKENING_NAMES_MAX - used, "%s%s",
		                         used ? "," : "", rows[i].name);
	}
}

/* ---- stored runs ---- */

static void beside(const char *list, const char *file, char *out, size_t size)
{
	const char *slash = strrchr(list, '/');
	snprintf(out, size, "%.*s%s", slash ? (int)(slash - list) + 1 : 0, list, file);
}

static bool run_notices(const struct run_settings *settings, FILE *out)
{
	struct run_result result;
	char replay[REPLAY_MAX];
	run_apart(settings, &result);
	if (!result.violations.count)
		return false;
	const struct violation *v = &result.violations.list[0];
	report_replay(settings, replay);
	fprintf(out, "seed %" PRIu64 " at %.3f s: %s: %s\n  replay: %s --trace\n", settings->seed,
	        (double)v->at / 1e9, v->check, v->text, replay);
	return true;
}

static int try_seed(const struct play_text *text, const struct play_line *line, weakened_set bits,
                    FILE *out, struct error *error)
{
	uint64_t nodes;
	struct run_settings settings = {.faults = true, .weakened = bits};
	if (play_number(text, line, 2, &nodes, error) ||
	    play_duration(text, line, 3, &settings.length, error) ||
	    play_number(text, line, 4, &settings.seed, error))
		return -1;
	settings.nodes = (uint32_t)nodes;
	return run_notices(&settings, out);
}

static int try_faults(const char *path, weakened_set bits, FILE *out, struct error *error)
{
	struct schedule schedule;
	if (schedule_read(path, &schedule, error))
		return -1;
	struct run_settings settings = {.nodes = schedule.nodes,
	                                .length = schedule.length,
	                                .seed = schedule.seed,
	                                .faults = true,
	                                .weakened = bits,
	                                .schedule = &schedule,
	                                .schedule_path = path};
	bool noticed = run_notices(&settings, out);
	schedule_finish(&schedule);
	return noticed;
}

static int try_accident(const struct play_text *text, const struct play_line *line,
                        weakened_set bits, FILE *out, struct error *error)
{
	uint64_t nodes;
	enum swarm_accident accident;
	struct swarm_result result;
	struct swarm_settings settings = {.facts_off = true, .weakened = bits};
	if (!swarm_accident_parse(play_word(line, 2), &accident))
		return play_fail(text, line, error, "there is no such accident");
	if (play_number(text, line, 3, &nodes, error) ||
	    play_duration(text, line, 4, &settings.length, error) ||
	    play_number(text, line, 5, &settings.seed, error))
		return -1;
	settings.nodes = (uint32_t)nodes;
	settings.accident = (int)accident;
	swarm_run(&settings, &result);
	if (swarm_good(&result))
		return 0;
	fprintf(out, "%s\n  a swarm did not live through that\n", line->text);
	return 1;
}

/* In its own process: an assertion in it is a finding too. */
static bool play_notices(const char *path, weakened_set bits, struct error *error)
{
	int ends[2], status = 0;
	fflush(NULL);
	pid_t pid = pipe(ends) ? -1 : fork();
	if (pid < 0) {
		perror("essaim-sim: cannot fork");
		exit(1);
	}
	if (pid == 0) {
		int result = play_perform(path, bits, error);
		if (result)
			dprintf(ends[1], "%s", error->text);
		_exit(result ? 1 : 0);
	}
	close(ends[1]);
	ssize_t size = read(ends[0], error->text, sizeof(error->text) - 1);
	error->text[size > 0 ? size : 0] = '\0';
	close(ends[0]);
	waitpid(pid, &status, 0);
	if (WIFSIGNALED(status))
		error_set(error, -1, "%s died of signal %d", path, WTERMSIG(status));
	return status != 0;
}

static int try_line(const struct play_text *text, const struct play_line *line, weakened_set bits,
                    FILE *out, struct error *error)
{
	char path[4096], names[WEAKENING_NAMES_MAX];
	const char *how = play_word(line, 1);
	beside(text->path, play_word(line, 2), path, sizeof(path));
	if (!strcmp(how, "covered") || !strcmp(how, "model") || !strcmp(how, "argued")) {
		fprintf(out, "%s\n", line->text);
		return 0;
	}
	if (!strcmp(how, "run") && line->count == 5)
		return try_seed(text, line, bits, out, error);
	if (!strcmp(how, "faults") && line->count == 3)
		return try_faults(path, bits, out, error);
	if (!strcmp(how, "accident") && line->count == 6)
		return try_accident(text, line, bits, out, error);
	if (strcmp(how, "play") != 0 || line->count != 3)
		return play_fail(text, line, error,
		                 "expected RULE run NODES DURATION SEED, RULE faults FILE, RULE play "
		                 "FILE, RULE accident NAME NODES DURATION SEED, RULE covered, RULE "
		                 "model or RULE argued");
	if (!play_notices(path, bits, error))
		return 0;
	weakening_names(bits, names);
	fprintf(out, "%s\n  replay: essaim-sim play --weaken %s %s\n", error->text, names, path);
	return 1;
}

int weakening_try_stored(const char *path, weakened_set bits, FILE *out, struct error *error)
{
	struct play_text text;
	int result = play_read(path, &text, error);
	for (uint32_t i = 0; i < text.count && !result; i++) {
		const struct play_line *line = &text.lines[i];
		weakened_set of_line;
		if (line->kind == PLAY_COMMENT)
			continue;
		result = weakening_parse(play_word(line, 0), &of_line, error);
		if (!result && of_line == bits)
			result = try_line(&text, line, bits, out, error);
	}
	play_text_finish(&text);
	return result;
}
