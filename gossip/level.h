/*
 * level.h: the wire version that the whole cluster has agreed to speak: a committed number.
 *
 *     1 --every active member was last heard to speak 2: the master commits LEVEL--> 2 ...
 *
 * Below a level its commands, and its fields of older commands, do not exist: an older member would
 * read them as nothing, and its rows would differ from ours for ever. Messages that enter no log
 * need no level: whoever does not know them skips them.
 *
 * Invariants
 *   1. The level only rises, by a committed entry; a cluster begins with what its founder speaks.
 *   2. No command newer than the level is proposed.
 *   3. From the entry on nobody who speaks less is admitted (apply.c), heard (session.c), or able
 *      to open the store (STORE_FORMAT of that number, with the entry or the row that says so).
 *   4. An older member holds up the level, and nothing else.
 */
#ifndef ESSAIM_LEVEL_H
#define ESSAIM_LEVEL_H

#include "gossip.h"

struct level {
	uint32_t now;    /* as applied; 0 while blank */
	instant told_at; /* that we speak too little; 0: never */
	instant look_at; /* the master looks whether it can be raised */
	char why[NAME_MAX_SIZE + 128]; /* the last refusal */
};

/* At least WIRE_VERSION_MIN. */
uint32_t level_of(const struct gossip *g);
/* May a command of this kind enter the log? */
bool level_allows(const struct gossip *g, enum command_kind kind);
/* Why not: one sentence that names an older member, if this node knows one. Valid until the next. */
struct bytes level_refusal(struct gossip *g, enum command_kind kind);
/* The version to write to that member: what it is known to speak, else what everybody does. */
uint32_t level_spoken(const struct gossip *g, node_id to);

void level_found(struct gossip *g);  /* the founder's row */
void level_loaded(struct gossip *g); /* reads the row, after loading or a snapshot */
void level_apply(struct gossip *g, const struct command *c);
bool level_row(struct bytes key); /* is it the row that holds the level? */

/* A member says that the cluster speaks `level`, and we do not: said to our people once a minute. */
void level_told(struct gossip *g, node_id by, uint64_t level);

void level_tick(struct gossip *g);
instant level_deadline(const struct gossip *g);

#endif
