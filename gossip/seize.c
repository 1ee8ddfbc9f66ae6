#include "seize.h"

#include "core.h"
#include "member.h"
#include "text.h"

#define SURVEY_EVERY (250 * MILLISECOND)
#define SURVEY_LEAST (2 * SECOND)    /* time for somebody named dead to be heard */
#define SURVEY_PATIENCE (6 * SECOND) /* for an answer of those who are not */
#define PROGRESS_EVERY SECOND
#define ATTEMPT_BITS 20
#define NAMES_SHOWN 8
#define LEVEL_OF_SEIZED 2 /* whoever speaks less would read the founding entry as nothing */

enum seize_mark { MARK_NONE = 0, MARK_DEAD = 1, MARK_CONSENTED = 2 };

void seize_init(struct gossip *g, struct carve *memory)
{
	struct seize *s = &g->seize;
	s->marks = carve(memory, g->membership.capacity);
	s->list = carve(memory, MEMBERS_MAX * sizeof *s->list);
	s->buried = carve(memory, MEMBERS_MAX * sizeof *s->buried);
	s->tick_at = s->remind_at = NEVER;
}

/* ---- sentences ---- */

static void say(struct gossip *g, const char *text)
{
	struct seize *s = &g->seize;
	size_t used = text_size(s->why), size = text_size(text);
	if (size > sizeof s->why - 1 - used)
		size = sizeof s->why - 1 - used;
	memcpy(s->why + used, text, size);
	s->why[used + size] = '\0';
}

static void say_name(struct gossip *g, node_id id)
{
	say(g, "'");
	say(g, gossip_name(g, id));
	say(g, "'");
}

typedef bool belongs(const struct gossip *g, node_id id);

static uint32_t count_members(const struct gossip *g, belongs *in)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < g->membership.count; i++) {
		node_id id = member_id_at(g, i);
		count += id != 0 && in(g, id);
	}
	return count;
}

/* 'a', 'b' and more */
static void say_members(struct gossip *g, belongs *in)
{
	uint32_t said = 0;
	for (uint32_t i = 0; i < g->membership.count; i++) {
		node_id id = member_id_at(g, i);
		if (id == 0 || !in(g, id))
			continue;
		if (said == NAMES_SHOWN) {
			say(g, " and more");
			return;
		}
		if (said++ > 0)
			say(g, ", ");
		say_name(g, id);
	}
}

/* ---- who is what ---- */

static enum seize_mark mark_of(const struct gossip *g, node_id id)
{
	const struct member *m = member_find(g, id);
	return m == NULL ? MARK_NONE : (enum seize_mark)g->seize.marks[member_slot(g, m)];
}

static void set_mark(struct gossip *g, node_id id, enum seize_mark mark)
{
	g->seize.marks[member_slot(g, member_find(g, id))] = (uint8_t)mark;
}

static bool silent(const struct gossip *g, node_id id)
{
	return id != g->self && mark_of(g, id) == MARK_NONE;
}

static bool asked(const struct gossip *g, node_id id)
{
	return id != g->self && mark_of(g, id) != MARK_DEAD;
}

static bool consented(const struct gossip *g, node_id id)
{
	return mark_of(g, id) == MARK_CONSENTED;
}

static bool voter(const struct gossip *g, node_id id)
{
	return config_position(&g->durable.config, id) >= 0;
}

static bool voter_left(const struct gossip *g, node_id id)
{
	return voter(g, id) && mark_of(g, id) != MARK_DEAD;
}

static bool dead_heard(const struct gossip *g, node_id id)
{
	const struct seize *s = &g->seize;
	duration since = g->now.boot - s->started.boot;
	return mark_of(g, id) == MARK_DEAD && since > 0 && member_heard(g, id, since);
}

static bool unable(const struct gossip *g, node_id id)
{
	return silent(g, id) && member_reachable(g, id, true) &&
	       member_wire_max(g, id) < LEVEL_OF_SEIZED && member_wire_known(g, id);
}

