/*
 * words.h: the vocabulary that every room shares: identifiers, times, limits.
 *
 * Invariants
 *   1. A node *is* its Ed25519 public key (`struct node_key`). Its `node_id` is the first eight
 *      bytes of that key, big-endian; the ledger admits no two members with one node_id, so it is
 *      as good as the key inside a cluster. 0 means "no node".
 *   2. Times are signed nanoseconds. An `instant` has no meaning outside the clock it was read
 *      from; a `duration` is a difference of two instants of one clock.
 *   3. `struct now` is read once per event by the body and handed down; nothing below reads a clock.
 */
#ifndef ESSAIM_WORDS_H
#define ESSAIM_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef int64_t instant;  /* ns since an origin of its clock */
typedef int64_t duration; /* ns */

#define NEVER INT64_MAX
#define MICROSECOND ((duration)1000)
#define MILLISECOND ((duration)1000000)
#define SECOND ((duration)1000000000)

struct now {
	instant boot; /* CLOCK_BOOTTIME: counts suspend, slewed by NTP */
	instant raw;  /* CLOCK_MONOTONIC_RAW: no suspend, never slewed */
	instant wall; /* CLOCK_REALTIME: for people and for clock samples, never for the lease */
};

/*
 * A deadline on both elapsed clocks. Whoever must stop by it (an owner) asks deadline_due: the
 * *largest* elapsed counts. Whoever must wait for it (a voter) asks deadline_over: the *smallest*
 * counts. A suspend or a slew then errs to the safe side (lease.md, Time).
 */
struct deadline {
	instant boot;
	instant raw;
};

static inline struct deadline deadline_in(const struct now *now, duration d)
{
	return (struct deadline){now->boot + d, now->raw + d};
}

/* Owner's reading: true as soon as either clock has reached it. */
static inline bool deadline_due(const struct deadline *d, const struct now *now)
{
	return now->boot >= d->boot || now->raw >= d->raw;
}

/* Voter's reading: true once both clocks have reached it. */
static inline bool deadline_over(const struct deadline *d, const struct now *now)
{
	return now->boot >= d->boot && now->raw >= d->raw;
}

/* The boot-clock instant at which deadline_due will turn true if both clocks run at one rate. */
static inline instant deadline_due_at(const struct deadline *d, const struct now *now)
{
	instant by_raw = now->boot + (d->raw - now->raw);
	return d->boot < by_raw ? d->boot : by_raw;
}

/* The same for deadline_over. */
static inline instant deadline_over_at(const struct deadline *d, const struct now *now)
{
	instant by_raw = now->boot + (d->raw - now->raw);
	return d->boot > by_raw ? d->boot : by_raw;
}

#define NODE_KEY_SIZE 32
#define SECRET_KEY_SIZE 64 /* Ed25519 secret key as libsodium keeps it (seed and public key) */
#define SIGNATURE_SIZE 64
#define HASH_SIZE 32
#define CLUSTER_ID_SIZE 16
#define TOKEN_SECRET_SIZE 16
#define SALT_SIZE 16

typedef uint64_t node_id;

struct node_key {
	uint8_t bytes[NODE_KEY_SIZE];
};

struct cluster_id {
	uint8_t bytes[CLUSTER_ID_SIZE];
};

struct hash {
	uint8_t bytes[HASH_SIZE];
};

static inline node_id node_key_id(const struct node_key *key)
{
	node_id id = 0;
	for (int i = 0; i < 8; i++)
		id = id << 8 | key->bytes[i];
	return id;
}

/* +1 and a new random nonce at every process start, durable before its first use. */
struct incarnation {
	uint64_t number; /* 0: none or unknown */
	uint64_t nonce;
};

/* Founded by init (number 1) or by a seizure; `hash` tells two of one number apart. */
struct generation {
	uint64_t number;
	struct hash hash;
};

/* Ordered by counter, incarnation, node, hop. hop counts hand-overs within one Phase 1. */
struct ballot {
	uint64_t counter; /* 0: no ballot */
	uint64_t incarnation;
	node_id node;
	uint32_t hop;
};

struct owner {
	node_id node; /* 0: nobody */
	struct incarnation incarnation;
};

