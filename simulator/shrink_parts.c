#include "shrink_steps.h"

static void without_faults(const struct schedule *all, uint32_t from, uint32_t to,
                           struct schedule *out)
{
	schedule_empty(all, out);
	choice_list_copy(&all->choices, &out->choices);
	for (uint32_t i = 0; i < all->count; i++)
		if (i < from || i >= to)
			schedule_add(out, &all->list[i]);
}

static void without_choices(const struct schedule *all, uint32_t from, uint32_t to,
                            struct schedule *out)
{
	schedule_copy(all, out);
	choice_list_finish(&out->choices);
	for (uint32_t i = 0; i < all->choices.count; i++)
		if (i < from || i >= to)
			choice_list_add(&out->choices, &all->choices.list[i]);
}

/* What can be left out of a schedule, one by one. */
struct part {
	uint32_t (*count)(const struct schedule *s);
	void (*without)(const struct schedule *all, uint32_t from, uint32_t to,
	                struct schedule *out);
};

static uint32_t count_faults(const struct schedule *s)
{
	return s->count;
}

static uint32_t count_choices(const struct schedule *s)
{
	return s->choices.count;
}

static const struct part faults = {count_faults, without_faults};
static const struct part choices = {count_choices, without_choices};

static bool drop_chunk(struct shrinking *s, const struct part *part, uint32_t from, uint32_t size)
{
	struct schedule candidate;
	uint32_t count = part->count(&s->best);
	part->without(&s->best, from, from + size < count ? from + size : count, &candidate);
	return shrink_try_few(s, &candidate);
}

/* ddmin's complements: ever smaller chunks are left out, until no single one can be. */
static void fewer(struct shrinking *s, const struct part *part)
{
	uint32_t size = part->count(&s->best);
	while (size > 0 && s->cpu < s->budget) {
		bool dropped = false;
		for (uint32_t from = 0; from < part->count(&s->best) && s->cpu < s->budget;) {
			if (drop_chunk(s, part, from, size))
				dropped = true;
			else
				from += size;
		}
		if (dropped && size == 1)
			continue;
		size = size == 1 && !dropped ? 0 : (size + 1) / 2;
	}
}

void shrink_faults(struct shrinking *s)
{
	fewer(s, &faults);
}

void shrink_list_of_choices(struct shrinking *s)
{
	fewer(s, &choices);
}
