#include "run.h"

#include <string.h>
#include <time.h>

#include "foreign.h"
#include "narrate.h"
#include "schedule.h"
#include "world.h"

/* The healed part: an eighth of the run, at least a minute, at most ten. */
#define HEALED_LEAST (60 * SECOND)
#define HEALED_MOST (600 * SECOND)
#define JOIN_TRIES 5
#define JOIN_PAUSE (200 * MILLISECOND)

static double cpu_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void print_trace(void *context, const struct world *w, const struct machine *m,
                        const struct trace *trace)
{
	const struct run_settings *settings = context;
	char line[NARRATION_MAX];
	const struct rule_info *info = rule_info(trace->rule);
	if (settings->trace_events ? !info->event :
	                             !settings->trace_all && info->level == LEVEL_debug)
		return;
	narrate_trace(w, m, trace, 0, line);
	fprintf(settings->trace, "%s\n", line);
}

/* ---- founding ---- */

/* `via` may not have heard of the token yet: people try again too. */
static bool join_patiently(struct world *w, struct machine *m, const struct machine *via,
                           uint64_t token, const struct hash *hash)
{
	for (int i = 0; i < JOIN_TRIES && world_sound(w); i++) {
		if (world_join(w, m, via, token, hash))
			return true;
		world_run(w, w->now + JOIN_PAUSE);
	}
	return false;
}

static bool join_one(struct world *w, uint32_t index)
{
	struct machine *m = &w->machines[index];
	struct machine *via = &w->machines[prng_below(&w->dice, index)];
	struct hash hash;
	uint64_t token;
	machine_start(w, m);
	w->joins_as = operators_role(w, index);
	if (!world_token(w, via, 1, &token, &hash)) {
		if (world_sound(w))
			world_violation(w, "founding", "no token through node %u: code %d, %s",
			                via->index, (int)w->asked.answer.code, w->asked.text);
		return false;
	}
	if (!join_patiently(w, m, via, token, &hash)) {
		if (world_sound(w))
			world_violation(w, "founding", "node %u cannot join through node %u: %s",
			                index, via->index, m->outcome);
		return false;
	}
	return true;
}

static bool found_all(struct world *w)
{
	uint32_t founders = people_founders(w);
	operators_begin(w);
	machine_start(w, &w->machines[0]);
	world_run(w, w->now + SECOND);
	if (!world_found(w, &w->machines[0])) {
		world_violation(w, "founding", "node 0 cannot found a cluster: %s",
		                w->machines[0].outcome);
		return false;
	}
	for (uint32_t i = 1; i < founders; i++)
		if (!join_one(w, i))
			return false;
	w->joins_as = ROLE_NODE;
	return !faults_on(&w->faults, FAULT_CLUSTER_SWAP) || foreign_found(w);
}

/* ---- the run itself ---- */

static duration healed_part(duration length)
{
	duration part = length / 8;
	if (part < HEALED_LEAST)
		part = HEALED_LEAST;
	return part < HEALED_MOST ? part : HEALED_MOST;
}

/* Who knows the master, if anybody does: one may be left behind for good. */
static struct machine *somebody(struct world *w)
{
	struct machine *first = NULL;
	for (uint32_t i = 0; i < w->count; i++) {
		struct machine *m = &w->machines[i];
		struct status_view status;
		if (m->state != MACHINE_UP)
			continue;
		struct now now = machine_now(w, m);
		gossip_status(m->core, &now, &status);
		if (status.standing != STANDING_MEMBER)
			continue;
		if (status.master_known)
			return m;
		first = first ? first : m;
	}
	return first;
}

static void last_look(struct world *w)
{
	struct machine *m = somebody(w);
	if (!m || !clients_last_look(w, m))
		if (world_sound(w))
			world_violation(w, "writes", "the rows cannot be read after healing");
	if (w->clients.abandoned)
		world_violation(w, "answers", "%d requests were never answered",
		                (int)w->clients.abandoned);
}

