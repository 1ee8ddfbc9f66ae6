/*
 * ledger.h: what committed entries mean. A deterministic function from entries to rows.
 *
 * It never reads a clock: where time decides (a token's expiry) the proposing master judged by its
 * wall clock and committed the judgement (command.judged_wall).
 *
 * Tables, by the first byte of a row's key:
 *     'k' + key     kv_row          'm' + node id (8)  member_row
 *     't' + id (8)  token_row       'o' + node id (8)  origin_row: answers already given
 *     'g' + number (8)  struct seized: the founding record of that generation (generation.h)
 *     's' + "level"  one byte: level.h
 *     'r' + kind + name  kv_row: transaction.h
 *
 * Invariants
 *   1. Two nodes that applied the same index hold the same rows, epoch and claimant.
 *   2. A request id is applied at most once; a repeat gets the first answer, or FORGOTTEN.
 *   3. The epoch strictly increases; a CLAIM of an epoch not above the present one changes nothing.
 *   4. A removed member's row stays for ever; its key is never admitted again.
 */
#ifndef ESSAIM_LEDGER_H
#define ESSAIM_LEDGER_H

#include "gossip.h"

struct carve;

/* Stored in replies: never renumber. */
enum outcome {
	LEDGER_DONE = 0,
	LEDGER_VERSION = 1,
	LEDGER_NOT_FOUND = 2,
	LEDGER_TOKEN_UNKNOWN = 3,
	LEDGER_TOKEN_USED = 4,
	LEDGER_TOKEN_REVOKED = 5,
	LEDGER_TOKEN_EXPIRED = 6,
	LEDGER_NAME_TAKEN = 7,
	LEDGER_KEY_REMOVED = 8,
	LEDGER_ALREADY_MEMBER = 9,
	LEDGER_ID_TAKEN = 10,
	LEDGER_MEMBER_UNKNOWN = 11,
	LEDGER_LAST_NODE = 12,
	LEDGER_FULL = 13,
	LEDGER_FORGOTTEN = 14,
	LEDGER_MEMBERS_FULL = 15,
	LEDGER_WIRE_OLD = 16,
	LEDGER_UNSIGNED = 17,
	LEDGER_EPOCH = 18,
	LEDGER_OUTCOMES
};

struct result {
	enum outcome outcome;
	uint64_t version, index;
};

struct ledger {
	uint64_t epoch;
	struct owner claimant; /* of that epoch */
	struct ballot applied_ballot;
	instant checkpoint_at;
	uint64_t checkpointed; /* applied index of the last checkpoint */
	uint64_t unwritten;    /* bytes of the entries applied since */
	uint8_t *snapshot;     /* a serialised state, pinned for laggards */
	uint32_t snapshot_capacity, snapshot_size;
	uint64_t snapshot_index;
	uint64_t snapshot_epoch;
	struct owner snapshot_claimant;
	struct ballot snapshot_ballot;
	uint8_t *value;   /* scratch for encoding one row */
	node_id gone;     /* left or removed by the entry being applied: told after its asker */
	uint32_t members; /* member rows, removed ones too */
	uint32_t tokens;
};

/* One sentence for a person; "" for LEDGER_DONE. */
const char *outcome_text(enum outcome outcome);

void ledger_init(struct gossip *g, struct carve *memory);
/* After loading: tells membership every member row. */
void ledger_loaded(struct gossip *g);

/* Applies everything committed and not applied yet; answers whoever waits; checkpoints when due. */
void ledger_catch_up(struct gossip *g);
void ledger_tick(struct gossip *g);
instant ledger_deadline(const struct gossip *g);

/* Writes changed rows and the applied index in one transaction, and trims the log in the store. */
void ledger_checkpoint(struct gossip *g);

/* Applies one command to the rows (apply.c). */
struct result ledger_apply(struct gossip *g, uint64_t index, const struct command *command);

/* Removes all of these at once, and revokes every token: a new generation (generation.c). */
void ledger_bury(struct gossip *g, uint64_t index, instant wall, const node_id *dead, uint32_t count);

/* Tells membership and life of the member that the entry just applied took away, if any. */
void ledger_tell_gone(struct gossip *g);

/*
 * What a redemption would come to now: of the node itself (LEDGER_DONE, ALREADY_MEMBER, KEY_REMOVED,
 * ID_TAKEN, NAME_TAKEN, MEMBERS_FULL), and of the token at that time.
 */
enum outcome ledger_admission(struct gossip *g, const struct member_record *who);
enum outcome ledger_token_judge(const struct token_row *token, instant wall);

/* The answer already given to a request: true if known (or forgotten). */
bool ledger_replied(struct gossip *g, const struct request_id *id, struct result *out);

/* Reading rows. False if not there. Pointers: into the rows or the core's arena, until the next step. */
bool ledger_token(const struct gossip *g, uint64_t token, struct token_row *out);
bool ledger_kv(const struct gossip *g, struct bytes key, struct kv_row *out);

/* Serialises the state as of now for laggards (pinned until the next call), if not pinned already. */
void ledger_pin_snapshot(struct gossip *g);
/* Replaces all rows by a complete serialised state. False: malformed, nothing changed. */
bool ledger_install(struct gossip *g, const struct snapshot *head, struct bytes state);

/* True if that many bytes more would leave too little room for what must always fit. */
bool ledger_nearly_full(const struct gossip *g, size_t grows);
/* Writes a row of a table that holds kv_rows; the room was seen to. */
void ledger_put_kv(struct gossip *g, struct bytes key, const struct kv_row *row);

/* Row keys. `out` holds KEY_MAX_SIZE + 1. */
struct bytes row_key(uint8_t *out, char table, struct bytes key);
struct bytes row_key_id(uint8_t out[9], char table, uint64_t id);

#endif
