/*
 * The volumes that operations made, from the ledger, beside what their nodes see: for `volume list` and `show`.
 */
#include <stdio.h>
#include <string.h>

#include "body_clock.h"
#include "control_client.h"
#include "control_verbs.h"
#include "storages.h"
#include "volume.h"

static bool volumes_next(const struct gossip *g, uint32_t *cursor, struct volume_row *out)
{
	_Alignas(16) uint8_t memory[2048];
	struct kv_view view;
	while (gossip_registry_at(g, cursor, &view)) {
		struct arena arena = {memory, sizeof memory, 0};
		if (view.key.size > 0 && view.key.data[0] == REGISTRY_VOLUME && volume_row_decode(view.value, &arena, out))
			return true;
	}
	return false;
}

static bool storage_of(const struct gossip *g, const char *name, struct storage_row *out)
{
	for (uint32_t cursor = 0; storages_next(g, &cursor, out);) {
		if (strcmp(out->name, name) == 0)
			return true;
	}
	return false;
}

/* "NODE TAG" of everything that is seen with a tag: the row it stands in. */
static json_t *by_tag(const json_t *seen)
{
	json_t *out = json_object(), *row;
	size_t i;
	json_array_foreach(seen, i, row)
	{
		const char *tags = json_string_value(json_object_get(row, "tags"));
		while (tags != NULL && *tags != '\0') {
			char key[NAME_MAX_SIZE + VOLUME_TAG_MAX + 2];
			size_t size = strcspn(tags, ",");
			if (size <= VOLUME_TAG_MAX) {
				snprintf(key, sizeof key, "%s %.*s", json_string_value(json_object_get(row, "node")), (int)size, tags);
				json_object_set(out, key, row);
			}
			tags += size + (tags[size] == ',');
		}
	}
	return out;
}

/* Anywhere, if its storage is shared. */
static json_t *seen_as(const json_t *tags, const char *node, const char *tag)
{
	char wanted[NAME_MAX_SIZE + VOLUME_TAG_MAX + 2];
	const char *key;
	json_t *row;
	snprintf(wanted, sizeof wanted, "%s %s", node, tag);
	if (node[0] != '\0')
		return json_object_get(tags, wanted);
	json_object_foreach((json_t *)tags, key, row)
	{
		if (strcmp(strchr(key, ' ') + 1, tag) == 0)
			return row;
	}
	return NULL;
}

static json_t *volume_json(const struct gossip *g, const json_t *tags, const struct volume_row *v)
{
	struct storage_row storage = {0};
	struct member_view member;
	struct now now;
	char path[DEVICE_PATH_MAX + VOLUME_TITLE_MAX + 8] = "";
	body_clock_read(&now);
	bool known = storage_of(g, v->storage, &storage);
	const char *node = v->node == 0 ? "" : gossip_member(g, &now, v->node, &member) ? member.name : "a node that left";
	json_t *seen = seen_as(tags, node, v->tag);
	bool files = known && storage_has_path(storage.type);
	if (known)
		storage_volume_path(&storage, v->name, path, sizeof path);
	return json_pack("{s:s, s:s, s:s, s:I, s:I, s:s, s:s, s:s, s:b, s:I, s:s}", "storage", v->storage, "name", v->name, "node",
	                 node, "size", (json_int_t)v->size, "seen_size",
	                 seen == NULL ? (json_int_t)0 : json_integer_value(json_object_get(seen, "size")), "path", path, "tag",
	                 v->tag, "origin", v->origin, "sparse", v->sparse, "operation", (json_int_t)v->operation, "there",
	                 files ? "unseen" : seen != NULL ? "yes" : "not seen");
}

json_t *volumes_recorded(const struct gossip *g, const json_t *seen, const char *node, const char *storage)
{
	json_t *out = json_array(), *tags = by_tag(seen);
	struct volume_row v;
	for (uint32_t cursor = 0; volumes_next(g, &cursor, &v);) {
		if (storage != NULL && strcmp(storage, v.storage) != 0)
			continue;
		json_t *row = volume_json(g, tags, &v);
		const char *at = json_string_value(json_object_get(row, "node"));
		if (node != NULL && at[0] != '\0' && strcmp(at, node) != 0)
			json_decref(row);
		else
			json_array_append_new(out, row);
	}
	json_decref(tags);
	return out;
}

void verb_volume_show(struct client *client, const json_t *args)
{
	const char *title = json_string_value(json_object_get(args, "volume"));
	const char *node = json_string_value(json_object_get(args, "node"));
	char one[NAME_MAX_SIZE + VOLUME_TITLE_MAX + 2];
	uint32_t more, found = 0;
	json_t *seen = volumes_seen(client->body->gossip, node, NULL, &more), *row, *result = NULL;
	json_t *list = volumes_recorded(client->body->gossip, seen, node, NULL);
	size_t i;
	json_array_foreach(list, i, row)
	{
		snprintf(one, sizeof one, "%s/%s", json_string_value(json_object_get(row, "storage")),
		         json_string_value(json_object_get(row, "name")));
		if (title == NULL || strcmp(one, title) != 0)
			continue;
		result = row;
		found++;
	}
	if (found == 1)
		client_done(client, json_incref(result));
	else if (found > 1)
		client_refuse(client, 1, "essaim volume list", "that is not one volume", "%u nodes have a '%.170s': say which with --node NAME",
		              found, title);
	else
		client_refuse(client, 1, "essaim volume list", "there is no such volume", "none that was made here is called '%.170s'",
		              title == NULL ? "" : title);
	json_decref(list);
	json_decref(seen);
}
