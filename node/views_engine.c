#include "views_engine.h"

#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "body_clock.h"
#include "codec_registry.h"
#include "control_request.h"
#include "control_verbs.h"
#include "engine_body.h"
#include "text.h"

static uint8_t memory[ENGINE_ARENA_SIZE]; /* one thread, and each row is done with before the next */
static struct registry_room room;

void views_operation_id(const struct request_id *id, char out[64])
{
	snprintf(out, 64, "%016llx-%llu-%llu", (unsigned long long)id->origin,
	         (unsigned long long)id->incarnation, (unsigned long long)id->sequence);
}

/* The row of that key, decoded into the one room; false: gone, or malformed. */
static bool read_row(const struct gossip *g, struct bytes key, struct registry_row *out)
{
	struct arena arena = {memory, sizeof memory, 0};
	struct kv_view view;
	return gossip_registry(g, key, &view) &&
	       registry_row_decode(key, view.value, &arena, &room, out);
}

static bool read_audit(const struct gossip *g, uint64_t number, struct registry_row *out)
{
	uint8_t name[AUDIT_NAME_SIZE], key[REGISTRY_NAME_MAX + 1];
	audit_name(number, name);
	return read_row(g, registry_row_key(REGISTRY_AUDIT, (struct bytes){name, sizeof name}, key),
	                out);
}

static bool read_operation(const struct gossip *g, const struct request_id *id,
                           struct registry_row *out)
{
	uint8_t name[OPERATION_NAME_SIZE], key[REGISTRY_NAME_MAX + 1];
	operation_name(id, name);
	return read_row(g, registry_row_key(REGISTRY_OPERATION, (struct bytes){name, sizeof name}, key),
	                out);
}

void views_operation_name(const struct gossip *g, uint64_t number, char *out, size_t size)
{
	struct registry_row row;
	if (read_audit(g, number, &row))
		snprintf(out, size, "%s %s", row.audit->noun, row.audit->verb);
	else
		snprintf(out, size, "operation %llu", (unsigned long long)number);
}

/* ---- rows as JSON ---- */

static json_t *wall_json(instant wall)
{
	char text[WALL_TEXT_SIZE];
	if (wall == 0)
		return json_null();
	wall_format(wall, text);
	return json_string(text);
}

static json_t *arguments_json(const struct arguments *arguments)
{
	json_t *out = json_object();
	char name[NAME_MAX_SIZE + 1];
	const char *value;
	for (uint32_t cursor = 0; arguments_next(arguments, &cursor, name, &value);) {
		json_t *before = json_object_get(out, name);
		if (before == NULL)
			json_object_set_new(out, name, json_string(value));
		else if (json_is_array(before))
			json_array_append_new(before, json_string(value));
		else
			json_object_set_new(out, name, json_pack("[O, s]", before, value));
	}
	return out;
}

static json_t *locks_json(const struct lock_list *locks)
{
	json_t *out = json_array();
	const char *name;
	bool waits;
	for (uint32_t cursor = 0; locks_next(locks, &cursor, &waits, &name);)
		json_array_append_new(out, json_string(name));
	return out;
}

static json_int_t age_ms(instant since)
{
	return (json_int_t)((body_clock_wall() - since) / MILLISECOND);
}

static json_t *operation_json(const struct gossip *g, const struct operation_row *o)
{
	char id[64];
	views_operation_id(&o->id, id);
	json_t *out = json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:o, s:b, s:i, s:o, s:o, s:I}", "operation",
	                        (json_int_t)o->number, "id", id, "noun", o->noun, "verb", o->verb,
	                        "subject", o->subject, "who", o->who, "from", views_name(g, o->from),
	                        "undoing", o->undoing, "step", (int)o->step, "targets",
	                        views_names(g, o->targets, o->target_count), "locks",
	                        locks_json(&o->locks), "age_ms", age_ms(o->asked_wall));
	json_object_set_new(out, "state", json_string(operation_state_name(o->state)));
	json_object_set_new(out, "epoch", json_integer((json_int_t)o->epoch));
	json_object_set_new(out, "asked", wall_json(o->asked_wall));
	json_object_set_new(out, "started", wall_json(o->started_wall));
	json_object_set_new(out, "deadline", wall_json(o->deadline_wall));
	json_object_set_new(out, "arguments", arguments_json(&o->arguments));
	json_object_set_new(out, "text", json_string(o->text));
	return out;
}

static json_t *audit_json(const struct gossip *g, const struct audit_row *a)
{
	char id[64];
	views_operation_id(&a->id, id);
	json_t *out = json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:o, s:I}", "operation",
	                        (json_int_t)a->number, "id", id, "noun", a->noun, "verb", a->verb,
	                        "subject", a->subject, "who", a->who, "from", views_name(g, a->from),
	                        "epoch", (json_int_t)a->epoch);
	json_object_set_new(out, "asked", wall_json(a->asked_wall));
	json_object_set_new(out, "ended", wall_json(a->ended_wall));
	json_object_set_new(out, "state",
	                    json_string(a->ended_wall == 0 ? "open" : operation_state_name(a->state)));
	json_object_set_new(out, "lasted_ms",
	                    a->ended_wall == 0
	                            ? json_null()
	                            : json_integer((a->ended_wall - a->asked_wall) / MILLISECOND));
	json_object_set_new(out, "arguments", arguments_json(&a->arguments));
	json_object_set_new(out, "text", json_string(a->text));
	return out;
}

