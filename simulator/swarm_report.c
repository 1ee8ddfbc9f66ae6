#include "swarm_report.h"

#include <jansson.h>

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

bool swarm_good(const struct swarm_result *r)
{
	return r->agreed != NEVER && r->crash_known != NEVER && r->many_known != NEVER &&
	       r->false_verdicts == 0;
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
	json_object_set_new(json, "steps", json_integer((json_int_t)r->steps));
	json_object_set_new(json, "core_bytes", json_integer((json_int_t)r->core_bytes));
	json_object_set_new(json, "memory_bytes", json_integer((json_int_t)r->memory_bytes));
	json_dumpf(json, out, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
	fputc('\n', out);
	json_decref(json);
}
