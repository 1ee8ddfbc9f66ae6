#include "suspicion.h"

/*
 * Suspicion: from accusations to a verdict.
 *
 *     REACHABLE --an accusation not below the claim--> SUSPECT --enough accusers, long enough--> UNREACHABLE
 *         ^------- heard, or every accusation refuted ----/
 *
 * Enough: two distinct accusers, or one where nobody else could be asked. Long enough, since the
 * first failing probe was sent, depends on the evidence:
 *
 *     all refused      a daemon that restarts within a second is back before that
 *     host answers     its kernel takes connections: paused, most likely, so wait longest
 *     silence          a cut link, a dead host
 *
 * Nothing here trusts a single insider: an accusation is one accuser, a verdict counts only if it
 * names enough of them and we ourselves have not heard the subject for a while.
 */

#define REPEAT_GAP (2 * SECOND)         /* our own accusation again: the first may have been lost */
#define CONFIRM_WITHIN (5 * SECOND)     /* how long a failed probe of ours supports another's word */
#define URGENT_GAP (200 * MILLISECOND)
#define SICK_MIN 3
#define LOOK_OBSERVER (300 * MILLISECOND) /* an observer looks for itself at once, but not all in step */

void suspicions_init(struct gossip *g, struct carve *memory)
{
	struct suspicions *s = carve(memory, sizeof *s);
	struct suspicion *pool = carve(memory, sizeof *pool * g->membership.capacity);
	uint32_t *active = carve(memory, sizeof *active * g->membership.capacity);
	struct dispute *disputes = carve(memory, sizeof *disputes * g->membership.capacity);
	g->membership.suspicions = s;
	if (s == NULL)
		return;
	s->pool = pool;
	s->active = active;
	s->disputes = disputes;
	s->next_check = NEVER;
}

/* ---- records ---- */

struct dispute *dispute_of(const struct gossip *g, struct member *m)
{
	struct suspicions *s = g->membership.suspicions;
	if (m->dispute == 0)
		m->dispute = ++s->disputes_used;
	assert(s->disputes_used <= g->membership.capacity);
	return &s->disputes[m->dispute - 1];
}

const struct dispute *dispute_known(const struct gossip *g, const struct member *m)
{
	return m->dispute == 0 ? NULL : &g->membership.suspicions->disputes[m->dispute - 1];
}

void verdict_note(const struct gossip *g, struct member *m, struct claim claim)
{
	struct dispute *d = dispute_of(g, m);
	d->verdict = claim;
	d->verdict_known = true;
}

/* Did we pass on a verdict that condemned this claim of it, or a higher one? */
bool verdict_passed(const struct gossip *g, const struct member *m, struct claim claim)
{
	const struct dispute *d = dispute_known(g, m);
	return d != NULL && d->verdict_known && !claim_less(d->verdict, claim);
}

struct suspicion *suspicion_of(const struct gossip *g, const struct member *m)
{
	return m->suspicion == 0 ? NULL : &g->membership.suspicions->pool[m->suspicion - 1];
}

static bool counts_as_silent(const struct suspicion *x)
{
	return x->place != NO_SLOT && x->own && x->own_outcome != OUTCOME_REFUSED;
}

static void set_own(struct gossip *g, struct suspicion *x, bool own, enum probe_outcome outcome)
{
	struct suspicions *s = g->membership.suspicions;
	s->silent_own -= counts_as_silent(x);
	x->own = own;
	x->own_outcome = outcome;
	s->silent_own += counts_as_silent(x);
}

/* Takes it off the list of those still to be judged; the record stays to be shown. */
void suspicion_deactivate(struct gossip *g, struct suspicion *x)
{
	struct suspicions *s = g->membership.suspicions;
	if (x->place == NO_SLOT)
		return;
	s->silent_own -= counts_as_silent(x);
	uint32_t last = s->active[--s->active_count];
	s->active[x->place] = last;
	s->pool[last].place = x->place;
	x->place = NO_SLOT;
}

void suspicion_drop(struct gossip *g, struct member *m)
{
	struct suspicions *s = g->membership.suspicions;
	struct suspicion *x = suspicion_of(g, m);
	if (x == NULL)
		return;
	suspicion_deactivate(g, x);
	x->next_free = s->free_first;
	s->free_first = m->suspicion;
	m->suspicion = 0;
	spread_forget(g, m);
}

struct suspicion *suspicion_record(struct gossip *g, struct member *m, instant since)
{
	struct suspicions *s = g->membership.suspicions;
	uint32_t index = s->free_first;
	if (index != 0)
		s->free_first = s->pool[index - 1].next_free;
	else
		index = ++s->used; /* one record a member: the pool has as many */
	assert(index <= g->membership.capacity);
	struct suspicion *x = &s->pool[index - 1];
	memset(x, 0, sizeof *x);
	x->slot = member_slot(g, m);
	x->place = NO_SLOT;
	x->since = since;
	m->suspicion = index;
	return x;
}

