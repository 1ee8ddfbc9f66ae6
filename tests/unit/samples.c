#include "samples.h"

#include "view.h"

#include <assert.h>
#include <string.h>

/* ---- the walk's steps ---- */

static uint64_t draw(struct walk *w)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 7;
	w->random ^= w->random << 17;
	return w->random;
}

static void note(struct walk *w, const void *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		w->trace = (w->trace ^ ((const uint8_t *)data)[i]) * UINT64_C(0x100000001b3);
	w->trace = (w->trace ^ size) * UINT64_C(0x100000001b3);
}

/* Mostly small numbers, sometimes huge ones, never 0: a field left out would read as 0. */
static uint64_t draw_number(struct walk *w)
{
	uint64_t drawn = draw(w);

	return (w->maxima ? UINT64_MAX : drawn >> (drawn & 63)) | 1;
}

static void u64(struct walk *w, uint64_t *field)
{
	if (w->mode == WALK_FILL)
		*field = draw_number(w);
	else
		note(w, field, sizeof *field);
}

static void u32(struct walk *w, uint32_t *field)
{
	if (w->mode == WALK_FILL)
		*field = (uint32_t)draw_number(w);
	else
		note(w, field, sizeof *field);
}

static void range(struct walk *w, uint32_t *field, uint32_t low, uint32_t high)
{
	if (w->mode == WALK_FILL)
		*field = w->maxima ? high : low + (uint32_t)(draw(w) % (high - low + 1));
	else
		note(w, field, sizeof *field);
}

/* Enums are as wide as unsigned int here; memcpy keeps their types apart. */
#define ENUM(w, field, low, high) \
	do { \
		uint32_t value_; \
		memcpy(&value_, &(field), sizeof value_); \
		range(w, &value_, low, high); \
		memcpy(&(field), &value_, sizeof value_); \
	} while (0)

static void span(struct walk *w, int64_t *field, int64_t low, int64_t high)
{
	if (w->mode == WALK_FILL)
		*field = w->maxima ? high : low + (int64_t)(draw(w) % (uint64_t)(high - low + 1));
	else
		note(w, field, sizeof *field);
}

/* Clock readings: those that no decoder forces into another range. */
static void moment(struct walk *w, int64_t *field)
{
	span(w, field, -(INT64_C(1) << 60), (INT64_C(1) << 62) - (INT64_C(1) << 60));
}

static void any_i64(struct walk *w, int64_t *field)
{
	uint64_t value = (uint64_t)*field;

	u64(w, &value);
	*field = (int64_t)value;
}

static void flag(struct walk *w, bool *field)
{
	if (w->mode == WALK_FILL)
		*field = w->maxima || (draw(w) >> 20 & 1) != 0;
	else
		note(w, field, sizeof *field);
}

static void raw(struct walk *w, uint8_t *field, size_t size)
{
	for (size_t i = 0; w->mode == WALK_FILL && i < size; i++)
		field[i] = w->maxima ? 0xff : (uint8_t)(draw(w) >> 24);
	if (w->mode == WALK_TRACE)
		note(w, field, size);
}

static void *take(struct walk *w, size_t size)
{
	void *at = w->memory + w->used;

	w->used += (size + 15) / 16 * 16;
	assert(w->used <= w->size);
	return at;
}

static void bytes(struct walk *w, struct bytes *field, size_t low, size_t high)
{
	if (w->mode == WALK_TRACE) {
		note(w, field->data, field->size);
		return;
	}
	field->size = w->maxima ? high : low + draw(w) % (high - low + 1);
	uint8_t *data = take(w, field->size);
	raw(w, data, field->size);
	field->data = data;
}

/* ---- parts ---- */

static void ballot(struct walk *w, struct ballot *b)
{
	u64(w, &b->counter);
	u64(w, &b->incarnation);
	u64(w, &b->node);
	u32(w, &b->hop);
}

static void incarnation(struct walk *w, struct incarnation *i)
{
	u64(w, &i->number);
	u64(w, &i->nonce);
}

static void owner(struct walk *w, struct owner *o)
{
	u64(w, &o->node);
	incarnation(w, &o->incarnation);
}

static void generation(struct walk *w, struct generation *g)
{
	u64(w, &g->number);
	raw(w, g->hash.bytes, HASH_SIZE);
}

