/*
 * DRBD, as its events come; and what they do not say: backing devices, options, generations, how far a
 * resync is, and the kernel's own words. All of it by the hand.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "body_clock.h"
#include "drbd.h"
#include "observe_storage.h"
#include "observe_tool.h"
#include "programs.h"

#define LIMIT (10 * SECOND)
#define ASK_EVERY 60 /* s: show and get-gi, if nothing changed */
#define RESTART_MAX 60
#define KERNEL_AGAIN 60   /* s, if its log cannot be read */
#define PROGRESS_EVERY 5  /* s, while something is resynchronised: no event tells of that */

struct drbd_watch {
	struct body *body;
	struct tool stream, asker, kernel;
	struct drbd_seen seen, told_of; /* told_of: rounded, as told */
	struct drbd_head head;
	bool told, whole, lost; /* whole: the dump has come to its end; lost: events were left out */
	uint32_t waited;  /* s for the end of the dump */
	bool changed;     /* since it was told */
	bool shown;       /* show was read since the dump */
	uint32_t ask_in;  /* s until the next round of questions */
	uint32_t ask_at;  /* the next volume whose generation is asked for */
	bool asking;
	uint32_t lines;   /* of events so far; what was asked before the last of them is not taken */
	uint32_t lines_asked;
	uint32_t progress_in;
	uint32_t restart_in, restart_every, kernel_in;
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

static void tell_state(struct drbd_watch *w, enum inventory_state state, instant since)
{
	if (w->told && w->head.state == state)
		return;
	w->head.state = state;
	w->head.since_wall = state == INVENTORY_UNKNOWN || state == INVENTORY_STUCK ? since : 0;
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

static void on_kernel_line(void *context, const char *line)
{
	struct drbd_watch *w = context;
	w->changed |= drbd_kernel_line(&w->seen, line);
}

static void on_kernel_end(void *context, const struct hand_result *r)
{
	struct drbd_watch *w = context;
	w->kernel_in = w->whole ? KERNEL_AGAIN : 0;
}

/* From the beginning of what the kernel still holds: begun when the dump has named all resources. */
static void follow_kernel(struct drbd_watch *w)
{
	struct command_line command = {.program = PROGRAM_KERNEL_LOG};
	if (tool_busy(&w->kernel) || (w->kernel_in > 0 && --w->kernel_in > 0))
		return;
	if (tool_follow(&w->kernel, &command, on_kernel_line, on_kernel_end, w) < 0)
		w->kernel_in = KERNEL_AGAIN;
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

static void on_generation(void *context, const struct hand_result *r)
{
	struct drbd_watch *w = context;
	struct drbd_resource *resource;
	struct drbd_volume *v = volume_at(&w->seen, w->ask_at, &resource);
	struct drbd_generation before = v == NULL ? (struct drbd_generation){.known = false} : v->generation;
	if (v != NULL && tool_well(r) &&
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
	w->asking = tool_ask(&w->asker, &command, LIMIT, on_generation, w) == 0;
}

static void on_show(void *context, const struct hand_result *r)
{
	struct drbd_watch *w = context;
	w->asking = false;
	if (!tool_well(r))
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
	if (w->asking || tool_busy(&w->asker))
		return;
	command_word(&command, "show");
	command_word(&command, "--show-defaults");
	w->ask_in = ASK_EVERY;
	w->asking = tool_ask(&w->asker, &command, LIMIT, on_show, w) == 0;
}

/* ---- how far a resync is ---- */

static bool moves(const struct drbd_peer_volume *v)
{
	return v->done >= 0 || strncmp(v->replication, "Sync", 4) == 0 || strncmp(v->replication, "Verify", 6) == 0;
}

static bool resyncing(const struct drbd_seen *seen)
{
	for (uint32_t i = 0; i < seen->resource_count; i++) {
		const struct drbd_resource *r = &seen->resources[i];
		for (uint32_t k = 0; k < r->peer_count; k++) {
			for (uint32_t n = 0; n < r->peers[k].volume_count; n++) {
				if (moves(&r->peers[k].volumes[n]))
					return true;
			}
		}
	}
	return false;
}

/* Only of a moment since which no event has come: else it may be older than what the event said. */
static void on_now(void *context, const struct hand_result *r)
{
	struct drbd_watch *w = context;
	const char *text = (const char *)r->out.data, *end;
	w->asking = false;
	if (!tool_well(r) || w->lines != w->lines_asked || !w->whole)
		return;
	w->told_of = w->seen;
	for (; (end = strchr(text, '\n')) != NULL; text = end + 1)
		drbd_events_line(&w->seen, text);
	w->changed |= memcmp(&w->told_of, &w->seen, sizeof w->seen) != 0;
}

static void ask_progress(struct drbd_watch *w)
{
	struct command_line command = {.program = PROGRAM_DRBD_SHOW};
	if (!resyncing(&w->seen) || (w->progress_in > 0 && --w->progress_in > 0) || w->asking ||
	    tool_busy(&w->asker))
		return;
	command_word(&command, "events2");
	command_word(&command, "--now");
	command_word(&command, "--statistics");
	w->progress_in = PROGRESS_EVERY;
	w->lines_asked = w->lines;
	w->asking = tool_ask(&w->asker, &command, LIMIT, on_now, w) == 0;
}

/* ---- events ---- */

static void on_line(void *context, const char *line)
{
	struct drbd_watch *w = context;
	w->lines++;
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
		w->kernel_in = 0;
		follow_kernel(w);
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
	tool_cancel(&w->kernel); /* it is read anew for what the next dump names */
	tell_state(w, INVENTORY_UNKNOWN, w->wall);
}

static void on_end(void *context, const struct hand_result *r)
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
	if (tool_follow(&w->stream, &command, on_line, on_end, w) < 0)
		tell_state(w, INVENTORY_UNKNOWN, w->wall);
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

/* Is anybody there who could tell? What it means if not is told. */
static bool may_listen(struct drbd_watch *w)
{
	struct hand_view hand;
	hand_look(w->body->hand, &hand);
	duration stuck = tool_stuck_for(&w->stream), other = tool_stuck_for(&w->asker);
	if (!loaded(w) || !tool_installed(PROGRAM_DRBD_EVENTS))
		tell_state(w, INVENTORY_NONE, 0);
	else if (hand.standing == HAND_STANDING_NONE)
		tell_state(w, INVENTORY_BLIND, 0);
	else if (stuck > 0 || other > 0)
		tell_state(w, INVENTORY_STUCK, w->wall - (stuck > other ? stuck : other));
	else
		return true;
	return false;
}

void drbd_watch_again(struct drbd_watch *w, instant wall)
{
	w->wall = wall;
	if (!may_listen(w))
		return;
	if (w->head.state == INVENTORY_STUCK)
		w->changed = w->whole; /* it goes on: what was seen is told anew */
	if (!tool_busy(&w->stream)) {
		listen_again(w);
		return;
	}
	if (w->lost || (!w->whole && ++w->waited > LIMIT / SECOND)) {
		tool_cancel(&w->stream);
		return;
	}
	if (!w->whole)
		return;
	follow_kernel(w);
	if (w->ask_in == 0 || --w->ask_in == 0)
		ask(w);
	ask_progress(w);
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
	tool_open(&w->stream, body);
	tool_open(&w->asker, body);
	tool_open(&w->kernel, body);
	w->scratch.data = malloc(INVENTORY_SCRATCH);
	w->scratch.size = INVENTORY_SCRATCH;
	if (w->scratch.data == NULL) {
		drbd_watch_destroy(w);
		return NULL;
	}
	return w;
}

void drbd_watch_destroy(struct drbd_watch *w)
{
	if (w == NULL)
		return;
	tool_close(&w->stream);
	tool_close(&w->asker);
	tool_close(&w->kernel);
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
