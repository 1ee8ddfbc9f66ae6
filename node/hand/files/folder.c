#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "files.h"

/* ---- what went wrong ---- */

int files_fail(int code, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	return code;
}

static int code_of(int error)
{
	switch (error) { /* numbers, not an enum */
	case EEXIST: return FILE_EXISTS;
	case ENOENT: return FILE_MISSING;
	case ENOSPC:
	case EDQUOT: return FILE_NO_ROOM;
	case ESTALE:
	case EIO: return FILE_STALE;
	default: return FILE_FAILED;
	}
}

int files_failed(int error, const char *what)
{
	return files_fail(code_of(error), "'%s': %s", what, strerror(error));
}

/* ---- names ---- */

void volume_file(const char *name, char out[FILES_NAME_SIZE])
{
	snprintf(out, FILES_NAME_SIZE, "%.127s" FILE_VOLUME_SUFFIX, name);
}

void pending_file(const char *operation, const char *name, char out[FILES_NAME_SIZE])
{
	snprintf(out, FILES_NAME_SIZE, FILES_PENDING "%.20s-%.127s" FILE_VOLUME_SUFFIX, operation, name);
}

/* ---- opening ---- */

/*
 * Part by part with O_NOFOLLOW, not by openat2: systemd's RestrictSUIDSGID, in which the hand lives, refuses
 * that call as if there were none, as it cannot look at its flags.
 */
static int open_one(int at, const char *name, int flags, mode_t mode)
{
	int fd = openat(at, name, flags | O_NOFOLLOW | O_CLOEXEC, mode);
	return fd < 0 ? -errno : fd;
}

static bool is_link(int at, const char *name)
{
	struct stat found;
	return fstatat(at, name, &found, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(found.st_mode);
}

/* One folder further; the one before is closed. */
static int enter(int at, const char *name, bool last)
{
	int fd = open_one(at, name, O_DIRECTORY | (last ? O_RDONLY : O_PATH), 0);
	if (fd == -ENOTDIR && is_link(at, name))
		fd = -ELOOP;
	close(at);
	return fd;
}

static int open_path(const char *path)
{
	char name[NAME_MAX + 1];
	int fd = open_one(AT_FDCWD, "/", O_DIRECTORY | O_RDONLY, 0);
	for (path += strspn(path, "/"); fd >= 0 && *path != '\0'; path += strspn(path, "/")) {
		size_t size = strcspn(path, "/");
		if (size > NAME_MAX) {
			close(fd);
			return -ENAMETOOLONG;
		}
		memcpy(name, path, size);
		name[size] = '\0';
		path += size;
		fd = enter(fd, name, path[strspn(path, "/")] == '\0');
	}
	return fd;
}

int folder_open(const char *path, struct folder *out)
{
	out->path = path;
	if (path[0] != '/')
		return files_fail(FILE_USAGE, "'%s' is not absolute", path);
	out->fd = open_path(path);
	if (out->fd == -ELOOP)
		return files_fail(FILE_FAILED, "'%s' is reached by a symbolic link: name the folder itself (readlink -f %s)",
		                  path, path);
	return out->fd < 0 ? files_failed(-out->fd, path) : FILE_DONE;
}

bool folder_stat(const struct folder *folder, const char *file, struct stat *out)
{
	return fstatat(folder->fd, file, out, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Nothing is mounted over the file itself. */
static bool same_mount(const struct folder *folder, int fd)
{
	struct statx here, there;
	return statx(folder->fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &here) == 0 &&
	       statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &there) == 0 && here.stx_mnt_id == there.stx_mnt_id;
}

int folder_open_file(const struct folder *folder, const char *file, int flags)
{
	struct stat before, after;
	if (!folder_stat(folder, file, &before))
		return -errno;
	if (!S_ISREG(before.st_mode))
		return -EMEDIUMTYPE; /* a device is not even opened */
	int fd = open_one(folder->fd, file, flags | O_NONBLOCK, 0);
	if (fd < 0)
		return fd;
	if (!same_mount(folder, fd)) {
		close(fd);
		return -EXDEV;
	}
	if (fstat(fd, &after) == 0 && S_ISREG(after.st_mode) && after.st_ino == before.st_ino)
		return fd;
	close(fd);
	return -EAGAIN; /* it was exchanged meanwhile */
}

int folder_make_file(const struct folder *folder, const char *file)
{
	return open_one(folder->fd, file, O_RDWR | O_CREAT | O_EXCL, 0600);
}

/* ---- names given ---- */

/* NFS and some others have no such rename; a link fails if the name is taken, too. */
static int by_link(const struct folder *folder, const char *from, const char *to)
{
	struct stat one, other;
	bool linked = linkat(folder->fd, from, folder->fd, to, 0) == 0;
	int error = errno;
	/* An earlier attempt came as far as the link. */
	if (!linked && error == EEXIST && folder_stat(folder, from, &one) && folder_stat(folder, to, &other))
		linked = one.st_ino == other.st_ino && one.st_dev == other.st_dev;
	if (!linked)
		return -error;
	return unlinkat(folder->fd, from, 0) == 0 || errno == ENOENT ? 0 : -errno;
}

int folder_rename(const struct folder *folder, const char *from, const char *to)
{
	if (renameat2(folder->fd, from, folder->fd, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP || errno == EEXIST)
		return by_link(folder, from, to);
	return -errno;
}

int folder_settle(const struct folder *folder)
{
	return fsync(folder->fd) == 0 || errno == EINVAL ? 0 : -errno;
}
