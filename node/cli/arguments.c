#include "arguments.h"
#include "nearest.h"
#include "text.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define OPTION_NAMES_MAX 16

bool word_is_option(const struct words *words, int i)
{
	const char *word = words->list[i];
	return i < words->literal && (strncmp(word, "--", 2) == 0 || strcmp(word, "-h") == 0);
}

/* The value behind "--name=" or NULL; `out_size` is the length of the name without dashes. */
static const char *split(const char *word, size_t *out_size)
{
	const char *equals = strchr(word, '=');
	*out_size = equals ? (size_t)(equals - word) - 2 : strlen(word) - 2;
	return equals ? equals + 1 : NULL;
}

static const struct option *option_find(const struct option *options, const char *word)
{
	size_t size;
	if (strcmp(word, "-h") == 0)
		word = "--help";
	split(word, &size);
	for (const struct option *o = options; o->name != NULL; o++)
		if (strlen(o->name) == size && strncmp(o->name, word + 2, size) == 0)
			return o;
	return NULL;
}

static int usage_error(struct failure *f, const struct command *command, const char *what,
		       const char *why)
{
	failure_set(f, CODE_USAGE, what, why);
	if (command == NULL) {
		failure_hint(f, "essaim help");
	} else {
		char name[64];
		command_name(command, name, sizeof name);
		failure_hint(f, "essaim help %s", name);
	}
	return CODE_USAGE;
}

static int bad_option(struct failure *f, const struct command *command, const struct option *o,
		      const char *why)
{
	char what[128];
	snprintf(what, sizeof what, "option '--%s'", o->name);
	return usage_error(f, command, what, why);
}

/*
 * The value of the option at *i, which moves to its last word. A flag's is "". NULL with *f filled
 * if it is missing, or given to a flag.
 */
static const char *option_take(const struct words *words, int *i, const struct command *command,
			       const struct option *o, struct failure *f)
{
	size_t size;
	const char *value = split(words->list[*i], &size);
	if (o->kind == OPTION_FLAG || o->kind == OPTION_WORD) {
		if (value == NULL)
			return "";
		bad_option(f, command, o, "takes no value");
		return NULL;
	}
	if (value != NULL)
		return value;
	if (*i + 1 < words->count && !word_is_option(words, *i + 1) && *i + 1 != words->literal)
		return words->list[++*i];
	char why[128];
	snprintf(why, sizeof why, "needs a value: --%s %s", o->name, o->value);
	bad_option(f, command, o, why);
	return NULL;
}

static int parse_milliseconds(const char *text, int64_t *out, struct failure *f,
			      const struct command *command, const struct option *o)
{
	struct error error;
	duration parsed;
	if (duration_parse(text, &parsed, &error) != 0)
		return bad_option(f, command, o, error.text);
	if (parsed < MILLISECOND)
		return bad_option(f, command, o, "must be at least 1ms");
	*out = parsed / MILLISECOND;
	return 0;
}

/* ---- global options ---- */

static int global_set(struct globals *g, const struct option *o, const char *value,
		      struct failure *f)
{
	int64_t ms;
	if (strcmp(o->name, "socket") == 0) {
		g->socket = value;
	} else if (strcmp(o->name, "timeout") == 0) {
		if (parse_milliseconds(value, &ms, f, NULL, o) != 0)
			return CODE_USAGE;
		/* A day is for ever here, and fits poll(2). */
		g->timeout_ms = ms > 86400000 ? 86400000 : (int)ms;
	} else if (strcmp(o->name, "help") == 0) {
		g->help = true;
	} else if (strcmp(o->name, "version") == 0) {
		g->version = true;
	}
	return 0;
}

static void globals_default(struct globals *g)
{
	const char *socket = getenv("ESSAIM_SOCKET");
	struct failure ignored;
	*g = (struct globals){.socket = socket != NULL && *socket ? socket : NULL};
	for (const struct option *o = global_options; o->name != NULL; o++) {
		bool set = strcmp(o->name, "socket") == 0 && g->socket != NULL;
		if (o->fallback != NULL && !set)
			global_set(g, o, o->fallback, &ignored);
	}
}

