#include "faults.h"

#include <assert.h>
#include <string.h>

#include "copies.h"
#include "foreign.h"
#include "insiders.h"
#include "operators.h"
#include "people.h"
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

bool fault_kinds_parse(const char *list, uint64_t *out)
{
	*out = 0;
	while (*list) {
		size_t size = strcspn(list, ",");
		int kind = 0;
		while (kind < FAULT_COUNT && (strlen(fault_name((enum fault_kind)kind)) != size ||
		                              strncmp(fault_name((enum fault_kind)kind), list, size)))
			kind++;
		if (kind == FAULT_COUNT)
			return false;
		*out |= (uint64_t)1 << kind;
		list += size + (list[size] == ',');
	}
	return true;
}

/* ---- links ---- */

static bool in_group(uint64_t group, uint32_t node)
{
	return group >> (node % 64) & 1;
}

/* Where a node stands in the line: by a hash, so that every order is likely. */
static uint32_t place_in_chain(const struct world *w, uint64_t group, uint32_t node)
{
	uint32_t place = 0;
	uint64_t own = (group ^ node) * 0x9fb21c651e98df25u;
	for (uint32_t i = 0; i < w->count; i++)
		place += (group ^ i) * 0x9fb21c651e98df25u < own;
	return place;
}

static bool far_apart(const struct world *w, uint64_t group, uint32_t from, uint32_t to)
{
	uint32_t a = place_in_chain(w, group, from), b = place_in_chain(w, group, to);
	return a > b + 1 || b > a + 1;
}

static bool separates(const struct world *w, const struct fault *f, uint32_t from, uint32_t to)
{
	bool touches = from == f->node || to == f->node;
	bool split = in_group(f->group, from) != in_group(f->group, to);
	if (f->kind == FAULT_PARTITION)
		return split;
	if (f->kind == FAULT_BRIDGE)
		return split && !touches;
	if (f->kind == FAULT_CHAIN)
		return far_apart(w, f->group, from, to);
	if (f->kind == FAULT_ONE_WAY)
		return in_group(f->group, from) && !in_group(f->group, to);
	if (f->kind == FAULT_HALF_DEAF)
		return (f->strength & 1 ? to : from) == f->node;
	return touches; /* ISOLATE, HIT_MASTER, WITNESS */
}

static void cut_links(struct world *w, struct fault *f, bool cut)
{
	for (uint32_t from = 0; from < w->count; from++)
		for (uint32_t to = 0; to < w->count; to++)
			if (from != to && separates(w, f, from, to))
				network_cut(&w->network, from, to, cut);
	if (cut && (f->kind == FAULT_ISOLATE || f->kind == FAULT_HIT_MASTER ||
	            f->kind == FAULT_WITNESS))
		observe_cut_off(w, &w->machines[f->node]);
}

/* What was held back arrives when the clog ends; nothing is lost by it. */
static void clog_links(struct world *w, struct fault *f, bool begins)
{
	for (uint32_t to = 0; begins && to < w->count; to++) {
		struct link *link = network_link(&w->network, f->node, to);
		if (link->clogged_until < f->end)
			link->clogged_until = f->end;
	}
}

static void black_hole(struct world *w, struct fault *f, bool begins)
{
	uint32_t limit = begins ? (uint32_t)f->strength : 0;
	for (uint32_t other = 0; other < w->count; other++) {
		network_link(&w->network, f->node, other)->size_limit = limit;
		network_link(&w->network, other, f->node)->size_limit = limit;
	}
}

/* ---- weather ---- */

static void loss(struct world *w, struct fault *f, bool begins)
{
	w->network.weather.loss_ppm = begins ? (uint32_t)f->strength : network_fair().loss_ppm;
}

static void delay(struct world *w, struct fault *f, bool begins)
{
	struct weather fair = network_fair(), *now = &w->network.weather;
	now->jitter = begins ? f->strength : fair.jitter;
	now->tail = f->strength;
	now->tail_ppm = begins ? 50000 : fair.tail_ppm;
}

static void duplicate(struct world *w, struct fault *f, bool begins)
{
	w->network.weather.duplicate_ppm =
		begins ? (uint32_t)f->strength : network_fair().duplicate_ppm;
}

static void reorder(struct world *w, struct fault *f, bool begins)
{
	w->network.weather.reorder_ppm =
		begins ? (uint32_t)f->strength : network_fair().reorder_ppm;
}

