/*
 * Folders, NFS mounts and ZFS pools that are declared for this node, looked at one after the other, by the hand.
 *
 *     row 's' of type dir, nfs, zfs --> entry --every EVERY s, a free slot--> asked --> what was seen is told
 *                                                        \--does not even die--> the slot is held: stuck
 *
 * A file system that hangs holds its own slot and its own entry; the others go on while a slot is left.
 */
#include <stdlib.h>
#include <string.h>

#include "body_clock.h"
#include "dir_probe.h"
#include "observe_storage.h"
#include "observe_tool.h"
#include "programs.h"
#include "storages.h"

#define LIMIT (10 * SECOND)
#define EVERY 5        /* s */
#define SLOTS 4        /* questions at a time, or file systems that hang */
#define STARVED_MAX 60 /* s without a slot: then what was seen is old */

struct dirs_entry {
	struct dir_seen seen;
	struct command_line question;
	uint32_t wait, starved; /* s */
	bool declared;          /* still */
};

struct slot {
	struct dirs_watch *watch;
	struct tool tool;
	char storage[NAME_MAX_SIZE + 1]; /* of the last question */
};

struct dirs_watch {
	struct body *body;
	uint32_t count;
	struct dirs_entry entries[DIRS_MAX];
	struct slot slots[SLOTS];
	bool changed;
	instant wall;
	struct dirs_seen told;
	uint8_t value[FACT_VALUE_MAX];
	struct arena scratch;
};

/* ---- what is declared ---- */

static struct dirs_entry *entry_of(struct dirs_watch *w, const char *storage)
{
	for (uint32_t i = 0; i < w->count; i++) {
		if (strcmp(w->entries[i].seen.storage, storage) == 0)
			return &w->entries[i];
	}
	return NULL;
}

/* The same storage as before, or from the beginning. */
static void declare(struct dirs_watch *w, const struct storage_row *row)
{
	struct dir_seen fresh;
	struct command_line question;
	struct dirs_entry *e = entry_of(w, row->name);
	if (!dir_probe_call(row, &question))
		return;
	dir_probe_begin(row, &fresh);
	if (e == NULL && w->count == DIRS_MAX)
		return;
	if (e == NULL)
		e = &w->entries[w->count++];
	else if (e->seen.kind == fresh.kind && strcmp(e->seen.path, fresh.path) == 0) {
		e->declared = true;
		return;
	}
	*e = (struct dirs_entry){.seen = fresh, .declared = true};
	e->seen.since_wall = w->wall;
	dir_probe_call(row, &e->question);
	w->changed = true;
}

static void collect(struct dirs_watch *w)
{
	struct storage_row row;
	node_id self = node_key_id(&w->body->keys.public_key);
	for (uint32_t i = 0; i < w->count; i++)
		w->entries[i].declared = false;
	for (uint32_t cursor = 0; storages_next(w->body->gossip, &cursor, &row);) {
		if (storage_on(&row, self))
			declare(w, &row);
	}
	for (uint32_t i = 0; i < w->count;) {
		if (w->entries[i].declared) {
			i++;
			continue;
		}
		w->entries[i] = w->entries[--w->count];
		w->changed = true;
	}
}

/* ---- looking ---- */

static void note(struct dirs_watch *w, struct dirs_entry *e, enum inventory_state state, instant since)
{
	if (e->seen.state == state)
		return;
	e->seen.state = state;
	e->seen.since_wall = state == INVENTORY_UNKNOWN || state == INVENTORY_STUCK ? since : 0;
	w->changed = true;
}

