/*
 * suspicion.h: what the three files of suspicion share, and nobody else sees.
 *
 *     suspicion.c    the records: who accuses whom of what, our own accusations among them
 *     verdict.c      when there are enough accusers for long enough; what to do meanwhile
 *     accusation.c   what others say: accusations, refutations and verdicts that arrive
 *
 * Invariants
 *   1. A member has at most one record; while it is SUSPECT the record is on the active list.
 *   2. `silent_own` counts the active records of members that we ourselves find silent.
 */
#ifndef ESSAIM_SUSPICION_H
#define ESSAIM_SUSPICION_H

#include "member.h"

#define NEEDED 2 /* accusers for a verdict, */
#define NEEDED_OBSERVERS 3 /* and where only observers count */
#define PUBLISH_MAX 4 /* so many accusers do; further ones would only cost packets */
#define CHECK_GAP (500 * MILLISECOND) /* urgent probes, and changes of how many are needed */

struct accuser {
	node_id node;
	uint32_t health;
	enum probe_outcome outcome;
	instant since;
	uint64_t incarnation, version; /* the accusation's */
	struct claim claim;            /* what it accuses */
};

struct suspicion {
	uint32_t slot;
	uint32_t place; /* in `active`; NO_SLOT once the verdict is spoken */
	instant since;  /* the first failing probe was sent */
	uint32_t accuser_count;
	struct accuser accusers[ACCUSERS_MAX];
	bool own; /* we ourselves got no answer */
	uint32_t looks; /* how often we asked it at the end, if it is others who accuse it */
	bool published;
	enum probe_outcome own_outcome;
	struct item own_item;
	instant check_at, repeat_at, look_at;
	uint32_t checks;
	uint32_t next_free;
};

struct suspicions {
	struct suspicion *pool;
	struct dispute *disputes;
	uint32_t disputes_used;
	uint32_t *active; /* places in the pool of those that are SUSPECT */
	uint32_t used, free_first, active_count;
	uint32_t silent_own; /* active ones that we ourselves find silent */
	uint64_t version;    /* of our accusations and verdicts */
	instant next_check;
};
/* ---- the records, one per member that is accused ---- */

/* None or hardly any of those we ask answers: what others say does not reach us. */
bool suspicions_cut_off(const struct gossip *g);
/* NULL: it is not suspect. */
struct suspicion *suspicion_of(const struct gossip *g, const struct member *m);
/* A fresh record that is not to be judged yet. */
struct suspicion *suspicion_record(struct gossip *g, struct member *m, instant since);
/* Its record; it is SUSPECT from now on if there was none. */
struct suspicion *suspicion_open(struct gossip *g, struct member *m, node_id accuser,
                                        instant since);
/* Takes it off the list of those still to be judged; the record stays to be shown. */
void suspicion_deactivate(struct gossip *g, struct suspicion *x);
/* When to look for ourselves at somebody that others accuse. */
instant suspicion_look_at(struct gossip *g, const struct member *m);

/* ---- accusers ---- */

struct accuser *accuser_find(struct suspicion *x, node_id node);
/* Does an accusation of that incarnation and version outdo what it said before? */
bool accuser_newer(uint64_t incarnation, uint64_t version, const struct accuser *than);
/* True if it says something new: another accuser, or other evidence. */
bool accuser_put(struct gossip *g, struct suspicion *x, const struct accuser *accuser);

/* ---- our own word ---- */

/* Signs and spreads our accusation, unless enough others did. */
void suspicion_publish(struct gossip *g, struct suspicion *x, const struct member *m);
/* Another accuses it: what we found when we asked for somebody else confirms that. */
void suspicion_confirm_late(struct gossip *g, struct member *m);

/* ---- verdict.c ---- */

/* How many accusers it takes: two, or three observers, unless there are no so many who could be asked. */
uint32_t verdict_needed(const struct gossip *g, const struct member *m);
/* It is UNREACHABLE from now on, in our opinion. */
void verdict_condemn(struct gossip *g, struct suspicion *x, struct member *m);

/* ---- what was passed on already ---- */

/* A verdict on this claim of it was passed on. */
void verdict_note(const struct gossip *g, struct member *m, struct claim claim);
/* Did we pass on a verdict that condemned this claim of it, or a higher one? */
bool verdict_passed(const struct gossip *g, const struct member *m, struct claim claim);

#endif
