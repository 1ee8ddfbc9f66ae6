/*
 * gossip.h: the face of the mind. Membership, facts, lease and ledger of one node, as a struct
 * and a step function. No I/O, no clock, no dice, no allocation in a step.
 *
 *     body                              mind
 *     reads `now` once, an input  --->  gossip_step(core, now, input)
 *     carries the effects in order <--- struct effects
 *     one timer at                <---  gossip_deadline(core)
 *
 * Invariants
 *   1. Equal settings, loads and (now, input) sequences give equal effects, bit for bit.
 *   2. A timer that fires means nothing by itself: INPUT_TICK at any time is legal.
 *   3. A persist effect has a number that grows by one; the body reports each by INPUT_PERSISTED,
 *      in order. The mind itself keeps back what must wait for it; the body sends every send at
 *      once. A persist that failed is reported as failed, and so is every later one, until the
 *      store works again. A `lazy` persist may be merged with the next; it is reported all the same.
 *   4. Effects and what they point to are valid until the next call with this core.
 *   5. Sends may be lost, doubled, delayed, reordered; frames may be lost.
 */
#ifndef ESSAIM_GOSSIP_H
#define ESSAIM_GOSSIP_H

#include "codec.h"
#include "rules.h"
#include "seal.h"
#include "view.h"
#include "weaken.h"

struct gossip;

/* What is fixed at start. */
struct gossip_settings {
	enum seal_mode seal;
	struct node_keys keys;
	node_id next; /* of the key that waits beside it, from a change not known to be over; 0: none */
	struct address address; /* advertised: the first */
	struct addresses more;  /* advertised: the others */
	struct addresses local; /* what each of the body's sockets is bound to; none: one, of any kind */
	uint32_t members_max;   /* <= MEMBERS_MAX; memory is sized by it */
	uint32_t ledger_bytes;  /* capacity of the rows; 0: 16 MiB */
	uint32_t log_bytes;     /* capacity of the log window; 0: 4 MiB; at least 2 * ENTRIES_BYTES_MAX */
	uint64_t seed[4];       /* for the core's own dice: random in the daemon, drawn in the simulator */
	uint8_t salt[SALT_SIZE]; /* random, of this process start */
	uint64_t nonce;          /* random, of this process start: the incarnation's */
	uint32_t wire_max;       /* tests: speak no version above this; 0: WIRE_VERSION_MAX */
	uint32_t wire_min;       /* tests: none below this; 0: WIRE_VERSION_MIN */
	bool membership_only;    /* simulator: no lease, no ledger traffic (large swarms) */
	bool facts_off;          /* simulator: nothing is published by the mind itself (larger ones) */
	weakened_set weakened;   /* simulator's own build only: rules switched off, by bit */
};

/* Bytes of memory a core needs. */
size_t gossip_size(const struct gossip_settings *settings);

/* `memory`: gossip_size() zeroed bytes aligned to 16, owned by the caller, used until dropped. */
struct gossip *gossip_init(void *memory, const struct gossip_settings *settings);

/* ---- loading what the store has, before INPUT_START; in any number of calls ---- */

/* The encoded struct durable. False: not decodable (corrupt store). Without it the core is blank. */
bool gossip_load_durable(struct gossip *g, struct bytes record);
bool gossip_load_row(struct gossip *g, struct bytes key, struct bytes value);
bool gossip_load_entry(struct gossip *g, uint64_t index, const struct ballot *ballot,
                       struct bytes command);

/* ---- inputs ---- */

