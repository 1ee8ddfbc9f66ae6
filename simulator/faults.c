#include "faults.h"

#include <assert.h>
#include <stdlib.h>

#include "world.h"

const char *fault_name(enum fault_kind kind)
{
	static const char *const names[FAULT_COUNT] = {
#define KIND(name, text) [FAULT_##name] = text,
		FAULT_KINDS(KIND)
#undef KIND
	};
	assert(kind < FAULT_COUNT);
	return names[kind];
}

/* ---- drawing ---- */

/*
 * How long each kind may last. Pauses reach well beyond the lease (1.5 s); rho (1 %) bounds the
 * clocks' rates, of which rho/4 to either side never offends the rate guard between two clocks.
 */
#define FAULT_SHORTEST (20 * MILLISECOND)
#define FAULT_LONGEST (40 * SECOND)
#define RATE_BOUND_PPM 10000

static int64_t draw_strength(struct prng *dice, enum fault_kind kind)
{
	switch (kind) {
	case FAULT_LOSS:
		return dice_between(dice, 10000, 500000);
	case FAULT_DELAY:
		return dice_magnitude(dice, MILLISECOND, 800 * MILLISECOND);
	case FAULT_DUPLICATE:
		return dice_between(dice, 10000, 500000);
	case FAULT_REORDER:
		return dice_between(dice, 10000, 500000);
	case FAULT_DRIFT:
		return dice_between(dice, -RATE_BOUND_PPM / (prng_below(dice, 2) ? 1 : 4),
		                    RATE_BOUND_PPM / (prng_below(dice, 2) ? 1 : 4));
	case FAULT_WALL_STEP:
		return dice_magnitude(dice, MILLISECOND, 4 * 3600 * SECOND) *
		       (prng_below(dice, 2) ? 1 : -1);
	case FAULT_PARTITION:
	case FAULT_ONE_WAY:
	case FAULT_ISOLATE:
	case FAULT_HALF_DEAF:
	case FAULT_CRASH:
	case FAULT_KILL:
	case FAULT_HIT_MASTER:
	case FAULT_PAUSE:
	case FAULT_DISK_STALL:
	case FAULT_DISK_FAIL:
	case FAULT_MASS_RESTART:
	case FAULT_COUNT:
		break;
	}
	return dice_between(dice, 0, 1000000);
}

static enum fault_kind draw_kind(struct prng *dice, uint32_t swarm)
{
	enum fault_kind kind;
	do
		kind = (enum fault_kind)prng_below(dice, FAULT_COUNT);
	while (!(swarm >> kind & 1));
	return kind;
}

static void draw_one(struct prng *dice, uint32_t nodes, uint32_t swarm, instant at,
                     struct fault *out)
{
	out->begin = at;
	out->kind = draw_kind(dice, swarm);
	out->end = at + dice_magnitude(dice, FAULT_SHORTEST, FAULT_LONGEST);
	out->node = (uint32_t)prng_below(dice, nodes);
	out->group = prng_next(dice);
	out->strength = draw_strength(dice, out->kind);
}

static uint32_t draw_swarm(struct prng *dice)
{
	uint32_t swarm = 0;
	while (!swarm)
		swarm = (uint32_t)prng_next(dice) & ((1u << FAULT_COUNT) - 1);
	return swarm;
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
	queue_push(&w->queue, f->begin, begin);
	queue_push(&w->queue, f->end, end);
}

void faults_draw(struct world *w, instant from, instant until)
{
	struct faults *f = &w->faults;
	struct prng dice;
	uint32_t capacity = 0;
	dice_seed(&dice, w->settings.seed, DICE_FAULTS);
	f->swarm = draw_swarm(&dice);
	duration pace = dice_magnitude(&dice, SECOND, 60 * SECOND);
	for (instant at = from; (at += MILLISECOND + dice_tail(&dice, pace)) < until;) {
		if (f->count == capacity) {
			capacity = capacity ? capacity * 2 : 64;
			f->list = realloc(f->list, capacity * sizeof(*f->list));
			assert(f->list);
		}
		draw_one(&dice, w->count, f->swarm, at, &f->list[f->count]);
		schedule(w, f->count++, until);
	}
}

