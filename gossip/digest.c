#include "fact.h"

/*
 * Digests: every probe and ack carries the sender's summary. Where it differs from ours we say, owner
 * by owner, what we hold; the other sends what we lack and asks for what it lacks. In a swarm larger
 * than a few packets the owners take turns.
 */

#define DIGEST_GAP SECOND
#define DIGEST_SETTLE (200 * MILLISECOND) /* a change on its way is not yet a difference */
#define DIGEST_OVERDUE (5 * SECOND)
#define DIGEST_PACKETS 5 /* at a time, in a large swarm: 200 owners */
/* A swarm that starts together differs everywhere: no more digests at once, the larger it is. */
#define DIGEST_PACE (50 * MILLISECOND)
#define DIGEST_PACE_MEMBER (5 * MILLISECOND)

static bool entry_differs(const struct gossip *g, const struct member *m, const struct digest_entry *entry)
{
	return entry->incarnation != fact_book(g, m)->incarnation || entry->version != fact_book(g, m)->summary;
}

static void entry_add(const struct gossip *g, struct digest *d, const struct member *m)
{
	d->entries[d->count++] =
	    (struct digest_entry){m->id, fact_book(g, m)->incarnation, fact_book(g, m)->summary};
}

/* Looks at no more than `members` owners; returns how many it looked at. */
static uint32_t send_digest(struct gossip *g, struct member *m, uint32_t members)
{
	struct facts *f = g->membership.facts;
	struct envelope e = {.kind = MESSAGE_DIGEST};
	uint32_t seen = 0;
	while (seen < members && e.digest.count < DIGEST_ENTRIES_MAX) {
		const struct member *owner = &g->membership.members[f->digest_cursor];
		f->digest_cursor = (f->digest_cursor + 1) % g->membership.count;
		seen++;
		if (member_is_active(owner))
			entry_add(g, &e.digest, owner);
	}
	core_send(g, m->id, &e);
	return seen;
}

static void send_digests(struct gossip *g, struct member *m)
{
	uint32_t left = g->membership.count;
	for (int i = 0; i < DIGEST_PACKETS && left > 0; i++)
		left -= send_digest(g, m, left);
}

void facts_compare(struct gossip *g, struct member *m, uint64_t summary)
{
	struct facts *f = g->membership.facts;
	if (summary == f->summary)
		return;
	struct book *b = fact_book(g, m);
	duration since = g->now.boot - b->digest_at;
	if (b->digest_at != 0 && since < DIGEST_GAP)
		return;
	if (g->now.boot < f->digest_next ||
	    (g->now.boot - f->changed < DIGEST_SETTLE && b->digest_at != 0 && since < DIGEST_OVERDUE))
		return;
	b->digest_at = g->now.boot;
	f->digest_next = g->now.boot + swarm_gap(g, DIGEST_PACE, DIGEST_PACE_MEMBER);
	send_digests(g, m);
}

/* All facts of one owner, to somebody who lacks some of them. */
static void send_owner(struct gossip *g, node_id to, const struct member *owner)
{
	struct facts *f = g->membership.facts;
	struct item items[FACTS_PER_OWNER];
	uint32_t count = 0;
	for (uint32_t i = fact_book(g, owner)->first; i != 0; i = f->pool[i - 1].next) {
		if (facts_item(g, i - 1, f->pool[i - 1].version, &items[count]))
			count++;
	}
	spread_directed(g, to, items, count);
}

void facts_on_digest(struct gossip *g, struct member *m, const struct digest *digest)
{
	struct envelope answer = {.kind = MESSAGE_DIGEST};
	answer.digest.reply = true;
	for (uint32_t i = 0; i < digest->count; i++) {
		const struct digest_entry *entry = &digest->entries[i];
		const struct member *owner = member_find(g, entry->owner);
		if (owner == NULL || !member_is_active(owner) || !entry_differs(g, owner, entry))
			continue;
		if (entry->incarnation <= fact_book(g, owner)->incarnation)
			send_owner(g, m->id, owner);
		if (entry->incarnation >= fact_book(g, owner)->incarnation)
			entry_add(g, &answer.digest, owner);
	}
	if (!digest->reply && answer.digest.count > 0)
		core_send(g, m->id, &answer);
}
