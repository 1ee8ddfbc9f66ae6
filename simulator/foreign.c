#include "foreign.h"

#include <string.h>

#include "world.h"

#define STAYS (20 * SECOND)

struct machine *foreign_machine(const struct world *w, uint32_t number)
{
	return &w->machines[w->count + 1 + number];
}

static bool join_first(struct world *w, struct machine *m)
{
	struct machine *first = foreign_machine(w, 0);
	struct hash hash;
	uint64_t token;
	return world_token(w, first, 1, &token, &hash) && world_join(w, m, first, token, &hash);
}

static bool put_row(struct world *w)
{
	struct command command = {.kind = COMMAND_KV_PUT, .if_version = NO_VERSION};
	command.key = (struct bytes){(const uint8_t *)FOREIGN_ROW, strlen(FOREIGN_ROW)};
	command.value = command.key;
	const struct asked *asked = world_ask(w, foreign_machine(w, 0), &command, 10 * SECOND);
	return asked->answered && asked->answer.code == ANSWER_DONE;
}

static bool found_and_join(struct world *w)
{
	machine_start(w, foreign_machine(w, 0));
	world_run(w, w->now + SECOND);
	if (!world_found(w, foreign_machine(w, 0)))
		return false;
	for (uint32_t i = 1; i < w->settings.foreigners; i++) {
		machine_start(w, foreign_machine(w, i));
		world_run(w, w->now + 100 * MILLISECOND);
		if (!join_first(w, foreign_machine(w, i)))
			return false;
	}
	return put_row(w);
}

static void end_all(struct world *w)
{
	for (uint32_t i = 0; i < w->settings.foreigners; i++)
		machine_kill(w, foreign_machine(w, i));
}

bool foreign_found(struct world *w)
{
	bool founded = found_and_join(w);
	if (!founded && world_sound(w))
		world_violation(w, "founding", "the second cluster could not be founded: %s",
		                foreign_machine(w, w->settings.foreigners - 1)->outcome);
	end_all(w);
	return founded;
}

static void start_all(struct world *w)
{
	for (uint32_t i = 0; i < w->settings.foreigners; i++)
		machine_start(w, foreign_machine(w, i));
}

void foreign_swap(struct world *w, struct fault *f, bool begins)
{
	struct machine *ours = &w->machines[f->node], *theirs = foreign_machine(w, 0);
	if (!w->settings.foreigners || !theirs->life || !ours->life)
		return;
	if (!begins) {
		machine_recover(w, ours);
		queue_push(&w->queue, w->now + STAYS, queue_event(&w->queue, EVENT_FOREIGN, 0, 0));
		return;
	}
	w->foreign_met = true;
	/* A daemon is told its address when it starts. */
	machine_kill(w, ours);
	network_swap(&w->network, ours, theirs);
	w->operators.moved_at = w->now;
	start_all(w);
}

void foreign_due(struct world *w)
{
	if (w->observe.converge.healed_at == NEVER)
		end_all(w);
}

void foreign_heal(struct world *w)
{
	if (w->foreign_met)
		start_all(w);
}

void foreign_end(struct world *w)
{
	for (uint32_t i = 0; i < w->settings.foreigners; i++) {
		const struct machine *m = foreign_machine(w, i);
		struct status_view status;
		if (m->state != MACHINE_UP)
			continue;
		struct now now = machine_now(w, m);
		gossip_status(m->core, &now, &status);
		if (status.members_reachable != w->settings.foreigners)
			world_violation(w, "strangers", "'%s' of the other cluster reaches %u of %u",
			                m->name, status.members_reachable, w->settings.foreigners);
	}
}
