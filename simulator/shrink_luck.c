#include "shrink_steps.h"

/*
 * A chain of faults can be one of which no link may go, only because every other list rolls other dice:
 * clients ask at other moments, timers fire at others. Most of what such a chain does is to keep the
 * run going until some short part of it meets the right moment. So parts of it are tried alone, moved
 * up to the founding where a run costs little, each under many dice.
 */
#define SEEDS_OF_LUCK 16
#define IN_VAIN 400 /* parts tried one after the other without luck */

static uint32_t draw(struct shrinking *s, uint32_t below)
{
	return (uint32_t)prng_below(&s->dice, below);
}

/* So many in a row, or as many from anywhere. */
static void part_of(struct shrinking *s, uint32_t size, struct schedule *out)
{
	uint32_t from = draw(s, s->best.count - size + 1), left = size;
	bool row = draw(s, 2);
	schedule_empty(&s->best, out);
	for (uint32_t i = 0; i < s->best.count && left; i++) {
		if (row ? i < from : draw(s, s->best.count - i) >= left)
			continue;
		schedule_add(out, &s->best.list[i]);
		left--;
	}
}

/* Ends soon after the last fault, healed part included. */
static void cut_short(struct schedule *schedule)
{
	instant last = 0;
	for (uint32_t i = 0; i < schedule->count; i++)
		if (schedule->list[i].end > last)
			last = schedule->list[i].end;
	last = last / SECOND * SECOND + SHRINK_HEALED;
	if (last < schedule->length)
		schedule->length = last;
}

void shrink_by_luck(struct shrinking *s, uint32_t enough)
{
	for (uint32_t vain = 0; vain < IN_VAIN && s->best.count > enough && s->cpu < s->budget; vain++) {
		struct schedule candidate;
		part_of(s, 1 + draw(s, enough), &candidate);
		shrink_move_up(&candidate);
		cut_short(&candidate);
		candidate.seed += 2 * SEEDS_OF_LUCK * (uint64_t)vain;
		if (!shrink_try(s, &candidate, SEEDS_OF_LUCK))
			continue;
		shrink_length(s);
		shrink_faults(s);
	}
}
