#include <stdlib.h>
#include <string.h>

#include "body_clock.h"
#include "control_request.h"
#include "control_verbs.h"
#include "text.h"

static json_int_t to_ms(duration d)
{
	return (json_int_t)(d / MILLISECOND);
}

static const char *outcome_name(enum probe_outcome outcome)
{
	switch (outcome) {
	case OUTCOME_ALIVE:
		return "alive";
	case OUTCOME_SILENT:
		return "silent";
	case OUTCOME_REFUSED:
		return "refused";
	case OUTCOME_HOST_UP:
		return "host up, daemon silent";
	}
	return "unknown"; /* came from a peer */
}

static json_t *accusers_json(const struct gossip *g, const struct member_view *member)
{
	json_t *list = json_array();
	for (uint32_t i = 0; i < member->accuser_count; i++) {
		const struct accuser_view *accuser = &member->accusers[i];
		json_array_append_new(list, json_pack("{s:s, s:i, s:s}", "name",
		                                      gossip_name(g, accuser->node), "health",
		                                      (int)accuser->health, "outcome",
		                                      outcome_name(accuser->outcome)));
	}
	return list;
}

static void add_times(json_t *out, const struct member_view *member)
{
	json_object_set_new(out, "since_ms", json_integer(to_ms(member->since)));
	json_object_set_new(out, "heard_ms",
	                    member->heard_ago < 0 ? json_null()
						  : json_integer(to_ms(member->heard_ago)));
	json_object_set_new(out, "wire",
	                    json_pack("[i, i]", (int)member->wire_min, (int)member->wire_max));
}

static json_t *id_or_null(node_id id)
{
	char text[17];
	node_id_format(id, text);
	return id != 0 ? json_string(text) : json_null();
}

/* The alarm that two processes use one key: where the other one was, and how long ago. */
static json_t *clone_json(const struct member_view *member)
{
	char address[ADDRESS_TEXT_SIZE];
	if (!member->cloned)
		return json_null();
	address_format(&member->clone_address, address);
	return json_pack("{s:s, s:I}", "address", address, "ago_ms", to_ms(member->clone_ago));
}

static json_t *member_json(const struct gossip *g, const struct member_view *member)
{
	char id[17], address[ADDRESS_TEXT_SIZE];
	node_id_format(member->id, id);
	address_format(&member->address, address);
	json_t *out = json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:b, s:I, s:o}", "name",
	                        member->name, "id", id, "address", address, "state",
	                        reachability_name(member->state), "role", role_name(member->role),
	                        "voter", member->voter, "master", member->master, "self", member->self,
	                        "incarnation", (json_int_t)member->incarnation, "accusers",
	                        accusers_json(g, member));
	add_times(out, member);
	json_object_set_new(out, "clone", clone_json(member));
	json_object_set_new(out, "successor", id_or_null(member->successor));
	return out;
}

static int by_name(const void *a, const void *b)
{
	json_t *const *one = a, *const *other = b;
	return strcmp(json_string_value(json_object_get(*one, "name")),
	              json_string_value(json_object_get(*other, "name")));
}

/* By name: the mind's own order changes with a restart. */
static json_t *sorted(json_t *list)
{
	size_t count = json_array_size(list);
	json_t **items = calloc(count + 1, sizeof *items);
	if (items == NULL)
		return list;
	for (size_t i = 0; i < count; i++)
		items[i] = json_incref(json_array_get(list, i));
	qsort(items, count, sizeof *items, by_name);
	json_array_clear(list);
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, items[i]);
	free(items);
	return list;
}

static bool is_version(const struct fact_view *fact)
{
	static const char key[] = "version";
	return !fact->tombstone && !fact->pending && fact->key.size == sizeof key - 1 &&
	       memcmp(fact->key.data, key, fact->key.size) == 0;
}

json_t *views_versions(const struct gossip *g, const struct now *now)
{
	json_t *versions = json_object();
	struct fact_view fact;
	for (uint32_t i = 0; gossip_fact_at(g, now, i, &fact); i++) {
		char id[17];
		node_id_format(fact.owner, id);
		if (is_version(&fact))
			json_object_set_new(versions, id,
			                    json_stringn((const char *)fact.value.data, fact.value.size));
	}
	return versions;
}

