/*
 * lease.h: who may act. One struct for the three roles a node can play; each rule of lease.md is a
 * function of its own: V* in voter.c, P1-P3 and T's side of P9 in candidate.c, P4-P8 in master.c, M's
 * side of P9 in hand_over.c.
 *
 *     IDLE --P1--> PREPARING --P3--> CLAIMING --P4--> MASTER --P5 renew--> MASTER
 *       ^              |                |               |  \--P9 READY, TRANSFER--> IDLE
 *       |              v late           v late          v P6 lapse, P8 release
 *       +--------------+----------------+---------------+
 *     IDLE --OFFER--> TAKING (T) --own voter took TRANSFER--> CLAIMING --by a majority--> MASTER
 *
 * Invariants
 *   1. A deadline is stored before the message it belongs to is sent (P1, P5, P9).
 *   2. A ballot that was left is never used again (P6).
 *   3. Owner's deadlines are read by deadline_due (largest elapsed), a voter's by deadline_over.
 *   4. Voters are counted by identity within one config (P2): masks are by position in the config
 *      that the round names.
 *   5. No answer that promises or accepts leaves before what it says is durable.
 *
 * Source: lease.md; PaxosLease (arXiv 1209.4187) and "PaxosLease Revisited".
 */
#ifndef ESSAIM_LEASE_H
#define ESSAIM_LEASE_H

#include "gossip.h"

struct carve;

#define HEALTH_FIT 4 /* a sicker node leaves it to others */

enum lease_phase { PHASE_IDLE, PHASE_PREPARING, PHASE_CLAIMING, PHASE_MASTER, PHASE_TAKING };

/* The voter's volatile memory of whom it granted. */
struct voter_grant {
	bool live;
	struct owner owner;
	struct ballot ballot;
	uint64_t round;
	struct deadline excluded_until;
	/* rate guard: one earlier round of this owner */
	struct now origin;     /* where our voter clock starts for this grant */
	duration base_voter;   /* v1 */
	duration base_owner;   /* o1 */
	bool base_set, slow;
	struct ballot released; /* by an exact RELEASE: its owner never uses that ballot again */
};

/* An answer that waits for the store. */
struct waiting_answer {
	uint64_t persist; /* 0: free */
	enum message_kind kind; /* PROMISE or ACCEPTED */
	node_id to;
	struct ballot ballot;
	uint64_t round, match;
	struct ballot config_ballot;
	uint64_t config_version;
	uint64_t commit; /* PROMISE: the candidate's */
};
#define WAITING_MAX 256

/* A round in flight (P5): one number, one deadline, one config. */
struct round {
	uint64_t number; /* 0: free */
	struct deadline deadline;
	struct ballot config_ballot;
	uint64_t config_version;
	uint32_t accepted; /* bit per position in that config */
	duration sent;     /* owner's elapsed time */
	bool append;       /* carried entries not yet on a majority */
	bool complete;
};
#define ROUNDS_MAX 32

/* What the master knows of each receiver of its rounds. */
struct follower {
	node_id node; /* 0: free */
	uint64_t match;
	uint64_t next;
	instant sent_at;         /* last time entries were sent */
	uint64_t sent_round;     /* in this round */
	instant answered_at;     /* its last ACCEPTED */
	bool knows_config;       /* answered a round tagged with the present config */
	duration echo_voter, echo_received;
};
#define FOLLOWERS_MAX (VOTERS_MAX + 1) /* and one learner in training */

struct lease {
	/* voter */
	struct voter_grant grant;
	struct deadline mute_until; /* V0 */
	bool mute;
	struct ballot match_ballot; /* our log agrees with that ballot's log ... */
	uint64_t match;             /* ... up to here */
	struct waiting_answer waiting[WAITING_MAX];
	uint32_t waiting_first, waiting_count;
	instant disk_check_at;     /* next synced write */
	instant disk_asked;        /* when the oldest unanswered synced write was asked; NEVER */
	uint64_t disk_asked_number;
	bool disk_overdue;
	uint64_t rewrite_number; /* after a failure: the whole state written again; 0: none under way */
	struct entry *list;      /* ENTRIES_PER_MESSAGE_MAX: entries of one message */

	/* candidate and master */
	enum lease_phase phase;
	struct ballot ballot;
	struct ballot highest_seen; /* to choose the next counter above */
	struct now origin;          /* where our owner clock starts for this ballot */
	struct deadline attempt;    /* of PREPARING, CLAIMING and TAKING */
	uint32_t open;              /* bit per position of the config: open promises */
	uint32_t refused;           /* the same: another owner's grant will live for long there */
	instant candidate_at;       /* not before */
	instant resend_at;
	uint64_t claim_index, claim_epoch;
	uint64_t round_number;
	struct round rounds[ROUNDS_MAX];
	struct follower followers[FOLLOWERS_MAX];
	struct deadline authority;
	bool authority_set;
	struct ballot certificate_config_ballot; /* R2: config of the round that is the certificate */
	uint64_t certificate_config_version;
	instant renew_at;
	instant outbid_at; /* not before: a higher ballot for a voter that promised one */
	instant retry_at; /* uncommitted entries wait: another round */
	duration retry_delay;
	bool append_waits;

