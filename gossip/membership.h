/*
 * membership.h: who is a member (decided by the ledger), who is reachable (an opinion), what each
 * says of itself (facts), and the sealed sessions over which all of it travels.
 *
 *     UNKNOWN --heard--> REACHABLE --probe failed, or accused--> SUSPECT --time and accusers--> UNREACHABLE
 *                            ^--------- refuted / heard ------------/                               |
 *                            ^--------------------------- heard ------------------------------------/
 *
 * Invariants
 *   1. Only the ledger adds, leaves or removes a member (members_put). A removed one never returns.
 *   2. A refusal (ICMP, reset) starts indirect probes at once and counts as one accuser.
 *   3. Nobody becomes unreachable on one accuser's word while two others could be asked.
 *   4. Hearing a packet sealed by X for our present incarnation is proof that X lives.
 *   5. Facts are shown and relayed exactly as signed by their owner.
 *
 * Sources: SWIM (DSN 2002), Lifeguard (arXiv 1707.00788), Scuttlebutt (LADIS 2008).
 */
#ifndef ESSAIM_MEMBERSHIP_H
#define ESSAIM_MEMBERSHIP_H

#include "gossip.h"

struct carve;
struct member;

/* How a packet goes or came: one of the body's sockets, and an address of the peer's. */
struct way {
	uint32_t path; /* index into settings.local */
	struct address to;
};

/* Defined in member.h; sized by settings.members_max. */
struct membership {
	struct member *members; /* in admission order; slots are never reused */
	char (*names)[NAME_MAX_SIZE + 1]; /* by slot; touched only for long ones */
	uint32_t count, capacity;
	uint32_t *index; /* hash of node_id -> slot + 1 and some of the hash; open addressing, power of two */
	uint32_t index_mask;
	uint32_t active;    /* active members, self included */
	uint32_t reachable; /* active members now REACHABLE or SUSPECT, self included */
	uint32_t health;    /* local health score: 0 is well, 8 is sick (Lifeguard) */
	uint64_t refutation; /* own refutation counter; the lease's incarnation is another thing */
	struct probing *probing;
	struct suspicions *suspicions;
	struct spreading *spreading;
	struct facts *facts;
	struct sessions *sessions;
	struct clocks *clocks;
	struct sounding *soundings; /* by slot */
	struct paths *paths;
	uint32_t moved_cursor; /* addresses.c */
};

void membership_init(struct gossip *g, struct carve *memory);
void membership_start(struct gossip *g); /* incarnation is durable: hello to everyone we remember */
void membership_tick(struct gossip *g);
instant membership_deadline(const struct gossip *g);

/*
 * The ledger's word on one member: adds it, or updates name, address, state. Removed and left
 * members keep their slot as a tombstone. Called for every member row at load, snapshot and apply.
 */
void members_put(struct gossip *g, const struct member_row *row);
/* A peer named by a `joined` answer, before the snapshot brings its row. */
void members_hint(struct gossip *g, const struct peer_hint *peer);

/* INPUT_SOUND: sounding.c */
void sounding_start(struct gossip *g, node_id to);

