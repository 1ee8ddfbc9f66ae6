#include <stdlib.h>

#include "world.h"

/*
 * How long each kind may last. Pauses reach well beyond the lease (1.5 s); rho (1 %) bounds the
 * clocks' rates, of which rho/4 to either side never offends the rate guard between two clocks.
 */
#define FAULT_SHORTEST (20 * MILLISECOND)
#define FAULT_LONGEST (40 * SECOND)
#define RATE_BOUND_PPM 10000
#define RATE_BEYOND_PPM 200000
#define SLEW_PPM 80000 /* chrony's maxslewrate is 83333 ppm */
#define SWIZZLE_STEP_MAX (2 * SECOND)

/* Kinds of which the swarm's coin alone would give too many: they cost a member or a disk each. */
#define ONCE_PER_RUN                                                                               \
	((uint64_t)1 << FAULT_CLONE | (uint64_t)1 << FAULT_ROLLBACK |                              \
	 (uint64_t)1 << FAULT_ADDRESS_SWAP | (uint64_t)1 << FAULT_CLUSTER_SWAP |                   \
	 (uint64_t)1 << FAULT_SEIZE)

/*
 * A member that moves is found by those that did not, who also write its new address down, after half
 * a minute. If the others move before that, none of them knows where any other is, and no rule can.
 */
#define MOVES ((uint64_t)1 << FAULT_ADDRESS_SWAP | (uint64_t)1 << FAULT_CLUSTER_SWAP)

static int64_t either_sign(struct prng *dice, int64_t x)
{
	return prng_below(dice, 2) ? x : -x;
}

static int64_t draw_drift(struct prng *dice)
{
	int64_t bound = RATE_BOUND_PPM / (prng_below(dice, 2) ? 1 : 4);
	return dice_between(dice, -bound, bound);
}

/* By kind: ppm, ns, bytes; for all others a die that their carrier reads. */
static int64_t draw_strength(struct prng *dice, enum fault_kind kind)
{
	if (kind == FAULT_LOSS || kind == FAULT_DUPLICATE || kind == FAULT_REORDER)
		return dice_between(dice, 10000, 500000);
	if (kind == FAULT_DELAY)
		return dice_magnitude(dice, MILLISECOND, 800 * MILLISECOND);
	if (kind == FAULT_DRIFT)
		return draw_drift(dice);
	if (kind == FAULT_BEYOND)
		return either_sign(dice, dice_between(dice, 2 * RATE_BOUND_PPM, RATE_BEYOND_PPM));
	if (kind == FAULT_SLEW)
		return either_sign(dice, dice_between(dice, SLEW_PPM / 8, SLEW_PPM));
	if (kind == FAULT_WALL_STEP)
		return either_sign(dice, dice_magnitude(dice, MILLISECOND, 4 * 3600 * SECOND));
	if (kind == FAULT_BLACK_HOLE)
		return dice_between(dice, 120, PACKET_MAX);
	if (kind == FAULT_DISK_FULL)
		return dice_magnitude(dice, 64, 64 * 1024);
	return dice_between(dice, 0, 1000000);
}

static void add(struct world *w, const struct fault *fault)
{
	struct faults *f = &w->faults;
	if (f->count % 64 == 0) {
		f->list = realloc(f->list, (f->count + 64) * sizeof(*f->list));
		assert(f->list);
	}
	f->list[f->count++] = *fault;
}

/*
 * FoundationDB's swizzle: the nodes of a random group are clogged one after the other, and let go
 * in another order. Drawn as one fault per node, so that each can be taken away alone.
 */
static void add_swizzle(struct world *w, struct prng *dice, struct fault f)
{
	duration step = dice_magnitude(dice, 5 * MILLISECOND, SWIZZLE_STEP_MAX);
	instant begin = f.begin, end = f.end + step * w->count;
	for (uint32_t node = 0; node < w->count; node++) {
		if (!(f.group >> (node % 64) & 1))
			continue;
		f.node = node;
		f.begin = begin;
		f.end = end - step * (int64_t)prng_below(dice, w->count);
		begin += step;
		if (f.end <= f.begin)
			f.end = f.begin + step;
		add(w, &f);
	}
}

static enum fault_kind draw_kind(struct prng *dice, uint64_t swarm)
{
	enum fault_kind kind;
	do
		kind = (enum fault_kind)prng_below(dice, FAULT_COUNT);
	while (!(swarm >> kind & 1));
	return kind;
}

static void draw_one(struct world *w, struct prng *dice, instant at, uint64_t *left)
{
	struct fault f = {.begin = at, .kind = draw_kind(dice, *left)};
	f.end = at + dice_magnitude(dice, FAULT_SHORTEST, FAULT_LONGEST);
	f.node = (uint32_t)prng_below(dice, w->count);
	f.group = prng_next(dice);
	f.strength = draw_strength(dice, f.kind);
	if (ONCE_PER_RUN >> f.kind & 1)
		*left &= ~(MOVES >> f.kind & 1 ? MOVES : (uint64_t)1 << f.kind);
	if (f.kind == FAULT_SWIZZLE)
		add_swizzle(w, dice, f);
	else
		add(w, &f);
}

static void schedule(struct world *w, uint32_t index, instant until)
{
	struct fault *f = &w->faults.list[index];
	struct event *begin = queue_event(&w->queue, EVENT_FAULT, f->node, 0);
	struct event *end = queue_event(&w->queue, EVENT_FAULT, f->node, 0);
	begin->number = (uint64_t)index * 2;
	end->number = (uint64_t)index * 2 + 1;
	if (f->end > until)
		f->end = until;
	if (f->begin > until)
		f->begin = until;
	queue_push(&w->queue, f->begin, begin);
	queue_push(&w->queue, f->end, end);
}

void faults_schedule(struct world *w, instant until)
{
	for (uint32_t i = 0; i < w->faults.count; i++)
		schedule(w, i, until);
}

/* They shape or cost the whole run, so fewer runs have them. */
#define RARE                                                                                       \
	((uint64_t)1 << FAULT_NETWORK | (uint64_t)1 << FAULT_UPGRADE | (uint64_t)1 << FAULT_SEIZE)

uint64_t faults_swarm_of(const struct world_settings *settings, struct prng *dice)
{
	const uint64_t all = ((uint64_t)1 << FAULT_COUNT) - 1, beyond = (uint64_t)1 << FAULT_BEYOND;
	uint64_t swarm = 0;
	dice_seed(dice, settings->seed, DICE_FAULTS);
	while (!(swarm & ~beyond))
		swarm = prng_next(dice) & all;
	swarm &= ~beyond & (~RARE | prng_next(dice));
	if (settings->beyond)
		swarm |= beyond;
	return settings->kinds ? swarm & settings->kinds : swarm;
}

void faults_swarm(struct world *w)
{
	w->faults.swarm = faults_swarm_of(&w->settings, &w->faults.dice);
}

void faults_draw(struct world *w, instant from, instant until)
{
	struct faults *f = &w->faults;
	uint64_t left = f->swarm;
	duration pace = dice_magnitude(&f->dice, SECOND, 60 * SECOND);
	for (instant at = from; left && (at += MILLISECOND + dice_tail(&f->dice, pace)) < until;)
		draw_one(w, &f->dice, at, &left);
	faults_schedule(w, until);
}

void faults_finish(struct faults *f)
{
	free(f->list);
}
