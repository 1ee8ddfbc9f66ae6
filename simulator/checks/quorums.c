#include "quorums.h"

#include <inttypes.h>

#include "codec.h"

static bool has(const struct config *c, node_id node)
{
	for (uint32_t i = 0; i < c->voter_count; i++)
		if (c->voters[i] == node)
			return true;
	return false;
}

bool quorums_meet(const struct config *a, const struct config *b)
{
	uint32_t common = 0;
	for (uint32_t i = 0; i < a->voter_count; i++)
		common += has(b, a->voters[i]);
	uint32_t all = a->voter_count + b->voter_count - common;
	/* Two majorities that avoid each other as far as they can need this many voters. */
	return a->voter_count / 2 + 1 + b->voter_count / 2 + 1 > all;
}

static bool same_voters(const struct config *a, const struct config *b)
{
	if (a->voter_count != b->voter_count)
		return false;
	for (uint32_t i = 0; i < a->voter_count; i++)
		if (!has(b, a->voters[i]))
			return false;
	return true;
}

/* What it was made from, if that was seen. */
static const struct config *parent(const struct quorums *q, const struct config *c)
{
	uint32_t kept = q->count < QUORUMS_KEPT ? q->count : QUORUMS_KEPT;
	for (uint32_t i = 0; i < kept; i++)
		if (q->list[i].version + 1 == c->version &&
		    ballot_equal(&q->list[i].ballot, &c->ballot))
			return &q->list[i];
	return NULL;
}

static const struct config *find(const struct quorums *q, const struct config *c)
{
	uint32_t kept = q->count < QUORUMS_KEPT ? q->count : QUORUMS_KEPT;
	for (uint32_t i = 0; i < kept; i++)
		if (q->list[i].version == c->version && ballot_equal(&q->list[i].ballot, &c->ballot))
			return &q->list[i];
	return NULL;
}

static bool rewritten(const struct quorums *q, const struct config *c)
{
	uint32_t kept = q->count < QUORUMS_KEPT ? q->count : QUORUMS_KEPT;
	for (uint32_t i = 0; i < kept; i++)
		if (q->list[i].version == c->version && same_voters(&q->list[i], c))
			return true;
	return kept == 0;
}

void quorums_report(struct quorums *q, struct violations *v, instant at, uint32_t node,
                    const struct config *config)
{
	const struct config *known = find(q, config);
	if (known) {
		if (!same_voters(known, config))
			violation_add(v, at, "quorums",
			              "node %u has other voters in config version %" PRIu64
			              " than those known under one ballot", node, config->version);
		return;
	}
	const struct config *from = parent(q, config);
	if (from && !quorums_meet(from, config))
		violation_add(v, at, "quorums",
		              "node %u adopted config version %" PRIu64 " with %u voters: its "
		              "majorities need not meet those of the %u voters before",
		              node, config->version, config->voter_count, from->voter_count);
	if (!from && config->version > 1 && !rewritten(q, config))
		violation_add(v, at, "quorums",
		              "node %u adopted config version %" PRIu64
		              " that was neither rewritten nor made from one of its ballot", node,
		              config->version);
	q->list[q->count++ % QUORUMS_KEPT] = *config;
}
