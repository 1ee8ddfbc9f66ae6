#include "addresses.h"
#include "member.h"
#include "paths.h"

/*
 * Probes (SWIM), one or two per interval: round robin in a shuffled order, and the next member on
 * the ring of ids, who thus is asked by the same node every second. The ring notices a death within
 * about a second whatever the dice say; the round finds links that only some can see.
 *
 *     DIRECT --no ack in time--> ASKING (3 relays and a knock) --nobody reached it--> accused
 *        \--ack, or heard--> over      \--ack, heard, or a relay's ALIVE--> over
 *
 * A probe run for somebody else goes DIRECT -> ASKING with a knock only, and ends in a report.
 * Timeouts stretch with the local health score (Lifeguard): it rises when a tick comes late or when
 * others reach whom we did not, and falls with every ack in time.
 */

#define INTERVAL SECOND
#define INTERVAL_SMALL (500 * MILLISECOND) /* few members: each one's turn still comes often */
#define ACK_TIMEOUT (300 * MILLISECOND)    /* at health 0; times 1 + health */
#define KNOCK_PATIENCE (500 * MILLISECOND)
#define ASKING_MARGIN (100 * MILLISECOND) /* for the knock's own report */
#define RELAYS 3
#define TICK_LATE (200 * MILLISECOND) /* overloaded */
#define GRACE_MAX (500 * MILLISECOND)
#define TICK_PAUSED SECOND            /* stopped, suspended: what seems overdue was never waited for */
#define HEALTH_MAX 8
#define INQUIRIES_MAX 128
#define RECENT 8      /* direct probes of ours, mostly of different members, */
#define RECENT_SICK 5 /* and how many unanswered ones say that it is us */
#define ROUND_TURNS 4 /* large swarms: turns of the ring to one of the round, for few bytes */
#define LOST_GAP (5 * SECOND) /* between two greetings of some who are unreachable */
#define LOST_GAP_SMALL SECOND
#define UNKNOWN_MEMBER (10 * MILLISECOND)
#define LOST_MAX 4        /* so many of them at a time */
#define TRIES_PER_TURN 64 /* members looked at in one turn for one to probe */

enum stage { STAGE_FREE = 0, STAGE_DIRECT, STAGE_ASKING };

struct inquiry {
	enum stage stage;
	uint32_t slot;
	uint64_t sequence; /* serial * INQUIRIES_MAX + place */
	instant sent, due;
	instant sent_wall; /* 0: never sent, or twice: its ack says nothing of clocks */
	enum probe_outcome outcome; /* the best evidence so far of why it is silent */
	uint32_t asked, reported;
	bool knocking;
	node_id asker; /* 0: our own */
	uint64_t asker_sequence;
};

struct probing {
	instant next_tick;
	instant lost_next;
	uint64_t serial;
	uint32_t *order; /* slots: a shuffle in progress, `cursor` dealt */
	uint32_t count, cursor;
	uint32_t turns;
	uint32_t successor; /* on the ring; valid unless ring_changed */
	bool ring_changed;
	uint32_t open; /* inquiries under way */
	uint32_t recent; /* a bit for each of our last direct probes: 1, no answer in time */
	struct inquiry inquiries[INQUIRIES_MAX];
};

void probing_init(struct gossip *g, struct carve *memory)
{
	struct probing *p = carve(memory, sizeof *p);
	uint32_t *order = carve(memory, sizeof *order * g->membership.capacity);
	if (p != NULL)
		p->order = order;
	g->membership.probing = p;
}

void probing_add(struct gossip *g, uint32_t slot)
{
	struct probing *p = g->membership.probing;
	p->order[p->count++] = slot;
}

/* ---- timing ---- */

static duration ack_timeout(const struct gossip *g)
{
	return ACK_TIMEOUT * (1 + (duration)g->membership.health);
}

static duration interval(struct gossip *g)
{
	duration d = g->membership.active <= SMALL_SWARM ? INTERVAL_SMALL : INTERVAL;
	if (suspicions_sick(g))
		d /= 4; /* cut off, or in a split swarm: find out soon who is left */
	return d * 95 / 100 + (duration)prng_below(&g->prng, (uint64_t)d / 10);
}

