/*
 * inquiry.c: a stranger whose stream proved a token asks what would become of a join. It is told what
 * this member has applied and what it says of itself; nothing is proposed, written or remembered.
 */
#include "core.h"
#include "facts.h"
#include "fact.h"
#include "text.h"

static enum inquired_token token_state(enum outcome judged)
{
	if (judged == LEDGER_TOKEN_REVOKED)
		return INQUIRED_TOKEN_REVOKED;
	if (judged == LEDGER_TOKEN_USED)
		return INQUIRED_TOKEN_USED;
	return judged == LEDGER_TOKEN_EXPIRED ? INQUIRED_TOKEN_EXPIRED : INQUIRED_TOKEN_VALID;
}

static enum inquired_key key_state(struct gossip *g, const struct inquire *m)
{
	struct member_record who = {.key = m->key, .name = m->name};
	enum outcome outcome = ledger_admission(g, &who);
	if (outcome == LEDGER_ALREADY_MEMBER)
		return INQUIRED_KEY_MEMBER;
	if (outcome == LEDGER_KEY_REMOVED)
		return INQUIRED_KEY_REMOVED;
	if (outcome == LEDGER_ID_TAKEN)
		return INQUIRED_KEY_TAKEN;
	if (outcome == LEDGER_NAME_TAKEN)
		return INQUIRED_NAME_TAKEN;
	return outcome == LEDGER_MEMBERS_FULL ? INQUIRED_CLUSTER_FULL : INQUIRED_KEY_NEW;
}

/* What this node says of itself under that key, if it is short. */
static struct bytes own_fact(const struct gossip *g, const char *key)
{
	static const struct bytes none = {NULL, 0};
	const struct member *self = member_find(g, g->self);
	const struct fact *x = self == NULL ? NULL : fact_find(g, self, text_bytes(key));
	if (x == NULL || x->tombstone)
		return none;
	struct bytes value = fact_bytes(g->membership.facts, x);
	return value.data == NULL || value.size > INQUIRED_FACT_MAX ? none : value;
}

static void tell_quorum(const struct gossip *g, const struct status_view *s, struct inquired *out)
{
	if (s->master_known)
		out->master = text_bytes(gossip_name(g, s->master));
	out->quarantine_left = s->quarantine_left;
	out->voters_total = s->voters_total;
	out->voters_reachable = s->voters_reachable;
	out->voters_needed = s->voters_needed;
}

void inquiry_answer(struct gossip *g, uint64_t stream, uint64_t token, const struct inquire *m)
{
	struct token_row row;
	struct status_view status;
	struct envelope e = {.kind = MESSAGE_INQUIRED};
	struct inquired *out = &e.inquired;
	if (!ledger_token(g, token, &row)) {
		core_drop(g, DROP_STRANGER); /* it was there when the stream was proven */
		return;
	}
	out->token = token_state(ledger_token_judge(&row, g->now.wall));
	out->role = row.role;
	out->expires_wall = row.expires_wall;
	out->uses_left = row.uses_left;
	out->key = key_state(g, m);
	out->name = text_bytes(g->durable.name);
	out->cluster = g->durable.cluster;
	out->generation = g->durable.generation;
	out->wire_min = WIRE_VERSION_MIN;
	out->wire_max = g->settings.wire_max;
	out->level = level_of(g);
	gossip_status(g, &g->now, &status);
	tell_quorum(g, &status, out);
	out->clock = own_fact(g, FACT_KEY_CLOCK);
	out->dns = own_fact(g, FACT_KEY_DNS);
	out->received_wall = out->sent_wall = g->now.wall;
	core_trace(g, RULE_INQUIRED, g->self, 0, out->token, out->key, 0);
	core_send_stream(g, stream, &e, true);
}
