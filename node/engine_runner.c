/*
 * engine_runner.c: gives the engine's commands to the hand.
 *
 *     runner_run --hand_run--> EXITED, SIGNALLED, TIMED_OUT, CANCELLED --> the engine's words for it
 *                              REFUSED, LVM_STUCK                      --> NOT_STARTED, with the sentence
 *                              GONE                                    --> LOST: the step's probe decides
 *                              STUCK --its process is gone at last-->      LOST
 *
 * A run is one job after the other: the hooks before and after a verb are all of a folder, by name, up to
 * the first that fails.
 *
 * A child that survives SIGKILL may still do its work, so its run has not ended: it is held until the kernel
 * says that the process is gone, whether the hand is still there or not.
 *
 * A daemon without a hand runs hooks as children of its own, with its own rights, and nothing else. Each has
 * its own process group, stdin of at most a pipe's capacity, bounded output, and dies with this process.
 */
#include "engine_runner.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "body_clock.h"
#include "hand_client.h"
#include "journal.h"
#include "programs.h"

#define HOOKS_MAX 64 /* in one folder */
#define OUTPUT_MAX (16 * 1024)
#define HOOK_DEADLINE (60 * SECOND)
#define STUCK_AGAIN (1 * SECOND) /* a stuck process that cannot be watched now */

struct output {
	int fd; /* -1: closed */
	size_t used;
	bool cut;
	char text[OUTPUT_MAX + 1];
};

struct run {
	LIST_ENTRY(run) link;
	struct body *body;
	uint64_t id;
	struct command_line command;
	char folder[CONFIG_PATH_SIZE + 16];
	char *files[HOOKS_MAX];
	int count, next;
	instant until; /* monotonic: of all its hooks together */
	uint64_t job; /* of the hand's; 0: none */
	pid_t stuck;  /* the hand's child that does not even die; 0: none */
	pid_t child;  /* of our own; 0: none */
	int pidfd;    /* of `stuck` or `child`, while it is watched */
	struct event *exited, *limit, *begin;
	struct output out, err;
	bool timed_out, killed;
};

static LIST_HEAD(, run) runs = LIST_HEAD_INITIALIZER(runs);

/* ---- which ---- */

static void folder_of(const struct body *body, const char *when, char *out, size_t size)
{
	snprintf(out, size, "%s/%s.d", body->config.hooks, when);
}

static bool executable(const char *folder, const char *name)
{
	char path[CONFIG_PATH_SIZE + 300];
	struct stat st;
	snprintf(path, sizeof path, "%s/%s", folder, name);
	return program_hook_name(name) && stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	       (st.st_mode & 0111) != 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* How many there are; none without a folder. Negative errno: who cannot read it does not know. */
static int list_hooks(const char *folder, char *files[HOOKS_MAX])
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int count = 0;
	if (dir == NULL && errno != ENOENT)
		return -errno;
	while (dir != NULL && count < HOOKS_MAX && (entry = readdir(dir)) != NULL) {
		if (executable(folder, entry->d_name) && (files[count] = strdup(entry->d_name)) != NULL)
			count++;
	}
	if (dir != NULL)
		closedir(dir);
	qsort(files, (size_t)count, sizeof files[0], by_name);
	return count;
}

bool runner_hooked(struct body *body, const char *noun, const char *verb, bool after)
{
	char folder[CONFIG_PATH_SIZE + 16], *files[HOOKS_MAX];
	folder_of(body, after ? "after" : "before", folder, sizeof folder);
	int count = list_hooks(folder, files);
	for (int i = 0; i < count; i++)
		free(files[i]);
	return count != 0; /* one that cannot be read is told of when it is run */
}

/* ---- the end ---- */

static void run_free(struct run *r)
{
	LIST_REMOVE(r, link);
	for (int i = 0; i < r->count; i++)
		free(r->files[i]);
	if (r->limit != NULL)
		event_free(r->limit);
	if (r->begin != NULL)
		event_free(r->begin);
	free(r);
}

static void end_with(struct run *r, const struct command_result *result)
{
	engine_body_ended(r->body->engine, r->id, result);
	run_free(r);
}

static void end(struct run *r, enum command_end how, int code)
{
	struct command_result result = {how, code, r->out.cut, {(uint8_t *)r->out.text, r->out.used},
	                                {(uint8_t *)r->err.text, r->err.used}};
	end_with(r, &result);
}

