#include "seizing.h"

#include "world.h"

#define PATIENCE (10 * SECOND)
#define TRY_AGAIN (2 * SECOND)
#define SEIZE_PATIENCE (30 * SECOND)
#define LOST_WITHIN (8 * SECOND)    /* a seizer, after it was asked: D_A and D_Q may lie in between */
#define AGAIN_WITHIN (40 * SECOND)  /* the second loss, after the first seizure */
#define NAMED_MAX 64
#define WRITTEN_DOWN (90 * SECOND) /* a new address, by the master: half a minute, and some patience */

static void look_again(struct world *w, duration wait)
{
	struct seizing_state *s = &w->operators.seizing;
	if (s->due)
		return;
	s->due = true;
	struct event *event = queue_event(&w->queue, EVENT_PERSON, 0, 0);
	event->number = OPERATORS_DUE;
	queue_push(&w->queue, w->now + wait, event);
}

static duration within(struct world *w, duration longest)
{
	return (duration)prng_below(&w->people.dice, (uint64_t)longest);
}

static struct machine *any_member(struct world *w, struct status_view *status)
{
	uint32_t first = (uint32_t)prng_below(&w->people.dice, w->count);
	for (uint32_t i = 0; i < w->count; i++) {
		struct machine *m = &w->machines[(first + i) % w->count];
		if (operators_status(w, m, status))
			return m;
	}
	return NULL;
}

/* Could it seize? A witness cannot, nor one that was told that its generation is over. */
static bool may_seize(const struct world *w, const struct machine *m)
{
	return operators_may_return(m) && m->ended != STANDING_OLD_GENERATION &&
	       operators_role(w, m->index) == ROLE_NODE;
}

/* ---- losing ---- */

static uint32_t survivors(const struct world *w, const struct config *config, uint32_t lost)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < w->count; i++) {
		uint32_t voter = 0;
		while (voter < lost && config->voters[voter] != w->machines[i].id)
			voter++;
		count += voter == lost && may_seize(w, &w->machines[i]) &&
		         operators_stays(w, &w->machines[i]);
	}
	return count;
}

static void scrap(struct world *w, struct machine *m)
{
	machine_recover(w, m);
	machine_crash(w, m);
	m->scrapped = true;
}

/* If they were the last two, and their new addresses in no ledger, they could not find each other. */
static bool moved_lately(const struct world *w)
{
	return w->network.swaps && w->now - w->operators.moved_at < WRITTEN_DOWN;
}

/* A majority of the voters, the first of the list, never run again. */
static bool lose_quorum(struct world *w)
{
	struct seizing_state *s = &w->operators.seizing;
	struct status_view status;
	if (!any_member(w, &status) || !operators_all_know_the_new(w) || moved_lately(w) ||
	    status.level < 2)
		return false;
	uint32_t lost = status.config.voter_count - status.config.voter_count / 2;
	if (status.config.voter_count < 2 || survivors(w, &status.config, lost) == 0)
		return false;
	for (uint32_t i = 0; i < lost; i++)
		scrap(w, world_find(w, status.config.voters[i]));
	s->phase = SEIZING_LOST;
	return true;
}

static uint32_t others_than(const struct world *w, const struct machine *not_this)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < w->count; i++) {
		const struct machine *m = &w->machines[i];
		count += m != not_this && may_seize(w, m) && operators_stays(w, m);
	}
	return count;
}

/* One of those that are left stands still, so that somebody takes it for dead. */
static void mistake_one(struct world *w)
{
	struct status_view status;
	struct machine *m = any_member(w, &status);
	if (m && others_than(w, m) > 0)
		machine_pause(w, m);
}

/* Whoever seizes, or just did: gone for good, if another can see it through. */
static void lose_seizer(struct world *w)
{
	struct seizing_state *s = &w->operators.seizing;
	struct machine *m = &w->machines[s->seizer];
	s->lose_seizer = false;
	if (others_than(w, m) == 0 || !operators_all_know_the_new(w))
		return;
	scrap(w, m);
	s->lost_seizers++;
	s->phase = SEIZING_LOST;
}

void seizing_begin(struct world *w, const struct fault *f)
{
	struct seizing_state *s = &w->operators.seizing;
	if (s->phase != SEIZING_NOT || w->people.gone || w->copies.held || w->copies.rollbacks ||
	    w->copies.clones || !lose_quorum(w))
		return;
	w->people.gone += w->count; /* nobody else may go: may_go */
	s->lose_seizer = (f->group >> 40 & 3) == 0;
	s->lose_again = (f->group >> 42 & 3) == 3;
	s->untrue = f->group >> 44 & 7 && !(f->group >> 44 & 1); /* three in eight */
	if (s->untrue)
		mistake_one(w);
}

/* ---- seizing ---- */

/* They will not be heard of again, or at least not as members. */
static bool is_lost(const struct machine *m)
{
	return m->scrapped || m->ended == STANDING_OLD_GENERATION;
}

