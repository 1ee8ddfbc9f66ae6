#include "drbd_pairs.h"

#include <string.h>

struct scene {
	const struct drbd_holder *holders;
	uint32_t count;
	const struct drbd_node *nodes;
	uint32_t node_count;
};

/* 8.4 StandAlone shows no connection at all: then it is as if there were one that says nothing. */
static uint32_t peers_of(const struct drbd_resource *r)
{
	return r->peer_count > 0 ? r->peer_count : 1;
}

static const struct drbd_peer *peer_at(const struct drbd_resource *r, uint32_t position)
{
	static const struct drbd_peer nothing;
	return position < r->peer_count ? &r->peers[position] : &nothing;
}

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
static uint32_t back(const struct scene *c, uint32_t self, uint32_t other)
{
	const struct drbd_resource *r = c->holders[other].resource;
	for (uint32_t i = 0; i < peers_of(r); i++) {
		if (other_side(c->holders, c->count, other, peer_at(r, i)) == self)
			return i;
	}
	return 0;
}

static bool points_at(const struct scene *c, uint32_t from, uint32_t peer, uint32_t to)
{
	const struct drbd_resource *r = c->holders[from].resource;
	return peer < peers_of(r) && other_side(c->holders, c->count, from, peer_at(r, peer)) == to;
}

/* ---- who should have it, and has not ---- */

/* "10.0.0.1:7788", "[fe80::1]:7788" and "ipv6:[fe80::1]:7788" are at that host. */
static bool is_at(const char *address, const char *host)
{
	size_t size = strlen(host);
	const char *open = strchr(address, '[');
	const char *begin = open != NULL ? open + 1 : address;
	if (size == 0 || strncmp(begin, host, size) != 0)
		return false;
	return begin[size] == (open != NULL ? ']' : ':') || begin[size] == '\0';
}

static bool means(const struct drbd_peer *peer, const struct drbd_node *node)
{
	if (peer->name[0] != '\0' && strcmp(peer->name, "peer") != 0)
		return strcmp(peer->name, node->name) == 0;
	return is_at(peer->address, node->host);
}

static bool has_it(const struct scene *c, const struct drbd_node *node, const char *resource)
{
	for (uint32_t i = 0; i < c->count; i++) {
		if (c->holders[i].node == node->node && strcmp(c->holders[i].resource->name, resource) == 0)
			return true;
	}
	return false;
}

/* The node that this peer is, if its own word is that it has no such resource; 0: nobody. */
static node_id absent(const struct scene *c, uint32_t self, const struct drbd_peer *peer)
{
	for (uint32_t i = 0; i < c->node_count; i++) {
		const struct drbd_node *n = &c->nodes[i];
		if (n->node != c->holders[self].node && n->known && means(peer, n) &&
		    !has_it(c, n, c->holders[self].resource->name))
			return n->node;
	}
	return 0;
}

/* ---- pairs ---- */

static void judge(const struct drbd_holder *holders, struct drbd_pair *pair)
{
	struct drbd_side sides[2] = {{.known = false}, {.known = pair->absent != 0}};
	for (int i = 0; i < 2; i++) {
		if (pair->holders[i] == NO_HOLDER)
			continue;
		const struct drbd_holder *h = &holders[pair->holders[i]];
		sides[i] = (struct drbd_side){h->known, h->resource, pair->peers[i]};
	}
	drbd_judge(sides, &pair->judgement);
}

/* False: it was found from the other side already. */
static bool pair_of(const struct scene *c, uint32_t i, uint32_t peer, struct drbd_pair *out)
{
	const struct drbd_peer *at = peer_at(c->holders[i].resource, peer);
	uint32_t j = other_side(c->holders, c->count, i, at);
	*out = (struct drbd_pair){{i, j}, {peer, 0}, 0, {.verdict = DRBD_UNKNOWN}};
	if (j != NO_HOLDER)
		out->peers[1] = back(c, i, j);
	else
		out->absent = absent(c, i, at);
	if (j < i && points_at(c, j, out->peers[1], i))
		return false;
	judge(c->holders, out);
	return true;
}

uint32_t drbd_pairs(const struct drbd_holder *holders, uint32_t count, const struct drbd_node *nodes,
                    uint32_t node_count, struct drbd_pair *out, uint32_t max)
{
	const struct scene c = {holders, count, nodes, node_count};
	uint32_t found = 0;
	for (uint32_t i = 0; i < count; i++) {
		for (uint32_t p = 0; p < peers_of(holders[i].resource); p++) {
			struct drbd_pair pair;
			if (!pair_of(&c, i, p, &pair))
				continue;
			if (found < max)
				out[found] = pair;
			found++;
		}
	}
	return found;
}
