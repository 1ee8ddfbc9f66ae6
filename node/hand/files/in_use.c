/*
 * in_use.c: who has a file open?
 *
 * A write lease is granted only if nobody else has the file open, loop devices and mappings included: the
 * kernel's own count. It needs the file's owner or CAP_LEASE, and a file system that has leases; elsewhere
 * /proc and /sys are searched for what can be seen.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Does one of the folder's links lead to it? */
static bool leads_there(const char *folder, const struct stat *file)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	struct stat found;
	bool yes = false;
	while (dir != NULL && !yes && (entry = readdir(dir)) != NULL)
		yes = isdigit((unsigned char)entry->d_name[0]) &&
		      fstatat(dirfd(dir), entry->d_name, &found, 0) == 0 && same(&found, file);
	if (dir != NULL)
		closedir(dir);
	return yes;
}

static bool open_somewhere(const struct stat *file)
{
	char path[300];
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	bool yes = false;
	while (proc != NULL && !yes && (entry = readdir(proc)) != NULL) {
		if (!isdigit((unsigned char)entry->d_name[0]) || atoll(entry->d_name) == getpid())
			continue;
		snprintf(path, sizeof path, "/proc/%s/fd", entry->d_name);
		yes = leads_there(path, file);
	}
	if (proc != NULL)
		closedir(proc);
	return yes;
}

static bool mapped_by_loop(const struct stat *file)
{
	char path[300], backing[4096];
	DIR *block = opendir("/sys/block");
	struct dirent *entry;
	struct stat found;
	bool yes = false;
	while (block != NULL && !yes && (entry = readdir(block)) != NULL) {
		snprintf(path, sizeof path, "/sys/block/%s/loop/backing_file", entry->d_name);
		FILE *in = strncmp(entry->d_name, "loop", 4) == 0 ? fopen(path, "re") : NULL;
		if (in != NULL && fgets(backing, sizeof backing, in) != NULL) {
			backing[strcspn(backing, "\n")] = '\0';
			yes = stat(backing, &found) == 0 && same(&found, file);
		}
		if (in != NULL)
			fclose(in);
	}
	if (block != NULL)
		closedir(block);
	return yes;
}

bool file_in_use(int fd, const struct stat *file)
{
	signal(SIGIO, SIG_IGN); /* somebody wants to open it meanwhile: they wait until we are done */
	if (fcntl(fd, F_SETLEASE, F_WRLCK) == 0)
		return false;
	if (errno == EAGAIN || errno == EBUSY)
		return true;
	return open_somewhere(file) || mapped_by_loop(file);
}
