#include "suspicion.h"

/*
 * Verdicts: when the accusers are enough, and have been for long enough (suspicion.c says why these
 * times). Until then the suspect is told of it, again and again: it alone can refute.
 */

#define WAIT_REFUSED (1100 * MILLISECOND)
#define WAIT_SILENT (4400 * MILLISECOND) /* with a turn of the ring before it: known within 6 s */
#define WAIT_SILENT_OBSERVERS (3 * SECOND) /* four of them have found it, each by probe, relays and knock */
#define WAIT_SILENT_MAX (7 * SECOND) /* while no more than enough have found it */
#define WAIT_HOST_UP (10 * SECOND)
#define LAST_LOOK (500 * MILLISECOND)
#define LAST_LOOKS 10 /* where three packets of ten get lost, half of the looks are in vain */
#define LOOK_AGAIN (2 * SECOND)
#define WAIT_LONELY (25 * SECOND) /* own eyes alone, in a small swarm */
#define WAIT_ALONE (15 * SECOND) /* own eyes and another's, where three observers should have spoken */

/* ---- the verdict ---- */

/* Who could be asked: neither suspect nor `m` itself; self counts. */
static uint32_t sound_others(const struct gossip *g, const struct member *m)
{
	uint32_t sound = g->membership.reachable - g->membership.suspicions->active_count;
	return m->state == REACHABLE && sound > 0 ? sound - 1 : sound;
}

/* How many accusers it takes: two, or three observers, unless there are no so many who could be asked. */
uint32_t verdict_needed(const struct gossip *g, const struct member *m)
{
	uint32_t sound = sound_others(g, m);
	uint32_t needed = observers_matter(g) ? NEEDED_OBSERVERS : NEEDED;
	if (sound == 0)
		return 1;
	return sound < needed ? sound : needed;
}

/*
 * Silence is believed the sooner, the more have found it (Lifeguard). Lost packets make two agree now and
 * then, and such a suspicion needs time to be refuted; of a dead one all whom it can be asked agree soon.
 */
static duration wait_silent(const struct gossip *g, const struct suspicion *x, const struct member *m,
                            uint32_t enough)
{
	uint32_t could = sound_others(g, m);
	uint32_t most = could < PUBLISH_MAX ? could : PUBLISH_MAX;
	duration least = observers_matter(g) ? WAIT_SILENT_OBSERVERS : WAIT_SILENT;
	if (x->accuser_count >= most || most <= enough || WEAKENED(g, WEAK_CONFIRMATIONS))
		return least;
	return least + (WAIT_SILENT_MAX - least) * (most - x->accuser_count) / (most - enough);
}

static uint32_t refusals(const struct suspicion *x)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < x->accuser_count; i++)
		count += x->accusers[i].outcome == OUTCOME_REFUSED;
	return count;
}

static duration wait_for(const struct gossip *g, const struct suspicion *x, const struct member *m,
                         uint32_t enough)
{
	for (uint32_t i = 0; i < x->accuser_count; i++) {
		if (x->accusers[i].outcome == OUTCOME_HOST_UP)
			return WAIT_HOST_UP;
	}
	return refusals(x) >= enough ? WAIT_REFUSED : wait_silent(g, x, m, enough);
}

/* Who is not well itself takes its time, unless what it waits for is no answer but a refusal. */
static duration slowly(const struct gossip *g, duration wait)
{
	return wait == WAIT_REFUSED ? wait : wait * (1 + (duration)g->membership.health);
}

/* Since when we ourselves accuse it; others may have begun long before. */
static instant own_since(const struct gossip *g, const struct suspicion *x)
{
	for (uint32_t i = 0; i < x->accuser_count; i++) {
		if (x->accusers[i].node == g->self)
			return x->accusers[i].since;
	}
	return x->since;
}

/* When to speak the verdict as things stand; NEVER: not enough accusers. */
static instant verdict_at(const struct gossip *g, const struct suspicion *x,
                          const struct member *m)
{
	if (x->own && suspicions_cut_off(g)) {
		/* judged for ourselves alone, on our own evidence */
		duration wait = wait_for(g, x, m, NEEDED);
		return x->since + (wait > WAIT_SILENT ? wait : WAIT_SILENT);
	}
	uint32_t enough = verdict_needed(g, m);
	if (WEAKENED(g, WEAK_ONE_ACCUSER) && x->own && x->own_outcome == OUTCOME_REFUSED)
		return x->since;
	if (x->accuser_count >= enough)
		return x->since + slowly(g, wait_for(g, x, m, enough));
	/* its observers are silent, or of a version that does not know that it is one of them */
	if (x->own && x->accuser_count >= NEEDED)
		return own_since(g, x) + slowly(g, WAIT_ALONE);
	/* the other one has its verdict already, and accuses no more: nobody is told of ours */
	return x->own && !observers_matter(g) ? own_since(g, x) + slowly(g, WAIT_LONELY) : NEVER;
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
	verdict_note(g, m, m->claim);
	item_sign(g, &item);
	spread_rumour(g, &item);
}

