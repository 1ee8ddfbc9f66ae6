#include "people.h"

#include <string.h>

#include "token.h"
#include "world.h"

#define PATIENCE (10 * SECOND)
#define TRY_AGAIN (2 * SECOND)
#define TRIES_MAX 40

static enum standing standing_of(struct world *w, const struct machine *m)
{
	struct status_view status;
	if (m->state != MACHINE_UP)
		return STANDING_STOPPED;
	struct now now = machine_now(w, m);
	gossip_status(m->core, &now, &status);
	return status.standing;
}

/* Some machine other than `not_this` at which a member answers; NULL if the dice find none. */
static struct machine *some_member(struct world *w, uint32_t not_this)
{
	for (int i = 0; i < 16; i++) {
		struct machine *m = &w->machines[prng_below(&w->people.dice, w->count)];
		if (m->index != not_this && standing_of(w, m) == STANDING_MEMBER)
			return m;
	}
	return NULL;
}

static void again(struct world *w, const struct errand *e, duration wait)
{
	struct event *event = queue_event(&w->queue, EVENT_PERSON, e->node, 0);
	event->number = (uint64_t)(e - w->people.errands);
	queue_push(&w->queue, w->now + wait, event);
}

static void ask(struct world *w, struct machine *m, uint64_t client, const struct command *command)
{
	struct input input = {.kind = INPUT_REQUEST};
	input.request.client = PEOPLE_CLIENT + client;
	input.request.command = command;
	input.request.patience = PATIENCE;
	machine_input(w, m, &input);
}

/* ---- going ---- */

static bool may_go(const struct world *w)
{
	const struct people *p = &w->people;
	if (w->copies.rollbacks || w->copies.clones)
		return false; /* one voter is mute already: every other is needed */
	return w->count - p->held_back + p->joined > p->gone + LEAST_MEMBERS;
}

static void go(struct world *w, struct machine *via, const struct machine *who,
               enum command_kind kind)
{
	struct command command = {.kind = kind, .if_version = NO_VERSION};
	command.subject = who->id;
	w->people.gone++;
	ask(w, via, ERRANDS_MAX, &command);
}

static void leave(struct world *w, struct machine *m)
{
	if (!may_go(w) || standing_of(w, m) != STANDING_MEMBER)
		return;
	w->people.left++;
	go(w, m, m, COMMAND_MEMBER_LEAVE);
}

static void remove_one(struct world *w, struct machine *m)
{
	struct machine *via = some_member(w, m->index);
	if (!may_go(w) || !via || !m->life || m->ended == STANDING_LEFT)
		return;
	w->people.removed++;
	go(w, via, m, COMMAND_MEMBER_REMOVE);
}

/* ---- joining ---- */

static bool seen_to(const struct world *w, uint32_t node)
{
	for (int i = 0; i < ERRANDS_MAX; i++)
		if (w->people.errands[i].phase != ERRAND_FREE && w->people.errands[i].node == node)
			return true;
	return false;
}

/* A machine that never ran and that nobody is busy with. */
static struct machine *newcomer(struct world *w)
{
	for (uint32_t i = 0; i < w->count; i++)
		if (!w->machines[i].life && !seen_to(w, i))
			return &w->machines[i];
	return NULL;
}

static void ask_token(struct world *w, struct errand *e)
{
	struct machine *via = some_member(w, e->node);
	if (!via) {
		again(w, e, TRY_AGAIN);
		return;
	}
	struct token token = {.cluster = w->cluster, .id = ++w->tokens};
	for (size_t i = 0; i < sizeof(token.secret); i++)
		token.secret[i] = (uint8_t)prng_next(&w->people.dice);
	token_hash(&token, &e->hash);
	e->token = token.id;
	struct command command = {
		.kind = COMMAND_TOKEN_CREATE,
		.if_version = NO_VERSION,
		.token = token.id,
		.token_hash = e->hash,
		.token_expires_wall = machine_now(w, via).wall + 24 * 3600 * SECOND,
		.token_uses = 1,
		.role = ROLE_NODE,
	};
	ask(w, via, (uint64_t)(e - w->people.errands), &command);
}

static void begin_join(struct world *w, const struct fault *f)
{
	struct machine *m = newcomer(w);
	if (!m)
		return;
	for (int i = 0; i < ERRANDS_MAX; i++) {
		struct errand *e = &w->people.errands[i];
		if (e->phase != ERRAND_FREE)
			continue;
		*e = (struct errand){.phase = ERRAND_TOKEN, .node = m->index};
		e->reuse = f->strength & 1;
		ask_token(w, e);
		return;
	}
}

