/*
 * probe.c: what is that folder: of which file system, mounted itself, with how much room, writable, marked?
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "files.h"

#define FIELDS_MAX 64

/* ---- the mount ---- */

struct mount {
	char *line; /* of mountinfo, cut into its fields; freed by the caller */
	const char *point, *type, *source;
};

/* "36 35 98:0 /root /mnt rw,noatime master:1 - ext3 /dev/sda rw": proc(5). */
static bool read_mount(char *line, uint64_t wanted, struct mount *out)
{
	char *rest = line, *fields[FIELDS_MAX];
	int count = 0, dash = 0;
	while (count < FIELDS_MAX && (fields[count] = strsep(&rest, " \n")) != NULL) {
		if (dash == 0 && count > 5 && strcmp(fields[count], "-") == 0)
			dash = count;
		count++;
	}
	if (dash == 0 || dash + 2 >= count || strtoull(fields[0], NULL, 10) != wanted)
		return false;
	*out = (struct mount){line, fields[4], fields[dash + 1], fields[dash + 2]};
	return true;
}

static bool find_mount(int folder, struct mount *out)
{
	struct statx at;
	char *line = NULL;
	size_t room = 0;
	bool found = false;
	if (statx(folder, "", AT_EMPTY_PATH, STATX_MNT_ID, &at) < 0 || (at.stx_mask & STATX_MNT_ID) == 0)
		return false;
	FILE *in = fopen("/proc/self/mountinfo", "re");
	while (in != NULL && !found && getline(&line, &room, in) > 0)
		found = read_mount(line, at.stx_mnt_id, out);
	if (in != NULL)
		fclose(in);
	if (!found)
		free(line);
	return found;
}

/* In mountinfo a blank is \040. */
static bool same_path(const char *written, const char *path)
{
	for (; *written != '\0' && *path != '\0'; path++) {
		char c = *written;
		if (c == '\\') {
			c = (char)strtol((char[]){written[1], written[2], written[3], '\0'}, NULL, 8);
			written += 3;
		}
		if (c != *path)
			return false;
		written++;
	}
	return *written == '\0' && *path == '\0';
}

static void tell_mount(const struct folder *folder)
{
	struct mount mount;
	if (!find_mount(folder->fd, &mount)) {
		puts("mounted unknown");
		return;
	}
	printf("mounted %s\ntype %s\nsource %s\n", same_path(mount.point, folder->path) ? "yes" : "no", mount.type,
	       mount.source);
	free(mount.line);
}

/* ---- may it be written? ---- */

/* A file without a name; where there is no such, one with this machine's, so that none pile up. */
static int scratch_file(const struct folder *folder, char name[FILES_NAME_SIZE])
{
	char host[65] = "";
	name[0] = '\0';
	int fd = openat(folder->fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT && errno != EINVAL))
		return fd;
	gethostname(host, sizeof host - 1);
	snprintf(name, FILES_NAME_SIZE, FILES_PENDING "probe-%s", host);
	for (char *c = strchr(name, '/'); c != NULL; c = strchr(c, '/'))
		*c = '_';
	return openat(folder->fd, name, O_CREAT | O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
}

static int write_something(const struct folder *folder)
{
	char name[FILES_NAME_SIZE];
	int fd = scratch_file(folder, name);
	if (fd < 0)
		return errno;
	int error = write(fd, "", 1) == 1 ? 0 : errno;
	if (close(fd) < 0 && error == 0) /* NFS tells then */
		error = errno;
	if (name[0] != '\0')
		unlinkat(folder->fd, name, 0);
	return error;
}

/* ---- all ---- */

int files_probe(const struct files_call *call)
{
	struct statvfs fs;
	struct stat at;
	char marker[64];
	if (fstatvfs(call->folder.fd, &fs) < 0 || fstat(call->folder.fd, &at) < 0 ||
	    !marker_read(&call->folder, marker))
		return files_failed(errno, call->folder.path);
	tell_mount(&call->folder);
	printf("device %u:%u\nsize %" PRIu64 "\nfree %" PRIu64 "\n", major(at.st_dev), minor(at.st_dev),
	       (uint64_t)fs.f_blocks * fs.f_frsize, (uint64_t)fs.f_bavail * fs.f_frsize);
	int error = write_something(&call->folder);
	if (error == ESTALE || error == EIO)
		return files_failed(error, call->folder.path);
	if (error == 0)
		puts("writable yes");
	else
		printf("writable no %s\n", strerror(error));
	if (marker[0] != '\0')
		printf("marker %s\n", marker);
	return FILE_DONE;
}
