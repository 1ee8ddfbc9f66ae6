#include "operators.h"

#include <string.h>

#include "world.h"

#define PATIENCE (10 * SECOND)
#define TRY_AGAIN (2 * SECOND)
#define SEIZE_PATIENCE (30 * SECOND)

enum { CLIENT_SETTING, CLIENT_REKEY, CLIENT_SEIZE };

static bool status_of(const struct world *w, const struct machine *m, struct status_view *out)
{
	if (m->state != MACHINE_UP)
		return false;
	struct now now = machine_now(w, m);
	gossip_status(m->core, &now, out);
	return out->standing == STANDING_MEMBER;
}

/* ---- before the founding ---- */

static bool drawn(const struct world *w, enum fault_kind kind)
{
	return faults_on(&w->faults, kind);
}

void operators_begin(struct world *w)
{
	/* The founder is old, for a cluster begins with what it speaks; who joins later is not. */
	for (uint32_t i = 0; drawn(w, FAULT_UPGRADE) && i + w->people.held_back < w->count; i++)
		w->machines[i].wire_max = i == 0 || prng_below(&w->people.dice, 2);
}

enum role operators_role(const struct world *w, uint32_t index)
{
	return drawn(w, FAULT_WITNESS) && w->count >= 3 && index == 2 ? ROLE_WITNESS : ROLE_NODE;
}

/* ---- settings ---- */

static void set(struct world *w, struct machine *m, const struct fault *f)
{
	static const char *const all[][2] = {
		{"voters", "3"}, {"voters", "3"}, {"voters", "5"}, {"voters", "7"}, {"voters", "auto"},
		{"profile", "lan"}, {"profile", "default"},
		{"voter-patience", "1s"}, {"voter-patience", "5s"}, {"voter-patience", "5m"},
	};
	const char *const *one = all[f->group % (sizeof(all) / sizeof(all[0]))];
	struct status_view status;
	if (!status_of(w, m, &status))
		return;
	struct command command = {.kind = COMMAND_SETTING_PUT, .if_version = NO_VERSION};
	command.key = (struct bytes){(const uint8_t *)one[0], strlen(one[0])};
	command.value = (struct bytes){(const uint8_t *)one[1], strlen(one[1])};
	struct input input = {.kind = INPUT_REQUEST};
	input.request.client = OPERATORS_CLIENT + CLIENT_SETTING;
	input.request.command = &command;
	input.request.patience = PATIENCE;
	w->operators.settings++;
	machine_input(w, m, &input);
}

/* ---- rekey ---- */

static bool stays(const struct machine *m)
{
	return m->life && !m->scrapped && m->ended != STANDING_LEFT && m->ended != STANDING_REMOVED;
}

static bool knows(const struct world *w, const struct machine *by, const struct machine *of)
{
	struct member_view view;
	if (by->state != MACHINE_UP)
		return false;
	struct now now = machine_now(w, by);
	return gossip_member(by->core, &now, of->id, &view);
}

bool operators_stays(const struct world *w, const struct machine *m)
{
	for (uint32_t i = 0; i < w->count; i++)
		if (stays(m) && knows(w, &w->machines[i], m))
			return true;
	return false;
}

/*
 * Keys are changed one after the other: whoever is away while all that it knows change theirs, or die,
 * has nobody left to believe, and must be reset.
 */
static bool all_know_the_last(const struct world *w)
{
	for (uint32_t i = 0; i < w->count; i++)
		for (uint32_t j = 0; j < w->count; j++)
			if (w->machines[i].id_count && stays(&w->machines[i]) &&
			    stays(&w->machines[j]) && !knows(w, &w->machines[j], &w->machines[i]))
				return false;
	return true;
}

bool operators_new_key(struct world *w, struct machine *m)
{
	uint8_t seed[32];
	if (m->next_waits || m->id_count == REKEYS_MAX)
		return false;
	for (size_t i = 0; i < sizeof(seed); i++)
		seed[i] = (uint8_t)prng_next(&w->people.dice);
	node_keys_from_seed(SEAL_QUICK, seed, &m->next);
	m->next_waits = true;
	world_named(w, m, node_key_id(&m->next.public_key));
	return true;
}