static void voters(struct walk *w, struct config *c)
{
	range(w, &c->voter_count, 1, VOTERS_MAX);
	for (uint32_t i = 0; i < c->voter_count; i++) {
		if (w->mode == WALK_FILL)
			c->voters[i] = (i == 0 ? 0 : c->voters[i - 1]) + 1 + (draw(w) >> 4);
		else
			note(w, &c->voters[i], sizeof c->voters[i]);
	}
	range(w, &c->witnesses, 0, (1u << c->voter_count) - 1);
}

static void config(struct walk *w, struct config *c)
{
	ballot(w, &c->ballot);
	u64(w, &c->version);
	range(w, &c->profile, PROFILE_DEFAULT, PROFILE_LAN);
	span(w, &c->lease, 1, 3600 * SECOND);
	span(w, &c->exclusion, 1, 3600 * SECOND);
	span(w, &c->quarantine, 1, 3600 * SECOND);
	range(w, &c->rate_ppm, 1, 999999);
	voters(w, c);
}

static void address(struct walk *w, struct address *a)
{
	uint32_t four = a->family == 4, port = a->port;

	range(w, &four, 0, 1);
	range(w, &port, 1, UINT16_MAX);
	a->family = four ? 4 : 6;
	a->port = (uint16_t)port;
	raw(w, a->ip, four ? 4 : 16);
}

static void maybe_address(struct walk *w, struct address *a)
{
	bool there = a->family != 0;

	flag(w, &there);
	if (there)
		address(w, a);
	else
		a->family = 0;
}

/* Beside the first. */
static void more_addresses(struct walk *w, struct addresses *all)
{
	range(w, &all->count, 0, w->small ? 1 : ADDRESSES_MAX - 1);
	for (uint32_t i = 0; i < all->count; i++)
		address(w, &all->list[i]);
}

static void member_record(struct walk *w, struct member_record *m)
{
	raw(w, m->key.bytes, NODE_KEY_SIZE);
	bytes(w, &m->name, 1, NAME_MAX_SIZE);
	address(w, &m->address);
	more_addresses(w, &m->more);
	ENUM(w, m->role, ROLE_NODE, ROLE_WITNESS);
	u32(w, &m->wire_min);
	u32(w, &m->wire_max);
	u64(w, &m->incarnation);
	raw(w, m->signature, SIGNATURE_SIZE);
	raw(w, m->old_key.bytes, NODE_KEY_SIZE);
	raw(w, m->old_signature, SIGNATURE_SIZE);
}

static void request_id(struct walk *w, struct request_id *r)
{
	u64(w, &r->origin);
	u64(w, &r->incarnation);
	u64(w, &r->sequence);
}

static void change(struct walk *w, struct row_change *c)
{
	bytes(w, &c->key, 1, KEY_MAX_SIZE);
	flag(w, &c->removed);
	bytes(w, &c->value, 0, w->small ? 20 : ROW_CHANGES_BYTES_MAX / ROW_CHANGES_MAX - KEY_MAX_SIZE);
	u64(w, &c->if_version);
}

void walk_command(struct walk *w, struct command *c)
{
	ENUM(w, c->kind, COMMAND_NOOP, COMMAND_KINDS - 1);
	request_id(w, &c->request);
	any_i64(w, &c->judged_wall);
	u64(w, &c->epoch);
	owner(w, &c->owner);
	ballot(w, &c->ballot);
	bytes(w, &c->key, 0, KEY_MAX_SIZE);
	bytes(w, &c->value, 0, w->small ? 100 : VALUE_MAX_SIZE);
	u64(w, &c->if_version);
	u64(w, &c->token);
	raw(w, c->token_hash.bytes, HASH_SIZE);
	any_i64(w, &c->token_expires_wall);
	u32(w, &c->token_uses);
	ENUM(w, c->role, ROLE_NODE, ROLE_WITNESS);
	member_record(w, &c->member);
	u64(w, &c->subject);
	u32(w, &c->level);
	range(w, &c->change_count, 0, ROW_CHANGES_MAX);
	for (uint32_t i = 0; i < c->change_count; i++)
		change(w, &c->changes[i]);
}

