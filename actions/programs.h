/*
 * programs.h: the fixed table of what the hand may run for the daemon, and with which arguments.
 *
 *     engine, observers --{program, arguments}--> hand --program_check--> exec (never a shell)
 *
 * A program is asked for by its number in this table, never by a path. The arguments are what
 * follows the program's name: `{"lvcreate", "-L", "1073741824b", …}` for PROGRAM_LVM_CHANGE.
 *
 * Invariants
 *   1. Both sides check with the same function; the hand's answer is the one that counts, as the
 *      daemon reads the network and may have been taken over.
 *   2. An argument that begins with '-' is let through only if the row names that option. Most tools
 *      here have options that name a file to execute, read as configuration or write to as root
 *      (lvm --config 'global/…_executable=…', drbdadm -c FILE), and take them abbreviated too.
 *   3. lvm's --config may set only how devices are looked for, and how udev and monitoring are met.
 *   4. A helper is a program of ours beside the hand's own: for what no tool does, or for a library
 *      that blocks. Each job has a process of its own.
 */
#ifndef ESSAIM_PROGRAMS_H
#define ESSAIM_PROGRAMS_H

#include "error.h"
#include "words.h"

/* Daemon and hand may be of two releases for a moment: numbers are never reused, only added. */
enum program {
	PROGRAM_NONE,
	PROGRAM_LVM_REPORT,     /* lvm fullreport | lvs | vgs | pvs | version | lvmconfig */
	PROGRAM_LVM_CHANGE,     /* lvm lvcreate | lvextend | lvrename | lvremove | … */
	PROGRAM_DRBD_STATUS,    /* drbdadm status | dump-xml | get-gi | … */
	PROGRAM_DRBD_CHANGE,    /* drbdadm up | down | connect | primary | … */
	PROGRAM_DRBD_SHOW,      /* drbdsetup status | show | show-gi | events2 --now */
	PROGRAM_DRBD_EVENTS,    /* drbdsetup events2: a stream without end */
	PROGRAM_DRBD_META,      /* drbdmeta MINOR FORMAT DEVICE INDEX get-gi | show-gi | dstate | dump-md */
	PROGRAM_KERNEL_LOG,     /* helper: what the kernel says of drbd, a stream without end */
	PROGRAM_DEVICES,        /* dmsetup ls | info | table | status | deps: reads only */
	PROGRAM_MOUNTS,         /* findmnt */
	PROGRAM_SIGNATURES,     /* blkid: what lies on a device */
	PROGRAM_EXT_HEADER,     /* dumpe2fs -h DEVICE */
	PROGRAM_EXT_MINIMUM,    /* resize2fs -P DEVICE: how small it could be; changes nothing */
	PROGRAM_XFS_INFO,       /* xfs_info PATH */
	PROGRAM_ZPOOL,          /* zpool list | status */
	PROGRAM_ZFS,            /* zfs list | get */
	PROGRAM_FILE,           /* helper: a folder's volumes, see below */
	PROGRAM_HOOK,           /* an executable of the administrator: before.d/NAME, after.d/NAME, run.d/NAME */
	PROGRAM_COUNT
};

