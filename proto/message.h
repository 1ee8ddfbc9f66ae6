/*
 * message.h: what peers say to each other, as plain structs, and what the ledger's entries hold.
 *
 * An envelope is the content of one sealed packet or one stream frame: a header, one message, and
 * gossip items that ride along where there is room. codec.h turns it into bytes and back; nothing
 * else knows the wire layout.
 *
 * Invariants
 *   1. Decoded pointers (struct bytes, arrays) point into the codec's arena or into the packet and
 *      are valid until the next decode with that arena.
 *   2. Every count and size is within words.h's limits after a successful decode.
 *   3. Unknown fields are skipped; an unknown message kind decodes as MESSAGE_NONE and its items
 *      are still taken.
 *
 * Sources: SWIM (Das et al., DSN 2002), Lifeguard (arXiv 1707.00788), Scuttlebutt (van Renesse
 * 2008) for membership and facts; the lease's messages are lease.md's.
 */
#ifndef ESSAIM_MESSAGE_H
#define ESSAIM_MESSAGE_H

#include "words.h"

enum message_kind {
	MESSAGE_NONE = 0,
	/* sessions */
	MESSAGE_HELLO,   /* "who are you now?": the only thing taken before the incarnation is known */
	MESSAGE_WELCOME, /* the answer to a hello: my incarnation, for your additional data */
	/* membership */
	MESSAGE_PROBE,
	MESSAGE_ACK,
	MESSAGE_PROBE_REQUEST, /* please probe `target` for me */
	MESSAGE_PROBE_REPORT,  /* what came of it */
	MESSAGE_GOSSIP,        /* nothing but items */
	MESSAGE_DIGEST,        /* my versions; send me what I lack */
	MESSAGE_FACT_PULL,     /* send me this big value */
	MESSAGE_FACT_VALUE,
	MESSAGE_FAREWELL, /* I stop cleanly / you are removed / your generation is old */
	/* lease and ledger */
	MESSAGE_PREPARE,
	MESSAGE_PROMISE,
	MESSAGE_REJECT,
	MESSAGE_ACCEPT,
	MESSAGE_ACCEPTED,
	MESSAGE_RELEASE,
	MESSAGE_OFFER,
	MESSAGE_READY,
	MESSAGE_TRANSFER,
	MESSAGE_FETCH,    /* I have applied this far; send what follows */
	MESSAGE_ENTRIES,  /* committed entries, for learners */
	MESSAGE_SNAPSHOT, /* a chunk of the whole state */
	/* requests */
	MESSAGE_REQUEST,
	MESSAGE_ANSWER,
	MESSAGE_JOIN,
	MESSAGE_JOINED,
	/* a new generation (gossip/seize.h) */
	MESSAGE_SURVEY,
	MESSAGE_SURVEY_ANSWER,
	MESSAGE_SEIZED,
	/* the doctor at the door (gossip/inquiry.c) */
	MESSAGE_INQUIRY,
	MESSAGE_INQUIRED,
	/* operations: from one node's engine to another's (wire version 3) */
	MESSAGE_ENGINE,
	MESSAGE_KINDS
};

/* ---- sessions ---- */

struct hello {
	struct incarnation incarnation; /* the sender's */
	uint64_t challenge;             /* echoed by the answer */
	uint32_t wire_min, wire_max;
};

struct welcome {
	struct incarnation incarnation;
	uint64_t challenge;
	uint32_t wire_min, wire_max;
};

/* ---- membership ---- */

struct probe {
	uint64_t sequence;
	instant sent_wall; /* t1 */
	bool urgent;       /* the sender suspects you: see the items (buddy) */
	uint32_t padding;  /* so many bytes more, of no meaning: does a packet of that size arrive? */
};

struct ack {
	uint64_t sequence;
	instant received_wall; /* t2 */
	instant sent_wall;     /* t3 */
};

struct probe_request {
	uint64_t sequence;
	node_id target;
	struct address seen; /* family 0: just probe it */
};

