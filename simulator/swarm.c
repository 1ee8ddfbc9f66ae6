#include "swarm.h"

#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "membership.h"
#include "swarm_accident.h"
#include "swarm_world.h"

#define LOOK_GAP SWARM_LOOK_GAP

static double cpu_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t memory_peak(void)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	return (uint64_t)usage.ru_maxrss * 1024;
}

/* ---- questions, asked every LOOK_GAP until they are answered ---- */

/* Do all count N reachable? `from` is the first who did not the last time: it is asked first. */
static bool all_agree(const struct swarm_world *w, uint32_t *from)
{
	struct now now = swarm_now(w);
	for (; *from < w->settings.nodes; (*from)++) {
		struct status_view status;
		gossip_status(w->machines[*from].core, &now, &status);
		if (status.members_reachable != w->settings.nodes)
			return false;
	}
	return true;
}

static bool facts_agree(const struct swarm_world *w)
{
	uint64_t first = facts_summary(w->machines[0].core);
	for (uint32_t i = 1; i < w->settings.nodes; i++) {
		if (facts_summary(w->machines[i].core) != first)
			return false;
	}
	return true;
}

static uint32_t living(const struct swarm_world *w)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < w->settings.nodes; i++)
		count += w->machines[i].life == SWARM_ALIVE;
	return count;
}

static bool deaths_known(const struct swarm_world *w)
{
	uint32_t all = living(w);
	for (uint32_t i = 0; i < w->settings.nodes; i++) {
		if (w->machines[i].life != SWARM_ALIVE && w->machines[i].knowing < all)
			return false;
	}
	return true;
}

static bool death_noticed(const struct swarm_world *w)
{
	for (uint32_t i = 0; i < w->settings.nodes; i++) {
		if (w->machines[i].life != SWARM_ALIVE && w->machines[i].knowing > 0)
			return true;
	}
	return false;
}

/* ---- stretches ---- */

static void run_to(struct swarm_world *w, instant until)
{
	while (swarm_world_step(w, until))
		;
}

static void stretch_begin(struct swarm_world *w, struct swarm_traffic *traffic)
{
	traffic->length = -w->time;
	w->traffic = traffic;
}

static void stretch_end(struct swarm_world *w)
{
	w->traffic->length += w->time;
}

static void bootstrap(struct swarm_world *w, instant until, struct swarm_result *out)
{
	uint32_t from = 0;
	stretch_begin(w, &out->bootstrap);
	while (w->time < until && (out->agreed == NEVER || out->facts_agreed == NEVER)) {
		run_to(w, w->time + LOOK_GAP);
		if (out->agreed == NEVER && all_agree(w, &from))
			out->agreed = w->time;
		if (out->facts_agreed == NEVER && out->agreed != NEVER && facts_agree(w))
			out->facts_agreed = w->time;
	}
	stretch_end(w);
	stretch_begin(w, &out->quiet);
	run_to(w, until);
	stretch_end(w);
}

static void kill_some(struct swarm_world *w, uint32_t count, enum swarm_life life)
{
	while (count > 0) {
		uint32_t node = (uint32_t)prng_below(&w->dice, w->settings.nodes);
		if (w->machines[node].life != SWARM_ALIVE)
			continue;
		swarm_kill(w, node, life);
		count--;
	}
}

/* Returns after how long all knew. */
static duration watch_deaths(struct swarm_world *w, instant until, duration *first)
{
	instant began = w->time;
	duration known = NEVER;
	while (w->time < until) {
		run_to(w, w->time + LOOK_GAP);
		if (first != NULL && *first == NEVER && death_noticed(w))
			*first = w->time - began;
		if (known == NEVER && deaths_known(w))
			known = w->time - began;
	}
	return known;
}

/* The faulty may be out of sight, or have others out of theirs. */
static bool agree_but_for_the_faulty(const struct swarm_world *w)
{
	struct now now = swarm_now(w);
	uint32_t all = living(w), faulty = 0;
	for (uint32_t i = 0; i < w->settings.nodes; i++)
		faulty += w->machines[i].faulty;
	for (uint32_t i = 0; i < w->settings.nodes; i++) {
		struct status_view status;
		if (w->machines[i].life != SWARM_ALIVE || w->machines[i].faulty)
			continue;
		gossip_status(w->machines[i].core, &now, &status);
		if (status.members_reachable > all || status.members_reachable + faulty < all)
			return false;
	}
	return true;
}

static void accident(struct swarm_world *w, instant until, struct swarm_result *out)
{
	instant began = w->time;
	uint64_t suspicions = w->suspicions;
	stretch_begin(w, &out->accident);
	swarm_accident_begin(w);
	while (w->time < until) {
		run_to(w, w->time + LOOK_GAP);
		swarm_accident_goes_on(w);
		if (w->settings.accident == ACCIDENT_CRASHES && out->many_known == NEVER && deaths_known(w))
			out->many_known = w->time - began;
	}
	stretch_end(w);
	out->all_agree_in_the_end = agree_but_for_the_faulty(w);
	out->by_faulty = w->by_faulty;
	out->about_faulty = w->about_faulty;
	out->taken_back = w->taken_back;
	out->suspicions = w->suspicions - suspicions;
}

static void deaths(struct swarm_world *w, struct swarm_result *out)
{
	stretch_begin(w, &out->crash);
	kill_some(w, 1, SWARM_PROCESS_DEAD);
	out->crash_known = watch_deaths(w, w->settings.length / 3 * 2, &out->crash_first);
	stretch_end(w);

	stretch_begin(w, &out->many);
	kill_some(w, SWARM_VICTIMS, SWARM_HOST_DEAD);
	out->many_known = watch_deaths(w, w->settings.length, NULL);
	stretch_end(w);
	out->suspicions = w->suspicions;
}

void swarm_run(const struct swarm_settings *settings, struct swarm_result *out)
{
	struct swarm_world w = {0};
	double began = cpu_now();
	*out = (struct swarm_result){.settings = *settings, .agreed = NEVER, .facts_agreed = NEVER};
	out->crash_first = out->crash_known = out->many_known = NEVER;
	w.traffic = &out->bootstrap;
	swarm_world_start(&w, settings);
	bootstrap(&w, settings->length / 3, out);

	if (settings->accident == ACCIDENT_NONE)
		deaths(&w, out);
	else
		accident(&w, settings->length, out);
	out->false_verdicts = w.false_verdicts;
	out->steps = w.steps;
	out->core_bytes = w.core_bytes;
	out->cpu_seconds = cpu_now() - began;
	out->memory_bytes = memory_peak();
	swarm_world_finish(&w);
}
