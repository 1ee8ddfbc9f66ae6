/*
 * die_at.c: preloaded into a daemon, ends it like a power cut before or after it renames something to
 * a certain name: ESSAIM_DIE_AT is "before NAME" or "after NAME".
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int asked(const char *when, const char *path)
{
	const char *wanted = getenv("ESSAIM_DIE_AT"), *slash = strrchr(path, '/');
	size_t size = strlen(when);

	return wanted && strncmp(wanted, when, size) == 0 && wanted[size] == ' ' &&
	       strcmp(wanted + size + 1, slash ? slash + 1 : path) == 0;
}

int rename(const char *from, const char *to)
{
	int (*real)(const char *, const char *) =
		(int (*)(const char *, const char *))dlsym(RTLD_NEXT, "rename");

	if (asked("before", to))
		kill(getpid(), SIGKILL);
	int status = real(from, to);
	if (asked("after", to))
		kill(getpid(), SIGKILL);
	return status;
}
