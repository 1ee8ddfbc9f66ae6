#include "doctor_auth.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

#define CLOCK_OFF (2 * SECOND)
#define DNS_SLOW_MS 1000
/* TCP's segment on a path that carries packets of 1,232 bytes, its time stamps taken off. */
#define SEGMENT_LEAST 1208

#define SAY(check, ...) snprintf((check)->what, sizeof(check)->what, __VA_ARGS__)
#define MEND(check, ...) snprintf((check)->command, sizeof(check)->command, __VA_ARGS__)

struct work {
	const struct auth_evidence *e;
	struct auth_report *out;
	const char *peer; /* a name for the other one */
};

static struct auth_check *add(struct work *w, const char *name, enum auth_state state)
{
	assert(w->out->count < AUTH_CHECKS);
	struct auth_check *c = &w->out->list[w->out->count++];
	*c = (struct auth_check){.check = name, .state = state};
	return c;
}

const char *auth_state_name(enum auth_state state)
{
	switch (state) {
	case AUTH_OK:
		return "ok";
	case AUTH_WRONG:
		return "wrong";
	case AUTH_UNKNOWN:
		return "unknown";
	}
	assert(!"a state outside its enum");
	return "";
}

/* ---- the way there ---- */

static void judge_address(struct work *w)
{
	const struct auth_evidence *e = w->e;
	char in[16];
	duration_format(e->reached_in, in);
	struct auth_check *c = add(w, "address", e->reach == REACH_OPEN ? AUTH_OK : AUTH_WRONG);
	switch (e->reach) {
	case REACH_OPEN:
		SAY(c, "%s takes TCP connections (%s)", e->address, in);
		return;
	case REACH_MUTED:
		c->state = AUTH_UNKNOWN;
		SAY(c, "not tried: this node speaks to nobody until it is reset");
		return;
	case REACH_REFUSED:
		SAY(c, "%s refuses TCP (%s): the machine is there, and no daemon listens", e->address, in);
		MEND(c, "systemctl status essaimd   # there; check the port, too");
		return;
	case REACH_SILENT:
		SAY(c, "no answer to TCP from %s within %s: a firewall, or no such machine", e->address, in);
		MEND(c, "nft list ruleset   # on both: port 7800, tcp and udp");
		return;
	case REACH_NO_ROUTE:
		SAY(c, "there is no route to %s", e->address);
		MEND(c, "ip route; ip address");
		return;
	}
}

static void judge_udp(struct work *w)
{
	char in[16];
	struct auth_check *c = add(w, "udp", AUTH_UNKNOWN);
	switch (w->e->udp) {
	case UDP_ANSWERED:
		c->state = AUTH_OK;
		duration_format(w->e->udp_round_trip, in);
		SAY(c, "%s answers probes (%s)", w->peer, in);
		return;
	case UDP_REFUSED:
		c->state = AUTH_WRONG;
		SAY(c, "%s refuses UDP: no daemon listens there, or a firewall rejects it", w->e->address);
		MEND(c, "nft list ruleset; systemctl status essaimd   # there: port 7800 udp");
		return;
	case UDP_UNHEARD:
		break;
	}
	if (w->e->member)
		SAY(c, "this node heard no packet from a member at that address");
	else
		SAY(c, "nobody answers the packets of a node that is no member: its key is not known there");
}

static void judge_packet(struct work *w)
{
	const struct auth_evidence *e = w->e;
	bool small = e->too_big || (e->segment != 0 && e->segment < SEGMENT_LEAST);
	struct auth_check *c = add(w, "packet", small ? AUTH_WRONG : e->segment != 0 ? AUTH_OK : AUTH_UNKNOWN);
	if (e->too_big)
		SAY(c, "packets of 1232 bytes do not fit the way to %s", e->address);
	else if (small)
		SAY(c, "the two ends agreed on TCP segments of %u bytes: packets of 1232 bytes do not fit",
		    e->segment);
	else if (e->segment != 0)
		SAY(c, "the links of both ends carry packets of 1232 bytes");
	else
		SAY(c, "not known without a connection");
	if (small)
		MEND(c, "ping -M do -s 1204 ADDRESS; ip link   # on both: the MTU");
}

/* ---- who they are ---- */

static bool answered(const struct work *w)
{
	return w->e->door == DOOR_ANSWERED;
}

/* Why there was no answer, for all points that need one. */
static void say_no_answer(const struct work *w, struct auth_check *c)
{
	if (!w->e->has_token)
		SAY(c, "not known without a token: give --token");
	else if (w->e->reach != REACH_OPEN)
		SAY(c, "not known without a connection");
	else if (w->e->door == DOOR_PROVEN)
		SAY(c, "%s did not answer the question: an older release does not know it", w->e->address);
	else
		SAY(c, "not known: a member tells nothing before the token is proven");
}

