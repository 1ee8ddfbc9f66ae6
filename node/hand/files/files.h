/*
 * files.h: essaim-files, a helper of the hand: the volumes of one folder, and the marker in it.
 *
 *     essaim-files WORD FOLDER …          (the words: actions/programs.h)
 *
 *     create, copy --> .essaim-OPERATION-NAME.raw --place--> NAME.raw --withdraw--> back --drop--> gone
 *
 * Invariants
 *   1. The folder is opened once, without a symbolic link on the way; everything after is named from there,
 *      by a name without '/', and never followed. What is no regular file is not touched.
 *   2. Nothing is ever replaced: a name is given by renameat2(NOREPLACE), or by link(2) where there is no such.
 *   3. A volume is whole, and on the disk, before it has its name. What is not whole has its operation's number.
 *   4. Only `extend` changes a volume's bytes, and only behind its end.
 */
#ifndef ESSAIM_FILES_H
#define ESSAIM_FILES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "programs.h"

#define FILES_NAME_SIZE 192 /* of the longest name we make, with its NUL */
#define FILES_PENDING ".essaim-"

struct folder {
	int fd;
	const char *path;
};

/* One call's words, checked. */
struct files_call {
	struct folder folder;
	const char *name, *new_name, *operation, *id;
	uint64_t size;
	bool sparse;
};

/* A sentence on stderr (printf form); returns `code`. */
int files_fail(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same for an errno of `what` (a file's name): the exit code follows from it. */
int files_failed(int error, const char *what);

/* ---- folder.c ---- */

int folder_open(const char *path, struct folder *out); /* FILE_DONE, or why not */
void volume_file(const char *name, char out[FILES_NAME_SIZE]);
void pending_file(const char *operation, const char *name, char out[FILES_NAME_SIZE]);
/* False: errno says why not. */
bool folder_stat(const struct folder *folder, const char *file, struct stat *out);
/* A descriptor; negative errno. Neither links, devices, pipes nor what is mounted over the file. */
int folder_open_file(const struct folder *folder, const char *file, int flags);
int folder_make_file(const struct folder *folder, const char *file);
/* 0 or -errno. From one name to another, where nothing is yet. */
int folder_rename(const struct folder *folder, const char *from, const char *to);
/* Whatever was done to names is on the disk: 0 or -errno. */
int folder_settle(const struct folder *folder);

/* ---- in_use.c ---- */

/*
 * Is that file open anywhere on this machine, or mapped by a loop device? While `fd` stays open nobody
 * can open it unnoticed where the file system has leases. On NFS only this machine is known of.
 */
bool file_in_use(int fd, const struct stat *file);

/* ---- room.c ---- */

/* Room from `from` to `to`, behind which the file then ends; 0 or -errno, and then it is as it was. */
int room_allocate(int fd, uint64_t from, uint64_t to);
/* 0 or -errno. Holes stay holes. */
int room_copy(int from, int to, uint64_t size);
/* Says how much is missing if so much is not free; FILE_DONE, FILE_NO_ROOM. */
int room_check(int fd, uint64_t more);

/* ---- the words ---- */

int files_probe(const struct files_call *call);
int files_mark(const struct files_call *call);
int files_unmark(const struct files_call *call);
int files_list(const struct files_call *call);
int files_state(const struct files_call *call);
int files_create(const struct files_call *call);
int files_copy(const struct files_call *call);
int files_place(const struct files_call *call);
int files_withdraw(const struct files_call *call);
int files_drop(const struct files_call *call);
int files_extend(const struct files_call *call);
int files_rename(const struct files_call *call);
int files_remove(const struct files_call *call);

/* The marker's text: "" none, "?" something that is no id. False: it cannot be read; errno. */
bool marker_read(const struct folder *folder, char out[64]);

#endif
