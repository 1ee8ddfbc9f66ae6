/*
 * facts.h: what a node observes of itself and of the others, as plain structs, and the values of
 * its signed facts made of them.
 *
 *     observer (node/) --struct--> *_fact_encode --INPUT_PUBLISH--> gossip, signed, to everybody
 *     doctor, tables, pages <--struct-- *_fact_decode <-- any node's copy
 *
 * Invariants
 *   1. Numbers that wander are rounded to steps before they are published (facts_step, fact_differs
 *      at the observer): a fact costs every member about its size, so what is well is said once.
 *   2. What could not be observed is said to be unknown, with the time since when; the old value is
 *      not shown as if it were new.
 *   3. Encoded, a fact is at most FACT_VALUE_ROOM bytes; lists are cut at their *_MAX, worst first.
 *   4. decode refuses what is outside these limits; decode(encode(x)) == x.
 *
 * Wall times are the observer's own wall clock: shown, never compared across nodes.
 */
#ifndef ESSAIM_FACTS_H
#define ESSAIM_FACTS_H

#include "codec.h"
#include "severity.h"

#define FACT_TEXT_MAX 47
#define FACT_PEERS_MAX 16
#define FACT_SERVERS_MAX 3
#define FACT_NAMES_MAX 12
#define FACT_FINDINGS_MAX 12
#define FACT_DETAIL_MAX 79
#define FACT_VALUE_ROOM 2048

/* Keys under which they are published. */
#define FACT_KEY_HOST "host"
#define FACT_KEY_USAGE "usage"
#define FACT_KEY_CLOCK "time"
#define FACT_KEY_DNS "dns"
#define FACT_KEY_FINDINGS "findings"

struct host_fact {
	char uname[NAME_MAX_SIZE + 1];
	char kernel[FACT_TEXT_MAX + 1];
	char version[FACT_TEXT_MAX + 1];
	char virtualisation[FACT_TEXT_MAX + 1];
	char distribution[FACT_TEXT_MAX + 1];
	uint32_t cpus;
	uint64_t memory_mib;
	instant booted_wall;
	bool has_ssh_key;
	uint8_t ssh_key[32];
};

struct usage_fact {
	bool unknown;
	instant since_wall;
	uint32_t load_percent, memory_percent, root_percent, data_percent;
	uint32_t lag_ms, store_ms, rss_mib;
};

struct clock_peer {
	node_id node;
	duration offset; /* its wall clock less ours */
	duration error;  /* the true offset is within +- error */
};

struct clock_fact {
	bool unknown;
	instant since_wall;
	bool synchronised; /* the kernel's maxerror is below 16 s and it says so */
	duration max_error;
	int64_t rate_ppb;
	char service[FACT_TEXT_MAX + 1];
	instant stepped_wall; /* 0: no step since the start */
	duration stepped;
	uint32_t peer_count;
	struct clock_peer peers[FACT_PEERS_MAX];
};

enum dns_verdict {
	DNS_WELL = 0,
	DNS_SLOW = 1,
	DNS_DEAD = 2,      /* no answer in time */
	DNS_REFUSES = 3,   /* answers, but SERVFAIL, REFUSED … */
	DNS_NOT_FOUND = 4, /* no such name */
	DNS_DIFFERS = 5,   /* another address, or another name for the address */
	DNS_VERDICTS
};
enum dns_kind { DNS_FORWARD = 0, DNS_REVERSE = 1, DNS_SYSTEM = 2, DNS_KINDS };

struct dns_server {
	char address[FACT_TEXT_MAX + 1];
	enum dns_verdict verdict;
	uint32_t rcode;
	uint32_t worst_ms;
};

struct dns_name {
	node_id node;
	enum dns_kind kind;
	enum dns_verdict verdict;
	uint32_t server; /* position; server_count: the system's resolver */
	uint32_t worst_ms;
	uint8_t found_size; /* 0, 4 or 16 */
	uint8_t found[16];
};

struct dns_fact {
	bool unknown;
	instant since_wall;
	uint32_t server_count;
	struct dns_server servers[FACT_SERVERS_MAX];
	uint32_t name_count;
	struct dns_name names[FACT_NAMES_MAX]; /* what is not well */
	uint32_t names_asked;
	uint32_t system_ms;
	enum dns_verdict system_verdict;
};

/* One thing that is wrong; `code` is the stable number of actions/doctor_codes.h. */
struct finding {
	uint32_t code;
	enum severity severity;
	node_id about; /* 0: the cluster */
	int64_t numbers[3];
	instant since_wall;
	char detail[FACT_DETAIL_MAX + 1];
};

struct findings_fact {
	uint32_t count;
	struct finding list[FACT_FINDINGS_MAX];
	uint32_t more;
};

/* Each encode returns the size, 0 if `capacity` is too small (FACT_VALUE_ROOM never is). */
size_t host_fact_encode(const struct host_fact *in, uint8_t *out, size_t capacity);
size_t usage_fact_encode(const struct usage_fact *in, uint8_t *out, size_t capacity);
size_t clock_fact_encode(const struct clock_fact *in, uint8_t *out, size_t capacity);
size_t dns_fact_encode(const struct dns_fact *in, uint8_t *out, size_t capacity);
size_t findings_fact_encode(const struct findings_fact *in, uint8_t *out, size_t capacity);

/* `arena` holds the parts while decoding; nothing of *out points into it. */
bool host_fact_decode(struct bytes in, struct arena *arena, struct host_fact *out);
bool usage_fact_decode(struct bytes in, struct arena *arena, struct usage_fact *out);
bool clock_fact_decode(struct bytes in, struct arena *arena, struct clock_fact *out);
bool dns_fact_decode(struct bytes in, struct arena *arena, struct dns_fact *out);
bool findings_fact_decode(struct bytes in, struct arena *arena, struct findings_fact *out);

/* 0 up to `least`, then the next of 1, 2, 5, 10, 20, 50 … times it: what wanders is said coarsely. */
uint32_t fact_step(uint64_t value, uint32_t least);

const char *dns_verdict_name(enum dns_verdict verdict);

#endif
