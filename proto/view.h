/*
 * view.h: read-only rows of membership, facts and ledger, as the mind shows them to bodies, to
 * the command line and (later) to the operation engine.
 *
 * Pointers are valid until the next gossip_step.
 */
#ifndef ESSAIM_VIEW_H
#define ESSAIM_VIEW_H

#include "message.h"

enum reachability {
	REACHABILITY_UNKNOWN = 0, /* never heard since we started */
	REACHABLE = 1,
	SUSPECT = 2,
	UNREACHABLE = 3,
	GONE_LEFT = 4,
	GONE_REMOVED = 5,
};

enum standing {
	STANDING_BLANK = 0,   /* waits for init or join */
	STANDING_STARTING = 1, /* durable incarnation not written yet */
	STANDING_JOINING = 2,
	STANDING_MEMBER = 3,
	STANDING_LEAVING = 4,
	STANDING_LEFT = 5,
	STANDING_REMOVED = 6,
	STANDING_OLD_GENERATION = 7,
	STANDING_STOPPED = 8,
	STANDING_REKEYED = 9, /* goes on with another key, as another id */
};

struct accuser_view {
	node_id node;
	uint32_t health;
	enum probe_outcome outcome;
	instant since_boot;
};

/* One of our sockets and one of its addresses. */
enum path_state {
	PATH_UNKNOWN = 0, /* never answered since it was heard of, or since the member was reachable */
	PATH_UP = 1,
	PATH_DOWN = 2, /* silent, while the member answers by another */
};

struct path_view {
	struct address local, remote;
	enum path_state state;
	bool used;           /* what we send to it goes by this one */
	duration round_trip; /* -1: unknown */
	duration heard_ago;  /* -1: never */
};

#define PATHS_MAX (ADDRESSES_MAX * ADDRESSES_MAX)

struct member_view {
	node_id id;
	const struct node_key *key;
	char name[NAME_MAX_SIZE + 1];
	struct address address;
	enum role role;
	bool self, voter, master;
	enum reachability state;
	uint64_t incarnation; /* number; 0 if never heard */
	duration since;       /* how long in this state */
	duration heard_ago;   /* since we heard anything sealed by it; -1: never */
	node_id successor; /* removed because its key was changed: the id it has now; 0: not so */
	uint32_t wire_min, wire_max; /* as last heard */
	bool cloned; /* another process spoke under its key, the last time: */
	struct address clone_address;
	duration clone_ago;
	uint32_t accuser_count;
	struct accuser_view accusers[ACCUSERS_MAX];
	/* clock: best recent sample, its wall clock less ours */
	bool clock_known;
	duration clock_offset, clock_error, round_trip;
	/* soundings in a row of which the small packet was acked and the large one was not; of which neither was,
	 * though it was heard meanwhile */
	uint32_t large_lost, unheard;
	/* every pair of one family; none of ourselves */
	uint32_t path_count;
	struct path_view paths[PATHS_MAX];
};

struct fact_view {
	node_id owner;
	struct bytes key;
	struct bytes value; /* empty if tombstone, or big and not yet pulled */
	uint64_t incarnation, version;
	bool tombstone, pending;
	duration age; /* since it reached this node */
};

struct token_view {
	uint64_t token;
	enum role role;
	instant expires_wall;
	uint32_t uses_left;
	bool revoked;
};

/* One row of `cluster show`: the table is proto/setting.h's. */
struct setting_view {
	const char *name, *legal, *meaning;
	struct bytes value; /* committed, or the standard one; valid until the next call */
	bool set;           /* somebody set it */
	instant changed_wall;
};

#define VOTERS_WHY_MAX 320

/* Why the voters are as they are, as this node sees it. The voters themselves: status_view.config. */
struct voters_view {
	uint32_t wanted;
	char why[VOTERS_WHY_MAX]; /* one sentence */
};

struct kv_view {
	struct bytes key; /* without its table */
	struct bytes value;
	uint64_t version;
	instant changed_wall;
};

/* Reasons for which input was dropped; counted for ever, shown by `status`. */
enum drop_reason {
	DROP_SHORT = 0,      /* too short or too long for a packet */
	DROP_STRANGER,       /* sender is no member we know */
	DROP_SEAL,           /* does not open: forged, other cluster or generation, old incarnation */
	DROP_REPLAY,         /* sequence seen before, or older than the window */
	DROP_OLD_INCARNATION, /* sender's incarnation is below the one we know */
	DROP_CLONE,          /* same incarnation, other salt: one key in two places */
	DROP_MALFORMED,      /* sealed, but not a legal message */
	DROP_SIGNATURE,      /* an item that its author did not sign */
	DROP_BUDGET,         /* verification or accusation budget of that author used up */
	DROP_REMOVED,        /* sender or author was removed */
	DROP_NOT_HELLO,      /* sealed for an unknown incarnation, yet no hello */
	DROP_NOT_READY,      /* this node is blank, starting or stopped */
	DROP_OUTPUT,         /* our own output was full: a send was dropped */
	DROP_VERSION,        /* wire version out of our range */
	DROP_GENERATION,     /* a frame of another generation: its sender is told */
	DROP_REASONS
};

/* Stable lower-case names for JSON, e.g. "old_incarnation". */
const char *drop_reason_name(enum drop_reason reason);
const char *reachability_name(enum reachability state);
const char *standing_name(enum standing standing);
const char *path_state_name(enum path_state state); /* "unknown", "up", "down" */
const char *role_name(enum role role);
const char *profile_name(enum profile profile);

/* How far this node is with a seizure of its own. */
enum seize_phase {
	SEIZE_IDLE = 0,
	SEIZE_SURVEYING = 1, /* asks everybody: the logs, the consent, signs of life of those named dead */
	SEIZE_WAITING = 2,   /* until every lease of the old generation is over */
	SEIZE_FOUNDING = 3,  /* until it is durable */
};

/* What `g` rows keep: the audit of one founding. */
struct generation_view {
	uint64_t number;
	struct hash hash, old; /* its own; of the generation that it continues */
	bool restored;         /* from a backup; else seized */
	node_id by;
	instant wall;   /* of its founder */
	uint64_t index; /* of the founding entry */
	uint32_t dead_count, followed_count;
	const node_id *dead;     /* removed: by the operator's word they will never run again */
	const node_id *followed; /* consented, and came along */
};

const char *seize_phase_name(enum seize_phase phase); /* "idle", "surveying", ... */

struct status_view {
	enum standing standing;
	struct cluster_id cluster;
	struct generation generation;
	node_id self;
	char name[NAME_MAX_SIZE + 1];
	struct config config;
	bool master_known;
	node_id master;
	char master_name[NAME_MAX_SIZE + 1];
	uint64_t epoch;
	bool self_master;
	duration lease_left;   /* at the master its authority; elsewhere the grant as this voter sees it */
	uint32_t voters_total, voters_reachable, voters_needed;
	uint32_t members_total, members_reachable;
	uint64_t commit, applied;
	uint32_t level; /* wire version that the whole cluster agreed on (gossip/level.h) */
	uint32_t health; /* own local health score, 0 is well */
	bool votes; /* false: quarantine, or disk trouble (see disk_failed) */
	bool disk_failed;
	duration quarantine_left;
	enum seize_phase seizing;
	node_id consented_to; /* its seizure is under way: this node does not vote until it ends; 0: none */
	node_id superseded_by; /* OLD_GENERATION: who founded the one that goes before ours; 0: unknown */
	bool superseded_by_rival; /* ... from the same old one as ours, not from ours */
	uint64_t dropped[DROP_REASONS];
};

#endif
