#include "human.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define WIDTH_LEAST 80 /* what every table is designed for */

static void two_units(int64_t value, int64_t small, const char *big_unit, const char *small_unit,
		      char out[HUMAN_SIZE])
{
	if (value % small == 0)
		snprintf(out, HUMAN_SIZE, "%lld %s", (long long)(value / small), big_unit);
	else
		snprintf(out, HUMAN_SIZE, "%lld %s %lld %s", (long long)(value / small), big_unit,
			 (long long)(value % small), small_unit);
}

void human_duration(int64_t ms, char out[HUMAN_SIZE])
{
	int64_t seconds = ms / 1000;
	if (ms < 0)
		snprintf(out, HUMAN_SIZE, "never");
	else if (ms < 1000)
		snprintf(out, HUMAN_SIZE, "%lld ms", (long long)ms);
	else if (ms < 10000)
		snprintf(out, HUMAN_SIZE, "%lld.%lld s", (long long)seconds,
			 (long long)(ms % 1000 / 100));
	else if (seconds < 60)
		snprintf(out, HUMAN_SIZE, "%lld s", (long long)seconds);
	else if (seconds < 3600)
		two_units(seconds, 60, "min", "s", out);
	else if (seconds < 86400)
		two_units(seconds / 60, 60, "h", "min", out);
	else
		two_units(seconds / 3600, 24, "d", "h", out);
}

void human_size(int64_t bytes, char out[HUMAN_SIZE])
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB"};
	int unit = 0;
	if (bytes < 1024) {
		snprintf(out, HUMAN_SIZE, "%lld B", (long long)bytes);
		return;
	}
	for (; bytes >= 1024 * 1024 && unit < 4; unit++)
		bytes /= 1024;
	snprintf(out, HUMAN_SIZE, "%lld.%lld %s", (long long)(bytes / 1024),
		 (long long)(bytes % 1024 * 10 / 1024), units[unit]);
}

const char *plural(int64_t count)
{
	return count == 1 ? "" : "s";
}

char *human_clean(const char *text)
{
	char *out = malloc(4 * strlen(text) + 1);
	if (out == NULL)
		abort();
	char *end = out;
	for (const char *p = text; *p; p++) {
		if (iscntrl((unsigned char)*p))
			end += sprintf(end, "\\x%02x", (unsigned)(unsigned char)*p);
		else
			*end++ = *p;
	}
	*end = '\0';
	return out;
}

void human_print(FILE *to, const char *text)
{
	char *clean = human_clean(text);
	fputs(clean, to);
	free(clean);
}

int human_width(void)
{
	struct winsize size;
	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
		return WIDTH_LEAST;
	return size.ws_col < WIDTH_LEAST ? WIDTH_LEAST : size.ws_col;
}

void human_wrap(FILE *to, const char *text, int hang, int width)
{
	char *clean = human_clean(text);
	int column = hang;
	for (char *rest = clean, *word; (word = strtok_r(rest, " ", &rest)) != NULL;) {
		int size = (int)strlen(word);
		if (column > hang && column + 1 + size > width)
			column = fprintf(to, "\n%*s", hang, "") - 1;
		column += column == hang ? fprintf(to, "%s", word) : fprintf(to, " %s", word);
	}
	fputc('\n', to);
	free(clean);
}

bool human_listens(void)
{
	return isatty(STDERR_FILENO);
}