static void take(struct dirs_watch *w, struct dirs_entry *e, const struct hand_result *r)
{
	struct dir_seen fresh = e->seen;
	fresh.mounted = fresh.writable = false;
	fresh.marker[0] = fresh.source[0] = fresh.health[0] = '\0';
	if (tool_well(r) && dir_probe_parse((const char *)r->out.data, &fresh)) {
		w->changed |= memcmp(&fresh, &e->seen, sizeof fresh) != 0;
		e->seen = fresh;
		return;
	}
	bool pool = e->seen.kind == DIR_ZFS, ended = r->outcome == HAND_EXITED;
	if (ended && r->code == (pool ? 1 : FILE_MISSING))
		note(w, e, INVENTORY_NONE, 0);
	else if (r->outcome == HAND_TIMED_OUT || r->outcome == HAND_STUCK || (ended && !pool && r->code == FILE_STALE))
		note(w, e, INVENTORY_STUCK, w->wall - LIMIT);
	else
		note(w, e, INVENTORY_UNKNOWN, w->wall);
}

static void on_done(void *context, const struct hand_result *r)
{
	struct slot *s = context;
	struct dirs_entry *e = entry_of(s->watch, s->storage);
	if (e == NULL)
		return; /* it is not declared any more */
	e->wait = EVERY;
	take(s->watch, e, r);
}

/* Its own slot if it has one that is busy, else any that is free; NULL: it is being asked, or there is none. */
static struct slot *slot_for(struct dirs_watch *w, const struct dirs_entry *e, bool *busy)
{
	struct slot *free_one = NULL;
	*busy = false;
	for (int i = 0; i < SLOTS; i++) {
		struct slot *s = &w->slots[i];
		bool taken = tool_busy(&s->tool);
		*busy |= taken && strcmp(s->storage, e->seen.storage) == 0;
		if (!taken)
			free_one = s;
	}
	return *busy ? NULL : free_one;
}

static void look(struct dirs_watch *w, struct dirs_entry *e)
{
	bool busy;
	struct slot *s = slot_for(w, e, &busy);
	if (busy || (e->wait > 0 && --e->wait > 0))
		return;
	if (s == NULL && ++e->starved > STARVED_MAX)
		note(w, e, INVENTORY_UNKNOWN, w->wall);
	if (s == NULL)
		return;
	e->starved = 0;
	memcpy(s->storage, e->seen.storage, sizeof s->storage);
	if (tool_ask(&s->tool, &e->question, LIMIT, on_done, s) < 0)
		note(w, e, INVENTORY_UNKNOWN, w->wall);
}

static void tell(struct dirs_watch *w)
{
	w->told.count = w->count;
	for (uint32_t i = 0; i < w->count; i++)
		w->told.list[i] = w->entries[i].seen;
	size_t size = w->count == 0 ? 0 : dirs_encode(&w->told, &w->scratch, w->value, sizeof w->value);
	inventory_publish(w->body, FACT_KEY_DIRS, w->value, size);
	w->changed = false;
}

void dirs_watch_again(struct dirs_watch *w, instant wall)
{
	struct hand_view hand;
	hand_look(w->body->hand, &hand);
	w->wall = wall;
	collect(w);
	for (uint32_t i = 0; i < w->count; i++) {
		if (hand.standing == HAND_STANDING_NONE)
			note(w, &w->entries[i], INVENTORY_BLIND, 0);
		else if (hand.standing == HAND_STANDING_GONE)
			note(w, &w->entries[i], INVENTORY_UNKNOWN, wall);
		else
			look(w, &w->entries[i]);
	}
	if (w->changed)
		tell(w);
}

/* ---- life ---- */

struct dirs_watch *dirs_watch_create(struct body *body)
{
	struct dirs_watch *w = calloc(1, sizeof *w);
	if (w == NULL)
		return NULL;
	w->body = body;
	w->changed = true; /* what an earlier life told may not be so any more */
	for (int i = 0; i < SLOTS; i++) {
		w->slots[i].watch = w;
		tool_open(&w->slots[i].tool, body);
	}
	w->scratch = (struct arena){malloc(INVENTORY_SCRATCH), INVENTORY_SCRATCH, 0};
	if (w->scratch.data != NULL)
		return w;
	dirs_watch_destroy(w);
	return NULL;
}

void dirs_watch_destroy(struct dirs_watch *w)
{
	if (w == NULL)
		return;
	for (int i = 0; i < SLOTS; i++)
		tool_close(&w->slots[i].tool);
	free(w->scratch.data);
	free(w);
}
