/*
 * doctor_auth.h: why a node cannot join, or reach, a member at an address: what was tried and heard
 * there, judged point by point.
 *
 *     node/inquiry --struct auth_evidence--> one rule a point --> struct auth_report
 *
 * Invariants
 *   1. Pure: the same evidence gives the same report.
 *   2. What was not heard is unknown, never well and never wrong.
 *   3. Points stand in the order of cause: the first that is wrong is the one to mend first.
 */
#ifndef ESSAIM_DOCTOR_AUTH_H
#define ESSAIM_DOCTOR_AUTH_H

#include "facts.h"
#include "message.h"

enum auth_state { AUTH_OK, AUTH_WRONG, AUTH_UNKNOWN };
const char *auth_state_name(enum auth_state state);

/* How far a TCP connection came. */
enum auth_reach { REACH_MUTED, REACH_OPEN, REACH_REFUSED, REACH_SILENT, REACH_NO_ROUTE };
/* How far the handshake of a token came on it. */
enum auth_door {
	DOOR_UNTRIED,  /* no token, or no connection */
	DOOR_SHUT,     /* closed without a word */
	DOOR_SILENT,   /* neither a word nor an end */
	DOOR_PROVEN,   /* the token is known there, the question was not answered */
	DOOR_ANSWERED,
};
enum auth_udp { UDP_UNHEARD, UDP_ANSWERED, UDP_REFUSED };

/* What one of the two machines says of itself. */
struct auth_side {
	bool clock_known, synchronised;
	bool dns_known, dns_dead;
	uint32_t dns_worst_ms;
};

struct auth_evidence {
	const char *address; /* as text */
	enum auth_reach reach;
	duration reached_in;
	enum auth_udp udp;
	duration udp_round_trip;   /* UDP_ANSWERED */
	bool too_big;              /* our kernel refuses 1,232 bytes that way */
	uint32_t segment;          /* TCP's, as both ends agreed; 0: not known */
	bool has_token;
	enum auth_door door;
	bool member;               /* of the cluster in own_cluster */
	bool removed;              /* this node, by its own store */
	struct cluster_id own_cluster, token_cluster;
	uint32_t wire_min, wire_max; /* ours */
	bool role_given;
	enum role role;
	const char *name;          /* under which this node would join */
	const char *peer;          /* the other's name; "": not known */
	struct inquired answer;    /* DOOR_ANSWERED; its bytes are not looked at ... */
	const char *master;        /* ... but here: "": none */
	bool offset_known;
	duration offset, error;    /* its wall clock less ours, within +- error */
	instant now_wall;          /* ours */
	struct auth_side ours, theirs;
};

struct auth_check {
	const char *check;
	enum auth_state state;
	char what[320];
	char command[160]; /* empty: nothing to mend */
};

#define AUTH_CHECKS 12

struct auth_report {
	uint32_t count;
	struct auth_check list[AUTH_CHECKS];
	char verdict[360];
};

void doctor_auth(const struct auth_evidence *evidence, struct auth_report *out);

/* From a clock's and a name service's fact; NULL: not known. */
void auth_side_of(const struct clock_fact *clock, const struct dns_fact *dns, struct auth_side *out);

#endif
