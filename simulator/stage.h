/*
 * stage.h: what a play acts upon: the world, what is narrated, the token in hand.
 */
#ifndef ESSAIM_STAGE_H
#define ESSAIM_STAGE_H

#include "foreign.h"
#include "narrate.h"
#include "play_parse.h"
#include "schedule.h"

struct stage {
	const struct play_text *text;
	const struct play_line *line; /* the present step */
	struct error *error;
	struct world_settings settings; /* until the world exists */
	struct world *world;
	bool shown[RULE_COUNT];
	bool silent; /* `quiet all`: answers are not narrated either */
	bool seen[PLAY_NODES_MAX + 1 + FOREIGN_MAX][RULE_COUNT]; /* in the last step that took time */
	bool token_held;
	uint64_t token;
	struct hash token_hash;
	struct schedule seeded; /* of `seeded …`: its lines so far */
	char **said; /* narration of the present step */
	uint32_t said_count, said_capacity;
};

void stage_init(struct stage *s, const struct play_text *text, struct error *error);
void stage_finish(struct stage *s);

void stage_say(struct stage *s, const struct machine *m, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void stage_say_line(struct stage *s, const char *line);
void stage_hush(struct stage *s); /* forgets what was said */

/* Carries out s->line. 0, or -1 with "file:line: …" in s->error. */
int stage_step(struct stage *s);

/* The machine named by a word of the present step. */
int stage_machine(struct stage *s, uint32_t word, struct machine **out);

#endif
