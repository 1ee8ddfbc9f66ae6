/*
 * generation.h: which cluster this is. A generation is founded by init (number 1), by a seizure or
 * by a restore; packets of another one do not open, frames of another one are told.
 *
 *     member of N --generation_seize, or SEIZED we consented to--> STARTING --durable--> member of N+1
 *     member of N --SEIZED we did not consent to, or a rival that goes first--> OLD_GENERATION
 *     blank --BEGIN, ROWs, END--> STARTING --durable--> member of N+1, alone
 *
 * Invariants
 *   1. Generation, config, rows and entries change in one transaction; nothing is sent before it is
 *      durable. `promised` is never lowered.
 *   2. Generations are ordered by (number, hash). The hash covers the whole founding record, the
 *      record is signed by its founder and is row 'g' of every later state: the audit.
 *   3. Who is behind is shown the record, not told a word: it stops if the founder is a member it
 *      knows. Nobody who was removed in an ordinary way is believed.
 *   4. Two with one number are rivals: both are alarmed, the lower hash stops. (Numbers alone could
 *      not part them, and words could not either: both operators meant well.)
 */
#ifndef ESSAIM_GENERATION_H
#define ESSAIM_GENERATION_H

#include "gossip.h"
#include "ledger.h"

struct way;

struct generation_change {
	bool entering;  /* STARTING as a member of the next generation */
	bool followed;  /* ... of another's */
	bool seized;    /* ... of our own: the client waits */
	instant tell_at, tell_until; /* SEIZED to those who consented */
	instant founded_at;
	instant seek_at;  /* the master greets one of those named dead */
	uint32_t seek_next;
	instant telling; /* its budget is used up to then: streams opened because packets did not open */
	/* restore */
	bool restoring;
	struct generation restored_from;
	uint64_t restored_index;
	enum profile restored_profile;
	char why[160];
};

/*
 * Founds the next generation: `list` holds those named dead, then those who follow. NULL, or why not
 * (nothing has changed then).
 */
const char *generation_seize(struct gossip *g, uint64_t attempt, const node_id *list,
                             uint32_t dead_count, uint32_t followed_count);
void generation_restore(struct gossip *g, const struct input *input);

/* The store has it: a member of the new generation from now on. */
void generation_entered(struct gossip *g);
/* The write failed: all of it again. */
uint64_t generation_write(struct gossip *g);

/* True: the frame is of another generation, or about one; it has been seen to. */
bool generation_frame(struct gossip *g, node_id from, uint64_t stream, const struct envelope *e);
/* A packet of a member's did not open: it may be of another generation. */
void generation_unopened(struct gossip *g, node_id sender, const struct way *from);

/* Row 'g' of that number; its lists are valid until the next decoding of a row. */
bool generation_record(const struct gossip *g, uint64_t number, struct seized *out);

enum outcome generation_apply(struct gossip *g, uint64_t index, const struct command *c);

void generation_tick(struct gossip *g);
instant generation_deadline(const struct gossip *g);

/* First 8 bytes of the hash. */
uint64_t generation_tag(const struct generation *generation);
int generation_compare(const struct generation *a, const struct generation *b);

#endif
