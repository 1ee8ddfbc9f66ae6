/*
 * hosts_enumerate.c: every crash point, every behaviour of every command, every instant at which it
 * is cancelled or the master changes; and drawn ones of all kinds together.
 */
#include <string.h>

#include "hosts.h"

static const char *const kinds[] = {"none", "crash", "transfer", "cancel", "abandon"};
static const char *const behaviours[] = {"works",       "fails", "fails after", "hangs",
                                         "hangs after", "loses", "loses after", "missing"};

static void tell(const struct hosts_plan *p, const struct hosts_result *r, struct hosts_tally *t)
{
	size_t size = sizeof(t->first);
	say(t->first, size, "%s: %s, %u operations, seed %llu", r->first, p->verb, p->operations,
	    (unsigned long long)p->seed);
	for (uint32_t i = 0; i < p->mishap_count; i++) {
		size_t used = strlen(t->first);
		say(t->first + used, size - used, "; %s of n%u at point %u for %lld ms",
		    kinds[p->mishaps[i].kind], p->mishaps[i].node, p->mishaps[i].point,
		    (long long)(p->mishaps[i].down / MILLISECOND));
	}
	for (uint32_t i = 0; i < p->tool_fault_count; i++) {
		size_t used = strlen(t->first);
		say(t->first + used, size - used, "; command %u %s", p->tool_faults[i].command,
		    behaviours[p->tool_faults[i].behaviour]);
	}
}

/* False: it found something, and that is enough. */
static bool run(const struct hosts_plan *plan, bool stop, struct hosts_tally *t,
                struct hosts_result *r)
{
	hosts_run(plan, r);
	t->runs++;
	t->crashes += r->crashes;
	t->adopted += r->adopted;
	t->probes += r->probes;
	t->resumed += r->resumed;
	t->job_runs += r->job_runs;
	for (uint32_t i = 0; i < 8; i++)
		t->ended[i] += r->ended[i];
	if (r->violations && !t->violations++)
		tell(plan, r, t);
	return !(r->violations && stop);
}

/* The same plan with one mishap more, at every point of every node. */
static bool at_every_point(const struct hosts_plan *plan, enum mishap_kind kind, duration down,
                           const uint32_t points[HOSTS_MAX], bool stop, struct hosts_tally *t)
{
	struct hosts_plan p = *plan;
	struct hosts_result r;
	p.mishap_count++;
	for (uint32_t node = 0; node < HOSTS_MAX; node++) {
		for (uint32_t point = 1; point <= points[node]; point++) {
			p.mishaps[p.mishap_count - 1] = (struct mishap){kind, node, point, down};
			if (!run(&p, stop, t, &r))
				return false;
		}
	}
	return true;
}

static bool mishaps(const struct hosts_plan *plan, bool all, bool stop, struct hosts_tally *t)
{
	struct hosts_result r;
	if (!run(plan, stop, t, &r))
		return false;
	uint32_t points[HOSTS_MAX];
	memcpy(points, r.points, sizeof(points));
	if (!at_every_point(plan, MISHAP_CRASH, 50 * MILLISECOND, points, stop, t))
		return false;
	if (!all)
		return true;
	return at_every_point(plan, MISHAP_CRASH, 3 * SECOND, points, stop, t) &&
	       at_every_point(plan, MISHAP_TRANSFER, 0, points, stop, t) &&
	       at_every_point(plan, MISHAP_CANCEL, 0, points, stop, t) &&
	       at_every_point(plan, MISHAP_ABANDON, 0, points, stop, t);
}

/* One misbehaving command, and, if `crashes`, with it a crash at every point. */
static bool tools(const struct hosts_plan *plan, bool crashes, bool stop, struct hosts_tally *t)
{
	struct hosts_result r;
	if (!run(plan, stop, t, &r))
		return false;
	uint32_t commands = r.commands;
	for (uint32_t command = 0; command < commands; command++) {
		for (int b = TOOL_WORKS + 1; b < TOOL_BEHAVIOURS; b++) {
			struct hosts_plan p = *plan;
			p.tool_fault_count = 1;
			p.tool_faults[0].command = command;
			p.tool_faults[0].behaviour = (enum tool_behaviour)b;
			if (!(crashes ? mishaps(&p, false, stop, t) : run(&p, stop, t, &r)))
				return false;
		}
	}
	return true;
}

/* Cancelled at a drawn point, and then everything may crash too. */
static bool cancelled(const struct hosts_plan *plan, bool stop, struct hosts_tally *t)
{
	struct hosts_result r;
	if (!run(plan, stop, t, &r))
		return false;
	uint32_t points = r.points[0];
	for (uint32_t point = 1; point <= points; point += 3) {
		struct hosts_plan p = *plan;
		p.mishap_count = 1;
		p.mishaps[0] = (struct mishap){MISHAP_CANCEL, 0, point, 0};
		if (!mishaps(&p, false, stop, t))
			return false;
	}
	return true;
}