/* In a small swarm everyone looks for itself soon; in a large one only its observers: else a storm. */
instant suspicion_look_at(struct gossip *g, const struct member *m)
{
	if (observers_matter(g) && observer_of(g, g->self, m))
		return g->now.boot + (duration)prng_below(&g->prng, LOOK_OBSERVER);
	if (g->membership.active <= SMALL_SWARM)
		return g->now.boot + SECOND + (duration)prng_below(&g->prng, SECOND / 2);
	return g->now.boot + 6 * SECOND + (duration)prng_below(&g->prng, 4 * SECOND);
}

struct suspicion *suspicion_open(struct gossip *g, struct member *m, node_id accuser,
                                        instant since)
{
	struct suspicions *s = g->membership.suspicions;
	struct suspicion *x = suspicion_of(g, m);
	if (x != NULL) {
		x->since = instant_min(x->since, since);
		return x;
	}
	x = suspicion_record(g, m, since);
	x->place = s->active_count;
	s->active[s->active_count++] = m->suspicion - 1;
	x->look_at = suspicion_look_at(g, m);
	x->check_at = instant_min(x->look_at, g->now.boot + CHECK_GAP);
	member_set_state(g, m, SUSPECT);
	core_trace(g, RULE_SUSPECT, m->id, accuser, 0, 0, 0);
	return x;
}

/* ---- accusers ---- */

struct accuser *accuser_find(struct suspicion *x, node_id node)
{
	for (uint32_t i = 0; i < x->accuser_count; i++) {
		if (x->accusers[i].node == node)
			return &x->accusers[i];
	}
	return NULL;
}

bool accuser_newer(uint64_t incarnation, uint64_t version, const struct accuser *than)
{
	if (incarnation != than->incarnation)
		return incarnation > than->incarnation;
	return version > than->version;
}

/* True if it says something new: another accuser, or other evidence. */
bool accuser_put(struct gossip *g, struct suspicion *x, const struct accuser *accuser)
{
	struct suspicions *s = g->membership.suspicions;
	struct accuser *known = accuser_find(x, accuser->node);
	if (known != NULL) {
		if (!accuser_newer(accuser->incarnation, accuser->version, known))
			return false;
		bool changed = known->outcome != accuser->outcome;
		instant since = known->since;
		*known = *accuser;
		known->since = since;
		s->next_check = changed ? g->now.boot : s->next_check;
		return changed;
	}
	if (x->accuser_count == ACCUSERS_MAX)
		return false;
	x->accusers[x->accuser_count++] = *accuser;
	s->next_check = g->now.boot;
	if (x->accuser_count > 1)
		core_trace(g, RULE_SUSPECT_MORE, g->membership.members[x->slot].id, accuser->node,
		           x->accuser_count, 0, 0);
	return true;
}

static void accuser_remove(struct suspicion *x, uint32_t i)
{
	x->accuser_count--;
	memmove(&x->accusers[i], &x->accusers[i + 1],
	        (x->accuser_count - i) * sizeof x->accusers[0]);
}

/* It lives after all. */
static void suspicion_clear(struct gossip *g, struct member *m)
{
	core_trace(g, RULE_REFUTED, m->id, 0, (int64_t)m->claim.refutation, 0, 0);
	suspicion_drop(g, m);
	member_set_state(g, m, REACHABLE);
}

/* What was answered is over: the time counts from the first accusation that still stands. */
static void begin_anew(struct suspicion *x)
{
	x->since = x->accusers[0].since;
	for (uint32_t i = 1; i < x->accuser_count; i++)
		x->since = instant_min(x->since, x->accusers[i].since);
	x->looks = 0;
}

void suspicion_refuted(struct gossip *g, struct member *m)
{
	struct suspicion *x = suspicion_of(g, m);
	if (x == NULL || m->state != SUSPECT)
		return;
	for (uint32_t i = x->accuser_count; i-- > 0;) {
		if (!claim_less(x->accusers[i].claim, m->claim))
			continue;
		if (x->accusers[i].node == g->self)
			set_own(g, x, false, OUTCOME_SILENT);
		accuser_remove(x, i);
	}
	if (x->accuser_count == 0)
		suspicion_clear(g, m);
	else
		begin_anew(x);
}

void suspicion_withdraw(struct gossip *g, struct member *m)
{
	struct suspicion *x = suspicion_of(g, m);
	if (x == NULL || m->state != SUSPECT || !x->own)
		return;
	set_own(g, x, false, OUTCOME_SILENT);
	struct accuser *own = accuser_find(x, g->self);
	if (own != NULL)
		accuser_remove(x, (uint32_t)(own - x->accusers));
	if (x->accuser_count == 0)
		suspicion_clear(g, m);
}

