#include "play_parse.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

int play_fail(const struct play_text *t, const struct play_line *line, struct error *error,
              const char *format, ...)
{
	char what[200];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	return error_set(error, -1, "%s:%u: %s", t->path, line->number, what);
}

/* ---- lines ---- */

static int split(const struct play_text *t, struct play_line *line, struct error *error)
{
	char *rest = NULL;
	line->split = strdup(line->text);
	assert(line->split);
	for (char *word = strtok_r(line->split, " \t", &rest); word;
	     word = strtok_r(NULL, " \t", &rest)) {
		if (*word == '#' || (line->count && !strcmp(line->words[0], "|")))
			break;
		if (line->count == PLAY_WORDS_MAX)
			return play_fail(t, line, error, "expected at most %d words",
			                 PLAY_WORDS_MAX);
		line->words[line->count++] = word;
	}
	if (!line->count)
		line->kind = PLAY_COMMENT;
	else if (!strcmp(line->words[0], "|"))
		line->kind = PLAY_NARRATION;
	else
		line->kind = PLAY_STEP;
	return 0;
}

static int add_line(struct play_text *t, const char *text, size_t size, struct error *error)
{
	t->lines = realloc(t->lines, (t->count + 1) * sizeof(*t->lines));
	assert(t->lines);
	struct play_line *line = &t->lines[t->count++];
	*line = (struct play_line){.number = t->count, .text = strndup(text, size)};
	assert(line->text);
	return split(t, line, error);
}

int play_read(const char *path, struct play_text *out, struct error *error)
{
	FILE *file = fopen(path, "r");
	char *text = NULL;
	size_t capacity = 0;
	ssize_t size;
	int result = 0;
	*out = (struct play_text){.path = strdup(path)};
	if (!file)
		return error_set(error, -1, "cannot open '%s': %s", path, strerror(errno));
	while (!result && (size = getline(&text, &capacity, file)) >= 0) {
		if (size > 0 && text[size - 1] == '\n')
			size--;
		result = add_line(out, text, (size_t)size, error);
	}
	free(text);
	fclose(file);
	return result;
}

void play_text_finish(struct play_text *t)
{
	for (uint32_t i = 0; i < t->count; i++) {
		free(t->lines[i].text);
		free(t->lines[i].split);
	}
	free(t->lines);
	free(t->path);
	*t = (struct play_text){0};
}

/* ---- words ---- */

int play_node(const struct play_text *t, const struct play_line *line, uint32_t word,
              uint32_t nodes, uint32_t *out, struct error *error)
{
	const char *text = play_word(line, word);
	if (text[0] < 'a' || (uint32_t)(text[0] - 'a') >= nodes || text[1])
		return play_fail(t, line, error, "expected a node, a to %c, not '%s'",
		                 'a' + (int)nodes - 1, text);
	*out = (uint32_t)(text[0] - 'a');
	return 0;
}

int play_number(const struct play_text *t, const struct play_line *line, uint32_t word,
                uint64_t *out, struct error *error)
{
	const char *text = play_word(line, word);
	char *rest;
	errno = 0;
	*out = strtoull(text, &rest, 10);
	if (errno || *text < '0' || *text > '9' || *rest)
		return play_fail(t, line, error, "expected a number, not '%s'", text);
	return 0;
}

int play_duration(const struct play_text *t, const struct play_line *line, uint32_t word,
                  duration *out, struct error *error)
{
	struct error inner;
	if (duration_parse(play_word(line, word), out, &inner))
		return play_fail(t, line, error, "expected a duration such as 5s or 250ms, not '%s'",
		                 play_word(line, word));
	return 0;
}

int play_ppm(const struct play_text *t, const struct play_line *line, uint32_t word, int64_t *out,
             struct error *error)
{
	const char *text = play_word(line, word);
	char *rest;
	long value = strtol(text, &rest, 10);
	if (rest == text || strcmp(rest, "ppm") != 0 || value <= -1000000 || value > 1000000)
		return play_fail(t, line, error, "expected a rate such as -5000ppm, not '%s'", text);
	*out = value;
	return 0;
}

int play_rule(const struct play_text *t, const struct play_line *line, uint32_t word,
              enum rule *out, struct error *error)
{
	for (int rule = 0; rule < RULE_COUNT; rule++) {
		if (strcmp(rule_info((enum rule)rule)->name, play_word(line, word)) == 0) {
			*out = (enum rule)rule;
			return 0;
		}
	}
	return play_fail(t, line, error, "expected a rule's name such as MASTER, not '%s'",
	                 play_word(line, word));
}