static void grant(struct walk *w, struct grant *g)
{
	owner(w, &g->owner);
	ballot(w, &g->ballot);
	u64(w, &g->round);
	moment(w, &g->left);
}

static void entry_list(struct walk *w, uint32_t *count, const struct entry **list)
{
	uint32_t most = w->small ? 3 : ENTRIES_PER_MESSAGE_MAX;

	range(w, count, 0, most);
	if (w->mode == WALK_FILL)
		*list = take(w, *count * sizeof **list);
	for (uint32_t i = 0; i < *count; i++) {
		struct entry *e = (struct entry *)&(*list)[i];
		u64(w, &e->index);
		ballot(w, &e->ballot);
		bytes(w, &e->command, 0, w->small ? 60 : ENTRIES_BYTES_MAX / most);
	}
}

/* ---- messages ---- */

static void digest(struct walk *w, struct digest *d)
{
	range(w, &d->count, 0, DIGEST_ENTRIES_MAX);
	flag(w, &d->reply);
	for (uint32_t i = 0; i < d->count; i++) {
		u64(w, &d->entries[i].owner);
		u64(w, &d->entries[i].incarnation);
		u64(w, &d->entries[i].version);
	}
}

static void accept_message(struct walk *w, struct accept *a)
{
	ballot(w, &a->ballot);
	owner(w, &a->owner);
	u64(w, &a->round);
	u64(w, &a->claim_index);
	u64(w, &a->commit);
	ballot(w, &a->config_ballot);
	u64(w, &a->config_version);
	flag(w, &a->has_config);
	if (a->has_config)
		config(w, &a->config);
	u64(w, &a->first_index);
	entry_list(w, &a->entry_count, &a->entries);
	moment(w, &a->owner_sent);
	moment(w, &a->echo_voter);
	moment(w, &a->echo_received);
	if (w->mode == WALK_FILL && !w->maxima && draw(w) >> 63) { /* the usual heartbeat */
		a->owner.node = a->ballot.node;
		a->owner.incarnation.number = a->ballot.incarnation;
		a->config_ballot = a->ballot;
	}
}

static void accepted(struct walk *w, struct accepted *a)
{
	ballot(w, &a->ballot);
	u64(w, &a->round);
	ballot(w, &a->config_ballot);
	u64(w, &a->config_version);
	u64(w, &a->match);
	u64(w, &a->commit);
	moment(w, &a->voter_clock);
	if (w->mode == WALK_FILL && !w->maxima && draw(w) >> 63)
		a->config_ballot = a->ballot;
}

static void transfer(struct walk *w, struct transfer *t)
{
	ballot(w, &t->ballot);
	owner(w, &t->from);
	ballot(w, &t->successor);
	owner(w, &t->owner);
	u64(w, &t->last_index);
	ballot(w, &t->last_ballot);
	bytes(w, &t->claim, 0, w->small ? 200 : 1000);
	u64(w, &t->round);
	ballot(w, &t->config_ballot);
	u64(w, &t->config_version);
	u64(w, &t->commit);
	raw(w, t->signature, SIGNATURE_SIZE);
}

static void snapshot(struct walk *w, struct snapshot *s)
{
	u64(w, &s->index);
	ballot(w, &s->ballot);
	config(w, &s->config);
	u64(w, &s->epoch);
	owner(w, &s->claimant);
	bytes(w, &s->chunk, 0, w->small ? 200 : FRAME_MAX - 4096);
	if (w->mode == WALK_FILL) {
		s->offset = draw(w) >> 2;
		s->total = s->offset + s->chunk.size + (w->maxima ? 0 : draw(w) >> 2);
	} else {
		note(w, &s->offset, sizeof s->offset);
		note(w, &s->total, sizeof s->total);
	}
}

static void code(struct walk *w, enum answer_code *c)
{
	static const enum answer_code codes[] = {ANSWER_DONE,    ANSWER_REFUSED,    ANSWER_NO_MASTER,
	                                         ANSWER_UNKNOWN, ANSWER_NOT_MASTER, ANSWER_BUSY};

	if (w->mode == WALK_FILL)
		*c = codes[w->maxima ? 5 : draw(w) % 6];
	else
		note(w, c, sizeof *c);
}

