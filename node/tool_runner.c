#include "tool_runner.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "body_clock.h"
#include "programs.h"

#define OUT_MAX (4u * 1024 * 1024) /* 1,024 volumes are 400 KB */
#define ERR_MAX (32u * 1024)
#define LINE_MAX 8192
#define READ_SIZE 65536

extern char **environ;

struct pipe_end {
	int fd;
	struct event *readable;
	char *data; /* grows up to max */
	size_t used, size, max;
	bool ended, truncated;
};

struct tool_runner {
	struct event_base *base;
	struct event *limit, *reap;
	struct pipe_end out, err;
	pid_t child; /* 0: none */
	pid_t dying; /* killed, not reaped yet */
	instant killed; /* monotonic */
	run_done *done;
	run_line *line; /* NULL: no stream */
	void *context;
};

/* ---- the output ---- */

static bool grow(struct pipe_end *p)
{
	size_t size = p->size == 0 ? 4096 : p->size * 2;
	if (p->size >= p->max)
		return false;
	char *more = realloc(p->data, size + 1);
	if (more == NULL)
		return false;
	p->data = more;
	p->size = size;
	return true;
}

static void keep(struct pipe_end *p, const char *data, size_t size)
{
	while (size > p->size - p->used && grow(p))
		;
	size_t room = p->size - p->used;
	if (size > room)
		p->truncated = true;
	size = size < room ? size : room;
	if (size == 0)
		return;
	memcpy(p->data + p->used, data, size);
	p->used += size;
}

static struct bytes taken(struct pipe_end *p)
{
	static const uint8_t nothing[1];
	if (p->data == NULL)
		return (struct bytes){nothing, 0};
	p->data[p->used] = '\0';
	return (struct bytes){(const uint8_t *)p->data, p->used};
}

/* Whole lines go out, what is left moves to the front. A line too long is cut. */
static void give_lines(struct tool_runner *r)
{
	struct pipe_end *p = &r->out;
	size_t from = 0;
	for (size_t i = 0; i < p->used; i++) {
		if (p->data[i] != '\n')
			continue;
		p->data[i] = '\0';
		r->line(r->context, p->data + from);
		from = i + 1;
	}
	if (from == 0 && p->used >= LINE_MAX)
		from = p->used;
	memmove(p->data, p->data + from, p->used - from);
	p->used -= from;
}

/* ---- the end ---- */

/* Is the last child's end taken? A process stuck in the kernel does not die at once, and we do not wait. */
static bool buried(struct tool_runner *r)
{
	if (r->dying != 0 && waitpid(r->dying, NULL, WNOHANG) != 0)
		r->dying = 0;
	return r->dying == 0;
}

static void close_end(struct pipe_end *p)
{
	if (p->readable != NULL)
		event_free(p->readable);
	if (p->fd >= 0)
		close(p->fd);
	p->readable = NULL;
	p->fd = -1;
}

static void end_child(struct tool_runner *r)
{
	if (r->child != 0) {
		kill(-r->child, SIGKILL);
		r->dying = r->child;
		r->killed = body_clock_monotonic();
		r->child = 0;
		buried(r);
	}
	close_end(&r->out);
	close_end(&r->err);
	event_del(r->limit);
	event_del(r->reap);
}

static void finish(struct tool_runner *r, bool timed_out, int status)
{
	struct run_result result = {.timed_out = timed_out, .status = status};
	run_done *done = r->done;
	end_child(r);
	result.truncated = r->out.truncated;
	result.out = taken(&r->out);
	result.err = taken(&r->err);
	r->done = NULL;
	done(r->context, &result);
}

static void on_limit(evutil_socket_t none, short what, void *context)
{
	finish(context, true, -SIGKILL);
}

/* Both pipes are closed: it is ending, or has sent itself to the background; the limit holds still. */
static void on_reap(evutil_socket_t none, short what, void *context)
{
	static const struct timeval soon = {0, 2000};
	struct tool_runner *r = context;
	int status = 0;
	pid_t got = waitpid(r->child, &status, WNOHANG);
	if (got == 0) {
		event_add(r->reap, &soon);
		return;
	}
	r->child = 0;
	finish(r, false,
	       got < 0 ? -SIGKILL : WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
	static char data[READ_SIZE];
	struct tool_runner *r = context;
	struct pipe_end *p = fd == r->out.fd ? &r->out : &r->err;
	ssize_t got = read(fd, data, sizeof data);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got > 0) {
		keep(p, data, (size_t)got);
		if (r->line != NULL && p == &r->out)
			give_lines(r);
		return;
	}
	p->ended = true;
	event_del(p->readable);
	if (r->out.ended && r->err.ended)
		on_reap(-1, 0, r);
}

/* ---- the beginning ---- */

