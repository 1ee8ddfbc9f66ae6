/*
 * DRBD, as its events come; and what they do not say: backing devices, options, generations, and the
 * kernel's own words.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "body_clock.h"
#include "drbd.h"
#include "observe_storage.h"
#include "programs.h"
#include "tool_runner.h"

#define LIMIT (10 * SECOND)
#define ASK_EVERY 60 /* s: show and get-gi, if nothing changed */
#define RESTART_MAX 60
#define KERNEL_RECORD 8192

struct drbd_watch {
	struct body *body;
	struct tool_runner *stream, *asker;
	struct drbd_seen seen, told_of; /* told_of: rounded, as told */
	struct drbd_head head;
	bool told, whole, lost; /* whole: the dump has come to its end; lost: events were left out */
	uint32_t waited;  /* s for the end of the dump */
	bool changed;     /* since it was told */
	bool shown;       /* show was read since the dump */
	uint32_t ask_in;  /* s until the next round of questions */
	uint32_t ask_at;  /* the next volume whose generation is asked for */
	bool asking;
	uint32_t restart_in, restart_every;
	int kernel; /* /dev/kmsg; -1: cannot be read */
	instant wall;
	uint8_t value[FACT_VALUE_MAX];
	struct drbd_page page;
	struct arena scratch;
};

/* ---- telling ---- */

/* A resync's counters move all the time: they are told in hundredths of the whole. */
static void round_counts(struct drbd_resource *r)
{
	for (uint32_t i = 0; i < r->peer_count; i++) {
		for (uint32_t k = 0; k < r->peers[i].volume_count; k++) {
			struct drbd_peer_volume *v = &r->peers[i].volumes[k];
			uint64_t size = k < r->volume_count ? r->volumes[k].size : 0, step = size / 100;
			if (v->done < 0)
				continue;
			v->done -= v->done % 100;
			if (step > 0)
				v->out_of_sync = (v->out_of_sync + step - 1) / step * step;
		}
	}
}

static void tell_head(struct drbd_watch *w)
{
	size_t size = drbd_head_encode(&w->head, &w->scratch, w->value, sizeof w->value);
	inventory_publish(w->body, FACT_KEY_DRBD, w->value, size);
	w->told = true;
}

static void tell_state(struct drbd_watch *w, enum inventory_state state)
{
	if (w->told && w->head.state == state)
		return;
	w->head.state = state;
	w->head.since_wall = state == INVENTORY_UNKNOWN || state == INVENTORY_STUCK ? w->wall : 0;
	tell_head(w);
}

static void tell_seen(struct drbd_watch *w)
{
	char key[FACT_KEY_MAX + 1];
	uint32_t before = w->head.page_count;
	w->told_of = w->seen;
	for (uint32_t i = 0; i < w->told_of.resource_count; i++)
		round_counts(&w->told_of.resources[i]);
	w->head.page_count = drbd_pages_for(w->seen.resource_count, before);
	w->head.resource_count = w->seen.resource_count;
	w->head.more = w->seen.more;
	w->head.state = INVENTORY_SEEN;
	w->head.since_wall = 0;
	for (uint32_t i = 0; i < w->head.page_count || i < before; i++) {
		size_t size = 0;
		if (i < w->head.page_count) {
			drbd_page_take(&w->told_of, w->head.page_count, i, &w->page);
			size = drbd_page_encode(&w->page, &w->scratch, w->value, sizeof w->value);
		}
		page_key(FACT_KEY_DRBD, i, key);
		inventory_publish(w->body, key, w->value, size);
	}
	tell_head(w);
	w->changed = false;
}

/* ---- the kernel's words ---- */

