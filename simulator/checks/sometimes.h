/*
 * sometimes.h: situations that a sweep must have met, or its silence proves little.
 *
 * Source: "sometimes assertions" (FoundationDB's and Antithesis' test oracles). Each is counted;
 * the sweep's report sums them, and tests/sim/run.py fails if one was never met.
 */
#ifndef ESSAIM_CHECK_SOMETIMES_H
#define ESSAIM_CHECK_SOMETIMES_H

#include "rules.h"

#define SITUATIONS(S)                                                                              \
	S(RIVAL_CANDIDATES, "two candidates within one lease time")                                \
	S(LAPSE_IN_APPEND, "a lease lapsed while an entry was on its way")                         \
	S(QUARANTINE_ASKED, "a mute voter was asked for its promise")                              \
	S(SNAPSHOT_IN_CUT, "a snapshot was taken while links were cut")                            \
	S(HAND_OVER_DONE, "a hand-over completed")                                                 \
	S(HEALTH_HANDS_OVER, "a sick master offered its lease to a healthier one")                 \
	S(HAND_OVER_LOST, "a hand-over was lost on the way")                                       \
	S(HAND_OVER_REFUSED, "a voter refused a hand-over")                                        \
	S(CONFIG_IN_FAILOVER, "a config was adopted during a fail-over")                           \
	S(ROUND_OLD, "an older round was taken")                                                   \
	S(RELEASE_INEXACT, "a release was not exact")                                              \
	S(LAGGING, "a candidate lagged behind")                                                    \
	S(OUTBID, "a voter had promised more than the master's ballot")                            \
	S(LIVE_PREPARE, "a candidate met a live grant")                                            \
	S(LIVE_ACCEPT, "an owner met another's live grant")                                        \
	S(OWNER_SLOW, "the rate guard refused an owner")                                           \
	S(DISK_LOST_AT_MASTER, "the disk failed or stalled under an acting master")                \
	S(STORE_REWRITTEN, "a store was written anew after a failure")                             \
	S(REPEAT_ANSWERED, "a repeated request was answered from the ledger")                      \
	S(UNKNOWN_APPLIED, "an unknown outcome was later found applied")                           \
	S(CONFLICT, "a put lost its race for a version")                                           \
	S(QUICK_RESTART, "a refusal, a restart within a second, and no verdict")                   \
	S(REFUTED, "an accused node refuted")                                                      \
	S(CLONE, "one key was seen in two places")                                                 \
	S(OLD_SELF, "a disk that went back was told so")                                           \
	S(TOKEN_REUSED, "a used token was turned away")                                            \
	S(JOINED, "somebody joined in the middle of it all")                                       \
	S(LEFT, "a member left")                                                                   \
	S(REMOVED, "a member was removed")                                                         \
	S(VOTER_CHANGED, "a voter was added or dropped after the founding")                        \
	S(FOREIGN_HEARD, "a packet of another cluster arrived")                                    \
	S(LIED, "an insider's packet was altered")                                                 \
	S(SETTING_CHANGED, "a setting was changed")                                                \
	S(TERMS_CHANGED, "the times of the lease were changed")                                    \
	S(VOTER_SWAPPED, "a silent voter was replaced")                                            \
	S(VOTER_STAYS, "a voter that should go had to stay")                                       \
	S(ADDRESS_KEPT, "the ledger took a member's new address")                                  \
	S(STRAYED, "a lost member was greeted where it strayed")                                   \
	S(PATH_DOWN, "a member answered by its other path only")                                   \
	S(UPGRADED, "a node of the version before was upgraded")                                   \
	S(LEVEL_RAISED, "the last of them was, and the level rose")                                \
	S(REKEYED, "a member went on with another key")                                            \
	S(SEIZE_REFUSED, "a seizure was refused")                                                  \
	S(SEIZED, "the cluster was seized")                                                        \
	S(SEIZER_LOST, "who seized was lost for good in the middle of it")                         \
	S(SEIZED_AGAIN, "the quorum of a seized cluster was lost as well")                         \
	S(UNTRUE_WORD, "one that lives was named dead")                                            \
	S(FOLLOWED, "a member followed into the new generation")                                   \
	S(CLOCK_NAMED, "a clock that was off was named by the doctor")                             \
	S(CLOCK_LIAR_NAMED, "an insider was named whose clock is off by its own word")             \
	S(FAILOVER_JUDGED, "a fail-over with no other fault near it was timed")

enum situation {
#define S(name, text) SOMETIMES_##name,
	SITUATIONS(S)
#undef S
	SOMETIMES_COUNT
};

const char *situation_text(enum situation situation);

struct sometimes {
	uint64_t met[SOMETIMES_COUNT];
	uint32_t nodes;
	/* what the next trace is seen against */
	instant candidate_at;
	uint32_t candidate;
	instant transfer_at; /* NEVER: none under way */
	node_id transfer_to;
	instant *refused_at; /* per node; NEVER */
	bool *mute;          /* per node */
};

void sometimes_init(struct sometimes *s, uint32_t nodes);
void sometimes_finish(struct sometimes *s);

/* One trace, and what else was the case. */
struct moment {
	instant at;
	duration lease;
	uint32_t node;         /* who decided */
	uint32_t subject;      /* node of the trace's subject; at least `nodes`: none */
	node_id id;            /* of `node` */
	node_id subject_id;
	enum rule rule;
	bool acts;             /* it holds authority */
	bool unfinished;       /* its log holds entries not known committed */
	bool cut;              /* some link is cut */
	bool lost;             /* a fail-over is under way */
	bool settled;          /* the founding is over */
};

void sometimes_traced(struct sometimes *s, const struct moment *m);

static inline void sometimes_met(struct sometimes *s, enum situation situation)
{
	s->met[situation]++;
}

#endif