const char *tool_runner_find(uint32_t program)
{
	const struct program_row *row = program_row(program);
	for (int i = 0; row != NULL && !row->helper && i < PROGRAM_PATHS_MAX; i++) {
		if (row->paths[i] != NULL && access(row->paths[i], X_OK) == 0)
			return row->paths[i];
	}
	return NULL;
}

#define ENVIRONMENT_MAX 64

/* Ours, with what makes tools speak plainly; LVM complains of descriptors that it did not open. */
static void make_environment(char *out[ENVIRONMENT_MAX + 3])
{
	static char plain[] = "LC_ALL=C", quiet[] = "LVM_SUPPRESS_FD_WARNINGS=1";
	size_t count = 0;
	for (char **e = environ; *e != NULL && count < ENVIRONMENT_MAX; e++) {
		if (strncmp(*e, "LC_ALL=", 7) != 0)
			out[count++] = *e;
	}
	out[count++] = plain;
	out[count++] = quiet;
	out[count] = NULL;
}

static pid_t spawn(const char *path, const struct command_line *command, int out, int err)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;
	pid_t child = 0;
	char *words[COMMAND_WORDS_MAX + 2] = {(char *)(uintptr_t)program_name(command->program)};
	char *environment[ENVIRONMENT_MAX + 3];
	for (uint32_t i = 0; i < command->word_count; i++)
		words[i + 1] = (char *)(uintptr_t)command->words[i];
	make_environment(environment);
	sigemptyset(&none);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, out, 1);
	posix_spawn_file_actions_adddup2(&actions, err, 2);
	if (posix_spawn(&child, path, &actions, &attributes, words, environment) != 0)
		child = 0;
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return child;
}

static bool open_end(struct tool_runner *r, struct pipe_end *p, int fd, size_t max)
{
	fcntl(fd, F_SETFL, O_NONBLOCK);
	p->fd = fd;
	p->used = 0;
	p->max = max;
	p->ended = p->truncated = false;
	p->readable = event_new(r->base, fd, EV_READ | EV_PERSIST, on_readable, r);
	return p->readable != NULL && event_add(p->readable, NULL) == 0;
}

static int begin(struct tool_runner *r, const struct command_line *command, run_done *done, void *context)
{
	const char *path = tool_runner_find(command->program);
	int out[2], err[2];
	if (command->overflow)
		return -E2BIG;
	if (path == NULL)
		return -ENOENT;
	if (tool_runner_busy(r))
		return -EBUSY;
	if (pipe2(out, O_CLOEXEC) < 0)
		return -errno;
	if (pipe2(err, O_CLOEXEC) < 0) {
		close(out[0]);
		close(out[1]);
		return -errno;
	}
	r->child = spawn(path, command, out[1], err[1]);
	close(out[1]);
	close(err[1]);
	bool ready = open_end(r, &r->out, out[0], OUT_MAX);
	ready &= open_end(r, &r->err, err[0], ERR_MAX);
	if (r->child == 0 || !ready) {
		end_child(r);
		return -EAGAIN;
	}
	r->done = done;
	r->context = context;
	return 0;
}

int tool_runner_start(struct tool_runner *r, const struct command_line *command, duration limit,
                 run_done *done, void *context)
{
	struct timeval at;
	int status = begin(r, command, done, context);
	if (status < 0)
		return status;
	r->line = NULL;
	duration_timeval(limit, &at);
	event_add(r->limit, &at);
	return 0;
}

int tool_runner_stream(struct tool_runner *r, const struct command_line *command, run_line *line,
                  run_done *done, void *context)
{
	int status = begin(r, command, done, context);
	if (status == 0)
		r->line = line;
	return status;
}

bool tool_runner_busy(struct tool_runner *r)
{
	return r->child != 0 || !buried(r);
}

instant tool_runner_stuck_since(struct tool_runner *r)
{
	return r->child == 0 && !buried(r) ? r->killed : 0;
}

struct tool_runner *tool_runner_create(struct event_base *base)
{
	struct tool_runner *r = calloc(1, sizeof *r);
	if (r == NULL)
		return NULL;
	r->base = base;
	r->out.fd = r->err.fd = -1;
	r->limit = event_new(base, -1, 0, on_limit, r);
	r->reap = event_new(base, -1, 0, on_reap, r);
	if (r->limit == NULL || r->reap == NULL) {
		tool_runner_destroy(r);
		return NULL;
	}
	return r;
}

void tool_runner_kill(struct tool_runner *r)
{
	end_child(r);
}

void tool_runner_destroy(struct tool_runner *r)
{
	if (r == NULL)
		return;
	if (r->limit != NULL && r->reap != NULL) {
		end_child(r);
		event_free(r->reap);
		event_free(r->limit);
	}
	free(r->out.data);
	free(r->err.data);
	free(r);
}