static void not_started(struct run *r, const char *why)
{
	r->err.used = (size_t)snprintf(r->err.text, sizeof r->err.text, "%s", why);
	end(r, COMMAND_NOT_STARTED, 0);
}

/* ---- output ---- */

static void drain(struct output *o)
{
	char more[4096];
	ssize_t got;
	while (o->fd >= 0 && (got = read(o->fd, more, sizeof more)) > 0) {
		size_t room = OUTPUT_MAX - o->used, take = (size_t)got < room ? (size_t)got : room;
		memcpy(o->text + o->used, more, take);
		o->used += take;
		o->cut |= take < (size_t)got;
		o->text[o->used] = '\0';
	}
}

static void close_output(struct output *o)
{
	drain(o);
	if (o->fd >= 0)
		close(o->fd);
	o->fd = -1;
}

/* ---- one child ---- */

static void start_next(struct run *r);

/* False: errno says why not. */
static bool watch(struct run *r, pid_t process, event_callback_fn gone)
{
	r->pidfd = (int)syscall(SYS_pidfd_open, process, 0);
	if (r->pidfd < 0)
		return false;
	r->exited = event_new(r->body->base, r->pidfd, EV_READ | EV_PERSIST, gone, r);
	if (r->exited != NULL && event_add(r->exited, NULL) == 0)
		return true;
	if (r->exited != NULL)
		event_free(r->exited);
	r->exited = NULL;
	close(r->pidfd);
	errno = ENOMEM;
	return false;
}

static void stop_watching(struct run *r)
{
	event_free(r->exited);
	close(r->pidfd);
	r->exited = NULL;
}

static void on_exited(evutil_socket_t fd, short what, void *context)
{
	struct run *r = context;
	int status = 0;
	if (waitpid(r->child, &status, WNOHANG) != r->child)
		return;
	kill(-r->child, SIGKILL); /* what it left behind in its group */
	r->child = 0;
	stop_watching(r);
	close_output(&r->out);
	close_output(&r->err);
	if (r->timed_out)
		end(r, COMMAND_TIMED_OUT, 0);
	else if (r->killed)
		end(r, COMMAND_KILLED, 0);
	else if (WIFSIGNALED(status))
		end(r, COMMAND_SIGNALED, WTERMSIG(status));
	else if (WEXITSTATUS(status) != 0 || r->next == r->count)
		end(r, COMMAND_EXITED, WEXITSTATUS(status));
	else
		start_next(r);
}

static void on_limit(evutil_socket_t none, short what, void *context)
{
	struct run *r = context;
	r->timed_out = true;
	if (r->child != 0)
		kill(-r->child, SIGKILL);
}

/* In the child: only what may be called between fork and exec. */
static void become(const struct run *r, const char *path, int in, int out, int err)
{
	char *argv[COMMAND_WORDS_MAX + 2] = {(char *)path};
	char path_variable[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	char locale[] = "LC_ALL=C";
	char *const environment[] = {path_variable, locale, NULL};
	sigset_t none;
	for (uint32_t i = 0; i < r->command.word_count; i++)
		argv[i + 1] = (char *)r->command.words[i];
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0 || chdir("/") < 0)
		_exit(126);
	execve(path, argv, environment);
	_exit(127);
}

static bool make_pipe(int pair[2])
{
	return pipe2(pair, O_CLOEXEC) == 0;
}

static pid_t spawn(struct run *r, const char *path, int pipes[3][2])
{
	for (int i = 0; i < 3; i++) {
		if (!make_pipe(pipes[i])) {
			while (i-- > 0)
				close(pipes[i][0]), close(pipes[i][1]);
			return -1;
		}
	}
	pid_t child = fork();
	if (child == 0)
		become(r, path, pipes[0][0], pipes[1][1], pipes[2][1]);
	close(pipes[0][0]);
	close(pipes[1][1]);
	close(pipes[2][1]);
	return child;
}

/* Its input fits the pipe: it is there before it is read. */
static void give_input(const struct run *r, int fd)
{
	fcntl(fd, F_SETFL, O_NONBLOCK);
	ssize_t written = write(fd, r->command.input, r->command.input_size);
	(void)written; /* it may not want it */
	close(fd);
}

