#include "member.h"

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

#define WAIT_REFUSED (1100 * MILLISECOND)
#define WAIT_SILENT (4400 * MILLISECOND) /* with a turn of the ring before it: known within 6 s */
#define WAIT_HOST_UP (10 * SECOND)
#define NEEDED 2
#define CHECK_GAP (500 * MILLISECOND)   /* urgent probes, and changes of how many are needed */
#define REPEAT_GAP (2 * SECOND)         /* our own accusation again: the first may have been lost */
#define VERDICT_SILENCE (3 * SECOND)    /* another's verdict against our own ears */
#define CONFIRM_WITHIN (5 * SECOND)     /* how long a failed probe of ours supports another's word */
#define URGENT_GAP (200 * MILLISECOND)
#define PUBLISH_MAX 4 /* so many accusers do; further ones would only cost packets */
#define SICK_MIN 3
#define ACCUSATIONS_PER_SECOND 8
#define ACCUSATIONS_BURST 64
#define CLAIM_LEAD 1000 /* how far above what we know an accusation may claim to be */

struct accuser {
	node_id node;
	uint32_t health;
	enum probe_outcome outcome;
	instant since;
	uint64_t incarnation, version; /* the accusation's */
	struct claim claim;            /* what it accuses */
};

struct suspicion {
	uint32_t slot;
	uint32_t place; /* in `active`; NO_SLOT once the verdict is spoken */
	instant since;  /* the first failing probe was sent */
	uint32_t accuser_count;
	struct accuser accusers[ACCUSERS_MAX];
	bool own; /* we ourselves got no answer */
	bool published;
	enum probe_outcome own_outcome;
	struct item own_item;
	instant check_at, repeat_at, look_at;
	uint32_t checks;
	uint32_t next_free;
};

struct suspicions {
	struct suspicion *pool;
	uint32_t *active; /* places in the pool of those that are SUSPECT */
	uint32_t used, free_first, active_count;
	uint32_t silent_own; /* active ones that we ourselves find silent */
	uint64_t version;    /* of our accusations and verdicts */
	instant next_check;
};

void suspicions_init(struct gossip *g, struct carve *memory)
{
	struct suspicions *s = carve(memory, sizeof *s);
	struct suspicion *pool = carve(memory, sizeof *pool * g->membership.capacity);
	uint32_t *active = carve(memory, sizeof *active * g->membership.capacity);
	g->membership.suspicions = s;
	if (s == NULL)
		return;
	s->pool = pool;
	s->active = active;
	s->next_check = NEVER;
}

/* ---- records ---- */

static struct suspicion *suspicion_of(const struct gossip *g, const struct member *m)
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
static void deactivate(struct gossip *g, struct suspicion *x)
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
	deactivate(g, x);
	x->next_free = s->free_first;
	s->free_first = m->suspicion;
	m->suspicion = 0;
	spread_forget(g, m);
}

static struct suspicion *record_new(struct gossip *g, struct member *m, instant since)
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

/* In a small swarm everyone looks for itself soon; in a large one that would be a storm. */
static instant look_at(struct gossip *g)
{
	if (g->membership.active <= SMALL_SWARM)
		return g->now.boot + SECOND + (duration)prng_below(&g->prng, SECOND / 2);
	return g->now.boot + 6 * SECOND + (duration)prng_below(&g->prng, 4 * SECOND);
}

static struct suspicion *suspicion_open(struct gossip *g, struct member *m, node_id accuser,
                                        instant since)
{
	struct suspicions *s = g->membership.suspicions;
	struct suspicion *x = suspicion_of(g, m);
	if (x != NULL) {
		x->since = instant_min(x->since, since);
		return x;
	}
	x = record_new(g, m, since);
	x->place = s->active_count;
	s->active[s->active_count++] = m->suspicion - 1;
	x->check_at = g->now.boot + CHECK_GAP;
	x->look_at = look_at(g);
	member_set_state(g, m, SUSPECT);
	core_trace(g, RULE_SUSPECT, m->id, accuser, 0, 0, 0);
	return x;
}

/* ---- accusers ---- */

static struct accuser *accuser_find(struct suspicion *x, node_id node)
{
	for (uint32_t i = 0; i < x->accuser_count; i++) {
		if (x->accusers[i].node == node)
			return &x->accusers[i];
	}
	return NULL;
}

static bool newer(uint64_t incarnation, uint64_t version, const struct accuser *than)
{
	if (incarnation != than->incarnation)
		return incarnation > than->incarnation;
	return version > than->version;
}

