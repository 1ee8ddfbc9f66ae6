/*
 * engine_legs.c: an operation's steps are its verb's, with the hooks before and after them; a leg
 * is a run of them with one target.
 *
 * A hook is any executable of the administrator's: it reads the operation as JSON, and the one
 * before may refuse. After a crash it may be run again, so it must bear that.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "engine_inside.h"

/* ---- the hooks' steps ---- */

static void json_text(struct command_line *command, const char *text, const char *end)
{
	size_t at = command->input_size, room = sizeof(command->input);
	for (; *text && at + 10 < room; text++) {
		uint8_t c = (uint8_t)*text;
		if (c == '"' || c == '\\')
			at += (size_t)snprintf(command->input + at, room - at, "\\%c", c);
		else if (c < 0x20)
			at += (size_t)snprintf(command->input + at, room - at, "\\u%04x", c);
		else
			command->input[at++] = (char)c;
	}
	if (*text || at + strlen(end) >= room) {
		command->overflow = true;
		return;
	}
	memcpy(command->input + at, end, strlen(end));
	command->input_size = (uint32_t)(at + strlen(end));
}

/* Plain JSON of ours, needing no escapes. */
static void json(struct command_line *command, const char *text)
{
	json_text(command, "", text);
}

static void json_operation(const struct operation_row *row, const char *when,
                           struct command_line *command)
{
	char number[64];
	snprintf(number, sizeof(number), "{\"operation\":%llu,\"when\":\"%s\",\"noun\":\"",
	         (unsigned long long)row->number, when);
	json(command, number);
	json_text(command, row->noun, "\",\"verb\":\"");
	json_text(command, row->verb, "\",\"subject\":\"");
	json_text(command, row->subject, "\",\"who\":\"");
	json_text(command, row->who, "\",\"arguments\":{");
	char name[NAME_MAX_SIZE + 1];
	const char *value;
	const char *before = "\"";
	for (uint32_t cursor = 0; arguments_next(&row->arguments, &cursor, name, &value);) {
		json(command, before);
		json_text(command, name, "\":\"");
		json_text(command, value, "\"");
		before = ",\"";
	}
	json(command, "}}\n");
}

static bool hook_build(const struct step_context *context, struct command_line *out,
                       const char *when)
{
	out->program = context->hook_program;
	command_word(out, "%s", when);
	command_word(out, "%s-%s", context->operation->noun, context->operation->verb);
	json_operation(context->operation, when, out);
	return true;
}

static bool before_build(const struct step_context *context, struct command_line *out,
                         struct step_why *why)
{
	return hook_build(context, out, "before");
}

static bool after_build(const struct step_context *context, struct command_line *out,
                        struct step_why *why)
{
	return hook_build(context, out, "after");
}

static void hook_words(const struct command_result *result, const char *what, struct step_why *why)
{
	size_t size = result->err.size < 400 ? result->err.size : 400;
	while (size && (result->err.data[size - 1] == '\n' || result->err.data[size - 1] == ' '))
		size--;
	verdict_why(why, STEP_FAILED, "%s (exit %d): %.*s", what, result->code, (int)size,
	            size ? (const char *)result->err.data : "");
}

static enum step_verdict before_judge(const struct step_context *context,
                                      const struct command_result *result, struct step_why *why)
{
	if (result->code == 0)
		return STEP_OK;
	hook_words(result, "a hook refused", why);
	return STEP_FAILED;
}

/* What is done is done: a hook after it can only be told about. */
static enum step_verdict after_judge(const struct step_context *context,
                                     const struct command_result *result, struct step_why *why)
{
	if (result->code)
		hook_words(result, "done, but a hook after it failed", why);
	return STEP_OK;
}

static bool hooked(const struct step_context *context, bool after)
{
	const struct engine_view *view = context->view;
	return context->hook_program && view->hooked &&
	       view->hooked(view->context, context->operation->noun, context->operation->verb,
	                    after);
}

static enum step_verdict before_check(const struct step_context *context, struct step_why *why)
{
	return hooked(context, false) ? STEP_OK : STEP_SKIP;
}

static enum step_verdict after_check(const struct step_context *context, struct step_why *why)
{
	return hooked(context, true) ? STEP_OK : STEP_SKIP;
}

static const struct verb_step hook_before = {
    .name = "hooks before",
    .check = before_check,
    .act = {before_build, before_judge},
    .cancellable = true,
    .repeatable = true,
    .harmless = true,
};
static const struct verb_step hook_after = {
    .name = "hooks after",
    .check = after_check,
    .act = {after_build, after_judge},
    .repeatable = true,
    .harmless = true,
};

/* ---- steps and legs ---- */

uint32_t verb_step_count(const struct verb *verb)
{
	return verb->step_count + 2;
}

const struct verb_step *step_at(const struct verb *verb, uint32_t index)
{
	assert(index < verb_step_count(verb));
	if (index == 0)
		return &hook_before;
	return index <= verb->step_count ? &verb->steps[index - 1] : &hook_after;
}

/* The hooks run where the verb's first and last steps do. */
static uint32_t where_of(const struct verb *verb, uint32_t index)
{
	if (index == 0)
		index = 1;
	if (index > verb->step_count)
		index = verb->step_count;
	return verb->steps[index - 1].where;
}

struct leg leg_of(const struct verb *verb, const struct operation_row *row)
{
	struct leg leg = {row->step, row->step, 0, row->undoing};
	if (row->undoing) {
		leg.where = where_of(verb, leg.to - 1);
		while (leg.from > 0 && where_of(verb, leg.from - 1) == leg.where)
			leg.from--;
	} else {
		leg.where = where_of(verb, leg.from);
		while (leg.to < verb_step_count(verb) && where_of(verb, leg.to) == leg.where)
			leg.to++;
	}
	return leg;
}