void probing_start(struct gossip *g)
{
	struct probing *p = g->membership.probing;
	/* any phase: a swarm that starts together must not probe in step */
	p->next_tick = g->now.boot + (duration)prng_below(&g->prng, (uint64_t)interval(g));
	p->lost_next = g->now.boot + LOST_GAP;
	p->ring_changed = true;
}

instant probing_deadline(const struct gossip *g)
{
	const struct probing *p = g->membership.probing;
	instant at = p->next_tick;
	for (uint32_t i = 0, left = p->open; left > 0; i++) {
		if (p->inquiries[i].stage == STAGE_FREE)
			continue;
		at = instant_min(at, p->inquiries[i].due);
		left--;
	}
	return at;
}

void probe_health(struct gossip *g, int change)
{
	struct membership *s = &g->membership;
	uint32_t before = s->health;
	if (change > 0 && s->health < HEALTH_MAX)
		s->health++;
	if (change < 0 && s->health > 0)
		s->health--;
	if (s->health != before)
		core_trace(g, RULE_HEALTH, 0, 0, (int64_t)s->health, 0, 0);
}

static void probe_result(struct gossip *g, bool failed)
{
	struct probing *p = g->membership.probing;
	p->recent = (p->recent << 1 | failed) & ((1u << RECENT) - 1);
}

bool probing_mostly_fails(const struct gossip *g)
{
	uint32_t failed = 0;
	for (uint32_t bits = g->membership.probing->recent; bits != 0; bits &= bits - 1)
		failed++;
	return failed >= RECENT_SICK;
}

bool probing_always_fails(const struct gossip *g)
{
	return g->membership.probing->recent == (1u << RECENT) - 1;
}

/* ---- inquiries: probes under way ---- */

static struct inquiry *inquiry_new(struct gossip *g, struct member *m)
{
	struct probing *p = g->membership.probing;
	for (uint32_t i = 0; i < INQUIRIES_MAX; i++) {
		struct inquiry *q = &p->inquiries[i];
		if (q->stage != STAGE_FREE)
			continue;
		memset(q, 0, sizeof *q);
		q->stage = STAGE_DIRECT;
		q->slot = member_slot(g, m);
		q->sequence = ++p->serial * INQUIRIES_MAX + i;
		q->sent = g->now.boot;
		q->due = g->now.boot + ack_timeout(g);
		q->outcome = OUTCOME_SILENT;
		p->open++;
		return q;
	}
	return NULL;
}

static void inquiry_end(struct gossip *g, struct inquiry *q)
{
	q->stage = STAGE_FREE;
	g->membership.probing->open--;
}

static struct inquiry *inquiry_find(struct gossip *g, uint64_t sequence)
{
	struct inquiry *q = &g->membership.probing->inquiries[sequence % INQUIRIES_MAX];
	return q->stage != STAGE_FREE && q->sequence == sequence ? q : NULL;
}

static struct inquiry *inquiry_own(struct gossip *g, uint32_t slot)
{
	struct probing *p = g->membership.probing;
	for (uint32_t i = 0; i < INQUIRIES_MAX && p->open > 0; i++) {
		struct inquiry *q = &p->inquiries[i];
		if (q->stage != STAGE_FREE && q->slot == slot && q->asker == 0)
			return q;
	}
	return NULL;
}

static struct member *inquiry_member(struct gossip *g, const struct inquiry *q)
{
	return &g->membership.members[q->slot];
}

/* ---- sending ---- */

static void send_probe_by(struct gossip *g, struct member *m, const struct way *way,
                          uint64_t sequence, bool urgent)
{
	struct envelope e = {.kind = MESSAGE_PROBE};
	e.probe = (struct probe){.sequence = sequence, .sent_wall = g->now.wall, .urgent = urgent};
	core_send_by(g, m->id, way, &e);
}

static void send_probe(struct gossip *g, struct member *m, uint64_t sequence, bool urgent)
{
	send_probe_by(g, m, NULL, sequence, urgent);
}