static void answer(struct walk *w, struct answer *a)
{
	request_id(w, &a->request);
	code(w, &a->code);
	u64(w, &a->index);
	u64(w, &a->version);
	u64(w, &a->epoch);
	u64(w, &a->master);
	flag(w, &a->found);
	bytes(w, &a->value, 0, w->small ? 200 : VALUE_MAX_SIZE);
	bytes(w, &a->text, 0, 200);
}

static void joined(struct walk *w, struct joined *j)
{
	code(w, &j->code);
	bytes(w, &j->text, 0, 200);
	raw(w, j->cluster.bytes, CLUSTER_ID_SIZE);
	generation(w, &j->generation);
	config(w, &j->config);
	range(w, &j->peer_count, 0, w->small ? 2 : PEERS_IN_WELCOME_MAX);
	if (w->mode == WALK_FILL) {
		j->peers = take(w, j->peer_count * sizeof *j->peers);
		memset((void *)j->peers, 0, j->peer_count * sizeof *j->peers);
	}
	for (uint32_t i = 0; i < j->peer_count; i++) {
		struct peer_hint *p = (struct peer_hint *)&j->peers[i];
		raw(w, p->key.bytes, NODE_KEY_SIZE);
		address(w, &p->address);
		more_addresses(w, &p->more);
		bytes(w, &p->name, 1, NAME_MAX_SIZE);
		u64(w, &p->incarnation);
	}
	moment(w, &j->received_wall);
	moment(w, &j->sent_wall);
	u32(w, &j->wire_min);
	u32(w, &j->wire_max);
}

static void wire_versions(struct walk *w, uint32_t *least, uint32_t *most)
{
	range(w, least, 1, 1000);
	range(w, most, 1000, 100000);
}

static void session_message(struct walk *w, struct envelope *e)
{
	if (e->kind == MESSAGE_HELLO) {
		incarnation(w, &e->hello.incarnation);
		u64(w, &e->hello.challenge);
		wire_versions(w, &e->hello.wire_min, &e->hello.wire_max);
	} else {
		incarnation(w, &e->welcome.incarnation);
		u64(w, &e->welcome.challenge);
		wire_versions(w, &e->welcome.wire_min, &e->welcome.wire_max);
	}
}

static void fact_value(struct walk *w, struct fact_value *f)
{
	u64(w, &f->owner);
	bytes(w, &f->key, 1, FACT_KEY_MAX);
	raw(w, f->hash.bytes, HASH_SIZE);
	bytes(w, &f->value, 0, w->small ? 200 : FACT_VALUE_MAX);
}

static void nodes(struct walk *w, uint32_t *count, const node_id **list, uint32_t most)
{
	range(w, count, 0, w->small ? 5 : most);
	if (w->mode == WALK_FILL)
		*list = take(w, *count * sizeof **list);
	for (uint32_t i = 0; i < *count; i++)
		u64(w, (node_id *)&(*list)[i]);
}

static void survey(struct walk *w, struct survey *s)
{
	u64(w, &s->attempt);
	flag(w, &s->withdrawn);
	u64(w, &s->commit);
	nodes(w, &s->dead_count, &s->dead, MEMBERS_MAX);
}

static void survey_answer(struct walk *w, struct survey_answer *a)
{
	u64(w, &a->attempt);
	ENUM(w, a->refusal, SURVEY_CONSENTS, SURVEY_HEARD);
	u64(w, &a->other);
	ballot(w, &a->state.ballot);
	config(w, &a->state.config);
	grant(w, &a->state.grant);
	u64(w, &a->state.commit);
	entry_list(w, &a->state.entry_count, &a->state.entries);
	ballot(w, &a->last_ballot);
	u64(w, &a->last_index);
}

void walk_seized(struct walk *w, struct seized *s)
{
	generation(w, &s->generation);
	generation(w, &s->old);
	flag(w, &s->restored);
	raw(w, s->by.bytes, NODE_KEY_SIZE);
	u64(w, &s->attempt);
	u64(w, &s->nonce);
	moment(w, &s->wall);
	u64(w, &s->index);
	config(w, &s->config);
	nodes(w, &s->dead_count, &s->dead, MEMBERS_MAX / 2);
	nodes(w, &s->followed_count, &s->followed, MEMBERS_MAX / 2);
	raw(w, s->signature, SIGNATURE_SIZE);
}