static void knock(struct world *w, struct errand *e)
{
	struct machine *m = &w->machines[e->node];
	struct machine *via = some_member(w, e->node);
	if (m->state == MACHINE_OFF || m->state == MACHINE_DEAD)
		machine_start(w, m);
	enum standing standing = standing_of(w, m);
	if (standing == STANDING_MEMBER || ++e->tries > TRIES_MAX) {
		e->phase = ERRAND_FREE;
		return;
	}
	if (!via || standing != STANDING_BLANK) {
		again(w, e, TRY_AGAIN);
		return;
	}
	struct input input = {.kind = INPUT_JOIN};
	input.join.name = m->called;
	input.join.role = ROLE_NODE;
	input.join.token = e->token;
	input.join.cluster = w->cluster;
	input.join.token_hash = e->hash;
	input.join.address_count = 1;
	input.join.addresses = &via->address;
	m->outcome_known = false;
	again(w, e, 40 * SECOND); /* should its process die over it */
	machine_input(w, m, &input);
}

/* The token was good for one; whoever brings it now must be turned away. */
static void reuse(struct world *w, struct errand *e)
{
	struct machine *m = newcomer(w);
	if (!m || !e->reuse) {
		e->phase = ERRAND_FREE;
		return;
	}
	e->phase = ERRAND_REUSE;
	e->node = m->index;
	e->tries = TRIES_MAX - 1;
	knock(w, e);
}

void people_outcome(struct world *w, const struct machine *m)
{
	for (int i = 0; i < ERRANDS_MAX; i++) {
		struct errand *e = &w->people.errands[i];
		if (e->node == m->index && (e->phase == ERRAND_JOIN || e->phase == ERRAND_REUSE))
			again(w, e, m->outcome_done ? 0 : TRY_AGAIN);
	}
}

static void judge_reuse(struct world *w, struct errand *e)
{
	const struct machine *m = &w->machines[e->node];
	if (m->outcome_known && m->outcome_done)
		world_violation(w, "tokens", "node %u joined with a token that was used up",
		                m->index);
	w->people.refused_tokens += m->outcome_known && !m->outcome_done;
	e->phase = ERRAND_FREE;
}

void people_due(struct world *w, uint64_t number)
{
	struct errand *e = &w->people.errands[number % ERRANDS_MAX];
	const struct machine *m = &w->machines[e->node];
	switch (e->phase) {
	case ERRAND_FREE:
		return;
	case ERRAND_TOKEN:
		ask_token(w, e);
		return;
	case ERRAND_JOIN:
		if (!m->outcome_known || !m->outcome_done) {
			knock(w, e);
			return;
		}
		w->people.joined++;
		reuse(w, e);
		return;
	case ERRAND_REUSE:
		judge_reuse(w, e);
		return;
	}
}

void people_answered(struct world *w, uint64_t client, const struct answer *answer)
{
	if (client >= PEOPLE_CLIENT + ERRANDS_MAX)
		return; /* of a leave or a removal: the members' lists tell what became of it */
	struct errand *e = &w->people.errands[client - PEOPLE_CLIENT];
	if (e->phase != ERRAND_TOKEN)
		return;
	/* Not known to be there: another one is asked for. */
	if (answer->code == ANSWER_DONE)
		e->phase = ERRAND_JOIN;
	again(w, e, answer->code == ANSWER_DONE ? 0 : TRY_AGAIN);
}

/* ---- the rest ---- */

static void transfer(struct world *w, const struct fault *f)
{
	const struct overlap *acting = &w->observe.overlap;
	struct input input = {.kind = INPUT_TRANSFER};
	if (!acting->count || w->machines[acting->nodes[0]].state != MACHINE_UP)
		return;
	if (f->strength & 1)
		input.transfer.to = w->machines[f->node].id;
	w->people.transfers++;
	machine_input(w, &w->machines[acting->nodes[0]], &input);
}

static void stop(struct world *w, struct machine *m)
{
	if (standing_of(w, m) != STANDING_MEMBER)
		return;
	w->people.stops++;
	machine_input(w, m, &(struct input){.kind = INPUT_STOP});
}

void people_act(struct world *w, const struct fault *f)
{
	struct machine *m = &w->machines[f->node];
	if (f->kind == FAULT_STOP)
		stop(w, m);
	else if (f->kind == FAULT_TRANSFER)
		transfer(w, f);
	else if (f->kind == FAULT_JOIN)
		begin_join(w, f);
	else if (f->kind == FAULT_LEAVE)
		leave(w, m);
	else
		remove_one(w, m);
}

uint32_t people_founders(struct world *w)
{
	if (!faults_on(&w->faults, FAULT_JOIN) || w->count <= LEAST_MEMBERS)
		return w->count;
	w->people.held_back = w->count > LEAST_MEMBERS + 1 ? 2 : 1;
	return w->count - w->people.held_back;
}
