/*
 * verb.c: looking verbs up, checking their arguments, and what steps use to say what they want.
 */
#include "verb.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

bool view_member_by_id(const struct engine_view *view, node_id id, struct engine_member *out)
{
	for (uint32_t i = 0; view->member(view->context, i, out); i++) {
		if (out->id == id)
			return true;
	}
	return false;
}

bool view_member_by_name(const struct engine_view *view, const char *name,
                         struct engine_member *out)
{
	for (uint32_t i = 0; view->member(view->context, i, out); i++) {
		if (!strcmp(out->name, name))
			return true;
	}
	return false;
}

void command_word(struct command_line *command, const char *format, ...)
{
	size_t room = sizeof(command->text) - command->text_size;
	char *text = command->text + command->text_size;
	va_list list;
	va_start(list, format);
	int size = vsnprintf(text, room, format, list);
	va_end(list);
	if (size < 0 || (size_t)size >= room || command->word_count >= COMMAND_WORDS_MAX) {
		command->overflow = true;
		return;
	}
	command->words[command->word_count++] = text;
	command->text_size += (uint32_t)size + 1;
}

enum step_verdict verdict_why(struct step_why *why, enum step_verdict verdict, const char *format,
                              ...)
{
	va_list list;
	va_start(list, format);
	vsnprintf(why->text, sizeof(why->text), format, list);
	va_end(list);
	return verdict;
}

void say(char *out, size_t size, const char *format, ...)
{
	va_list list;
	va_start(list, format);
	vsnprintf(out, size, format, list);
	va_end(list);
}

void say_more(char *out, size_t size, const char *more)
{
	size_t used = strlen(out);
	if (*more)
		say(out + used, size - used, "%s%s", used ? "; " : "", more);
}

const char *step_argument(const struct step_context *context, const char *name)
{
	return arguments_get(&context->operation->arguments, name);
}

struct bytes changes_keep(struct verb_changes *changes, struct bytes in)
{
	if (in.size > sizeof(changes->memory) - changes->used)
		return (struct bytes){NULL, 0};
	uint8_t *copy = changes->memory + changes->used;
	if (in.size)
		memcpy(copy, in.data, in.size);
	changes->used += (uint32_t)in.size;
	return (struct bytes){copy, in.size};
}

const struct verb *verb_find(const struct verb_table *table, const char *noun, const char *verb)
{
	for (uint32_t i = 0; i < table->count; i++) {
		if (!strcmp(table->list[i]->noun, noun) && !strcmp(table->list[i]->verb, verb))
			return table->list[i];
	}
	return NULL;
}

/* ---- arguments ---- */

bool verb_size(const char *text, uint64_t *out_bytes)
{
	static const char units[] = "BKMGTP";
	uint64_t value = 0;
	size_t at = 0;
	for (; text[at] >= '0' && text[at] <= '9'; at++) {
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(text[at] - '0'), &value))
			return false;
	}
	const char *unit = text[at] ? strchr(units, text[at] & ~0x20) : NULL;
	if (at == 0 || !unit || text[at + 1])
		return false;
	int shift = 10 * (int)(unit - units);
	if (value > UINT64_MAX >> shift)
		return false;
	*out_bytes = value << shift;
	return true;
}

static bool is_name(const char *text)
{
	size_t size = 0;
	for (; text[size]; size++) {
		char c = text[size];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      c == '.' || c == '_' || c == '+' || c == '-'))
			return false;
	}
	return size && size <= OPERATION_SUBJECT_MAX && *text != '-' && *text != '.';
}

/* Is `value` of that kind? Else why not. */
static bool of_kind(const struct verb_argument *argument, const struct engine_view *view,
                    const char *value, struct step_why *why)
{
	struct engine_member member;
	struct error error;
	duration length;
	uint64_t size;
	switch (argument->kind) {
	case ARGUMENT_TEXT:
		return true;
	case ARGUMENT_FLAG:
		if (!*value || !strcmp(value, "yes"))
			return true;
		verdict_why(why, STEP_FAILED, "'--%s' takes no value", argument->name);
		return false;
	case ARGUMENT_NAME:
		if (is_name(value))
			return true;
		verdict_why(
		    why, STEP_FAILED,
		    "'%s' is no name: letters, digits and ._+- are, not beginning with - or .",
		    value);
		return false;
	case ARGUMENT_NODE:
		if (view_member_by_name(view, value, &member))
			return true;
		verdict_why(why, STEP_FAILED,
		            "no member is called '%s': essaim node list shows them", value);
		return false;
	case ARGUMENT_SIZE:
		if (verb_size(value, &size))
			return true;
		verdict_why(why, STEP_FAILED, "'%s' is no size: 20G, 512M or bytes as 1048576B are",
		            value);
		return false;
	case ARGUMENT_DURATION:
		if (duration_parse(value, &length, &error) == 0)
			return true;
		verdict_why(why, STEP_FAILED, "%s", error.text);
		return false;
	}
	return false;
}

static const struct verb_argument *argument_find(const struct verb *verb, const char *name)
{
	for (uint32_t i = 0; i < verb->argument_count; i++) {
		if (!strcmp(verb->arguments[i].name, name))
			return &verb->arguments[i];
	}
	return NULL;
}

int verb_arguments_check(const struct verb *verb, const struct engine_view *view,
                         const struct arguments *arguments, struct step_why *why)
{
	char name[NAME_MAX_SIZE + 1];
	const char *value;
	for (uint32_t cursor = 0; arguments_next(arguments, &cursor, name, &value);) {
		const struct verb_argument *argument = argument_find(verb, name);
		if (!argument) {
			verdict_why(why, STEP_FAILED, "'%s %s' knows no argument '%s'", verb->noun,
			            verb->verb, name);
			return -EINVAL;
		}
		if (!of_kind(argument, view, value, why))
			return -EINVAL;
	}
	for (uint32_t i = 0; i < verb->argument_count; i++) {
		if (verb->arguments[i].required &&
		    !arguments_get(arguments, verb->arguments[i].name)) {
			verdict_why(why, STEP_FAILED, "'%s %s' needs '%s'", verb->noun, verb->verb,
			            verb->arguments[i].name);
			return -EINVAL;
		}
	}
	return 0;
}