void suspicion_heard(struct gossip *g, struct member *m)
{
	struct suspicion *x = suspicion_of(g, m);
	if (x == NULL)
		return;
	if (m->state != SUSPECT) {
		suspicion_drop(g, m);
		return;
	}
	bool others = x->accuser_count > (x->own ? 1u : 0u);
	struct dispute *d = dispute_of(g, m);
	if (others && g->now.boot - d->urgent_at >= URGENT_GAP) {
		d->urgent_at = g->now.boot;
		probe_urgent(g, m); /* carries their accusations: only the subject can refute */
	}
	suspicion_clear(g, m);
}

/* ---- our own accusation ---- */

/* Others: who counts as reachable, less this node. */
static bool most_are_silent(const struct gossip *g)
{
	const struct suspicions *s = g->membership.suspicions;
	return s->silent_own >= SICK_MIN && s->silent_own * 2 > g->membership.reachable - 1;
}

/* Of many it asks only few: if none of those answers, most of the others will not either. */
bool suspicions_cut_off(const struct gossip *g)
{
	if (WEAKENED(g, WEAK_SICK_ONE))
		return false;
	return most_are_silent(g) || (g->membership.active > OBSERVED_SWARM && probing_always_fails(g));
}

bool suspicions_sick(const struct gossip *g)
{
	if (WEAKENED(g, WEAK_SICK_ONE))
		return false;
	/* of many it asks only few: if most of those do not answer, most of them will not be dead */
	return most_are_silent(g) || (g->membership.active > OBSERVED_SWARM && probing_mostly_fails(g));
}

static void own_item_make(struct gossip *g, struct suspicion *x, const struct member *m)
{
	struct item *item = &x->own_item;
	memset(item, 0, sizeof *item);
	item->kind = ITEM_ACCUSATION;
	item->accusation.subject = m->id;
	item->accusation.subject_incarnation = m->claim.incarnation;
	item->accusation.subject_refutation = m->claim.refutation;
	item->accusation.outcome = x->own_outcome;
	item->accusation.health = g->membership.health;
	item->accusation.version = ++g->membership.suspicions->version;
}

void suspicion_publish(struct gossip *g, struct suspicion *x, const struct member *m)
{
	x->repeat_at = g->now.boot + REPEAT_GAP;
	own_item_make(g, x, m);
	struct accuser self = {
	    .node = g->self,
	    .health = g->membership.health,
	    .outcome = x->own_outcome,
	    .since = g->now.boot,
	    .incarnation = g->durable.incarnation.number,
	    .version = x->own_item.accusation.version,
	    .claim = m->claim,
	};
	bool known = accuser_find(x, g->self) != NULL;
	bool enough = !known && x->accuser_count >= PUBLISH_MAX;
	accuser_put(g, x, &self);
	if (enough || suspicions_sick(g) || !observer_of(g, g->self, m))
		return;
	item_sign(g, &x->own_item);
	x->published = true;
	spread_rumour(g, &x->own_item);
}

void suspicion_accuse(struct gossip *g, struct member *m, instant since, enum probe_outcome outcome)
{
	if (!member_is_active(m) || (m->state != REACHABLE && m->state != SUSPECT))
		return;
	struct suspicion *x = suspicion_open(g, m, g->self, since);
	if (x->own && x->own_outcome == outcome)
		return;
	set_own(g, x, true, outcome);
	if (suspicions_sick(g))
		probe_health(g, 1);
	suspicion_publish(g, x, m);
}

void suspicion_confirm(struct gossip *g, struct member *m, instant since, enum probe_outcome outcome)
{
	if (m->state == SUSPECT || outcome == OUTCOME_REFUSED) {
		suspicion_accuse(g, m, since, outcome);
		return;
	}
	struct dispute *d = dispute_of(g, m);
	d->failed_at = since;
	d->failed_outcome = outcome;
}

/* Another accuses it: what we found when we asked for somebody else confirms that. */
void suspicion_confirm_late(struct gossip *g, struct member *m)
{
	struct dispute *d = dispute_of(g, m);
	if (d->failed_at == 0 || g->now.boot - d->failed_at > CONFIRM_WITHIN ||
	    m->heard > d->failed_at)
		return;
	instant since = d->failed_at;
	d->failed_at = 0;
	suspicion_accuse(g, m, since, d->failed_outcome);
}

bool suspicion_settled(const struct gossip *g, const struct member *m, enum probe_outcome outcome)
{
	const struct suspicion *x = suspicion_of(g, m);
	if (x == NULL)
		return false;
	uint32_t same = 0;
	for (uint32_t i = 0; i < x->accuser_count; i++)
		same += x->accusers[i].outcome == outcome;
	return (x->own && x->own_outcome == outcome) || same >= NEEDED;
}

/* ---- view ---- */

void suspicion_view(const struct gossip *g, const struct member *m, struct member_view *out)
{
	const struct suspicion *x = suspicion_of(g, m);
	if (x == NULL)
		return;
	out->accuser_count = x->accuser_count;
	for (uint32_t i = 0; i < x->accuser_count; i++) {
		const struct accuser *a = &x->accusers[i];
		out->accusers[i] =
		    (struct accuser_view){a->node, a->health, a->outcome, a->since};
	}
}