static void rekey(struct world *w, struct machine *m)
{
	struct status_view status;
	if (!status_of(w, m, &status) || m->lies || !all_know_the_last(w) || w->copies.held ||
	    w->copies.rollbacks || w->copies.clones)
		return; /* a copy of a folder has the key it was made with */
	if (!operators_new_key(w, m))
		return;
	struct input input = {.kind = INPUT_REKEY};
	input.rekey.client = OPERATORS_CLIENT + CLIENT_REKEY;
	input.rekey.next = &m->next;
	input.rekey.patience = PATIENCE;
	w->operators.rekeys++;
	machine_input(w, m, &input);
}

void operators_rekeyed(struct world *w, struct machine *m)
{
	assert(m->next_waits);
	m->next_waits = false;
	m->keys = m->next;
	m->ended = STANDING_BLANK;
	m->id = node_key_id(&m->keys.public_key);
	w->operators.rekeyed++;
	machine_start(w, m);
}

/* ---- upgrade ---- */

static void upgrade(struct world *w, struct machine *m, bool begins)
{
	if (!begins) {
		machine_recover(w, m);
		return;
	}
	if (!m->wire_max)
		return;
	w->operators.upgrades++;
	m->wire_max = 0;
	machine_kill(w, m);
}

/* ---- seize ---- */

static void again(struct world *w, duration wait)
{
	if (w->operators.asked)
		return;
	w->operators.asked = true;
	struct event *event = queue_event(&w->queue, EVENT_PERSON, 0, 0);
	event->number = OPERATORS_DUE;
	queue_push(&w->queue, w->now + wait, event);
}

static struct machine *any_member(struct world *w, struct status_view *status)
{
	uint32_t first = (uint32_t)prng_below(&w->people.dice, w->count);
	for (uint32_t i = 0; i < w->count; i++) {
		struct machine *m = &w->machines[(first + i) % w->count];
		if (status_of(w, m, status))
			return m;
	}
	return NULL;
}

/* Could it seize? A witness cannot. */
static bool may_seize(const struct world *w, const struct machine *m)
{
	return stays(m) && operators_role(w, m->index) == ROLE_NODE;
}

static uint32_t survivors(const struct world *w, const struct config *config, uint32_t lost)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < w->count; i++) {
		uint32_t voter = 0;
		while (voter < lost && config->voters[voter] != w->machines[i].id)
			voter++;
		count += voter == lost && may_seize(w, &w->machines[i]);
	}
	return count;
}

/* So many voters, the first of the list, never run again. */
static void scrap(struct world *w, const struct config *config, uint32_t lost)
{
	for (uint32_t i = 0; i < lost; i++) {
		struct machine *m = world_find(w, config->voters[i]);
		machine_recover(w, m);
		machine_crash(w, m);
		m->scrapped = true;
	}
}

static void lose_quorum(struct world *w)
{
	struct status_view status;
	if (!any_member(w, &status) || w->operators.seizing != SEIZING_NOT || w->people.gone ||
	    !all_know_the_last(w) || w->copies.held || w->copies.rollbacks || w->copies.clones || status.level < 2)
		return;
	uint32_t lost = status.config.voter_count - status.config.voter_count / 2;
	if (status.config.voter_count < 2 || survivors(w, &status.config, lost) == 0)
		return;
	scrap(w, &status.config, lost);
	w->people.gone += w->count; /* nobody else may go: may_go */
	w->operators.seizing = SEIZING_LOST;
}

/* Those of the scrapped that `m` still knows as members. */
static uint32_t name_dead(const struct world *w, const struct machine *m, node_id *out)
{
	struct now now = machine_now(w, m);
	uint32_t count = 0;
	for (uint32_t i = 0; i < w->count && count < 64; i++) {
		struct member_view view;
		const struct machine *dead = &w->machines[i];
		if (dead->scrapped && gossip_member(m->core, &now, dead->id, &view) &&
		    view.state != GONE_REMOVED && view.state != GONE_LEFT)
			out[count++] = dead->id;
	}
	return count;
}

