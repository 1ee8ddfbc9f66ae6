#include "operators.h"

#include <string.h>

#include "world.h"

#define PATIENCE (10 * SECOND)

bool operators_status(const struct world *w, const struct machine *m, struct status_view *out)
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
	if (!operators_status(w, m, &status))
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

bool operators_may_return(const struct machine *m)
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
		if (operators_may_return(m) && knows(w, &w->machines[i], m))
			return true;
	return false;
}

/* Came, or got its key, after the founding. */
static bool is_new(const struct world *w, const struct machine *m)
{
	return m->id_count > 0 || m->index >= w->count - w->people.held_back;
}

/*
 * Keys are changed one after the other: whoever is away while all that it knows change theirs, or die,
 * has nobody left to believe, and must be reset. So must a newcomer of whom only the dead had heard, and
 * who restarts from a disk that could not take what changed (ARCHITECTURE.md, what stays lost).
 */
bool operators_all_know_the_new(const struct world *w)
{
	for (uint32_t i = 0; i < w->count; i++) {
		const struct machine *m = &w->machines[i];
		if (m->next_waits && operators_may_return(m))
			return false; /* asked for, and perhaps in somebody's log */
		if (operators_may_return(m) && m->disk.mood != DISK_WELL)
			return false; /* what it knows of the last one it may have forgotten after a restart */
		for (uint32_t j = 0; is_new(w, m) && j < w->count; j++) {
			const struct machine *other = &w->machines[j];
			if (i != j && operators_may_return(m) && operators_may_return(other) &&
			    (!knows(w, other, m) || !knows(w, m, other)))
				return false;
		}
	}
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
	if (!operators_status(w, m, &status) || m->lies || !operators_all_know_the_new(w) || w->copies.held ||
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

/* ---- all together ---- */

void operators_answered(struct world *w, const struct machine *m, uint64_t client,
                        const struct answer *answer)
{
	if (client == OPERATORS_CLIENT + CLIENT_SEIZE && w->operators.seizing.seizer == m->index)
		seizing_answered(w, answer);
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
		seizing_begin(w, f);
	else if (f->kind == FAULT_SEIZE)
		seizing_go_on(w);
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
	seizing_go_on(w);
}