static bool is_quorum(const struct gossip *g, uint32_t voters)
{
	return voters >= quorum_needed(g->durable.config.voter_count) &&
	       !WEAKENED(g, WEAK_SEIZE_QUORUM);
}

/* ---- the client ---- */

static void answer_client(struct gossip *g, enum answer_code code, const char *text)
{
	struct effect *effect = effects_add(&g->out, EFFECT_ANSWER);
	struct answer answer = {.code = code, .index = code == ANSWER_DONE ? g->log.applied : 0};
	answer.text = effects_copy(&g->out, text_bytes(text));
	struct bytes copy = effects_copy(&g->out, (struct bytes){(uint8_t *)&answer, sizeof answer});
	effect->answer.client = g->seize.client;
	effect->answer.answer = (const struct answer *)(const void *)copy.data;
}

static duration time_left(const struct gossip *g)
{
	const struct seize *s = &g->seize;
	instant at = g->now.boot;
	if (s->phase == SEIZE_SURVEYING)
		at = s->started.boot + SURVEY_LEAST;
	else if (s->phase == SEIZE_WAITING)
		at = deadline_over_at(&s->wait_until, &g->now);
	return at > g->now.boot ? at - g->now.boot : 0;
}

static void tell_progress(struct gossip *g)
{
	struct seize *s = &g->seize;
	struct effect *effect = effects_add(&g->out, EFFECT_PROGRESS);
	s->progress_at = g->now.boot + PROGRESS_EVERY;
	if (effect == NULL)
		return;
	effect->progress.client = s->client;
	effect->progress.phase = s->phase;
	effect->progress.left = time_left(g);
	effect->progress.asked = count_members(g, asked);
	effect->progress.answered = count_members(g, consented);
}

void seize_done(struct gossip *g)
{
	answer_client(g, ANSWER_DONE, "");
	g->seize.phase = SEIZE_IDLE;
	g->seize.tick_at = NEVER;
}

/* ---- asking ---- */

static void withdraw_from(struct gossip *g, node_id to, uint64_t attempt)
{
	struct envelope e = {.kind = MESSAGE_SURVEY};
	e.survey = (struct survey){.attempt = attempt, .withdrawn = true};
	core_send(g, to, &e);
}

static void send_survey(struct gossip *g, node_id to)
{
	struct seize *s = &g->seize;
	struct envelope e = {.kind = MESSAGE_SURVEY};
	e.survey = (struct survey){s->attempt, false, g->log.commit, s->dead_count, s->list};
	core_send(g, to, &e);
}

/* Those named dead as well, for as long as it takes: an answer of theirs ends it. */
static void survey_all(struct gossip *g)
{
	for (uint32_t i = 0; i < g->membership.count; i++) {
		node_id id = member_id_at(g, i);
		if (id != 0 && id != g->self && mark_of(g, id) != MARK_CONSENTED)
			send_survey(g, id);
	}
}

/* The attempt is over before anybody is told so (invariant 4). */
static void refuse(struct gossip *g)
{
	struct seize *s = &g->seize;
	core_trace(g, RULE_SEIZE_REFUSED, g->self, 0, 0, 0, 0);
	s->phase = SEIZE_IDLE;
	s->tick_at = NEVER;
	for (uint32_t i = 0; i < g->membership.count; i++) {
		node_id id = member_id_at(g, i);
		if (id != 0 && id != g->self && mark_of(g, id) != MARK_DEAD)
			withdraw_from(g, id, s->attempt);
	}
	candidate_postpone(g, 0);
	answer_client(g, ANSWER_REFUSED, s->why);
}

static void refuse_with(struct gossip *g, const char *text)
{
	g->seize.why[0] = '\0';
	say(g, text);
	refuse(g);
}

static void refuse_member(struct gossip *g, node_id id, const char *text)
{
	g->seize.why[0] = '\0';
	say_name(g, id);
	say(g, text);
	refuse(g);
}

static void refuse_members(struct gossip *g, const char *before, belongs *in, const char *after)
{
	g->seize.why[0] = '\0';
	say(g, before);
	say_members(g, in);
	say(g, after);
	refuse(g);
}

