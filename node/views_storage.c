/*
 * The verbs `storage list`, `volume list`, `drbd list` and `drbd show`: what the nodes see of their
 * storage, from their facts.
 */
#include <stdlib.h>
#include <string.h>

#include "body_clock.h"
#include "control_client.h"
#include "control_verbs.h"
#include "drbd_holders.h"
#include "inventory.h"
#include "text.h"

struct walk {
	const struct gossip *g;
	struct now now;
	struct arena arena;
	uint32_t position;
	struct member_view owner;
	const char *node; /* only this one; NULL: all */
	void *room;       /* for what is decoded */
};

static bool walk_open(struct walk *w, const struct gossip *gossip, const char *node, size_t room)
{
	*w = (struct walk){.g = gossip, .node = node, .room = malloc(room)};
	w->arena = (struct arena){malloc(INVENTORY_SCRATCH), INVENTORY_SCRATCH, 0};
	body_clock_read(&w->now);
	return w->arena.data != NULL && w->room != NULL;
}

static void walk_close(struct walk *w)
{
	free(w->arena.data);
	free(w->room);
}

/* Has a request a node's name that nobody has? Then it was refused. */
static bool node_unknown(struct client *client, const json_t *args)
{
	struct member_view member;
	const char *name = json_string_value(json_object_get(args, "node"));
	return name != NULL && !client_find_member(client, name, &member);
}

static bool walk_next(struct walk *w, struct fact_view *out)
{
	while (gossip_fact_at(w->g, &w->now, w->position++, out)) {
		if (out->value.data == NULL || out->tombstone ||
		    out->key.size < 3 || memcmp(out->key.data, FACT_KEY_LVM, 3) != 0)
			continue;
		if (gossip_member(w->g, &w->now, out->owner, &w->owner) &&
		    (w->node == NULL || strcmp(w->node, w->owner.name) == 0))
			return true;
	}
	return false;
}

/* What is seen of a node that is away, or old by its own word, is old. */
static bool is_old(const struct walk *w, enum inventory_state state)
{
	return (!w->owner.self && w->owner.state != REACHABLE) ||
	       (state != INVENTORY_SEEN && state != INVENTORY_NONE);
}

static json_t *since_json(instant wall)
{
	char text[WALL_TEXT_SIZE];
	if (wall == 0)
		return json_null();
	wall_format(wall, text);
	return json_string(text);
}

/* ---- storage list: volume groups ---- */

static json_t *group_json(const char *node, const struct lvm_group *g)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:i, s:i, s:b, s:b}", "node", node, "type",
	                 "lvm", "name", g->name, "uuid", g->uuid.text, "size", (json_int_t)g->size,
	                 "free", (json_int_t)g->free, "extent", (json_int_t)g->extent, "devices",
	                 (int)g->device_count, "missing", (int)g->missing, "partial", g->partial,
	                 "exported", g->exported);
}

static void add_devices(json_t *out, const char *node, const struct lvm_head *h)
{
	for (uint32_t i = 0; i < h->device_count; i++) {
		const struct lvm_device *d = &h->devices[i];
		json_array_append_new(
			out, json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:b, s:b, s:s}", "node", node, "path",
		                       d->path, "group",
		                       d->group < h->group_count ? h->groups[d->group].name : "", "uuid",
		                       d->uuid.text, "size", (json_int_t)d->size, "free",
		                       (json_int_t)d->free, "missing", d->missing, "duplicate",
		                       d->duplicate, "other", d->other));
	}
}

void verb_storage_list(struct client *client, const json_t *args)
{
	struct walk w;
	struct fact_view fact;
	json_t *nodes = json_array(), *groups = json_array(), *devices = json_array();
	if (!node_unknown(client, args)) {
		bool open = walk_open(&w, client->body->gossip, json_string_value(json_object_get(args, "node")),
		                      sizeof(struct lvm_head));
		struct lvm_head *h = w.room;
		while (open && walk_next(&w, &fact)) {
			if (!bytes_are(fact.key, FACT_KEY_LVM) || !lvm_head_decode(fact.value, &w.arena, h))
				continue;
			json_array_append_new(
				nodes, json_pack("{s:s, s:s, s:b, s:o, s:i, s:i}", "node", w.owner.name, "lvm",
			                         inventory_state_name(h->state), "old", is_old(&w, h->state),
			                         "since", since_json(h->since_wall), "volumes",
			                         (int)h->volume_count, "more", (int)h->more));
			for (uint32_t i = 0; i < h->group_count; i++)
				json_array_append_new(groups, group_json(w.owner.name, &h->groups[i]));
			add_devices(devices, w.owner.name, h);
		}
		walk_close(&w);
		json_t *declared = storages_declared(client->body->gossip,
		                                     json_string_value(json_object_get(args, "node")));
		client_done(client, json_pack("{s:o, s:o, s:o, s:o}", "declared", declared, "nodes", nodes,
		                              "storages", groups, "devices", devices));
		return;
	}
	json_decref(nodes);
	json_decref(groups);
	json_decref(devices);
}

