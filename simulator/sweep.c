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

#include "error.h"
#include "report.h"
#include "tally.h"

#define TWICE_EVERY 50
#define KEPT_EVERY 5 /* s */

/* One running child. */
struct job {
	pid_t pid; /* 0: free */
	int pipe;
	uint64_t seed;
	struct run_result result;
	size_t got;
};

struct sweeping {
	const struct sweep_settings *settings;
	struct job *jobs;
	struct tally tally;
	char shape[REPLAY_MAX]; /* of the runs, for the kept tally */
	uint64_t done_before;   /* this process began */
	double cpu_before;
	time_t begun, shown, kept;
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

static uint64_t next_seed(struct tally *t)
{
	return t->open_count ? t->open[--t->open_count] : t->next++;
}

static void begin(struct sweeping *w, struct job *job)
{
	int ends[2];
	if (pipe(ends)) {
		perror("essaim-sim: cannot make a pipe");
		exit(1);
	}
	fflush(NULL);
	job->seed = next_seed(&w->tally);
	job->got = 0;
	job->pid = fork();
	if (job->pid < 0) {
		perror("essaim-sim: cannot fork");
		exit(1);
	}
	if (job->pid == 0) {
		close(ends[0]);
		signal(SIGINT, SIG_IGN); /* a terminal tells all of us: the parent ends its children */
		signal(SIGTERM, SIG_IGN);
		child(w->settings, job->seed, ends[1]);
	}
	close(ends[1]);
	job->pipe = ends[0];
}

/* ---- what they found ---- */

static void tell(struct sweeping *w, uint64_t seed, const char *check, const char *text, double at)
{
	struct run_settings settings = w->settings->run;
	char replay[REPLAY_MAX];
	settings.seed = seed;
	report_replay(&settings, replay);
	fprintf(stderr, "\nseed %" PRIu64 " at %.3f s: %s: %s\n  replay: %s --trace\n", seed, at,
	        check, text, replay);
}

static void count_failed(struct tally *t, uint64_t seed)
{
	if (!t->found++)
		t->failed = seed;
}

static void end(struct sweeping *w, struct job *job)
{
	int status = 0;
	char text[96];
	close(job->pipe);
	waitpid(job->pid, &status, 0);
	job->pid = 0;
	w->tally.done++;
	if (job->got == sizeof(job->result)) {
		const struct violations *v = &job->result.violations;
		tally_add(&w->tally, &job->result, runs_twice(w->settings, job->seed));
		if (v->count) {
			count_failed(&w->tally, job->seed);
			tell(w, job->seed, v->list[0].check, v->list[0].text,
			     (double)v->list[0].at / 1e9);
		}
		return;
	}
	count_failed(&w->tally, job->seed);
	snprintf(text, sizeof(text), WIFSIGNALED(status) ? "the run died of signal %d" :
	                                                   "the run ended with code %d",
	         WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	tell(w, job->seed, "crash", text, 0);
}

/* Interrupted: what has no result yet is as if it had not begun. */
static void abandon(struct sweeping *w)
{
	for (uint32_t i = 0; i < w->settings->jobs; i++) {
		struct job *job = &w->jobs[i];
		if (!job->pid)
			continue;
		kill(job->pid, SIGKILL);
		waitpid(job->pid, NULL, 0);
		close(job->pipe);
		job->pid = 0;
		w->tally.open[w->tally.open_count++] = job->seed;
	}
}

static void receive(struct sweeping *w, struct job *job)
{
	uint8_t *into = (uint8_t *)&job->result + job->got;
	ssize_t got = read(job->pipe, into, sizeof(job->result) - job->got);
	if (got > 0)
		job->got += (size_t)got;
	else if (got == 0 || errno != EINTR)
		end(w, job);
}

/* ---- the tally outlives us ---- */

static void complain(const struct error *error)
{
	fprintf(stderr, "%sessaim-sim: %s\n", isatty(STDERR_FILENO) ? "\n" : "", error->text);
}

/* With the seeds that run at the moment as open ones. */
static int keep(struct sweeping *w)
{
	struct tally copy = w->tally;
	struct error error;
	w->kept = time(NULL);
	if (!w->settings->resume)
		return 0;
	for (uint32_t i = 0; i < w->settings->jobs; i++)
		if (w->jobs[i].pid)
			copy.open[copy.open_count++] = w->jobs[i].seed;
	int result = tally_write(&copy, w->settings->resume, w->shape, &error);
	if (result)
		complain(&error);
	return result;
}

static int take_up(struct sweeping *w)
{
	const struct sweep_settings *s = w->settings;
	struct run_settings run = s->run;
	struct error error;
	run.seed = 0; /* stands for all of them */
	report_replay(&run, w->shape);
	if (!s->resume)
		return 0;
	if (tally_read(&w->tally, s->resume, w->shape, &error)) {
		complain(&error);
		return -1;
	}
	w->done_before = w->tally.done;
	w->cpu_before = w->tally.cpu;
	if (w->tally.found)
		tell(w, w->tally.failed, "earlier", "failed before this sweep was resumed", 0);
	return 0;
}

/* ---- the whole ---- */

static void show_progress(struct sweeping *w)
{
	const struct sweep_settings *s = w->settings;
	const struct tally *t = &w->tally;
	uint64_t done = t->done - w->done_before;
	time_t now = time(NULL);
	if (!isatty(STDERR_FILENO) || now == w->shown || !done)
		return;
	w->shown = now;
	double elapsed = (double)(now - w->begun) + 0.5;
	double total = (double)(s->last - s->first + 1);
	double rate = (double)done / elapsed, left = (total - (double)t->done) / rate;
	double cpu = t->cpu - w->cpu_before;
	if (s->budget && cpu > 0 && left > elapsed * ((double)s->budget / 1e9 - cpu) / cpu)
		left = elapsed * ((double)s->budget / 1e9 - cpu) / cpu;
	fprintf(stderr, "\r%" PRIu64 " of %.0f seeds, %.1f/s, %.0f simulated s per CPU s, %.0f s left ",
	        t->done, total, rate, t->cpu > 0 ? t->simulated / t->cpu : 0, left > 0 ? left : 0);
}

static bool wants_more(const struct sweeping *w)
{
	const struct sweep_settings *s = w->settings;
	const struct tally *t = &w->tally;
	if ((t->next > s->last && !t->open_count) || (t->found && !s->keep_going))
		return false;
	return !s->budget || t->cpu - w->cpu_before < (double)s->budget / 1e9;
}

/* Starts what may start, waits for news. False when nothing runs any more. */
static bool turn(struct sweeping *w)
{
	struct pollfd fds[JOBS_MAX];
	struct job *jobs[JOBS_MAX];
	nfds_t count = 0;
	for (uint32_t i = 0; i < w->settings->jobs; i++) {
		struct job *job = &w->jobs[i];
		if (!job->pid && wants_more(w))
			begin(w, job);
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
				receive(w, jobs[i]);
	show_progress(w);
	if (time(NULL) >= w->kept + KEPT_EVERY)
		keep(w);
	return true;
}

static json_t *quantile(struct tally *t, uint32_t percent)
{
	int64_t ms = tally_failover(t, percent);
	return ms < 0 ? json_null() : json_integer(ms);
}

static void summarise(struct tally *t)
{
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
	json_object_set_new(json, "faults_by_kind", report_faults(t->befell));
	json_object_set_new(json, "situations", report_situations(t->met));
	if (isatty(STDERR_FILENO))
		fputc('\n', stderr);
	json_dumpf(json, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
	putchar('\n');
	json_decref(json);
}

static int carry_out(struct sweeping *w)
{
	struct sigaction action = {.sa_handler = on_interrupt};
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	if (take_up(w) || keep(w)) /* a file that cannot be written is told before the work */
		return 2;
	while (!interrupted && turn(w))
		;
	abandon(w);
	bool kept = !keep(w);
	summarise(&w->tally);
	return w->tally.found || !kept ? 1 : 0;
}

int sweep(const struct sweep_settings *settings)
{
	struct sweeping w = {.settings = settings, .begun = time(NULL)};
	w.jobs = calloc(settings->jobs, sizeof(*w.jobs));
	assert(w.jobs && settings->jobs <= JOBS_MAX);
	tally_init(&w.tally, settings->first);
	int code = carry_out(&w);
	tally_finish(&w.tally);
	free(w.jobs);
	return code;
}
