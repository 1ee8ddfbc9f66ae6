/*
 * swarm.h: a few whole cores in virtual time on a perfect network with cuts, for tests of the
 * membership rules. The simulator proper has faults and checkers; this has neither.
 *
 *     packets take 1 ms; frames too; a knock answers at once or after its patience
 *     a dead node's host refuses; a paused node's host takes connections; a cut is silent
 */
#ifndef ESSAIM_SWARM_H
#define ESSAIM_SWARM_H

#include "gossip.h"

#define SWARM_MAX 64
#define SWARM_NETS_MAX 8
#define CAPTURED_MAX 256

struct swarm_node {
	struct gossip *core;
	size_t memory_size;
	struct gossip_settings settings;
	uint64_t starts; /* = its incarnation, once it runs */
	bool running, paused;
	uint32_t first_net; /* its addresses are in the networks from this one on */
};

struct swarm_trace {
	instant at;
	uint32_t node;
	struct trace trace;
};

struct parcel;

struct swarm {
	uint32_t count;
	instant time; /* true time; every node's boot clock reads it plus one hour */
	enum seal_mode seal;
	struct swarm_node nodes[SWARM_MAX];
	bool cut[SWARM_MAX][SWARM_MAX]; /* from, to */
	uint32_t networks; /* how many addresses each node has, each in another */
	size_t narrow; /* larger packets vanish; 0: none do */
	/* what a node sends by a network, or is sent there, is lost */
	bool mute[SWARM_MAX][SWARM_NETS_MAX], deaf[SWARM_MAX][SWARM_NETS_MAX];
	struct parcel *parcels;
	uint32_t parcel_count, parcel_capacity;
	uint64_t parcel_serial;
	struct swarm_trace *traces;
	uint32_t trace_count, trace_capacity;
	/* the last packet each kind that went from `tap_from` to `tap_to` */
	uint32_t tap_from, tap_to;
	uint8_t tapped[MESSAGE_KINDS][PACKET_MAX];
	size_t tapped_size[MESSAGE_KINDS];
	uint64_t packets;
	uint64_t sent[MESSAGE_KINDS];
	uint64_t bytes_in; /* delivered, payload */
};

/* `count` members that know each other, all running since just now. */
struct swarm *swarm_new(uint32_t count, enum seal_mode seal);
/* The same with several networks; a packet goes by that of the address it is sent to. */
struct swarm *swarm_new_on(uint32_t count, enum seal_mode seal, uint32_t networks);
void swarm_free(struct swarm *s);
void swarm_run(struct swarm *s, duration d);

void swarm_kill(struct swarm *s, uint32_t node); /* its host refuses from now on */
void swarm_start(struct swarm *s, uint32_t node); /* again, as the next incarnation */
void swarm_pause(struct swarm *s, uint32_t node);
void swarm_resume(struct swarm *s, uint32_t node);
void swarm_cut(struct swarm *s, uint32_t node, bool in, bool out); /* to and from everybody */
void swarm_heal(struct swarm *s);
void swarm_unplug(struct swarm *s, uint32_t node, uint32_t net); /* from one network */

node_id swarm_id(const struct swarm *s, uint32_t node);
struct address swarm_address(uint32_t node); /* in the first network */
struct address swarm_address_in(uint32_t node, uint32_t net);
/* How `of` looks from `at`. */
struct member_view swarm_view(const struct swarm *s, uint32_t at, uint32_t of);
struct now swarm_now(const struct swarm *s);
enum reachability swarm_state(const struct swarm *s, uint32_t at, uint32_t of);
/* Steps one node with an input made by the test. */
void swarm_input(struct swarm *s, uint32_t node, const struct input *input);
void swarm_packet(struct swarm *s, uint32_t to, uint32_t from, const uint8_t *data, size_t size);
/* Gives a node a member's row as its ledger would. */
void swarm_row(struct swarm *s, uint32_t at, uint32_t of, enum member_state state);
uint64_t swarm_dropped(const struct swarm *s, uint32_t node, enum drop_reason reason);
/* Traces of that rule about `subject` (SWARM_MAX: anybody) at `node` (SWARM_MAX: anywhere). */
uint32_t swarm_traces(const struct swarm *s, uint32_t node, enum rule rule, uint32_t subject);
/* When the last node that still lives and knows the subject traced it, since `since`; NEVER if one did not. */
instant swarm_all_traced(const struct swarm *s, enum rule rule, uint32_t subject, instant since);

extern const struct cluster_id swarm_cluster;
struct generation swarm_generation(void);

#endif