/* "6,339,5140900,-;text\n KEY=value\n": the first line is the message. */
static void read_kernel(struct drbd_watch *w, bool from_start)
{
	char record[KERNEL_RECORD];
	if (w->kernel < 0)
		return;
	if (from_start)
		lseek(w->kernel, 0, SEEK_SET);
	for (;;) {
		ssize_t got = read(w->kernel, record, sizeof record - 1);
		if (got < 0 && errno == EPIPE)
			continue; /* overwritten meanwhile: the next is read */
		if (got <= 0)
			return;
		record[got] = '\0';
		record[strcspn(record, "\n")] = '\0';
		if (strstr(record, "drbd") != NULL)
			w->changed |= drbd_kernel_line(&w->seen, record);
	}
}

/* ---- questions: show, then each volume's generation ---- */

static void ask_next(struct drbd_watch *w);

/* The volume at that position, counted through all resources. */
static struct drbd_volume *volume_at(struct drbd_seen *seen, uint32_t position,
                                     struct drbd_resource **resource)
{
	for (uint32_t i = 0; i < seen->resource_count; i++) {
		*resource = &seen->resources[i];
		if (position < (*resource)->volume_count)
			return &(*resource)->volumes[position];
		position -= (*resource)->volume_count;
	}
	return NULL;
}

static void on_generation(void *context, const struct run_result *r)
{
	struct drbd_watch *w = context;
	struct drbd_resource *resource;
	struct drbd_volume *v = volume_at(&w->seen, w->ask_at, &resource);
	struct drbd_generation before = v == NULL ? (struct drbd_generation){.known = false} : v->generation;
	if (v != NULL && r->status == 0 && !r->timed_out &&
	    drbd_generation_parse((const char *)r->out.data, &v->generation))
		w->changed |= memcmp(&before, &v->generation, sizeof before) != 0;
	w->ask_at++;
	ask_next(w);
}

/* 8.4 goes by minors; DRBD 9 by resource, peer and volume. */
static void generation_call(const struct drbd_watch *w, const struct drbd_resource *r,
                            const struct drbd_volume *v, struct command_line *out)
{
	memset(out, 0, sizeof *out);
	out->program = PROGRAM_DRBD_SHOW;
	command_word(out, "get-gi");
	if (w->head.version[0] == '8') {
		command_word(out, "%u", v->minor);
		return;
	}
	command_word(out, "%s", r->name);
	command_word(out, "%u", r->peer_count > 0 ? r->peers[0].node_id : 0);
	command_word(out, "%u", v->number);
}

static void ask_next(struct drbd_watch *w)
{
	struct command_line command;
	struct drbd_resource *r;
	const struct drbd_volume *v = volume_at(&w->seen, w->ask_at, &r);
	w->asking = false;
	if (v == NULL)
		return;
	generation_call(w, r, v, &command);
	w->asking = tool_runner_start(w->asker, &command, LIMIT, on_generation, w) == 0;
}

static void on_show(void *context, const struct run_result *r)
{
	struct drbd_watch *w = context;
	w->asking = false;
	if (r->status != 0 || r->timed_out || r->truncated)
		return;
	w->told_of = w->seen;
	drbd_show_parse((const char *)r->out.data, &w->seen);
	w->changed |= memcmp(&w->told_of, &w->seen, sizeof w->seen) != 0;
	w->shown = true;
	w->ask_at = 0;
	ask_next(w);
}

/* With defaults: an option that one side names and the other leaves to its default is the same. */
static void ask(struct drbd_watch *w)
{
	struct command_line command = {.program = PROGRAM_DRBD_SHOW};
	if (w->asking || tool_runner_busy(w->asker))
		return;
	command_word(&command, "show");
	command_word(&command, "--show-defaults");
	w->ask_in = ASK_EVERY;
	w->asking = tool_runner_start(w->asker, &command, LIMIT, on_show, w) == 0;
}

/* ---- events ---- */