enum probe_outcome {
	OUTCOME_ALIVE = 1,   /* target acked */
	OUTCOME_SILENT = 2,  /* no answer */
	OUTCOME_REFUSED = 3, /* ICMP or reset: unauthenticated, one accuser, never a verdict */
	OUTCOME_HOST_UP = 4, /* its kernel takes connections, the daemon does not answer */
};

struct probe_report {
	uint64_t sequence;
	node_id target;
	enum probe_outcome outcome;
};

struct digest_entry {
	node_id owner;
	uint64_t incarnation; /* the highest of the owner's facts that I have */
	uint64_t version;     /* XOR over the marks of those facts: a highest version would hide gaps */
};

struct digest {
	uint32_t count;
	bool reply; /* an answer to a digest: do not answer again */
	struct digest_entry entries[DIGEST_ENTRIES_MAX];
};

struct fact_pull {
	node_id owner;
	struct bytes key;
	struct hash hash;
};

struct fact_value {
	node_id owner;
	struct bytes key;
	struct hash hash;
	struct bytes value;
};

enum farewell_reason {
	FAREWELL_STOPPING = 1,
	FAREWELL_LEFT = 2,
	FAREWELL_REMOVED = 3,        /* you were removed: stop */
	FAREWELL_OLD_GENERATION = 4, /* node reset, then join */
	FAREWELL_OLD_SELF = 5, /* another process with your key had an incarnation up to `known` */
	FAREWELL_RIVAL_GENERATION = 6, /* ours goes before yours: node reset, then join */
	FAREWELL_WIRE_OLD = 7, /* the cluster speaks wire version `known`, above yours: upgrade */
};

struct farewell {
	enum farewell_reason reason;
	node_id by; /* who says so */
	uint64_t known; /* OLD_SELF, WIRE_OLD; REMOVED: the node_id that its key was changed to, 0: none */
};

/* ---- gossip items: signed by their author, relayed unchanged ---- */

enum item_kind { ITEM_FACT = 1, ITEM_ACCUSATION = 2, ITEM_REFUTATION = 3, ITEM_VERDICT = 4 };

/*
 * A fact of `author`: (key, version) -> value. Tombstone: no value. Big: `value` empty and
 * `hash`/`size` say what to pull. The signature covers {cluster, generation, kind, author,
 * incarnation, version, key, tombstone, hash of the value, size, made_wall}.
 */
struct fact_item {
	struct bytes key;
	uint64_t version; /* grows over all facts of one author within an incarnation */
	bool tombstone;
	bool big;
	struct hash hash;
	uint32_t size;
	struct bytes value;
	instant made_wall; /* the author's wall clock when it made the fact: shown, never compared */
};

/* `author` got no answer from `subject` in that incarnation. */
struct accusation_item {
	node_id subject;
	uint64_t subject_incarnation;
	uint64_t subject_refutation; /* the refutation counter this accuses */
	enum probe_outcome outcome;
	uint32_t health; /* the accuser's own local health score: 0 is well, 8 is sick */
	uint64_t version;
};

/* `author` (the subject itself) is alive: it raises its own counter. */
struct refutation_item {
	uint64_t refutation;
};

/* `author` declares the subject unreachable, on the word of these accusers. */
struct verdict_item {
	node_id subject;
	uint64_t subject_incarnation;
	uint64_t subject_refutation;
	uint32_t accuser_count;
	node_id accusers[ACCUSERS_MAX];
	uint32_t healths[ACCUSERS_MAX];
	uint64_t version;
};

struct item {
	enum item_kind kind;
	node_id author;
	uint64_t incarnation; /* the author's incarnation number */
	uint8_t signature[SIGNATURE_SIZE];
	union {
		struct fact_item fact;
		struct accusation_item accusation;
		struct refutation_item refutation;
		struct verdict_item verdict;
	};
};

/* ---- lease and ledger (lease.md, Messages) ---- */

struct grant {
	struct owner owner; /* node 0: none live */
	struct ballot ballot;
	uint64_t round;
	duration left; /* for how long the voter still excludes others: a hint for the back-off */
};

struct entry {
	uint64_t index;
	struct ballot ballot;
	struct bytes command; /* codec.h: command_encode */
};

