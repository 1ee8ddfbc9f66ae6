#include "suspicion.h"

/*
 * What others say of each other. Each item is judged once (spread.c), and only its author's own:
 * an accusation counts as one accuser, a refutation ends what it answers, a verdict must name
 * enough accusers and agree with our own ears, or it is no more than its author's accusation.
 */

#define VERDICT_SILENCE (2 * SECOND)    /* another's verdict against our own ears: less than any wait for silence */
#define ACCUSATIONS_PER_SECOND 8
#define ACCUSATIONS_BURST 64
#define CLAIM_LEAD 1000 /* how far above what we know an accusation may claim to be */

/* ---- what others say ---- */

/* Neither answered already nor beyond belief. */
static bool claim_plausible(struct claim claim, struct claim known)
{
	if (claim_less(claim, known))
		return false;
	if (claim.incarnation == known.incarnation)
		return claim.refutation - known.refutation <= CLAIM_LEAD;
	return claim.incarnation - known.incarnation <= CLAIM_LEAD && claim.refutation <= CLAIM_LEAD;
}

static struct claim own_claim(const struct gossip *g)
{
	return (struct claim){g->durable.incarnation.number, g->membership.refutation};
}

static bool accuses_self(const struct gossip *g, node_id subject, struct claim claim)
{
	return subject == g->self && claim.incarnation == g->durable.incarnation.number &&
	       claim_plausible(claim, own_claim(g));
}

static void refute(struct gossip *g, node_id author, struct claim claim)
{
	g->membership.refutation = claim.refutation + 1;
	core_trace(g, RULE_SELF_ACCUSED, g->self, author, (int64_t)g->membership.refutation, 0, 0);
	struct item item = {.kind = ITEM_REFUTATION};
	item.refutation.refutation = g->membership.refutation;
	item_sign(g, &item);
	spread_rumour(g, &item);
	struct envelope e = {.kind = MESSAGE_GOSSIP};
	core_send(g, author, &e); /* hearing us is the best answer */
}

static struct claim item_claim(const struct item *item)
{
	if (item->kind == ITEM_ACCUSATION)
		return (struct claim){item->accusation.subject_incarnation,
		                      item->accusation.subject_refutation};
	if (item->kind == ITEM_VERDICT)
		return (struct claim){item->verdict.subject_incarnation,
		                      item->verdict.subject_refutation};
	return (struct claim){item->incarnation, item->refutation.refutation};
}

static node_id item_subject(const struct item *item)
{
	if (item->kind == ITEM_ACCUSATION)
		return item->accusation.subject;
	return item->kind == ITEM_VERDICT ? item->verdict.subject : item->author;
}

static bool accusation_known(const struct gossip *g, const struct member *m, const struct item *item)
{
	struct suspicion *x = suspicion_of(g, m);
	struct accuser *known = x == NULL ? NULL : accuser_find(x, item->author);
	return known != NULL && !accuser_newer(item->incarnation, item->accusation.version, known);
}

/*
 * Whoever is cut off from most finds most of them silent. Those whom it still reaches would pass its word on;
 * but who is unreachable itself is no observer any more, until it is heard again (consul 5928).
 */
static bool has_a_voice(const struct gossip *g, node_id author)
{
	return WEAKENED(g, WEAK_UNHEARD_ACCUSER) || member_find(g, author)->state != UNREACHABLE;
}

bool suspicion_wants(const struct gossip *g, const struct item *item)
{
	const struct member *m = member_find(g, item_subject(item));
	struct claim claim = item_claim(item);
	if (m == NULL || !member_is_active(m))
		return false;
	if (item->kind == ITEM_REFUTATION)
		return claim_less(m->claim, claim);
	if (m->id == item->author)
		return false;
	if (m->id == g->self)
		return accuses_self(g, m->id, claim);
	if (!claim_plausible(claim, m->claim) || m->state == UNREACHABLE)
		return false;
	if (item->kind == ITEM_ACCUSATION)
		return m->state != REACHABILITY_UNKNOWN && !accusation_known(g, m, item) &&
		       observer_of(g, item->author, m) && has_a_voice(g, item->author);
	return !verdict_passed(g, m, claim);
}

