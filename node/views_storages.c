/*
 * What is declared, beside what each node has of it: for `storage list`, and `storage show`.
 */
#include <stdlib.h>
#include <string.h>

#include "body_clock.h"
#include "control_client.h"
#include "control_verbs.h"
#include "storages.h"
#include "view_names.h"

struct showing {
	const char *node; /* only this one; NULL: all */
	json_t *list;
};

static void add_seen(void *context, const struct storages_node *n, const struct storage_seen *seen)
{
	struct showing *to = context;
	if (to->node != NULL && strcmp(to->node, n->name) != 0)
		return;
	json_array_append_new(to->list, json_pack("{s:s, s:s, s:b, s:I, s:I, s:s, s:s}", "node", n->name, "state",
	                                          storage_state_name(seen->state), "old", n->old, "size",
	                                          (json_int_t)seen->size, "free", (json_int_t)seen->free, "uuid",
	                                          seen->uuid.text, "why", seen->why));
}

/* By name; by number who is no member any more. */
static json_t *nodes_json(const struct storages *s, const struct storage_row *row)
{
	json_t *out = json_array();
	char number[24];
	for (uint32_t i = 0; i < row->node_count; i++) {
		const char *name = NULL;
		for (uint32_t k = 0; k < s->count; k++)
			name = s->nodes[k].id == row->nodes[i] ? s->nodes[k].name : name;
		snprintf(number, sizeof number, "%016llx", (unsigned long long)row->nodes[i]);
		json_array_append_new(out, json_string(name == NULL ? number : name));
	}
	return out;
}

static json_t *declared_json(struct storages *s, const struct storage_row *row, const char *node)
{
	struct showing to = {node, json_array()};
	char id[STORAGE_ID_TEXT];
	storage_id_text(&row->id, id);
	storages_see(s, row, 0, add_seen, &to);
	json_t *out = json_pack("{s:s, s:s, s:s, s:b, s:s, s:s, s:s, s:s}", "name", row->name, "id", id, "type",
	                        storage_type_name(row->type), "shared", row->shared, "path", row->path, "source",
	                        row->source, "vg", row->group, "pool", row->pool);
	json_object_set_new(out, "all_nodes", json_boolean(row->node_count == 0));
	json_object_set_new(out, "nodes", nodes_json(s, row));
	json_object_set_new(out, "seen", to.list);
	return out;
}

json_t *storages_declared(const struct gossip *g, const char *node)
{
	json_t *out = json_array();
	struct storage_row row;
	struct storages s;
	struct now now;
	uint32_t cursor = 0;
	if (!storages_next(g, &cursor, &row))
		return out;
	body_clock_read(&now);
	bool open = storages_open(&s, g, &now);
	for (cursor = 0; open && storages_next(g, &cursor, &row);)
		json_array_append_new(out, declared_json(&s, &row, node));
	storages_free(&s);
	return out;
}

static void refuse_unknown(struct client *client, const char *name)
{
	struct names_near near = {.wanted = name};
	char meant[256];
	struct storage_row row;
	for (uint32_t cursor = 0; storages_next(client->body->gossip, &cursor, &row);)
		names_near_offer(&near, row.name);
	names_near_say(&near, meant, sizeof meant);
	client_refuse(client, 1, "essaim storage list", "there is no such storage", "no storage is called '%.80s'%s",
	              name, meant);
}

void verb_storage_show(struct client *client, const json_t *args)
{
	const char *name = json_string_value(json_object_get(args, "name"));
	json_t *list = storages_declared(client->body->gossip, NULL), *row, *found = NULL;
	size_t i;
	json_array_foreach(list, i, row)
	{
		if (name != NULL && strcmp(json_string_value(json_object_get(row, "name")), name) == 0)
			found = json_incref(row);
	}
	json_decref(list);
	if (found == NULL)
		refuse_unknown(client, name == NULL ? "" : name);
	else
		client_done(client, found);
}
