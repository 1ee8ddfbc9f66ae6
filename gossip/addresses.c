#include "addresses.h"

#include "fact.h"
#include "paths.h"
#include "text.h"

#define MOVED_PATIENCE (30 * SECOND) /* who passes through leaves no trace in the ledger */
#define LOOK_AT 16 /* members in one turn: a thousand within two minutes */
#define FIRST_KEY "address"
#define ALL_KEY "addresses"
#define LIST_ROOM (ADDRESSES_MAX * (ADDRESS_TEXT_SIZE + 2))

/* ---- as text ---- */

static size_t format(const struct addresses *in, char out[LIST_ROOM])
{
	size_t size = 0;
	for (uint32_t i = 0; i < in->count; i++) {
		char text[ADDRESS_TEXT_SIZE];
		address_format(&in->list[i], text);
		if (i > 0) {
			memcpy(out + size, ", ", 2);
			size += 2;
		}
		memcpy(out + size, text, text_size(text));
		size += text_size(text);
	}
	return size;
}

static bool listed(const struct addresses *in, const struct address *one)
{
	for (uint32_t i = 0; i < in->count; i++) {
		if (address_equal(&in->list[i], one))
			return true;
	}
	return false;
}

static bool parse_one(struct bytes word, struct addresses *out)
{
	char text[ADDRESS_TEXT_SIZE];
	struct address address;
	if (word.size == 0 || word.size >= sizeof text || out->count == ADDRESSES_MAX)
		return false;
	memcpy(text, word.data, word.size);
	text[word.size] = '\0';
	if (address_parse(text, &address, NULL) < 0)
		return false;
	if (!listed(out, &address))
		out->list[out->count++] = address;
	return true;
}

/* "192.0.2.1:7800, [2001:db8::1]:7800"; false: it is something else. */
static bool parse(struct bytes in, struct addresses *out)
{
	*out = (struct addresses){0};
	for (size_t from = 0, at = 0; at <= in.size; at++) {
		if (at < in.size && in.data[at] != ',')
			continue;
		if (!parse_one((struct bytes){in.data + from, at - from}, out))
			return false;
		from = at + 1;
		while (from < in.size && in.data[from] == ' ')
			from++;
	}
	return out->count > 0;
}

/* ---- facts ---- */

void addresses_publish(struct gossip *g)
{
	char text[LIST_ROOM];
	struct addresses all = addresses_all(&g->settings.address, &g->settings.more);
	size_t size = format(&all, text);
	if (all.count > 1)
		facts_publish(g, text_bytes(ALL_KEY), (struct bytes){(const uint8_t *)text, size});
	all.count = 1;
	size = format(&all, text);
	facts_publish(g, text_bytes(FIRST_KEY), (struct bytes){(const uint8_t *)text, size});
}

static const struct fact *told_by(const struct gossip *g, const struct member *m)
{
	const struct fact *x = fact_find(g, m, text_bytes(ALL_KEY));
	return x != NULL && !x->tombstone ? x : fact_find(g, m, text_bytes(FIRST_KEY));
}

static bool told(const struct gossip *g, const struct member *m, struct addresses *out)
{
	const struct fact *x = told_by(g, m);
	return x != NULL && parse(fact_bytes(g->membership.facts, x), out);
}

static bool is_news(const struct gossip *g, const struct member *m, const struct addresses *all)
{
	for (uint32_t i = 0; i < all->count; i++) {
		if (!paths_has(g, m, &all->list[i]))
			return true;
	}
	return false;
}

/*
 * Two nodes that got each other's address never hear each other of themselves: each looks for the
 * other where it is itself. A third one's relay of the owner's fact tells them. Of a member that we
 * hear, a single address is no news: either it is in use, or its others are on their way.
 */
void addresses_told(struct gossip *g, struct member *m)
{
	struct addresses all;
	if (m->id == g->self || !told(g, m, &all) || !is_news(g, m, &all) ||
	    (m->state == REACHABLE && all.count == 1))
		return;
	paths_put(g, m, &all);
	if (m->state != REACHABLE)
		session_hello(g, m);
}

/* ---- the ledger ---- */

/* FNV-1a; never 0. */
static uint64_t mark_of(const struct addresses *all)
{
	uint64_t mark = 0xcbf29ce484222325u;
	for (uint32_t i = 0; i < all->count; i++) {
		const struct address *a = &all->list[i];
		uint8_t bytes[3 + sizeof a->ip] = {a->family, (uint8_t)(a->port >> 8)};
		bytes[2] = (uint8_t)a->port;
		memcpy(bytes + 3, a->ip, sizeof a->ip);
		for (size_t k = 0; k < sizeof bytes; k++)
			mark = (mark ^ bytes[k]) * 0x100000001b3u;
	}
	return mark | 1;
}

void addresses_put(struct gossip *g, struct member *m, const struct address *first,
                   const struct addresses *more)
{
	struct addresses all = addresses_all(first, more);
	uint64_t mark = mark_of(&all);
	if (m->ledger_mark == mark)
		return;
	m->ledger_mark = mark;
	paths_put(g, m, &all);
}

bool addresses_in_ledger(const struct gossip *g, const struct member *self)
{
	struct addresses all = addresses_all(&g->settings.address, &g->settings.more);
	return self->ledger_mark == mark_of(&all);
}

static bool keep(struct gossip *g, const struct member *m, const struct addresses *all)
{
	struct command c = {.kind = COMMAND_MEMBER_ADDRESSES, .judged_wall = g->now.wall,
		.if_version = NO_VERSION, .subject = m->id};
	c.member.key = m->key;
	c.member.address = all->list[0];
	c.member.more = addresses_rest(all);
	return master_propose(g, &c) != 0;
}

/* It says something else than the ledger does, and has for long enough. */
static bool moved_for_good(const struct gossip *g, const struct member *m, struct addresses *out)
{
	const struct fact *x = told_by(g, m);
	return member_is_active(m) && x != NULL && g->now.boot - x->arrived > MOVED_PATIENCE &&
	       told(g, m, out) && mark_of(out) != m->ledger_mark;
}

void addresses_turn(struct gossip *g)
{
	struct membership *s = &g->membership;
	if (!lease_acts(g, &g->now) || g->hand_over.offered_to != 0 ||
	    !level_allows(g, COMMAND_MEMBER_ADDRESSES) || g->log.applied < g->log.last)
		return;
	for (uint32_t i = 0; i < LOOK_AT && i < s->count; i++) {
		struct addresses all;
		s->moved_cursor = (s->moved_cursor + 1) % s->count;
		const struct member *m = &s->members[s->moved_cursor];
		if (moved_for_good(g, m, &all) && keep(g, m, &all))
			return; /* one at a time: the next turn takes the next */
	}
}

void addresses_apply(const struct command *c, struct member_record *record)
{
	if (c->member.address.family == 0)
		return;
	record->address = c->member.address;
	record->more = c->member.more;
}