static void on_line(void *context, const char *line)
{
	struct drbd_watch *w = context;
	switch (drbd_events_line(&w->seen, line)) {
	case DRBD_LINE_TAKEN:
		w->changed = true;
		/* a state changed: backing devices, options or generations may have, too */
		if (w->whole &&
		    (strstr(line, " connection:") != NULL || strstr(line, " role:") != NULL ||
		     strncmp(line, "create", 6) == 0))
			w->ask_in = 0;
		return;
	case DRBD_LINE_COMPLETE:
		w->whole = true;
		w->changed = true;
		w->restart_every = 1;
		read_kernel(w, true);
		ask(w);
		return;
	case DRBD_LINE_LOST:
		w->lost = true; /* from within the stream it cannot be ended */
		return;
	case DRBD_LINE_PASSED:
		return;
	}
}

static void ended(struct drbd_watch *w)
{
	w->whole = w->shown = w->lost = false;
	w->restart_in = w->restart_every;
	w->restart_every = w->restart_every * 2 < RESTART_MAX ? w->restart_every * 2 : RESTART_MAX;
	tell_state(w, INVENTORY_UNKNOWN);
}

static void on_end(void *context, const struct run_result *r)
{
	ended(context);
}

static void listen_again(struct drbd_watch *w)
{
	struct command_line command = {.program = PROGRAM_DRBD_EVENTS};
	if (w->restart_in > 0 && --w->restart_in > 0)
		return;
	command_word(&command, "events2");
	command_word(&command, "--statistics");
	memset(&w->seen, 0, sizeof w->seen);
	w->waited = 0;
	if (tool_runner_stream(w->stream, &command, on_line, on_end, w) < 0)
		tell_state(w, INVENTORY_UNKNOWN);
}

/* ---- the second's round ---- */

/* The kernel's module; its version into the head. */
static bool loaded(struct drbd_watch *w)
{
	char line[128] = "";
	FILE *in = fopen("/proc/drbd", "re");
	if (in == NULL)
		return false;
	if (fgets(line, sizeof line, in) != NULL)
		drbd_version_parse(line, w->head.version);
	fclose(in);
	return true;
}

void drbd_watch_again(struct drbd_watch *w, instant wall)
{
	w->wall = wall;
	if (!loaded(w) || tool_runner_find(PROGRAM_DRBD_EVENTS) == NULL) {
		tell_state(w, INVENTORY_NONE);
		return;
	}
	if (tool_runner_stuck_since(w->stream) != 0 || tool_runner_stuck_since(w->asker) != 0)
		tell_state(w, INVENTORY_STUCK);
	if (!tool_runner_busy(w->stream)) {
		listen_again(w);
		return;
	}
	if (w->lost || (!w->whole && ++w->waited > LIMIT / SECOND)) {
		tool_runner_kill(w->stream);
		ended(w);
		return;
	}
	if (!w->whole)
		return;
	read_kernel(w, false);
	if (w->ask_in == 0 || --w->ask_in == 0)
		ask(w);
	if (w->changed)
		tell_seen(w);
}

/* ---- life ---- */

struct drbd_watch *drbd_watch_create(struct body *body)
{
	struct drbd_watch *w = calloc(1, sizeof *w);
	if (w == NULL)
		return NULL;
	w->body = body;
	w->restart_every = 1;
	w->stream = tool_runner_create(body->base);
	w->asker = tool_runner_create(body->base);
	w->kernel = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	w->scratch.data = malloc(INVENTORY_SCRATCH);
	w->scratch.size = INVENTORY_SCRATCH;
	if (w->stream == NULL || w->asker == NULL || w->scratch.data == NULL) {
		drbd_watch_destroy(w);
		return NULL;
	}
	return w;
}

void drbd_watch_destroy(struct drbd_watch *w)
{
	if (w == NULL)
		return;
	tool_runner_destroy(w->stream);
	tool_runner_destroy(w->asker);
	if (w->kernel >= 0)
		close(w->kernel);
	free(w->scratch.data);
	free(w);
}

const struct drbd_head *drbd_watch_head(const struct drbd_watch *w)
{
	return w->told ? &w->head : NULL;
}

const struct drbd_seen *drbd_watch_seen(const struct drbd_watch *w)
{
	bool none = w->told && w->head.state == INVENTORY_NONE;
	return none || w->shown ? &w->seen : NULL;
}