/* By every way there is: one of them may still lead there. */
static void send_probe_all_ways(struct gossip *g, struct member *m, uint64_t sequence)
{
	struct way way;
	for (uint32_t i = 0; paths_at(g, m, i, &way); i++)
		send_probe_by(g, m, &way, sequence, m->state == SUSPECT);
}

static void probe_send(struct gossip *g, struct inquiry *q)
{
	q->sent = g->now.boot;
	q->sent_wall = g->now.wall;
	q->due = g->now.boot + ack_timeout(g);
	struct member *m = inquiry_member(g, q);
	send_probe(g, m, q->sequence, m->state == SUSPECT);
}

void probe_member(struct gossip *g, struct member *m)
{
	if (inquiry_own(g, member_slot(g, m)) != NULL)
		return;
	struct inquiry *q = inquiry_new(g, m);
	if (q != NULL)
		probe_send(g, q);
}

void probe_urgent(struct gossip *g, struct member *m)
{
	send_probe(g, m, 0, true);
}

void probe_contact(struct gossip *g, struct member *m)
{
	send_probe_all_ways(g, m, 0);
}

void probe_way(struct gossip *g, struct member *m, const struct way *way)
{
	send_probe_by(g, m, way, 0, false);
}

static void knock(struct gossip *g, struct inquiry *q)
{
	struct member *m = inquiry_member(g, q);
	struct effect *effect = effects_add(&g->out, EFFECT_KNOCK);
	if (effect == NULL)
		return;
	effect->knock.node = m->id;
	struct way way = paths_way(m);
	effect->knock.address = way.to;
	effect->knock.path = way.path;
	effect->knock.patience = KNOCK_PATIENCE;
	q->knocking = true;
}

static void ask_relays(struct gossip *g, struct inquiry *q)
{
	node_id relays[RELAYS];
	node_id target = inquiry_member(g, q)->id;
	q->asked = members_pick(g, RELAYS, target, relays);
	for (uint32_t i = 0; i < q->asked; i++) {
		struct envelope e = {.kind = MESSAGE_PROBE_REQUEST};
		e.probe_request = (struct probe_request){.sequence = q->sequence, .target = target};
		core_send(g, relays[i], &e);
	}
}

static void report(struct gossip *g, node_id to, uint64_t sequence, node_id target,
                   enum probe_outcome outcome)
{
	struct envelope e = {.kind = MESSAGE_PROBE_REPORT};
	e.probe_report = (struct probe_report){sequence, target, outcome};
	core_send(g, to, &e);
}

/* ---- how a probe ends ---- */

static void probe_successor(struct gossip *g)
{
	struct probing *p = g->membership.probing;
	if (p->ring_changed)
		p->successor = observed_on(g, 0);
	p->ring_changed = false;
	if (p->successor != NO_SLOT)
		probe_member(g, &g->membership.members[p->successor]);
}

/* It lives: by its ack, by any packet of it, or on a relay's word. */
static void probe_over(struct gossip *g, struct inquiry *q)
{
	if (q->asker != 0)
		report(g, q->asker, q->asker_sequence, inquiry_member(g, q)->id, OUTCOME_ALIVE);
	inquiry_end(g, q);
}

/* Nobody reached it, as far as we know. */
static void probe_failed(struct gossip *g, struct inquiry *q)
{
	struct member *m = inquiry_member(g, q);
	if (q->asker != 0) {
		report(g, q->asker, q->asker_sequence, m->id, q->outcome);
		suspicion_confirm(g, m, q->sent, q->outcome);
	} else {
		suspicion_accuse(g, m, q->sent, q->outcome);
	}
	bool hid_the_next = q->asker == 0 && q->slot == g->membership.probing->successor;
	inquiry_end(g, q);
	if (hid_the_next)
		probe_successor(g); /* neighbours may have died together: do not wait a turn for each */
}

static bool inquiry_heard(struct gossip *g, const struct inquiry *q)
{
	const struct member *m = inquiry_member(g, q);
	return m->ever_heard && m->heard > q->sent;
}