static void inquired(struct walk *w, struct inquired *m)
{
	bytes(w, &m->name, 0, NAME_MAX_SIZE);
	raw(w, m->cluster.bytes, CLUSTER_ID_SIZE);
	generation(w, &m->generation);
	u32(w, &m->wire_min);
	u32(w, &m->wire_max);
	u32(w, &m->level);
	ENUM(w, m->token, 1, INQUIRED_TOKEN_KINDS - 1);
	ENUM(w, m->role, ROLE_NODE, ROLE_WITNESS);
	ENUM(w, m->key, 1, INQUIRED_KEY_KINDS - 1);
	moment(w, &m->expires_wall);
	u32(w, &m->uses_left);
	bytes(w, &m->master, 0, NAME_MAX_SIZE);
	moment(w, &m->quarantine_left);
	u32(w, &m->voters_total);
	u32(w, &m->voters_reachable);
	u32(w, &m->voters_needed);
	moment(w, &m->received_wall);
	moment(w, &m->sent_wall);
	bytes(w, &m->clock, 0, INQUIRED_FACT_MAX);
	bytes(w, &m->dns, 0, INQUIRED_FACT_MAX);
}

static void message(struct walk *w, struct envelope *e)
{
	switch (e->kind) {
	case MESSAGE_NONE:
	case MESSAGE_GOSSIP:
	case MESSAGE_KINDS:
		return;
	case MESSAGE_HELLO:
	case MESSAGE_WELCOME:
		session_message(w, e);
		return;
	case MESSAGE_PROBE:
		u64(w, &e->probe.sequence);
		moment(w, &e->probe.sent_wall);
		flag(w, &e->probe.urgent);
		range(w, &e->probe.padding, 1, PACKET_MAX);
		return;
	case MESSAGE_ACK:
		u64(w, &e->ack.sequence);
		moment(w, &e->ack.received_wall);
		moment(w, &e->ack.sent_wall);
		return;
	case MESSAGE_PROBE_REQUEST:
		u64(w, &e->probe_request.sequence);
		u64(w, &e->probe_request.target);
		maybe_address(w, &e->probe_request.seen);
		return;
	case MESSAGE_PROBE_REPORT:
		u64(w, &e->probe_report.sequence);
		u64(w, &e->probe_report.target);
		ENUM(w, e->probe_report.outcome, OUTCOME_ALIVE, OUTCOME_HOST_UP);
		return;
	case MESSAGE_DIGEST:
		digest(w, &e->digest);
		return;
	case MESSAGE_FACT_PULL:
		u64(w, &e->fact_pull.owner);
		bytes(w, &e->fact_pull.key, 1, FACT_KEY_MAX);
		raw(w, e->fact_pull.hash.bytes, HASH_SIZE);
		return;
	case MESSAGE_FACT_VALUE:
		fact_value(w, &e->fact_value);
		return;
	case MESSAGE_FAREWELL:
		ENUM(w, e->farewell.reason, FAREWELL_STOPPING, FAREWELL_WIRE_OLD);
		u64(w, &e->farewell.by);
		return;
	case MESSAGE_PREPARE:
		ballot(w, &e->prepare.ballot);
		owner(w, &e->prepare.owner);
		config(w, &e->prepare.config);
		u64(w, &e->prepare.commit);
		ballot(w, &e->prepare.last_ballot);
		u64(w, &e->prepare.last_index);
		return;
	case MESSAGE_PROMISE:
		ballot(w, &e->promise.ballot);
		config(w, &e->promise.config);
		grant(w, &e->promise.grant);
		u64(w, &e->promise.commit);
		entry_list(w, &e->promise.entry_count, &e->promise.entries);
		return;
	case MESSAGE_REJECT:
		ballot(w, &e->reject.ballot);
		ENUM(w, e->reject.reason, REJECT_PROMISED, REJECT_UNFIT);
		ballot(w, &e->reject.promised);
		config(w, &e->reject.config);
		grant(w, &e->reject.grant);
		u64(w, &e->reject.commit);
		return;
	case MESSAGE_ACCEPT:
		accept_message(w, &e->accept);
		return;
	case MESSAGE_ACCEPTED:
		accepted(w, &e->accepted);
		return;
	case MESSAGE_RELEASE:
		owner(w, &e->release.owner);
		ballot(w, &e->release.ballot);
		return;
	case MESSAGE_OFFER:
		ballot(w, &e->offer.ballot);
		u64(w, &e->offer.last_index);
		return;
	case MESSAGE_READY:
		ballot(w, &e->ready.ballot);
		ballot(w, &e->ready.successor);
		owner(w, &e->ready.owner);
		return;
	case MESSAGE_TRANSFER:
		transfer(w, &e->transfer);
		return;
	case MESSAGE_FETCH:
		u64(w, &e->fetch.applied);
		u64(w, &e->fetch.snapshot_index);
		u64(w, &e->fetch.snapshot_offset);
		return;
	case MESSAGE_ENTRIES:
		u64(w, &e->entries.commit);
		config(w, &e->entries.config);
		entry_list(w, &e->entries.entry_count, &e->entries.entries);
		return;
	case MESSAGE_SNAPSHOT:
		snapshot(w, &e->snapshot);
		return;
	case MESSAGE_REQUEST:
		walk_command(w, &e->request.command);
		moment(w, &e->request.patience);
		return;
	case MESSAGE_ANSWER:
		answer(w, &e->answer);
		return;
	case MESSAGE_JOIN:
		u64(w, &e->join.token);
		member_record(w, &e->join.member);
		moment(w, &e->join.sent_wall);
		return;
	case MESSAGE_JOINED:
		joined(w, &e->joined);
		return;
	case MESSAGE_SURVEY:
		survey(w, &e->survey);
		return;
	case MESSAGE_SURVEY_ANSWER:
		survey_answer(w, &e->survey_answer);
		return;
	case MESSAGE_SEIZED:
		walk_seized(w, &e->seized);
		return;
	case MESSAGE_INQUIRY:
		raw(w, e->inquiry.key.bytes, NODE_KEY_SIZE);
		bytes(w, &e->inquiry.name, 0, NAME_MAX_SIZE);
		u32(w, &e->inquiry.wire_min);
		u32(w, &e->inquiry.wire_max);
		moment(w, &e->inquiry.sent_wall);
		return;
	case MESSAGE_INQUIRED:
		inquired(w, &e->inquired);
		return;
	case MESSAGE_ENGINE:
		bytes(w, &e->engine.bytes, 0, w->small ? 60 : ENGINE_BYTES_MAX);
		return;
	}
}