static bool names(const struct world *w, const struct machine *by, const struct machine *of)
{
	struct now now = machine_now(w, by);
	struct member_view view;
	return gossip_member(by->core, &now, of->id, &view) && view.state != GONE_REMOVED &&
	       view.state != GONE_LEFT;
}

/* One that lives and is silent here just now: the operator takes it for dead. */
static struct machine *silent_one(struct world *w, const struct machine *by)
{
	struct now now = machine_now(w, by);
	for (uint32_t i = 0; i < w->count; i++) {
		struct member_view view;
		struct machine *m = &w->machines[i];
		if (m != by && !is_lost(m) && gossip_member(by->core, &now, m->id, &view) &&
		    view.state == UNREACHABLE)
			return m;
	}
	return NULL;
}

/* Those of the lost that `m` still knows as members. */
static uint32_t name_dead(const struct world *w, const struct machine *m, node_id *out)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < w->count && count < NAMED_MAX; i++) {
		if (is_lost(&w->machines[i]) && names(w, m, &w->machines[i]))
			out[count++] = w->machines[i].id;
	}
	return count;
}

/* There is a master (the voters changed while they died, or somebody has founded): no seizure. */
static void remove_dead(struct world *w, struct machine *m)
{
	node_id dead[NAMED_MAX];
	uint32_t count = name_dead(w, m, dead);
	struct command command = {.kind = COMMAND_MEMBER_REMOVE, .if_version = NO_VERSION};
	struct input input = {.kind = INPUT_REQUEST};
	input.request.client = OPERATORS_CLIENT + CLIENT_SETTING;
	input.request.command = &command;
	input.request.patience = PATIENCE;
	if (count == 0)
		w->operators.seizing.phase = SEIZING_DONE;
	for (uint32_t i = 0; i < count && m->state == MACHINE_UP; i++) {
		command.subject = dead[i];
		machine_input(w, m, &input);
	}
}

static void ask(struct world *w, struct machine *m)
{
	struct seizing_state *s = &w->operators.seizing;
	struct machine *wrong = s->untrue ? silent_one(w, m) : NULL;
	node_id dead[NAMED_MAX + 1];
	struct input input = {.kind = INPUT_SEIZE};
	input.seize.client = OPERATORS_CLIENT + CLIENT_SEIZE;
	input.seize.dead = dead;
	input.seize.dead_count = name_dead(w, m, dead);
	if (wrong) {
		dead[input.seize.dead_count++] = wrong->id;
		s->untrue = false; /* once */
		s->untrue_words++;
		s->mistaken = wrong->index + 1;
	}
	s->phase = SEIZING_ASKS;
	s->seizer = m->index;
	s->asked_at = w->now;
	machine_input(w, m, &input);
	if (s->lose_seizer)
		look_again(w, within(w, LOST_WITHIN));
}

static void try_to_seize(struct world *w)
{
	struct status_view status;
	struct machine *m = any_member(w, &status);
	if (!m || !may_seize(w, m))
		return;
	if (w->observe.overlap.count)
		remove_dead(w, m);
	else
		ask(w, m);
}

void seizing_answered(struct world *w, const struct answer *answer)
{
	struct seizing_state *s = &w->operators.seizing;
	s->phase = answer->code == ANSWER_DONE ? SEIZING_DONE : SEIZING_LOST;
	s->done += answer->code == ANSWER_DONE;
	s->refused += answer->code != ANSWER_DONE;
	if (s->phase == SEIZING_DONE && s->mistaken)
		machine_recover(w, &w->machines[s->mistaken - 1]); /* and it hears of it */
	if (s->phase == SEIZING_DONE && (s->lose_again || s->lose_seizer))
		look_again(w, within(w, s->lose_seizer ? LOST_WITHIN : AGAIN_WITHIN));
}

void seizing_go_on(struct world *w)
{
	if (w->operators.seizing.phase == SEIZING_LOST)
		look_again(w, 0);
}

/* Somebody waits for the answer, or tries anew: now and then, one such event at a time. */
void seizing_due(struct world *w)
{
	struct seizing_state *s = &w->operators.seizing;
	bool healed = w->observe.converge.healed_at != NEVER; /* from then on nothing more is lost */
	s->due = false;
	if (s->lose_seizer && !healed && (s->phase == SEIZING_ASKS || s->phase == SEIZING_DONE))
		lose_seizer(w);
	else if (s->lose_again && !healed && s->phase == SEIZING_DONE && lose_quorum(w))
		s->lose_again = false, s->again++;
	if (s->phase == SEIZING_LOST ||
	    (s->phase == SEIZING_ASKS && w->now - s->asked_at >= SEIZE_PATIENCE))
		try_to_seize(w);
	if (s->phase == SEIZING_LOST || s->phase == SEIZING_ASKS)
		look_again(w, TRY_AGAIN);
}
