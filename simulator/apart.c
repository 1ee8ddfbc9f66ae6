#include "apart.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void child(const struct run_settings *settings, int out)
{
	struct run_result result;
	run(settings, &result);
	if (settings->trace)
		fflush(settings->trace);
	ssize_t written = write(out, &result, sizeof(result));
	_exit(written == (ssize_t)sizeof(result) ? 0 : 1);
}

static bool receive(int from, struct run_result *out)
{
	size_t got = 0;
	while (got < sizeof(*out)) {
		ssize_t size = read(from, (uint8_t *)out + got, sizeof(*out) - got);
		if (size == 0 || (size < 0 && errno != EINTR))
			return false;
		got += size > 0 ? (size_t)size : 0;
	}
	return true;
}

void run_apart(const struct run_settings *settings, struct run_result *out)
{
	int ends[2], status = 0;
	fflush(NULL);
	pid_t pid = pipe(ends) ? -1 : fork();
	if (pid < 0) {
		perror("essaim-sim: cannot fork");
		exit(1);
	}
	if (pid == 0) {
		close(ends[0]);
		/* The story of an assertion belongs to the run that is told in the end. */
		if (!settings->trace && !freopen("/dev/null", "w", stderr))
			_exit(1);
		child(settings, ends[1]);
	}
	close(ends[1]);
	bool whole = receive(ends[0], out);
	close(ends[0]);
	waitpid(pid, &status, 0);
	if (whole)
		return;
	memset(out, 0, sizeof(*out));
	out->seed = settings->seed;
	out->nodes = settings->nodes;
	violation_add(&out->violations, 0, "crash", "the run died of signal %d",
	              WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}