/* "--" itself goes; what stood behind it is literal. */
static void find_literal(struct words *words)
{
	words->literal = words->count;
	for (int i = 0; i < words->count; i++) {
		if (strcmp(words->list[i], "--") != 0)
			continue;
		memmove(&words->list[i], &words->list[i + 1],
			sizeof *words->list * (size_t)(words->count - i - 1));
		words->count--;
		words->literal = i;
		return;
	}
}

int globals_parse(struct words *words, struct globals *out, struct failure *f)
{
	globals_default(out);
	find_literal(words);
	/* First of all: a complaint about any other word should come in the form that was asked
	 * for. */
	for (int i = 0; i < words->literal; i++)
		out->json |= strcmp(words->list[i], "--json") == 0;
	int kept = 0, literal = words->literal;
	for (int i = 0; i < words->count; i++) {
		const struct option *o =
		    word_is_option(words, i) ? option_find(global_options, words->list[i]) : NULL;
		if (o == NULL) {
			if (i >= words->literal && literal > kept)
				literal = kept;
			words->list[kept++] = words->list[i];
			continue;
		}
		const char *value = option_take(words, &i, NULL, o, f);
		if (value == NULL || global_set(out, o, value, f) != 0)
			return CODE_USAGE;
	}
	words->literal = literal < kept ? literal : kept;
	words->count = kept;
	return 0;
}

/* ---- a command's own ---- */

static int unknown_option(struct failure *f, const struct command *command, const char *word)
{
	const char *names[OPTION_NAMES_MAX];
	char name[64], typed[64], what[192], why[256] = "it takes no option of its own";
	size_t count = 0, size;
	for (const struct option *o = command->options; o->name != NULL; o++) {
		size_t used = count == 0 ? 0 : strlen(why);
		snprintf(why + used, sizeof why - used, "%s--%s", count ? ", " : "it takes ",
			 o->name);
		names[count++] = o->name;
	}
	for (const struct option *o = global_options; o->name != NULL; o++)
		names[count++] = o->name;
	assert(count <= OPTION_NAMES_MAX);
	split(word, &size);
	snprintf(typed, sizeof typed, "%.*s", (int)(size < 60 ? size : 60), word + 2);
	const char *near = nearest(typed, names, count);
	if (near != NULL)
		snprintf(why, sizeof why, "did you mean '--%s'?", near);
	command_name(command, name, sizeof name);
	snprintf(what, sizeof what, "unknown option '--%s' for '%s'", typed, name);
	return usage_error(f, command, what, why);
}

static int parse_number(const char *text, int64_t *out)
{
	char *end;
	errno = 0;
	*out = strtoll(text, &end, 10);
	return errno == 0 && *end == '\0' && *text >= '0' && *text <= '9' ? 0 : -EINVAL;
}

static bool choice_has(const char *choices, const char *value)
{
	size_t size = strlen(value);
	for (const char *at = choices; at != NULL; at = strchr(at, '|')) {
		at += *at == '|';
		if (strncmp(at, value, size) == 0 && (at[size] == '|' || at[size] == '\0') &&
		    size > 0)
			return true;
	}
	return false;
}

/* "A,B" -> ["A","B"]; NULL if one is empty or no UTF-8. */
static json_t *list_json(const char *value)
{
	json_t *list = json_array();
	for (const char *at = value;; at++) {
		size_t size = strcspn(at, ",");
		if (size == 0 || json_array_append_new(list, json_stringn(at, size)) != 0) {
			json_decref(list);
			return NULL;
		}
		at += size;
		if (*at == '\0')
			return list;
	}
}

/* The option's value as it goes into the request; NULL with *f filled. */
static json_t *option_json(const struct command *command, const struct option *o, const char *value,
			   struct failure *f)
{
	int64_t number = 0;
	json_t *list;
	char why[160];
	switch (o->kind) {
	case OPTION_FLAG:
		return json_true();
	case OPTION_CHOICE:
		if (choice_has(o->value, value))
			return json_string(value);
		snprintf(why, sizeof why, "'%.40s' is none of %s", value, o->value);
		bad_option(f, command, o, why);
		return NULL;
	case OPTION_NUMBER:
		if (parse_number(value, &number) == 0)
			return json_integer(number);
		snprintf(why, sizeof why, "'%.40s' is no whole number", value);
		bad_option(f, command, o, why);
		return NULL;
	case OPTION_DURATION:
		if (parse_milliseconds(value, &number, f, command, o) == 0)
			return json_integer(number);
		return NULL;
	case OPTION_LIST:
		if ((list = list_json(value)) == NULL)
			bad_option(f, command, o, "wants names with commas between them: A,B");
		return list;
	case OPTION_WORD:
		return json_string(*value ? value : o->name);
	case OPTION_REQUIRED:
	case OPTION_TEXT:
		break;
	}
	json_t *text = json_string(value);
	if (text == NULL)
		bad_option(f, command, o, "its value is no UTF-8");
	return text;
}

