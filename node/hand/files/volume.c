#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "files.h"

/* ---- common ---- */

/* The volume, open; or the exit code, negative. */
static int open_volume(const struct folder *folder, const char *file, struct stat *out)
{
	int fd = folder_open_file(folder, file, O_RDWR);
	if (fd == -EMEDIUMTYPE)
		return -files_fail(FILE_FAILED, "'%s/%s' is no regular file", folder->path, file);
	if (fd < 0)
		return -files_failed(-fd, file);
	if (fstat(fd, out) == 0 && out->st_nlink == 1)
		return fd;
	close(fd);
	return -files_fail(FILE_FAILED, "'%s/%s' has another name, too: it is left alone", folder->path, file);
}

/* The same, and nobody else has it open; who comes later waits until it is closed. */
static int open_unused(const struct folder *folder, const char *file)
{
	struct stat at;
	int fd = open_volume(folder, file, &at);
	if (fd < 0 || !file_in_use(fd, &at))
		return fd;
	close(fd);
	return -files_fail(FILE_IN_USE, "'%s/%s' is in use: a process has it open, or a loop device (fuser -v %s/%s)",
	                   folder->path, file, folder->path, file);
}

static int settle(const struct folder *folder)
{
	int r = folder_settle(folder);
	return r < 0 ? files_failed(-r, folder->path) : FILE_DONE;
}

static int move(const struct folder *folder, const char *from, const char *to)
{
	int r = folder_rename(folder, from, to);
	if (r == -EEXIST)
		return files_fail(FILE_EXISTS, "'%s/%s' is there already", folder->path, to);
	return r < 0 ? files_failed(-r, from) : settle(folder);
}

static int absent(const struct folder *folder, const char *name)
{
	char file[FILES_NAME_SIZE];
	struct stat at;
	volume_file(name, file);
	if (folder_stat(folder, file, &at))
		return files_fail(FILE_EXISTS, "'%s/%s' is there already", folder->path, file);
	return errno == ENOENT ? FILE_DONE : files_failed(errno, file);
}

/* ---- making ---- */

/* An empty one with the operation's number; what an earlier attempt of it left is thrown away. */
static int begin(const struct folder *folder, const char *file)
{
	int fd = folder_make_file(folder, file);
	if (fd == -EEXIST && unlinkat(folder->fd, file, 0) == 0)
		fd = folder_make_file(folder, file);
	return fd < 0 ? -files_failed(-fd, file) : fd;
}

/* Half of it is worth nothing. */
static int end(const struct folder *folder, const char *file, int fd, int r)
{
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	close(fd);
	if (r == 0)
		return settle(folder);
	unlinkat(folder->fd, file, 0);
	return files_failed(-r, file);
}

int files_create(const struct files_call *call)
{
	char file[FILES_NAME_SIZE];
	int code = absent(&call->folder, call->name);
	if (code == FILE_DONE && !call->sparse)
		code = room_check(call->folder.fd, call->size);
	if (code != FILE_DONE)
		return code;
	pending_file(call->operation, call->name, file);
	int fd = begin(&call->folder, file), r;
	if (fd < 0)
		return -fd;
	if (call->sparse)
		r = ftruncate(fd, (off_t)call->size) < 0 ? -errno : 0;
	else
		r = room_allocate(fd, 0, call->size);
	return end(&call->folder, file, fd, r);
}

/* Without shared blocks it takes a while: what somebody writes to meanwhile would be no copy of any moment. */
static int copy_whole(const struct folder *folder, const char *from, int to)
{
	struct stat at;
	int fd = open_unused(folder, from);
	if (fd < 0)
		return -fd;
	int code = fstat(fd, &at) < 0 ? files_failed(errno, from) : room_check(to, (uint64_t)at.st_blocks * 512);
	int r = code == FILE_DONE ? room_copy(fd, to, (uint64_t)at.st_size) : 0;
	close(fd);
	return r < 0 ? files_failed(-r, from) : code;
}

int files_copy(const struct files_call *call)
{
	char from[FILES_NAME_SIZE], file[FILES_NAME_SIZE];
	struct stat at;
	int code = absent(&call->folder, call->new_name);
	if (code != FILE_DONE)
		return code;
	volume_file(call->name, from);
	pending_file(call->operation, call->new_name, file);
	int source = open_volume(&call->folder, from, &at);
	if (source < 0)
		return -source;
	int fd = begin(&call->folder, file);
	bool cloned = fd >= 0 && ioctl(fd, FICLONE, source) == 0;
	close(source);
	if (fd < 0)
		return -fd;
	if (!cloned)
		code = copy_whole(&call->folder, from, fd);
	if (code == FILE_DONE)
		return end(&call->folder, file, fd, 0);
	close(fd);
	unlinkat(call->folder.fd, file, 0);
	return code;
}

int files_place(const struct files_call *call)
{
	char from[FILES_NAME_SIZE], to[FILES_NAME_SIZE];
	pending_file(call->operation, call->name, from);
	volume_file(call->name, to);
	return move(&call->folder, from, to);
}

/* ---- unmaking ---- */

int files_withdraw(const struct files_call *call)
{
	char from[FILES_NAME_SIZE], to[FILES_NAME_SIZE];
	volume_file(call->name, from);
	pending_file(call->operation, call->name, to);
	int fd = open_unused(&call->folder, from);
	if (fd < 0)
		return -fd;
	int code = move(&call->folder, from, to);
	close(fd);
	return code;
}

static int forget(const struct folder *folder, const char *file)
{
	if (unlinkat(folder->fd, file, 0) < 0)
		return files_failed(errno, file);
	return settle(folder);
}

int files_drop(const struct files_call *call)
{
	char file[FILES_NAME_SIZE];
	struct stat at;
	pending_file(call->operation, call->name, file);
	if (!folder_stat(&call->folder, file, &at) && errno == ENOENT)
		return FILE_DONE;
	return forget(&call->folder, file);
}

int files_remove(const struct files_call *call)
{
	char file[FILES_NAME_SIZE];
	volume_file(call->name, file);
	int fd = open_unused(&call->folder, file);
	if (fd < 0)
		return -fd;
	int code = forget(&call->folder, file);
	close(fd);
	return code;
}

/* ---- changing ---- */

int files_extend(const struct files_call *call)
{
	char file[FILES_NAME_SIZE];
	struct stat at;
	int code = FILE_DONE, r = 0;
	volume_file(call->name, file);
	int fd = open_volume(&call->folder, file, &at);
	if (fd < 0)
		return -fd;
	uint64_t size = (uint64_t)at.st_size;
	if (size > call->size)
		code = files_fail(FILE_FAILED, "'%s/%s' has %" PRIu64 " bytes already: it is never shrunk", call->folder.path,
		                  file, size);
	else if (call->sparse)
		r = ftruncate(fd, (off_t)call->size) < 0 || fsync(fd) < 0 ? -errno : 0;
	else if ((code = room_check(fd, call->size - size)) == FILE_DONE)
		r = room_allocate(fd, size, call->size);
	close(fd);
	return r < 0 ? files_failed(-r, file) : code;
}

int files_rename(const struct files_call *call)
{
	char from[FILES_NAME_SIZE], to[FILES_NAME_SIZE];
	volume_file(call->name, from);
	volume_file(call->new_name, to);
	int fd = open_unused(&call->folder, from);
	if (fd < 0)
		return -fd;
	int code = move(&call->folder, from, to);
	close(fd);
	return code;
}
