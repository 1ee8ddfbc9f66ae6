#include "shrink_steps.h"

/* What begins after the violation cannot have caused it. */
void shrink_up_to_violation(struct shrinking *s)
{
	struct schedule candidate;
	schedule_empty(&s->best, &candidate);
	choice_list_copy(&s->best.choices, &candidate.choices);
	for (uint32_t i = 0; i < s->best.count; i++)
		if (s->best.list[i].begin <= s->seen.at)
			schedule_add(&candidate, &s->best.list[i]);
	shrink_try_few(s, &candidate);
}

void shrink_nodes(struct shrinking *s)
{
	while (s->best.nodes > 1 && s->cpu < s->budget) {
		struct schedule candidate;
		schedule_empty(&s->best, &candidate);
		candidate.nodes--;
		for (uint32_t i = 0; i < s->best.count; i++)
			if (s->best.list[i].node < candidate.nodes)
				schedule_add(&candidate, &s->best.list[i]);
		if (!shrink_try_few(s, &candidate))
			return;
	}
}

bool shrink_move_up(struct schedule *schedule)
{
	instant first = NEVER;
	for (uint32_t i = 0; i < schedule->count; i++)
		if (schedule->list[i].begin < first)
			first = schedule->list[i].begin;
	duration by = first - (instant)schedule->nodes * SECOND - 2 * SECOND; /* founding, settling */
	if (first == NEVER || by < SECOND)
		return false;
	for (uint32_t i = 0; i < schedule->count; i++) {
		schedule->list[i].begin -= by;
		schedule->list[i].end -= by;
	}
	return true;
}

void shrink_sooner(struct shrinking *s)
{
	struct schedule candidate;
	schedule_copy(&s->best, &candidate);
	if (shrink_move_up(&candidate))
		shrink_try_few(s, &candidate);
	else
		schedule_finish(&candidate);
}

void shrink_length(struct shrinking *s)
{
	struct schedule candidate;
	duration length = s->seen.at / SECOND * SECOND + SHRINK_HEALED;
	if (length >= s->best.length)
		return;
	schedule_copy(&s->best, &candidate);
	candidate.length = length;
	for (uint32_t i = 0; i < candidate.count; i++)
		if (candidate.list[i].end > length)
			candidate.list[i].end = length;
	shrink_try_few(s, &candidate);
}
