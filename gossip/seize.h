/*
 * seize.h: the quorum is lost for good: a survivor founds a new generation with itself as the only
 * voter, and those who consent come along.
 *
 *     IDLE --INPUT_SEIZE--> SURVEYING --all others consent--> WAITING --D_A and D_Q--> FOUNDING --durable-->
 *       ^                       |                                |                  new generation
 *       +--- refused: the consents are withdrawn ----------------+
 *
 *     at the others:  votes --SURVEY, consent durable--> frozen --SEIZED--> follows (learner)
 *                       ^--- withdrawn, or its seizer is named dead --/ \--another generation--> OLD
 *
 * Invariants
 *   1. Every active member is named dead by the operator, or has consented. (Members that do not
 *      vote too: else two of them could seize, each with true words.)
 *   2. Whoever consented is frozen: it neither votes nor learns in the old generation. The consent is
 *      durable before it is said. It never lapses by itself: a SEIZED may be under way. It ends by
 *      its seizer's word that the attempt is over, by SEIZED, or when its seizer is named dead, and
 *      has been silent here.
 *   3. A node consents to one seizer at a time, and to none while it seizes itself.
 *   4. An attempt's number is above all before it, and no attempt outlives its process start: what
 *      was withdrawn, or asked by an older start, never founds.
 *   5. The wait begins with the last consent, and is for the longest lease of any profile: the last
 *      config may have been known to the dead alone. Whatever lease the old generation gave is over
 *      then, unless a quorum was named dead that lives.
 *   6. The founder's log holds, slot by slot, the highest of what those who consented had accepted
 *      above its own commit (candidate.c, merge).
 *   7. Voters of the last config whom this ledger does not hold yet, and who can therefore be neither
 *      asked nor named dead, are no quorum: they could have a master behind true words.
 *
 * A consent never ends by itself, so that one wrong word about a voter does no harm: with it alone
 * the old generation has no quorum behind the founder's back. The price: if the seizer is lost in
 * between, those who consented wait for it, or somebody seizes and names it dead.
 *
 * Source: lease.md, "Few nodes"; tests/model/seize.pml, which found that invariants 1, 2 and 6
 * have to be stronger than lease.md's words.
 */
#ifndef ESSAIM_SEIZE_H
#define ESSAIM_SEIZE_H

#include "gossip.h"

struct carve;

#define SEIZE_WHY_MAX 640

struct seize {
	enum seize_phase phase;
	uint64_t client;
	uint64_t attempt;  /* the present or last one: incarnation << 20 | count */
	uint32_t attempts; /* of this process */
	uint8_t *marks;    /* enum seize_mark, by member slot */
	node_id *list;     /* MEMBERS_MAX: those named dead, then those who follow */
	node_id *buried;   /* MEMBERS_MAX: those named dead in a record that is being applied */
	uint32_t dead_count;
	struct now started;
	struct deadline wait_until;
	instant tick_at, progress_at;
	char why[SEIZE_WHY_MAX]; /* of the refusal */

	/* where we consented */
	uint64_t answer_persist; /* the answer waits for this write; 0: none waits */
	uint64_t commit_asked;   /* of the last survey: what it wants is above */
	instant remind_at;       /* ask the seizer again what became of it */
};

void seize_init(struct gossip *g, struct carve *memory);
void seize_input(struct gossip *g, const struct input *input);
/* The client that asked has gone: nothing is founded that nobody waits for. */
void seize_abandon(struct gossip *g, uint64_t client);
void seize_on_answer(struct gossip *g, node_id from, const struct survey_answer *m);
void seize_tick(struct gossip *g);
instant seize_deadline(const struct gossip *g);
/* Founding ended: the client is told. */
void seize_done(struct gossip *g);

/* Does this node keep out of its generation's votes and log: it consented, or seizes itself? */
bool seize_frozen(const struct gossip *g);

/* consent.c */
void consent_on_survey(struct gossip *g, node_id from, const struct survey *m);
void consent_persisted(struct gossip *g, uint64_t number, bool failed);
/* By the operator's word that seizer never runs again, nor founds; not if it was just heard. */
void consent_end_if_dead(struct gossip *g, const node_id *dead, uint32_t count);
void consent_tick(struct gossip *g);
instant consent_deadline(const struct gossip *g);

#endif