static int option_set(struct invocation *out, const struct option *o, const char *value,
		      struct failure *f)
{
	json_t *json = option_json(out->command, o, value, f);
	if (json == NULL)
		return CODE_USAGE;
	if (strcmp(o->name, "wide") == 0)
		out->wide = true;
	if (o->key != NULL)
		json_object_set_new(out->args, o->key, json);
	else
		out->yes = true;
	return 0;
}

static int option_defaults(struct invocation *out, struct failure *f)
{
	for (const struct option *o = out->command->options; o->name != NULL; o++) {
		if (o->kind == OPTION_FLAG && o->key != NULL)
			json_object_set_new(out->args, o->key, json_false());
		else if (o->fallback != NULL && option_set(out, o, o->fallback, f) != 0)
			return CODE_USAGE;
	}
	return 0;
}

/* Puts one argument where the row wants it; *slot moves on. */
static int argument_set(struct invocation *out, const struct argument **slot, const char *word,
			struct failure *f)
{
	char what[128];
	const struct argument *a = *slot;
	if (a->word == NULL) {
		snprintf(what, sizeof what, "unexpected word '%.60s'", word);
		return usage_error(f, out->command, what, "there is no argument left for it");
	}
	json_t *text = json_string(word);
	if (text == NULL) {
		snprintf(what, sizeof what, "argument %s", a->word);
		return usage_error(f, out->command, what,
				   "it is no UTF-8 (binary values: from standard input)");
	}
	if (a->count != ARGUMENT_MANY) {
		json_object_set_new(out->args, a->key, text);
		++*slot;
		return 0;
	}
	json_t *list = json_object_get(out->args, a->key);
	if (list == NULL) {
		list = json_array();
		json_object_set_new(out->args, a->key, list);
	}
	json_array_append_new(list, text);
	return 0;
}

static int missing(struct failure *f, const struct command *command, const char *dashes,
		   const char *word)
{
	char usage[256], why[320], what[64];
	command_usage(command, usage, sizeof usage);
	snprintf(what, sizeof what, "missing %s%s", dashes, word);
	snprintf(why, sizeof why, "the command is: essaim %s", usage);
	return usage_error(f, command, what, why);
}

static int check_missing(const struct invocation *in, const struct argument *slot,
			 struct failure *f)
{
	if (slot->word != NULL && slot->count != ARGUMENT_OPTIONAL &&
	    json_object_get(in->args, slot->key) == NULL)
		return missing(f, in->command, "", slot->word);
	for (const struct option *o = in->command->options; o->name != NULL; o++)
		if (o->kind == OPTION_REQUIRED && json_object_get(in->args, o->key) == NULL)
			return missing(f, in->command, "--", o->name);
	return 0;
}

int arguments_parse(const struct command *command, const struct words *words,
		    struct invocation *out, struct failure *f)
{
	const struct argument *slot = command->arguments;
	out->command = command;
	out->args = json_object();
	if (option_defaults(out, f) != 0)
		return CODE_USAGE;
	for (int i = 0; i < words->count; i++) {
		if (!word_is_option(words, i)) {
			if (argument_set(out, &slot, words->list[i], f) != 0)
				return CODE_USAGE;
			continue;
		}
		const struct option *o = option_find(command->options, words->list[i]);
		if (o == NULL)
			return unknown_option(f, command, words->list[i]);
		const char *value = option_take(words, &i, command, o, f);
		if (value == NULL || option_set(out, o, value, f) != 0)
			return CODE_USAGE;
	}
	return check_missing(out, slot, f);
}
