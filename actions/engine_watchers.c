/*
 * engine_watchers.c: who waits for an answer, and what they are told until then. Known to the
 * master only: when it changes, they are told NOT_MASTER and ask the next.
 */
#include <string.h>

#include "engine_inside.h"

static void copy_text(char *out, size_t size, const char *text)
{
	say(out, size, "%s", text);
}

void answer_now(struct engine *e, const struct request_id *request, enum engine_result result,
                const struct slot *slot, const char *text)
{
	struct engine_answer *answer = &e->answer;
	memset(answer, 0, sizeof(*answer));
	answer->request = *request;
	answer->result = result;
	if (slot) {
		answer->operation = slot->row.id;
		answer->number = slot->row.number;
		answer->state = slot->row.state;
	}
	copy_text(answer->text, sizeof(answer->text), text);
	struct engine_effect *effect = output_add(e, DO_ANSWER);
	effect->answer = output_copy(e, answer, sizeof(*answer));
}

static enum engine_result result_of(enum operation_state state)
{
	switch (state) {
	case OPERATION_DONE:
		return ENGINE_DONE;
	case OPERATION_FAILED:
		return ENGINE_FAILED;
	case OPERATION_UNDONE:
		return ENGINE_UNDONE;
	case OPERATION_UNKNOWN:
		return ENGINE_UNKNOWN;
	case OPERATION_QUEUED:
	case OPERATION_RUNNING:
	case OPERATION_CANCELLING:
		break;
	}
	return ENGINE_STARTED;
}

void answer_ended(struct engine *e, const struct request_id *request, const struct audit_row *row)
{
	struct engine_answer *answer = &e->answer;
	memset(answer, 0, sizeof(*answer));
	answer->request = *request;
	answer->result = result_of(row->state);
	answer->operation = row->id;
	answer->number = row->number;
	answer->state = row->state;
	copy_text(answer->text, sizeof(answer->text), row->text);
	struct engine_effect *effect = output_add(e, DO_ANSWER);
	effect->answer = output_copy(e, answer, sizeof(*answer));
}

bool watcher_add(struct engine *e, const struct request_id *request, uint64_t number, bool detach,
                 bool cancel)
{
	struct watcher *free = NULL;
	for (uint32_t i = 0; i < e->settings.watchers_max; i++) {
		struct watcher *w = &e->watchers[i];
		if (w->used && request_id_equal(&w->request, request)) {
			w->asked_at = e->now.boot; /* it is still waiting */
			return true;
		}
		if (!w->used && !free)
			free = w;
	}
	if (!free)
		return false;
	*free = (struct watcher){true, detach, *request, number, cancel, e->now.boot, e->now.boot};
	e->watcher_count++;
	return true;
}

static void forget(struct engine *e, struct watcher *w)
{
	w->used = false;
	e->watcher_count--;
}

/* Everybody who waits for this operation. An answer is small: room is kept for all of them by
 * turns. */
void watchers_ended(struct engine *e, const struct audit_row *row)
{
	for (uint32_t i = 0; i < e->settings.watchers_max && e->watcher_count; i++) {
		struct watcher *w = &e->watchers[i];
		if (!w->used || w->number != row->number ||
		    !output_room(e, TURN_EFFECTS, TURN_BYTES))
			continue; /* no room: watchers_tell finds it ended */
		answer_ended(e, &w->request, row);
		forget(e, w);
	}
}

void watchers_committed(struct engine *e, struct slot *slot)
{
	for (uint32_t i = 0; i < e->settings.watchers_max && e->watcher_count; i++) {
		struct watcher *w = &e->watchers[i];
		if (!w->used || w->number != slot->row.number)
			continue;
		bool content = w->detach || (w->cancel && slot->row.state == OPERATION_CANCELLING);
		if (content && output_room(e, TURN_EFFECTS, TURN_BYTES)) {
			answer_now(e, &w->request, ENGINE_STARTED, slot, slot->row.text);
			forget(e, w);
		} else {
			w->tell_at = e->now.boot;
		}
	}
}

void watchers_failed(struct engine *e, uint64_t number, enum engine_result result, const char *text)
{
	for (uint32_t i = 0; i < e->settings.watchers_max && e->watcher_count; i++) {
		struct watcher *w = &e->watchers[i];
		if (!w->used || w->number != number)
			continue;
		if (output_room(e, TURN_EFFECTS, 4096))
			answer_now(e, &w->request, result, NULL, text);
		forget(e, w);
	}
}

static void tell(struct engine *e, struct watcher *w)
{
	struct slot *slot = slot_by_number(e, w->number);
	if (!slot) {
		const struct audit_row *row = audit_read(e, w->number);
		if (row && row->ended_wall) {
			answer_ended(e, &w->request, row);
			forget(e, w);
		}
		return;
	}
	if (!slot->version)
		return; /* nothing is told before it is committed */
	struct engine_progress progress;
	master_progress(e, slot, &progress);
	struct engine_effect *effect = output_add(e, DO_PROGRESS);
	effect->progress.request = w->request;
	effect->progress.operation = slot->row.id;
	effect->progress.number = slot->row.number;
	effect->progress.progress = output_copy(e, &progress, sizeof(progress));
}

void watchers_tell(struct engine *e)
{
	uint32_t left = e->watcher_count;
	for (uint32_t i = 0; i < e->settings.watchers_max && left; i++) {
		struct watcher *w = &e->watchers[i];
		if (!w->used)
			continue;
		left--;
		if (e->now.boot - w->asked_at > WATCHER_PATIENCE) {
			forget(e, w); /* it went away */
			continue;
		}
		if (w->tell_at <= e->now.boot && output_room(e, TURN_EFFECTS, TURN_BYTES)) {
			w->tell_at = e->now.boot + TELL_EVERY;
			tell(e, w);
		}
		if (w->used)
			due_at(e, w->tell_at);
	}
}

void watchers_not_master(struct engine *e)
{
	for (uint32_t i = 0; i < e->settings.watchers_max && e->watcher_count; i++) {
		struct watcher *w = &e->watchers[i];
		if (!w->used)
			continue;
		if (output_room(e, TURN_EFFECTS, 4096))
			answer_now(e, &w->request, ENGINE_NOT_MASTER, NULL, "");
		forget(e, w); /* who was not told finds out by asking again */
	}
}