/* Active (not left, not removed) member? */
bool member_active(const struct gossip *g, node_id id);
/* Is it REACHABLE (or self)? SUSPECT counts as reachable only if `or_suspect`. */
bool member_reachable(const struct gossip *g, node_id id, bool or_suspect);
/* Proven alive by a sealed packet within `within` of now. */
bool member_heard(const struct gossip *g, node_id id, duration within);
/* Incarnation number known by a sealed packet; 0 if none. */
uint64_t member_incarnation(const struct gossip *g, node_id id);
const char *member_name(const struct gossip *g, node_id id); /* "" if unknown */
const struct node_key *member_key(const struct gossip *g, node_id id); /* NULL if unknown */
/* How to reach it now. */
bool member_way(const struct gossip *g, node_id id, struct way *out);
/* All its addresses, the one in use first. */
bool member_addresses(const struct gossip *g, node_id id, struct addresses *out);
enum role member_role(const struct gossip *g, node_id id);
/* Removed because it changed its key: the id it has now; 0: not so. */
node_id member_successor(const struct gossip *g, node_id id);
uint64_t member_commit(const struct gossip *g, node_id id); /* commit index it last told us */
/* The highest wire version it was last heard to speak, or spoke when it was admitted; 0 if unknown. */
uint32_t member_wire_max(const struct gossip *g, node_id id);
bool member_wire_known(const struct gossip *g, node_id id); /* ... of its present start */
uint32_t members_active(const struct gossip *g); /* how many, self included */
uint32_t members_room(const struct gossip *g); /* how many more ids this node can remember */
/* Between two bursts of which every member sends its own: at least so long for each active member. */
duration swarm_gap(const struct gossip *g, duration least, duration per_member);
/* The id of the active member at `position` among `count` slots, 0 if that slot is not active. */
node_id member_id_at(const struct gossip *g, uint32_t position);
/* A random reachable member other than self and `not_this`; 0 if none. */
node_id member_random(struct gossip *g, node_id not_this);

/*
 * Opens a packet: finds the sender's session, checks seal, incarnation and replay. On success
 * fills *e (pointing into g->packet_arena), notes that the sender lives, takes the items, and
 * returns the sender; otherwise counts the reason and returns 0. Hellos and welcomes are handled
 * inside and return 0.
 */
node_id session_open(struct gossip *g, const struct way *from, struct bytes packet,
                     struct envelope *e);
/*
 * Seals an encoded envelope of `size` bytes that lies in `plain` for `to` and adds the packet
 * effect. If the peer's incarnation is not known yet, a hello goes instead and the message is
 * dropped (the network may lose anything). Returns false if nothing could be sent. `by`: NULL for
 * the way in use.
 */
bool session_send(struct gossip *g, node_id to, const struct way *by, enum message_kind kind,
                  const uint8_t *plain, size_t size);
/* Notes from a frame's header (sender proven by the stream). False: of an older incarnation, dropped. */
bool session_heard_frame(struct gossip *g, node_id from, const struct envelope *e);

/* The keys, and what was signed, of the generation before are of no use any more. */
void sessions_new_generation(struct gossip *g);
void facts_new_generation(struct gossip *g);

/* Handles MESSAGE_PROBE .. MESSAGE_FAREWELL from a proven sender. */
void membership_message(struct gossip *g, node_id from, const struct envelope *e, bool by_frame,
                        uint64_t stream);
/* Takes gossip items (verifies, applies, relays). */
void membership_items(struct gossip *g, node_id from, const struct envelope *e);
void membership_refused(struct gossip *g, const struct address *from);
void membership_knocked(struct gossip *g, node_id node, enum knock_result result);

/* Fills e->items with what waits to be spread and fits into `room` bytes (codec.h: item_size). */
void spread_fill(struct gossip *g, node_id to, struct envelope *e, size_t room);
uint64_t facts_summary(const struct gossip *g);

/* A fact of this node: signs it, stores it, pushes it to 4 peers at once. value.data NULL: tombstone. */
void facts_publish(struct gossip *g, struct bytes key, struct bytes value);
/* The value of a fact of `owner`; data NULL if none. */
struct bytes facts_value(const struct gossip *g, node_id owner, struct bytes key);

/* Says to everyone we know that this process stops (or left). */
void membership_farewell(struct gossip *g, enum farewell_reason reason);

bool membership_view_at(const struct gossip *g, const struct now *now, uint32_t position,
                        struct member_view *out);
bool membership_view(const struct gossip *g, const struct now *now, node_id id,
                     struct member_view *out);
bool facts_view_at(const struct gossip *g, const struct now *now, uint32_t position,
                   struct fact_view *out);

#endif
