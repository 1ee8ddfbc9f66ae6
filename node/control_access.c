#include "control_access.h"

#include <grp.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#define GROUPS_MAX 1024

int access_group(void)
{
	const struct group *group = getgrnam("essaim");
	return group != NULL ? (int)group->gr_gid : -1;
}

/*
 * The kernel tells the groups the process really has. The name service (getgrouplist) could only
 * tell what its user would get at the next login, and might block the loop.
 */
static bool has_group(int fd, gid_t group)
{
	gid_t groups[GROUPS_MAX];
	socklen_t size = sizeof groups;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0)
		return false;
	for (size_t i = 0; i < size / sizeof groups[0]; i++) {
		if (groups[i] == group)
			return true;
	}
	return false;
}

bool access_may_write(int fd, int group)
{
	struct ucred peer;
	socklen_t size = sizeof peer;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return false;
	if (peer.uid == 0 || peer.uid == geteuid())
		return true;
	return group >= 0 && (peer.gid == (gid_t)group || has_group(fd, (gid_t)group));
}
