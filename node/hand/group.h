/*
 * group.h: all processes of a job: its process group, and its cgroup where the hand has one.
 *
 * A process group is left by setsid; a cgroup is not, unless somebody with rights moves out.
 * `base` is a cgroup (v2) folder that is ours to divide; "" means that there is none.
 */
#ifndef ESSAIM_GROUP_H
#define ESSAIM_GROUP_H

#include <stdint.h>
#include <sys/types.h>

/* The folder of our own cgroup into `out`; "" if there is no cgroup v2. */
void group_own(char *out, size_t size);

void group_make(const char *base, uint64_t job);
/*
 * In the child (0) and by its parent (its pid), whoever is first. Where it fails, the process group has to do.
 */
void group_enter(const char *base, uint64_t job, pid_t process);
/* `leader` must not be reaped yet. SIGKILL reaches the cgroup too. */
void group_signal(const char *base, uint64_t job, pid_t leader, int signal);
/* And those that held a dying process when they were to be removed. */
void group_remove(const char *base, uint64_t job);

#endif
