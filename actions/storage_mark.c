/*
 * storage_mark.c: the marker of a shared folder: read, then made, by one of its nodes.
 *
 * The plan leaves in the memo: folder=PATH if there is something to mark, id=… if the storage has one
 * already, adopt=yes if a marker that is there may be taken over. The first step adds id=… if it took one over
 * (else the id is the operation's own, storage_id_make, so the second step's probe knows its effect from
 * anybody else's), and there=yes if there is nothing left to mark: such a marker outlives a failed operation.
 */
#include <stdio.h>
#include <string.h>

#include "programs.h"
#include "storage_rows.h"

#define FOLDER "folder"
#define ADOPT "adopt"
#define FOUND "id"
#define THERE "there"

bool storage_mark_memo(char memo[OPERATION_MEMO_MAX + 1], const struct storage_row *row, bool adopt)
{
	static const struct storage_id none;
	char text[STORAGE_ID_TEXT];
	storage_id_text(&row->id, text);
	return memo_set(memo, FOLDER, row->path) && (!adopt || memo_set(memo, ADOPT, "yes")) &&
	       (memcmp(&row->id, &none, sizeof none) == 0 || memo_set(memo, FOUND, text));
}

node_id storage_marker_node(const struct engine_view *view, const struct storage_row *row, node_id from)
{
	struct engine_member member;
	node_id first = 0;
	for (uint32_t i = 0; view->member(view->context, i, &member); i++) {
		if (!storage_on(row, member.id) || member.state == UNREACHABLE || member.role == ROLE_WITNESS)
			continue;
		if (member.id == from)
			return from;
		first = first == 0 ? member.id : first;
	}
	return first;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool id_parse(const char *text, struct storage_id *out)
{
	for (size_t i = 0; i < STORAGE_ID_SIZE; i++) {
		int high = hex(text[2 * i]), low = high < 0 ? -1 : hex(text[2 * i + 1]);
		if (low < 0)
			return false;
		out->bytes[i] = (uint8_t)(high << 4 | low);
	}
	return text[STORAGE_ID_TEXT - 1] == '\0';
}

void storage_marked_id(const struct step_context *context, struct storage_id *out)
{
	char text[STORAGE_ID_TEXT];
	if (!memo_get(context->memo, FOUND, text, sizeof text) || !id_parse(text, out))
		storage_id_make(context->operation, out);
}

/* ---- both ---- */

static enum step_verdict check(const struct step_context *context, struct step_why *why)
{
	char folder[DEVICE_PATH_MAX + 1];
	return memo_get(context->memo, FOLDER, folder, sizeof folder) ? STEP_OK : STEP_SKIP;
}

static bool build(const struct step_context *context, const char *word, struct command_line *out)
{
	char folder[DEVICE_PATH_MAX + 1];
	out->program = PROGRAM_FILE;
	command_word(out, "%s", word);
	memo_get(context->memo, FOLDER, folder, sizeof folder);
	command_word(out, "%s", folder);
	return !out->overflow;
}

/* The tool's own last words, without the line's end. */
static enum step_verdict failed(const struct command_result *result, struct step_why *why, enum step_verdict verdict)
{
	int size = (int)(result->err.size < 300 ? result->err.size : 300);
	while (size > 0 && result->err.data[size - 1] == '\n')
		size--;
	if (size == 0)
		return verdict_why(why, verdict, "the helper for folders ended with %d", result->code);
	return verdict_why(why, verdict, "%.*s", size, (const char *)result->err.data);
}

/* The value of a line "marker ID"; "" if there is none. */
static void marker_of(struct bytes out, char marker[MARKER_ID_MAX + 1])
{
	const char *line = out.data == NULL ? NULL : strstr((const char *)out.data, "marker ");
	marker[0] = '\0';
	while (line != NULL && line != (const char *)out.data && line[-1] != '\n')
		line = strstr(line + 1, "marker ");
	if (line != NULL)
		snprintf(marker, MARKER_ID_MAX + 1, "%.*s", (int)strcspn(line + 7, " \n"), line + 7);
}

/* ---- reading it ---- */

static bool look(const struct step_context *context, struct command_line *out, struct step_why *why)
{
	return build(context, "probe", out);
}

static bool declared(const struct engine_view *view, const struct storage_id *id, struct storage_row *out)
{
	for (uint32_t cursor = 0; storage_next(view, &cursor, out);) {
		if (memcmp(&out->id, id, sizeof *id) == 0)
			return true;
	}
	return false;
}

static enum step_verdict looked(const struct step_context *context, const struct command_result *result,
                                struct step_why *why)
{
	char marker[MARKER_ID_MAX + 1], adopt[8];
	struct storage_id found, own;
	struct storage_row other;
	if (result->end != COMMAND_EXITED || result->code != FILE_DONE)
		return failed(result, why, STEP_FAILED);
	marker_of(result->out, marker);
	storage_marked_id(context, &own);
	if (marker[0] == '\0')
		return STEP_OK;
	if (id_parse(marker, &found) && memcmp(&found, &own, sizeof own) == 0) {
		memo_set(context->memo, THERE, "yes");
		return STEP_OK;
	}
	if (!id_parse(marker, &found))
		return verdict_why(why, STEP_FAILED, "its file " FILE_MARKER " holds no storage's id: look at it, and remove it");
	if (declared(context->view, &found, &other))
		return verdict_why(why, STEP_FAILED, "the folder is that of the storage '%s': essaim storage show %s",
		                   other.name, other.name);
	if (!memo_get(context->memo, ADOPT, adopt, sizeof adopt))
		return verdict_why(why, STEP_FAILED, "the folder is marked by a storage that is not declared here (%s): "
		                   "another cluster's, or one that was removed. --adopt takes it over", marker);
	memo_set(context->memo, FOUND, marker);
	memo_set(context->memo, THERE, "yes");
	return STEP_OK;
}

/* ---- making it ---- */

/* What was there before is not ours to take away again. */
static enum step_verdict check_absent(const struct step_context *context, struct step_why *why)
{
	char there[8];
	return memo_get(context->memo, THERE, there, sizeof there) ? STEP_SKIP : check(context, why);
}

static bool with_id(const struct step_context *context, const char *word, struct command_line *out)
{
	struct storage_id id;
	char text[STORAGE_ID_TEXT];
	storage_marked_id(context, &id);
	storage_id_text(&id, text);
	bool built = build(context, word, out);
	command_word(out, "%s", text);
	return built && !out->overflow;
}

static bool mark(const struct step_context *context, struct command_line *out, struct step_why *why)
{
	return with_id(context, "mark", out);
}

static bool unmark(const struct step_context *context, struct command_line *out, struct step_why *why)
{
	return with_id(context, "unmark", out);
}

/* Another's marker, or no folder: then ours is not there. */
static enum step_verdict unmarked(const struct step_context *context, const struct command_result *result,
                                  struct step_why *why)
{
	bool gone = result->code == FILE_DONE || result->code == FILE_EXISTS || result->code == FILE_MISSING;
	return result->end == COMMAND_EXITED && gone ? STEP_OK : failed(result, why, STEP_UNCERTAIN);
}

static enum step_verdict marked(const struct step_context *context, const struct command_result *result,
                                struct step_why *why)
{
	if (result->code == FILE_DONE)
		return STEP_OK;
	bool certain = result->code == FILE_EXISTS || result->code == FILE_MISSING;
	return failed(result, why, certain ? STEP_FAILED : STEP_UNCERTAIN);
}

static enum step_verdict is_marked(const struct step_context *context, const struct command_result *result,
                                   struct step_why *why)
{
	char marker[MARKER_ID_MAX + 1], text[STORAGE_ID_TEXT];
	struct storage_id id;
	if (result->code != FILE_DONE)
		return failed(result, why, STEP_UNCERTAIN);
	marker_of(result->out, marker);
	storage_marked_id(context, &id);
	storage_id_text(&id, text);
	return strcmp(marker, text) == 0 ? STEP_THERE : STEP_ABSENT;
}

const struct verb_step storage_mark_steps[STORAGE_MARK_STEPS] = {
	{.name = "look for a marker", .check = check, .act = {look, looked}, .timeout = 20 * SECOND,
	 .cancellable = true, .repeatable = true, .harmless = true},
	{.name = "mark the folder", .check = check_absent, .act = {mark, marked}, .probe = {look, is_marked},
	 .undo = {unmark, unmarked}, .timeout = 20 * SECOND},
};
