#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"

#define LIST_MAX 4096 /* lines: what they print at most fits the output of the hand's table */

struct listed {
	bool pending;
	char operation[21], name[128];
	struct stat at;
};

/* ---- names ---- */

/* "NAME.raw" into its name. */
static bool take_volume(const char *file, char name[128])
{
	size_t size = strlen(file), suffix = strlen(FILE_VOLUME_SUFFIX);
	if (size <= suffix || size - suffix > 127 || strcmp(file + size - suffix, FILE_VOLUME_SUFFIX) != 0)
		return false;
	memcpy(name, file, size - suffix);
	name[size - suffix] = '\0';
	return program_volume_name(name);
}

/* ".essaim-OPERATION-NAME.raw" */
static bool take_pending(const char *file, char operation[21], char name[128])
{
	size_t prefix = strlen(FILES_PENDING);
	if (strncmp(file, FILES_PENDING, prefix) != 0)
		return false;
	size_t digits = strspn(file + prefix, "0123456789");
	if (digits == 0 || digits > 20 || file[prefix + digits] != '-')
		return false;
	memcpy(operation, file + prefix, digits);
	operation[digits] = '\0';
	return take_volume(file + prefix + digits + 1, name);
}

/* ---- printing ---- */

static void print_sizes(const struct stat *at)
{
	printf(" %" PRIu64 " %" PRIu64 " %lld %" PRIu64 "\n", (uint64_t)at->st_size, (uint64_t)at->st_blocks * 512,
	       (long long)at->st_mtim.tv_sec, (uint64_t)at->st_ino);
}

static void print(const struct listed *one)
{
	if (one->pending)
		printf("pending %s %s", one->name, one->operation);
	else
		printf("volume %s", one->name);
	print_sizes(&one->at);
}

static int by_name(const void *a, const void *b)
{
	const struct listed *one = a, *other = b;
	int order = (int)one->pending - (int)other->pending;
	if (order == 0)
		order = strcmp(one->name, other->name);
	return order != 0 ? order : strcmp(one->operation, other->operation);
}

/* ---- the words ---- */

static bool take(const struct folder *folder, const char *file, struct listed *out)
{
	*out = (struct listed){.pending = false};
	out->pending = take_pending(file, out->operation, out->name);
	return (out->pending || take_volume(file, out->name)) && folder_stat(folder, file, &out->at) &&
	       S_ISREG(out->at.st_mode);
}

static int read_all(const struct folder *folder, DIR *dir, struct listed *list, uint32_t *count, uint32_t *more)
{
	struct dirent *entry;
	struct listed one;
	for (errno = 0; (entry = readdir(dir)) != NULL; errno = 0) {
		if (!take(folder, entry->d_name, &one))
			continue;
		if (*count < LIST_MAX)
			list[(*count)++] = one;
		else
			(*more)++;
	}
	return errno;
}

int files_list(const struct files_call *call)
{
	uint32_t count = 0, more = 0;
	struct listed *list = calloc(LIST_MAX, sizeof *list);
	int fd = dup(call->folder.fd);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	if (list == NULL || dir == NULL) {
		free(list);
		return files_failed(list == NULL ? ENOMEM : errno, call->folder.path);
	}
	int error = read_all(&call->folder, dir, list, &count, &more);
	closedir(dir);
	if (error == 0) {
		qsort(list, count, sizeof *list, by_name);
		for (uint32_t i = 0; i < count; i++)
			print(&list[i]);
		if (more > 0)
			printf("more %u\n", more);
	}
	free(list);
	return error == 0 ? FILE_DONE : files_failed(error, call->folder.path);
}

static int state_of(const struct folder *folder, const char *file, const char *word)
{
	struct stat at;
	if (!folder_stat(folder, file, &at))
		return errno == ENOENT ? FILE_DONE : files_failed(errno, file);
	if (!S_ISREG(at.st_mode))
		return files_fail(FILE_EXISTS, "'%s/%s' is there, but is no regular file", folder->path, file);
	printf("%s", word);
	print_sizes(&at);
	return FILE_DONE;
}

int files_state(const struct files_call *call)
{
	char file[FILES_NAME_SIZE];
	volume_file(call->name, file);
	int code = state_of(&call->folder, file, "volume");
	if (code != FILE_DONE || call->operation == NULL)
		return code;
	pending_file(call->operation, call->name, file);
	return state_of(&call->folder, file, "pending");
}
