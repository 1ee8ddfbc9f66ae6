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
};

struct accuser_view {
	node_id node;
	uint32_t health;
	enum probe_outcome outcome;
	instant since_boot;
};

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
	uint32_t wire_min, wire_max;
	uint32_t accuser_count;
	struct accuser_view accusers[ACCUSERS_MAX];
	/* clock: best recent sample, its wall clock less ours */
	bool clock_known;
	duration clock_offset, clock_error, round_trip;
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
	DROP_REASONS
};

/* Stable lower-case names for JSON, e.g. "old_incarnation". */
const char *drop_reason_name(enum drop_reason reason);
const char *reachability_name(enum reachability state);
const char *standing_name(enum standing standing);
const char *role_name(enum role role);
const char *profile_name(enum profile profile);

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
	uint32_t health; /* own local health score, 0 is well */
	bool votes; /* false: quarantine, or disk trouble (see disk_failed) */
	bool disk_failed;
	duration quarantine_left;
	uint64_t dropped[DROP_REASONS];
};

#endif
