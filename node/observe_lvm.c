/*
 * LVM, looked at now and then, by the hand: its commands and the engine's go one at a time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "body_clock.h"
#include "lvm.h"
#include "observe_storage.h"
#include "observe_tool.h"
#include "programs.h"

#define LIMIT (10 * SECOND) /* with hundreds of volumes it takes a tenth of one */
#define PATIENCE (30 * SECOND) /* it waits for the engine's LVM commands, and those may take minutes */
#define EVERY_MIN 5 /* s, after a change */
#define EVERY_MAX 30
#define FAILING_MAX 60
#define DRBD_PATIENCE 30 /* s: what lies below DRBD is not known yet, after a start or a loss of its events */

struct lvm_watch {
	struct body *body;
	struct tool tool;
	struct lvm_filter filter;
	bool configured; /* lvm.conf was asked */
	uint32_t wait, every; /* seconds until the next look; and how many after that */
	uint32_t held_up;     /* seconds for which DRBD has not been known */
	struct timespec backup; /* when LVM's backup folder last changed: each change of metadata does */
	struct lvm_seen seen;
	struct lvm_head head;
	bool told;
	uint8_t *last; /* the report that was parsed last, and its warnings behind it */
	size_t last_size, last_report;
	/* one look's */
	instant wall;
	uint8_t value[FACT_VALUE_MAX];
	struct lvm_page page;
	struct arena scratch;
};

/* ---- telling ---- */

/* Fills wander all day: whole per cents are told, so that a busy pool is no stream of facts. */
static void round_fills(struct lvm_seen *seen)
{
	for (uint32_t i = 0; i < seen->volume_count; i++) {
		struct lvm_volume *v = &seen->volumes[i];
		v->data_fill -= v->data_fill > 0 ? v->data_fill % 100 : 0;
		v->metadata_fill -= v->metadata_fill > 0 ? v->metadata_fill % 100 : 0;
	}
}

static void tell_head(struct lvm_watch *w)
{
	size_t size = lvm_head_encode(&w->head, &w->scratch, w->value, sizeof w->value);
	inventory_publish(w->body, FACT_KEY_LVM, w->value, size);
	w->told = true;
}

static void tell_pages(struct lvm_watch *w)
{
	char key[FACT_KEY_MAX + 1];
	for (uint32_t i = 0; i < LVM_PAGES_MAX; i++) {
		size_t size = 0;
		if (i < w->head.page_count) {
			lvm_page_take(&w->seen, w->head.page_count, i, &w->page);
			size = lvm_page_encode(&w->page, &w->scratch, w->value, sizeof w->value);
		} else if (i >= w->head.page_count && !w->told) {
			continue;
		}
		page_key(FACT_KEY_LVM, i, key);
		inventory_publish(w->body, key, w->value, size);
	}
}

/* What was seen last stays, with the word that it is old. */
static void tell_state(struct lvm_watch *w, enum inventory_state state, instant since)
{
	if (w->told && w->head.state == state)
		return;
	w->head.state = state;
	w->head.since_wall = state == INVENTORY_UNKNOWN || state == INVENTORY_STUCK ? since : 0;
	tell_head(w);
}

static void tell_seen(struct lvm_watch *w)
{
	struct lvm_head *h = &w->head;
	uint32_t pages = lvm_pages_for(w->seen.volume_count, h->page_count);
	round_fills(&w->seen);
	h->state = INVENTORY_SEEN;
	h->since_wall = 0;
	h->page_count = pages;
	h->volume_count = w->seen.volume_count;
	h->more = w->seen.more;
	h->group_count = w->seen.group_count;
	h->device_count = w->seen.device_count;
	memcpy(h->groups, w->seen.groups, sizeof h->groups);
	memcpy(h->devices, w->seen.devices, sizeof h->devices);
	tell_pages(w);
	tell_head(w);
}

/* ---- looking ---- */

static bool same_report(const struct lvm_watch *w, const struct hand_result *r)
{
	return w->last != NULL && w->last_report == r->out.size &&
	       w->last_size == r->out.size + r->error.size &&
	       memcmp(w->last, r->out.data, r->out.size) == 0 &&
	       memcmp(w->last + r->out.size, r->error.data, r->error.size) == 0;
}

static void keep_report(struct lvm_watch *w, const struct hand_result *r)
{
	size_t size = r->out.size + r->error.size;
	uint8_t *more = realloc(w->last, size + 1);
	if (more == NULL) {
		w->last_size = w->last_report = 0;
		return;
	}
	w->last = more;
	w->last_size = size;
	w->last_report = r->out.size;
	memcpy(more, r->out.data, r->out.size);
	memcpy(more + r->out.size, r->error.data, r->error.size);
}

static void slow_down(struct lvm_watch *w, uint32_t most)
{
	w->every = w->every * 2 < most ? w->every * 2 : most;
	w->wait = w->every;
}

/*
 * For how long LVM is stuck, whoever sent the command that does not end: the engine or we. The hand tells
 * its age; what it could not tell yet we know of our own.
 */
static duration stuck_for(struct lvm_watch *w)
{
	struct hand_view hand;
	hand_look(w->body->hand, &hand);
	duration own = tool_stuck_for(&w->tool);
	return hand.lvm_stuck > own ? hand.lvm_stuck : own;
}

static void tell_stuck(struct lvm_watch *w, duration age)
{
	tell_state(w, INVENTORY_STUCK, w->wall - age);
	w->every = w->wait = 1; /* as soon as it ends */
}

static void failed(struct lvm_watch *w)
{
	free(w->last);
	w->last = NULL;
	if (stuck_for(w) > 0) {
		tell_stuck(w, stuck_for(w));
		return;
	}
	tell_state(w, INVENTORY_UNKNOWN, w->wall);
	slow_down(w, FAILING_MAX);
}

