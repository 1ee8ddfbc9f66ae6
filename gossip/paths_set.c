#include "paths_inside.h"

#include "text.h"

/* ---- pairs ---- */

uint32_t paths_local_count(const struct gossip *g)
{
	return g->settings.local.count == 0 ? 1 : g->settings.local.count;
}

/* Can a packet from that socket go to that address at all? */
static bool fits(const struct gossip *g, uint32_t local, const struct address *remote)
{
	const struct addresses *ours = &g->settings.local;
	return ours->count == 0 || ours->list[local].family == remote->family;
}

bool path_usable(const struct gossip *g, const struct path_set *s, uint32_t path)
{
	uint32_t local = path / ADDRESSES_MAX, remote = path % ADDRESSES_MAX;
	return local < paths_local_count(g) && remote < s->remote.count &&
	       fits(g, local, &s->remote.list[remote]);
}

uint32_t path_find(const struct gossip *g, const struct path_set *s, const struct way *way)
{
	for (uint32_t i = 0; i < s->remote.count; i++) {
		uint32_t path = path_of(way->path, i);
		if (address_equal(&s->remote.list[i], &way->to) && path_usable(g, s, path))
			return path;
	}
	return NO_PATH;
}

/* ---- who has which addresses ---- */

static struct path_set *set_new(struct gossip *g, struct member *m)
{
	struct paths *p = g->membership.paths;
	uint32_t i = 0;
	while (i < p->count && p->sets[i].slot != 0)
		i++;
	p->count += i == p->count;
	p->live++;
	m->paths = i + 1;
	struct path_set *s = &p->sets[i];
	memset(s, 0, sizeof *s);
	s->slot = member_slot(g, m) + 1;
	return s;
}

void paths_drop(struct gossip *g, struct member *m)
{
	struct path_set *s = set_of(g, m);
	if (s == NULL)
		return;
	for (uint32_t i = 0; i < PATHS_MAX; i++)
		path_reset(g, s, i);
	paths_due_drop(g, s->slot);
	s->slot = 0;
	m->paths = 0;
	g->membership.paths->live--;
}

void paths_forget(struct gossip *g, struct member *m)
{
	struct path_set *s = set_of(g, m);
	if (s == NULL)
		return;
	for (uint32_t i = 0; i < PATHS_MAX; i++)
		path_reset(g, s, i);
	paths_due_drop(g, s->slot);
}

static uint32_t count_usable(const struct gossip *g, const struct addresses *all, struct way *first)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < paths_local_count(g); i++) {
		for (uint32_t k = 0; k < all->count; k++) {
			if (fits(g, i, &all->list[k]) && count++ == 0)
				*first = (struct way){i, all->list[k]};
		}
	}
	return count;
}

static bool lists(const struct addresses *in, const struct address *one)
{
	for (uint32_t i = 0; i < in->count; i++) {
		if (address_equal(&in->list[i], one))
			return true;
	}
	return false;
}

/* What was known of each pair goes to its new place. */
static void set_fill(struct gossip *g, struct member *m, struct path_set *s,
                     const struct addresses *all)
{
	struct path_set before = *s;
	struct way used = {m->path, m->address};
	paths_due_drop(g, s->slot);
	s->remote = *all;
	s->learned = false;
	/* where it answers now stays one of its places, even if it does not name it */
	bool answers = before.remote.count == 0 ? m->state == REACHABLE
	                                        : path_trusted(&before.paths[before.used]);
	if (answers && !lists(all, &used.to) && s->remote.count < ADDRESSES_MAX) {
		s->remote.list[s->remote.count++] = used.to;
		s->learned = true;
	}
	for (uint32_t i = 0; i < PATHS_MAX; i++) {
		struct way way = way_of(s, i);
		uint32_t was = path_usable(g, s, i) ? path_find(g, &before, &way) : NO_PATH;
		s->paths[i] = was == NO_PATH ? (struct path){0} : before.paths[was];
		if (was != NO_PATH)
			before.paths[was].state = PATH_UNKNOWN;
	}
	for (uint32_t i = 0; i < PATHS_MAX; i++)
		path_reset(g, &before, i); /* whatever was down and is no more */
	uint32_t path = path_find(g, s, &used);
	path_use(m, s, path == NO_PATH ? path_best(g, s, NO_PATH) : path);
}

void paths_put(struct gossip *g, struct member *m, const struct addresses *all)
{
	struct way first = {0, all->list[0]};
	struct path_set *s = set_of(g, m);
	if (m->id != g->self && count_usable(g, all, &first) > 1) {
		if (s == NULL)
			s = set_new(g, m);
		set_fill(g, m, s, all);
		return;
	}
	paths_drop(g, m);
	m->address = first.to;
	m->path = (uint8_t)first.path;
}

/* ---- questions ---- */

struct way paths_way(const struct member *m)
{
	return (struct way){m->path, m->address};
}

bool paths_at(const struct gossip *g, const struct member *m, uint32_t position, struct way *out)
{
	const struct path_set *s = set_of(g, m);
	if (position == 0) {
		*out = paths_way(m);
		return true;
	}
	for (uint32_t i = 0; s != NULL && i < PATHS_MAX; i++) {
		if (i == s->used || !path_usable(g, s, i) || --position > 0)
			continue;
		*out = way_of(s, i);
		return true;
	}
	return false;
}

bool paths_has(const struct gossip *g, const struct member *m, const struct address *address)
{
	const struct path_set *s = set_of(g, m);
	return s == NULL ? address_equal(&m->address, address) : lists(&s->remote, address);
}

uint32_t paths_socket_for(const struct gossip *g, const struct address *address)
{
	uint32_t local = 0;
	while (local + 1 < paths_local_count(g) && !fits(g, local, address))
		local++;
	return local;
}

void paths_addresses(const struct gossip *g, const struct member *m, struct addresses *out)
{
	static const struct addresses none;
	const struct path_set *s = set_of(g, m);
	*out = (struct addresses){1, {m->address}};
	const struct addresses *all = s == NULL ? &none : &s->remote;
	for (uint32_t i = 0; i < all->count; i++) {
		if (!address_equal(&all->list[i], &m->address))
			out->list[out->count++] = all->list[i];
	}
}
