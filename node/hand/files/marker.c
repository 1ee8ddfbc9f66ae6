#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "files.h"

#define ID_MAX 47

/* The first line, if it is made of letters, digits and '-', and there is nothing else. */
static bool is_id(const char *text, size_t size)
{
	size_t used = strspn(text, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-");
	return used > 0 && used <= ID_MAX && (used == size || (used + 1 == size && text[used] == '\n'));
}

bool marker_read(const struct folder *folder, char out[64])
{
	int fd = folder_open_file(folder, FILE_MARKER, O_RDONLY);
	out[0] = '\0';
	if (fd == -ENOENT)
		return true;
	if (fd == -EMEDIUMTYPE) {
		memcpy(out, "?", 2);
		return true;
	}
	errno = -fd;
	if (fd < 0)
		return false;
	ssize_t got = read(fd, out, 63);
	close(fd);
	if (got < 0)
		return false;
	out[got] = '\0';
	if (is_id(out, (size_t)got))
		out[strcspn(out, "\n")] = '\0';
	else
		memcpy(out, "?", 2);
	return true;
}

static int write_new(const struct folder *folder, const char *file, const char *id)
{
	char line[64];
	int size = snprintf(line, sizeof line, "%.47s\n", id);
	unlinkat(folder->fd, file, 0); /* of an attempt that was cut off: its name holds the same id */
	int fd = folder_make_file(folder, file);
	if (fd < 0)
		return fd;
	int r = write(fd, line, (size_t)size) == size && fchmod(fd, 0644) == 0 && fsync(fd) == 0 ? 0 : -errno;
	close(fd);
	return r;
}

/* What is there decides, whatever became of our own attempt: another node may mark it at the same moment. */
static int judge(const struct folder *folder, const char *id, int r)
{
	char found[64];
	if (!marker_read(folder, found))
		return files_failed(errno, FILE_MARKER);
	if (strcmp(found, id) == 0)
		return FILE_DONE;
	if (found[0] != '\0')
		return files_fail(FILE_EXISTS, "'%s' is marked already: its " FILE_MARKER " holds '%s'", folder->path, found);
	return files_failed(r < 0 ? -r : EAGAIN, FILE_MARKER);
}

int files_mark(const struct files_call *call)
{
	char file[FILES_NAME_SIZE], found[64];
	if (!marker_read(&call->folder, found))
		return files_failed(errno, FILE_MARKER);
	if (found[0] != '\0')
		return judge(&call->folder, call->id, 0);
	snprintf(file, sizeof file, FILE_MARKER "-%.47s", call->id);
	int r = write_new(&call->folder, file, call->id);
	if (r == 0)
		r = folder_rename(&call->folder, file, FILE_MARKER);
	if (r < 0)
		unlinkat(call->folder.fd, file, 0);
	else
		r = folder_settle(&call->folder);
	return judge(&call->folder, call->id, r);
}

int files_unmark(const struct files_call *call)
{
	char found[64];
	if (!marker_read(&call->folder, found))
		return files_failed(errno, FILE_MARKER);
	if (found[0] == '\0')
		return FILE_DONE;
	if (strcmp(found, call->id) != 0)
		return files_fail(FILE_EXISTS, "'%s' is marked by another: its " FILE_MARKER " holds '%s'", call->folder.path,
		                  found);
	if (unlinkat(call->folder.fd, FILE_MARKER, 0) < 0 && errno != ENOENT)
		return files_failed(errno, FILE_MARKER);
	int r = folder_settle(&call->folder);
	return r < 0 ? files_failed(-r, call->folder.path) : FILE_DONE;
}
