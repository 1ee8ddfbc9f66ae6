/*
 * member.h: the inside of membership: what its files (member, session, probe, suspicion, spread,
 * fact, clocks) share with each other and with nobody else.
 *
 *     session    seals and opens; tells member who was heard
 *     probe      asks whether somebody lives; tells suspicion who did not answer
 *     suspicion  weighs accusers, refutations and verdicts; alone moves a member to SUSPECT or
 *                UNREACHABLE (farewells apart)
 *     spread     verifies items, hands them to suspicion and fact, passes on what was new
 *     fact       what each member says of itself
 *     clocks     offset and delay per peer, from probes and acks
 *
 * Invariants
 *   1. A slot is a member's position in membership.members; it is never reused.
 *   2. `claim` is the highest (incarnation, refutation) a member is known to have signed or sealed.
 *      An accusation below the claim has been answered and counts for nothing.
 *   3. membership.reachable counts active members that are self, REACHABLE or SUSPECT.
 *   4. Large tables are carved once and touched only as they fill.
 */
#ifndef ESSAIM_MEMBER_H
#define ESSAIM_MEMBER_H

#include "core.h"
#include "replay.h"

#define NO_SLOT UINT32_MAX
#define NAME_SHORT 16

#define PUSH_FANOUT 4        /* infection: e^-4 leaves 2 % to the digests */
#define SMALL_SWARM 10       /* up to here everybody can afford to ask everybody */
#define GREETING_ALL 50      /* and to greet everybody at once */
#define OBSERVED_SWARM 16    /* in a larger one only a member's observers may accuse it */
#define RINGS 8              /* of observers */
#define JUDGE_LATE (50 * MILLISECOND) /* a timer served so late served nobody */
#define UNKNOWN_PATIENCE (6 * SECOND) /* never answered since we started: then unreachable */

/* How alive a member claims to be; ordered. */
struct claim {
	uint64_t incarnation;
	uint64_t refutation;
};

static inline bool claim_less(struct claim a, struct claim b)
{
	if (a.incarnation != b.incarnation)
		return a.incarnation < b.incarnation;
	return a.refutation < b.refutation;
}

struct session {
	bool key_ready, key_bad;
	bool salt_known;
	bool nonce_known; /* incarnation.nonce is: we can seal for it */
	bool hint_known;
	bool parted; /* it said farewell: packets sealed before that prove nothing */
	struct pair_key key;
	struct incarnation incarnation; /* number 0: never heard since we started */
	uint8_t salt[SALT_SIZE];
	/* from its last hello: believed once a sealed packet with that very salt arrives */
	uint8_t hint_salt[SALT_SIZE];
	struct incarnation hint;
	uint32_t hint_wire_min, hint_wire_max;
	struct replay replay; /* of packets under `salt` */
	uint64_t challenge; /* of our hello, 0: none open */
	instant hello_at, welcome_at, farewell_at; /* last sent; 0: never */
};

/* What one author may make us do (GCRA): the boot instant up to which its rate is used up. */
struct budget {
	instant used_up;
};

/* When something of it was last told; 0: never. */
struct alarms {
	struct address clone_address; /* at clone_at: where another process spoke under its key */
	instant clone_at, old_at;
	instant header_at, record_at; /* it was told of our generation (generation.c) */
	instant strayed_at; /* it was greeted where it strayed */
};

/* What is remembered of who was accused, accuses or gave an alarm: few, in a swarm that is well. */
struct dispute {
	struct alarms alarms;
	struct claim verdict; /* the highest claim that a verdict we passed on condemned */
	bool verdict_known;
	enum probe_outcome failed_outcome;
	instant failed_at; /* when a probe we sent for another got no answer; 0: none */
	instant urgent_at; /* last urgent probe to it outside of its suspicion's rhythm */
	struct budget verifying, accusing;
};

struct member {
	node_id id;
	struct node_key key;
	char name[NAME_SHORT]; /* member_name: longer ones lie in membership.names */
	struct address address; /* where it was last proven to be: what is sent goes there ... */
	uint8_t path;           /* ... from this socket */
	bool ever_heard;
	bool greets_us; /* it was admitted after us, while we ran: it comes to us first */
	enum role role : 8; /* small: a large swarm has millions of these */
	enum member_state standing : 8;
	enum reachability state : 8; /* meaningful while active */
	uint32_t paths;         /* index + 1 into the path sets; 0: there is but one way */
	uint32_t wire_min, wire_max; /* as last heard; of this very start once session.nonce_known */
	uint64_t ledger_mark;   /* of what the ledger says of its addresses */
	node_id successor; /* removed because it changed its key: the member it is now; 0: not so */
	uint64_t commit;
	instant since; /* of `state` */
	instant heard;
	struct claim claim;
	uint64_t admitted;  /* index of the entry that made it a member; 0: not known */
	uint32_t suspicion; /* index + 1 into the suspicions, while SUSPECT or UNREACHABLE */
	uint32_t dispute;   /* index + 1 into the disputes; 0: it never had a part in any */
	struct session session;
};