enum input_kind {
	INPUT_TICK,
	INPUT_START,     /* once, after loading */
	INPUT_PACKET,    /* a UDP packet */
	INPUT_FRAME,     /* a frame from an open stream */
	INPUT_PERSISTED, /* a persist effect ended */
	INPUT_REFUSED,   /* ICMP or reset from this address: a hint */
	INPUT_KNOCKED,   /* what came of an EFFECT_KNOCK */
	INPUT_REQUEST,   /* a user's command, from the control socket */
	INPUT_ABANDON,   /* its user went away or ran out of time */
	INPUT_INIT,      /* found a cluster */
	INPUT_JOIN,      /* join one */
	INPUT_DIALED,    /* what came of an EFFECT_DIAL */
	INPUT_PUBLISH,   /* a fact of this node */
	INPUT_TRANSFER,  /* at the master: hand the lease to this node (0: whoever is fit); tells
	                  * nobody what came of it: COMMAND_MASTER_TRANSFER does */
	INPUT_STOP,      /* stop cleanly: hand over or release, say farewell */
	INPUT_SEIZE,     /* the quorum is lost for good: found a new generation (seize.h). Progress,
	                  * then one EFFECT_ANSWER: DONE once it is durable, or REFUSED and why */
	INPUT_RESTORE,   /* the same from a backup, on a blank node, piece by piece. One
	                  * EFFECT_OUTCOME: after END, or at the first piece that is not legal */
	INPUT_REKEY,     /* this node takes another key (rekey.h). One EFFECT_ANSWER, and once it is known
	                  * to be committed EFFECT_STOP with REKEYED: the body puts the new key in the
	                  * old one's place and begins anew with it */
	INPUT_PROPOSE,   /* of the master's engine: COMMAND_REGISTRY (transaction.h). One EFFECT_PROPOSED,
	                  * unless this node is master no more when it is applied */
	INPUT_ENGINE_ANSWER, /* of the master's engine, to an EFFECT_ENGINE */
	INPUT_ENGINE_SEND,   /* to another node's engine */
	INPUT_JOURNAL,       /* a record of this node's journal, for the store: the present step's persist
	                      * effect holds it, and its end is told by INPUT_PERSISTED's body */
	INPUT_SOUND,     /* do our largest packets get to this member? member_view tells (sounding.c) */
	INPUT_KINDS
};

/*
 *     BEGIN --> ROW ... ROW --> END (durable: a member and master-to-be) | ABANDON (blank again)
 *
 * Nothing is durable before END: who reads the file checks it as a whole, then says END or ABANDON.
 */
enum restore_step { RESTORE_BEGIN, RESTORE_ROW, RESTORE_END, RESTORE_ABANDON };
enum restore_table { RESTORE_KV, RESTORE_SETTING, RESTORE_REGISTRY };

enum knock_result { KNOCK_OPEN = 1, KNOCK_REFUSED = 2, KNOCK_SILENT = 3 };

struct input {
	enum input_kind kind;
	union {
		struct {
			struct address from;
			uint32_t path; /* which socket it came by: index into settings.local */
			struct bytes bytes;
		} packet;
		struct {
			uint64_t stream;  /* the body's name for the stream: answers may name it */
			node_id from;     /* proven by the handshake; 0 on a join stream */
			uint64_t token;   /* join stream: the token that was proven */
			struct hash binding;
			struct bytes bytes;
		} frame;
		struct {
			uint64_t number;
			bool failed;
		} persisted;
		struct {
			struct address from;
		} refused;
		struct {
			node_id node;
			enum knock_result result;
		} knocked;
		struct {
			uint64_t client; /* the body's name for who asked: EFFECT_ANSWER names it */
			const struct command *command; /* `request` is filled by the mind */
			duration patience;
			uint64_t retry_of; /* 0, or the request sequence this repeats (see answer.request) */
		} request;
		struct {
			const struct command *command; /* its epoch and changes */
			uint64_t number; /* the body's name for it: EFFECT_PROPOSED names it */
		} propose;
		struct {
			struct request_id request;
			enum answer_code code; /* DONE, REFUSED; PROGRESS: it is not the last */
			struct bytes value, text;
		} engine_answer;
		struct {
			node_id to;
			struct bytes bytes; /* at most ENGINE_BYTES_MAX */
		} engine_send;
		struct {
			struct bytes key, value; /* value.data NULL: forget it */
		} journal;
		struct {
			uint64_t client;
		} abandon;
		struct {
			const char *name;
			enum profile profile;
			struct cluster_id cluster; /* random */
		} init;
		struct {
			const char *name;
			enum role role;
			uint64_t token;
			struct cluster_id cluster;
			struct hash token_hash;
			uint32_t address_count;
			const struct address *addresses;
		} join;
		struct {
			uint64_t dial;
			uint64_t stream; /* 0: failed, or ended since */
			struct hash binding;
		} dialed;
		struct {
			struct bytes key, value; /* value.data NULL: withdraw */
		} publish;
		struct {
			node_id to;
		} transfer;
		struct {
			node_id to;
		} sound;
		struct {
			uint64_t client;
			const struct node_keys *next; /* durable beside the present one */
			duration patience;
		} rekey;
		struct {
			uint64_t client;
			uint32_t dead_count; /* any number: who is named twice counts once */
			const node_id *dead; /* the operator's word: these will never run again */
		} seize;
		struct {
			enum restore_step step;
			/* BEGIN: who this node is to be, and what the backup is of */
			const char *name;
			struct cluster_id cluster;
			struct generation generation;
			uint64_t index;
			/* ROW: as kv_view and setting_view show it */
			enum restore_table table;
			struct bytes key, value;
			uint64_t version;     /* KV, REGISTRY: at most `index` */
			instant changed_wall; /* KV, REGISTRY */
		} restore;
	};
};