/* One kind of message is lost, in three cases of four without exception. */
static void filter(struct world *w, struct fault *f, bool begins)
{
	w->network.weather.filter = begins ? (enum message_kind)(1 + f->group % (MESSAGE_KINDS - 1)) :
	                                     MESSAGE_NONE;
	w->network.weather.filter_ppm = f->group >> 32 & 3 ? 1000000 : (uint32_t)f->strength;
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

static void suspend(struct world *w, struct fault *f, bool begins)
{
	struct machine *m = &w->machines[f->node];
	if (begins)
		machine_suspend(w, m);
	else
		machine_recover(w, m);
}

/* Somebody must tell them of each other: a third member. */
static bool third_stays(struct world *w, const struct machine *a, const struct machine *b)
{
	uint32_t others = 0;
	for (uint32_t i = 0; i < w->count; i++) {
		const struct machine *m = &w->machines[i];
		others += m != a && m != b && operators_stays(w, m);
	}
	return others > 0;
}

/* Both come up under the other's address, as two hosts whose leases were mixed up. */
static void swap_addresses(struct world *w, struct fault *f, bool begins)
{
	struct machine *a = &w->machines[f->node];
	struct machine *b = &w->machines[(f->node + 1 + f->group % w->count) % w->count];
	if (a == b || !a->life || !b->life || !third_stays(w, a, b))
		return;
	if (!begins) {
		machine_recover(w, a);
		machine_recover(w, b);
		return;
	}
	/* A daemon is told its address when it starts. */
	machine_kill(w, a);
	machine_kill(w, b);
	network_swap(&w->network, a, b);
	w->operators.moved_at = w->now;
}

static void disk_stall(struct world *w, struct fault *f, bool begins)
{
	machine_disk(w, &w->machines[f->node], begins ? DISK_STALLED : DISK_WELL);
}

static void disk_fail(struct world *w, struct fault *f, bool begins)
{
	machine_disk(w, &w->machines[f->node], begins ? DISK_FAILING : DISK_WELL);
}

static void disk_full(struct world *w, struct fault *f, bool begins)
{
	w->machines[f->node].disk.room = (size_t)f->strength;
	machine_disk(w, &w->machines[f->node], begins ? DISK_FULL : DISK_WELL);
}

/* The timer in the queue was converted at the old rate. */
static void clocks_changed(struct world *w, struct machine *m)
{
	if (m->state != MACHINE_UP)
		return;
	m->timer_at = NEVER;
	machine_input(w, m, &(struct input){.kind = INPUT_TICK});
}

/* A clock keeps its rate until another fault or the healing. */
static void drift(struct world *w, struct fault *f, bool begins)
{
	struct machine *m = &w->machines[f->node];
	enum clock_name which = (enum clock_name)(f->group % CLOCK_NAMES);
	if (!begins || m->asleep)
		return;
	clock_set_rate(&m->clocks[which], w->now, f->strength);
	if (f->group >> 8 & 1) /* more often than not both elapsed clocks are one oscillator */
		clock_set_rate(&m->clocks[(which + 1) % CLOCK_NAMES], w->now, f->strength);
	clocks_changed(w, m);
}

/* chrony works on boot and wall alike and never on raw; afterwards all three run as raw does. */
static void slew(struct world *w, struct fault *f, bool begins)
{
	struct machine *m = &w->machines[f->node];
	int64_t raw = m->clocks[CLOCK_OF_RAW].ppm;
	if (m->asleep) {
		m->awake_ppm[CLOCK_OF_BOOT] = m->awake_ppm[CLOCK_OF_RAW];
		return;
	}
	clock_set_rate(&m->clocks[CLOCK_OF_BOOT], w->now, raw + (begins ? f->strength : 0));
	clock_set_rate(&m->clocks[CLOCK_OF_WALL], w->now, raw + (begins ? f->strength : 0));
	clocks_changed(w, m);
}

static void wall_step(struct world *w, struct fault *f, bool begins)
{
	if (begins)
		w->machines[f->node].clocks[CLOCK_OF_WALL].local += f->strength;
}

static void restart_all(struct world *w, struct fault *f, bool begins)
{
	for (uint32_t i = 0; i < w->count; i++) {
		if (!begins)
			machine_recover(w, &w->machines[i]);
		else if (f->strength % 2)
			machine_kill(w, &w->machines[i]);
		else
			machine_crash(w, &w->machines[i]);
	}
}

static void strike_some_way(struct world *w, struct fault *f, bool begins)
{
	struct machine *m = &w->machines[f->node];
	enum fuse fuses[] = {FUSE_CRASH, FUSE_KILL, FUSE_PAUSE, FUSE_NONE};
	enum fuse fuse = fuses[f->group % 4];
	if (fuse == FUSE_NONE)
		cut_links(w, f, begins);
	else if (begins)
		strike(w, m, fuse, f->strength);
	else
		machine_recover(w, m);
}

static void hit_master(struct world *w, struct fault *f, bool begins)
{
	const struct overlap *acting = &w->observe.overlap;
	if (begins && acting->count)
		f->node = acting->nodes[0];
	strike_some_way(w, f, begins);
}

static void hit_witness(struct world *w, struct fault *f, bool begins)
{
	uint32_t node = 0;
	while (node < w->count && operators_role(w, node) != ROLE_WITNESS)
		node++;
	if (node == w->count)
		return;
	f->node = node;
	strike_some_way(w, f, begins);
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
		machine_recover(w, m);
}

static void person(struct world *w, struct fault *f, bool begins)
{
	if (begins)
		people_act(w, f);
	else if (f->kind == FAULT_STOP)
		machine_recover(w, &w->machines[f->node]);
}

static void lie(struct world *w, struct fault *f, bool begins)
{
	insiders_turn(w, f, begins);
}

/* ---- all together ---- */

typedef void fault_carrier(struct world *w, struct fault *f, bool begins);

static fault_carrier *const carriers[FAULT_COUNT] = {
	[FAULT_LOSS] = loss,
	[FAULT_DELAY] = delay,
	[FAULT_DUPLICATE] = duplicate,
	[FAULT_REORDER] = reorder,
	[FAULT_PARTITION] = cut_links,
	[FAULT_ONE_WAY] = cut_links,
	[FAULT_ISOLATE] = cut_links,
	[FAULT_HALF_DEAF] = cut_links,
	[FAULT_BRIDGE] = cut_links,
	[FAULT_CHAIN] = cut_links,
	[FAULT_CLOG] = clog_links,
	[FAULT_SWIZZLE] = clog_links,
	[FAULT_FILTER] = filter,
	[FAULT_BLACK_HOLE] = black_hole,
	[FAULT_CRASH] = machine_fault,
	[FAULT_KILL] = machine_fault,
	[FAULT_HIT_MASTER] = hit_master,
	[FAULT_PAUSE] = machine_fault,
	[FAULT_SUSPEND] = suspend,
	[FAULT_MASS_RESTART] = restart_all,
	[FAULT_ADDRESS_SWAP] = swap_addresses,
	[FAULT_CLONE] = copies_clone,
	[FAULT_CLUSTER_SWAP] = foreign_swap,
	[FAULT_NETWORK] = operators_act,
	[FAULT_WITNESS] = hit_witness,
	[FAULT_DRIFT] = drift,
	[FAULT_SLEW] = slew,
	[FAULT_WALL_STEP] = wall_step,
	[FAULT_BEYOND] = drift,
	[FAULT_DISK_STALL] = disk_stall,
	[FAULT_DISK_FAIL] = disk_fail,
	[FAULT_DISK_FULL] = disk_full,
	[FAULT_ROLLBACK] = copies_roll_back,
	[FAULT_STOP] = person,
	[FAULT_TRANSFER] = person,
	[FAULT_JOIN] = person,
	[FAULT_LEAVE] = person,
	[FAULT_REMOVE] = person,
	[FAULT_SETTING] = operators_act,
	[FAULT_REKEY] = operators_act,
	[FAULT_UPGRADE] = operators_act,
	[FAULT_SEIZE] = operators_act,
	[FAULT_REPLAY] = lie,
	[FAULT_EQUIVOCATE] = lie,
	[FAULT_FORGE] = lie,
	[FAULT_CLOCK_LIE] = lie,
	[FAULT_OVERSIZE] = lie,
};

void faults_due(struct world *w, uint64_t number)
{
	struct faults *all = &w->faults;
	struct fault *f = &all->list[number / 2];
	bool begins = number % 2 == 0;
	if (f->begun == begins)
		return;
	f->begun = begins;
	all->begun[f->kind] += begins;
	if (begins)
		all->active++;
	else
		all->active--;
	observe_disturbed(w);
	carriers[f->kind](w, f, begins);
	if (f->kind == FAULT_MASS_RESTART || f->kind == FAULT_ADDRESS_SWAP ||
	    f->kind == FAULT_CLUSTER_SWAP || f->kind == FAULT_SEIZE)
		observe_disturbed(w); /* more than the master is gone */
	all->quiet_since = w->now;
}

void faults_heal(struct world *w)
{
	w->faults.active = 0;
	for (uint32_t i = 0; i < w->faults.count; i++)
		w->faults.list[i].begun = false;
	network_heal(&w->network);
	w->network.weather = network_fair();
	copies_finish(w);
	insiders_heal(w);
	foreign_heal(w);
	operators_heal(w);
	for (uint32_t i = 0; i < w->count; i++) {
		struct machine *m = &w->machines[i];
		machine_disk(w, m, DISK_WELL);
		machine_wake(w, m);
		for (int c = 0; c < CLOCK_NAMES; c++)
			clock_set_rate(&m->clocks[c], w->now, (int64_t)(i % 5) * 50 - 100);
		machine_recover(w, m);
		clocks_changed(w, m);
	}
}