/* ---- member.c ---- */

struct member *member_find(const struct gossip *g, node_id id);
struct member *member_by_address(const struct gossip *g, const struct address *address);
static inline uint32_t member_slot(const struct gossip *g, const struct member *m)
{
	return (uint32_t)(m - g->membership.members);
}
static inline bool member_is_active(const struct member *m)
{
	return m->standing == MEMBER_ACTIVE;
}
/* Active, and REACHABLE in our opinion; never self. */
bool member_is_peer(const struct gossip *g, const struct member *m);
/* The only place where `state` changes; traces REACHABLE when it comes from unknown or unreachable. */
void member_set_state(struct gossip *g, struct member *m, enum reachability state);
/* Proof that it lives: a fresh sealed packet or a frame with this header. */
void member_note_heard(struct gossip *g, struct member *m, const struct envelope *e);
void member_return(struct gossip *g, struct member *m);
/* Raises the claim. True if it was new. */
bool member_claim(struct member *m, struct claim claim);
/* Up to `count` distinct random peers, none of them `not_this`; returns how many. */
uint32_t members_pick(struct gossip *g, uint32_t count, node_id not_this, node_id *out);
/* Spends one use of a budget of `per_second` with bursts of `burst`; false if there is none left. */
bool budget_spend(struct budget *b, instant boot, uint32_t per_second, uint32_t burst);
/* Number of bits of n: log2(n) rounded up for n > 0. */
uint32_t bits_of(uint32_t n);

/* ---- session.c ---- */

struct sessions {
	uint64_t sequence;      /* last one used for sealing; one counter for all peers */
	struct replay_pool replays;
	uint64_t opened;        /* sequence of the packet being handled, 0: it came by frame */
	struct way arrived;     /* how that packet came */
	bool newest;            /* that sequence is above all before */
	bool started;           /* membership_start was called */
	instant started_at;
	instant round_next;     /* no extra greeting round before */
	uint32_t hello_cursor;  /* the greeting round */
	uint32_t hello_pass;
	instant hello_next;     /* NEVER: over */
	uint8_t plain[PACKET_MAX]; /* the opened packet: decoded pointers lead here */
};

void sessions_init(struct gossip *g, struct carve *memory);
/* What the store says of the voters' last starts. */
void sessions_recall(struct gossip *g);
void sessions_start(struct gossip *g);
void sessions_tick(struct gossip *g);
/* Asks who it is now, unless it was asked within the last 200 ms. */
void session_hello(struct gossip *g, struct member *m);
/* `by` heard it from there, and could not open it. */
void session_strayed_to(struct gossip *g, struct member *m, node_id by, const struct address *seen);
/* Somebody is new: in a large swarm those who should be greeted take turns. */
void sessions_newcomer(struct gossip *g, struct member *m);
/* Was everybody greeted as often as a start greets? Before, silence may be our own. */
bool sessions_greeted(const struct gossip *g);
/* Somebody unreachable was heard: perhaps a cut has healed, so greet all the others too. */
void sessions_came_back(struct gossip *g);
/* Forgets what was learned of a member that is one no more. */
void session_close(struct member *m);

/* ---- probe.c ---- */

void probing_init(struct gossip *g, struct carve *memory);
void probing_start(struct gossip *g);
void probing_tick(struct gossip *g);
instant probing_deadline(const struct gossip *g);
void probing_add(struct gossip *g, uint32_t slot); /* a new member takes its turn */
void probing_ring_changed(struct gossip *g);       /* somebody came, went, or changed state */
void probe_member(struct gossip *g, struct member *m);  /* a tracked probe, now, unless one runs */
void probe_urgent(struct gossip *g, struct member *m);  /* an untracked one: "you are suspect" */
void probe_contact(struct gossip *g, struct member *m); /* untracked: anyone there? */
void probe_way(struct gossip *g, struct member *m, const struct way *way); /* ... by that way */
void probe_health(struct gossip *g, int change);
/* Did most of our last probes, whoever they asked, get no answer in time? */
bool probing_mostly_fails(const struct gossip *g);
/* None of them was answered. */
bool probing_always_fails(const struct gossip *g);
void probe_on_probe(struct gossip *g, struct member *m, const struct probe *probe);
void probe_on_ack(struct gossip *g, struct member *m, const struct ack *ack);
void probe_on_request(struct gossip *g, struct member *m, const struct probe_request *request);
void probe_on_report(struct gossip *g, struct member *m, const struct probe_report *report);

/* ---- observers.c ---- */

/* Is the swarm so large that only observers may accuse? */
bool observers_matter(const struct gossip *g);
/* Does its word count about `subject`? In a small swarm everybody's does. */
bool observer_of(const struct gossip *g, node_id who, const struct member *subject);
/* The peer that this node observes on that ring: a slot, or NO_SLOT. Ring 0 is that of the ids. */
uint32_t observed_on(const struct gossip *g, uint32_t ring);