/* ---- items ---- */

static void fact_item(struct walk *w, struct fact_item *f)
{
	bytes(w, &f->key, 1, FACT_KEY_MAX);
	u64(w, &f->version);
	flag(w, &f->tombstone);
	flag(w, &f->big);
	raw(w, f->hash.bytes, HASH_SIZE);
	range(w, &f->size, 0, FACT_VALUE_MAX);
	moment(w, &f->made_wall);
	if (w->mode == WALK_FILL && w->maxima)
		f->tombstone = f->big = false;
	bytes(w, &f->value, 0, f->tombstone || f->big ? 0 : w->small ? 40 : FACT_INLINE_MAX);
}

static void verdict_item(struct walk *w, struct verdict_item *v)
{
	u64(w, &v->subject);
	u64(w, &v->subject_incarnation);
	u64(w, &v->subject_refutation);
	range(w, &v->accuser_count, 0, ACCUSERS_MAX);
	for (uint32_t i = 0; i < v->accuser_count; i++) {
		u64(w, &v->accusers[i]);
		u32(w, &v->healths[i]);
	}
	u64(w, &v->version);
}

void walk_item(struct walk *w, struct item *item)
{
	u64(w, &item->author);
	u64(w, &item->incarnation);
	raw(w, item->signature, SIGNATURE_SIZE);
	if (w->mode == WALK_TRACE)
		note(w, &item->kind, sizeof item->kind);
	switch (item->kind) {
	case ITEM_FACT:
		fact_item(w, &item->fact);
		return;
	case ITEM_ACCUSATION:
		u64(w, &item->accusation.subject);
		u64(w, &item->accusation.subject_incarnation);
		u64(w, &item->accusation.subject_refutation);
		ENUM(w, item->accusation.outcome, OUTCOME_ALIVE, OUTCOME_HOST_UP);
		u32(w, &item->accusation.health);
		u64(w, &item->accusation.version);
		return;
	case ITEM_REFUTATION:
		u64(w, &item->refutation.refutation);
		return;
	case ITEM_VERDICT:
		verdict_item(w, &item->verdict);
		return;
	}
}