struct prepare {
	struct ballot ballot;
	struct owner owner;
	struct config config;
	uint64_t commit;      /* the candidate wants what was accepted above this index */
	struct ballot last_ballot;
	uint64_t last_index;
};

struct promise {
	struct ballot ballot;
	struct config config;
	struct grant grant; /* the voter's live grant, if any (then the promise is not open) */
	uint64_t commit;
	uint32_t entry_count;
	const struct entry *entries; /* everything this voter accepted above the candidate's commit */
};

enum reject_reason {
	REJECT_PROMISED = 1, /* promised a higher ballot */
	REJECT_GRANT = 2,    /* another owner's grant is live */
	REJECT_CONFIG = 3,   /* the message's config is older than the voter's */
	REJECT_LAGGING = 4,  /* the candidate lacks entries that this voter no longer holds: catch up */
	REJECT_SLOW = 5,     /* the owner's clock runs slow beyond rho/2 */
	REJECT_OLD_SELF = 6, /* your incarnation is not above the last one known: clone or old disk */
	REJECT_ROUND = 7,    /* older round, or log does not match (TRANSFER) */
	REJECT_UNFIT = 8,    /* of an OFFER: own health or disk is bad (wire version 2) */
};

struct reject {
	struct ballot ballot; /* of the refused message */
	enum reject_reason reason;
	struct ballot promised;
	struct config config;
	struct grant grant;
	uint64_t commit;
};

struct accept {
	struct ballot ballot;
	struct owner owner;
	uint64_t round;
	uint64_t claim_index;
	uint64_t commit;
	struct ballot config_ballot; /* the config this round counts in */
	uint64_t config_version;
	bool has_config;
	struct config config;
	uint64_t first_index; /* of entries, or where they would begin */
	uint32_t entry_count;
	const struct entry *entries;
	/* rate guard: owner's elapsed time at sending; the voter clock of its last answer, echoed with
	 * the owner's elapsed time when that answer arrived (0: none yet) */
	duration owner_sent;
	duration echo_voter;
	duration echo_received;
};

struct accepted {
	struct ballot ballot;
	uint64_t round;
	struct ballot config_ballot;
	uint64_t config_version;
	uint64_t match; /* this voter's log agrees with the ballot's log up to here, durably */
	uint64_t commit;
	duration voter_clock;
};

struct release {
	struct owner owner;
	struct ballot ballot;
};

struct offer {
	struct ballot ballot; /* b_m */
	uint64_t last_index;
};

struct ready {
	struct ballot ballot; /* b_m */
	struct ballot successor;
	struct owner owner; /* T */
};

struct transfer {
	struct ballot ballot;    /* b_m */
	struct owner from;       /* M */
	struct ballot successor; /* b_m with hop + 1 */
	struct owner owner;      /* T */
	uint64_t last_index;     /* of M's log */
	struct ballot last_ballot;
	struct bytes claim; /* T's CLAIM, entry last_index + 1 */
	uint64_t round;
	struct ballot config_ballot;
	uint64_t config_version;
	uint64_t commit;
	/* signed by M over all of the above, so that T may resend it */
	uint8_t signature[SIGNATURE_SIZE];
};

struct fetch {
	uint64_t applied;
	uint64_t snapshot_index; /* continuing this snapshot; 0: none */
	uint64_t snapshot_offset;
};

struct entries {
	uint64_t commit; /* all of `entries` are <= commit */
	struct config config;
	uint32_t entry_count;
	const struct entry *entries;
};

struct snapshot {
	uint64_t index; /* applied index of the state */
	struct ballot ballot;
	struct config config;
	uint64_t epoch;
	struct owner claimant; /* of that epoch */
	uint64_t offset, total;
	struct bytes chunk;
};

/* ---- requests ---- */

/* Unique for ever: sequence grows within one incarnation of the node that took it from its user. */
struct request_id {
	node_id origin;
	uint64_t incarnation;
	uint64_t sequence;
};

