#include "swarm_report.h"

#include <jansson.h>

#include "swarm_accident.h"

#define SWARM_CRASHES_KNOWN (5 * SECOND) /* ten hosts dead at once, to all others */
#define SWARM_STORM 100 /* packets a second and node: a storm is a hundred times what a quiet swarm says */

static json_t *seconds(duration d)
{
	return d == NEVER ? json_null() : json_real((double)d / 1e9);
}

static json_t *traffic(const struct swarm_result *r, const struct swarm_traffic *t)
{
	double node_seconds = (double)t->length / 1e9 * r->settings.nodes;
	if (t->length == 0)
		return json_null();
	return json_pack("{s:f, s:f, s:f}", "lasted_s", (double)t->length / 1e9,
	                 "packets_per_node_s", (double)t->packets / node_seconds,
	                 "bytes_per_node_s", (double)t->bytes / node_seconds);
}

/* An accident's packets may be many where it is, but not everywhere. */
static bool no_storm(const struct swarm_result *r)
{
	double node_seconds = (double)r->accident.length / 1e9 * r->settings.nodes;
	return (double)r->accident.packets / node_seconds <= SWARM_STORM;
}

/*
 * Suspicions a node: one member without a link is everybody's news a few times, not all the time; and a few with
 * bad ones are their own news, not everybody else's.
 */
static uint64_t clamour(const struct swarm_result *r)
{
	uint32_t faulty = swarm_accident_few(r->settings.nodes);
	switch (r->settings.accident) {
	case ACCIDENT_HALF_DETACHED:
		return 12;
	case ACCIDENT_FLIP_FLOP:
		return 16 * faulty; /* each time that one is deaf it finds all others silent */
	case ACCIDENT_LOSSY:
		return 9 * faulty;
	case ACCIDENT_NONE:
	case ACCIDENT_CRASHES:
	case ACCIDENT_RESTART:
	case ACCIDENT_RAIN:
	case ACCIDENT_DOWNPOUR:
	case ACCIDENT_DELUGE:
	case ACCIDENT_BUSY:
	case ACCIDENT_ACCUSER:
	case ACCIDENT_COUNT:
		break;
	}
	return UINT32_MAX;
}

static bool no_clamour(const struct swarm_result *r)
{
	return r->suspicions <= clamour(r) * r->settings.nodes;
}

/* Who hears nothing for twenty seconds is seen by the others, and found again afterwards. */
static bool faulty_seen(const struct swarm_result *r)
{
	if (r->settings.accident == ACCIDENT_FLIP_FLOP)
		return r->about_faulty > 0 && r->taken_back > 0;
	return r->settings.accident != ACCIDENT_LOSSY || r->about_faulty > 0;
}

static bool lived_through(const struct swarm_result *r)
{
	bool known = r->settings.accident != ACCIDENT_CRASHES || r->many_known <= SWARM_CRASHES_KNOWN;
	return r->agreed != NEVER && known && r->all_agree_in_the_end && r->false_verdicts == 0 &&
	       no_storm(r) && no_clamour(r) && faulty_seen(r);
}

bool swarm_good(const struct swarm_result *r)
{
	if (r->settings.accident != ACCIDENT_NONE)
		return lived_through(r);
	return r->agreed != NEVER && r->crash_known != NEVER && r->many_known != NEVER &&
	       r->false_verdicts == 0;
}

static json_t *accident(const struct swarm_result *r)
{
	json_t *json = traffic(r, &r->accident);
	json_object_set_new(json, "name", json_string(swarm_accident_name(r->settings.accident)));
	json_object_set_new(json, "what_others_saw", json_string(swarm_accident_there(r->settings.accident)));
	json_object_set_new(json, "verdicts_by_the_faulty", json_integer((json_int_t)r->by_faulty));
	json_object_set_new(json, "verdicts_about_the_faulty", json_integer((json_int_t)r->about_faulty));
	json_object_set_new(json, "of_these_taken_back", json_integer((json_int_t)r->taken_back));
	json_object_set_new(json, "all_agree_in_the_end", json_boolean(r->all_agree_in_the_end));
	return json;
}

void swarm_report(const struct swarm_result *r, FILE *out)
{
	double simulated = (double)r->settings.length / 1e9;
	json_t *json = json_pack(
		"{s:I, s:I, s:f, s:f, s:f, s:o, s:o, s:o, s:o, s:o, s:I, s:I}", "seed",
		(json_int_t)r->settings.seed, "nodes", (json_int_t)r->settings.nodes, "simulated_s",
		simulated, "cpu_s", r->cpu_seconds, "simulated_per_cpu_s",
		simulated / r->cpu_seconds, "all_agree_s", seconds(r->agreed), "facts_agree_s",
		seconds(r->facts_agreed), "crash_first_known_s", seconds(r->crash_first),
		"crash_known_s", seconds(r->crash_known), "ten_crashes_known_s",
		seconds(r->many_known), "false_verdicts", (json_int_t)r->false_verdicts,
		"suspicions", (json_int_t)r->suspicions);
	json_object_set_new(json, "facts", json_boolean(!r->settings.facts_off));
	json_object_set_new(json, "bootstrap", traffic(r, &r->bootstrap));
	json_object_set_new(json, "quiet", traffic(r, &r->quiet));
	json_object_set_new(json, "after_crash", traffic(r, &r->crash));
	json_object_set_new(json, "after_ten_crashes", traffic(r, &r->many));
	if (r->settings.accident != ACCIDENT_NONE)
		json_object_set_new(json, "accident", accident(r));
	json_object_set_new(json, "steps", json_integer((json_int_t)r->steps));
	json_object_set_new(json, "core_bytes", json_integer((json_int_t)r->core_bytes));
	json_object_set_new(json, "memory_bytes", json_integer((json_int_t)r->memory_bytes));
	json_dumpf(json, out, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
	fputc('\n', out);
	json_decref(json);
}
