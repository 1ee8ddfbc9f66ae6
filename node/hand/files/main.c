/*
 * main.c: the words of essaim-files; what each is given is checked here, whoever asks.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"

#define SECTOR 512 /* what disks are made of */
#define SIZE_MAX_BYTES (UINT64_C(1) << 60)

/* Behind the folder: n NAME, m NEW NAME, s SIZE, o OPERATION, O the same or nothing, i ID, z "sparse" or nothing. */
static const struct {
	const char *word, *wants;
	int (*perform)(const struct files_call *call);
} words[] = {
	{"probe", "", files_probe},      {"mark", "i", files_mark},      {"unmark", "i", files_unmark},
	{"list", "", files_list},        {"state", "nO", files_state},   {"create", "nsoz", files_create},
	{"copy", "nmo", files_copy},     {"place", "no", files_place},   {"withdraw", "no", files_withdraw},
	{"drop", "no", files_drop},      {"extend", "nsz", files_extend}, {"rename", "nm", files_rename},
	{"remove", "n", files_remove},
};

static bool take_name(const char *text, const char **out)
{
	*out = text;
	if (program_volume_name(text))
		return true;
	files_fail(FILE_USAGE, "'%.80s' is no volume's name: letters, digits and -_.+, at most 127", text);
	return false;
}

static bool take_size(const char *text, uint64_t *out)
{
	char *end;
	errno = 0;
	*out = strtoull(text, &end, 10);
	if (text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 && *out > 0 && *out <= SIZE_MAX_BYTES &&
	    *out % SECTOR == 0)
		return true;
	files_fail(FILE_USAGE, "'%.40s' is no size: bytes, a multiple of %d", text, SECTOR);
	return false;
}

static bool take_operation(const char *text, const char **out)
{
	size_t size = strspn(text, "0123456789");
	*out = text;
	if (size > 0 && size <= 20 && text[size] == '\0')
		return true;
	files_fail(FILE_USAGE, "'%.40s' is no operation's number", text);
	return false;
}

static bool take_id(const char *text, const char **out)
{
	size_t size = strspn(text, "0123456789abcdef");
	*out = text;
	if (size == 32 && text[size] == '\0')
		return true;
	files_fail(FILE_USAGE, "'%.40s' is no storage's id: 32 hexadecimal digits", text);
	return false;
}

static bool take_sparse(const char *text, bool *out)
{
	*out = strcmp(text, "sparse") == 0;
	if (!*out)
		files_fail(FILE_USAGE, "'%.40s' is not 'sparse'", text);
	return *out;
}

static bool take(char kind, const char *text, struct files_call *out)
{
	switch (kind) { /* letters, not an enum */
	case 'n': return take_name(text, &out->name);
	case 'm': return take_name(text, &out->new_name);
	case 's': return take_size(text, &out->size);
	case 'i': return take_id(text, &out->id);
	case 'z': return take_sparse(text, &out->sparse);
	default: return take_operation(text, &out->operation);
	}
}

static bool take_all(const char *wants, int count, char **given, struct files_call *out)
{
	int i = 0;
	for (; *wants != '\0'; wants++) {
		bool optional = *wants == 'O' || *wants == 'z';
		if (i == count && optional)
			break;
		if (i == count)
			return files_fail(FILE_USAGE, "something is missing behind the folder") == FILE_DONE;
		if (!take(*wants, given[i++], out))
			return false;
	}
	return i == count || files_fail(FILE_USAGE, "'%.40s' is too much", given[i]) == FILE_DONE;
}

static int perform(int argc, char **argv)
{
	struct files_call call = {.folder = {.fd = -1}};
	for (size_t i = 0; argc >= 3 && i < sizeof words / sizeof words[0]; i++) {
		if (strcmp(argv[1], words[i].word) != 0)
			continue;
		if (!take_all(words[i].wants, argc - 3, argv + 3, &call))
			return FILE_USAGE;
		int code = folder_open(argv[2], &call.folder);
		return code == FILE_DONE ? words[i].perform(&call) : code;
	}
	return files_fail(FILE_USAGE, "usage: essaim-files WORD FOLDER …: a helper of essaim-hand, see essaim-hand(8)");
}

int main(int argc, char **argv)
{
	int code = perform(argc, argv);
	/* An answer that did not come out whole is none. */
	if (fflush(stdout) != 0 && code == FILE_DONE)
		return files_failed(errno, "stdout");
	return code;
}