static json_t *job_json(const struct gossip *g, const struct job_row *j)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:I, s:o, s:I, s:I, s:s}", "name", j->name, "noun",
	                 j->noun, "verb", j->verb, "who", j->who, "from", views_name(g, j->from),
	                 "arguments", arguments_json(&j->arguments), "every_ms",
	                 (json_int_t)(j->every / MILLISECOND), "due", wall_json(j->due_wall), "runs",
	                 (json_int_t)j->run, "last", (json_int_t)j->last, "note", j->note);
}

static json_t *row_json(const struct gossip *g, const struct registry_row *row)
{
	if (row->kind == REGISTRY_OPERATION)
		return operation_json(g, row->operation);
	if (row->kind == REGISTRY_AUDIT)
		return audit_json(g, row->audit);
	return row->kind == REGISTRY_JOB ? job_json(g, row->job) : NULL;
}

/* The last `most` of a kind, in the order of their names. */
static json_t *list_json(const struct gossip *g, enum registry_kind kind, size_t most)
{
	const char prefix[2] = {(char)kind, '\0'};
	json_t *list = json_array();
	size_t count;
	struct kv_view *rows = views_registry(g, prefix, &count);
	for (size_t i = count > most ? count - most : 0; rows != NULL && i < count; i++) {
		struct registry_row row;
		if (read_row(g, rows[i].key, &row))
			json_array_append_new(list, row_json(g, &row));
	}
	free(rows);
	return list;
}

/* ---- verbs ---- */

static int by_number(const void *a, const void *b)
{
	json_int_t one = json_integer_value(json_object_get(*(json_t *const *)a, "operation"));
	json_int_t other = json_integer_value(json_object_get(*(json_t *const *)b, "operation"));
	return one < other ? -1 : one > other;
}

static json_t *sorted(json_t *list)
{
	size_t count = json_array_size(list);
	json_t **items = calloc(count + 1, sizeof *items), *out = json_array();
	for (size_t i = 0; items != NULL && i < count; i++)
		items[i] = json_array_get(list, i);
	if (items != NULL)
		qsort(items, count, sizeof *items, by_number);
	for (size_t i = 0; items != NULL && i < count; i++)
		json_array_append(out, items[i]);
	free(items);
	json_decref(list);
	return out;
}

/* Where it runs, somebody knows more than the ledger. */
static void add_progress(struct client *client, json_t *operation, uint64_t number)
{
	struct engine_progress p;
	struct now now;
	body_clock_read(&now);
	if (client->body->engine == NULL ||
	    !engine_progress_of(engine_body_engine(client->body->engine), number, &now, &p))
		return;
	json_object_set_new(operation, "phase", json_string(p.phase));
	json_object_set_new(operation, "steps", json_integer(p.step_count));
	json_object_set_new(operation, "step_ms", json_integer(p.step_age < 0 ? -1 : p.step_age / MILLISECOND));
	json_object_set_new(operation, "waits", json_string(p.waits));
}

void verb_op_list(struct client *client, const json_t *args)
{
	json_t *list = sorted(list_json(client->body->gossip, REGISTRY_OPERATION, OPERATIONS_MAX));
	json_t *operation;
	size_t i;
	json_array_foreach(list, i, operation)
		add_progress(client, operation,
		             (uint64_t)json_integer_value(json_object_get(operation, "operation")));
	client_done(client, list);
}

void verb_op_show(struct client *client, const json_t *args)
{
	const struct gossip *g = client->body->gossip;
	struct registry_row row;
	struct error error;
	int64_t number;
	if (args_number(args, "operation", 1, INT64_MAX, &number, &error) < 0) {
		client_usage(client, &error);
		return;
	}
	if (!read_audit(g, (uint64_t)number, &row)) {
		client_refuse(client, 1, "essaim audit", "no such operation",
		              "%lld is not the number of an operation that is remembered",
		              (long long)number);
		return;
	}
	struct request_id id = row.audit->id;
	json_t *out = audit_json(g, row.audit);
	if (read_operation(g, &id, &row)) {
		json_decref(out);
		out = operation_json(g, row.operation);
		add_progress(client, out, (uint64_t)number);
	}
	client_done(client, out);
}

void verb_audit(struct client *client, const json_t *args)
{
	struct error error;
	int64_t lines = 50;
	if (args_number_optional(args, "lines", 0, AUDIT_ROWS_MAX, &lines, &error) < 0)
		client_usage(client, &error);
	else
		client_done(client, list_json(client->body->gossip, REGISTRY_AUDIT, (size_t)lines));
}

void verb_job_list(struct client *client, const json_t *args)
{
	client_done(client, list_json(client->body->gossip, REGISTRY_JOB, JOBS_MAX));
}

void verb_job_show(struct client *client, const json_t *args)
{
	uint8_t key[REGISTRY_NAME_MAX + 1];
	struct registry_row row;
	struct error error;
	const char *name;
	if (args_text(args, "name", &name, &error) < 0) {
		client_usage(client, &error);
		return;
	}
	struct bytes bytes = {(const uint8_t *)name, strlen(name)};
	if (bytes.size <= NAME_MAX_SIZE &&
	    read_row(client->body->gossip, registry_row_key(REGISTRY_JOB, bytes, key), &row))
		client_done(client, job_json(client->body->gossip, row.job));
	else
		client_refuse(client, 1, "essaim job list", "no such job", "no job is called '%s'", name);
}
