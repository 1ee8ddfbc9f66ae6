/*
 * engine_locks.c: locks are the lists of open operations. Whoever finds one taken is refused ('!')
 * or waits in the queue ('~'); the queue is by number, so nobody is overtaken by who wants the
 * same.
 */
#include <string.h>

#include "engine_inside.h"

static uint64_t hash_of(const char *text)
{
	uint64_t hash = 14695981039346656037u; /* FNV-1a */
	for (; *text; text++)
		hash = (hash ^ (uint8_t)*text) * 1099511628211u;
	return hash ? hash : 1;
}

void locks_hash(struct slot *slot)
{
	bool waits;
	const char *name;
	slot->lock_count = 0;
	for (uint32_t cursor = 0; locks_next(&slot->row.locks, &cursor, &waits, &name);) {
		if (slot->lock_count < LOCKS_PER_ROW_MAX)
			slot->locks[slot->lock_count++] = hash_of(name);
	}
}

static bool holds(const struct slot *slot, const char *wanted)
{
	bool waits;
	const char *name;
	for (uint32_t cursor = 0; locks_next(&slot->row.locks, &cursor, &waits, &name);) {
		if (!strcmp(name, wanted))
			return true;
	}
	return false;
}

static struct slot *holder_of(struct engine *e, const char *name)
{
	uint64_t hash = hash_of(name);
	for (uint32_t i = 0; i < e->slot_count; i++) {
		struct slot *slot = &e->slots[i];
		if (!slot->used || (!slot->version && ENGINE_WEAKENED(e, ENGINE_WEAK_PENDING)))
			continue;
		for (uint32_t l = 0; l < slot->lock_count; l++) {
			if (slot->locks[l] == hash && holds(slot, name))
				return slot;
		}
	}
	return NULL;
}

struct slot *locks_taken(struct engine *e, const struct lock_list *list, const char **out_name)
{
	bool waits;
	const char *name;
	for (uint32_t cursor = 0; locks_next(list, &cursor, &waits, &name);) {
		struct slot *holder = waits ? NULL : holder_of(e, name);
		if (holder) {
			*out_name = name;
			return holder;
		}
	}
	return NULL;
}

/* "12 s", rounded: for sentences. */
static void say_length(duration length, char out[24])
{
	long long seconds = (long long)(length / SECOND);
	if (seconds < 120)
		say(out, 24, "%lld s", seconds);
	else if (seconds < 7200)
		say(out, 24, "%lld min", seconds / 60);
	else
		say(out, 24, "%lld h", seconds / 3600);
}

void locks_say(struct engine *e, const struct slot *holder, const char *name, struct step_why *why)
{
	const struct operation_row *row = &holder->row;
	struct engine_member member;
	bool known = view_member_by_id(e->settings.view, row->from, &member);
	char age[24], left[24];
	say_length(e->now.wall - row->asked_wall, age);
	say_length(row->deadline_wall - e->now.wall, left);
	verdict_why(
	    why, STEP_FAILED,
	    "'%s' is locked by operation %llu, %s %s, of %s from %s, for %s; it ends in %s at the "
	    "latest: essaim op wait %llu",
	    name, (unsigned long long)row->number, row->noun, row->verb, row->who,
	    row->job[0] ? row->job
	    : known     ? member.name
			: "a node that left",
	    age, row->deadline_wall > e->now.wall ? left : "a moment (it is past its deadline)",
	    (unsigned long long)row->number);
}

/* Adds to the table; false: was there. */
static bool mark(struct engine *e, uint64_t hash)
{
	uint32_t at = (uint32_t)hash & e->table_mask;
	while (e->table[at] && e->table[at] != hash)
		at = (at + 1) & e->table_mask;
	if (e->table[at])
		return false;
	e->table[at] = hash;
	return true;
}

static bool marked(const struct engine *e, uint64_t hash)
{
	uint32_t at = (uint32_t)hash & e->table_mask;
	while (e->table[at] && e->table[at] != hash)
		at = (at + 1) & e->table_mask;
	return e->table[at] != 0;
}

static bool mark_all(struct engine *e, const struct slot *slot)
{
	bool free = true;
	for (uint32_t l = 0; l < slot->lock_count; l++)
		free = !marked(e, slot->locks[l]) && free;
	for (uint32_t l = 0; l < slot->lock_count; l++)
		mark(e, slot->locks[l]);
	return free;
}

static struct load *load_of(struct engine *e, node_id node)
{
	for (uint32_t i = 0; i < e->load_count; i++) {
		if (e->loads[i].node == node)
			return &e->loads[i];
	}
	e->loads[e->load_count] = (struct load){node, 0};
	return &e->loads[e->load_count++];
}

static void load_add(struct engine *e, const struct slot *slot)
{
	for (uint32_t t = 0; t < slot->row.target_count; t++)
		load_of(e, slot->row.targets[t])->count++;
}

static bool node_has_room(struct engine *e, const struct slot *slot)
{
	for (uint32_t t = 0; t < slot->row.target_count; t++) {
		if (load_of(e, slot->row.targets[t])->count >= e->settings.running_per_node)
			return false;
	}
	return true;
}

/* One whose beginning is proposed counts as running. */
static bool waits_in_queue(const struct slot *slot)
{
	return slot->row.state == OPERATION_QUEUED && !slot->proposal;
}

void locks_queue(struct engine *e, void (*begin)(struct engine *e, struct slot *slot))
{
	memset(e->table, 0, sizeof(*e->table) * (e->table_mask + 1));
	e->load_count = 0;
	for (uint32_t i = 0; i < e->ordered_count; i++) {
		const struct slot *slot = &e->slots[e->ordered[i]];
		if (!waits_in_queue(slot)) {
			mark_all(e, slot);
			load_add(e, slot);
		}
	}
	for (uint32_t i = 0; i < e->ordered_count; i++) {
		struct slot *slot = &e->slots[e->ordered[i]];
		if (!waits_in_queue(slot) || !mark_all(e, slot) || slot->cancel)
			continue;
		if (node_has_room(e, slot) && output_room(e, TURN_EFFECTS, TURN_BYTES)) {
			begin(e, slot);
			load_add(e, slot);
		}
	}
}
