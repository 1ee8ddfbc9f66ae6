/* The test hand's blows: none lands while the file of ESSAIM_HAND_UNKILLABLE is there. See group_signal.c. */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "group.h"

void group_signal(const char *base, uint64_t job, pid_t leader, int signal)
{
	const char *file = getenv("ESSAIM_HAND_UNKILLABLE");
	if (file != NULL && access(file, F_OK) == 0)
		return;
	kill(-leader, signal);
	kill(leader, signal);
}
