/*
 * voters_terms.c: changing the times of the lease while it is held (lease.md, Time).
 *
 *     raise:  D_A, D_Q up  -->  D_P up
 *     lower:  D_P down  -->  wait one old D_A  -->  D_A, D_Q down
 *
 * Each arrow is a config of its own, certified before the next, so at every moment, under every
 * pair of neighbouring configs, nobody may act longer than others exclude. Who becomes master in
 * the middle of it finds the config that is, and goes on from there; it waits anew.
 */
#include "core.h"
#include "settings.h"

static duration longer(duration a, duration b)
{
	return a > b ? a : b;
}

static bool same_times(const struct config *a, const struct config *b)
{
	return a->lease == b->lease && a->exclusion == b->exclusion &&
	       a->quarantine == b->quarantine && a->profile == b->profile;
}

bool terms_next(const struct config *now, enum profile profile, struct config *next, bool *waits)
{
	struct config goal = *now;
	config_times(&goal, profile);
	goal.rate_ppm = now->rate_ppm;
	*waits = false;
	if (same_times(now, &goal))
		return false;
	*next = *now;
	next->version++;
	if (now->exclusion < goal.exclusion || now->quarantine < goal.quarantine) {
		next->exclusion = longer(now->exclusion, goal.exclusion);
		next->quarantine = longer(now->quarantine, goal.quarantine);
	} else if (now->lease != goal.lease) {
		next->lease = goal.lease;
	} else {
		*waits = now->exclusion > goal.exclusion || now->quarantine > goal.quarantine;
		next->exclusion = goal.exclusion;
		next->quarantine = goal.quarantine;
	}
	if (next->lease == goal.lease && next->exclusion == goal.exclusion &&
	    next->quarantine == goal.quarantine)
		next->profile = (uint32_t)profile;
	return true;
}

static enum profile wanted(const struct gossip *g)
{
	return (enum profile)settings_number(g, SETTING_PROFILE);
}

bool terms_settled(const struct gossip *g)
{
	struct config next;
	bool waits;
	return !terms_next(&g->durable.config, wanted(g), &next, &waits);
}

/* One old D_A since this very config was certified: every round under a longer D_P is over. */
static bool waited(struct gossip *g)
{
	struct voters *v = &g->voters;
	const struct config *c = &g->durable.config;
	if (WEAKENED(g, WEAK_TERMS_WAIT))
		return true;
	if (v->terms_version == c->version && ballot_equal(&v->terms_ballot, &c->ballot))
		return deadline_over(&v->terms_until, &g->now);
	v->terms_version = c->version;
	v->terms_ballot = c->ballot;
	v->terms_until = deadline_in(&g->now, longer(c->exclusion, c->quarantine));
	core_trace(g, RULE_TERMS_WAIT, g->self, 0, longer(c->exclusion, c->quarantine), 0, 0);
	return false;
}

/* The weakened build raises D_P before D_A. */
static void wrong_order(struct gossip *g, struct config *next)
{
	struct config goal = *next;
	config_times(&goal, wanted(g));
	if (!WEAKENED(g, WEAK_TERMS_ORDER) || goal.lease <= g->durable.config.lease)
		return;
	*next = g->durable.config;
	next->version++;
	next->lease = goal.lease;
}

void terms_step(struct gossip *g)
{
	struct config next;
	bool waits;
	if (!terms_next(&g->durable.config, wanted(g), &next, &waits) || !voters_ready(g) ||
	    (waits && !waited(g)))
		return;
	wrong_order(g, &next);
	core_trace(g, RULE_TERMS, g->self, 0, next.lease, next.exclusion, 0);
	voters_install(g, &next);
}