enum answer_code {
	ANSWER_DONE = 0,
	ANSWER_REFUSED = 1,   /* `text` says why; nothing was changed */
	ANSWER_NO_MASTER = 3, /* nothing was sent that may still commit */
	ANSWER_UNKNOWN = 4,   /* it may still commit */
	ANSWER_NOT_MASTER = 5, /* internal: ask the master named in `master` */
	ANSWER_BUSY = 6,      /* internal: try again shortly */
	ANSWER_PROGRESS = 7,  /* of COMMAND_ENGINE: `value` tells how far it is; the answer comes later */
};

struct answer {
	struct request_id request;
	enum answer_code code;
	uint64_t index;   /* where it committed */
	uint64_t version; /* of a kv row; of a hand-over: ns for which nobody acted, at most (0: not known) */
	uint64_t epoch;
	node_id master;   /* ANSWER_NOT_MASTER; of a hand-over: who is master now */
	bool found;
	struct bytes value;
	struct bytes text; /* one sentence */
};

enum command_kind {
	COMMAND_NOOP = 0,
	COMMAND_CLAIM,
	COMMAND_KV_PUT,
	COMMAND_KV_DELETE,
	COMMAND_KV_GET, /* never in the log: a leased read */
	COMMAND_TOKEN_CREATE,
	COMMAND_TOKEN_REVOKE,
	COMMAND_TOKEN_REDEEM,
	COMMAND_MEMBER_REMOVE,
	COMMAND_MEMBER_LEAVE,
	/* of wire version 2: refused while the ledger's level is 1 (gossip/level.h) */
	COMMAND_SETTING_PUT,      /* key, value: as text (proto/setting.h) */
	COMMAND_MASTER_TRANSFER,  /* never in the log: subject, 0: whoever is fit */
	COMMAND_LEVEL,
	COMMAND_MEMBER_REKEY,
	COMMAND_MEMBER_ADDRESSES, /* subject; member: address and more; key and name are not looked at */
	COMMAND_SEIZED,
	/* of wire version 3 */
	COMMAND_REGISTRY, /* epoch; changes: of the master's engine, whole or not at all */
	COMMAND_ENGINE,   /* never in the log: value, a user's request to the master's engine */
	COMMAND_KINDS
};

#define NO_VERSION UINT64_MAX /* kv: no condition */

struct member_record {
	struct node_key key;
	struct bytes name;
	struct address address;
	struct addresses more; /* its others: not signed, since a node of wire version 1 skips them */
	enum role role;
	uint32_t wire_min, wire_max;
	uint64_t incarnation; /* at admission */
	uint8_t signature[SIGNATURE_SIZE]; /* by that key, over the token id and the record */
	/* a changed key: the one before (zero: none), and its signature over both (rekey_statement) */
	struct node_key old_key;
	uint8_t old_signature[SIGNATURE_SIZE];
};

/* One row of a registry transaction. */
struct row_change {
	struct bytes key; /* kind and name (registry.h), without the ledger's own table byte */
	bool removed;
	struct bytes value;  /* of which the ledger knows nothing */
	uint64_t if_version; /* NO_VERSION: any; 0: must not exist; else: exactly this one */
};

struct command {
	enum command_kind kind;
	struct request_id request;
	instant judged_wall; /* the proposing master's wall clock: committed, never re-judged */
	/* claim */
	uint64_t epoch;
	struct owner owner;
	struct ballot ballot;
	/* kv */
	struct bytes key;
	struct bytes value;
	uint64_t if_version; /* NO_VERSION: none; 0: must not exist */
	/* tokens */
	uint64_t token;
	struct hash token_hash;
	instant token_expires_wall;
	uint32_t token_uses;
	enum role role;
	/* members */
	struct member_record member;
	node_id subject;
	uint32_t level; /* COMMAND_LEVEL */
	/* COMMAND_REGISTRY */
	uint32_t change_count;
	struct row_change changes[ROW_CHANGES_MAX];
};

struct request {
	struct command command; /* its request id names the asker */
	duration patience;      /* how long the asker still waits */
};

/* On a stream whose handshake proved the token. */
struct join {
	uint64_t token;
	struct member_record member;
	instant sent_wall;
};

struct peer_hint {
	struct node_key key;
	struct address address;
	struct addresses more;
	struct bytes name;
	uint64_t incarnation;
};

