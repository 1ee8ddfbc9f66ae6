#include "fact_contents.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

static struct fact_seen *place(const struct facts_check *f, uint64_t name)
{
	uint64_t slot = name & (f->capacity - 1);
	while (f->table[slot].name && f->table[slot].name != name)
		slot = (slot + 1) & (f->capacity - 1);
	return &f->table[slot];
}

static void grow(struct facts_check *f)
{
	struct facts_check old = *f;
	if (2 * (old.count + 1) < old.capacity)
		return;
	f->capacity = old.capacity ? old.capacity * 2 : 256;
	f->table = calloc(f->capacity, sizeof(*f->table));
	assert(f->table);
	for (uint64_t i = 0; i < old.capacity; i++)
		if (old.table[i].name)
			*place(f, old.table[i].name) = old.table[i];
	free(old.table);
}

void facts_report(struct facts_check *f, struct violations *v, instant at, uint32_t node,
                  uint64_t name, uint64_t content)
{
	grow(f);
	struct fact_seen *seen = place(f, name | 1);
	if (!seen->name) {
		*seen = (struct fact_seen){name | 1, content, node};
		f->count++;
	} else if (seen->content != content) {
		violation_add(v, at, "facts", "node %u holds another content of a fact than node %u",
		              node, seen->by);
	}
}

void facts_check_finish(struct facts_check *f)
{
	free(f->table);
	*f = (struct facts_check){0};
}
