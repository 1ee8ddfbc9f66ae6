#include "drbd_pairs.h"

#include <string.h>

static bool same_resource(const struct drbd_holder *a, const struct drbd_holder *b)
{
	return a->node != b->node && strcmp(a->resource->name, b->resource->name) == 0;
}

/* 1: says so, 0: says nothing, -1: says it is somebody else. */
static int names(const struct drbd_peer *peer, const struct drbd_holder *other)
{
	if (peer->name[0] != '\0' && strcmp(peer->name, "peer") != 0) /* what 8.4 calls every peer */
		return strcmp(peer->name, other->name) == 0 ? 1 : -1;
	if (peer->address[0] == '\0')
		return 0;
	for (uint32_t i = 0; i < other->resource->peer_count; i++) {
		if (strcmp(other->resource->peers[i].local, peer->address) == 0)
			return 1;
	}
	return 0;
}

/* The holder that this peer is; NO_HOLDER if none, or if it cannot be told from a third. */
static uint32_t other_side(const struct drbd_holder *holders, uint32_t count, uint32_t self,
                           const struct drbd_peer *peer)
{
	uint32_t silent = NO_HOLDER, silent_count = 0;
	for (uint32_t i = 0; i < count; i++) {
		if (!same_resource(&holders[self], &holders[i]))
			continue;
		int word = names(peer, &holders[i]);
		if (word > 0)
			return i;
		silent_count += word == 0;
		silent = word == 0 ? i : silent;
	}
	return silent_count == 1 ? silent : NO_HOLDER;
}

/* Which of the other's peers are we? */
static uint32_t back(const struct drbd_holder *holders, uint32_t count, uint32_t self, uint32_t other)
{
	const struct drbd_resource *r = holders[other].resource;
	for (uint32_t i = 0; i < r->peer_count; i++) {
		if (other_side(holders, count, other, &r->peers[i]) == self)
			return i;
	}
	return 0;
}

static bool points_at(const struct drbd_holder *holders, uint32_t count, uint32_t from,
                      uint32_t peer, uint32_t to)
{
	const struct drbd_resource *r = holders[from].resource;
	return peer < r->peer_count && other_side(holders, count, from, &r->peers[peer]) == to;
}

static void judge(const struct drbd_holder *holders, struct drbd_pair *pair)
{
	struct drbd_side sides[2] = {{.known = false}, {.known = false}};
	for (int i = 0; i < 2; i++) {
		if (pair->holders[i] == NO_HOLDER)
			continue;
		const struct drbd_holder *h = &holders[pair->holders[i]];
		sides[i] = (struct drbd_side){h->known, h->resource, pair->peers[i]};
	}
	drbd_judge(sides, &pair->judgement);
}

uint32_t drbd_pairs(const struct drbd_holder *holders, uint32_t count, struct drbd_pair *out,
                    uint32_t max)
{
	uint32_t found = 0;
	for (uint32_t i = 0; i < count; i++) {
		for (uint32_t p = 0; p < holders[i].resource->peer_count; p++) {
			uint32_t j = other_side(holders, count, i, &holders[i].resource->peers[p]);
			struct drbd_pair pair = {{i, j}, {p, 0}, {.verdict = DRBD_UNKNOWN}};
			if (j != NO_HOLDER)
				pair.peers[1] = back(holders, count, i, j);
			if (j < i && points_at(holders, count, j, pair.peers[1], i))
				continue; /* found from there already */
			judge(holders, &pair);
			if (found < max)
				out[found] = pair;
			found++;
		}
	}
	return found;
}
