#include "programs.h"

#include <string.h>

const struct program_row *program_row(uint32_t program)
{
	return program > PROGRAM_NONE && program < PROGRAM_COUNT ? &program_table[program] : NULL;
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

bool program_hook_path(const char *path)
{
	static const char *const folders[] = {"before.d/", "after.d/", "run.d/"};
	for (uint32_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
		size_t size = strlen(folders[i]);
		if (strncmp(path, folders[i], size) == 0)
			return program_hook_name(path + size);
	}
	return false;
}

bool program_volume_name(const char *name)
{
	return made_of(name, "-_.+");
}

/* ---- lvm's --config ---- */

#define CONFIG_KEY_MAX 64

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

/* "KEY=VALUE KEY=VALUE…" up to `close` ('\0' or '}'): its length with that, or 0. `in`: "", "devices/" … */
static size_t settings_size(const char *text, const char *in, char close)
{
	const char *at = text;
	for (;;) {
		char key[CONFIG_KEY_MAX];
		const char *equals = strchr(at, '=');
		size_t length = equals != NULL ? (size_t)(equals - at) : 0;
		if (length == 0 || strlen(in) + length >= sizeof key)
			return 0;
		memcpy(key, in, strlen(in));
		memcpy(key + strlen(in), at, length);
		if (!listed(config_keys, key, strlen(in) + length))
			return 0;
		at += length + 1;
		size_t size = value_size(at);
		if (size == 0)
			return 0;
		at += size;
		if (at[0] == close)
			return (size_t)(at - text) + 1;
		if (at[0] != ' ')
			return 0;
		while (at[0] == ' ')
			at++;
	}
}

/* Two forms: "devices/filter=[…] activation/monitoring=0", and "devices{filter=[…] hints=\"none\"}". */
bool program_config_allowed(const char *config)
{
	static const char section[] = "devices{";
	size_t length = sizeof section - 1;
	if (strncmp(config, section, length) != 0)
		return settings_size(config, "", '\0') > 0;
	size_t size = settings_size(config + length, "devices/", '}');
	return size > 0 && config[length + size] == '\0';
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
	if (program == PROGRAM_HOOK && (count == 0 || !program_hook_path(arguments[0])))
		return refuse(error, row, count == 0 ? "" : arguments[0],
		              "a hook is a file of before.d, after.d or run.d: letters, digits, '-' and '_'");
	for (uint32_t i = 0; i < count; i++) {
		if (!check_argument(row, arguments, i, error))
			return false;
	}
	return true;
}
