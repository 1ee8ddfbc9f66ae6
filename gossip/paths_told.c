#include "paths_inside.h"

#include "text.h"

#define FACT_GAP (5 * SECOND)
#define FACT_KEY "paths"

struct address path_local(const struct gossip *g, uint32_t path)
{
	const struct addresses *ours = &g->settings.local;
	return ours->count == 0 ? g->settings.address : ours->list[path / ADDRESSES_MAX];
}

void path_trace(struct gossip *g, enum rule rule, const struct member *m,
                const struct path_set *s, uint32_t path)
{
	struct address from = path_local(g, path);
	core_trace_path(g, rule, m->id, &from, &s->remote.list[path % ADDRESSES_MAX]);
}

bool path_is_cross(const struct gossip *g, const struct path_set *s, uint32_t path)
{
	uint32_t local = path / ADDRESSES_MAX, remote = path % ADDRESSES_MAX;
	return local != remote && path_usable(g, s, path_of(local, local)) &&
	       path_usable(g, s, path_of(remote, remote));
}

/* ---- views ---- */

static void view_path(const struct gossip *g, const struct path_set *s, uint32_t path,
                      const struct now *now, struct path_view *out)
{
	const struct path *p = &s->paths[path];
	*out = (struct path_view){.local = path_local(g, path),
		.remote = s->remote.list[path % ADDRESSES_MAX],
		.state = (enum path_state)p->state,
		.used = path == s->used,
		.round_trip = p->round_trip_us == 0 ? -1 : p->round_trip_us * MICROSECOND,
		.heard_ago = p->heard == 0 ? -1 : now->boot - p->heard};
}

/* Of one path everything that is known of the member is known. */
static void view_only(const struct gossip *g, const struct member *m, struct member_view *out)
{
	struct path_view *path = &out->paths[out->path_count++];
	*path = (struct path_view){.local = path_local(g, path_of(m->path, 0)),
		.remote = m->address,
		.used = true,
		.round_trip = out->clock_known ? out->round_trip : -1,
		.heard_ago = out->heard_ago};
	if (out->state == REACHABLE || out->state == SUSPECT)
		path->state = PATH_UP;
	else if (out->state == UNREACHABLE)
		path->state = PATH_DOWN;
}

void paths_view(const struct gossip *g, const struct member *m, const struct now *now,
                struct member_view *out)
{
	const struct path_set *s = set_of(g, m);
	if (m->id == g->self || !member_is_active(m))
		return;
	if (s == NULL)
		view_only(g, m, out);
	for (uint32_t i = 0; s != NULL && i < PATHS_MAX; i++) {
		if (path_usable(g, s, i))
			view_path(g, s, i, now, &out->paths[out->path_count++]);
	}
}

/* ---- the fact: what is down ---- */

#define FACT_ROOM (FACT_INLINE_MAX - 16) /* for "and more" */

static size_t put_text(char *out, size_t at, const char *text)
{
	while (*text != '\0')
		out[at++] = *text++;
	return at;
}

/* "n2 10.0.0.1:7800 > 10.0.0.2:7800": a path that is down. `at` unchanged if there is no room. */
static size_t put_path(const struct gossip *g, const struct path_set *s, uint32_t path, char *out,
                       size_t at)
{
	char line[NAME_MAX_SIZE + 2 * ADDRESS_TEXT_SIZE + 8], address[ADDRESS_TEXT_SIZE];
	struct address from = path_local(g, path);
	size_t size = put_text(line, 0, at == 0 ? "" : ", ");
	size = put_text(line, size, member_name(g, member_of(g, s)->id));
	size = put_text(line, size, " ");
	address_format(&from, address);
	size = put_text(line, size, address);
	size = put_text(line, size, " > ");
	address_format(&s->remote.list[path % ADDRESSES_MAX], address);
	size = put_text(line, size, address);
	if (at + size > FACT_ROOM)
		return at;
	memcpy(out + at, line, size);
	return at + size;
}

static size_t describe(const struct gossip *g, char out[FACT_INLINE_MAX])
{
	const struct paths *p = g->membership.paths;
	size_t at = 0;
	for (uint32_t i = 0; i < p->count * PATHS_MAX; i++) {
		const struct path_set *s = &p->sets[i / PATHS_MAX];
		uint32_t path = i % PATHS_MAX;
		if (s->slot == 0 || s->paths[path].state != PATH_DOWN || path_is_cross(g, s, path))
			continue;
		size_t next = put_path(g, s, path, out, at);
		if (next == at)
			return put_text(out, at, " and more");
		at = next;
	}
	return at;
}

void paths_say(struct gossip *g)
{
	struct paths *p = g->membership.paths;
	char text[FACT_INLINE_MAX];
	if (!p->fact_old || g->now.boot < p->fact_next || g->settings.facts_off)
		return;
	p->fact_old = false;
	p->fact_next = g->now.boot + FACT_GAP;
	struct bytes key = text_bytes(FACT_KEY), value = {(const uint8_t *)text, describe(g, text)};
	if (value.size == 0)
		value.data = NULL;
	if (value.size == 0 && facts_value(g, g->self, key).data == NULL)
		return;
	facts_publish(g, key, value);
}
