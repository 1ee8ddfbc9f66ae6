#include "sweep.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "report.h"

#define TWICE_EVERY 50
#define FAILOVERS_SUMMED 65536

/* One running child. */
struct job {
	pid_t pid; /* 0: free */
	int pipe;
	uint64_t seed;
	struct run_result result;
	size_t got;
};

struct tally {
	const struct sweep_settings *settings;
	struct job *jobs;
	uint64_t next, done, found, twice;
	double cpu, simulated;
	uint64_t events, packets, masters, faults, acknowledged, unknown;
	uint64_t met[SOMETIMES_COUNT], expected, undecided;
	int64_t *failovers; /* ms */
	uint32_t failover_count;
	time_t begun, shown;
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

/* ---- children ---- */

static bool runs_twice(const struct sweep_settings *s, uint64_t seed)
{
	return s->twice || seed % TWICE_EVERY == 0;
}

static void child(const struct sweep_settings *s, uint64_t seed, int out)
{
	struct run_settings settings = s->run;
	struct run_result result, again;
	settings.seed = seed;
	run(&settings, &result);
	if (runs_twice(s, seed) && !result.violations.count) {
		run(&settings, &again);
		if (again.hash != result.hash)
			violation_add(&result.violations, 0, "determinism",
			              "trace hash %016" PRIx64 ", then %016" PRIx64, result.hash,
			              again.hash);
		result.cpu_seconds += again.cpu_seconds;
		result.simulated += again.simulated;
	}
	ssize_t written = write(out, &result, sizeof(result));
	_exit(written == (ssize_t)sizeof(result) ? 0 : 1);
}

static void begin(struct tally *t, struct job *job)
{
	int ends[2];
	if (pipe(ends)) {
		perror("essaim-sim: cannot make a pipe");
		exit(1);
	}
	fflush(NULL);
	job->seed = t->next++;
	job->got = 0;
	job->pid = fork();
	if (job->pid < 0) {
		perror("essaim-sim: cannot fork");
		exit(1);
	}
	if (job->pid == 0) {
		close(ends[0]);
		signal(SIGINT, SIG_DFL);
		child(t->settings, job->seed, ends[1]);
	}
	close(ends[1]);
	job->pipe = ends[0];
}

/* ---- what they found ---- */

static void add(struct tally *t, const struct run_result *r)
{
	t->cpu += r->cpu_seconds;
	t->simulated += (double)r->simulated / 1e9;
	t->events += r->events;
	t->packets += r->packets;
	t->masters += r->masters;
	t->faults += r->faults;
	t->acknowledged += r->acknowledged;
	t->unknown += r->unknown;
	t->expected += r->expected;
	t->undecided += r->undecided;
	for (int i = 0; i < SOMETIMES_COUNT; i++)
		t->met[i] += r->met[i];
	t->twice += runs_twice(t->settings, r->seed);
	for (uint32_t i = 0; i < r->failover.count && t->failover_count < FAILOVERS_SUMMED; i++)
		t->failovers[t->failover_count++] = r->failover.list[i] / MILLISECOND;
}

static void tell(struct tally *t, uint64_t seed, const char *check, const char *text, double at)
{
	struct run_settings settings = t->settings->run;
	char replay[REPLAY_MAX];
	settings.seed = seed;
	report_replay(&settings, replay);
	fprintf(stderr, "\nseed %" PRIu64 " at %.3f s: %s: %s\n  replay: %s --trace\n", seed, at,
	        check, text, replay);
}

static void end(struct tally *t, struct job *job)
{
	int status = 0;
	char text[96];
	close(job->pipe);
	waitpid(job->pid, &status, 0);
	job->pid = 0;
	t->done++;
	if (job->got == sizeof(job->result)) {
		const struct violations *v = &job->result.violations;
		add(t, &job->result);
		t->found += v->count > 0;
		for (uint32_t i = 0; i < v->count && i < 1; i++)
			tell(t, job->seed, v->list[i].check, v->list[i].text,
			     (double)v->list[i].at / 1e9);
		return;
	}
	t->found++;
	snprintf(text, sizeof(text), WIFSIGNALED(status) ? "the run died of signal %d" :
	                                                   "the run ended with code %d",
	         WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	tell(t, job->seed, "crash", text, 0);
}

static void receive(struct tally *t, struct job *job)
{
	uint8_t *into = (uint8_t *)&job->result + job->got;
	ssize_t got = read(job->pipe, into, sizeof(job->result) - job->got);
	if (got > 0)
		job->got += (size_t)got;
	else if (got == 0 || errno != EINTR)
		end(t, job);
}

/* ---- the whole ---- */

static void show_progress(struct tally *t)
{
	const struct sweep_settings *s = t->settings;
	time_t now = time(NULL);
	if (!isatty(STDERR_FILENO) || now == t->shown || !t->done)
		return;
	t->shown = now;
	double elapsed = (double)(now - t->begun) + 0.5;
	double total = (double)(s->last - s->first + 1);
	double rate = (double)t->done / elapsed;
	fprintf(stderr, "\r%" PRIu64 " of %.0f seeds, %.1f/s, %.0f simulated s per CPU s, %.0f s left ",
	        t->done, total, rate, t->cpu > 0 ? t->simulated / t->cpu : 0,
	        (total - (double)t->done) / rate);
}

static bool wants_more(const struct tally *t)
{
	const struct sweep_settings *s = t->settings;
	if (interrupted || t->next > s->last || (t->found && !s->keep_going))
		return false;
	return !s->budget || t->cpu < (double)s->budget / 1e9;
}

/* Starts what may start, waits for news. False when nothing runs any more. */
static bool turn(struct tally *t)
{
	struct pollfd fds[256];
	struct job *jobs[256];
	nfds_t count = 0;
	for (uint32_t i = 0; i < t->settings->jobs; i++) {
		struct job *job = &t->jobs[i];
		if (!job->pid && wants_more(t))
			begin(t, job);
		if (!job->pid)
			continue;
		jobs[count] = job;
		fds[count++] = (struct pollfd){.fd = job->pipe, .events = POLLIN};
	}
	if (!count)
		return false;
	if (poll(fds, count, 1000) > 0)
		for (nfds_t i = 0; i < count; i++)
			if (fds[i].revents)
				receive(t, jobs[i]);
	show_progress(t);
	return true;
}

static int compare_ms(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

static json_t *quantile(const struct tally *t, uint32_t percent)
{
	if (!t->failover_count)
		return json_null();
	return json_integer(t->failovers[(uint64_t)(t->failover_count - 1) * percent / 100]);
}

static void summarise(struct tally *t)
{
	qsort(t->failovers, t->failover_count, sizeof(*t->failovers), compare_ms);
	json_t *json = json_pack(
		"{s:I, s:I, s:I, s:b, s:f, s:f, s:f, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}",
		"seeds", (json_int_t)t->done, "twice", (json_int_t)t->twice, "violations",
		(json_int_t)t->found, "interrupted", (int)interrupted, "simulated_s", t->simulated,
		"cpu_s", t->cpu, "simulated_per_cpu", t->cpu > 0 ? t->simulated / t->cpu : 0.0,
		"events", (json_int_t)t->events, "packets", (json_int_t)t->packets,
		"masters_elected", (json_int_t)t->masters, "faults", (json_int_t)t->faults,
		"writes_acknowledged", (json_int_t)t->acknowledged, "writes_unknown",
		(json_int_t)t->unknown, "failovers", (json_int_t)t->failover_count,
		"failover_median_ms", quantile(t, 50), "failover_p99_ms", quantile(t, 99));
	json_object_set_new(json, "expected_overlaps", json_integer((json_int_t)t->expected));
	json_object_set_new(json, "undecided_histories", json_integer((json_int_t)t->undecided));
	json_object_set_new(json, "situations", report_situations(t->met));
	if (isatty(STDERR_FILENO))
		fputc('\n', stderr);
	json_dumpf(json, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
	putchar('\n');
	json_decref(json);
}

int sweep(const struct sweep_settings *settings)
{
	struct tally t = {.settings = settings, .next = settings->first, .begun = time(NULL)};
	struct sigaction action = {.sa_handler = on_interrupt};
	t.jobs = calloc(settings->jobs, sizeof(*t.jobs));
	t.failovers = calloc(FAILOVERS_SUMMED, sizeof(*t.failovers));
	assert(t.jobs && t.failovers && settings->jobs <= 256);
	sigaction(SIGINT, &action, NULL);
	while (turn(&t))
		;
	summarise(&t);
	bool found = t.found > 0;
	free(t.jobs);
	free(t.failovers);
	return found ? 1 : 0;
}
