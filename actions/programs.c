#include "programs.h"

#include <string.h>

#define MINUTE (60 * SECOND)
#define KILOBYTES(n) ((n) * 1024u)
#define MEGABYTES(n) ((n) * 1024u * 1024u)

/* Debian 12 has /sbin as a link to /usr/sbin, unless it was upgraded from long ago. */
#define SBIN(name) {"/usr/sbin/" name, "/sbin/" name}
#define BIN(name) {"/usr/bin/" name, "/bin/" name}

static const struct program_row table[PROGRAM_COUNT] = {
	[PROGRAM_LVM_REPORT] = {
		.name = "lvm", .paths = SBIN("lvm"), .lvm_lock = true,
		.words = "fullreport lvs vgs pvs version",
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
		           "--reportformat",
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
		.words = "probe mark list create extend copy rename remove",
		.deadline = 10 * MINUTE, .output_max = MEGABYTES(1),
	},
	[PROGRAM_HOOK] = {
		.name = "hook", .input = true, .deadline = MINUTE, .output_max = KILOBYTES(64),
	},
};

const struct program_row *program_row(uint32_t program)
{
	return program > PROGRAM_NONE && program < PROGRAM_COUNT ? &table[program] : NULL;
}

const char *program_name(uint32_t program)
{
	const struct program_row *row = program_row(program);
	return row != NULL ? row->name : "?";
}

/* ---- lists with blanks ---- */

/* The next word of a list: its length, 0 at the end. */
static size_t next_word(const char **list)
{
	while (**list == ' ')
		(*list)++;
	const char *end = strchr(*list, ' ');
	return end != NULL ? (size_t)(end - *list) : strlen(*list);
}

static bool listed(const char *list, const char *word, size_t size)
{
	size_t length;
	for (; (length = next_word(&list)) > 0; list += length) {
		if (length == size && memcmp(list, word, size) == 0)
			return true;
	}
	return false;
}

/* Is it one of the options, alone, with =VALUE, or with what may follow its letter? */
static bool option_allowed(const char *options, const char *argument)
{
	const char *equals = strchr(argument, '=');
	bool lengthy = argument[1] == '-';
	size_t size = lengthy && equals != NULL ? (size_t)(equals - argument) : strlen(argument);
	if (listed(options, argument, size))
		return true;
	char open[] = {'-', argument[1], '*'};
	return !lengthy && argument[1] != '\0' && listed(options, open, sizeof open);
}

/* ---- names ---- */

static bool is_letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool made_of(const char *name, const char *more)
{
	size_t size = strlen(name);
	for (size_t i = 0; i < size; i++) {
		if (!is_letter_or_digit(name[i]) && strchr(more, name[i]) == NULL)
			return false;
	}
	return size > 0 && size <= 127 && name[0] != '-' && name[0] != '.';
}

bool program_hook_name(const char *name)
{
	return made_of(name, "-_");
}

bool program_volume_name(const char *name)
{
	return made_of(name, "-_.+");
}

/* ---- lvm's --config ---- */

static const char config_keys[] =
	"devices/filter devices/global_filter devices/use_devicesfile devices/scan_lvs "
	"devices/obtain_device_list_from_udev devices/multipath_component_detection "
	"devices/md_component_detection devices/fw_raid_component_detection devices/hints "
	"global/wait_for_locks activation/monitoring activation/udev_sync activation/udev_rules "
	"activation/verify_udev_operations activation/process_priority report/time_format";

/* A quoted text, from its first quote: its length, or 0 if it does not end or hides something. */
static size_t quoted_size(const char *text)
{
	size_t i = 1;
	while (text[i] != '\0' && text[i] != '"' && text[i] != '\\' && text[i] != '\n')
		i++;
	return text[i] == '"' ? i + 1 : 0;
}

/* A number, a quoted text, or a list of them in []: its length, or 0. */
static size_t value_size(const char *text)
{
	size_t i = 0, part;
	if (text[0] == '"')
		return quoted_size(text);
	if (text[0] != '[') {
		while (text[i] >= '0' && text[i] <= '9')
			i++;
		return i;
	}
	for (i = 1; text[i] == '"'; i += text[i] == ',') {
		part = quoted_size(text + i);
		if (part == 0)
			return 0;
		i += part;
	}
	return text[i] == ']' ? i + 1 : 0;
}

bool program_config_allowed(const char *config)
{
	for (;;) {
		const char *equals = strchr(config, '=');
		if (equals == NULL || !listed(config_keys, config, (size_t)(equals - config)))
			return false;
		size_t size = value_size(equals + 1);
		if (size == 0)
			return false;
		config = equals + 1 + size;
		if (config[0] == '\0')
			return true;
		if (config[0] != ' ')
			return false;
		while (config[0] == ' ')
			config++;
	}
}

/* ---- the check ---- */

/* Always false. */
static bool refuse(struct error *error, const struct program_row *row, const char *argument,
                   const char *why)
{
	return error_set(error, 0, "%s is not run with '%.80s': %s", row->name, argument, why) != 0;
}

/* The argument at `i`, if it holds the value of lvm's --config; else NULL. */
static const char *config_value(const char *const *arguments, uint32_t i)
{
	if (strncmp(arguments[i], "--config=", 9) == 0)
		return arguments[i] + 9;
	return i > 0 && strcmp(arguments[i - 1], "--config") == 0 ? arguments[i] : NULL;
}

static bool check_argument(const struct program_row *row, const char *const *arguments, uint32_t i,
                           struct error *error)
{
	const char *argument = arguments[i], *config = row->lvm_lock ? config_value(arguments, i) : NULL;
	if (row->options != NULL && argument[0] == '-' && !option_allowed(row->options, argument))
		return refuse(error, row, argument, "that option is not in the hand's table");
	if (config != NULL && !program_config_allowed(config))
		return refuse(error, row, argument, "that setting is not in the hand's table");
	return true;
}

static bool check_size(const struct program_row *row, uint32_t count, const char *const *arguments,
                       struct error *error)
{
	size_t bytes = 0;
	for (uint32_t i = 0; i < count && i < PROGRAM_ARGUMENTS_MAX; i++)
		bytes += strlen(arguments[i]) + 1;
	if (count <= PROGRAM_ARGUMENTS_MAX && bytes <= PROGRAM_ARGUMENTS_BYTES)
		return true;
	error_set(error, 0, "%s is run with at most %d arguments of %d bytes together", row->name,
	          PROGRAM_ARGUMENTS_MAX, PROGRAM_ARGUMENTS_BYTES);
	return false;
}

static bool check_word(const struct program_row *row, uint32_t count, const char *const *arguments,
                       struct error *error)
{
	const char *word = row->word_at < count ? arguments[row->word_at] : "";
	if (row->words == NULL || listed(row->words, word, strlen(word)))
		return true;
	return refuse(error, row, word, "that command is not in the hand's table");
}

bool program_check(uint32_t program, uint32_t count, const char *const *arguments,
                   struct error *error)
{
	const struct program_row *row = program_row(program);
	if (row == NULL)
		return error_set(error, 0, "program %u is not in the hand's table", program) != 0;
	if (!check_size(row, count, arguments, error) || !check_word(row, count, arguments, error))
		return false;
	if (program == PROGRAM_HOOK && (count == 0 || !program_hook_name(arguments[0])))
		return refuse(error, row, count == 0 ? "" : arguments[0],
		              "a hook is a file's name: letters, digits, '-' and '_'");
	for (uint32_t i = 0; i < count; i++) {
		if (!check_argument(row, arguments, i, error))
			return false;
	}
	return true;
}