static void start_next(struct run *r)
{
	char path[CONFIG_PATH_SIZE + 300];
	int pipes[3][2];
	snprintf(path, sizeof path, "%s/%s", r->folder, r->files[r->next++]);
	r->out.used = r->err.used = 0;
	pid_t child = spawn(r, path, pipes);
	if (child < 0) {
		not_started(r, "it cannot be started: no memory, or too many open files");
		return;
	}
	r->child = child;
	r->out.fd = pipes[1][0];
	r->err.fd = pipes[2][0];
	fcntl(r->out.fd, F_SETFL, O_NONBLOCK);
	fcntl(r->err.fd, F_SETFL, O_NONBLOCK);
	give_input(r, pipes[0][1]);
	if (!watch(r, child, on_exited))
		abort(); /* out of descriptors with a child that nobody would bury */
}

/* ---- by the hand ---- */

static void give_next(struct run *r);

/* Before its first job nothing was done; between two hooks something was. */
static enum command_end never_started(const struct run *r)
{
	return r->next > 1 ? COMMAND_EXITED : COMMAND_NOT_STARTED;
}

/* What the end of a job means for the run. */
static enum command_end end_of(const struct run *r, enum hand_outcome outcome)
{
	switch (outcome) {
	case HAND_EXITED: return COMMAND_EXITED;
	case HAND_SIGNALLED: return COMMAND_SIGNALED;
	case HAND_TIMED_OUT: return COMMAND_TIMED_OUT;
	case HAND_CANCELLED: return r->killed ? COMMAND_KILLED : COMMAND_LOST; /* the hand ends */
	case HAND_REFUSED:
	case HAND_LVM_STUCK: return never_started(r);
	case HAND_STUCK:
	case HAND_GONE: return COMMAND_LOST;
	}
	return COMMAND_LOST;
}

static void on_stuck_gone(evutil_socket_t fd, short what, void *context)
{
	struct run *r = context;
	stop_watching(r);
	end(r, COMMAND_LOST, 0);
}

/* The kernel tells when the process is gone; what cannot be watched just now is looked at again. */
static void look_at_stuck(struct run *r)
{
	struct timeval again;
	if (watch(r, r->stuck, on_stuck_gone))
		return;
	if (errno == ESRCH) {
		end(r, COMMAND_LOST, 0);
		return;
	}
	duration_timeval(STUCK_AGAIN, &again);
	event_add(r->begin, &again);
}

static void hold(struct run *r, pid_t process)
{
	journal_say(LEVEL_warning, "'%s' (process %d) does not end, not even killed: its operation waits for it",
	            program_name(r->command.program), (int)process);
	r->stuck = process;
	look_at_stuck(r);
}

static void on_hand(void *context, const struct hand_result *h)
{
	struct run *r = context;
	bool started = h->outcome != HAND_REFUSED && h->outcome != HAND_LVM_STUCK;
	struct command_result result = {end_of(r, h->outcome), h->code, h->out_cut || h->error_cut, h->out, h->error};
	r->job = 0;
	if (h->outcome == HAND_STUCK) {
		hold(r, h->code);
		return;
	}
	if (h->outcome == HAND_EXITED && h->code == 0 && r->next < r->count) {
		if (r->killed)
			end(r, COMMAND_KILLED, 0);
		else
			give_next(r);
		return;
	}
	if (h->sentence[0] != '\0') {
		result.code = started ? h->code : 126;
		result.err = (struct bytes){(const uint8_t *)h->sentence, strlen(h->sentence)};
	}
	end_with(r, &result);
}

/* A hook is told of by its place in the hooks' folder, and gets the command's words as they are. */
static void give_next(struct run *r)
{
	const char *arguments[COMMAND_WORDS_MAX + 1];
	char hook[300];
	uint32_t count = 0;
	if (r->command.program == PROGRAM_HOOK) {
		snprintf(hook, sizeof hook, "%s.d/%s", r->command.words[0], r->files[r->next++]);
		arguments[count++] = hook;
	}
	for (uint32_t i = 0; i < r->command.word_count; i++)
		arguments[count++] = r->command.words[i];
	duration left = r->command.timeout;
	if (r->command.program == PROGRAM_HOOK && (left = r->until - body_clock_monotonic()) < MILLISECOND)
		left = MILLISECOND;
	struct hand_request request = {
		.program = r->command.program, .count = count, .arguments = arguments,
		.input = {(const uint8_t *)r->command.input, r->command.input_size},
		.deadline = left, .output_max = r->command.output_limit,
	};
	r->job = hand_run(r->body->hand, &request, on_hand, r);
	if (r->job == 0)
		abort(); /* no memory: its operation would wait for ever */
}

