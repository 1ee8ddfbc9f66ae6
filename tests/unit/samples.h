/*
 * samples.h: messages with every field set, and a way to tell whether two are equal.
 *
 * One walk visits every field of a struct. Filling, it writes a drawn value within words.h's
 * limits (or the largest one); tracing, it hashes the value. Two structs with one trace are equal,
 * so a field that the codec forgets cannot be forgotten by the comparison only.
 */
#ifndef ESSAIM_SAMPLES_H
#define ESSAIM_SAMPLES_H

#include "codec.h"

enum walk_mode { WALK_FILL, WALK_TRACE };

struct walk {
	enum walk_mode mode;
	bool maxima;      /* fill: the largest legal values, counts and sizes */
	bool small;       /* fill: at most a packet's worth of entries, values and items */
	uint64_t random;  /* fill: the generator's state */
	uint8_t *memory;  /* fill: what pointers point to */
	size_t size, used;
	uint64_t trace;   /* trace: the result */
};

void walk_envelope(struct walk *w, struct envelope *e); /* fill: e->kind is given */
void walk_item(struct walk *w, struct item *item);      /* fill: item->kind is given */
void walk_command(struct walk *w, struct command *command);
void walk_durable(struct walk *w, struct durable *durable);
void walk_member_row(struct walk *w, struct member_row *row);
void walk_token_row(struct walk *w, struct token_row *row);
void walk_kv_row(struct walk *w, struct kv_row *row);
void walk_seized(struct walk *w, struct seized *s);
void walk_origin_row(struct walk *w, struct origin_row *row);

#endif
