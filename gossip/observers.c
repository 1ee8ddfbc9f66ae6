#include "member.h"

/*
 * Observers: whose word counts about a member of a large swarm (Rapid, ATC 2018, on its own rings).
 *
 * On each of eight rings all members are ordered by a hash of their id. Who comes before a member asks
 * whether it lives; so everyone is asked by the same few, and asks the same few. Anybody's word would
 * be too much in a swarm of a thousand: one in a hundred whose link is bad would find another such one to
 * agree about whoever they like.
 *
 * Opinions differ for a moment about who is there, so about who comes before whom: the two nearest count.
 */

#define NEAREST 2

static uint64_t place_on(uint32_t ring, node_id id)
{
	if (ring == 0)
		return id; /* ids are hashes: the oldest ring is theirs */
	uint64_t x = (id ^ (uint64_t)ring * 0x9e3779b97f4a7c15u) * 0xd6e8feb86659fd93u;
	return x ^ x >> 32;
}

/* How far `to` is after `from` on that ring. */
static uint64_t distance(uint32_t ring, node_id from, node_id to)
{
	return place_on(ring, to) - place_on(ring, from);
}

bool observers_matter(const struct gossip *g)
{
	return g->membership.active > OBSERVED_SWARM && !WEAKENED(g, WEAK_OBSERVERS);
}

static bool stands_between(const struct gossip *g, const struct member *m)
{
	return member_is_active(m) && (m->id == g->self || m->state == REACHABLE);
}

bool observer_of(const struct gossip *g, node_id who, const struct member *subject)
{
	uint32_t between[RINGS] = {0};
	uint64_t from[RINGS], length[RINGS];
	if (!observers_matter(g))
		return true;
	for (uint32_t r = 0; r < RINGS; r++) {
		from[r] = place_on(r, who);
		length[r] = distance(r, who, subject->id);
	}
	for (uint32_t i = 0; i < g->membership.count; i++) {
		const struct member *m = &g->membership.members[i];
		if (!stands_between(g, m) || m->id == who || m == subject)
			continue;
		for (uint32_t r = 0; r < RINGS; r++)
			between[r] += place_on(r, m->id) - from[r] < length[r];
	}
	for (uint32_t r = 0; r < RINGS; r++) {
		if (between[r] < NEAREST)
			return true;
	}
	return false;
}

uint32_t observed_on(const struct gossip *g, uint32_t ring)
{
	uint32_t best = NO_SLOT;
	uint64_t nearest = 0;
	for (uint32_t i = 0; i < g->membership.count; i++) {
		const struct member *m = &g->membership.members[i];
		if (!member_is_peer(g, m))
			continue;
		uint64_t d = distance(ring, g->self, m->id);
		if (best == NO_SLOT || d < nearest) {
			best = i;
			nearest = d;
		}
	}
	return best;
}
