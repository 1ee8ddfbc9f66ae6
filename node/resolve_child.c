#include "resolve_child.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "body_clock.h"
#include "net_address.h"
#include "text.h"

#define OUTPUT_MAX 1024
#define END_MARK "end"   /* without it the child has not said all */
#define MUTE_MARK "mute" /* in its stead: nobody could be asked */

extern char **environ;

struct resolver {
	struct event_base *base;
	struct event *readable, *limit;
	pid_t child; /* 0: none */
	pid_t dying; /* killed, not reaped yet */
	int fd;
	instant began; /* monotonic */
	char output[OUTPUT_MAX];
	size_t used;
	resolve_done *done;
	void *context;
};

/* ---- the child ---- */

/* That there is no such name, or no address for it, is an answer; that no server was reached is none. */
static bool answered(int status)
{
	return status == 0 || status == EAI_NONAME || status == EAI_NODATA || status == EAI_ADDRFAMILY;
}

int resolve_main(const char *name)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	int status = getaddrinfo(name, NULL, &hints, &list);
	for (struct addrinfo *a = list; a != NULL; a = a->ai_next) {
		char text[ADDRESS_TEXT_SIZE];
		if (getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST) == 0)
			printf("%s\n", text);
	}
	if (list != NULL)
		freeaddrinfo(list);
	printf("%s\n", answered(status) ? END_MARK : MUTE_MARK);
	return status == 0 ? 0 : 1;
}

/* ---- the parent ---- */

/* Is the last child's end taken? A process stuck in the kernel does not die at once, and we do not wait. */
static bool buried(struct resolver *r)
{
	if (r->dying != 0 && waitpid(r->dying, NULL, WNOHANG) != 0)
		r->dying = 0;
	return r->dying == 0;
}

static void end_child(struct resolver *r)
{
	kill(r->child, SIGKILL);
	r->dying = r->child;
	r->child = 0;
	buried(r);
	event_free(r->readable);
	r->readable = NULL;
	event_del(r->limit);
	close(r->fd);
	r->fd = -1;
}

/* Only addresses and then the mark: anything else, and it is not believed at all. */
static void take_lines(struct resolver *r, struct resolved *out)
{
	char *rest = r->output, *line;
	r->output[r->used] = '\0';
	out->broken = true;
	while ((line = strsep(&rest, "\n")) != NULL) {
		struct address a;
		out->mute = strcmp(line, MUTE_MARK) == 0;
		if (out->mute || strcmp(line, END_MARK) == 0) {
			out->broken = false;
			return;
		}
		line[strcspn(line, "%")] = '\0'; /* a link-local address names its interface */
		if (address_parse(line, &a, NULL) < 0)
			return;
		a.port = 0;
		if (out->count < RESOLVED_MAX)
			out->list[out->count++] = a;
	}
}

static void finish(struct resolver *r, bool timed_out)
{
	struct resolved out = {.timed_out = timed_out, .took = body_clock_monotonic() - r->began};
	end_child(r);
	if (!timed_out)
		take_lines(r, &out);
	out.found = !out.broken && out.count > 0;
	r->done(r->context, &out);
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
	struct resolver *r = context;
	ssize_t got = read(fd, r->output + r->used, OUTPUT_MAX - 1 - r->used);
	if (got > 0)
		r->used += (size_t)got;
	if (got == 0 || r->used == OUTPUT_MAX - 1 || (got < 0 && errno != EAGAIN && errno != EINTR))
		finish(r, false);
}

static void on_limit(evutil_socket_t none, short what, void *context)
{
	finish(context, true);
}

static pid_t spawn(const char *name, int out)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;
	pid_t child = 0;
	char program[] = "essaimd", option[] = "--resolve";
	char *const arguments[] = {program, option, (char *)(uintptr_t)name, NULL};
	sigemptyset(&none);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, out, 1);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	if (posix_spawn(&child, "/proc/self/exe", &actions, &attributes, arguments, environ) != 0)
		child = 0;
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return child;
}

bool resolver_start(struct resolver *r, const char *name, resolve_done *done, void *context)
{
	int pair[2];
	struct timeval limit;
	if (resolver_busy(r) || pipe2(pair, O_CLOEXEC) < 0)
		return false;
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	r->began = body_clock_monotonic();
	r->child = spawn(name, pair[1]);
	close(pair[1]);
	r->readable = event_new(r->base, pair[0], EV_READ | EV_PERSIST, on_readable, r);
	if (r->child == 0 || r->readable == NULL) {
		close(pair[0]);
		if (r->readable != NULL)
			event_free(r->readable);
		r->readable = NULL;
		if (r->child != 0) {
			kill(r->child, SIGKILL);
			r->dying = r->child;
			r->child = 0;
		}
		return false;
	}
	r->fd = pair[0];
	r->used = 0;
	r->done = done;
	r->context = context;
	duration_timeval(RESOLVE_LIMIT, &limit);
	event_add(r->readable, NULL);
	event_add(r->limit, &limit);
	return true;
}

bool resolver_busy(struct resolver *r)
{
	return r->child != 0 || !buried(r);
}

struct resolver *resolver_create(struct event_base *base)
{
	struct resolver *r = calloc(1, sizeof *r);
	if (r == NULL)
		return NULL;
	r->base = base;
	r->fd = -1;
	r->limit = event_new(base, -1, 0, on_limit, r);
	if (r->limit == NULL) {
		free(r);
		return NULL;
	}
	return r;
}

void resolver_destroy(struct resolver *r)
{
	if (r == NULL)
		return;
	if (r->child != 0)
		end_child(r);
	event_free(r->limit);
	free(r);
}