struct joined {
	enum answer_code code;
	struct bytes text;
	struct cluster_id cluster;
	struct generation generation;
	struct config config;
	uint32_t peer_count;
	const struct peer_hint *peers;
	instant received_wall, sent_wall;
	uint32_t wire_min, wire_max;
};

/* ---- a new generation (gossip/seize.h) ---- */

struct survey {
	uint64_t attempt; /* of the sender's: its incarnation and a count, so that later is higher */
	bool withdrawn;   /* this attempt and all before it are over: whoever consented votes again */
	uint64_t commit;  /* the sender wants what was accepted above this index */
	uint32_t dead_count;
	const node_id *dead;
};

/* Why somebody does not consent. Sent: never renumber. */
enum survey_refusal {
	SURVEY_CONSENTS = 0,
	SURVEY_NAMED_DEAD = 1, /* I was named dead, and live */
	SURVEY_MASTER = 2,     /* I act as master */
	SURVEY_QUORUM = 3,     /* I see a quorum of the voters */
	SURVEY_OTHER = 4,      /* `other` seizes (perhaps I myself), and was not named dead */
	SURVEY_AHEAD = 5,      /* my ledger is so far ahead that you have to catch up first */
	SURVEY_HEARD = 6,      /* `other` was named dead, and I heard it just now */
	SURVEY_REFUSALS
};

struct survey_answer {
	uint64_t attempt;
	enum survey_refusal refusal;
	node_id other;        /* OTHER, HEARD */
	struct promise state; /* as to a PREPARE; `ballot` is the highest promised */
	struct ballot last_ballot;
	uint64_t last_index;
};

/* The founding record of a generation: sent, committed (COMMAND_SEIZED) and kept (rows 'g') alike. */
struct seized {
	struct generation generation; /* its hash covers all that follows (seized_statement) */
	struct generation old;
	bool restored; /* from a backup; else seized */
	struct node_key by;
	uint64_t attempt;
	uint64_t nonce;
	instant wall;
	uint64_t index; /* of COMMAND_SEIZED */
	struct config config;
	uint32_t dead_count, followed_count; /* together at most MEMBERS_MAX */
	const node_id *dead;
	const node_id *followed; /* consented, and may come along */
	uint8_t signature[SIGNATURE_SIZE]; /* by that key */
};

/* ---- the doctor at the door: what would become of a join; nothing is changed by asking ---- */

#define INQUIRED_FACT_MAX 2048 /* of each of the two facts that come along (facts.h) */

/* On a stream whose handshake proved the token. The answer ends the stream. */
struct inquire {
	struct node_key key; /* who would join, under which name; neither is proven */
	struct bytes name;
	uint32_t wire_min, wire_max;
	instant sent_wall;
};

/* Sent: never renumber. */
enum inquired_token {
	INQUIRED_TOKEN_VALID = 1,
	INQUIRED_TOKEN_USED = 2,
	INQUIRED_TOKEN_REVOKED = 3,
	INQUIRED_TOKEN_EXPIRED = 4, /* by the answering member's wall clock */
	INQUIRED_TOKEN_KINDS
};

/* What the ledger says of that key and name. Sent: never renumber. */
enum inquired_key {
	INQUIRED_KEY_NEW = 1,
	INQUIRED_KEY_MEMBER = 2,  /* of that very name */
	INQUIRED_KEY_REMOVED = 3,
	INQUIRED_KEY_TAKEN = 4,   /* another key with the same id is a member */
	INQUIRED_NAME_TAKEN = 5,
	INQUIRED_CLUSTER_FULL = 6,
	INQUIRED_KEY_KINDS
};

/* As the answering member sees it: what it applied, and its own facts. */
struct inquired {
	struct bytes name; /* its own */
	struct cluster_id cluster;
	struct generation generation;
	uint32_t wire_min, wire_max, level;
	enum inquired_token token;
	enum role role; /* which the token admits */
	instant expires_wall;
	uint32_t uses_left;
	enum inquired_key key;
	struct bytes master; /* its name; empty: there is none */
	duration quarantine_left;
	uint32_t voters_total, voters_reachable, voters_needed;
	instant received_wall, sent_wall;
	struct bytes clock, dns; /* values of its facts; empty: not known */
};