/* ---- volume list ---- */

static json_t *fill_json(int32_t fill)
{
	return fill < 0 ? json_null() : json_real((double)fill / 100);
}

static json_t *volume_json(const char *node, const struct lvm_page *page, const struct lvm_volume *v)
{
	const char *group = v->group < page->group_count ? page->groups[v->group].name : "";
	json_t *out = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I}", "node", node, "storage", group, "name",
	                        v->name, "uuid", v->uuid.text, "kind", lv_kind_name(v->kind), "size",
	                        (json_int_t)v->size);
	json_object_set_new(out, "active", v->state_unknown ? json_null() : json_boolean(v->active));
	json_object_set_new(out, "open", v->state_unknown ? json_null() : json_boolean(v->open));
	json_object_set_new(out, "sick", json_boolean(v->sick));
	json_object_set_new(out, "data_percent", fill_json(v->data_fill));
	json_object_set_new(out, "metadata_percent", fill_json(v->metadata_fill));
	json_object_set_new(out, "origin", json_string(v->origin));
	json_object_set_new(out, "pool", json_string(v->pool));
	json_object_set_new(out, "tags", json_string(v->tags));
	return out;
}

static bool volume_wanted(const char *wanted, const struct lvm_page *page, const struct lvm_volume *v)
{
	const char *group = v->group < page->group_count ? page->groups[v->group].name : "";
	return wanted == NULL || strcmp(wanted, group) == 0;
}

json_t *volumes_seen(const struct gossip *gossip, const char *node, const char *group, uint32_t *more)
{
	struct walk w;
	struct fact_view fact;
	uint32_t number;
	json_t *volumes = json_array();
	bool open = walk_open(&w, gossip, node, sizeof(struct lvm_page));
	struct lvm_page *page = w.room;
	*more = 0;
	while (open && walk_next(&w, &fact)) {
		if (!page_key_parse(fact.key, FACT_KEY_LVM, &number) ||
		    !lvm_page_decode(fact.value, &w.arena, page))
			continue;
		*more += page->more;
		for (uint32_t i = 0; i < page->volume_count; i++) {
			if (volume_wanted(group, page, &page->volumes[i]))
				json_array_append_new(volumes, volume_json(w.owner.name, page, &page->volumes[i]));
		}
	}
	walk_close(&w);
	return volumes;
}

/* A storage may be called as its volume group is: then both are meant. */
void verb_volume_list(struct client *client, const json_t *args)
{
	const struct gossip *g = client->body->gossip;
	const char *node = json_string_value(json_object_get(args, "node"));
	const char *storage = json_string_value(json_object_get(args, "storage"));
	uint32_t more;
	if (node_unknown(client, args))
		return;
	json_t *all = volumes_seen(g, node, NULL, &more);
	json_t *recorded = volumes_recorded(g, all, node, storage);
	if (storage != NULL) {
		json_decref(all);
		all = volumes_seen(g, node, storage, &more);
	}
	client_done(client, json_pack("{s:o, s:o, s:i}", "recorded", recorded, "volumes", all, "more", (int)more));
}

/* ---- drbd ---- */