static void judge_cluster(struct work *w)
{
	const struct auth_evidence *e = w->e;
	char id[2 * CLUSTER_ID_SIZE + 1];
	bool same = memcmp(&e->own_cluster, &e->token_cluster, sizeof e->own_cluster) == 0;
	struct auth_check *c = add(w, "cluster", AUTH_UNKNOWN);
	if (e->has_token && e->member && !same) {
		c->state = AUTH_WRONG;
		SAY(c, "the token is of another cluster than this node");
		MEND(c, "essaim leave   # only if this node shall go over to the other one");
	} else if (answered(w)) {
		c->state = AUTH_OK;
		hex_format(e->answer.cluster.bytes, CLUSTER_ID_SIZE, id);
		SAY(c, "%s is of cluster %s, generation %llu, as the token says", w->peer, id,
		    (unsigned long long)e->answer.generation.number);
	} else {
		say_no_answer(w, c);
	}
}

static void judge_versions(struct work *w)
{
	const struct auth_evidence *e = w->e;
	const struct inquired *a = &e->answer;
	struct auth_check *c = add(w, "versions", AUTH_UNKNOWN);
	if (!answered(w)) {
		say_no_answer(w, c);
		if (e->door == DOOR_PROVEN)
			MEND(c, "essaim version; essaim token list   # there");
		return;
	}
	bool meet = e->wire_min <= a->wire_max && a->wire_min <= e->wire_max;
	c->state = meet && e->wire_max >= a->level ? AUTH_OK : AUTH_WRONG;
	SAY(c, "this node speaks wire %u-%u, %s %u-%u, its cluster agreed on %u", e->wire_min,
	    e->wire_max, w->peer, a->wire_min, a->wire_max, a->level);
	if (c->state == AUTH_WRONG)
		MEND(c, "apt install essaim   # %s", e->wire_max < a->wire_max ? "here" : "there");
}

/* ---- the token ---- */

static void say_expired(struct work *w, struct auth_check *c)
{
	const struct inquired *a = &w->e->answer;
	char ago[16], left[16];
	duration_format(a->received_wall - a->expires_wall, ago);
	duration_format(a->expires_wall - w->e->now_wall, left);
	if (a->expires_wall > w->e->now_wall)
		SAY(c, "the token expired %s ago by the clock of %s; by this node's it has %s left: see 'clock'",
		    ago, w->peer, left);
	else
		SAY(c, "the token expired %s ago", ago);
}

static const char *role_word(enum role role)
{
	return role == ROLE_WITNESS ? "witness" : "node";
}

static void judge_answered_token(struct work *w, struct auth_check *c)
{
	const struct inquired *a = &w->e->answer;
	char left[16];
	c->state = AUTH_WRONG;
	MEND(c, "essaim token create%s   # on any member", w->e->role_given && w->e->role == ROLE_WITNESS
	     ? " --witness" : "");
	switch (a->token) {
	case INQUIRED_TOKEN_USED:
		SAY(c, "the token is used up");
		return;
	case INQUIRED_TOKEN_REVOKED:
		SAY(c, "the token was revoked: by hand, or because a member was removed since");
		return;
	case INQUIRED_TOKEN_EXPIRED:
		say_expired(w, c);
		return;
	case INQUIRED_TOKEN_VALID:
	case INQUIRED_TOKEN_KINDS:
		break;
	}
	if (w->e->role_given && w->e->role != a->role) {
		SAY(c, "the token admits a %s, and this node would join as a %s", role_word(a->role),
		    role_word(w->e->role));
		return;
	}
	duration_format(a->expires_wall - a->received_wall, left);
	SAY(c, "the token is good for another %s and %u join%s, as a %s", left, a->uses_left,
	    a->uses_left == 1 ? "" : "s", role_word(a->role));
	c->state = AUTH_OK;
	c->command[0] = '\0';
}

static void judge_token(struct work *w)
{
	struct auth_check *c = add(w, "token", AUTH_UNKNOWN);
	switch (w->e->door) {
	case DOOR_ANSWERED:
		judge_answered_token(w, c);
		return;
	case DOOR_SHUT:
		c->state = AUTH_WRONG;
		SAY(c, "%s closed the connection without a word: it does not know the token (mistyped, "
		       "of another cluster, or it is no member)", w->e->address);
		MEND(c, "essaim token create   # on a member of the right cluster");
		return;
	case DOOR_PROVEN:
		SAY(c, "the token is known there; whether it is still good was not answered");
		return;
	case DOOR_SILENT:
		SAY(c, "%s took the connection and said nothing: is it essaimd, and does it run?",
		    w->e->address);
		MEND(c, "systemctl status essaimd   # there");
		return;
	case DOOR_UNTRIED:
		break;
	}
	say_no_answer(w, c);
}

