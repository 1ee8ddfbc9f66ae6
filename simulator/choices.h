/*
 * choices.h: what the network did to single messages, as a list that can be kept and followed.
 *
 *     lost 0>1 accept 17
 *     late 2>0 accepted 4 31.250000ms
 *     twice 1>2 gossip 93 0.120000ms
 *
 * From, to, kind, and how many of that kind went that way before. A message may have several lines.
 * A run notes its choices if it is asked to; a run that is given a list follows it, besides whatever
 * weather there is. So a run whose network faults are taken away, and whose choices are listed
 * instead, is the same run: and then the list can be made shorter, message by message (shrink.h).
 */
#ifndef ESSAIM_CHOICES_H
#define ESSAIM_CHOICES_H

#include <stdio.h>

#include "gossip.h"

struct message_name {
	uint32_t from, to; /* machines */
	uint32_t kind;     /* enum message_kind or enum fate_kind */
	uint32_t ordinal;
};

struct choice {
	struct message_name name;
	bool lost, twice;
	duration late, twice_late; /* beyond fair weather */
};

struct choice_list {
	struct choice *list;
	uint32_t count;
};

struct choices {
	struct choice_list followed; /* sorted by name */
	FILE *noted; /* each is written here as it is made; NULL: nowhere */
};

void choice_list_add(struct choice_list *l, const struct choice *choice);
void choice_list_copy(const struct choice_list *from, struct choice_list *out);
void choice_list_finish(struct choice_list *l);
/* Those of one kind together, then those of one way. */
void choice_list_by_kind(struct choice_list *l);
void choice_write(const struct choice *choice, FILE *out);

/* Takes a copy, sorted. */
void choices_follow(struct choices *c, const struct choice_list *list);
void choices_finish(struct choices *c);

/* A message is judged: adds what is listed for it, then notes it if it differs from fair weather. */
void choices_take(struct choices *c, struct choice *choice);

/* "accept", "knock"; and back. False if there is none of that name. */
const char *choice_kind_word(uint32_t kind);
bool choice_kind_parse(const char *word, uint32_t *out);

#endif