void walk_envelope(struct walk *w, struct envelope *e)
{
	u32(w, &e->wire);
	u64(w, &e->incarnation);
	u64(w, &e->commit);
	u64(w, &e->summary);
	u64(w, &e->refutation);
	u64(w, &e->generation);
	u64(w, &e->generation_tag);
	if (w->mode == WALK_TRACE)
		note(w, &e->kind, sizeof e->kind);
	message(w, e);
	range(w, &e->item_count, 0, w->small ? 3 : ITEMS_PER_PACKET_MAX);
	if (w->mode == WALK_FILL)
		e->items = take(w, e->item_count * sizeof *e->items);
	for (uint32_t i = 0; i < e->item_count; i++) {
		struct item *item = (struct item *)&e->items[i];
		if (w->mode == WALK_FILL)
			item->kind = (enum item_kind)(ITEM_FACT + (w->maxima ? i : draw(w)) % 4);
		walk_item(w, item);
	}
}

/* ---- stored ---- */

static void name_text(struct walk *w, char name[NAME_MAX_SIZE + 1])
{
	uint32_t size = (uint32_t)strnlen(name, NAME_MAX_SIZE + 1);

	range(w, &size, 1, NAME_MAX_SIZE);
	if (w->mode == WALK_FILL) {
		memset(name, 0, NAME_MAX_SIZE + 1);
		memset(name, 'n', size);
	} else {
		note(w, name, NAME_MAX_SIZE + 1);
	}
}

void walk_durable(struct walk *w, struct durable *d)
{
	raw(w, d->cluster.bytes, CLUSTER_ID_SIZE);
	generation(w, &d->generation);
	incarnation(w, &d->incarnation);
	name_text(w, d->name);
	ballot(w, &d->promised);
	config(w, &d->config);
	span(w, &d->lease_max, 1, 3600 * SECOND);
	u64(w, &d->epoch_seen);
	owner(w, &d->claimant_seen);
	u64(w, &d->applied);
	ballot(w, &d->applied_ballot);
	u64(w, &d->applied_epoch);
	u64(w, &d->commit);
	owner(w, &d->applied_claimant);
	range(w, &d->standing, 0, STANDING_STOPPED);
	range(w, &d->role, ROLE_NODE, ROLE_WITNESS);
	u64(w, &d->consent_to);
	u64(w, &d->consent_attempt);
	u64(w, &d->superseded_by);
	flag(w, &d->superseded_by_rival);
}

void walk_member_row(struct walk *w, struct member_row *row)
{
	member_record(w, &row->record);
	ENUM(w, row->state, MEMBER_ACTIVE, MEMBER_REMOVED);
	u64(w, &row->changed_index);
	any_i64(w, &row->changed_wall);
	u64(w, &row->successor);
}

void walk_token_row(struct walk *w, struct token_row *row)
{
	u64(w, &row->token);
	raw(w, row->hash.bytes, HASH_SIZE);
	ENUM(w, row->role, ROLE_NODE, ROLE_WITNESS);
	any_i64(w, &row->expires_wall);
	u32(w, &row->uses_left);
	flag(w, &row->revoked);
	any_i64(w, &row->created_wall);
	u64(w, &row->created_by);
}

void walk_kv_row(struct walk *w, struct kv_row *row)
{
	u64(w, &row->version);
	any_i64(w, &row->changed_wall);
	bytes(w, &row->value, 0, VALUE_MAX_SIZE);
}

void walk_origin_row(struct walk *w, struct origin_row *row)
{
	u64(w, &row->origin);
	u64(w, &row->incarnation);
	u64(w, &row->floor);
	range(w, &row->count, 0, REPLIES_PER_ORIGIN);
	for (uint32_t i = 0; i < row->count; i++) {
		u64(w, &row->replies[i].sequence);
		u32(w, &row->replies[i].code);
		u64(w, &row->replies[i].version);
		u64(w, &row->replies[i].index);
	}
}
