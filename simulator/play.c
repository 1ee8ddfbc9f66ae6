#include "play.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stage.h"

/* The first line after `from` that is no narration. */
static uint32_t skip_narration(const struct play_text *t, uint32_t from)
{
	while (from < t->count && t->lines[from].kind == PLAY_NARRATION)
		from++;
	return from;
}

/* Compares what was said with the lines [from, to). */
static int compare(struct stage *s, uint32_t from, uint32_t to)
{
	const struct play_text *t = s->text;
	uint32_t expected = to - from;
	for (uint32_t i = 0; i < expected || i < s->said_count; i++) {
		const char *want = i < expected ? t->lines[from + i].text : "  (nothing more)";
		const char *got = i < s->said_count ? s->said[i] : "  (nothing more)";
		if (i < expected && i < s->said_count && !strcmp(want, got))
			continue;
		uint32_t number = i < expected ? t->lines[from + i].number : s->line->number;
		return error_set(s->error, -1, "%s:%u: expected\n%s\nbut it went\n%s", t->path,
		                 number, want, got);
	}
	return 0;
}

static int step(struct stage *s, uint32_t index, FILE *rewritten)
{
	const struct play_text *t = s->text;
	uint32_t next = skip_narration(t, index + 1);
	s->line = &t->lines[index];
	stage_hush(s);
	if (stage_step(s))
		return -1;
	if (!rewritten)
		return compare(s, index + 1, next);
	fprintf(rewritten, "%s\n", s->line->text);
	for (uint32_t i = 0; i < s->said_count; i++)
		fprintf(rewritten, "%s\n", s->said[i]);
	return 0;
}

static int perform(const struct play_text *t, weakened_set weakened, FILE *rewritten,
                   struct error *error)
{
	struct stage stage;
	int result = 0;
	stage_init(&stage, t, error);
	stage.settings.weakened = weakened;
	for (uint32_t i = 0; i < t->count && !result; i++) {
		const struct play_line *line = &t->lines[i];
		if (line->kind == PLAY_STEP)
			result = step(&stage, i, rewritten);
		else if (line->kind == PLAY_COMMENT && rewritten)
			fprintf(rewritten, "%s\n", line->text);
	}
	stage_finish(&stage);
	return result;
}

static int write_back(const char *path, const char *text, size_t size, struct error *error)
{
	FILE *file = fopen(path, "w");
	if (!file || fwrite(text, 1, size, file) != size || fclose(file))
		return error_set(error, -1, "cannot write '%s': %s", path, strerror(errno));
	return 0;
}

static int rewrite_file(const char *path, const struct play_text *t, weakened_set weakened,
                        struct error *error)
{
	char *text = NULL;
	size_t size = 0;
	FILE *rewritten = open_memstream(&text, &size);
	int result = perform(t, weakened, rewritten, error);
	fclose(rewritten);
	if (!result)
		result = write_back(path, text, size, error);
	free(text);
	return result;
}

int play_perform(const char *path, weakened_set weakened, struct error *error)
{
	struct play_text text;
	int result = play_read(path, &text, error);
	if (!result)
		result = perform(&text, weakened, NULL, error) ? 1 : 0;
	play_text_finish(&text);
	return result;
}

int play_file(const char *path, bool rewrite, weakened_set weakened)
{
	struct play_text text;
	struct error error;
	int result = play_read(path, &text, &error);
	if (!result)
		result = rewrite ? rewrite_file(path, &text, weakened, &error) :
		                   perform(&text, weakened, NULL, &error);
	play_text_finish(&text);
	if (result)
		fprintf(stderr, "%s\n", error.text);
	else
		printf("ok %s\n", path);
	return result ? 1 : 0;
}
