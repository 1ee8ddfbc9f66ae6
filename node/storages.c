#include "storages.h"

#include <stdlib.h>
#include <string.h>

#include "drbd_holders.h"
#include "registry.h"
#include "text.h"

bool storages_next(const struct gossip *g, uint32_t *cursor, struct storage_row *out)
{
	_Alignas(16) uint8_t memory[4096];
	struct kv_view view;
	while (gossip_registry_at(g, cursor, &view)) {
		struct arena arena = {memory, sizeof memory, 0};
		if (view.key.size > 0 && view.key.data[0] == REGISTRY_STORAGE &&
		    storage_row_decode(view.value, &arena, out))
			return true;
	}
	return false;
}

/* ---- the nodes ---- */

static bool add_node(struct storages *s, const struct member_view *m)
{
	if (s->count == s->capacity) {
		uint32_t more = s->capacity == 0 ? 8 : s->capacity * 2;
		void *grown = realloc(s->nodes, more * sizeof *s->nodes);
		if (grown == NULL)
			return false;
		s->nodes = grown;
		s->capacity = more;
	}
	struct storages_node *n = &s->nodes[s->count++];
	n->id = m->id;
	memcpy(n->name, m->name, sizeof n->name);
	n->self = m->self;
	n->old = !m->self && m->state != REACHABLE;
	n->told = false;
	n->dirs.count = 0;
	return true;
}

static struct storages_node *node_of(struct storages *s, node_id id)
{
	for (uint32_t i = 0; i < s->count; i++) {
		if (s->nodes[i].id == id)
			return &s->nodes[i];
	}
	return NULL;
}

static void read_heads(struct storages *s)
{
	struct fact_view fact;
	for (uint32_t i = 0; gossip_fact_at(s->gossip, &s->now, i, &fact); i++) {
		bool lvm = bytes_are(fact.key, FACT_KEY_LVM), dirs = bytes_are(fact.key, FACT_KEY_DIRS);
		if (fact.value.data == NULL || fact.tombstone || (!lvm && !dirs))
			continue;
		struct storages_node *n = node_of(s, fact.owner);
		if (n == NULL)
			continue;
		if (dirs) {
			if (!dirs_decode(fact.value, &s->arena, &n->dirs))
				n->dirs.count = 0;
			continue;
		}
		n->told = lvm_head_decode(fact.value, &s->arena, &n->lvm);
		n->old |= n->told && n->lvm.state != INVENTORY_SEEN && n->lvm.state != INVENTORY_NONE;
	}
}

bool storages_open(struct storages *s, const struct gossip *g, const struct now *now)
{
	struct member_view m;
	*s = (struct storages){.gossip = g, .now = *now, .page = malloc(sizeof *s->page)};
	s->arena = (struct arena){malloc(INVENTORY_SCRATCH), INVENTORY_SCRATCH, 0};
	if (s->page == NULL || s->arena.data == NULL)
		return false;
	for (uint32_t i = 0; gossip_member_at(g, now, i, &m); i++) {
		bool gone = m.state == GONE_LEFT || m.state == GONE_REMOVED;
		if (!gone && m.role != ROLE_WITNESS && !add_node(s, &m))
			return false;
	}
	read_heads(s);
	return true;
}

void storages_free(struct storages *s)
{
	free(s->nodes);
	free(s->page);
	free(s->arena.data);
}

/* ---- one storage ---- */

static const struct lvm_volume *pool_on(const struct lvm_page *page, const struct storage_row *row)
{
	for (uint32_t i = 0; i < page->volume_count; i++) {
		const struct lvm_volume *v = &page->volumes[i];
		if (v->group < page->group_count && strcmp(page->groups[v->group].name, row->group) == 0 &&
		    strcmp(v->name, row->pool) == 0)
			return v;
	}
	return NULL;
}

/* The pool may lie on any page. A page without volumes is not published, so volumes are counted. */
static void find_pool(struct storages *s, const struct storage_row *row, const struct storages_node *n,
                      struct storage_evidence *e, struct lvm_volume *room)
{
	struct fact_view fact;
	uint32_t number, volumes = 0;
	for (uint32_t i = 0; gossip_fact_at(s->gossip, &s->now, i, &fact); i++) {
		if (fact.owner != n->id || fact.value.data == NULL || fact.tombstone ||
		    !page_key_parse(fact.key, FACT_KEY_LVM, &number) ||
		    !lvm_page_decode(fact.value, &s->arena, s->page))
			continue;
		const struct lvm_volume *found = pool_on(s->page, row);
		volumes += s->page->volume_count + s->page->more;
		if (found != NULL) {
			*room = *found;
			e->pool = room;
		}
	}
	e->pools_known = n->told && volumes >= n->lvm.volume_count;
}

static void find_resource(const struct drbd_holders *h, const struct storages *s, const struct storages_node *n,
                          struct storage_evidence *e)
{
	struct fact_view fact;
	struct drbd_head head;
	for (uint32_t i = 0; i < h->count; i++) {
		if (h->list[i].node == n->id) {
			e->drbd_known = h->list[i].known;
			e->resource = h->list[i].resource;
			return;
		}
	}
	for (uint32_t i = 0; gossip_fact_at(s->gossip, &s->now, i, &fact); i++) {
		struct arena arena = s->arena;
		if (fact.owner == n->id && bytes_are(fact.key, FACT_KEY_DRBD) && fact.value.data != NULL &&
		    !fact.tombstone && drbd_head_decode(fact.value, &arena, &head))
			e->drbd_known = head.state == INVENTORY_SEEN || head.state == INVENTORY_NONE;
	}
}

static const struct dir_seen *dir_of(const struct storages_node *n, const char *storage)
{
	for (uint32_t i = 0; i < n->dirs.count; i++) {
		if (strcmp(n->dirs.list[i].storage, storage) == 0)
			return &n->dirs.list[i];
	}
	return NULL;
}

/* What the first of its nodes that sees a group of that name has: first by node, so all agree which. */
static const struct lvm_uuid *reference_of(const struct storages *s, const struct storage_row *row)
{
	const struct lvm_uuid *out = NULL;
	node_id first = 0;
	for (uint32_t i = 0; i < s->count; i++) {
		const struct storages_node *n = &s->nodes[i];
		const struct lvm_uuid *uuid = n->told && storage_on(row, n->id) ? storage_uuid(row, &n->lvm) : NULL;
		if (uuid == NULL || (out != NULL && n->id > first))
			continue;
		out = uuid;
		first = n->id;
	}
	return out;
}

void storages_see(struct storages *s, const struct storage_row *row, node_id only, storages_told *told,
                  void *context)
{
	const struct lvm_uuid *reference = row->shared ? reference_of(s, row) : NULL;
	struct drbd_holders holders = {.count = 0};
	struct lvm_volume pool;
	struct storage_seen seen;
	if (row->type == STORAGE_DRBD_LVM)
		drbd_holders_gather(&holders, s->gossip, &s->now, row->source);
	for (uint32_t i = 0; i < s->count; i++) {
		const struct storages_node *n = &s->nodes[i];
		struct storage_evidence e = {.lvm = n->told ? &n->lvm : NULL, .dir = dir_of(n, row->name)};
		if (!storage_on(row, n->id) || (only != 0 && n->id != only))
			continue;
		if (row->type == STORAGE_LVM_THIN)
			find_pool(s, row, n, &e, &pool);
		if (row->type == STORAGE_DRBD_LVM)
			find_resource(&holders, s, n, &e);
		storage_see(row, &e, reference, &seen);
		told(context, n, &seen);
	}
	drbd_holders_free(&holders);
}
