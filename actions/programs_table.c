#include "programs.h"

/* Apart from what reads it: a test may have a table of programs that misbehave (tests/hand). */

#define MINUTE (60 * SECOND)
#define KILOBYTES(n) ((n) * 1024u)
#define MEGABYTES(n) ((n) * 1024u * 1024u)

/* Debian 12 has /sbin as a link to /usr/sbin, unless it was upgraded from long ago. */
#define SBIN(name) {"/usr/sbin/" name, "/sbin/" name}
#define BIN(name) {"/usr/bin/" name, "/bin/" name}

const struct program_row program_table[PROGRAM_COUNT] = {
	[PROGRAM_LVM_REPORT] = {
		.name = "lvm", .paths = SBIN("lvm"), .lvm_lock = true,
		.words = "fullreport lvs vgs pvs lvmconfig version",
		.options = "--reportformat --units --nosuffix --config --options -o* --all -a* --binary "
		           "--noheadings --separator --unquoted --select -S* --readonly --nolocking "
		           "--driverloaded --configreport",
		.deadline = MINUTE, .output_max = MEGABYTES(16),
	},
	[PROGRAM_LVM_CHANGE] = {
		.name = "lvm", .paths = SBIN("lvm"), .lvm_lock = true, .finish = true,
		.words = "lvcreate lvextend lvrename lvremove lvchange lvconvert vgcreate vgextend vgchange "
		         "pvcreate pvresize",
		.options = "--config --size -L* --extents -l* --name -n* --type --thin -T* --thinpool "
		           "--virtualsize -V* --snapshot -s --poolmetadatasize --chunksize -c* "
		           "--yes -y --wipesignatures -W* --zero -Z* --activate -a* --permission -p* "
		           "--addtag --deltag --setactivationskip -k* --ignoreactivationskip -K "
		           "--autobackup -A* --driverloaded --noudevsync --discards --stripes -i* "
		           "--refresh --merge --monitor --force -f --physicalextentsize --nolocking "
		           "--reportformat --select -S*",
		.deadline = 5 * MINUTE, .output_max = KILOBYTES(64),
	},
	[PROGRAM_DRBD_STATUS] = {
		.name = "drbdadm", .paths = SBIN("drbdadm"),
		.words = "status role cstate dstate dump dump-xml get-gi show-gi sh-resources sh-dev sh-minor "
		         "sh-ll-dev sh-nop",
		.options = "--statistics --verbose -d",
		.deadline = 30 * SECOND, .output_max = MEGABYTES(4),
	},
	[PROGRAM_DRBD_CHANGE] = {
		.name = "drbdadm", .paths = SBIN("drbdadm"), .finish = true,
		.words = "up down connect disconnect primary secondary attach detach adjust create-md wipe-md "
		         "verify invalidate invalidate-remote resize pause-sync resume-sync "
		         "new-current-uuid wait-connect net-options disk-options",
		.options = "--discard-my-data --force --max-peers --clear-bitmap --assume-clean "
		           "--assume-peer-has-space --size --start --stop --verbose -d --wfc-timeout",
		.deadline = 2 * MINUTE, .output_max = KILOBYTES(64),
	},
	[PROGRAM_DRBD_SHOW] = {
		.name = "drbdsetup", .paths = SBIN("drbdsetup"),
		.words = "status show show-gi get-gi role cstate dstate events2",
		.options = "--now --statistics --verbose --timestamps --show-defaults --full",
		.deadline = 30 * SECOND, .output_max = MEGABYTES(4),
	},
	[PROGRAM_DRBD_EVENTS] = {
		.name = "drbdsetup", .paths = SBIN("drbdsetup"), .stream = true,
		.words = "events2", .options = "--statistics --timestamps --full",
	},
	[PROGRAM_DRBD_META] = {
		.name = "drbdmeta", .paths = SBIN("drbdmeta"),
		.words = "get-gi show-gi dstate dump-md", .word_at = 4, .options = "--node-id",
		.deadline = 30 * SECOND, .output_max = KILOBYTES(256),
	},
	[PROGRAM_KERNEL_LOG] = {
		.name = "kernel-log", .paths = {"essaim-kernel-log"}, .helper = true, .stream = true,
		.options = "",
	},
	[PROGRAM_DEVICES] = {
		.name = "dmsetup", .paths = SBIN("dmsetup"),
		.words = "ls info table status deps",
		.options = "--columns -c --noheadings --options -o* --separator --tree --target --noflush",
		.deadline = 30 * SECOND, .output_max = MEGABYTES(4),
	},
	[PROGRAM_MOUNTS] = {
		.name = "findmnt", .paths = BIN("findmnt"),
		.options = "--json -J --bytes -b --noheadings -n --output -o* --raw -r --pairs -P --list -l "
		           "--types -t* --source -S* --target -T* --mountpoint -M* --real --kernel",
		.deadline = 10 * SECOND, .output_max = MEGABYTES(1),
	},
	[PROGRAM_SIGNATURES] = {
		.name = "blkid", .paths = SBIN("blkid"),
		.options = "--probe -p --output -o* --match-tag -s* --match-token -t* --info -i",
		.deadline = 30 * SECOND, .output_max = KILOBYTES(256),
	},
	[PROGRAM_EXT_HEADER] = {
		.name = "dumpe2fs", .paths = SBIN("dumpe2fs"), .words = "-h", .options = "-h",
		.deadline = 30 * SECOND, .output_max = KILOBYTES(64),
	},
	[PROGRAM_EXT_MINIMUM] = {
		.name = "resize2fs", .paths = SBIN("resize2fs"), .words = "-P", .options = "-P",
		.deadline = MINUTE, .output_max = KILOBYTES(64),
	},
	[PROGRAM_XFS_INFO] = {
		.name = "xfs_info", .paths = SBIN("xfs_info"), .options = "",
		.deadline = 30 * SECOND, .output_max = KILOBYTES(64),
	},
	[PROGRAM_ZPOOL] = {
		.name = "zpool", .paths = SBIN("zpool"), .words = "list status", .options = "-H -p -P -o* -v -L",
		.deadline = 30 * SECOND, .output_max = MEGABYTES(1),
	},
	[PROGRAM_ZFS] = {
		.name = "zfs", .paths = SBIN("zfs"), .words = "list get", .options = "-H -p -r -o* -t* -d*",
		.deadline = 30 * SECOND, .output_max = MEGABYTES(4),
	},
	[PROGRAM_FILE] = {
		.name = "files", .paths = {"essaim-files"}, .helper = true, .finish = true, .options = "",
		.words = "probe mark unmark list state create copy place withdraw drop extend rename remove",
		.deadline = 10 * MINUTE, .output_max = MEGABYTES(1),
	},
	[PROGRAM_HOOK] = {
		.name = "hook", .input = true, .deadline = MINUTE, .output_max = KILOBYTES(64),
	},
};