/* ---- this node, as the cluster knows it ---- */

static void judge_key(struct work *w)
{
	const struct auth_evidence *e = w->e;
	struct auth_check *c = add(w, "key", AUTH_UNKNOWN);
	enum inquired_key key = answered(w) ? e->answer.key : 0;
	if (e->removed || key == INQUIRED_KEY_REMOVED) {
		c->state = AUTH_WRONG;
		SAY(c, "this node's key was removed from its cluster: it never comes back");
		MEND(c, "essaim node reset   # here, then join anew with a new token");
	} else if (key == INQUIRED_KEY_TAKEN) {
		c->state = AUTH_WRONG;
		SAY(c, "another member's key begins with the same eight bytes");
		MEND(c, "essaim node reset   # here: it makes a new key");
	} else if (key == INQUIRED_KEY_MEMBER || (e->member && !answered(w))) {
		c->state = AUTH_OK;
		SAY(c, "this key is a member already, as '%s'", e->name);
	} else if (answered(w)) {
		c->state = AUTH_OK;
		SAY(c, "this key is new to the cluster");
	} else {
		say_no_answer(w, c);
	}
}

static void judge_name(struct work *w)
{
	const struct auth_evidence *e = w->e;
	struct auth_check *c = add(w, "name", AUTH_UNKNOWN);
	if (!answered(w)) {
		say_no_answer(w, c);
		return;
	}
	switch (e->answer.key) {
	case INQUIRED_NAME_TAKEN:
		c->state = AUTH_WRONG;
		SAY(c, "another member is called '%s'", e->name);
		MEND(c, "essaim join %s --name OTHER --token TOKEN", e->address);
		return;
	case INQUIRED_CLUSTER_FULL:
		c->state = AUTH_WRONG;
		SAY(c, "the cluster has as many members as it can keep, those removed included");
		MEND(c, "essaim node list   # there");
		return;
	case INQUIRED_KEY_REMOVED:
	case INQUIRED_KEY_TAKEN:
		SAY(c, "not looked at: the key comes first");
		return;
	case INQUIRED_KEY_NEW:
	case INQUIRED_KEY_MEMBER:
	case INQUIRED_KEY_KINDS:
		break;
	}
	c->state = AUTH_OK;
	SAY(c, "nobody else is called '%s'", e->name);
}

static void judge_master(struct work *w)
{
	const struct inquired *a = &w->e->answer;
	char left[16];
	struct auth_check *c = add(w, "master", AUTH_UNKNOWN);
	if (!answered(w)) {
		say_no_answer(w, c);
		return;
	}
	if (w->e->master[0] != '\0') {
		c->state = AUTH_OK;
		SAY(c, "%s is master: it can admit a node", w->e->master);
		return;
	}
	c->state = AUTH_WRONG;
	if (a->voters_reachable < a->voters_needed) {
		SAY(c, "no master: %s reaches %u of %u voters, %u are needed to admit anybody", w->peer,
		    a->voters_reachable, a->voters_total, a->voters_needed);
		MEND(c, "essaim cluster show; essaim help master seize   # there");
	} else if (a->quarantine_left > 0) {
		duration_format(a->quarantine_left, left);
		SAY(c, "no master: %s was just started and does not vote yet; clears by itself in %s",
		    w->peer, left);
		MEND(c, "essaim join %s --token TOKEN   # again, then", w->e->address);
	} else {
		SAY(c, "no master: %u of %u voters are reachable, an election should be under way", a->voters_reachable,
		    a->voters_total);
		MEND(c, "essaim status   # there");
	}
}

/* ---- both machines ---- */

static const char *whose_clock(const struct auth_evidence *e)
{
	bool here = e->ours.clock_known && !e->ours.synchronised;
	bool there = e->theirs.clock_known && !e->theirs.synchronised;
	return here == there ? "look at both" : here ? "here" : "there";
}

