/*
 * voter_answer.c: what a voter says, and when: not before what it says is durable.
 */
#include "core.h"

struct waiting_answer *voter_wait(struct gossip *g, uint64_t persist)
{
	struct lease *l = &g->lease;
	if (l->waiting_count == WAITING_MAX)
		return NULL; /* the sender will ask again */
	struct waiting_answer *w =
	    &l->waiting[(l->waiting_first + l->waiting_count++) % WAITING_MAX];
	memset(w, 0, sizeof *w);
	w->persist = persist;
	return w;
}

/*
 * The number of the write that must end before anything may be said about our log; 0: none. Entries
 * may have gone to the store lazily (proposals that wait for a round, what was learned): whoever
 * wants to speak of them makes the store hurry.
 */
uint64_t voter_outstanding(struct gossip *g)
{
	const struct lease *l = &g->lease;
	if (g->entry_number > g->persisted_number)
		return g->entry_number > g->sync_number ? persist_sync(g) : g->sync_number;
	return l->waiting_count == 0
	           ? 0
	           : l->waiting[(l->waiting_first + l->waiting_count - 1) % WAITING_MAX].persist;
}

struct grant voter_grant_now(const struct gossip *g)
{
	const struct voter_grant *v = &g->lease.grant;
	if (!v->live)
		return (struct grant){0};
	duration left = deadline_over_at(&v->excluded_until, &g->now) - g->now.boot;
	return (struct grant){v->owner, v->ballot, v->round, left > 0 ? left : 0};
}

/* Fills `list` with our entries above `index`; false if they are gone, or too many for a message. */
bool voter_entries_above(const struct gossip *g, uint64_t index, struct entry *list,
                          uint32_t *out_count)
{
	size_t size = 0;
	*out_count = 0;
	if (index >= g->log.last)
		return true;
	if (index + 1 < g->log.first)
		return false;
	for (uint64_t i = index + 1; i <= g->log.last; i++) {
		if (*out_count == ENTRIES_PER_MESSAGE_MAX ||
		    !log_get(&g->log, i, &list[*out_count]))
			return false;
		size += list[(*out_count)++].command.size;
	}
	return size <= ENTRIES_BYTES_MAX;
}

static void say_promise(struct gossip *g, const struct waiting_answer *w)
{
	struct envelope e = {.kind = MESSAGE_PROMISE};
	if (!ballot_equal(&g->durable.promised, &w->ballot))
		return; /* promised higher meanwhile */
	e.promise.ballot = w->ballot;
	e.promise.config = g->durable.config;
	e.promise.grant = voter_grant_now(g);
	e.promise.commit = g->log.commit;
	if (w->to != g->self) {
		if (!voter_entries_above(g, w->commit, g->lease.list, &e.promise.entry_count)) {
			if (!WEAKENED(g, WEAK_P1_LAGGING))
				return;
			e.promise.entry_count = 0;
		}
		e.promise.entries = g->lease.list;
	}
	lease_send(g, w->to, &e);
}

static void say_accepted(struct gossip *g, const struct waiting_answer *w)
{
	const struct lease *l = &g->lease;
	struct envelope e = {.kind = MESSAGE_ACCEPTED};
	e.accepted = (struct accepted){.ballot = w->ballot,
		.round = w->round,
		.config_ballot = w->config_ballot,
		.config_version = w->config_version,
		.match = w->match,
		.commit = g->log.commit};
	if (ballot_equal(&l->grant.ballot, &w->ballot))
		e.accepted.voter_clock = elapsed_voter(&g->now, &l->grant.origin);
	lease_send(g, w->to, &e);
}

void voter_say(struct gossip *g, const struct waiting_answer *w)
{
	if (w->kind == MESSAGE_PROMISE)
		say_promise(g, w);
	else
		say_accepted(g, w);
}

void voter_reject(struct gossip *g, node_id to, const struct ballot *ballot,
                   enum reject_reason reason)
{
	struct envelope e = {.kind = MESSAGE_REJECT};
	e.reject.ballot = *ballot;
	e.reject.reason = reason;
	e.reject.promised = g->durable.promised;
	e.reject.config = g->durable.config;
	e.reject.grant = voter_grant_now(g);
	e.reject.commit = g->log.commit;
	lease_send(g, to, &e);
}

void voter_persisted(struct gossip *g, uint64_t number, bool failed)
{
	struct lease *l = &g->lease;
	while (l->waiting_count > 0 && l->waiting[l->waiting_first].persist <= number) {
		struct waiting_answer w = l->waiting[l->waiting_first];
		l->waiting_first = (l->waiting_first + 1) % WAITING_MAX;
		l->waiting_count--;
		if ((!failed && !g->store_failed) || WEAKENED(g, WEAK_V3_FAILED))
			voter_say(g, &w);
	}
}