/* ---- operations ---- */

/* Of which only the engines know the meaning. */
struct engine_bytes {
	struct bytes bytes;
};

/* ---- the envelope ---- */

struct envelope {
	uint32_t wire;          /* version it was written in */
	/* frames only: a packet opens in its own generation or not at all. Number 0: not said */
	uint64_t generation;
	uint64_t generation_tag; /* first 8 bytes of its hash */
	uint64_t incarnation;   /* the sender's incarnation number */
	uint64_t commit;        /* the sender's commit index */
	uint64_t summary;       /* of all facts it holds */
	uint64_t refutation;    /* the sender's refutation counter */
	enum message_kind kind;
	union {
		struct hello hello;
		struct welcome welcome;
		struct probe probe;
		struct ack ack;
		struct probe_request probe_request;
		struct probe_report probe_report;
		struct digest digest;
		struct fact_pull fact_pull;
		struct fact_value fact_value;
		struct farewell farewell;
		struct prepare prepare;
		struct promise promise;
		struct reject reject;
		struct accept accept;
		struct accepted accepted;
		struct release release;
		struct offer offer;
		struct ready ready;
		struct transfer transfer;
		struct fetch fetch;
		struct entries entries;
		struct snapshot snapshot;
		struct request request;
		struct answer answer;
		struct join join;
		struct joined joined;
		struct survey survey;
		struct survey_answer survey_answer;
		struct seized seized;
		struct inquire inquiry;
		struct inquired inquired;
		struct engine_bytes engine;
	};
	uint32_t item_count;
	const struct item *items;
};

/* ---- stored: one record of what must be durable besides entries and rows ---- */

/* The last start of a voter that this node heard of: a later one must have a higher number. */
struct known_peer {
	node_id node; /* 0: free */
	uint64_t incarnation;
	uint8_t salt[SALT_SIZE]; /* of that very process */
};

struct durable {
	struct cluster_id cluster;
	struct generation generation;
	struct incarnation incarnation;
	char name[NAME_MAX_SIZE + 1];
	struct ballot promised;
	struct config config;
	duration lease_max; /* the largest D_P ever granted */
	uint64_t epoch_seen;
	struct owner claimant_seen;
	uint64_t applied;        /* rows in the store are as of this index */
	uint64_t commit;         /* known committed when this was written: a start applies that far */
	struct ballot applied_ballot;
	uint64_t applied_epoch;  /* ledger state as of `applied` */
	struct owner applied_claimant;
	uint32_t standing; /* enum standing in gossip.h: member, left, removed */
	uint32_t role;
	bool old_self; /* this disk is older than what this node once said: it never votes again */
	node_id consent_to; /* its seizure: until it is over this node does not vote; 0: none */
	uint64_t consent_attempt;
	node_id superseded_by; /* standing OLD_GENERATION: who founded the one that goes before ours */
	bool superseded_by_rival;
	struct known_peer peers[VOTERS_MAX];
};

/* ---- stored: values of the ledger's system rows ---- */

enum member_state { MEMBER_ACTIVE = 1, MEMBER_LEFT = 2, MEMBER_REMOVED = 3 };

struct member_row {
	struct member_record record; /* signature unused */
	enum member_state state;
	uint64_t changed_index;
	instant changed_wall;
	node_id successor; /* removed because it changed its key: the member it is now; 0: not so */
};

struct token_row {
	uint64_t token;
	struct hash hash;
	enum role role;
	instant expires_wall;
	uint32_t uses_left;
	bool revoked;
	instant created_wall;
	node_id created_by;
};

struct kv_row {
	uint64_t version;
	instant changed_wall;
	struct bytes value;
};

/* Answers kept so that a repeated request is not applied twice. */
#define REPLIES_PER_ORIGIN 64

struct reply {
	uint64_t sequence;
	uint32_t code;
	uint64_t version;
	uint64_t index;
};

struct origin_row {
	node_id origin;
	uint64_t incarnation;
	uint64_t floor; /* sequences at or below this that are not listed are forgotten: refused */
	uint32_t count;
	struct reply replies[REPLIES_PER_ORIGIN];
};

#endif
