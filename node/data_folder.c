#include "data_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "random_bytes.h"

void data_folder_path(const char *folder, const char *name, char out[FOLDER_PATH_SIZE])
{
	snprintf(out, FOLDER_PATH_SIZE, "%s/%s", folder, name);
}

/* ---- the lock ---- */

static int refuse_second(int fd, const char *folder, struct error *error)
{
	char pid[16] = "";
	ssize_t size = pread(fd, pid, sizeof pid - 1, 0);
	pid[size > 0 ? strcspn(pid, "\n") : 0] = '\0';
	close(fd);
	return error_set(error, -EBUSY,
	                 "data folder '%s' is in use by the essaimd with process id %s: stop that one first, or give this one its own --data",
	                 folder, pid[0] != '\0' ? pid : "unknown");
}

static int write_pid(int fd)
{
	char pid[16];
	int length = snprintf(pid, sizeof pid, "%d\n", (int)getpid());
	if (ftruncate(fd, 0) < 0 || pwrite(fd, pid, (size_t)length, 0) != length)
		return -EIO;
	return 0;
}

int data_folder_lock(const char *folder, struct error *error)
{
	if (mkdir(folder, 0700) < 0 && errno != EEXIST)
		return error_set(error, -errno, "cannot create data folder '%s': %s", folder,
		                 strerror(errno));
	char path[FOLDER_PATH_SIZE];
	data_folder_path(folder, "lock", path);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_set(error, -errno, "cannot open '%s': %s", path, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			return refuse_second(fd, folder, error);
		int code = -errno;
		close(fd);
		return error_set(error, code, "cannot lock '%s': %s", path, strerror(-code));
	}
	/* The pid only makes a sentence better: a full disk must not keep a voter from starting. */
	(void)write_pid(fd);
	return fd;
}

/* ---- key and store together ---- */

bool data_folder_has(const char *folder, const char *name)
{
	char path[FOLDER_PATH_SIZE];
	struct stat st;
	data_folder_path(folder, name, path);
	return stat(path, &st) == 0 && st.st_size > 0;
}

int data_folder_check(const char *folder, bool had_store, bool initialised, struct error *error)
{
	bool key = data_folder_has(folder, "node.key");
	if (key && !had_store)
		return error_set(error, -EINVAL,
		                 "'%s' has a node.key but no store.db: without it the node could break its promises; restore the file, or empty the folder and join as a new node",
		                 folder);
	if (initialised && !key)
		return error_set(error, -EINVAL,
		                 "'%s' has a store.db but no node.key: restore the key, or empty the folder and join as a new node",
		                 folder);
	return 0;
}

/* ---- the key ---- */

static int sync_folder(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int status = fsync(fd) < 0 ? -errno : 0;
	close(fd);
	return status;
}

static int write_synced(const char *path, const uint8_t *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	int status = 0;
	ssize_t written = write(fd, data, size);
	if (written < 0 || fsync(fd) < 0)
		status = -errno;
	else if ((size_t)written != size)
		status = -ENOSPC;
	close(fd);
	return status;
}

#define UNFINISHED "node.key.new" /* a key being written: whoever finds it forgets it */

/* Under another name first: a crash leaves a whole key or none. */
static int seed_create(const char *folder, const char *path, uint8_t seed[NODE_SEED_SIZE],
                       struct error *error)
{
	char fresh[FOLDER_PATH_SIZE];
	data_folder_path(folder, UNFINISHED, fresh);
	random_bytes(seed, NODE_SEED_SIZE);
	int status = write_synced(fresh, seed, NODE_SEED_SIZE);
	if (status == 0 && rename(fresh, path) < 0)
		status = -errno;
	if (status == 0)
		status = sync_folder(folder);
	if (status < 0)
		return error_set(error, status, "cannot create '%s': %s", path, strerror(-status));
	return 0;
}

static int seed_check(int fd, const char *path, struct error *error)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return error_set(error, -errno, "cannot read '%s': %s", path, strerror(errno));
	if ((st.st_mode & 077) != 0)
		return error_set(error, -EPERM,
		                 "'%s' can be read by others: whoever has it is this node; chmod 600 it, or remove this node and join anew if it may have been copied",
		                 path);
	if (st.st_size != NODE_SEED_SIZE)
		return error_set(error, -EINVAL, "'%s' holds %lld bytes instead of %d: it is damaged", path,
		                 (long long)st.st_size, NODE_SEED_SIZE);
	return 0;
}

/* 1: read; 0: there is none; or -errno. */
static int seed_read(const char *path, uint8_t out_seed[NODE_SEED_SIZE], struct error *error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return error_set(error, -errno, "cannot open '%s': %s", path, strerror(errno));
	int status = seed_check(fd, path, error);
	if (status == 0 && read(fd, out_seed, NODE_SEED_SIZE) != NODE_SEED_SIZE)
		status = error_set(error, -EIO, "cannot read '%s'", path);
	close(fd);
	return status < 0 ? status : 1;
}

static int seed_take(const char *folder, const char *name, bool make,
                     uint8_t out_seed[NODE_SEED_SIZE], struct error *error)
{
	char path[FOLDER_PATH_SIZE];
	data_folder_path(folder, name, path);
	int status = seed_read(path, out_seed, error);
	if (status != 0 || !make)
		return status;
	status = seed_create(folder, path, out_seed, error);
	return status < 0 ? status : 1;
}

int node_seed_load(const char *folder, uint8_t out_seed[NODE_SEED_SIZE], struct error *error)
{
	int status = seed_take(folder, "node.key", true, out_seed, error);
	return status < 0 ? status : 0;
}

int node_seed_next(const char *folder, bool make, uint8_t out_seed[NODE_SEED_SIZE],
                   struct error *error)
{
	return seed_take(folder, "key.new", make, out_seed, error);
}

int node_seed_switch(const char *folder, struct error *error)
{
	char from[FOLDER_PATH_SIZE], to[FOLDER_PATH_SIZE];
	data_folder_path(folder, "key.new", from);
	data_folder_path(folder, "node.key", to);
	int status = rename(from, to) < 0 ? -errno : sync_folder(folder);
	if (status < 0)
		return error_set(error, status, "cannot put '%s' in the place of '%s': %s", from, to,
		                 strerror(-status));
	return 0;
}

/* ---- wiping ---- */

int data_folder_wipe(const char *folder, struct error *error)
{
	/* The key goes first: from then on nobody can speak as this node any more. */
	static const char *const ours[] = {"node.key", "key.new", UNFINISHED, "store.db", "store.db-wal",
	                                   "store.db-shm"};
	for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
		char path[FOLDER_PATH_SIZE];
		data_folder_path(folder, ours[i], path);
		if (unlink(path) < 0 && errno != ENOENT)
			return error_set(error, -errno, "cannot remove '%s': %s", path, strerror(errno));
	}
	int status = sync_folder(folder);
	if (status < 0)
		return error_set(error, status, "cannot sync '%s': %s", folder, strerror(-status));
	return 0;
}
