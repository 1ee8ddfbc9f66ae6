/* A file of its own: the tests have a hand whose blows can miss. */
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "group.h"

void group_signal(const char *base, uint64_t job, pid_t leader, int signal)
{
	char path[320];
	kill(-leader, signal);
	kill(leader, signal); /* one that has not made its group yet */
	if (signal != SIGKILL || base[0] == '\0')
		return;
	snprintf(path, sizeof path, "%s/job-%" PRIu64 "/cgroup.kill", base, job);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (write(fd, "1", 1) != 1)
		kill(-leader, SIGKILL); /* nothing better is left */
	close(fd);
}
