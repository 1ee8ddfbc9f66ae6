/*
 * consent.c: where a seizure is asked about: whether this node consents, and until when it keeps out of the
 * votes and the log of its generation.
 */
#include "core.h"

#define HEARD_WITHIN (3 * SECOND) /* a sign of life */
#define REMIND_EVERY SECOND

bool seize_frozen(const struct gossip *g)
{
	if (WEAKENED(g, WEAK_SEIZE_FREEZE))
		return false;
	return g->durable.consent_to != 0 || g->seize.phase != SEIZE_IDLE;
}

static bool named(const node_id *dead, uint32_t count, node_id id)
{
	for (uint32_t i = 0; i < count; i++) {
		if (dead[i] == id)
			return true;
	}
	return false;
}

static void end_consent(struct gossip *g, node_id seizer)
{
	core_trace(g, RULE_CONSENT_OVER, seizer, 0, 0, 0, 0);
	g->durable.consent_to = 0;
	g->durable.consent_attempt = 0;
	g->seize.answer_persist = 0;
	g->seize.remind_at = NEVER;
	persist_durable(g);
	candidate_postpone(g, 0);
}

/* The operator says that it will never run again, so it never founds either; if nothing belies it. */
void consent_end_if_dead(struct gossip *g, const node_id *dead, uint32_t count)
{
	node_id to = g->durable.consent_to;
	if (to != 0 && named(dead, count, to) && !member_heard(g, to, HEARD_WITHIN))
		end_consent(g, to);
}

/* ---- what we know ---- */

static bool sees_quorum(const struct gossip *g)
{
	const struct config *c = &g->durable.config;
	uint32_t seen = 0;
	for (uint32_t i = 0; i < c->voter_count; i++)
		seen += c->voters[i] == g->self || member_reachable(g, c->voters[i], false);
	return seen >= quorum_needed(c->voter_count) && !WEAKENED(g, WEAK_SEIZE_QUORUM);
}

static bool hears_named(const struct gossip *g, const struct survey *m, node_id *who)
{
	for (uint32_t i = 0; i < m->dead_count; i++) {
		if (m->dead[i] != g->self && member_active(g, m->dead[i]) &&
		    member_heard(g, m->dead[i], HEARD_WITHIN)) {
			*who = m->dead[i];
			return true;
		}
	}
	return false;
}

static enum survey_refusal judge(struct gossip *g, node_id from, const struct survey *m,
                                 node_id *other)
{
	uint32_t count;
	*other = g->self;
	if (named(m->dead, m->dead_count, g->self))
		return SURVEY_NAMED_DEAD;
	if (lease_acts(g, &g->now) && !WEAKENED(g, WEAK_SEIZE_QUORUM))
		return SURVEY_MASTER;
	if (g->seize.phase != SEIZE_IDLE && !WEAKENED(g, WEAK_SEIZE_SHARED))
		return SURVEY_OTHER;
	*other = g->durable.consent_to;
	if (*other != 0 && *other != from && !WEAKENED(g, WEAK_SEIZE_SHARED)) /* named: it was heard */
		return named(m->dead, m->dead_count, *other) ? SURVEY_HEARD : SURVEY_OTHER;
	if (sees_quorum(g))
		return SURVEY_QUORUM;
	if (hears_named(g, m, other) && !WEAKENED(g, WEAK_SEIZE_QUORUM))
		return SURVEY_HEARD;
	if (!voter_entries_above(g, m->commit, g->lease.list, &count) &&
	    !WEAKENED(g, WEAK_SEIZE_BEST_LOG))
		return SURVEY_AHEAD;
	return SURVEY_CONSENTS;
}

static void answer(struct gossip *g, node_id to, uint64_t attempt, uint64_t commit,
                   enum survey_refusal refusal, node_id other)
{
	struct envelope e = {.kind = MESSAGE_SURVEY_ANSWER};
	struct survey_answer *a = &e.survey_answer;
	*a = (struct survey_answer){.attempt = attempt, .refusal = refusal, .other = other};
	a->state.ballot = ballot_compare(&g->lease.highest_seen, &g->durable.promised) > 0
	                      ? g->lease.highest_seen
	                      : g->durable.promised;
	a->state.config = g->durable.config;
	a->state.grant = voter_grant_now(g);
	a->state.commit = g->log.commit;
	a->last_index = g->log.last;
	a->last_ballot = log_ballot(&g->log, g->log.last);
	if (refusal == SURVEY_CONSENTS &&
	    voter_entries_above(g, commit, g->lease.list, &a->state.entry_count))
		a->state.entries = g->lease.list;
	else
		a->state.entry_count = 0;
	core_send(g, to, &e);
}

/* Durable before it is said; from now on this node keeps out of the old generation. */
static void consent(struct gossip *g, node_id to, uint64_t attempt)
{
	struct seize *s = &g->seize;
	struct durable *d = &g->durable;
	if (d->consent_to != to || d->consent_attempt != attempt)
		core_trace(g, RULE_CONSENTED, to, 0, 0, 0, 0);
	if (g->lease.phase != PHASE_IDLE)
		master_abandon(g);
	d->consent_to = to;
	d->consent_attempt = attempt;
	persist_durable(g);
	s->answer_persist = persist_sync(g);
	s->remind_at = g->now.boot + REMIND_EVERY;
}

void consent_on_survey(struct gossip *g, node_id from, const struct survey *m)
{
	struct durable *d = &g->durable;
	node_id other;
	if (m->withdrawn) {
		if (d->consent_to == from && d->consent_attempt <= m->attempt)
			end_consent(g, from);
		return;
	}
	consent_end_if_dead(g, m->dead, m->dead_count);
	bool again = d->consent_to == from && d->consent_attempt >= m->attempt;
	if (again && d->consent_attempt > m->attempt)
		return; /* it was long on its way */
	enum survey_refusal refusal = judge(g, from, m, &other);
	g->seize.commit_asked = m->commit;
	if (refusal != SURVEY_CONSENTS)
		answer(g, from, m->attempt, m->commit, refusal, other);
	else if (again && g->seize.answer_persist == 0)
		answer(g, from, m->attempt, m->commit, refusal, other);
	else if (!again)
		consent(g, from, m->attempt);
}

void consent_persisted(struct gossip *g, uint64_t number, bool failed)
{
	struct seize *s = &g->seize;
	const struct durable *d = &g->durable;
	if (s->answer_persist == 0 || number < s->answer_persist || !life_member(g))
		return;
	if (failed || g->store_failed)
		return; /* it is written anew with everything else (voter_disk.c): nothing is said before */
	s->answer_persist = 0;
	answer(g, d->consent_to, d->consent_attempt, s->commit_asked, SURVEY_CONSENTS, 0);
}

/* ---- until it is over ---- */

/* The seizer may have forgotten, or founded without our hearing of it: it is asked again and again. */
void consent_tick(struct gossip *g)
{
	struct seize *s = &g->seize;
	const struct durable *d = &g->durable;
	if (d->consent_to == 0 || s->answer_persist != 0)
		return;
	if (s->remind_at == NEVER)
		s->remind_at = g->now.boot;
	if (g->now.boot < s->remind_at)
		return;
	s->remind_at = g->now.boot + REMIND_EVERY;
	answer(g, d->consent_to, d->consent_attempt, g->log.last, SURVEY_CONSENTS, 0);
}

instant consent_deadline(const struct gossip *g)
{
	const struct seize *s = &g->seize;
	if (g->durable.consent_to == 0 || s->answer_persist != 0)
		return NEVER;
	return s->remind_at == NEVER ? g->now.boot : s->remind_at;
}
