#include "log.h"

#include <assert.h>
#include <string.h>

#include "core.h"

#define LOG_SLOTS 2048u /* a power of two; the window's length in entries */

void log_init(struct log *log, uint32_t bytes, struct carve *memory)
{
	log->half_size = bytes / 2;
	log->slot_mask = LOG_SLOTS - 1;
	log->slots = carve(memory, LOG_SLOTS * sizeof *log->slots);
	log->halves[0] = carve(memory, log->half_size);
	log->halves[1] = carve(memory, log->half_size);
	log_reset(log, 0);
}

void log_reset(struct log *log, uint64_t index)
{
	log->first = index + 1;
	log->last = log->commit = log->applied = index;
	log->used = log->live = 0;
}

static struct log_slot *slot_at(const struct log *log, uint64_t index)
{
	return &log->slots[index & log->slot_mask];
}

static bool holds(const struct log *log, uint64_t index)
{
	return index >= log->first && index <= log->last;
}

bool log_get(const struct log *log, uint64_t index, struct entry *out)
{
	if (!holds(log, index))
		return false;
	const struct log_slot *slot = slot_at(log, index);
	*out = (struct entry){index, slot->ballot,
		{log->halves[log->half] + slot->offset, slot->size}};
	return true;
}

struct ballot log_ballot(const struct log *log, uint64_t index)
{
	return holds(log, index) ? slot_at(log, index)->ballot : (struct ballot){0};
}

/* Applied entries may be forgotten to make room; what is not applied must stay. */
static void make_room(struct log *log, size_t size)
{
	while (log->first <= log->applied &&
	       (log->live + size > log->half_size || log->last - log->first + 1 >= LOG_SLOTS))
		log_trim_below(log, log->first);
}

bool log_fits(const struct log *log, size_t size)
{
	return log_bytes_above(log, log->applied) + size <= log->half_size &&
	       log->last - log->applied + 1 < LOG_SLOTS;
}

static void flip(struct log *log)
{
	uint8_t *from = log->halves[log->half], *to = log->halves[!log->half];
	uint32_t used = 0;
	for (uint64_t i = log->first; i <= log->last; i++) {
		struct log_slot *slot = slot_at(log, i);
		memcpy(to + used, from + slot->offset, slot->size);
		slot->offset = used;
		used += slot->size;
	}
	log->half = !log->half;
	log->used = used;
}

static bool same_bytes(const struct log *log, const struct log_slot *slot, struct bytes b)
{
	return slot->size == b.size &&
	       (b.size == 0 || memcmp(log->halves[log->half] + slot->offset, b.data, b.size) == 0);
}

bool log_put(struct log *log, uint64_t index, const struct ballot *ballot, struct bytes command)
{
	assert(index >= log->first && index <= log->last + 1);
	if (holds(log, index)) {
		struct log_slot *slot = slot_at(log, index);
		if (same_bytes(log, slot, command)) {
			slot->ballot = *ballot;
			return true;
		}
	}
	uint32_t size = (uint32_t)command.size;
	make_room(log, size);
	if (index < log->first || log->live + size > log->half_size ||
	    (index > log->last && log->last - log->first + 1 >= LOG_SLOTS))
		return false;
	if (holds(log, index)) {
		log->live -= slot_at(log, index)->size;
		slot_at(log, index)->size = 0;
	}
	if (log->used + size > log->half_size)
		flip(log);
	struct log_slot *slot = slot_at(log, index);
	if (size > 0)
		memcpy(log->halves[log->half] + log->used, command.data, size);
	*slot = (struct log_slot){*ballot, log->used, size};
	log->used += size;
	log->live += size;
	if (index > log->last)
		log->last = index;
	return true;
}

void log_cut_above(struct log *log, uint64_t index)
{
	assert(index >= log->commit);
	while (log->last > index) {
		log->live -= slot_at(log, log->last)->size;
		log->last--;
	}
}

void log_trim_below(struct log *log, uint64_t index)
{
	assert(index <= log->applied);
	while (log->first <= index && log->first <= log->last) {
		log->live -= slot_at(log, log->first)->size;
		log->first++;
	}
}

size_t log_bytes_above(const struct log *log, uint64_t index)
{
	size_t size = 0;
	for (uint64_t i = index < log->first ? log->first : index + 1; i <= log->last; i++)
		size += slot_at(log, i)->size;
	return size;
}