void verdict_condemn(struct gossip *g, struct suspicion *x, struct member *m)
{
	node_id first = x->accuser_count > 0 ? x->accusers[0].node : 0;
	instant from = m->ever_heard ? m->heard : m->since;
	suspicion_deactivate(g, x);
	core_trace(g, RULE_UNREACHABLE, m->id, first, x->accuser_count, g->now.boot - from, 0);
	member_set_state(g, m, UNREACHABLE);
}

/* Everyone decides alike; only the accusers tell, or a swarm would say it a thousand times. */
static void judge(struct gossip *g, struct suspicion *x, struct member *m)
{
	bool tell = x->own && x->published && x->accuser_count >= verdict_needed(g, m) && !suspicions_sick(g) &&
	            !verdict_passed(g, m, m->claim);
	spread_forget(g, m); /* our accusation has done its work, or reached nobody */
	verdict_condemn(g, x, m);
	if (tell)
		publish_verdict(g, x, m);
}

void suspicion_never_heard(struct gossip *g, struct member *m)
{
	if (m->suspicion != 0)
		return;
	struct suspicion *x = suspicion_record(g, m, m->since);
	x->accusers[0] = (struct accuser){.node = g->self,
	                                  .health = g->membership.health,
	                                  .outcome = OUTCOME_SILENT,
	                                  .since = m->since};
	x->accuser_count = 1;
	verdict_condemn(g, x, m);
}

/* ---- in time ---- */

static void insist(struct gossip *g, struct suspicion *x, struct member *m)
{
	x->checks++;
	if (!x->own) {
		/* whoever judges has looked for itself: a refutation may have missed us */
		if (x->checks % 4 == 1 && (!observers_matter(g) || g->now.boot >= x->look_at))
			probe_urgent(g, m);
		if (g->now.boot >= x->look_at && x->accuser_count < verdict_needed(g, m)) {
			x->look_at = g->now.boot + LOOK_AGAIN;
			probe_member(g, m);
		}
		return;
	}
	probe_urgent(g, m);
	if (x->checks % 4 == 0)
		session_hello(g, m); /* it may have restarted under an incarnation we do not know */
	if (g->now.boot >= x->repeat_at)
		suspicion_publish(g, x, m);
}

/*
 * Nobody is condemned on hearsay: who has only heard of it asks first, a few times; in a large swarm even if one
 * probe of its own failed meanwhile. A refutation may have passed by, and where nobody answers, some observer's
 * verdict comes while we wait.
 */
static bool last_look(struct gossip *g, struct suspicion *x, struct member *m)
{
	bool own_word = x->own && (x->published || !observers_matter(g));
	if (own_word || x->looks == LAST_LOOKS || refusals(x) >= verdict_needed(g, m))
		return false;
	x->looks++;
	x->since += LAST_LOOK;
	probe_urgent(g, m);
	return true;
}

static instant check(struct gossip *g, struct suspicion *x)
{
	struct member *m = &g->membership.members[x->slot];
	if (g->now.boot >= verdict_at(g, x, m) && !last_look(g, x, m)) {
		judge(g, x, m);
		return NEVER;
	}
	if (g->now.boot >= x->check_at) {
		x->check_at = g->now.boot + CHECK_GAP;
		insist(g, x, m);
	}
	return instant_min(x->check_at, verdict_at(g, x, m));
}

/* This node did not run for that long: its suspicions begin that much later. */
static void suspicions_paused(struct gossip *g, duration pause)
{
	struct suspicions *s = g->membership.suspicions;
	for (uint32_t i = 0; i < s->active_count; i++)
		s->pool[s->active[i]].since += pause;
}

void suspicions_tick(struct gossip *g)
{
	struct suspicions *s = g->membership.suspicions;
	if (g->now.boot < s->next_check)
		return;
	duration late = g->now.boot - s->next_check;
	if (late >= JUDGE_LATE && !WEAKENED(g, WEAK_JUDGE_LATE)) /* as for a probe: what refutes it may lie in our socket */
		suspicions_paused(g, late);
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