/* ---- the operator's word ---- */

static const char *unfit(const struct gossip *g)
{
	if (!life_member(g) || g->life.stop_asked)
		return "this node is not a running member of a cluster";
	if (g->durable.role == ROLE_WITNESS)
		return "this node is a witness, which is never master: seize on another member";
	if (g->seize.phase != SEIZE_IDLE)
		return "this node is seizing already";
	if (g->durable.old_self)
		return "this node's disk is older than what it once said, so its ledger may lack "
		       "entries: seize on another member";
	if (!voter_disk_well(g))
		return "this node's store does not work";
	if (g->settings.wire_max < LEVEL_OF_SEIZED)
		return "this node speaks no version in which a generation can be founded";
	return NULL;
}

/* NULL, or why the words cannot be taken. */
static const char *take_words(struct gossip *g, const struct input *input)
{
	struct seize *s = &g->seize;
	s->dead_count = 0;
	memset(s->marks, MARK_NONE, g->membership.capacity);
	for (uint32_t i = 0; i < input->seize.dead_count; i++) {
		node_id id = input->seize.dead[i];
		if (id == g->self)
			return "this node itself was named dead";
		if (!member_active(g, id))
			return "somebody named dead is no member of the cluster";
		if (mark_of(g, id) == MARK_DEAD)
			continue;
		set_mark(g, id, MARK_DEAD);
		s->list[s->dead_count++] = id;
	}
	return NULL;
}

static void begin(struct gossip *g)
{
	struct seize *s = &g->seize;
	if (g->lease.phase != PHASE_IDLE)
		master_abandon(g);
	s->attempt = g->durable.incarnation.number << ATTEMPT_BITS | ++s->attempts;
	s->phase = SEIZE_SURVEYING;
	s->started = g->now;
	core_trace(g, RULE_SURVEYING, g->self, 0, s->dead_count, 0, 0);
	s->tick_at = g->now.boot;
	tell_progress(g);
}

void seize_input(struct gossip *g, const struct input *input)
{
	struct seize *s = &g->seize;
	const char *why = unfit(g);
	uint64_t client = s->client;
	bool running = s->phase != SEIZE_IDLE;
	s->client = input->seize.client;
	if (why == NULL)
		why = take_words(g, input);
	if (why != NULL) {
		answer_client(g, ANSWER_REFUSED, why);
		s->client = running ? client : 0;
		return;
	}
	consent_end_if_dead(g, s->list, s->dead_count);
	node_id master = lease_master(g, &g->now);
	s->attempt = 0; /* nobody was asked yet */
	if (master == g->self && !WEAKENED(g, WEAK_SEIZE_QUORUM))
		refuse_with(g, "this node is the master: the quorum is not lost");
	else if (g->durable.consent_to != 0)
		refuse_member(g, g->durable.consent_to,
		              mark_of(g, g->durable.consent_to) == MARK_DEAD
		                  ? " was named dead, and was heard a moment ago"
		                  : " is seizing, and this node consented: wait for it, or name it "
		                    "dead as well");
	else
		begin(g);
}

void seize_abandon(struct gossip *g, uint64_t client)
{
	struct seize *s = &g->seize;
	if ((s->phase == SEIZE_SURVEYING || s->phase == SEIZE_WAITING) && s->client == client)
		refuse_with(g, "nobody waits for it any more");
}

/* ---- what they answer ---- */