/* ---- suspicion.c ---- */

/* Takes one if it has none yet: there are as many as members. */
struct dispute *dispute_of(const struct gossip *g, struct member *m);
/* NULL: it has none. */
const struct dispute *dispute_known(const struct gossip *g, const struct member *m);
void suspicions_init(struct gossip *g, struct carve *memory);
void suspicions_tick(struct gossip *g);
instant suspicions_deadline(const struct gossip *g);
/* Too many are silent at once: it is this node that is sick, or cut off. */
bool suspicions_sick(const struct gossip *g);
/* Our own probe, sent at `since`, got that outcome. */
void suspicion_accuse(struct gossip *g, struct member *m, instant since, enum probe_outcome outcome);
/* A probe for somebody else failed: one lost packet more, unless others find the same. */
void suspicion_confirm(struct gossip *g, struct member *m, instant since,
                       enum probe_outcome outcome);
/* Do we accuse it with this outcome already, or enough others? Then nothing new was learned. */
bool suspicion_settled(const struct gossip *g, const struct member *m, enum probe_outcome outcome);
/* Somebody else reached it. */
void suspicion_withdraw(struct gossip *g, struct member *m);
/* Heard it ourselves. */
void suspicion_heard(struct gossip *g, struct member *m);
void suspicion_drop(struct gossip *g, struct member *m);
/* It never answered since we started. */
void suspicion_never_heard(struct gossip *g, struct member *m);
/* The claim rose: accusations below it are answered. */
void suspicion_refuted(struct gossip *g, struct member *m);
/* Worth a signature check? */
bool suspicion_wants(const struct gossip *g, const struct item *item);
/* Takes a verified accusation, refutation or verdict; true if it should be passed on. */
bool suspicion_take(struct gossip *g, const struct item *item);
void suspicion_view(const struct gossip *g, const struct member *m, struct member_view *out);

/* ---- spread.c ---- */

void spreading_init(struct gossip *g, struct carve *memory);
void spreading_tick(struct gossip *g);
instant spreading_deadline(const struct gossip *g);
/* Fills author, incarnation and signature of an item of ours. */
void item_sign(struct gossip *g, struct item *item);
/* Pushes to 4 random peers at once and keeps it for piggybacking. Not for facts. */
void spread_rumour(struct gossip *g, const struct item *item);
void spread_fact(struct gossip *g, uint32_t fact);
/* The accusations of `m` below its claim need no spreading any more. */
void spread_forget(struct gossip *g, const struct member *m);

/* Forgets all that is on its way: it was signed for another generation. */
void spread_clear(struct gossip *g);

/* Sends these items to one peer, in as many packets as it takes. */
void spread_directed(struct gossip *g, node_id to, const struct item *items, uint32_t count);

/* ---- fact.c ---- */

void facts_init(struct gossip *g, struct carve *memory);
void facts_start(struct gossip *g); /* what the mind itself says of this node */
void facts_tick(struct gossip *g);  /* once per probe tick: pulls what is pending */
bool facts_want(const struct gossip *g, const struct member *owner, const struct item *item);
/* Takes a verified fact; NO_SLOT if it could not be kept, else its index. */
uint32_t facts_take(struct gossip *g, struct member *owner, node_id from, const struct item *item);
/* The fact as an item that points into the store. False if that version is gone. */
bool facts_item(const struct gossip *g, uint32_t fact, uint64_t version, struct item *out);
uint64_t facts_version(const struct gossip *g, uint32_t fact);
bool facts_own(const struct gossip *g, uint32_t fact);
void facts_drop_owner(struct gossip *g, struct member *owner);
void facts_compare(struct gossip *g, struct member *m, uint64_t summary);
void facts_on_digest(struct gossip *g, struct member *m, const struct digest *digest);
void facts_on_pull(struct gossip *g, struct member *m, const struct fact_pull *pull);
void facts_on_value(struct gossip *g, const struct fact_value *value);

/* ---- clocks.c ---- */

void clocks_init(struct gossip *g, struct carve *memory);
void clocks_start(struct gossip *g);
/* t1 sent here, t2 received there, t3 sent there, t4 received here. */
void clocks_sample(struct gossip *g, struct member *m, instant t1, instant t2, instant t3,
                   instant t4);
void clocks_tick(struct gossip *g); /* once per probe tick: the "clock" fact */
void clocks_view(const struct gossip *g, const struct now *now, const struct member *m,
                 struct member_view *out);

/* ---- sounding.c ---- */

void soundings_init(struct gossip *g, struct carve *memory);
/* Was it an answer to a sounding? Then no probe waits for it. */
bool sounding_on_ack(struct gossip *g, const struct member *m, const struct ack *ack);
void sounding_forget(struct gossip *g, const struct member *m);
void sounding_view(const struct gossip *g, const struct member *m, struct member_view *out);

#endif