static void judge_clock(struct work *w)
{
	const struct auth_evidence *e = w->e;
	char off[16], error[16];
	struct auth_check *c = add(w, "clock", AUTH_UNKNOWN);
	if (!e->offset_known) {
		say_no_answer(w, c);
		return;
	}
	duration size = e->offset < 0 ? -e->offset : e->offset;
	duration_format(size, off);
	duration_format(e->error, error);
	c->state = size - e->error > CLOCK_OFF ? AUTH_WRONG : AUTH_OK;
	if (size <= e->error)
		SAY(c, "no difference to the clock of %s that could be measured (+- %s)", w->peer, error);
	else
		SAY(c, "the clock of %s is %s %s of this node's (+- %s)", w->peer, off,
		    e->offset > 0 ? "ahead" : "behind", error);
	if (c->state == AUTH_WRONG)
		MEND(c, "timedatectl set-ntp true; chronyc makestep   # %s", whose_clock(e));
}

static const char *kept(const struct auth_side *side)
{
	return !side->clock_known ? "not known" : side->synchronised ? "kept" : "kept by nobody";
}

static void judge_ntp(struct work *w)
{
	const struct auth_side *a = &w->e->ours, *b = &w->e->theirs;
	bool here = a->clock_known && !a->synchronised, there = b->clock_known && !b->synchronised;
	struct auth_check *c = add(w, "ntp", here || there ? AUTH_WRONG
	                           : a->clock_known && b->clock_known ? AUTH_OK : AUTH_UNKNOWN);
	SAY(c, "this node's clock: %s; that of %s: %s", kept(a), w->peer, kept(b));
	if (here || there)
		MEND(c, "apt install chrony   # %s", here && there ? "on both" : here ? "here" : "there");
}

static bool dns_bad(const struct auth_side *side)
{
	return side->dns_known && (side->dns_dead || side->dns_worst_ms >= DNS_SLOW_MS);
}

static void dns_text(const struct auth_side *side, char out[48])
{
	if (!side->dns_known)
		snprintf(out, 48, "not known");
	else if (side->dns_dead)
		snprintf(out, 48, "a name server does not answer");
	else
		snprintf(out, 48, "at worst %u ms", side->dns_worst_ms);
}

static void judge_dns(struct work *w)
{
	const struct auth_side *a = &w->e->ours, *b = &w->e->theirs;
	char here[48], there[48];
	bool bad = dns_bad(a) || dns_bad(b);
	struct auth_check *c = add(w, "dns", bad ? AUTH_WRONG : a->dns_known && b->dns_known ? AUTH_OK
	                           : AUTH_UNKNOWN);
	dns_text(a, here);
	dns_text(b, there);
	SAY(c, "this node: %s; %s: %s", here, w->peer, there);
	if (bad)
		MEND(c, "cat /etc/resolv.conf; time getent hosts \"$(uname -n)\"   # %s",
		     dns_bad(a) && dns_bad(b) ? "on both" : dns_bad(a) ? "here" : "there");
}

/* ---- all of it ---- */

static void conclude(struct auth_report *out)
{
	uint32_t unknown = 0;
	for (uint32_t i = 0; i < out->count; i++) {
		const struct auth_check *c = &out->list[i];
		unknown += c->state == AUTH_UNKNOWN;
		if (c->state != AUTH_WRONG)
			continue;
		snprintf(out->verdict, sizeof out->verdict, "%s: %s", c->check, c->what);
		return;
	}
	if (unknown > 0)
		snprintf(out->verdict, sizeof out->verdict,
		         "nothing is wrong that could be looked at; %u of %u points are not known", unknown,
		         out->count);
	else
		snprintf(out->verdict, sizeof out->verdict, "nothing is wrong");
}

void doctor_auth(const struct auth_evidence *evidence, struct auth_report *out)
{
	struct work w = {evidence, out, evidence->peer[0] != '\0' ? evidence->peer : evidence->address};
	*out = (struct auth_report){0};
	judge_address(&w);
	judge_udp(&w);
	judge_packet(&w);
	judge_cluster(&w);
	judge_versions(&w);
	judge_key(&w);
	judge_token(&w);
	judge_name(&w);
	judge_master(&w);
	judge_clock(&w);
	judge_ntp(&w);
	judge_dns(&w);
	conclude(out);
}

void auth_side_of(const struct clock_fact *clock, const struct dns_fact *dns, struct auth_side *out)
{
	*out = (struct auth_side){0};
	if (clock != NULL && !clock->unknown) {
		out->clock_known = true;
		out->synchronised = clock->synchronised;
	}
	if (dns == NULL || dns->unknown)
		return;
	out->dns_known = true;
	out->dns_worst_ms = dns->system_ms;
	for (uint32_t i = 0; i < dns->server_count; i++) {
		out->dns_dead |= dns->servers[i].verdict == DNS_DEAD;
		if (dns->servers[i].worst_ms > out->dns_worst_ms)
			out->dns_worst_ms = dns->servers[i].worst_ms;
	}
}