static void on_report(void *context, const struct hand_result *r)
{
	struct lvm_watch *w = context;
	if (!tool_well(r)) {
		failed(w);
		return;
	}
	if (same_report(w, r)) {
		tell_state(w, INVENTORY_SEEN, 0);
		slow_down(w, EVERY_MAX);
		return;
	}
	if (lvm_report_parse(r->out, r->error, &w->seen, NULL) < 0) {
		failed(w);
		return;
	}
	keep_report(w, r);
	tell_seen(w);
	w->every = w->wait = EVERY_MIN;
}

static void look(struct lvm_watch *w)
{
	struct command_line command;
	lvm_report_call(&w->filter, &command);
	if (tool_ask(&w->tool, &command, LIMIT, on_report, w) < 0)
		failed(w);
}

/* It fails where lvm.conf has no such setting; who was not even asked has not said so. */
static void on_config(void *context, const struct hand_result *r)
{
	struct lvm_watch *w = context;
	if (r->outcome != HAND_EXITED) {
		failed(w);
		return;
	}
	w->configured = true;
	w->filter.global_taken = r->code == 0 && strstr((const char *)r->out.data, "global_filter=") != NULL;
	look(w);
}

static void begin(struct lvm_watch *w)
{
	struct command_line command;
	if (w->configured) {
		look(w);
		return;
	}
	lvm_config_call(&command);
	if (tool_ask(&w->tool, &command, LIMIT, on_config, w) < 0)
		failed(w);
}

/* ---- when ---- */

/* Every change of metadata by this node's own tools leaves a copy there. */
static bool metadata_changed(struct lvm_watch *w)
{
	char path[4096];
	struct stat found;
	const char *folder = getenv("LVM_SYSTEM_DIR");
	snprintf(path, sizeof path, "%s/backup", folder == NULL ? "/etc/lvm" : folder);
	if (stat(path, &found) < 0 || (found.st_mtim.tv_sec == w->backup.tv_sec &&
	                               found.st_mtim.tv_nsec == w->backup.tv_nsec))
		return false;
	w->backup = found.st_mtim;
	return true;
}

/*
 * What lies below DRBD is DRBD's, and DRBD's own devices are looked at only where they can be read.
 * False: something cannot be put into a filter, and then nothing is looked at.
 */
static bool filter_drbd(struct lvm_watch *w, const struct drbd_seen *drbd)
{
	char path[32];
	bool all = true;
	w->filter.reject_count = 0;
	for (uint32_t i = 0; i < drbd->resource_count; i++) {
		const struct drbd_resource *r = &drbd->resources[i];
		for (uint32_t k = 0; k < r->volume_count; k++) {
			const struct drbd_volume *v = &r->volumes[k];
			if (v->backing[0] == '/')
				all &= lvm_filter_reject(&w->filter, v->backing);
			if (strcmp(r->role, "Primary") == 0 && !r->suspended)
				continue;
			snprintf(path, sizeof path, "/dev/drbd%u", v->minor);
			all &= lvm_filter_reject(&w->filter, path);
		}
	}
	return all;
}

/* Can anybody be asked now? What it means if not is told. */
static bool may_look(struct lvm_watch *w, enum hand_standing hand)
{
	duration stuck = stuck_for(w);
	if (hand == HAND_STANDING_NONE)
		tell_state(w, INVENTORY_BLIND, 0);
	else if (!tool_installed(PROGRAM_LVM_REPORT))
		tell_state(w, INVENTORY_NONE, 0);
	else if (stuck > 0)
		tell_stuck(w, stuck);
	else if (hand == HAND_STANDING_GONE)
		tell_state(w, INVENTORY_UNKNOWN, w->wall);
	else if (tool_asked_for(&w->tool) > PATIENCE)
		tell_state(w, INVENTORY_UNKNOWN, w->wall - tool_asked_for(&w->tool));
	else
		return !tool_busy(&w->tool);
	return false;
}

void lvm_watch_again(struct lvm_watch *w, instant wall, const struct drbd_seen *drbd)
{
	struct hand_view hand;
	hand_look(w->body->hand, &hand);
	w->wall = wall;
	if (!may_look(w, hand.standing))
		return;
	if (metadata_changed(w))
		w->wait = 0;
	if (w->wait > 0 && --w->wait > 0)
		return;
	w->held_up = drbd == NULL ? w->held_up + 1 : 0;
	if (drbd == NULL && w->held_up <= DRBD_PATIENCE) {
		w->wait = 1;
		return;
	}
	if (drbd == NULL || !filter_drbd(w, drbd))
		failed(w);
	else
		begin(w);
}

/* ---- life ---- */

struct lvm_watch *lvm_watch_create(struct body *body)
{
	struct lvm_watch *w = calloc(1, sizeof *w);
	if (w == NULL)
		return NULL;
	w->body = body;
	w->every = EVERY_MIN;
	tool_open(&w->tool, body);
	w->scratch.data = malloc(INVENTORY_SCRATCH);
	w->scratch.size = INVENTORY_SCRATCH;
	if (w->scratch.data == NULL) {
		lvm_watch_destroy(w);
		return NULL;
	}
	return w;
}

void lvm_watch_destroy(struct lvm_watch *w)
{
	if (w == NULL)
		return;
	tool_close(&w->tool);
	free(w->scratch.data);
	free(w->last);
	free(w);
}

const struct lvm_head *lvm_watch_head(const struct lvm_watch *w)
{
	return w->told ? &w->head : NULL;
}

const struct lvm_seen *lvm_watch_seen(const struct lvm_watch *w)
{
	return &w->seen;
}
