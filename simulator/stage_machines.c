/*
 * stage_machines.c: a play's steps about machines: processes, clocks, disks, and time itself.
 */
#include <string.h>

#include "stage_steps.h"

static int with_machine(struct stage *s, void (*act)(struct world *, struct machine *))
{
	struct machine *m;
	if (stage_machine(s, 1, &m))
		return -1;
	act(s->world, m);
	return 0;
}

int step_crash(struct stage *s)
{
	return with_machine(s, machine_crash);
}

int step_kill(struct stage *s)
{
	return with_machine(s, machine_kill);
}

int step_forge(struct stage *s)
{
	struct machine *m;
	if (stage_machine(s, 1, &m))
		return -1;
	insiders_forge(s->world, m);
	return 0;
}

/* A daemon is told its address when it starts. */
int step_swap(struct stage *s)
{
	struct machine *a, *b;
	if (stage_machine(s, 1, &a) || stage_machine(s, 2, &b))
		return -1;
	if (a == b || machine_runs(a) || machine_runs(b))
		return play_fail(s->text, s->line, s->error,
		                 "expected two machines whose processes do not run");
	network_swap(&s->world->network, a, b);
	return 0;
}

int step_start(struct stage *s)
{
	return with_machine(s, machine_start);
}

/* Its software speaks wire version 1 from its next start on, or the present one. */
int step_old(struct stage *s)
{
	struct machine *m;
	if (stage_machine(s, 1, &m))
		return -1;
	m->wire_max = 1;
	return 0;
}

int step_upgrade(struct stage *s)
{
	struct machine *m;
	if (stage_machine(s, 1, &m))
		return -1;
	machine_kill(s->world, m);
	m->wire_max = 0;
	machine_start(s->world, m);
	return 0;
}

/* A copy of its disk, as a backup of the host takes it; one at a time. */
int step_copy(struct stage *s)
{
	struct machine *m;
	struct copies *c = &s->world->copies;
	if (stage_machine(s, 1, &m))
		return -1;
	disk_finish(&c->image);
	disk_copy(&m->disk, &c->image);
	c->of = m->index;
	return 0;
}

/* Its host crashes and comes back with the copy as its disk. */
int step_rollback(struct stage *s)
{
	struct machine *m;
	struct copies *c = &s->world->copies;
	if (stage_machine(s, 1, &m))
		return -1;
	if (c->of != m->index || !c->image.durable)
		return play_fail(s->text, s->line, s->error, "there is no copy of '%s'", m->name);
	machine_crash(s->world, m);
	disk_finish(&m->disk);
	disk_copy(&c->image, &m->disk);
	observe_rolled_back(s->world, m);
	machine_start(s->world, m);
	return 0;
}

int step_pause(struct stage *s)
{
	return with_machine(s, machine_pause);
}

int step_resume(struct stage *s)
{
	return with_machine(s, machine_resume);
}

int step_drift(struct stage *s)
{
	static const char *const names[CLOCK_NAMES] = {"boot", "raw", "wall"};
	struct machine *m;
	int64_t ppm;
	if (stage_machine(s, 1, &m) || play_ppm(s->text, s->line, 3, &ppm, s->error))
		return -1;
	for (int i = 0; i < CLOCK_NAMES; i++) {
		if (strcmp(names[i], play_word(s->line, 2)) != 0)
			continue;
		clock_set_rate(&m->clocks[i], s->world->now, ppm);
		m->timer_at = NEVER;
		if (m->state == MACHINE_UP)
			machine_input(s->world, m, &(struct input){.kind = INPUT_TICK});
		return 0;
	}
	return play_fail(s->text, s->line, s->error, "expected boot, raw or wall, not '%s'",
	                 play_word(s->line, 2));
}

int step_step(struct stage *s)
{
	struct machine *m;
	duration by;
	bool back = !strcmp(play_word(s->line, 2), "back");
	if (stage_machine(s, 1, &m) ||
	    play_duration(s->text, s->line, back ? 3 : 2, &by, s->error))
		return -1;
	m->clocks[CLOCK_OF_WALL].local += back ? -by : by;
	return 0;
}

int step_disk(struct stage *s)
{
	static const char *const names[] = {"well", "stall", "fail"};
	struct machine *m;
	if (stage_machine(s, 1, &m))
		return -1;
	for (int mood = DISK_WELL; mood <= DISK_FAILING; mood++) {
		if (strcmp(names[mood], play_word(s->line, 2)) != 0)
			continue;
		machine_disk(s->world, m, (enum disk_mood)mood);
		return 0;
	}
	return play_fail(s->text, s->line, s->error, "expected stall, fail or well, not '%s'",
	                 play_word(s->line, 2));
}

int step_run(struct stage *s)
{
	duration d;
	if (play_duration(s->text, s->line, 1, &d, s->error))
		return -1;
	world_run(s->world, s->world->now + d);
	return 0;
}