static void live(struct world *w, const struct run_settings *settings)
{
	instant end = settings->length;
	instant heal = end - healed_part(settings->length);
	if (heal < w->now + SECOND)
		heal = w->now + SECOND;
	if (settings->schedule)
		schedule_use(settings->schedule, w, heal - 1);
	else if (settings->faults)
		faults_draw(w, w->now, heal - 1);
	if (settings->kept)
		schedule_keep(w, settings, settings->kept);
	observe_founded(w);
	clients_begin(w);
	world_run(w, heal);
	if (!world_sound(w))
		return;
	clients_stop(w);
	faults_heal(w);
	observe_healed(w);
	world_run(w, end > heal + HEALED_LEAST ? end : heal + HEALED_LEAST);
	if (world_sound(w))
		last_look(w);
	foreign_end(w);
	observe_end(w);
}

/* How each node stands when the run ends: what it dropped often names the cause. */
static void print_end(struct world *w, FILE *out)
{
	for (uint32_t i = 0; i < w->count; i++) {
		const struct machine *m = &w->machines[i];
		struct status_view s;
		if (!m->core) {
			fprintf(out, "  %s does not run\n", m->name);
			continue;
		}
		struct now now = machine_now(w, m);
		gossip_status(m->core, &now, &s);
		fprintf(out, "  %s %s, reaches %u of %u, epoch %d, commit %d, applied %d, %s%s,", m->name,
		        standing_name(s.standing), s.members_reachable, s.members_total,
		        (int)s.epoch, (int)s.commit, (int)s.applied, s.votes ? "votes" : "mute",
		        s.self_master ? ", acts" : "");
		for (int reason = 0; reason < DROP_REASONS; reason++)
			if (s.dropped[reason])
				fprintf(out, " %s %d", drop_reason_name((enum drop_reason)reason),
				        (int)s.dropped[reason]);
		fputc('\n', out);
	}
}

static void count_messages(const struct network *n, uint64_t out[FATE_KINDS])
{
	for (size_t i = 0; i < (size_t)n->count * n->count * FATE_KINDS; i++)
		out[i % FATE_KINDS] += n->ordinals[i];
}

static void fill(const struct world *w, const struct run_settings *settings, double cpu,
                 struct run_result *out)
{
	memset(out, 0, sizeof(*out));
	out->seed = settings->seed;
	out->nodes = settings->nodes;
	out->simulated = w->now;
	out->cpu_seconds = cpu_now() - cpu;
	out->events = w->events;
	out->packets = w->network.packets;
	out->hash = w->hash;
	out->masters = w->observe.epochs.masters;
	out->failover = w->observe.failover;
	out->violations = w->observe.violations;
	out->acknowledged = w->observe.writes.acknowledged;
	out->unknown = w->observe.writes.unknown;
	out->refused = w->observe.writes.refused;
	out->reads = w->observe.writes.reads;
	out->faults = w->faults.count;
	out->expected = w->observe.expected.count;
	out->undecided = w->observe.undecided;
	count_messages(&w->network, out->messages);
	memcpy(out->met, w->observe.sometimes.met, sizeof(out->met));
	memcpy(out->befell, w->faults.begun, sizeof(out->befell));
}

static uint64_t swarm_of(const struct run_settings *settings, const struct world_settings *world)
{
	struct prng dice;
	if (settings->schedule)
		return settings->schedule->kinds;
	return settings->faults ? faults_swarm_of(world, &dice) : 0;
}

void run(const struct run_settings *settings, struct run_result *out)
{
	double cpu = cpu_now();
	struct world_settings world = {
		.nodes = settings->nodes,
		.foreigners = settings->faults ? FOREIGN_DRAWN : 0,
		.seed = settings->seed,
		.profile = settings->seed % 2 ? PROFILE_DEFAULT : PROFILE_LAN,
		.faults = settings->faults,
		.kinds = settings->kinds,
		.beyond = settings->beyond,
		.membership_only = settings->membership_only,
		.weakened = settings->weakened,
	};
	struct run_settings copy = *settings;
	if (settings->trace) {
		world.traced = print_trace;
		world.context = &copy;
	}
	world.networks = swarm_of(settings, &world) >> FAULT_NETWORK & 1 ? 2 : 1;
	struct world *w = world_create(&world);
	w->network.choices.noted = settings->noted;
	if (settings->faults)
		faults_swarm(w);
	if (settings->schedule)
		w->faults.swarm = settings->schedule->kinds;
	observe_look(w);
	if (found_all(w))
		live(w, settings);
	if (settings->trace && !settings->trace_events)
		print_end(w, settings->trace);
	fill(w, settings, cpu, out);
	world_destroy(w);
}
