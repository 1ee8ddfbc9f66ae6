/*
 * volume_files.c: the volumes' steps on the files of a folder, by essaim-files (programs.h has its words).
 */
#include <stdio.h>
#include <string.h>

#include "programs.h"
#include "volume_steps.h"

/* ---- shared by both kinds ---- */

uint64_t volume_memo_number(CONTEXT, const char *name)
{
	char text[24];
	uint64_t value = 0;
	if (!memo_get(context->memo, name, text, sizeof text))
		return 0;
	for (const char *at = text; *at >= '0' && *at <= '9'; at++)
		value = value * 10 + (uint64_t)(*at - '0');
	return value;
}

bool volume_memo_is(CONTEXT, const char *name, const char *value)
{
	char text[24];
	return memo_get(context->memo, name, text, sizeof text) && strcmp(text, value) == 0;
}

CHECK(volume_declared)
{
	char storage[NAME_MAX_SIZE + 1];
	struct storage_row row;
	if (memo_get(context->memo, "storage", storage, sizeof storage) && storage_find(context->view, storage, &row, NULL))
		return STEP_OK;
	return verdict_why(why, STEP_FAILED, "its storage is not declared any more");
}

enum step_verdict volume_failed(const struct command_result *result, struct step_why *why, enum step_verdict verdict)
{
	const char *text = result->err.size > 0 ? (const char *)result->err.data : "";
	size_t end = result->err.size, from;
	while (end > 0 && (text[end - 1] == '\n' || text[end - 1] == ' '))
		end--;
	for (from = end; from > 0 && text[from - 1] != '\n'; from--)
		;
	while (from < end && text[from] == ' ')
		from++;
	if (from == end)
		return verdict_why(why, verdict, "the tool ended with %d and said nothing", result->code);
	return verdict_why(why, verdict, "%.*s", (int)(end - from < 400 ? end - from : 400), text + from);
}

/* ---- words ---- */

CHECK(files_only)
{
	return volume_memo_is(context, "kind", "files") ? STEP_OK : STEP_SKIP;
}

static bool begin(CONTEXT, const char *word, const char *name, struct command_line *out)
{
	char path[DEVICE_PATH_MAX + 1] = "", volume[VOLUME_TITLE_MAX + 1] = "";
	out->program = PROGRAM_FILE;
	memo_get(context->memo, "path", path, sizeof path);
	memo_get(context->memo, name, volume, sizeof volume);
	command_word(out, "%s", word);
	command_word(out, "%s", path);
	command_word(out, "%s", volume);
	return path[0] == '/' && volume[0] != '\0';
}

static bool with_operation(CONTEXT, const char *word, const char *name, struct command_line *out)
{
	bool good = begin(context, word, name, out);
	command_word(out, "%llu", (unsigned long long)context->operation->number);
	return good;
}

static void size_word(CONTEXT, struct command_line *out)
{
	command_word(out, "%llu", (unsigned long long)volume_memo_number(context, "size"));
}

/* A snapshot's steps are about the new name, a new volume's about its own. */
static const char *made(CONTEXT)
{
	char text[VOLUME_TITLE_MAX + 1];
	return memo_get(context->memo, "new", text, sizeof text) ? "new" : "name";
}

JUDGE(files_done)
{
	if (result->end != COMMAND_EXITED)
		return volume_failed(result, why, STEP_UNCERTAIN);
	switch ((enum file_exit)result->code) {
	case FILE_DONE:
		return STEP_OK;
	case FILE_USAGE:
	case FILE_EXISTS:
	case FILE_MISSING:
	case FILE_IN_USE:
	case FILE_NO_ROOM:
		return volume_failed(result, why, STEP_FAILED);
	case FILE_FAILED:
	case FILE_STALE:
		break;
	}
	return volume_failed(result, why, STEP_UNCERTAIN);
}

/* ---- what `state` says ---- */

struct seen {
	bool there, pending;
	uint64_t size, inode;
};

static uint64_t field(const char *line, int number)
{
	uint64_t value = 0;
	while (number-- > 0 && (line = strchr(line, ' ')) != NULL)
		line++;
	for (; line != NULL && *line >= '0' && *line <= '9'; line++)
		value = value * 10 + (uint64_t)(*line - '0');
	return value;
}