static json_t *side_json(const struct drbd_holder *h, uint32_t peer)
{
	const struct drbd_resource *r = h->resource;
	json_t *out = json_pack("{s:s, s:b, s:s, s:b}", "node", h->name, "known", h->known, "role", r->role,
	                        "suspended", r->suspended);
	json_t *volumes = json_array();
	const struct drbd_peer *p = peer < r->peer_count ? &r->peers[peer] : NULL;
	json_object_set_new(out, "connection", json_string(p == NULL ? "" : p->connection));
	for (uint32_t i = 0; i < r->volume_count; i++) {
		const struct drbd_volume *v = &r->volumes[i];
		const struct drbd_peer_volume *pv = p != NULL && i < p->volume_count ? &p->volumes[i] : NULL;
		json_array_append_new(
			volumes,
			json_pack("{s:i, s:i, s:s, s:I, s:b, s:s, s:s, s:s, s:I, s:o}", "volume", (int)v->number,
		                  "minor", (int)v->minor, "disk", v->disk, "size", (json_int_t)v->size, "open",
		                  v->open, "backing", v->backing, "replication",
		                  pv == NULL ? "" : pv->replication, "peer_disk", pv == NULL ? "" : pv->disk,
		                  "out_of_sync", pv == NULL ? (json_int_t)0 : (json_int_t)pv->out_of_sync,
		                  "done_percent", fill_json(pv == NULL ? -1 : pv->done)));
	}
	json_object_set_new(out, "volumes", volumes);
	return out;
}

static const char *node_name(const struct drbd_holders *h, node_id node)
{
	for (uint32_t i = 0; i < h->node_count; i++) {
		if (h->nodes[i].node == node)
			return h->nodes[i].name;
	}
	return "";
}

static const char *about(const struct drbd_holders *h, const struct drbd_pair *pair)
{
	uint32_t side = pair->judgement.side;
	if (side == 1 && pair->holders[1] == NO_HOLDER && pair->absent != 0)
		return node_name(h, pair->absent);
	if (side > 1 || pair->holders[side] == NO_HOLDER)
		return "";
	return h->list[pair->holders[side]].name;
}

static json_t *pair_json(const struct drbd_holders *h, const struct drbd_pair *pair)
{
	const struct drbd_judgement *j = &pair->judgement;
	const struct drbd_holder *first = &h->list[pair->holders[0]];
	const struct drbd_peer *peer = pair->peers[0] < first->resource->peer_count
	                                       ? &first->resource->peers[pair->peers[0]]
	                                       : NULL;
	json_t *sides = json_array();
	for (int i = 0; i < 2; i++) {
		if (pair->holders[i] != NO_HOLDER)
			json_array_append_new(sides, side_json(&h->list[pair->holders[i]], pair->peers[i]));
	}
	json_t *out = json_pack("{s:s, s:s, s:s, s:b, s:s, s:I, s:b, s:s, s:o}", "name",
	                        first->resource->name, "verdict", drbd_verdict_name(j->verdict), "sentence",
	                        drbd_verdict_sentence(j->verdict), "well", drbd_verdict_well(j->verdict),
	                        "about", about(h, pair), "out_of_sync", (json_int_t)j->out_of_sync,
	                        "options_differ", j->options_differ, "peer", peer == NULL ? "" : peer->name, "sides", sides);
	json_object_set_new(out, "done_percent", fill_json(j->done));
	return out;
}

static void answer_pairs(struct client *client, const struct drbd_holders *h, const char *name)
{
	uint32_t count = drbd_pairs(h->list, h->count, h->nodes, h->node_count, NULL, 0);
	struct drbd_pair *pairs = calloc(count + 1, sizeof *pairs);
	json_t *list = json_array();
	if (pairs != NULL)
		drbd_pairs(h->list, h->count, h->nodes, h->node_count, pairs, count);
	for (uint32_t i = 0; pairs != NULL && i < count; i++)
		json_array_append_new(list, pair_json(h, &pairs[i]));
	if (pairs == NULL || !h->whole) {
		json_decref(list);
		client_refuse(client, 1, "essaim drbd list", "out of memory", "the resources do not fit the memory");
		free(pairs);
		return;
	}
	free(pairs);
	if (name != NULL && h->count == 0) {
		json_decref(list);
		client_refuse(client, 1, "essaim drbd list", "there is no such resource",
		              "no node has a DRBD resource '%s'", name);
		return;
	}
	client_done(client, json_pack("{s:o}", "resources", list));
}

/* All of them, or with "name" only that one. */
void verb_drbd_list(struct client *client, const json_t *args)
{
	struct drbd_holders h;
	struct now now;
	const char *name = json_string_value(json_object_get(args, "name"));
	body_clock_read(&now);
	drbd_holders_gather(&h, client->body->gossip, &now, name);
	answer_pairs(client, &h, name);
	drbd_holders_free(&h);
}
