/*
 * stage_steps.h: every step of a play, by its first word (play_parse.h says what each does).
 *
 *     STEP(word, words at least, words at most, when)
 *
 * BEFORE: only while there is no world yet; ANY: at any time; WORLD: the world is made if need be;
 * TIME: as WORLD, and virtual time passes, so that `expect rule` looks at this step.
 */
#ifndef ESSAIM_STAGE_STEPS_H
#define ESSAIM_STAGE_STEPS_H

#include "stage.h"

#define STAGE_STEPS(STEP)					\
	STEP(nodes, 2, 2, BEFORE)				\
	STEP(node, 2, 2, BEFORE)				\
	STEP(others, 2, 2, BEFORE)				\
	STEP(networks, 2, 2, BEFORE)				\
	STEP(rivals, 1, 1, BEFORE)				\
	STEP(seed, 2, 2, BEFORE)				\
	STEP(profile, 2, 2, BEFORE)				\
	STEP(seeded, 2, PLAY_WORDS_MAX, ANY)			\
	STEP(show, 2, PLAY_WORDS_MAX, ANY)			\
	STEP(quiet, 2, PLAY_WORDS_MAX, ANY)			\
	STEP(init, 2, 2, TIME)					\
	STEP(token, 1, 5, TIME)					\
	STEP(join, 4, 5, TIME)					\
	STEP(leave, 2, 2, TIME)					\
	STEP(remove, 3, 3, TIME)				\
	STEP(stop, 2, 2, WORLD)					\
	STEP(transfer, 3, 3, WORLD)				\
	STEP(hand, 3, 3, TIME)					\
	STEP(set, 4, 4, TIME)					\
	STEP(seize, 2, PLAY_WORDS_MAX, TIME)			\
	STEP(rekey, 2, 3, TIME)					\
	STEP(why, 2, 2, WORLD)					\
	STEP(cut, 2, 3, WORLD)					\
	STEP(heal, 1, 3, WORLD)					\
	STEP(unplug, 3, 3, WORLD)				\
	STEP(plug, 3, 3, WORLD)					\
	STEP(tape, 2, 3, WORLD)					\
	STEP(hold, 2, 4, WORLD)					\
	STEP(pass, 2, 3, WORLD)					\
	STEP(replay, 2, 2, WORLD)				\
	STEP(crash, 2, 2, WORLD)				\
	STEP(kill, 2, 2, WORLD)					\
	STEP(forge, 2, 2, WORLD)				\
	STEP(swap, 3, 3, WORLD)					\
	STEP(old, 2, 2, WORLD)					\
	STEP(upgrade, 2, 2, WORLD)				\
	STEP(copy, 2, 2, WORLD)					\
	STEP(rollback, 2, 2, WORLD)				\
	STEP(start, 2, 2, WORLD)				\
	STEP(pause, 2, 2, WORLD)				\
	STEP(resume, 2, 2, WORLD)				\
	STEP(drift, 4, 4, WORLD)				\
	STEP(step, 3, 4, WORLD)					\
	STEP(disk, 3, 3, WORLD)					\
	STEP(run, 2, 2, TIME)					\
	STEP(put, 4, 6, TIME)					\
	STEP(post, 4, 4, WORLD)					\
	STEP(dismiss, 3, 3, WORLD)				\
	STEP(row, 6, 6, WORLD)					\
	STEP(get, 3, 3, TIME)					\
	STEP(expect, 3, 5, WORLD)

#define STEP(word, least, most, when) int step_##word(struct stage *s);
STAGE_STEPS(STEP)
#undef STEP

/* How long a question of a play waits for its answer. */
#define STAGE_PATIENCE (10 * SECOND)

/* The machine of that word, whose process runs. */
int stage_running(struct stage *s, uint32_t word, struct machine **out);

/* Asks `m` and tells the answer as "WHAT OBJECT: …". */
int stage_ask(struct stage *s, struct machine *m, const struct command *command, const char *what,
              const char *object);

#endif