/* There is a master after all (the voters changed while they died): no seizure, they are removed. */
static void remove_dead(struct world *w, struct machine *m)
{
	node_id dead[64];
	uint32_t count = name_dead(w, m, dead);
	struct command command = {.kind = COMMAND_MEMBER_REMOVE, .if_version = NO_VERSION};
	struct input input = {.kind = INPUT_REQUEST};
	input.request.client = OPERATORS_CLIENT + CLIENT_SETTING;
	input.request.command = &command;
	input.request.patience = PATIENCE;
	if (count == 0)
		w->operators.seizing = SEIZING_DONE;
	for (uint32_t i = 0; i < count && m->state == MACHINE_UP; i++) {
		command.subject = dead[i];
		machine_input(w, m, &input);
	}
}

static void try_to_seize(struct world *w)
{
	struct status_view status;
	struct machine *m = any_member(w, &status);
	node_id dead[64];
	if (m && status.generation.number > 1)
		w->operators.seizing = SEIZING_DONE; /* whoever was to tell us died over it */
	if (!m || !may_seize(w, m) || status.generation.number > 1)
		return;
	if (w->observe.overlap.count) {
		remove_dead(w, m);
		return;
	}
	struct input input = {.kind = INPUT_SEIZE};
	input.seize.client = OPERATORS_CLIENT + CLIENT_SEIZE;
	input.seize.dead = dead;
	input.seize.dead_count = name_dead(w, m, dead);
	w->operators.seizing = SEIZING_ASKS;
	w->operators.seizer = m->index;
	w->operators.asked_at = w->now;
	machine_input(w, m, &input);
}

static void seize_answered(struct world *w, const struct answer *answer)
{
	struct operators *o = &w->operators;
	if (answer->code == ANSWER_DONE) {
		o->seizing = SEIZING_DONE;
		o->seizures++;
		return;
	}
	o->refused_seizures++;
	o->seizing = SEIZING_LOST;
}

/* Somebody waits for the answer, or tries anew: now and then, one such event at a time. */
void operators_due(struct world *w)
{
	struct operators *o = &w->operators;
	o->asked = false;
	if (o->seizing == SEIZING_LOST ||
	    (o->seizing == SEIZING_ASKS && w->now - o->asked_at >= SEIZE_PATIENCE))
		try_to_seize(w);
	if (o->seizing == SEIZING_LOST || o->seizing == SEIZING_ASKS)
		again(w, TRY_AGAIN);
}

/* ---- all together ---- */

void operators_answered(struct world *w, const struct machine *m, uint64_t client,
                        const struct answer *answer)
{
	if (client == OPERATORS_CLIENT + CLIENT_SEIZE && w->operators.seizer == m->index)
		seize_answered(w, answer);
	else if (client == OPERATORS_CLIENT + CLIENT_REKEY && answer->code == ANSWER_REFUSED)
		w->machines[m->index].next_waits = false;
}

static void network(struct world *w, const struct fault *f, bool begins)
{
	uint32_t net = f->strength & 1;
	for (uint32_t i = 0; w->settings.networks > 1 && i < w->count; i++)
		if (f->strength & 2 || i == f->node)
			network_unplug(&w->network, i, net, begins);
}

void operators_act(struct world *w, struct fault *f, bool begins)
{
	struct machine *m = &w->machines[f->node];
	if (f->kind == FAULT_NETWORK)
		network(w, f, begins);
	else if (f->kind == FAULT_UPGRADE)
		upgrade(w, m, begins);
	else if (f->kind == FAULT_SEIZE && begins)
		lose_quorum(w);
	else if (f->kind == FAULT_SEIZE && w->operators.seizing == SEIZING_LOST)
		again(w, 0);
	else if (f->kind == FAULT_REKEY && begins)
		rekey(w, m);
	else if (f->kind == FAULT_SETTING && begins)
		set(w, m, f);
}

void operators_heal(struct world *w)
{
	for (uint32_t i = 0; i < w->count; i++) {
		struct machine *m = &w->machines[i];
		if (m->wire_max)
			machine_kill(w, m);
		m->wire_max = 0;
	}
	if (w->operators.seizing == SEIZING_LOST)
		again(w, 0);
}