/* ---- effects ---- */

enum effect_kind {
	EFFECT_PACKET,  /* send by UDP */
	EFFECT_FRAME,   /* send over the stream to a member (dial if there is none) or a named stream */
	EFFECT_PERSIST, /* write to the store, in order */
	EFFECT_ANSWER,  /* to the user who asked */
	EFFECT_KNOCK,   /* does that address take TCP connections? answer within `patience` */
	EFFECT_DIAL,    /* open a join stream */
	EFFECT_HANG_UP, /* close every stream of this member */
	EFFECT_PATH_DOWN, /* close its streams on this path: what follows is sent by another */
	EFFECT_TRACE,   /* a decision: log it */
	EFFECT_CHANGED, /* a kv row changed: tell whoever watches */
	EFFECT_OUTCOME, /* of INPUT_INIT, INPUT_JOIN: done, or why not */
	EFFECT_STOP,    /* this process may end now */
	EFFECT_PROGRESS, /* of INPUT_SEIZE, about once a second */
	EFFECT_ROW,      /* a registry row changed: gossip_registry has it as it is now */
	EFFECT_ROWS,     /* read all registry rows anew */
	EFFECT_PROPOSED, /* what became of an INPUT_PROPOSE */
	EFFECT_ENGINE,   /* at the master: a request for its engine; comes again until it is answered */
	EFFECT_ENGINE_PROGRESS, /* where it was asked */
	EFFECT_ENGINE_MESSAGE,  /* from another node's engine */
};

enum store_kind {
	STORE_DURABLE,    /* value: the one durable record */
	STORE_ENTRY,      /* index, ballot, value */
	STORE_CUT_ABOVE,  /* forget entries above index */
	STORE_TRIM_BELOW, /* forget entries at or below index */
	STORE_ROW,        /* key, value */
	STORE_ROW_DELETE, /* key */
	STORE_ROWS_CLEAR, /* forget all rows */
	STORE_JOURNAL,        /* key, value: the engine's own, which nothing else touches */
	STORE_JOURNAL_DELETE, /* key */
	STORE_FORMAT,     /* index: who knows only older formats must not open this store any more */
};

struct store_op {
	enum store_kind kind;
	uint64_t index;
	struct ballot ballot;
	struct bytes key, value;
};

struct effect {
	enum effect_kind kind;
	union {
		struct {
			struct address to;
			uint32_t path; /* from which socket: index into settings.local */
			node_id to_node;
			enum message_kind message; /* for filters and statistics */
			struct bytes bytes;
		} packet;
		struct {
			uint64_t stream; /* 0: whichever stream leads to `to` */
			node_id to;
			struct address address;
			uint32_t path; /* from which local address to dial */
			enum message_kind message;
			bool close_after;
			struct bytes bytes;
		} frame;
		struct {
			uint64_t number;
			bool lazy;
			uint32_t op_count;
			const struct store_op *ops; /* one transaction */
		} persist;
		struct {
			uint64_t client;
			const struct answer *answer;
		} answer;
		struct {
			node_id node;
			struct address address;
			uint32_t path;
			duration patience;
		} knock;
		struct {
			uint64_t dial;
			struct address address;
			uint64_t token;
			struct cluster_id cluster;
			struct hash token_hash;
		} dial;
		struct {
			node_id node;
		} hang_up;
		struct {
			node_id node;
			uint32_t path;
			struct address address;
		} path_down;
		struct trace trace;
		struct {
			struct bytes key; /* without its table */
			uint64_t version, index;
			bool deleted;
			struct bytes value;
		} changed;
		struct {
			bool done;
			struct bytes text; /* one sentence if not done */
		} outcome;
		struct {
			enum standing standing; /* STOPPED, LEFT, REMOVED, OLD_GENERATION or REKEYED */
		} stop;
		struct {
			uint64_t client;
			enum seize_phase phase;
			duration left;            /* of this phase, if nothing comes in between */
			uint32_t asked, answered; /* members not named dead, without this node */
		} progress;
		struct {
			struct bytes key; /* without its table */
			uint64_t version;
			bool removed;
		} row;
		struct {
			uint64_t number;
			enum answer_code code; /* DONE, REFUSED; nothing came of it: NOT_MASTER, BUSY */
			bool conflict;         /* REFUSED because a version differed */
			uint64_t index;        /* DONE: the new version of all its rows */
			const char *text;      /* one sentence; "" for DONE */
		} proposed;
		struct {
			struct request_id request;
			struct bytes bytes;
		} engine;
		struct {
			uint64_t client;
			struct bytes bytes;
		} engine_progress;
		struct {
			node_id from;
			struct bytes bytes;
		} engine_message;
	};
};

