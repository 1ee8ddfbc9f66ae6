/*
 * stall_fsync.c: preloaded into a daemon, makes its disk stall: fsync and fdatasync wait while the
 * file named by ESSAIM_STALL exists. For machines where no file system can be frozen.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

static void stall(void)
{
	const char *path = getenv("ESSAIM_STALL");

	while (path && access(path, F_OK) == 0)
		usleep(10000);
}

int fsync(int fd)
{
	int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");

	stall();
	return real(fd);
}

int fdatasync(int fd)
{
	int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");

	stall();
	return real(fd);
}