void hosts_enumerate(uint32_t weakened, bool stop, struct hosts_tally *out)
{
	struct hosts_plan make = {.verb = "make", .operations = 1, .seed = 1, .weakened = weakened};
	struct hosts_plan move = {.verb = "move", .operations = 1, .seed = 1, .weakened = weakened};
	struct hosts_plan pair = {
	    .verb = "make", .operations = 2, .seed = 1, .weakened = weakened, .one_vg = true};
	struct hosts_plan rivals = {
	    .verb = "make", .operations = 2, .seed = 1, .weakened = weakened, .same_lock = true};
	struct hosts_plan hasty = {.verb = "make",
	                           .operations = 1,
	                           .seed = 1,
	                           .weakened = weakened,
	                           .impatient = true,
	                           .tool_fault_count = 1,
	                           .tool_faults = {{1, TOOL_HANGS_AFTER}}};
	struct hosts_plan timed = {
	    .verb = "make", .seed = 1, .weakened = weakened, .job = true, .spread = 15 * SECOND};
	memset(out, 0, sizeof(*out));
	if (mishaps(&make, true, stop, out) && mishaps(&move, true, stop, out) &&
	    mishaps(&pair, false, stop, out) && mishaps(&rivals, false, stop, out) &&
	    mishaps(&hasty, false, stop, out) && mishaps(&timed, true, stop, out) &&
	    tools(&make, true, stop, out) && tools(&move, true, stop, out))
		cancelled(&move, stop, out);
}

void hosts_enumerate_volumes(bool stop, struct hosts_tally *out)
{
	static const char *const names[] = {"create", "extend", "rename", "snapshot", "remove"};
	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < 2 * sizeof(names) / sizeof(names[0]); i++) {
		struct hosts_plan plan = {.verb = names[i / 2], .volumes = true, .files = i % 2, .operations = 1, .seed = 1};
		bool both = i / 2 == 0 || i / 2 == 4; /* the first makes, the last destroys */
		if (!mishaps(&plan, true, stop, out) || !tools(&plan, both, stop, out))
			return;
	}
}

void hosts_sweep(uint64_t first, uint64_t last, uint32_t weakened, bool stop,
                 struct hosts_tally *out)
{
	struct hosts_result r;
	memset(out, 0, sizeof(*out));
	for (uint64_t seed = first; seed <= last; seed++) {
		struct hosts_plan p = {
		    .verb = seed & 1 ? "make" : "move",
		    .operations = 1 + (uint32_t)(seed % 7),
		    .seed = seed,
		    .weakened = weakened,
		    .one_vg = seed % 3 == 0,
		    .same_lock = seed % 11 == 0,
		    .tool_percent = (uint32_t)(seed % 5 * 8),
		    .loss_percent = (uint32_t)(seed % 4 * 10),
		    .double_percent = (uint32_t)(seed % 3 * 15),
		    .late_percent = (uint32_t)(seed % 6 * 5),
		    .crashes = (uint32_t)(seed % 4),
		    .transfers = (uint32_t)(seed % 5),
		    .journal_fails_percent = seed % 8 ? 0 : 10,
		    .spread = 5 * SECOND,
		    .impatient = seed % 9 == 0,
		    .job = seed % 4 == 1,
		};
		if (seed % 10 == 0)
			p.mishaps[p.mishap_count++] =
			    (struct mishap){MISHAP_CANCEL, (uint32_t)(seed / 10 % 3), 20, 0};
		if (seed % 13 == 0)
			p.mishaps[p.mishap_count++] =
			    (struct mishap){MISHAP_ABANDON, (uint32_t)(seed / 13 % 3), 30, 0};
		if (p.job)
			p.spread = 45 * SECOND;
		if (!run(&p, stop, out, &r))
			return;
	}
}

/* Killed early, when all are queued, in the middle, and near the end; the one who follows is killed
 * too. */
void hosts_thousand(uint64_t seed, uint32_t weakened, struct hosts_tally *out)
{
	static const uint32_t points[] = {6000, 14000, 30000};
	struct hosts_result r;
	memset(out, 0, sizeof(*out));
	for (uint32_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		struct hosts_plan p = {.verb = "make",
		                       .operations = 1000,
		                       .seed = seed,
		                       .weakened = weakened,
		                       .impatient = true,
		                       .mishap_count = 2,
		                       .mishaps = {{MISHAP_CRASH, 0, points[i], SECOND},
		                                   {MISHAP_CRASH, 1, 2 * points[i], SECOND}}};
		if (!run(&p, true, out, &r))
			return;
	}
}