static void begin_asking(struct gossip *g, struct inquiry *q)
{
	q->stage = STAGE_ASKING;
	duration wait = KNOCK_PATIENCE + ASKING_MARGIN;
	q->due = g->now.boot + (wait > ack_timeout(g) ? wait : ack_timeout(g));
	if (q->asker == 0)
		ask_relays(g, q);
	if (q->outcome != OUTCOME_SILENT)
		return;
	knock(g, q);
	struct member *m = inquiry_member(g, q);
	send_probe_all_ways(g, m, q->sequence); /* once more: packets do get lost */
}

/* All that was asked has answered: no need to wait for the rest of the time. */
static bool asking_done(const struct inquiry *q)
{
	return !q->knocking && q->reported >= q->asked;
}

static void inquiry_due(struct gossip *g, struct inquiry *q)
{
	struct member *m = inquiry_member(g, q);
	if (!member_is_active(m) || m->state == UNREACHABLE || m->state == REACHABILITY_UNKNOWN) {
		inquiry_end(g, q);
	} else if (q->stage == STAGE_DIRECT && !inquiry_heard(g, q)) {
		core_trace(g, RULE_PROBE_FAILED, m->id, 0, (int64_t)q->sequence,
		           g->now.boot - q->sent, 0);
		if (q->asker == 0)
			probe_result(g, true);
		begin_asking(g, q);
	} else if (inquiry_heard(g, q)) {
		probe_over(g, q);
	} else {
		probe_failed(g, q);
	}
}

/* ---- messages ---- */

void probe_on_probe(struct gossip *g, struct member *m, const struct probe *probe)
{
	struct envelope e = {.kind = MESSAGE_ACK};
	e.ack = (struct ack){probe->sequence, g->now.wall, g->now.wall};
	/* back the way it came: so it tells of that way, not of another */
	const struct sessions *s = g->membership.sessions;
	core_send_by(g, m->id, s->opened != 0 ? &s->arrived : NULL, &e);
}

void probe_on_ack(struct gossip *g, struct member *m, const struct ack *ack)
{
	if (sounding_on_ack(g, m, ack))
		return;
	struct inquiry *q = inquiry_find(g, ack->sequence);
	if (q == NULL || q->slot != member_slot(g, m))
		return;
	if (q->sent_wall != 0)
		clocks_sample(g, m, q->sent_wall, ack->received_wall, ack->sent_wall, g->now.wall);
	if (q->stage == STAGE_DIRECT && q->asker == 0) {
		probe_health(g, -1);
		probe_result(g, false);
	}
	probe_over(g, q);
}

void probe_on_request(struct gossip *g, struct member *m, const struct probe_request *request)
{
	struct member *target = member_find(g, request->target);
	if (target == NULL || !member_is_active(target) || target == m)
		return;
	if (target->id == g->self) {
		report(g, m->id, request->sequence, g->self, OUTCOME_ALIVE);
		return;
	}
	if (request->seen.family != 0) {
		session_strayed_to(g, target, m->id, &request->seen);
		return;
	}
	struct inquiry *q = inquiry_new(g, target);
	if (q == NULL)
		return;
	q->asker = m->id;
	q->asker_sequence = request->sequence;
	probe_send(g, q);
}

void probe_on_report(struct gossip *g, struct member *m, const struct probe_report *answer)
{
	struct inquiry *q = inquiry_find(g, answer->sequence);
	if (q == NULL || q->asker != 0 || inquiry_member(g, q)->id != answer->target)
		return;
	if (answer->outcome == OUTCOME_ALIVE) {
		if (q->outcome == OUTCOME_SILENT)
			probe_health(g, 1); /* others reach it, we do not */
		suspicion_withdraw(g, inquiry_member(g, q));
		inquiry_end(g, q);
		return;
	}
	if (q->stage != STAGE_ASKING)
		return;
	q->reported++;
	if (asking_done(q))
		inquiry_due(g, q);
}

/* ---- hints of the network: unauthenticated, never a verdict ---- */

static enum probe_outcome knock_outcome(enum knock_result result)
{
	switch (result) {
	case KNOCK_OPEN:
		return OUTCOME_HOST_UP;
	case KNOCK_REFUSED:
		return OUTCOME_REFUSED;
	case KNOCK_SILENT:
		return OUTCOME_SILENT;
	}
	return OUTCOME_SILENT;
}

