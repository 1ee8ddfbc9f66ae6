#include "report.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "faults.h"

#include "weakening.h"

static json_t *failovers(const struct failover *f)
{
	json_t *list = json_array();
	for (uint32_t i = 0; i < f->count; i++)
		json_array_append_new(list, json_integer(f->list[i] / MILLISECOND));
	return list;
}

static json_t *violations(const struct violations *v)
{
	json_t *list = json_array();
	for (uint32_t i = 0; i < v->count && i < VIOLATIONS_KEPT; i++)
		json_array_append_new(
			list, json_pack("{s:f, s:s, s:s}", "at_s", (double)v->list[i].at / 1e9,
		                        "check", v->list[i].check, "text", v->list[i].text));
	return list;
}

static json_t *writes(const struct run_result *r)
{
	return json_pack("{s:I, s:I, s:I, s:I}", "acknowledged", (json_int_t)r->acknowledged,
	                 "unknown", (json_int_t)r->unknown, "refused", (json_int_t)r->refused,
	                 "reads", (json_int_t)r->reads);
}

json_t *report_situations(const uint64_t met[SOMETIMES_COUNT])
{
	json_t *json = json_object();
	for (int i = 0; i < SOMETIMES_COUNT; i++)
		json_object_set_new(json, situation_text((enum situation)i),
		                    json_integer((json_int_t)met[i]));
	return json;
}

json_t *report_faults(const uint64_t befell[FAULT_COUNT])
{
	json_t *json = json_object();
	for (int i = 0; i < FAULT_COUNT; i++)
		json_object_set_new(json, fault_name((enum fault_kind)i), json_integer((json_int_t)befell[i]));
	return json;
}

static json_t *messages(const uint64_t counts[FATE_KINDS])
{
	json_t *json = json_object();
	for (uint32_t kind = 0; kind < FATE_KINDS; kind++)
		if (counts[kind])
			json_object_set_new(json, choice_kind_word(kind),
			                    json_integer((json_int_t)counts[kind]));
	return json;
}

void report_run(const struct run_result *r, FILE *out)
{
	char hash[17];
	snprintf(hash, sizeof(hash), "%016" PRIx64, r->hash);
	json_t *json = json_pack(
		"{s:I, s:I, s:f, s:f, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:s}", "seed",
		(json_int_t)r->seed, "nodes", (json_int_t)r->nodes, "simulated_s",
		(double)r->simulated / 1e9, "cpu_s", r->cpu_seconds, "events", (json_int_t)r->events,
		"packets", (json_int_t)r->packets, "masters_elected", (json_int_t)r->masters,
		"faults", (json_int_t)r->faults, "failovers", failovers(&r->failover), "writes",
		writes(r), "violations", violations(&r->violations), "trace_hash", hash);
	json_object_set_new(json, "expected_overlaps", json_integer((json_int_t)r->expected));
	json_object_set_new(json, "undecided_histories", json_integer((json_int_t)r->undecided));
	json_object_set_new(json, "messages", messages(r->messages));
	json_object_set_new(json, "faults_by_kind", report_faults(r->befell));
	json_object_set_new(json, "situations", report_situations(r->met));
	json_dumpf(json, out, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
	fputc('\n', out);
	json_decref(json);
}

void report_replay(const struct run_settings *s, char out[REPLAY_MAX])
{
	char names[WEAKENING_NAMES_MAX];
	weakening_names(s->weakened, names);
	if (s->schedule_path)
		snprintf(out, REPLAY_MAX, "essaim-sim run --faults %s", s->schedule_path);
	else
		snprintf(out, REPLAY_MAX,
		         "essaim-sim run --nodes %u --duration %" PRId64 "ms --seed %" PRIu64 "%s",
		         s->nodes, s->length / MILLISECOND, s->seed,
		         s->faults ? "" : " --no-faults");
	if (s->beyond)
		strcat(out, " --beyond");
	if (s->weakened)
		strcat(strcat(out, " --weaken "), names);
	size_t size = strlen(out);
	for (int kind = 0; kind < FAULT_COUNT && size < REPLAY_MAX; kind++)
		if (s->kinds >> kind & 1)
			size += (size_t)snprintf(out + size, REPLAY_MAX - size, "%s%s",
			                         s->kinds & (((uint64_t)1 << kind) - 1) ? "," : " --kinds ",
			                         fault_name((enum fault_kind)kind));
}
