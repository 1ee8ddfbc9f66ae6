#include "bar.h"
#include "human.h"
#include "json.h"

#include <stdio.h>
#include <string.h>

#define BAR_WIDTH 20

void bar_begin(struct bar *bar, bool wanted)
{
	*bar = (struct bar){.wanted = wanted && human_listens()};
}

static void draw_gauge(json_int_t done, json_int_t total, char *out, size_t size)
{
	json_int_t percent = total > 0 ? done / (total / 100 > 0 ? total / 100 : 1) : 0;
	if (percent > 100)
		percent = 100;
	int full = (int)(percent * BAR_WIDTH / 100);
	char gauge[BAR_WIDTH + 1];
	memset(gauge, '.', BAR_WIDTH);
	memset(gauge, '#', (size_t)full);
	gauge[BAR_WIDTH] = '\0';
	snprintf(out, size, " [%s] %d %%", gauge, (int)percent);
}

static void add(char *out, size_t size, const char *before, const char *text, const char *after)
{
	size_t used = strlen(out);
	if (used + 1 < size)
		snprintf(out + used, size - used, "%s%s%s", before, text, after);
}

static void add_amounts(const json_t *p, char *out, size_t size)
{
	json_int_t done = json_number(p, "done_bytes"), total = json_number(p, "total_bytes");
	char text[HUMAN_SIZE], gauge[BAR_WIDTH + 16];
	if (total > 0) {
		draw_gauge(done, total, gauge, sizeof gauge);
		add(out, size, gauge, "", "");
	}
	if (done > 0 || total > 0) {
		human_size(done, text);
		add(out, size, " ", text, "");
	}
	if (json_number(p, "rate") > 0) {
		human_size(json_number(p, "rate"), text);
		add(out, size, ", ", text, "/s");
	}
	if (json_number(p, "left_ms") > 0) {
		human_duration(json_number(p, "left_ms"), text);
		add(out, size, ", ", text, " left");
	}
}

void bar_line(const json_t *p, int width, char *out, size_t size)
{
	char step[48] = "";
	json_int_t at = json_number(p, "step"), steps = json_number(p, "steps");
	if (steps > 1 && at >= 1 && at <= steps) /* 0: the hooks before them */
		snprintf(step, sizeof step, "%lld/%lld ", (long long)at, (long long)steps);
	snprintf(out, size, "%s%s%s", json_truth(p, "undoing") ? "undoing: " : "", step,
		 *json_text(p, "phase") ? json_text(p, "phase") : json_text(p, "state"));
	if (*json_text(p, "waits"))
		add(out, size, ": ", json_text(p, "waits"), "");
	else
		add_amounts(p, out, size);
	if (width > 0 && (size_t)width < size && strlen(out) > (size_t)width)
		out[width] = '\0';
}

void bar_say(struct bar *bar, const char *text)
{
	if (!bar->wanted)
		return;
	fprintf(stderr, "\r\033[K");
	human_print(stderr, text);
	fflush(stderr);
	bar->shown = true;
}

void bar_show(struct bar *bar, const json_t *progress)
{
	char line[400];
	bar_line(progress, human_width() - 1, line, sizeof line);
	bar_say(bar, line);
}

void bar_end(struct bar *bar)
{
	if (bar->shown)
		fprintf(stderr, "\r\033[K");
	bar->shown = false;
}