/* True if it says something new: another accuser, or other evidence. */
static bool accuser_put(struct gossip *g, struct suspicion *x, const struct accuser *accuser)
{
	struct suspicions *s = g->membership.suspicions;
	struct accuser *known = accuser_find(x, accuser->node);
	if (known != NULL) {
		if (!newer(accuser->incarnation, accuser->version, known))
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
	if (others && g->now.boot - m->urgent_at >= URGENT_GAP) {
		m->urgent_at = g->now.boot;
		probe_urgent(g, m); /* carries their accusations: only the subject can refute */
	}
	suspicion_clear(g, m);
}

/* ---- our own accusation ---- */

bool suspicions_sick(const struct gossip *g)
{
	const struct suspicions *s = g->membership.suspicions;
	/* others: who counts as reachable, less this node */
	return s->silent_own >= SICK_MIN && s->silent_own * 2 > g->membership.reachable - 1;
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

static void publish_own(struct gossip *g, struct suspicion *x, const struct member *m)
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
	if (enough || suspicions_sick(g))
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
	publish_own(g, x, m);
}

void suspicion_confirm(struct gossip *g, struct member *m, instant since, enum probe_outcome outcome)
{
	if (m->state == SUSPECT || outcome == OUTCOME_REFUSED) {
		suspicion_accuse(g, m, since, outcome);
		return;
	}
	m->failed_at = since;
	m->failed_outcome = outcome;
}

/* Another accuses it: what we found when we asked for somebody else confirms that. */
static void confirm_late(struct gossip *g, struct member *m)
{
	if (m->failed_at == 0 || g->now.boot - m->failed_at > CONFIRM_WITHIN ||
	    m->heard > m->failed_at)
		return;
	instant since = m->failed_at;
	m->failed_at = 0;
	suspicion_accuse(g, m, since, m->failed_outcome);
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

const struct item *suspicion_own_item(const struct gossip *g, const struct member *m)
{
	const struct suspicion *x = suspicion_of(g, m);
	return x != NULL && x->own && x->published ? &x->own_item : NULL;
}

/* ---- the verdict ---- */

/* How many accusers it takes: two, unless there are no two who could be asked. */
static uint32_t needed(const struct gossip *g, const struct member *m)
{
	uint32_t sound = g->membership.reachable - g->membership.suspicions->active_count;
	if (m->state == REACHABLE && sound > 0)
		sound--;
	if (sound == 0)
		return 1;
	return sound < NEEDED ? sound : NEEDED;
}

static duration wait_for(const struct suspicion *x, uint32_t enough)
{
	uint32_t refused = 0;
	for (uint32_t i = 0; i < x->accuser_count; i++) {
		if (x->accusers[i].outcome == OUTCOME_HOST_UP)
			return WAIT_HOST_UP;
		refused += x->accusers[i].outcome == OUTCOME_REFUSED;
	}
	return refused >= enough ? WAIT_REFUSED : WAIT_SILENT;
}

/* When to speak the verdict as things stand; NEVER: not enough accusers. */
static instant verdict_at(const struct gossip *g, const struct suspicion *x,
                          const struct member *m)
{
	if (x->own && suspicions_sick(g)) {
		/* cut off from most: judged for ourselves alone, on our own evidence */
		duration wait = wait_for(x, NEEDED);
		return x->since + (wait > WAIT_SILENT ? wait : WAIT_SILENT);
	}
	uint32_t enough = needed(g, m);
	return x->accuser_count < enough ? NEVER : x->since + wait_for(x, enough);
}

static void publish_verdict(struct gossip *g, const struct suspicion *x, struct member *m)
{
	struct item item = {.kind = ITEM_VERDICT};
	item.verdict.subject = m->id;
	item.verdict.subject_incarnation = m->claim.incarnation;
	item.verdict.subject_refutation = m->claim.refutation;
	item.verdict.accuser_count = x->accuser_count;
	for (uint32_t i = 0; i < x->accuser_count; i++) {
		item.verdict.accusers[i] = x->accusers[i].node;
		item.verdict.healths[i] = x->accusers[i].health;
	}
	item.verdict.version = ++g->membership.suspicions->version;
	m->verdict = m->claim;
	m->verdict_known = true;
	item_sign(g, &item);
	spread_rumour(g, &item);
}

static void condemn(struct gossip *g, struct suspicion *x, struct member *m)
{
	node_id first = x->accuser_count > 0 ? x->accusers[0].node : 0;
	instant from = m->ever_heard ? m->heard : m->since;
	deactivate(g, x);
	core_trace(g, RULE_UNREACHABLE, m->id, first, x->accuser_count, g->now.boot - from, 0);
	member_set_state(g, m, UNREACHABLE);
}

/* Everyone decides alike; only the accusers tell, or a swarm would say it a thousand times. */
static void judge(struct gossip *g, struct suspicion *x, struct member *m)
{
	bool tell = x->own && x->published && x->accuser_count >= NEEDED && !suspicions_sick(g) &&
	            !(m->verdict_known && !claim_less(m->verdict, m->claim));
	spread_forget(g, m); /* our accusation has done its work, or reached nobody */
	condemn(g, x, m);
	if (tell)
		publish_verdict(g, x, m);
}

void suspicion_never_heard(struct gossip *g, struct member *m)
{
	if (m->suspicion != 0)
		return;
	struct suspicion *x = record_new(g, m, m->since);
	x->accusers[0] = (struct accuser){.node = g->self,
	                                  .health = g->membership.health,
	                                  .outcome = OUTCOME_SILENT,
	                                  .since = m->since};
	x->accuser_count = 1;
	condemn(g, x, m);
}

/* ---- in time ---- */

static void insist(struct gossip *g, struct suspicion *x, struct member *m)
{
	x->checks++;
	if (!x->own) {
		/* whoever judges has looked for itself: a refutation may have missed us */
		if (x->checks % 4 == 1)
			probe_urgent(g, m);
		if (g->now.boot >= x->look_at && x->accuser_count < NEEDED) {
			x->look_at = look_at(g);
			probe_member(g, m);
		}
		return;
	}
	probe_urgent(g, m);
	if (x->checks % 4 == 0)
		session_hello(g, m); /* it may have restarted under an incarnation we do not know */
	if (g->now.boot >= x->repeat_at)
		publish_own(g, x, m);
}

static instant check(struct gossip *g, struct suspicion *x)
{
	struct member *m = &g->membership.members[x->slot];
	if (g->now.boot >= verdict_at(g, x, m)) {
		judge(g, x, m);
		return NEVER;
	}
	if (g->now.boot >= x->check_at) {
		x->check_at = g->now.boot + CHECK_GAP;
		insist(g, x, m);
	}
	return instant_min(x->check_at, verdict_at(g, x, m));
}

void suspicions_tick(struct gossip *g)
{
	struct suspicions *s = g->membership.suspicions;
	if (g->now.boot < s->next_check)
		return;
	s->next_check = NEVER;
	instant next = NEVER;
	for (uint32_t i = s->active_count; i-- > 0;)
		next = instant_min(next, check(g, &s->pool[s->active[i]]));
	s->next_check = instant_min(s->next_check, next);
}

instant suspicions_deadline(const struct gossip *g)
{
	return g->membership.suspicions->next_check;
}

void suspicions_paused(struct gossip *g, duration pause)
{
	struct suspicions *s = g->membership.suspicions;
	for (uint32_t i = 0; i < s->active_count; i++)
		s->pool[s->active[i]].since += pause;
}

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
	return known != NULL && !newer(item->incarnation, item->accusation.version, known);
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
		return m->state != REACHABILITY_UNKNOWN && !accusation_known(g, m, item);
	return !(m->verdict_known && !claim_less(m->verdict, claim));
}

static bool take_accusation(struct gossip *g, struct member *m, const struct item *item)
{
	struct member *author = member_find(g, item->author);
	if (!budget_spend(&author->accusing, g->now.boot, ACCUSATIONS_PER_SECOND,
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
	confirm_late(g, m);
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

/* Distinct, active, and not the subject. */
static uint32_t accusers_valid(const struct gossip *g, const struct verdict_item *v)
{
	uint32_t valid = 0;
	for (uint32_t i = 0; i < v->accuser_count; i++) {
		bool doubled = false;
		for (uint32_t k = 0; k < i; k++)
			doubled |= v->accusers[k] == v->accusers[i];
		valid += !doubled && v->accusers[i] != v->subject &&
		         member_active(g, v->accusers[i]);
	}
	return valid;
}

/* A verdict that does not convince us is still its author's accusation. */
static bool take_as_accusation(struct gossip *g, struct member *m, const struct item *item)
{
	if (m->state != REACHABLE && m->state != SUSPECT)
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
	m->verdict = item_claim(item);
	m->verdict_known = true;
	bool convincing = accusers_valid(g, &item->verdict) >= needed(g, m) &&
	                  !member_heard(g, m->id, VERDICT_SILENCE);
	if (!convincing)
		return take_as_accusation(g, m, item);
	struct suspicion *x = suspicion_of(g, m);
	if (x == NULL)
		x = record_new(g, m, g->now.boot);
	take_accusers(g, x, &item->verdict);
	condemn(g, x, m);
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