	/* hand-over, T's side */
	struct ballot taking_from; /* b_m */
	struct transfer transfer;  /* the TRANSFER as received, for resending; claim: transfer_claim */
	uint8_t transfer_claim[256];
	bool transfer_held;
};

void lease_init(struct gossip *g, struct carve *memory);
/* An old disk, or a clone: what this voter once said it does not know any more. */
void lease_mute_for_ever(struct gossip *g);
/* Every start: V0. */
void lease_start(struct gossip *g);
/* Called at the beginning of every step, before the input is looked at: P6, expiry. */
void lease_check(struct gossip *g);
void lease_tick(struct gossip *g);
instant lease_deadline(const struct gossip *g);
void lease_message(struct gossip *g, node_id from, const struct envelope *e);
void lease_persisted(struct gossip *g, uint64_t number, bool failed);

/* May this node act as master at g->now? (P4, P6, P7) */
bool lease_acts(const struct gossip *g, const struct now *now);
/* Who is master, as far as this node knows; 0: nobody known. */
node_id lease_master(const struct gossip *g, const struct now *now);
duration lease_left(const struct gossip *g, const struct now *now);
/* Does this node vote now? */
bool lease_votes(const struct gossip *g, const struct now *now);

/* Appends a command under our ballot and starts a round. 0: no room (busy). Precondition: acts. */
uint64_t master_propose(struct gossip *g, const struct command *command);
/* A new round to everyone, now: the config or the followers changed. */
void master_round(struct gossip *g);
void master_follow(struct gossip *g); /* followers := voters of the config, and the learner */
void master_release(struct gossip *g); /* P8 */
/* Our voter's acceptance counts (called when it is durable). */
void master_on_accepted(struct gossip *g, node_id from, const struct accepted *m);
void master_on_reject(struct gossip *g, node_id from, const struct reject *m);
/* A CLAIM of that owner and epoch as a command; its size. */
size_t encode_claim(struct gossip *g, const struct owner *owner, const struct ballot *ballot,
                    uint64_t epoch, uint8_t *out, size_t capacity);
void master_tick(struct gossip *g);
void master_abandon(struct gossip *g); /* P6: forget this ballot for ever */
void master_begin(struct gossip *g, struct deadline deadline); /* P3: followers, first round */
void master_activate(struct gossip *g);                        /* P4, when everything holds */

void candidate_tick(struct gossip *g);
/* P1, now: after a promise above our own ballot, by a voter that we want back. */
void candidate_outbid(struct gossip *g);
void candidate_on_promise(struct gossip *g, node_id from, const struct promise *m);
void candidate_on_reject(struct gossip *g, node_id from, const struct reject *m);
void candidate_on_offer(struct gossip *g, node_id from, const struct offer *m);
void candidate_on_transfer(struct gossip *g, const struct transfer *m);
/* P3: what a voter accepted comes into our log, slot by slot. False: it does not connect, or no room. */
bool candidate_merge(struct gossip *g, const struct promise *m);
void candidate_postpone(struct gossip *g, duration least);

void voter_on_prepare(struct gossip *g, node_id from, const struct prepare *m);
void voter_on_accept(struct gossip *g, node_id from, const struct accept *m);
void voter_on_release(struct gossip *g, node_id from, const struct release *m);
void voter_on_transfer(struct gossip *g, node_id from, const struct transfer *m);
void voter_persisted(struct gossip *g, uint64_t number, bool failed);
void voter_tick(struct gossip *g);
void voter_expire(struct gossip *g); /* mute and grant that have run out */
void voter_clear_grant(struct gossip *g);
/* V1: adopts a higher config (durable with this step's persist). */
void voter_adopt_config(struct gossip *g, const struct config *config);
/* Is our own disk fit to vote? */
bool voter_disk_well(const struct gossip *g);
/* One synced write as often: a witness's is seldom. */
duration voter_disk_check_every(const struct gossip *g);

/* Elapsed since `from`: as an owner counts (largest), as a voter counts (smallest). */
duration elapsed_owner(const struct now *now, const struct now *from);
duration elapsed_voter(const struct now *now, const struct now *from);
/* Sends to one voter; to self by calling the voter's rule. */
void lease_send(struct gossip *g, node_id to, struct envelope *e);

/* voter_disk.c: everything again, in one transaction; its number. */
uint64_t voter_rewrite_store(struct gossip *g);

/* voter_answer.c: answers that wait for the store. NULL: too many wait, the sender will ask again. */
struct waiting_answer *voter_wait(struct gossip *g, uint64_t persist);
/* The write that must end before anything may be said of our log; 0: none. */
uint64_t voter_outstanding(struct gossip *g);
void voter_say(struct gossip *g, const struct waiting_answer *w);
void voter_reject(struct gossip *g, node_id to, const struct ballot *ballot,
                  enum reject_reason reason);
struct grant voter_grant_now(const struct gossip *g);
/* Our entries above `index`; false if they are gone, or too many for one message. */
bool voter_entries_above(const struct gossip *g, uint64_t index, struct entry *list,
                         uint32_t *out_count);

struct owner self_owner(const struct gossip *g);
/* Position in the config's voters, or -1. */
int config_position(const struct config *config, node_id node);
bool config_witness(const struct config *config, node_id node);
/* D_P by profile, and D_A = D_Q from it (lease.md, Time). */
void config_times(struct config *config, enum profile profile);

#endif