static void on_refusal(struct gossip *g, node_id from, const struct survey_answer *m)
{
	struct seize *s = &g->seize;
	switch (m->refusal) {
	case SURVEY_CONSENTS:
	case SURVEY_REFUSALS:
		return;
	case SURVEY_NAMED_DEAD:
		refuse_member(g, from, " was named dead, and answers");
		return;
	case SURVEY_MASTER:
		refuse_member(g, from, " is master: the quorum is not lost");
		return;
	case SURVEY_QUORUM:
		refuse_member(g, from, " reaches a quorum of the voters: they will choose a master by "
		              "themselves");
		return;
	case SURVEY_OTHER:
		s->why[0] = '\0';
		say_name(g, from);
		say(g, m->other == from ? " is seizing itself" : " consented to the seizure of ");
		if (m->other != from)
			say_name(g, m->other);
		say(g, ": wait for it, or name the one that seizes dead as well");
		refuse(g);
		return;
	case SURVEY_HEARD:
		s->why[0] = '\0';
		say_name(g, m->other);
		say(g, " was named dead, and ");
		say_name(g, from);
		say(g, " heard it just now");
		refuse(g);
		return;
	case SURVEY_AHEAD:
		refuse_member(g, from, "'s ledger is further: try again in a moment, when this node has "
		              "caught up, or seize there");
		return;
	}
}

/* A config that only they know of may have other voters. */
static void take_state(struct gossip *g, const struct survey_answer *m)
{
	const struct config *theirs = &m->state.config, *ours = &g->durable.config;
	if (ballot_compare(&m->state.ballot, &g->lease.highest_seen) > 0)
		g->lease.highest_seen = m->state.ballot;
	if (theirs->voter_count > 0 && config_compare(&theirs->ballot, theirs->version,
	                                              &ours->ballot, ours->version) > 0)
		voter_adopt_config(g, theirs);
}

/* What it accepted above our commit is all there: a reminder, or an answer to an older start, has less. */
static bool state_whole(const struct gossip *g, const struct survey_answer *m)
{
	const struct promise *p = &m->state;
	return m->last_index <= g->log.commit ||
	       (p->entry_count > 0 && p->entries[0].index <= g->log.commit + 1 &&
	        p->entries[p->entry_count - 1].index == m->last_index);
}

void seize_on_answer(struct gossip *g, node_id from, const struct survey_answer *m)
{
	struct seize *s = &g->seize;
	bool asking = s->phase == SEIZE_SURVEYING || s->phase == SEIZE_WAITING;
	if (!asking || m->attempt != s->attempt) {
		if (m->refusal == SURVEY_CONSENTS && (!asking || m->attempt < s->attempt))
			withdraw_from(g, from, m->attempt);
		return;
	}
	if (mark_of(g, from) == MARK_DEAD) {
		refuse_member(g, from, " was named dead, and answers");
		return;
	}
	if (m->refusal != SURVEY_CONSENTS) {
		on_refusal(g, from, m);
		return;
	}
	if (mark_of(g, from) == MARK_CONSENTED || !state_whole(g, m))
		return;
	take_state(g, m);
	if (!WEAKENED(g, WEAK_SEIZE_BEST_LOG) && !candidate_merge(g, &m->state)) {
		refuse_member(g, from, "'s ledger is further: try again in a moment, when this node has "
		              "caught up, or seize there");
		return;
	}
	set_mark(g, from, MARK_CONSENTED);
	core_trace(g, RULE_CONSENT_TAKEN, from, 0, 0, 0, 0);
}

/* ---- the rules of the seizer ---- */

/* True: refused. */
static bool dead_answers(struct gossip *g)
{
	if (count_members(g, dead_heard) == 0)
		return false;
	refuse_members(g, "named dead, and heard all the same: ", dead_heard, "");
	return true;
}

static bool quorum_left(struct gossip *g)
{
	if (!is_quorum(g, count_members(g, voter_left)))
		return false;
	refuse_members(g, "these voters are a quorum and will choose a master by themselves: ",
	               voter_left, "");
	return true;
}

/* A config may be known before the entries that admit its voters: those can be neither asked nor named. */
static uint32_t count_strangers(const struct gossip *g)
{
	const struct config *c = &g->durable.config;
	uint32_t count = 0;
	for (uint32_t i = 0; i < c->voter_count; i++)
		count += member_find(g, c->voters[i]) == NULL;
	return count;
}

static bool strangers_decide(struct gossip *g)
{
	if (!is_quorum(g, count_strangers(g)))
		return false;
	refuse_with(g, "this node's ledger is behind: most of the last voters joined later than it reaches, and "
	               "may have a master: seize on one of them, or restore a backup");
	return true;
}