static bool take_accusation(struct gossip *g, struct member *m, const struct item *item)
{
	struct member *author = member_find(g, item->author);
	if (!WEAKENED(g, WEAK_ACCUSATION_BUDGET) &&
	    !budget_spend(&dispute_of(g, author)->accusing, g->now.boot, ACCUSATIONS_PER_SECOND,
	                  ACCUSATIONS_BURST)) {
		core_drop(g, DROP_BUDGET);
		return false;
	}
	struct suspicion *x = suspicion_open(g, m, item->author, g->now.boot);
	struct accuser accuser = {
	    .node = item->author,
	    .health = item->accusation.health,
	    .outcome = item->accusation.outcome,
	    .since = g->now.boot,
	    .incarnation = item->incarnation,
	    .version = item->accusation.version,
	    .claim = item_claim(item),
	};
	bool news = accuser_put(g, x, &accuser);
	suspicion_confirm_late(g, m);
	return news;
}

static bool take_refutation(struct gossip *g, struct member *m, const struct item *item)
{
	if (!member_claim(m, item_claim(item)))
		return false;
	spread_forget(g, m);
	suspicion_refuted(g, m);
	if (m->state == UNREACHABLE || m->state == REACHABILITY_UNKNOWN)
		session_hello(g, m); /* it says that it lives: let it show us */
	return true;
}

/* Distinct, active, its observers, and not the subject. */
static uint32_t accusers_valid(const struct gossip *g, const struct member *subject,
                               const struct verdict_item *v)
{
	uint32_t valid = 0;
	for (uint32_t i = 0; i < v->accuser_count; i++) {
		bool doubled = false;
		for (uint32_t k = 0; k < i; k++)
			doubled |= v->accusers[k] == v->accusers[i];
		valid += !doubled && v->accusers[i] != v->subject &&
		         member_active(g, v->accusers[i]) && observer_of(g, v->accusers[i], subject);
	}
	return valid;
}

/* A verdict that does not convince us is still its author's accusation. */
static bool take_as_accusation(struct gossip *g, struct member *m, const struct item *item)
{
	if ((m->state != REACHABLE && m->state != SUSPECT) || !observer_of(g, item->author, m))
		return false;
	struct suspicion *x = suspicion_of(g, m);
	if (x != NULL && accuser_find(x, item->author) != NULL)
		return false;
	struct item as = {.kind = ITEM_ACCUSATION,
	                  .author = item->author,
	                  .incarnation = item->incarnation};
	as.accusation.subject = m->id;
	as.accusation.subject_incarnation = item->verdict.subject_incarnation;
	as.accusation.subject_refutation = item->verdict.subject_refutation;
	as.accusation.outcome = OUTCOME_SILENT;
	as.accusation.version = item->verdict.version;
	take_accusation(g, m, &as);
	return true;
}

static void take_accusers(struct gossip *g, struct suspicion *x, const struct verdict_item *v)
{
	for (uint32_t i = 0; i < v->accuser_count && x->accuser_count < ACCUSERS_MAX; i++) {
		if (accuser_find(x, v->accusers[i]) != NULL)
			continue;
		x->accusers[x->accuser_count++] = (struct accuser){.node = v->accusers[i],
		                                                   .health = v->healths[i],
		                                                   .outcome = OUTCOME_SILENT,
		                                                   .since = g->now.boot};
	}
}

static bool take_verdict(struct gossip *g, struct member *m, const struct item *item)
{
	verdict_note(g, m, item_claim(item));
	bool convincing = accusers_valid(g, m, &item->verdict) >= verdict_needed(g, m) &&
	                  !member_heard(g, m->id, VERDICT_SILENCE * (1 + (duration)g->membership.health));
	if (!convincing)
		return take_as_accusation(g, m, item);
	struct suspicion *x = suspicion_of(g, m);
	if (x == NULL)
		x = suspicion_record(g, m, g->now.boot);
	take_accusers(g, x, &item->verdict);
	verdict_condemn(g, x, m);
	return true;
}

bool suspicion_take(struct gossip *g, const struct item *item)
{
	struct member *m = member_find(g, item_subject(item));
	if (m->id == g->self) {
		refute(g, item->author, item_claim(item));
		return false;
	}
	switch (item->kind) {
	case ITEM_ACCUSATION:
		return take_accusation(g, m, item);
	case ITEM_REFUTATION:
		return take_refutation(g, m, item);
	case ITEM_VERDICT:
		return take_verdict(g, m, item);
	case ITEM_FACT:
		break;
	}
	assert(!"a fact among the rumours");
	return false;
}