#define VOTERS_MAX 7

/*
 * The configuration: one object, ordered by (generation, ballot, version); rewritten by a master
 * under its own ballot before it is changed (lease.md, Changing the voters).
 */
struct config {
	struct ballot ballot;
	uint64_t version; /* 0: none yet */
	uint32_t profile; /* enum profile */
	duration lease;      /* D_P: how long an owner may act after it began a round */
	duration exclusion;  /* D_A: how long a voter excludes others after a grant */
	duration quarantine; /* D_Q: how long a voter is mute after it lost its grants */
	uint32_t rate_ppm;   /* rho, the bound of the clocks' rate error, in parts per million */
	uint32_t voter_count;
	node_id voters[VOTERS_MAX]; /* ascending */
	uint32_t witnesses;         /* bit i: voters[i] votes but is never a candidate */
};

enum profile { PROFILE_DEFAULT = 0, PROFILE_LAN = 1 };

enum role { ROLE_NODE = 0, ROLE_WITNESS = 1 };

#define ADDRESS_TEXT_SIZE 64 /* "[v6]:port" and its NUL */

/* An IP address and port; family 0 means none. */
struct address {
	uint8_t family; /* 0, 4 or 6 */
	uint8_t ip[16]; /* network order; IPv4 uses the first four */
	uint16_t port;  /* host order */
};

#define ADDRESSES_MAX 4 /* of one node */

struct addresses {
	uint32_t count;
	struct address list[ADDRESSES_MAX];
};

/* All but the first. */
static inline struct addresses addresses_rest(const struct addresses *in)
{
	struct addresses out = {0};
	for (uint32_t i = 1; i < in->count; i++)
		out.list[out.count++] = in->list[i];
	return out;
}

/* A first one and the others. */
static inline struct addresses addresses_all(const struct address *first,
                                             const struct addresses *more)
{
	struct addresses out = {1, {*first}};
	for (uint32_t i = 0; i < more->count && out.count < ADDRESSES_MAX; i++)
		out.list[out.count++] = more->list[i];
	return out;
}

/* A borrowed run of bytes. */
struct bytes {
	const uint8_t *data;
	size_t size;
};

/* The wire versions this build speaks. A peer whose range does not meet ours is told so. */
#define WIRE_VERSION_MIN 1
#define WIRE_VERSION_MAX 3

#define DEFAULT_PORT 7800

/*
 * Limits on whatever a peer, a user or a file can send. A packet fits the smallest MTU IPv6
 * promises (1280) less IP and UDP headers (48); frames carry what does not.
 */
#define PACKET_MAX 1232
#define PACKET_OVERHEAD 48 /* sender 8, salt 16, sequence 8, tag 16 */
#define PACKET_PLAIN_MAX (PACKET_MAX - PACKET_OVERHEAD)
#define FRAME_MAX (1024 * 1024)
#define NAME_MAX_SIZE 63
#define KEY_MAX_SIZE 255           /* a ledger row's key without its table */
#define VALUE_MAX_SIZE (64 * 1024) /* a kv value */
#define ROW_CHANGES_MAX 8     /* rows that one transaction changes */
#define ROW_CHANGES_BYTES_MAX (80 * 1024) /* of all its keys and values: one large row and small ones */
#define COMMAND_MAX_SIZE (ROW_CHANGES_BYTES_MAX + 4096) /* the longest entry of the ledger */
#define ENGINE_BYTES_MAX (64 * 1024) /* a request to the engine, its answer, a message of one to another */
#define MEMBERS_MAX 4096
#define ENTRIES_PER_MESSAGE_MAX 256
#define ENTRIES_BYTES_MAX (768 * 1024) /* entries in one message; also the most uncommitted at once */
#define ITEMS_PER_PACKET_MAX 16
#define FACT_KEY_MAX 32
#define FACT_INLINE_MAX 600 /* a larger fact travels as a hash and is pulled over a stream */
#define FACT_VALUE_MAX (64 * 1024)
#define ACCUSERS_MAX 8
#define DIGEST_ENTRIES_MAX 40
#define TOKEN_TEXT_MAX 128
#define PEERS_IN_WELCOME_MAX 32

#endif