static bool read_state(const struct command_result *result, struct seen *out)
{
	memset(out, 0, sizeof *out);
	if (result->end != COMMAND_EXITED || result->code != FILE_DONE || result->truncated)
		return false;
	const char *line = result->out.size > 0 ? (const char *)result->out.data : NULL;
	while (line != NULL && *line != '\0') {
		if (strncmp(line, "volume ", 7) == 0) {
			out->there = true;
			out->size = field(line, 1);
			out->inode = field(line, 4);
		}
		out->pending = out->pending || strncmp(line, "pending ", 8) == 0;
		line = strchr(line, '\n');
		line = line == NULL ? NULL : line + 1;
	}
	return true;
}

BUILD(files_state)
{
	return with_operation(context, "state", made(context), out);
}

BUILD(files_state_old)
{
	return with_operation(context, "state", "name", out);
}

BUILD(files_look)
{
	return begin(context, "state", "name", out);
}

JUDGE(files_looked)
{
	struct seen seen;
	char text[24];
	if (!read_state(result, &seen))
		return volume_failed(result, why, STEP_FAILED);
	if (!seen.there)
		return verdict_why(why, STEP_FAILED, "its file is not there any more: it was removed or renamed by hand");
	snprintf(text, sizeof text, "%llu", (unsigned long long)seen.inode);
	memo_set(context->memo, "inode", text);
	return STEP_OK;
}

/* ---- making ---- */

BUILD(files_make)
{
	bool good = begin(context, "create", "name", out);
	size_word(context, out);
	command_word(out, "%llu", (unsigned long long)context->operation->number);
	if (volume_memo_is(context, "sparse", "yes"))
		command_word(out, "sparse");
	return good;
}

BUILD(files_copy)
{
	char name[VOLUME_TITLE_MAX + 1] = "";
	bool good = begin(context, "copy", "name", out) && memo_get(context->memo, "new", name, sizeof name);
	command_word(out, "%s", name);
	command_word(out, "%llu", (unsigned long long)context->operation->number);
	return good;
}

JUDGE(files_is_pending)
{
	struct seen seen;
	if (!read_state(result, &seen))
		return volume_failed(result, why, STEP_UNCERTAIN);
	return seen.pending ? STEP_THERE : STEP_ABSENT;
}

BUILD(files_drop)
{
	return with_operation(context, "drop", made(context), out);
}

BUILD(files_place)
{
	return with_operation(context, "place", made(context), out);
}

JUDGE(files_is_placed)
{
	struct seen seen;
	if (!read_state(result, &seen))
		return volume_failed(result, why, STEP_UNCERTAIN);
	return seen.there && !seen.pending ? STEP_THERE : STEP_ABSENT;
}

BUILD(files_withdraw)
{
	return with_operation(context, "withdraw", made(context), out);
}

/* ---- growing ---- */

BUILD(files_grow)
{
	bool good = begin(context, "extend", "name", out);
	size_word(context, out);
	if (volume_memo_is(context, "sparse", "yes"))
		command_word(out, "sparse");
	return good;
}

JUDGE(files_has_size)
{
	struct seen seen;
	if (!read_state(result, &seen))
		return volume_failed(result, why, STEP_UNCERTAIN);
	return seen.there && seen.size >= volume_memo_number(context, "size") ? STEP_THERE : STEP_ABSENT;
}

/* ---- renaming: the file is known again by its inode ---- */

static bool rename_words(CONTEXT, const char *from, const char *to, struct command_line *out)
{
	char name[VOLUME_TITLE_MAX + 1] = "";
	bool good = begin(context, "rename", from, out) && memo_get(context->memo, to, name, sizeof name);
	command_word(out, "%s", name);
	return good;
}

BUILD(files_rename)
{
	return rename_words(context, "name", "new", out);
}

BUILD(files_rename_back)
{
	return rename_words(context, "new", "name", out);
}

JUDGE(files_is_renamed)
{
	struct seen seen;
	if (!read_state(result, &seen))
		return volume_failed(result, why, STEP_UNCERTAIN);
	return seen.there && seen.inode == volume_memo_number(context, "inode") ? STEP_THERE : STEP_ABSENT;
}

/* ---- removing ---- */

BUILD(files_take)
{
	return with_operation(context, "withdraw", "name", out);
}

JUDGE(files_is_taken)
{
	return files_is_pending(context, result, why);
}

BUILD(files_give_back)
{
	return with_operation(context, "place", "name", out);
}

BUILD(files_forget)
{
	return with_operation(context, "drop", "name", out);
}

JUDGE(files_is_gone)
{
	struct seen seen;
	if (!read_state(result, &seen))
		return volume_failed(result, why, STEP_UNCERTAIN);
	return seen.pending ? STEP_ABSENT : STEP_THERE;
}
