/*
 * voter_disk.c: is our disk fit to vote? The check of V3, and coming back after a failure.
 */
#include "core.h"

#define CHECK_EVERY (10 * SECOND) /* one synced write: lease.md, V3 */
#define WITNESS_CHECK_EVERY (60 * SECOND) /* at home on a card that wears out */
#define STORE_RETRY (2 * SECOND)  /* after a failure */

duration voter_disk_check_every(const struct gossip *g)
{
	return g->durable.role == ROLE_WITNESS ? WITNESS_CHECK_EVERY : CHECK_EVERY;
}

bool voter_disk_well(const struct gossip *g)
{
	return !g->store_failed && (!g->lease.disk_overdue || WEAKENED(g, WEAK_V3_DISK));
}

/* After a failure the store may lack anything: all of it is written again in one transaction. */
uint64_t voter_rewrite_store(struct gossip *g)
{
	struct bytes key, value;
	struct entry entry;
	ledger_checkpoint(g);
	persist_rows_clear(g);
	for (uint32_t cursor = 0; rows_next(&g->rows, &cursor, &key, &value);)
		persist_row(g, key, value);
	persist_cut_above(g, g->log.applied);
	for (uint64_t i = g->log.applied + 1; log_get(&g->log, i, &entry); i++)
		persist_entry(g, i, &entry.ballot, entry.command);
	persist_durable(g);
	g->lease.rewrite_number = persist_sync(g);
	return g->lease.rewrite_number;
}

void voter_tick(struct gossip *g)
{
	struct lease *l = &g->lease;
	duration limit = g->durable.config.lease;
	if (!l->disk_overdue && l->disk_asked != NEVER && g->now.boot - l->disk_asked > limit) {
		l->disk_overdue = true;
		core_trace(g, RULE_DISK_OVERDUE, g->self, 0, g->now.boot - l->disk_asked, 0, 0);
	}
	if (g->now.boot < l->disk_check_at)
		return;
	l->disk_check_at = g->now.boot + (g->store_failed ? STORE_RETRY : voter_disk_check_every(g));
	if (l->disk_asked != NEVER)
		return;
	if (g->store_failed)
		voter_rewrite_store(g);
	persist_durable(g);
	persist_sync(g);
}