/*
 * The words of PROGRAM_FILE (node/hand/files/). FOLDER is absolute and reached without a symbolic link; the
 * volume NAME is the regular file NAME.raw in it. No other file is ever touched, but the marker
 * (".essaim-storage") and what an operation has not finished (".essaim-OPERATION-NAME.raw"). SIZE is in bytes,
 * a multiple of 512; OPERATION is decimal; ID is 32 hexadecimal digits. Each exits with one of enum file_exit,
 * with a sentence on stderr unless it is FILE_DONE; what changed names or bytes is on the disk by then.
 *
 *     probe FOLDER                       lines "KEY VALUE": mounted yes|no (FOLDER itself is a mount point),
 *                                        type (ext4, nfs4 …), source (what is mounted), device MAJOR:MINOR, size,
 *                                        free, writable yes|no WHY (by writing), marker ID|? (absent: none)
 *     mark FOLDER ID                     makes the marker; FILE_EXISTS if it has another id
 *     unmark FOLDER ID                   takes it away; FILE_EXISTS if it has another id; none is fine
 *     list FOLDER                        by name: "volume NAME SIZE ALLOCATED MTIME INODE",
 *                                        "pending NAME OPERATION SIZE ALLOCATED MTIME INODE"; at most 4096, "more N"
 *     state FOLDER NAME [OPERATION]      "volume SIZE ALLOCATED MTIME INODE" if there is one; with OPERATION also
 *                                        "pending SIZE ALLOCATED MTIME INODE" if it has left or made one
 *     create FOLDER NAME SIZE OPERATION [sparse]
 *                                        pending; allocated unless sparse. FILE_EXISTS if NAME is there
 *     copy FOLDER NAME NEW OPERATION     pending NEW: shared blocks where the file system can, else a whole copy,
 *                                        which is FILE_IN_USE if NAME is open
 *     place FOLDER NAME OPERATION        pending -> volume; FILE_EXISTS if there is one, FILE_MISSING: not pending
 *     withdraw FOLDER NAME OPERATION     volume -> pending; FILE_IN_USE
 *     drop FOLDER NAME OPERATION         pending -> gone; none is fine
 *     extend FOLDER NAME SIZE [sparse]   never shrinks; the size that it has already is fine; may be in use
 *     rename FOLDER NAME NEW             FILE_EXISTS, FILE_IN_USE
 *     remove FOLDER NAME                 FILE_IN_USE
 *
 * So a volume is made by two steps, and both have a probe that cannot mistake another's work for their own:
 * `create` is done if `state` tells of a pending one (undo: drop), `place` if it tells of a volume and of none
 * that is pending (undo: withdraw, whose effect is that it is pending again). A crash-proof removal is
 * withdraw and drop.
 */
enum file_exit {
	FILE_DONE = 0,
	FILE_FAILED = 1, /* nothing was changed, or it cannot be known: the sentence says what the system said */
	FILE_USAGE = 2,
	FILE_EXISTS = 3,
	FILE_MISSING = 4,
	FILE_IN_USE = 5,
	FILE_NO_ROOM = 6,
	FILE_STALE = 7 /* the file system is gone from below: a dead NFS server, a broken disk */
};

#define FILE_VOLUME_SUFFIX ".raw"
#define FILE_MARKER ".essaim-storage"

#define PROGRAM_PATHS_MAX 3
#define PROGRAM_ARGUMENTS_MAX 64     /* after the program's name */
#define PROGRAM_ARGUMENTS_BYTES 16384 /* all of them, with a NUL each */
#define PROGRAM_INPUT_MAX 32768      /* what it may read on stdin */
#define PROGRAM_DEADLINE_MAX (24 * 3600 * SECOND)
#define PROGRAM_OUTPUT_MAX (64u * 1024 * 1024)

struct program_row {
	const char *name;                     /* "lvm": for people, and its argv[0] */
	const char *paths[PROGRAM_PATHS_MAX]; /* the first that exists; none: a hook */
	const char *words;                    /* allowed commands, with a blank between; NULL: none needed */
	uint32_t word_at;                     /* which argument is the command */
	const char *options; /* allowed; "--size" exactly or with =VALUE, "-L*" whatever follows the L */
	bool helper;         /* paths[0] is a file beside the hand itself */
	bool lvm_lock;       /* one such child at a time */
	bool finish;         /* it changes something: let it end by itself when the daemon dies */
	bool stream;         /* no deadline, output without end: handed over as it comes */
	bool input;          /* does it get what the daemon gives for stdin? */
	duration deadline;   /* if none is asked for; 0: stream */
	uint32_t output_max; /* of stdout, if none is asked for; stderr always has PROGRAM_ERROR_MAX */
};

#define PROGRAM_ERROR_MAX 16384

extern const struct program_row program_table[PROGRAM_COUNT];

/* NULL: not in the table. */
const struct program_row *program_row(uint32_t program);
const char *program_name(uint32_t program); /* "?" if it is not in the table */

/* May it be run with these arguments? If not, a sentence says why. */
bool program_check(uint32_t program, uint32_t count, const char *const *arguments,
                   struct error *error);

/* The parts of it, for tests and for whoever makes arguments. */
bool program_config_allowed(const char *config); /* the value of lvm's --config */
bool program_hook_name(const char *name);        /* letters, digits, - and _; not in a sub-folder */
bool program_hook_path(const char *path);        /* before.d/NAME, after.d/NAME or run.d/NAME */
bool program_volume_name(const char *name);      /* letters, digits, - _ . +; not first a . or - */

#endif