void membership_knocked(struct gossip *g, node_id node, enum knock_result result)
{
	struct probing *p = g->membership.probing;
	for (uint32_t i = 0; i < INQUIRIES_MAX; i++) {
		struct inquiry *q = &p->inquiries[i];
		if (q->stage != STAGE_ASKING || !q->knocking || inquiry_member(g, q)->id != node)
			continue;
		q->knocking = false;
		q->outcome = knock_outcome(result);
		/* a relay has nobody else to wait for; a refusal is evidence enough to speak */
		if (asking_done(q) || q->outcome == OUTCOME_REFUSED)
			inquiry_due(g, q);
	}
}

static void refused_relays(struct gossip *g, uint32_t slot)
{
	struct probing *p = g->membership.probing;
	for (uint32_t i = 0; i < INQUIRIES_MAX && p->open > 0; i++) {
		struct inquiry *q = &p->inquiries[i];
		if (q->stage == STAGE_FREE || q->slot != slot || q->asker == 0)
			continue;
		report(g, q->asker, q->asker_sequence, inquiry_member(g, q)->id, OUTCOME_REFUSED);
		inquiry_end(g, q);
	}
}

void membership_refused(struct gossip *g, const struct address *from)
{
	struct member *m = member_by_address(g, from);
	if (m == NULL || m->id == g->self || !g->membership.sessions->started)
		return;
	if ((m->state != REACHABLE && m->state != SUSPECT) ||
	    suspicion_settled(g, m, OUTCOME_REFUSED))
		return;
	if (paths_refused(g, m, from))
		return;
	core_trace(g, RULE_REFUSED, m->id, 0, 0, 0, 0);
	refused_relays(g, member_slot(g, m));
	struct inquiry *q = inquiry_own(g, member_slot(g, m));
	if (q == NULL)
		q = inquiry_new(g, m);
	if (q != NULL) {
		q->outcome = OUTCOME_REFUSED;
		begin_asking(g, q);
	}
	suspicion_accuse(g, m, g->now.boot, OUTCOME_REFUSED);
}

/* ---- the rounds ---- */

/* Deals the next slot of the shuffle (Fisher and Yates, one step at a time). */
static uint32_t deal(struct gossip *g)
{
	struct probing *p = g->membership.probing;
	if (p->cursor >= p->count)
		p->cursor = 0;
	uint32_t other = p->cursor + (uint32_t)prng_below(&g->prng, p->count - p->cursor);
	uint32_t slot = p->order[other];
	p->order[other] = p->order[p->cursor];
	p->order[p->cursor++] = slot;
	return slot;
}

/* The next of the shuffled round that is there. */
static void probe_next(struct gossip *g)
{
	struct probing *p = g->membership.probing;
	/* twice: what is left of this round may be nobody but ourselves */
	for (uint32_t tries = 0; tries < 2 * p->count && tries < TRIES_PER_TURN; tries++) {
		struct member *m = &g->membership.members[deal(g)];
		if (!member_is_active(m) || m->id == g->self)
			continue;
		if (m->state == REACHABLE || m->state == SUSPECT) {
			probe_member(g, m);
			return;
		}
	}
}

/* Those of the other rings take turns. */
static void probe_observed(struct gossip *g)
{
	struct probing *p = g->membership.probing;
	uint32_t slot = observed_on(g, 1 + p->turns / ROUND_TURNS % (RINGS - 1));
	if (slot != NO_SLOT)
		probe_member(g, &g->membership.members[slot]);
}

void probing_ring_changed(struct gossip *g)
{
	g->membership.probing->ring_changed = true;
}

/* The ring bounds how long a death goes unnoticed; the round finds what only some can see. */
static void take_turn(struct gossip *g)
{
	struct probing *p = g->membership.probing;
	bool small = g->membership.active <= SMALL_SWARM;
	p->turns++;
	if (!small || p->turns % 2 == 0)
		probe_successor(g);
	if (small ? p->turns % 2 == 0 : p->turns % ROUND_TURNS != 0)
		return;
	if (observers_matter(g))
		probe_observed(g);
	else
		probe_next(g);
}