/* The last config may be known to none that is left, and have had the longer times. */
static duration longest_lease(const struct gossip *g)
{
	struct config other = g->durable.config;
	duration longest = other.exclusion > other.quarantine ? other.exclusion : other.quarantine;
	config_times(&other, PROFILE_DEFAULT);
	return longest > other.exclusion ? longest : other.exclusion;
}

static void begin_wait(struct gossip *g)
{
	struct seize *s = &g->seize;
	duration wait = WEAKENED(g, WEAK_SEIZE_WAIT) ? 0 : longest_lease(g);
	s->wait_until = deadline_in(&g->now, wait);
	s->phase = SEIZE_WAITING;
	core_trace(g, RULE_SEIZE_WAITS, g->self, 0, wait, count_members(g, consented), 0);
	tell_progress(g);
}

static void survey_step(struct gossip *g)
{
	duration since = g->now.boot - g->seize.started.boot;
	uint32_t missing = count_members(g, silent);
	if (since < SURVEY_LEAST)
		return;
	if (missing == 0 || WEAKENED(g, WEAK_SEIZE_UNNAMED)) {
		if (!quorum_left(g) && !strangers_decide(g))
			begin_wait(g);
	} else if (count_members(g, unable) > 0) {
		refuse_members(g, "these members run a version of essaim that cannot follow, upgrade them "
		               "first: ", unable, "");
	} else if (since >= SURVEY_PATIENCE) {
		refuse_members(g, "these members did not answer and were not named dead: ", silent,
		               " (power them off, then name them too)");
	}
}

static void found(struct gossip *g)
{
	struct seize *s = &g->seize;
	uint32_t followed = 0;
	for (uint32_t i = 0; i < g->membership.count; i++) {
		node_id id = member_id_at(g, i);
		if (id != 0 && consented(g, id))
			s->list[s->dead_count + followed++] = id;
	}
	const char *why = generation_seize(g, s->attempt, s->list, s->dead_count, followed);
	if (why != NULL) {
		refuse_with(g, why);
		return;
	}
	s->phase = SEIZE_FOUNDING;
	s->tick_at = NEVER;
	tell_progress(g);
}

static bool wait_over(const struct gossip *g)
{
	const struct lease *l = &g->lease;
	bool granted = l->grant.live && !WEAKENED(g, WEAK_SEIZE_WAIT);
	return deadline_over(&g->seize.wait_until, &g->now) && !granted;
}

static void wait_step(struct gossip *g)
{
	if (wait_over(g))
		found(g);
}

static void seizer_tick(struct gossip *g)
{
	struct seize *s = &g->seize;
	if (g->life.stop_asked || g->life.stop_persist != 0) {
		refuse_with(g, "this node is stopping");
		return;
	}
	if (dead_answers(g))
		return;
	survey_all(g);
	if (g->now.boot >= s->progress_at)
		tell_progress(g);
	s->tick_at = g->now.boot + SURVEY_EVERY;
	if (s->phase == SEIZE_SURVEYING)
		survey_step(g);
	else
		wait_step(g);
}

void seize_tick(struct gossip *g)
{
	const struct seize *s = &g->seize;
	bool asks = s->phase == SEIZE_SURVEYING || s->phase == SEIZE_WAITING;
	if (life_member(g) && asks && g->now.boot >= s->tick_at)
		seizer_tick(g);
	if (life_member(g))
		consent_tick(g);
}

instant seize_deadline(const struct gossip *g)
{
	const struct seize *s = &g->seize;
	instant at = NEVER;
	if (s->phase == SEIZE_SURVEYING || s->phase == SEIZE_WAITING)
		at = s->tick_at;
	if (s->phase == SEIZE_WAITING && !deadline_over(&s->wait_until, &g->now))
		at = instant_min(at, deadline_over_at(&s->wait_until, &g->now));
	return instant_min(at, consent_deadline(g));
}
