#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "group.h"

/* ---- which file ---- */

/* Only root may have put it there: else who may write the folder would be root. */
static bool is_roots_own(const char *path, mode_t kind)
{
	struct stat at;
	return lstat(path, &at) == 0 && (at.st_mode & S_IFMT) == kind && at.st_uid == 0 &&
	       (at.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/* The folder that holds the file `path`. */
static bool is_roots_folder(const char *path)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
	return is_roots_own(folder, S_IFDIR);
}

static bool find_hook(const struct job_places *places, struct spawn_order *order, struct error *error)
{
	const char *name = order->run->arguments[0];
	if (places->hooks == NULL)
		return error_set(error, 0, "no folder of hooks is set") != 0;
	snprintf(order->path, sizeof order->path, "%s/%s", places->hooks, name);
	if (access(order->path, X_OK) != 0)
		return error_set(error, 0, "hook '%s' cannot be run: %s", order->path, strerror(errno)) != 0;
	if (is_roots_own(places->hooks, S_IFDIR) && is_roots_folder(order->path) && is_roots_own(order->path, S_IFREG))
		return true;
	return error_set(error, 0, "hook '%s' is not run: it and its folders must be root's and writable only by root",
	                 order->path) != 0;
}

bool spawn_find(const struct job_places *places, struct spawn_order *order, struct error *error)
{
	const struct program_row *row = order->row;
	if (row->paths[0] == NULL)
		return find_hook(places, order, error);
	for (int i = 0; i < PROGRAM_PATHS_MAX && row->paths[i] != NULL; i++) {
		snprintf(order->path, sizeof order->path, "%s%s%s", row->helper ? places->helpers : "",
		         row->helper ? "/" : "", row->paths[i]);
		if (access(order->path, X_OK) == 0)
			return true;
	}
	return error_set(error, 0, "'%s' is not installed on this node", row->name) != 0;
}

/* ---- the child ---- */

static char *const environment[] = {
	(char[]){"LC_ALL=C"}, (char[]){"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}, (char[]){"HOME=/root"},
	(char[]){"LVM_SUPPRESS_FD_WARNINGS=1"}, NULL,
};

static void forget_signals(void)
{
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
}

static void take_descriptors(int input, const int theirs[2])
{
	int empty = open("/dev/null", O_RDONLY);
	dup2(input >= 0 ? input : empty, STDIN_FILENO);
	dup2(theirs[0], STDOUT_FILENO);
	dup2(theirs[1], STDERR_FILENO);
	close_range(STDERR_FILENO + 1, ~0u, 0);
}

static void become(const struct job_places *places, const struct spawn_order *order, const int theirs[2])
{
	char *arguments[PROGRAM_ARGUMENTS_MAX + 2];
	const struct rlimit no_core = {0, 0};
	bool hook = order->row->paths[0] == NULL; /* its first argument is its name */
	uint32_t used = 0;
	setpgid(0, 0);
	group_enter(places->cgroup, order->id, 0);
	if (!order->row->finish)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	forget_signals();
	take_descriptors(order->input, theirs);
	setrlimit(RLIMIT_CORE, &no_core);
	umask(077);
	if (chdir("/") != 0)
		_exit(127);
	if (!hook)
		arguments[used++] = (char *)(uintptr_t)order->row->name;
	for (uint32_t i = 0; i < order->run->count; i++)
		arguments[used++] = (char *)(uintptr_t)order->run->arguments[i];
	arguments[used] = NULL;
	execve(order->path, arguments, environment);
	dprintf(STDERR_FILENO, "cannot run '%s': %s\n", order->path, strerror(errno));
	_exit(127);
}

static bool make_pipes(int ours[2], int theirs[2])
{
	int out[2], error[2];
	if (pipe2(out, O_CLOEXEC) < 0)
		return false;
	if (pipe2(error, O_CLOEXEC) < 0) {
		close(out[0]);
		close(out[1]);
		return false;
	}
	ours[0] = out[0];
	ours[1] = error[0];
	theirs[0] = out[1];
	theirs[1] = error[1];
	fcntl(ours[0], F_SETFL, O_NONBLOCK);
	fcntl(ours[1], F_SETFL, O_NONBLOCK);
	return true;
}

bool spawn(const struct job_places *places, struct spawn_order *order, struct error *error)
{
	int theirs[2];
	if (!make_pipes(order->pipes, theirs))
		return error_set(error, 0, "cannot start '%s': %s", order->row->name, strerror(errno)) != 0;
	order->pid = fork();
	if (order->pid == 0)
		become(places, order, theirs);
	int reason = errno;
	close(theirs[0]);
	close(theirs[1]);
	if (order->pid > 0) {
		setpgid(order->pid, order->pid); /* whoever is first */
		group_enter(places->cgroup, order->id, order->pid);
		return true;
	}
	close(order->pipes[0]);
	close(order->pipes[1]);
	return error_set(error, 0, "cannot start '%s': %s", order->row->name, strerror(reason)) != 0;
}
