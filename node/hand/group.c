#include "group.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE 320

void group_own(char *out, size_t size)
{
	char line[256];
	out[0] = '\0';
	FILE *in = fopen("/proc/self/cgroup", "re");
	while (in != NULL && fgets(line, sizeof line, in) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "0::/", 4) == 0)
			snprintf(out, size, "/sys/fs/cgroup%s", line + 3);
	}
	if (in != NULL)
		fclose(in);
	char kill_file[PATH_SIZE];
	snprintf(kill_file, sizeof kill_file, "%s/cgroup.kill", out);
	if (access(kill_file, W_OK) != 0) /* the root has none, and cgroup v1 neither */
		out[0] = '\0';
}

static void path_of(const char *base, uint64_t job, const char *file, char out[PATH_SIZE])
{
	snprintf(out, PATH_SIZE, "%s/job-%" PRIu64 "%s", base, job, file);
}

static void write_word(const char *path, const char *word)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	ssize_t ignored = write(fd, word, strlen(word));
	(void)ignored; /* whoever asks has a second way */
	close(fd);
}

void group_make(const char *base, uint64_t job)
{
	char path[PATH_SIZE];
	if (base[0] == '\0')
		return;
	path_of(base, job, "", path);
	mkdir(path, 0755);
}

void group_enter(const char *base, uint64_t job, pid_t process)
{
	char path[PATH_SIZE], number[16];
	if (base[0] == '\0')
		return;
	path_of(base, job, "/cgroup.procs", path);
	snprintf(number, sizeof number, "%d", (int)process);
	write_word(path, number);
}

/* One that holds a process, running or dying, stays: the kernel refuses. */
void group_remove(const char *base, uint64_t job)
{
	char path[PATH_SIZE];
	struct dirent *entry;
	if (base[0] == '\0')
		return;
	path_of(base, job, "", path);
	rmdir(path);
	DIR *folder = opendir(base);
	while (folder != NULL && (entry = readdir(folder)) != NULL) {
		if (strncmp(entry->d_name, "job-", 4) == 0)
			unlinkat(dirfd(folder), entry->d_name, AT_REMOVEDIR);
	}
	if (folder != NULL)
		closedir(folder);
}
