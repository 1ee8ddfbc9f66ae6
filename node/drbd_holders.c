#include "drbd_holders.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

struct walk {
	const struct gossip *g;
	const struct now *now;
	struct arena arena;
	struct drbd_page *page;
	struct member_view owner;
};

static bool add(struct drbd_holders *h, const struct walk *w, const struct drbd_resource *r)
{
	if (h->count == h->capacity) {
		uint32_t capacity = h->capacity == 0 ? 16 : h->capacity * 2;
		struct drbd_holder *more = realloc(h->list, capacity * sizeof *more);
		if (more == NULL)
			return false;
		h->list = more;
		h->capacity = capacity;
	}
	struct drbd_resource *copy = malloc(sizeof *copy);
	if (copy == NULL)
		return false;
	*copy = *r;
	h->list[h->count++] = (struct drbd_holder){w->owner.id, gossip_name(w->g, w->owner.id),
		w->owner.self || w->owner.state == REACHABLE, copy};
	return true;
}

static bool said(struct walk *w, const struct fact_view *fact)
{
	return fact->value.data != NULL && !fact->tombstone &&
	       gossip_member(w->g, w->now, fact->owner, &w->owner);
}

static void add_page(struct drbd_holders *h, struct walk *w, const struct fact_view *fact,
                     const char *name)
{
	uint32_t number;
	if (!page_key_parse(fact->key, FACT_KEY_DRBD, &number) || !said(w, fact) ||
	    !drbd_page_decode(fact->value, &w->arena, w->page))
		return;
	for (uint32_t i = 0; i < w->page->resource_count; i++) {
		const struct drbd_resource *r = &w->page->resources[i];
		if ((name == NULL || strcmp(r->name, name) == 0) && !add(h, w, r)) {
			h->whole = false;
			return;
		}
	}
}

/* "10.0.0.1:7800" and "[fe80::1]:7800" without what follows. */
static void host_of(const char *address, char out[ADDRESS_TEXT_SIZE])
{
	const char *begin = address[0] == '[' ? address + 1 : address;
	const char *end = address[0] == '[' ? strchr(begin, ']') : strrchr(begin, ':');
	size_t size = end == NULL ? strlen(begin) : (size_t)(end - begin);
	memcpy(out, begin, size);
	out[size] = '\0';
}

/* Head and pages are facts of their own: are all that the head tells of here? */
static bool all_pages(const struct walk *w, const struct drbd_head *head)
{
	struct fact_view fact;
	uint32_t number, found = 0;
	for (uint32_t i = 0; head->page_count > 0 && gossip_fact_at(w->g, w->now, i, &fact); i++) {
		found += fact.owner == w->owner.id && fact.value.data != NULL && !fact.tombstone &&
		         page_key_parse(fact.key, FACT_KEY_DRBD, &number) && number < head->page_count;
	}
	return found >= head->page_count;
}

static bool add_node(struct drbd_holders *h, const struct walk *w, bool known)
{
	char address[ADDRESS_TEXT_SIZE];
	if (h->node_count == h->node_capacity) {
		uint32_t capacity = h->node_capacity == 0 ? 16 : h->node_capacity * 2;
		struct drbd_node *more = realloc(h->nodes, capacity * sizeof *more);
		if (more == NULL)
			return false;
		h->nodes = more;
		h->node_capacity = capacity;
	}
	struct drbd_node *n = &h->nodes[h->node_count++];
	*n = (struct drbd_node){.node = w->owner.id, .name = gossip_name(w->g, w->owner.id),
		.known = known && (w->owner.self || w->owner.state == REACHABLE)};
	address_format(&w->owner.address, address);
	host_of(address, n->host);
	return true;
}

/* A node whose own word is old is not known, whatever its pages say. */
static void take_head(struct drbd_holders *h, struct walk *w, const struct fact_view *fact)
{
	struct drbd_head head;
	if (!bytes_are(fact->key, FACT_KEY_DRBD) || !said(w, fact) ||
	    !drbd_head_decode(fact->value, &w->arena, &head))
		return;
	h->whole &= add_node(h, w, head.state == INVENTORY_NONE || (head.state == INVENTORY_SEEN && head.more == 0 && all_pages(w, &head)));
	if (head.state == INVENTORY_SEEN)
		return;
	for (uint32_t i = 0; i < h->count; i++) {
		if (h->list[i].node == fact->owner)
			h->list[i].known = false;
	}
}

void drbd_holders_gather(struct drbd_holders *out, const struct gossip *gossip, const struct now *now,
                         const char *name)
{
	struct walk w = {gossip, now, {malloc(INVENTORY_SCRATCH), INVENTORY_SCRATCH, 0},
		malloc(sizeof *w.page), {0}};
	struct fact_view fact;
	memset(out, 0, sizeof *out);
	bool room = w.arena.data != NULL && w.page != NULL;
	out->whole = room;
	for (uint32_t i = 0; room && gossip_fact_at(gossip, now, i, &fact); i++)
		add_page(out, &w, &fact, name);
	for (uint32_t i = 0; room && gossip_fact_at(gossip, now, i, &fact); i++)
		take_head(out, &w, &fact);
	free(w.arena.data);
	free(w.page);
}

void drbd_holders_free(struct drbd_holders *h)
{
	for (uint32_t i = 0; i < h->count; i++)
		free((void *)(uintptr_t)h->list[i].resource);
	free(h->list);
	free(h->nodes);
	memset(h, 0, sizeof *h);
}
