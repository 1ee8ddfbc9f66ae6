#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "files.h"

#define BLOCK (1 << 20)

int room_check(int fd, uint64_t more)
{
	struct statvfs fs;
	if (fstatvfs(fd, &fs) < 0)
		return files_failed(errno, "its file system");
	uint64_t available = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (more <= available)
		return FILE_DONE;
	return files_fail(FILE_NO_ROOM, "%" PRIu64 " bytes are missing: %" PRIu64 " are needed, %" PRIu64 " are free",
	                  more - available, more, available);
}

/* ---- allocating ---- */

static int write_zeros(int fd, uint64_t from, uint64_t to)
{
	static const char zeros[BLOCK];
	while (from < to) {
		size_t size = to - from < BLOCK ? (size_t)(to - from) : BLOCK;
		ssize_t written = pwrite(fd, zeros, size, (off_t)from);
		if (written < 0 && errno != EINTR)
			return -errno;
		from += written > 0 ? (uint64_t)written : 0;
	}
	return 0;
}

static int allocate(int fd, int mode, uint64_t from, uint64_t to)
{
	int r;
	do
		r = fallocate(fd, mode, (off_t)from, (off_t)(to - from));
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}

/* First the room, then the size: what fails half-way has only to be cut off again. */
int room_allocate(int fd, uint64_t from, uint64_t to)
{
	int r = from == to ? 0 : allocate(fd, FALLOC_FL_KEEP_SIZE, from, to);
	if (r == -EOPNOTSUPP)
		r = allocate(fd, 0, from, to);
	if (r == -EOPNOTSUPP)
		r = write_zeros(fd, from, to);
	if (r == 0 && ftruncate(fd, (off_t)to) < 0)
		r = -errno;
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r < 0 && ftruncate(fd, (off_t)from) < 0)
		files_failed(errno, "what was allocated cannot be given back");
	return r;
}

/* ---- copying ---- */

static int copy_range(int from, int to, off_t at, off_t end)
{
	off_t in = at, out = at;
	while (in < end) {
		ssize_t copied = copy_file_range(from, &in, to, &out, (size_t)(end - in), 0);
		if (copied == 0)
			return -EIO; /* it became shorter */
		if (copied < 0 && errno != EINTR)
			return -errno;
	}
	return 0;
}

int room_copy(int from, int to, uint64_t size)
{
	off_t at = 0, end = (off_t)size;
	int r = ftruncate(to, end) < 0 ? -errno : 0;
	while (r == 0 && at < end) {
		off_t data = lseek(from, at, SEEK_DATA);
		if (data < 0 && errno == ENXIO)
			break; /* holes up to the end */
		off_t hole = data < 0 ? -1 : lseek(from, data, SEEK_HOLE);
		if (hole < 0)
			return -errno;
		at = hole < end ? hole : end;
		r = copy_range(from, to, data, at);
	}
	return r;
}
