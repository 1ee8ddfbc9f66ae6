/*
 * schedule.h: a run's misfortunes as a list that can be written down, read back and cut short.
 *
 *     # any comment
 *     nodes 5
 *     duration 600s
 *     seed 7
 *     kinds loss,partition,pause
 *     12.345678901 15.000000000 partition node 2 group 0x2c strength 17
 *     lost 0>1 accept 17
 *
 * One fault a line: begin and end in seconds of true time, its kind, whom it befalls, and two numbers
 * that its kind reads (faults.h); or what the network does to one message (choices.h). With the seed,
 * which also rolls the network's dice, the file replays exactly.
 */
#ifndef ESSAIM_SCHEDULE_H
#define ESSAIM_SCHEDULE_H

#include <stdio.h>

#include "choices.h"
#include "error.h"
#include "faults.h"

struct run_settings;
struct play_text;
struct play_line;

struct schedule {
	uint32_t nodes;
	duration length;
	uint64_t seed;
	uint64_t kinds; /* of faults that were on, bit per kind: the founding reads it too */
	struct fault *list;
	uint32_t count;
	struct choice_list choices;
};

void schedule_finish(struct schedule *s);
/* The same run without faults and choices. */
void schedule_empty(const struct schedule *from, struct schedule *out);
void schedule_copy(const struct schedule *from, struct schedule *out);
void schedule_add(struct schedule *s, const struct fault *fault);

/* 0, or -1 with "file:line: expected …". */
int schedule_read(const char *path, struct schedule *out, struct error *error);
/* One line of it, from its word number `first` on. */
int schedule_line(const struct play_text *text, const struct play_line *line, uint32_t first,
                  struct schedule *out, struct error *error);
void schedule_write(const struct schedule *s, FILE *out);

/* Puts the list into a world (no fault outlasts `until`); writes a world's list down. */
void schedule_use(const struct schedule *s, struct world *w, instant until);
void schedule_keep(const struct world *w, const struct run_settings *settings, FILE *out);

#endif