/* Who was admitted a moment ago was there then, and has a thousand others to greet. */
static duration unknown_patience(const struct gossip *g, const struct member *m)
{
	duration patience = m->greets_us ? 5 * UNKNOWN_PATIENCE : UNKNOWN_PATIENCE;
	if (g->membership.active > GREETING_ALL) /* a swarm that starts together greets for long */
		patience += swarm_gap(g, 0, UNKNOWN_MEMBER);
	return patience * (1 + (duration)g->membership.health);
}

/* Who is not known to be there gets a hello: it opens whatever incarnation the peer is in. */
static void greet_lost(struct gossip *g)
{
	struct probing *p = g->membership.probing;
	uint32_t lost = g->membership.active - g->membership.reachable;
	if (g->now.boot < p->lost_next || lost == 0)
		return;
	p->lost_next =
	    g->now.boot + (g->membership.active <= SMALL_SWARM ? LOST_GAP_SMALL : LOST_GAP);
	uint32_t first = (uint32_t)prng_below(&g->prng, g->membership.count);
	for (uint32_t i = 0, greeted = 0; i < g->membership.count; i++) {
		struct member *m =
		    &g->membership.members[(first + i) % g->membership.count];
		if (!member_is_active(m) || m->id == g->self || m->state == REACHABLE ||
		    m->state == SUSPECT)
			continue;
		if (greeted++ < LOST_MAX)
			session_hello(g, m);
		if (m->state == REACHABILITY_UNKNOWN && sessions_greeted(g) &&
		    g->now.boot - m->since > unknown_patience(g, m))
			suspicion_never_heard(g, m);
	}
}

/* We did not run: no silence of that time is anybody's fault. */
static void resume(struct gossip *g)
{
	struct probing *p = g->membership.probing;
	for (uint32_t i = 0; i < INQUIRIES_MAX; i++) {
		struct inquiry *q = &p->inquiries[i];
		if (q->stage == STAGE_FREE)
			continue;
		if (q->asker != 0) {
			inquiry_end(g, q); /* the asker has long decided */
			continue;
		}
		q->stage = STAGE_DIRECT;
		q->outcome = OUTCOME_SILENT;
		q->knocking = false;
		q->asked = q->reported = 0;
		probe_send(g, q);
		/* an ack of the first one may have waited in our socket: which of the two it answers is not told */
		q->sent_wall = 0;
	}
}

static void judge_lateness(struct gossip *g)
{
	duration late = g->now.boot - g->membership.probing->next_tick;
	if (late > TICK_LATE)
		probe_health(g, 1);
	else if (g->membership.reachable <= 1)
		probe_health(g, -1); /* nobody is there whose acks could tell that we are well */
	if (late > TICK_PAUSED)
		resume(g);
}

/*
 * A judge who comes late has not read his letters: what answers in time lies in our socket behind this very
 * timer. A swarm on too few cores would accuse itself of its own lateness.
 */
static bool grace(struct gossip *g, struct inquiry *q)
{
	duration late = g->now.boot - q->due;
	if (late < JUDGE_LATE || WEAKENED(g, WEAK_JUDGE_LATE))
		return false;
	q->due = g->now.boot + (late < GRACE_MAX ? late : GRACE_MAX);
	return true;
}

void probing_tick(struct gossip *g)
{
	struct probing *p = g->membership.probing;
	bool turn = g->now.boot >= p->next_tick;
	if (turn)
		judge_lateness(g);
	for (uint32_t i = 0, left = p->open; i < INQUIRIES_MAX && left > 0; i++) {
		if (p->inquiries[i].stage == STAGE_FREE)
			continue;
		left--;
		if (g->now.boot >= p->inquiries[i].due && !grace(g, &p->inquiries[i]))
			inquiry_due(g, &p->inquiries[i]);
	}
	if (!turn)
		return;
	take_turn(g);
	greet_lost(g);
	facts_tick(g);
	clocks_tick(g);
	paths_turn(g);
	addresses_turn(g);
	p->next_tick = g->now.boot + interval(g);
}