void verb_node_list(struct client *client, const json_t *args)
{
	const struct gossip *g = client->body->gossip;
	json_t *list = json_array();
	struct member_view member;
	struct now now;
	body_clock_read(&now);
	json_t *versions = views_versions(g, &now);
	json_t *hosts = args_flag(args, "wide") ? views_hosts(g, &now, 0) : json_object();
	for (uint32_t i = 0; gossip_member_at(g, &now, i, &member); i++) {
		json_t *row = member_json(g, &member);
		json_t *version = json_object_get(versions, json_string_value(json_object_get(row, "id")));
		json_object_set_new(row, "version", version != NULL ? json_incref(version) : json_null());
		json_object_update(row, json_object_get(hosts, json_string_value(json_object_get(row, "id"))));
		json_array_append_new(list, row);
	}
	json_decref(versions);
	json_decref(hosts);
	client_done(client, sorted(list));
}

/* ---- one node ---- */

static json_t *clock_json(const struct member_view *member)
{
	if (!member->clock_known || member->state != REACHABLE)
		return json_null(); /* what was measured once says nothing of now */
	double ms = (double)MILLISECOND;
	return json_pack("{s:f, s:f, s:f}", "offset_ms", (double)member->clock_offset / ms, "error_ms",
	                 (double)member->clock_error / ms, "round_trip_ms",
	                 (double)member->round_trip / ms);
}

static json_t *path_json(const struct path_view *path)
{
	char local[ADDRESS_TEXT_SIZE], remote[ADDRESS_TEXT_SIZE];
	address_format(&path->local, local);
	address_format(&path->remote, remote);
	return json_pack("{s:s, s:s, s:s, s:b, s:o, s:o}", "local", local, "remote", remote, "state",
	                 path_state_name(path->state), "used", path->used, "round_trip_ms",
	                 path->round_trip < 0 ? json_null()
					      : json_real((double)path->round_trip / MILLISECOND),
	                 "heard_ms",
	                 path->heard_ago < 0 ? json_null() : json_integer(to_ms(path->heard_ago)));
}

static json_t *paths_json(const struct member_view *member)
{
	json_t *paths = json_array();
	for (uint32_t i = 0; i < member->path_count; i++)
		json_array_append_new(paths, path_json(&member->paths[i]));
	return paths;
}

static json_t *fact_json(const struct fact_view *fact)
{
	json_t *out = json_pack("{s:I, s:I}", "version", (json_int_t)fact->version, "age_ms",
	                        to_ms(fact->age));
	if (fact->tombstone || fact->pending)
		json_object_set_new(out, "value", json_null());
	else
		json_set_value(out, fact->value.data, fact->value.size);
	return out;
}

static json_t *facts_json(const struct gossip *g, const struct now *now, node_id owner)
{
	json_t *facts = json_object();
	struct fact_view fact;
	for (uint32_t i = 0; gossip_fact_at(g, now, i, &fact); i++) {
		if (fact.owner == owner && !fact.tombstone)
			json_object_setn_new(facts, (const char *)fact.key.data, fact.key.size,
			                     fact_json(&fact));
	}
	return facts;
}

void verb_node_show(struct client *client, const json_t *args)
{
	const struct gossip *g = client->body->gossip;
	const char *name;
	struct error error;
	struct member_view member;
	if (args_text(args, "name", &name, &error) < 0) {
		client_usage(client, &error);
		return;
	}
	if (!client_find_member(client, name, &member))
		return;
	struct now now;
	body_clock_read(&now);
	json_t *out = member_json(g, &member);
	if (member.key != NULL) {
		char key[2 * NODE_KEY_SIZE + 1];
		hex_format(member.key->bytes, NODE_KEY_SIZE, key);
		json_object_set_new(out, "key", json_string(key));
	}
	json_object_set_new(out, "clock", clock_json(&member));
	json_object_set_new(out, "paths", paths_json(&member));
	json_object_set_new(out, "facts", facts_json(g, &now, member.id));
	json_t *hosts = views_hosts(g, &now, member.id);
	json_object_update(out, json_object_get(hosts, json_string_value(json_object_get(out, "id"))));
	json_decref(hosts);
	client_done(client, out);
}