void faults_finish(struct faults *f)
{
	free(f->list);
}

/* ---- links ---- */

static bool in_group(uint64_t group, uint32_t node)
{
	return group >> (node % 64) & 1;
}

static bool separates(const struct fault *f, uint32_t from, uint32_t to)
{
	switch (f->kind) {
	case FAULT_PARTITION:
		return in_group(f->group, from) != in_group(f->group, to);
	case FAULT_ONE_WAY:
		return in_group(f->group, from) && !in_group(f->group, to);
	case FAULT_ISOLATE:
	case FAULT_HIT_MASTER:
		return from == f->node || to == f->node;
	case FAULT_HALF_DEAF:
		return (f->strength & 1 ? to : from) == f->node;
	case FAULT_LOSS:
	case FAULT_DELAY:
	case FAULT_DUPLICATE:
	case FAULT_REORDER:
	case FAULT_CRASH:
	case FAULT_KILL:
	case FAULT_PAUSE:
	case FAULT_DRIFT:
	case FAULT_WALL_STEP:
	case FAULT_DISK_STALL:
	case FAULT_DISK_FAIL:
	case FAULT_MASS_RESTART:
	case FAULT_COUNT:
		break;
	}
	return false;
}

static void cut_links(struct world *w, const struct fault *f, bool cut)
{
	for (uint32_t from = 0; from < w->count; from++)
		for (uint32_t to = 0; to < w->count; to++)
			if (from != to && separates(f, from, to))
				network_cut(&w->network, from, to, cut);
	if (cut && (f->kind == FAULT_ISOLATE || f->kind == FAULT_HIT_MASTER))
		observe_cut_off(w, &w->machines[f->node]);
}

/* ---- weather ---- */

static void set_weather(struct world *w, const struct fault *f, bool begins)
{
	struct weather *now = &w->network.weather;
	struct weather fair = network_fair();
	switch (f->kind) {
	case FAULT_LOSS:
		now->loss_ppm = begins ? (uint32_t)f->strength : fair.loss_ppm;
		return;
	case FAULT_DELAY:
		now->jitter = begins ? f->strength : fair.jitter;
		now->tail = f->strength;
		now->tail_ppm = begins ? 50000 : fair.tail_ppm;
		return;
	case FAULT_DUPLICATE:
		now->duplicate_ppm = begins ? (uint32_t)f->strength : fair.duplicate_ppm;
		return;
	case FAULT_REORDER:
		now->reorder_ppm = begins ? (uint32_t)f->strength : fair.reorder_ppm;
		return;
	case FAULT_PARTITION:
	case FAULT_ONE_WAY:
	case FAULT_ISOLATE:
	case FAULT_HALF_DEAF:
	case FAULT_CRASH:
	case FAULT_KILL:
	case FAULT_HIT_MASTER:
	case FAULT_PAUSE:
	case FAULT_DRIFT:
	case FAULT_WALL_STEP:
	case FAULT_DISK_STALL:
	case FAULT_DISK_FAIL:
	case FAULT_MASS_RESTART:
	case FAULT_COUNT:
		assert(!"not the weather");
	}
}

/* ---- machines ---- */

/* Half of these strike while the effects of some step are being carried out. */
static void strike(struct world *w, struct machine *m, enum fuse fuse, int64_t strength)
{
	if (m->state == MACHINE_UP && strength & 1) {
		m->fuse = fuse;
		m->fuse_after = (uint32_t)(strength >> 1);
		return;
	}
	if (fuse == FUSE_CRASH)
		machine_crash(w, m);
	else if (fuse == FUSE_KILL)
		machine_kill(w, m);
	else
		machine_pause(w, m);
}

static void recover(struct world *w, struct machine *m)
{
	m->fuse = FUSE_NONE;
	machine_resume(w, m);
	if (m->life > 0)
		machine_start(w, m);
}

