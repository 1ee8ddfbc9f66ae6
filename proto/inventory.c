/*
 * Which page a thing lies on, and the words of inventories.
 */
#include "inventory.h"

#include <stdio.h>
#include <string.h>

/* FNV-1a, its high bits stirred in. */
static uint32_t text_hash(const char *text)
{
	uint32_t hash = 0x811c9dc5u;
	for (; *text != '\0'; text++)
		hash = (hash ^ (uint8_t)*text) * 0x01000193u;
	return hash ^ hash >> 15;
}

/* As few as hold `count` at `each`; fewer again only when half of that is enough. */
static uint32_t pages_for(uint32_t count, uint32_t now, uint32_t each, uint32_t max)
{
	uint32_t pages = 1;
	while (pages < max && count > pages * each)
		pages *= 2;
	return now > pages && now <= max && count > now * each / 4 ? now : pages;
}

uint32_t lvm_pages_for(uint32_t volumes, uint32_t now)
{
	return pages_for(volumes, now, 128, LVM_PAGES_MAX);
}

uint32_t drbd_pages_for(uint32_t resources, uint32_t now)
{
	return pages_for(resources, now, 48, DRBD_PAGES_MAX);
}

uint32_t lvm_page_of(const struct lvm_uuid *uuid, uint32_t pages)
{
	return pages == 0 ? 0 : text_hash(uuid->text) % pages;
}

uint32_t drbd_page_of(const char *resource, uint32_t pages)
{
	return pages == 0 ? 0 : text_hash(resource) % pages;
}

/* ---- taking a page ---- */

/* The group's position on the page, where it is put if it is new. */
static uint32_t page_group(struct lvm_page *page, const struct lvm_group *group)
{
	for (uint32_t i = 0; i < page->group_count; i++) {
		if (strcmp(page->groups[i].name, group->name) == 0)
			return i;
	}
	struct lvm_page_group *g = &page->groups[page->group_count];
	memcpy(g->name, group->name, sizeof g->name);
	g->uuid = group->uuid;
	return page->group_count++;
}

void lvm_page_take(const struct lvm_seen *seen, uint32_t pages, uint32_t page, struct lvm_page *out)
{
	memset(out, 0, sizeof *out);
	for (uint32_t i = 0; i < seen->volume_count; i++) {
		const struct lvm_volume *v = &seen->volumes[i];
		if (lvm_page_of(&v->uuid, pages) != page)
			continue;
		if (out->volume_count == LVM_PAGE_VOLUMES_MAX) {
			out->more++;
			continue;
		}
		struct lvm_volume *to = &out->volumes[out->volume_count++];
		*to = *v;
		if (v->group != LVM_NO_GROUP)
			to->group = page_group(out, &seen->groups[v->group]);
	}
}

void drbd_page_take(const struct drbd_seen *seen, uint32_t pages, uint32_t page,
                    struct drbd_page *out)
{
	memset(out, 0, sizeof *out);
	for (uint32_t i = 0; i < seen->resource_count; i++) {
		const struct drbd_resource *r = &seen->resources[i];
		uint32_t at = out->resource_count;
		if (drbd_page_of(r->name, pages) != page)
			continue;
		for (; at > 0 && strcmp(out->resources[at - 1].name, r->name) > 0; at--)
			out->resources[at] = out->resources[at - 1];
		out->resources[at] = *r;
		out->resource_count++;
	}
}

/* ---- keys ---- */

void page_key(const char *fact, uint32_t page, char out[FACT_KEY_MAX + 1])
{
	snprintf(out, FACT_KEY_MAX + 1, "%s/%u", fact, page);
}

bool page_key_parse(struct bytes key, const char *fact, uint32_t *out)
{
	size_t size = strlen(fact);
	if (key.size != size + 2 || memcmp(key.data, fact, size) != 0 || key.data[size] != '/' ||
	    key.data[size + 1] < '0' || key.data[size + 1] > '9')
		return false;
	*out = (uint32_t)(key.data[size + 1] - '0');
	return true;
}

/* ---- words ---- */

const char *inventory_state_name(enum inventory_state state)
{
	static const char *const names[INVENTORY_STATES] = {"none", "seen", "unknown", "stuck", "blind"};
	return state < INVENTORY_STATES ? names[state] : "?";
}

const char *lv_kind_name(enum lv_kind kind)
{
	static const char *const names[LV_KINDS] = {"linear", "pool", "thin", "snapshot", "other"};
	return kind < LV_KINDS ? names[kind] : "?";
}
