#include "journal.h"

#include <assert.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "body_clock.h"

/* One per process, as stderr is. */
static struct {
	enum journal_format format;
	enum rule_level level;
	int fd;
	uint64_t lost;
} journal = {JOURNAL_TEXT, LEVEL_info, STDERR_FILENO, 0};

/*
 * A terminal that polls writable may take less than a line, and whoever looks at it may have stopped
 * it. Opened anew, it does not block us, and stays as it is for those we share it with.
 */
static int open_terminal(void)
{
	if (!isatty(STDERR_FILENO))
		return STDERR_FILENO;
	int fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return fd >= 0 ? fd : STDERR_FILENO;
}

void journal_start(enum journal_format format, enum rule_level level)
{
	journal.format = format;
	journal.level = level;
	if (journal.fd == STDERR_FILENO)
		journal.fd = open_terminal();
}

bool journal_wants(enum rule_level level)
{
	return level >= journal.level;
}

const char *rule_level_name(enum rule_level level)
{
	switch (level) {
	case LEVEL_debug:
		return "debug";
	case LEVEL_info:
		return "info";
	case LEVEL_notice:
		return "notice";
	case LEVEL_warning:
		return "warning";
	case LEVEL_error:
		return "error";
	}
	assert(!"a level outside its enum");
	return "?";
}

struct writer {
	char *out;
	size_t used;
};

static void put(struct writer *w, const char *text)
{
	size_t room = JOURNAL_LINE_MAX - 4 - w->used; /* closing quote, brace, newline, NUL */
	size_t length = strlen(text);
	if (length > room)
		length = room;
	memcpy(w->out + w->used, text, length);
	w->used += length;
}

/* Quotes, backslashes and control characters escaped as JSON does; both formats use it. */
static void put_quoted(struct writer *w, const char *text)
{
	put(w, "\"");
	for (; *text != '\0'; text++) {
		char piece[8] = {*text, '\0'};
		if (*text == '"' || *text == '\\')
			snprintf(piece, sizeof piece, "\\%c", *text);
		else if ((unsigned char)*text < 0x20)
			snprintf(piece, sizeof piece, "\\u%04x", (unsigned)(unsigned char)*text);
		put(w, piece);
	}
	w->out[w->used++] = '"';
}

static bool given(const char *text)
{
	return text != NULL && text[0] != '\0';
}

static void put_text_word(struct writer *w, const char *key, const char *value)
{
	if (!given(value))
		return;
	put(w, " ");
	put(w, key);
	put(w, "=");
	put(w, value);
}

static void put_json_word(struct writer *w, const char *key, const char *value)
{
	if (!given(value))
		return;
	put(w, ",\"");
	put(w, key);
	put(w, "\":");
	put_quoted(w, value);
}

static void format_text(struct writer *w, const char *time, const struct journal_line *line)
{
	put(w, time);
	put(w, " ");
	put(w, rule_level_name(line->level));
	put_text_word(w, "rule", line->rule);
	put_text_word(w, "subject", line->subject);
	put_text_word(w, "other", line->other);
	put(w, " text=");
	put_quoted(w, line->text);
}

static void format_json(struct writer *w, const char *time, const struct journal_line *line)
{
	put(w, "{\"time\":");
	put_quoted(w, time);
	put_json_word(w, "level", rule_level_name(line->level));
	put_json_word(w, "rule", line->rule);
	put_json_word(w, "subject", line->subject);
	put_json_word(w, "other", line->other);
	put_json_word(w, "text", line->text);
	w->out[w->used++] = '}';
}

size_t journal_format_line(enum journal_format format, instant wall,
                           const struct journal_line *line, char out[JOURNAL_LINE_MAX])
{
	char time[WALL_TEXT_SIZE];
	wall_format(wall, time);
	struct writer w = {out, 0};
	switch (format) {
	case JOURNAL_TEXT:
		format_text(&w, time, line);
		break;
	case JOURNAL_JSON:
		format_json(&w, time, line);
		break;
	}
	out[w.used++] = '\n';
	out[w.used] = '\0';
	return w.used;
}

/* A pipe or socket that polls writable takes a line of this size without blocking. */
static bool stderr_ready(void)
{
	struct pollfd p = {.fd = journal.fd, .events = POLLOUT};
	return poll(&p, 1, 0) == 1 && (p.revents & POLLOUT) != 0;
}

static void emit(const struct journal_line *line)
{
	char text[JOURNAL_LINE_MAX];
	size_t size = journal_format_line(journal.format, body_clock_wall(), line, text);
	if (write(journal.fd, text, size) != (ssize_t)size)
		journal.lost++;
}

void journal_write(const struct journal_line *line)
{
	if (!journal_wants(line->level))
		return;
	if (!stderr_ready()) {
		journal.lost++;
		return;
	}
	if (journal.lost > 0) {
		char text[64];
		snprintf(text, sizeof text, "%llu log lines were lost",
		         (unsigned long long)journal.lost);
		journal.lost = 0;
		emit(&(struct journal_line){.level = LEVEL_warning, .text = text});
	}
	emit(line);
}

void journal_say(enum rule_level level, const char *format, ...)
{
	char text[1024];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	journal_write(&(struct journal_line){.level = level, .text = text});
}