static void drift(struct world *w, struct machine *m, const struct fault *f)
{
	enum clock_name which = (enum clock_name)(f->group % CLOCK_NAMES);
	clock_set_rate(&m->clocks[which], w->now, f->strength);
	if (f->group >> 8 & 1) /* more often than not both elapsed clocks are one oscillator */
		clock_set_rate(&m->clocks[(which + 1) % CLOCK_NAMES], w->now, f->strength);
	if (m->state != MACHINE_UP)
		return;
	/* The timer in the queue was converted at the old rate. */
	m->timer_at = NEVER;
	machine_input(w, m, &(struct input){.kind = INPUT_TICK});
}

static void restart_all(struct world *w, const struct fault *f, bool begins)
{
	for (uint32_t i = 0; i < w->count; i++) {
		if (!begins)
			recover(w, &w->machines[i]);
		else if (f->strength % 2)
			machine_kill(w, &w->machines[i]);
		else
			machine_crash(w, &w->machines[i]);
	}
}

static void hit_master(struct world *w, struct fault *f, bool begins)
{
	const struct overlap *acting = &w->observe.overlap;
	if (begins && acting->count)
		f->node = acting->nodes[0];
	struct machine *m = &w->machines[f->node];
	enum fuse fuses[] = {FUSE_CRASH, FUSE_KILL, FUSE_PAUSE, FUSE_NONE};
	enum fuse fuse = fuses[f->group % 4];
	if (fuse == FUSE_NONE)
		cut_links(w, f, begins);
	else if (begins)
		strike(w, m, fuse, f->strength);
	else
		recover(w, m);
}

static void machine_fault(struct world *w, struct fault *f, bool begins)
{
	struct machine *m = &w->machines[f->node];
	enum fuse fuse = f->kind == FAULT_CRASH ? FUSE_CRASH :
	                 f->kind == FAULT_KILL  ? FUSE_KILL :
	                                          FUSE_PAUSE;
	if (begins)
		strike(w, m, fuse, f->strength);
	else
		recover(w, m);
}

/* ---- all together ---- */

void faults_due(struct world *w, uint64_t number)
{
	struct fault *f = &w->faults.list[number / 2];
	bool begins = number % 2 == 0;
	struct machine *m = &w->machines[f->node];
	w->faults.begun[f->kind] += begins;
	switch (f->kind) {
	case FAULT_LOSS:
	case FAULT_DELAY:
	case FAULT_DUPLICATE:
	case FAULT_REORDER:
		set_weather(w, f, begins);
		return;
	case FAULT_PARTITION:
	case FAULT_ONE_WAY:
	case FAULT_ISOLATE:
	case FAULT_HALF_DEAF:
		cut_links(w, f, begins);
		return;
	case FAULT_CRASH:
	case FAULT_KILL:
	case FAULT_PAUSE:
		machine_fault(w, f, begins);
		return;
	case FAULT_HIT_MASTER:
		hit_master(w, f, begins);
		return;
	case FAULT_DRIFT:
		if (begins) /* a clock keeps its rate until another fault or the healing */
			drift(w, m, f);
		return;
	case FAULT_WALL_STEP:
		if (begins)
			m->clocks[CLOCK_OF_WALL].local += f->strength;
		return;
	case FAULT_DISK_STALL:
		machine_disk(w, m, begins ? DISK_STALLED : DISK_WELL);
		return;
	case FAULT_DISK_FAIL:
		machine_disk(w, m, begins ? DISK_FAILING : DISK_WELL);
		return;
	case FAULT_MASS_RESTART:
		restart_all(w, f, begins);
		return;
	case FAULT_COUNT:
		break;
	}
	assert(!"a fault outside its enum");
}

void faults_heal(struct world *w)
{
	network_heal(&w->network);
	w->network.weather = network_fair();
	for (uint32_t i = 0; i < w->count; i++) {
		struct machine *m = &w->machines[i];
		machine_disk(w, m, DISK_WELL);
		for (int c = 0; c < CLOCK_NAMES; c++)
			clock_set_rate(&m->clocks[c], w->now, (int64_t)(i % 5) * 50 - 100);
		recover(w, m);
		if (m->state == MACHINE_UP) {
			m->timer_at = NEVER;
			machine_input(w, m, &(struct input){.kind = INPUT_TICK});
		}
	}
}
