#include "observe_peers.h"

#define GRID MILLISECOND
#define ERROR_LEAST (2 * MILLISECOND)
#define SHARPER 8 /* a bound that many times smaller is news */

/* Rounded to the grid; the bound grows by what rounding moved, up to the next power of two of it. */
static struct clock_peer on_grid(node_id node, duration offset, duration error)
{
	duration half = offset < 0 ? -GRID / 2 : GRID / 2;
	duration bound = ERROR_LEAST;
	while (bound < error + GRID / 2)
		bound *= 2;
	return (struct clock_peer){node, (offset + half) / GRID * GRID, bound};
}

static void insert_sharpest(struct clock_fact *out, struct clock_peer peer)
{
	uint32_t at = out->peer_count;
	if (at == FACT_PEERS_MAX && out->peers[at - 1].error <= peer.error)
		return;
	if (at == FACT_PEERS_MAX)
		at--;
	else
		out->peer_count++;
	for (; at > 0 && out->peers[at - 1].error > peer.error; at--)
		out->peers[at] = out->peers[at - 1];
	out->peers[at] = peer;
}

void peers_observe(const struct gossip *g, const struct now *now, struct clock_fact *out)
{
	struct member_view m;
	out->peer_count = 0;
	for (uint32_t i = 0; gossip_member_at(g, now, i, &m); i++) {
		if (!m.self && m.state == REACHABLE && m.clock_known)
			insert_sharpest(out, on_grid(m.id, m.clock_offset, m.clock_error));
	}
}

static const struct clock_peer *told_of(const struct clock_fact *told, node_id node)
{
	for (uint32_t i = 0; i < told->peer_count; i++) {
		if (told->peers[i].node == node)
			return &told->peers[i];
	}
	return NULL;
}

bool peers_differ(const struct clock_fact *told, const struct clock_fact *fresh)
{
	uint32_t known = 0;
	for (uint32_t i = 0; i < fresh->peer_count; i++) {
		const struct clock_peer *now = &fresh->peers[i], *then = told_of(told, now->node);
		if (then == NULL)
			continue;
		known++;
		duration apart = now->offset - then->offset;
		if (apart < 0)
			apart = -apart;
		if (apart > then->error || now->error * SHARPER < then->error)
			return true;
	}
	return known < fresh->peer_count && told->peer_count < FACT_PEERS_MAX;
}