static bool by_hand(const struct run *r)
{
	struct hand_view hand;
	hand_look(r->body->hand, &hand);
	return hand.standing != HAND_STANDING_NONE;
}

/* ---- runs ---- */

static void find_files(struct run *r)
{
	const char *when = r->command.word_count > 0 ? r->command.words[0] : "";
	folder_of(r->body, when, r->folder, sizeof r->folder);
	if (strcmp(when, "run") != 0) {
		r->count = list_hooks(r->folder, r->files);
		return;
	}
	const char *name = r->command.word_count > 1 ? r->command.words[1] : "";
	if (executable(r->folder, name))
		r->count = (r->files[0] = strdup(name)) != NULL;
}

static void begin_hooks(struct run *r)
{
	char why[CONFIG_PATH_SIZE + 200];
	struct timeval limit;
	find_files(r);
	if (r->count <= 0) {
		const char *name = r->command.word_count > 1 ? r->command.words[1] : "";
		if (r->count < 0)
			snprintf(why, sizeof why, "the hooks in '%s' cannot be read: %s", r->folder, strerror(-r->count));
		else
			snprintf(why, sizeof why, "there is no executable '%.100s' in '%s'", name, r->folder);
		r->count = 0;
		not_started(r, why);
		return;
	}
	r->until = body_clock_monotonic() + (r->command.timeout > 0 ? r->command.timeout : HOOK_DEADLINE);
	if (by_hand(r)) {
		give_next(r);
		return;
	}
	duration_timeval(r->until - body_clock_monotonic(), &limit);
	event_add(r->limit, &limit);
	start_next(r);
}

static void on_begin(evutil_socket_t none, short what, void *context)
{
	struct run *r = context;
	if (r->stuck != 0) {
		look_at_stuck(r);
		return;
	}
	if (r->killed) {
		end(r, COMMAND_KILLED, 0);
		return;
	}
	if (r->command.program != PROGRAM_HOOK) {
		if (by_hand(r))
			give_next(r);
		else
			not_started(r, "this node has no hand, which would run it: start it with essaim-hand, see essaim-hand(8)");
		return;
	}
	begin_hooks(r);
}

static struct run *run_of(uint64_t id)
{
	struct run *r;
	LIST_FOREACH(r, &runs, link) {
		if (r->id == id)
			return r;
	}
	return NULL;
}

/* The words point into the command's own text: into the copy's. */
static void copy_command(struct command_line *out, const struct command_line *in)
{
	*out = *in;
	for (uint32_t i = 0; i < in->word_count; i++)
		out->words[i] = out->text + (in->words[i] - in->text);
}

void runner_run(struct body *body, uint64_t id, const struct command_line *command)
{
	struct timeval now = {0};
	struct run *r = calloc(1, sizeof *r);
	if (r == NULL)
		abort();
	r->body = body;
	r->id = id;
	r->out.fd = r->err.fd = -1;
	copy_command(&r->command, command);
	LIST_INSERT_HEAD(&runs, r, link);
	r->limit = event_new(body->base, -1, 0, on_limit, r);
	r->begin = event_new(body->base, -1, 0, on_begin, r);
	if (r->limit == NULL || r->begin == NULL)
		abort();
	event_add(r->begin, &now); /* from the loop: never from within */
}

void runner_kill(struct body *body, uint64_t id)
{
	struct run *r = run_of(id);
	if (r == NULL)
		return;
	r->killed = true;
	if (r->job != 0)
		hand_cancel(r->body->hand, r->job);
	if (r->child != 0)
		kill(-r->child, SIGKILL);
}

void runner_close(struct body *body)
{
	struct run *r;
	while ((r = LIST_FIRST(&runs)) != NULL) {
		if (r->child != 0) {
			kill(-r->child, SIGKILL);
			waitpid(r->child, NULL, 0);
			close_output(&r->out);
			close_output(&r->err);
		}
		if (r->exited != NULL)
			stop_watching(r);
		run_free(r);
	}
}