struct effects {
	uint32_t count;
	const struct effect *list;
};

struct effects gossip_step(struct gossip *g, const struct now *now, const struct input *input);

/* Absolute boot-clock instant at which the mind wants a tick; NEVER if none. */
instant gossip_deadline(const struct gossip *g);

/* ---- views; all read-only ---- */

void gossip_status(const struct gossip *g, const struct now *now, struct status_view *out);

/* Members in admission order, self included; false when `position` is past the last. */
bool gossip_member_at(const struct gossip *g, const struct now *now, uint32_t position,
                      struct member_view *out);
bool gossip_member(const struct gossip *g, const struct now *now, node_id id,
                   struct member_view *out);
bool gossip_member_named(const struct gossip *g, const struct now *now, const char *name,
                         struct member_view *out);
/* The key of whoever ever was a member: a stream may be opened to tell it that it is one no more. */
const struct node_key *gossip_stream_key(const struct gossip *g, node_id id);
/*
 * The generations that were seized or restored, newest first; false when `position` is past the
 * last. What it points to: valid until the next call with this core.
 */
bool gossip_generation_at(const struct gossip *g, uint32_t position, struct generation_view *out);
/* "" if unknown. Valid until the next step. */
const char *gossip_name(const struct gossip *g, node_id id);
const struct node_key *gossip_key(const struct gossip *g, node_id id);

bool gossip_fact_at(const struct gossip *g, const struct now *now, uint32_t position,
                    struct fact_view *out);

bool gossip_token_at(const struct gossip *g, uint32_t position, struct token_view *out);
/* What keys the joining handshake; false if unknown. A used, revoked or expired token still opens
 * the stream, so that its bearer can be told what is wrong with it. */
bool gossip_token_hash(const struct gossip *g, const struct now *now, uint64_t token,
                       struct hash *out);

/* What the cluster agreed on, in the order of the table; false when `position` is past the last. */
bool gossip_setting_at(const struct gossip *g, uint32_t position, struct setting_view *out);

/* How many voters are wanted, and why they are as they are. */
void gossip_voters(const struct gossip *g, const struct now *now, struct voters_view *out);

/* Local, possibly stale. Rows of kv in an arbitrary but stable order. */
bool gossip_kv_at(const struct gossip *g, uint32_t *cursor, struct kv_view *out);
bool gossip_kv(const struct gossip *g, struct bytes key, struct kv_view *out);

/* The same of the engine's rows: the key without its table. A value is good until the next is read. */
bool gossip_registry_at(const struct gossip *g, uint32_t *cursor, struct kv_view *out);
bool gossip_registry(const struct gossip *g, struct bytes key, struct kv_view *out);

/* For checkers: does this node believe, at `now`, that it may act as master, and in which epoch? */
bool gossip_acts(const struct gossip *g, const struct now *now, uint64_t *epoch);

/* The highest epoch that was claimed in this node's ledger; 0: none yet. */
uint64_t gossip_epoch(const struct gossip *g);

/* For checkers: the committed command at `index` if still in the window; commit and applied index. */
bool gossip_committed(const struct gossip *g, uint64_t index, struct bytes *command);
uint64_t gossip_commit(const struct gossip *g);
uint64_t gossip_applied(const struct gossip *g);
/* Index of the last entry of the log, committed or not. */
uint64_t gossip_last(const struct gossip *g);

#endif
