/*
 * apply.c: one function for each kind of command. Deterministic: reads only rows and the command.
 */
#include "core.h"

#include "addresses.h"
#include "settings.h"

#define TOKENS_MAX 128
#define ROW_ROOM (VALUE_MAX_SIZE + 4096)

/* ---- rows of each table ---- */

static void put_row(struct gossip *g, struct bytes key, size_t size)
{
	assert(size > 0 && size <= ROW_ROOM);
	bool put = rows_put(&g->rows, key, (struct bytes){g->ledger.value, size}, true);
	assert(put); /* apply_one saw to the room */
}

static bool get_member(const struct gossip *g, node_id id, struct member_row *out)
{
	uint8_t key[9];
	struct bytes value;
	struct arena *arena = (struct arena *)&g->row_arena;
	return rows_get(&g->rows, row_key_id(key, 'm', id), &value) &&
	       member_row_decode(value.data, value.size, arena, out);
}

static void write_member(struct gossip *g, const struct member_row *row)
{
	uint8_t key[9];
	size_t size = member_row_encode(row, g->ledger.value, ROW_ROOM);
	put_row(g, row_key_id(key, 'm', node_key_id(&row->record.key)), size);
}

bool ledger_token(const struct gossip *g, uint64_t token, struct token_row *out)
{
	uint8_t key[9];
	struct bytes value;
	struct arena *arena = (struct arena *)&g->row_arena;
	return rows_get(&g->rows, row_key_id(key, 't', token), &value) &&
	       token_row_decode(value.data, value.size, arena, out);
}

static void put_token(struct gossip *g, const struct token_row *row)
{
	uint8_t key[9];
	size_t size = token_row_encode(row, g->ledger.value, ROW_ROOM);
	put_row(g, row_key_id(key, 't', row->token), size);
}

bool ledger_kv(const struct gossip *g, struct bytes name, struct kv_row *out)
{
	uint8_t key[KEY_MAX_SIZE + 1];
	struct bytes value;
	struct arena *arena = (struct arena *)&g->row_arena;
	if (name.size == 0 || name.size > KEY_MAX_SIZE)
		return false;
	return rows_get(&g->rows, row_key(key, 'k', name), &value) &&
	       kv_row_decode(value.data, value.size, arena, out);
}

/* ---- kv ---- */

void ledger_put_kv(struct gossip *g, struct bytes key, const struct kv_row *row)
{
	put_row(g, key, kv_row_encode(row, g->ledger.value, ROW_ROOM));
}

static enum outcome check_version(struct gossip *g, const struct command *c)
{
	struct kv_row row;
	bool there = ledger_kv(g, c->key, &row);
	if (c->kind == COMMAND_KV_DELETE && !there)
		return LEDGER_NOT_FOUND;
	if (c->if_version == NO_VERSION)
		return LEDGER_DONE;
	return (there ? row.version : 0) == c->if_version ? LEDGER_DONE : LEDGER_VERSION;
}

static void tell_changed(struct gossip *g, const struct command *c, uint64_t index)
{
	core_trace(g, RULE_KV_CHANGED, 0, 0, (int64_t)index, 0, 0);
	struct effect *effect = effects_add(&g->out, EFFECT_CHANGED);
	if (effect == NULL)
		return;
	uint8_t *value = effects_room(&g->out, c->value.size, false);
	if (value != NULL && c->value.size > 0)
		memcpy(value, c->value.data, c->value.size);
	effect->changed.key = effects_copy(&g->out, c->key);
	effect->changed.value = (struct bytes){value, value == NULL ? 0 : c->value.size};
	effect->changed.version = effect->changed.index = index;
	effect->changed.deleted = c->kind == COMMAND_KV_DELETE;
}

static enum outcome apply_kv(struct gossip *g, uint64_t index, const struct command *c)
{
	uint8_t key[KEY_MAX_SIZE + 1];
	enum outcome outcome = check_version(g, c);
	if (outcome != LEDGER_DONE)
		return outcome;
	struct bytes name = row_key(key, 'k', c->key);
	if (c->kind == COMMAND_KV_DELETE) {
		rows_delete(&g->rows, name);
	} else {
		ledger_put_kv(g, name, &(struct kv_row){index, c->judged_wall, c->value});
	}
	tell_changed(g, c, index);
	return LEDGER_DONE;
}

/* ---- tokens ---- */

/* Drops used, revoked and expired tokens, judged by the command's wall time: the same for all. */
static void sweep_tokens(struct gossip *g, instant judged)
{
	struct bytes key, value;
	uint8_t doomed[TOKENS_MAX][9];
	uint32_t count = 0, cursor = 0;
	while (count < TOKENS_MAX && rows_next(&g->rows, &cursor, &key, &value)) {
		struct token_row row;
		if (key.data[0] == 't' &&
		    token_row_decode(value.data, value.size, &g->row_arena, &row) &&
		    (row.revoked || row.uses_left == 0 || row.expires_wall <= judged))
			memcpy(doomed[count++], key.data, 9);
	}
	for (uint32_t i = 0; i < count; i++)
		g->ledger.tokens -= rows_delete(&g->rows, (struct bytes){doomed[i], 9});
}

static enum outcome apply_token_create(struct gossip *g, const struct command *c)
{
	struct token_row row = {.token = c->token,
		.hash = c->token_hash,
		.role = c->role,
		.expires_wall = c->token_expires_wall,
		.uses_left = c->token_uses,
		.created_wall = c->judged_wall,
		.created_by = c->request.origin};
	struct token_row other;
	if (g->ledger.tokens >= TOKENS_MAX)
		sweep_tokens(g, c->judged_wall);
	if (g->ledger.tokens >= TOKENS_MAX || ledger_token(g, c->token, &other))
		return LEDGER_FULL;
	put_token(g, &row);
	g->ledger.tokens++;
	core_trace(g, RULE_TOKEN_CREATED, 0, 0, 0, 0, 0);
	return LEDGER_DONE;
}

static enum outcome apply_token_revoke(struct gossip *g, const struct command *c)
{
	struct token_row row;
	if (!ledger_token(g, c->token, &row))
		return LEDGER_TOKEN_UNKNOWN;
	row.revoked = true;
	put_token(g, &row);
	core_trace(g, RULE_TOKEN_REVOKED, 0, 0, 0, 0, 0);
	return LEDGER_DONE;
}

static void revoke_all_tokens(struct gossip *g)
{
	struct bytes key, value;
	uint64_t tokens[TOKENS_MAX];
	uint32_t count = 0, cursor = 0;
	while (count < TOKENS_MAX && rows_next(&g->rows, &cursor, &key, &value)) {
		struct token_row row;
		if (key.data[0] == 't' &&
		    token_row_decode(value.data, value.size, &g->row_arena, &row) && !row.revoked)
			tokens[count++] = row.token;
	}
	for (uint32_t i = 0; i < count; i++) {
		struct command revoke = {.kind = COMMAND_TOKEN_REVOKE, .token = tokens[i]};
		apply_token_revoke(g, &revoke);
	}
}

/* ---- members ---- */

enum outcome ledger_token_judge(const struct token_row *token, instant wall)
{
	if (token->revoked)
		return LEDGER_TOKEN_REVOKED;
	if (token->uses_left == 0)
		return LEDGER_TOKEN_USED;
	if (token->expires_wall <= wall)
		return LEDGER_TOKEN_EXPIRED;
	return LEDGER_DONE;
}

static bool same_key(const struct node_key *a, const struct node_key *b)
{
	return memcmp(a->bytes, b->bytes, NODE_KEY_SIZE) == 0;
}

static bool name_taken(struct gossip *g, const struct member_record *who)
{
	struct bytes key, value;
	for (uint32_t cursor = 0; rows_next(&g->rows, &cursor, &key, &value);) {
		struct member_row row;
		if (key.data[0] != 'm' ||
		    !member_row_decode(value.data, value.size, &g->row_arena, &row))
			continue;
		if (row.state == MEMBER_ACTIVE && !same_key(&row.record.key, &who->key) &&
		    row.record.name.size == who->name.size &&
		    memcmp(row.record.name.data, who->name.data, who->name.size) == 0)
			return true;
	}
	return false;
}

/* LEDGER_ALREADY_MEMBER: the same node redeems again, because the answer was lost. */
enum outcome ledger_admission(struct gossip *g, const struct member_record *who)
{
	struct member_row row;
	if (get_member(g, node_key_id(&who->key), &row)) {
		if (!same_key(&row.record.key, &who->key))
			return LEDGER_ID_TAKEN;
		if (row.state == MEMBER_REMOVED)
			return LEDGER_KEY_REMOVED;
		if (row.state == MEMBER_ACTIVE && row.record.name.size == who->name.size &&
		    memcmp(row.record.name.data, who->name.data, who->name.size) == 0)
			return LEDGER_ALREADY_MEMBER;
	} else if (g->ledger.members >= MEMBERS_MAX) {
		return LEDGER_MEMBERS_FULL;
	}
	return name_taken(g, who) ? LEDGER_NAME_TAKEN : LEDGER_DONE;
}

static enum outcome apply_redeem(struct gossip *g, uint64_t index, const struct command *c)
{
	struct token_row token;
	struct member_row old;
	if (c->member.wire_max < level_of(g))
		return LEDGER_WIRE_OLD;
	enum outcome outcome = ledger_admission(g, &c->member);
	if (outcome == LEDGER_ALREADY_MEMBER)
		return LEDGER_DONE;
	if (outcome != LEDGER_DONE)
		return outcome;
	if (!ledger_token(g, c->token, &token))
		return LEDGER_TOKEN_UNKNOWN;
	outcome = ledger_token_judge(&token, c->judged_wall);
	if (outcome != LEDGER_DONE)
		return outcome;
	token.uses_left--;
	put_token(g, &token);
	struct member_row row = {c->member, MEMBER_ACTIVE, index, c->judged_wall, 0};
	row.record.role = token.role;
	g->ledger.members += !get_member(g, node_key_id(&c->member.key), &old);
	write_member(g, &row);
	members_put(g, &row);
	core_trace(g, RULE_TOKEN_REDEEMED, node_key_id(&c->member.key), 0, 0, 0, 0);
	return LEDGER_DONE;
}

static uint32_t count_active(const struct gossip *g)
{
	struct bytes key, value;
	uint32_t count = 0;
	for (uint32_t cursor = 0; rows_next(&g->rows, &cursor, &key, &value);) {
		struct member_row row;
		count += key.data[0] == 'm' &&
		         member_row_decode(value.data, value.size, (struct arena *)&g->row_arena, &row) &&
		         row.state == MEMBER_ACTIVE;
	}
	return count;
}

static enum outcome apply_member_gone(struct gossip *g, uint64_t index, const struct command *c)
{
	struct member_row row;
	bool removed = c->kind == COMMAND_MEMBER_REMOVE;
	if (!get_member(g, c->subject, &row))
		return LEDGER_MEMBER_UNKNOWN;
	if (row.state == MEMBER_REMOVED)
		return removed ? LEDGER_DONE : LEDGER_KEY_REMOVED;
	if (row.state == MEMBER_ACTIVE && count_active(g) == 1)
		return LEDGER_LAST_NODE;
	/* count_active used the row arena: read again */
	get_member(g, c->subject, &row);
	row.state = removed ? MEMBER_REMOVED : MEMBER_LEFT;
	row.changed_index = index;
	row.changed_wall = c->judged_wall;
	write_member(g, &row);
	g->ledger.gone = c->subject;
	if (removed)
		revoke_all_tokens(g);
	return LEDGER_DONE;
}

static enum outcome apply_addresses(struct gossip *g, const struct command *c)
{
	struct member_row row;
	if (!get_member(g, c->subject, &row))
		return LEDGER_MEMBER_UNKNOWN;
	if (row.state != MEMBER_ACTIVE)
		return LEDGER_DONE;
	addresses_apply(c, &row.record);
	write_member(g, &row);
	members_put(g, &row);
	core_trace(g, RULE_ADDRESSES, c->subject, 0, 0, 0, 0);
	return LEDGER_DONE;
}

static enum outcome check_rekey(const struct gossip *g, const struct command *c)
{
	struct member_row row;
	if (!get_member(g, c->subject, &row))
		return LEDGER_MEMBER_UNKNOWN;
	if (row.state != MEMBER_ACTIVE)
		return LEDGER_KEY_REMOVED;
	if (!same_key(&row.record.key, &c->member.old_key) || !rekey_signed(g, c))
		return LEDGER_UNSIGNED;
	if (get_member(g, node_key_id(&c->member.key), &row))
		return LEDGER_ID_TAKEN;
	return g->ledger.members >= MEMBERS_MAX ? LEDGER_MEMBERS_FULL : LEDGER_DONE;
}

/* One entry: the old id becomes a tombstone that names its successor, the new one is what it was. */
static enum outcome apply_rekey(struct gossip *g, uint64_t index, const struct command *c)
{
	struct member_row row;
	enum outcome outcome = check_rekey(g, c);
	if (outcome != LEDGER_DONE)
		return outcome;
	get_member(g, c->subject, &row);
	row.changed_index = index;
	row.changed_wall = c->judged_wall;
	struct member_row next = row;
	next.record.key = c->member.key;
	next.record.old_key = c->member.old_key;
	memcpy(next.record.signature, c->member.signature, SIGNATURE_SIZE);
	memcpy(next.record.old_signature, c->member.old_signature, SIGNATURE_SIZE);
	row.state = MEMBER_REMOVED;
	row.successor = node_key_id(&c->member.key);
	write_member(g, &row);
	write_member(g, &next);
	members_put(g, &next);
	g->ledger.members++;
	g->ledger.gone = c->subject;
	revoke_all_tokens(g);
	core_trace(g, RULE_REKEYED, c->subject, row.successor, 0, 0, 0);
	return LEDGER_DONE;
}

/* The last words to it must be sent while it still counts as a member. */
void ledger_tell_gone(struct gossip *g)
{
	struct member_row row;
	node_id gone = g->ledger.gone;
	g->ledger.gone = 0;
	if (gone == 0 || !get_member(g, gone, &row))
		return;
	bool removed = row.state == MEMBER_REMOVED;
	if (removed) {
		struct envelope e = {.kind = MESSAGE_FAREWELL};
		e.farewell = (struct farewell){FAREWELL_REMOVED, g->self, row.successor};
		core_send(g, gone, &e);
	}
	members_put(g, &row);
	if (gone == g->self && removed)
		life_removed(g, row.successor);
	else if (gone == g->self)
		life_end(g, STANDING_LEFT);
}

void ledger_bury(struct gossip *g, uint64_t index, instant wall, const node_id *dead, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct member_row row;
		if (!get_member(g, dead[i], &row) || row.state == MEMBER_REMOVED)
			continue;
		row.state = MEMBER_REMOVED;
		row.changed_index = index;
		row.changed_wall = wall;
		write_member(g, &row);
		members_put(g, &row);
	}
	revoke_all_tokens(g);
}

/* ---- claims ---- */

static enum outcome apply_claim(struct gossip *g, const struct command *c)
{
	if (c->epoch <= g->ledger.epoch && !WEAKENED(g, WEAK_EPOCH_ORDER))
		return LEDGER_DONE; /* of a ballot that lost: invariant 3 */
	g->ledger.epoch = c->epoch;
	g->ledger.claimant = c->owner;
	if (c->epoch > g->durable.epoch_seen) {
		g->durable.epoch_seen = c->epoch;
		g->durable.claimant_seen = c->owner;
	}
	if (c->owner.node != g->self)
		core_trace(g, RULE_MASTER_SEEN, c->owner.node, 0, (int64_t)c->epoch, 0, 0);
	hand_over_claimed(g, c);
	return LEDGER_DONE;
}

static enum outcome apply_kind(struct gossip *g, uint64_t index, const struct command *c)
{
	switch (c->kind) {
	case COMMAND_NOOP:
	case COMMAND_KV_GET:
	case COMMAND_MASTER_TRANSFER:
	case COMMAND_ENGINE:
	case COMMAND_KINDS:
		return LEDGER_DONE;
	case COMMAND_SEIZED:
		return generation_apply(g, index, c);
	case COMMAND_REGISTRY:
		return transaction_apply(g, index, c);
	case COMMAND_SETTING_PUT:
		return settings_apply(g, index, c);
	case COMMAND_MEMBER_ADDRESSES:
		return apply_addresses(g, c);
	case COMMAND_MEMBER_REKEY:
		return apply_rekey(g, index, c);
	case COMMAND_LEVEL:
		level_apply(g, c);
		return LEDGER_DONE;
	case COMMAND_CLAIM:
		return apply_claim(g, c);
	case COMMAND_KV_PUT:
	case COMMAND_KV_DELETE:
		return apply_kv(g, index, c);
	case COMMAND_TOKEN_CREATE:
		return apply_token_create(g, c);
	case COMMAND_TOKEN_REVOKE:
		return apply_token_revoke(g, c);
	case COMMAND_TOKEN_REDEEM:
		return apply_redeem(g, index, c);
	case COMMAND_MEMBER_REMOVE:
	case COMMAND_MEMBER_LEAVE:
		return apply_member_gone(g, index, c);
	}
	return LEDGER_DONE;
}

/* ---- once and only once ---- */

static bool get_origin(const struct gossip *g, node_id origin, struct origin_row *out)
{
	uint8_t key[9];
	struct bytes value;
	struct arena *arena = (struct arena *)&g->row_arena;
	return rows_get(&g->rows, row_key_id(key, 'o', origin), &value) &&
	       origin_row_decode(value.data, value.size, arena, out);
}

static void put_origin(struct gossip *g, const struct origin_row *row)
{
	uint8_t key[9];
	size_t size = origin_row_encode(row, g->ledger.value, ROW_ROOM);
	put_row(g, row_key_id(key, 'o', row->origin), size);
}

bool ledger_replied(struct gossip *g, const struct request_id *id, struct result *out)
{
	struct origin_row row;
	if (!get_origin(g, id->origin, &row) || id->incarnation > row.incarnation)
		return false;
	for (uint32_t i = 0; id->incarnation == row.incarnation && i < row.count; i++) {
		if (row.replies[i].sequence != id->sequence)
			continue;
		*out = (struct result){(enum outcome)row.replies[i].code, row.replies[i].version,
			row.replies[i].index};
		return true;
	}
	if (id->incarnation == row.incarnation && id->sequence > row.floor)
		return false;
	*out = (struct result){LEDGER_FORGOTTEN, 0, 0};
	return true;
}

/* Replies stay in the order they were given; the oldest makes room and raises the floor. */
static void remember(struct gossip *g, const struct request_id *id, const struct result *result)
{
	struct origin_row row;
	if (!get_origin(g, id->origin, &row) || row.incarnation != id->incarnation)
		row = (struct origin_row){.origin = id->origin, .incarnation = id->incarnation};
	if (row.count == REPLIES_PER_ORIGIN) {
		if (row.replies[0].sequence > row.floor)
			row.floor = row.replies[0].sequence;
		row.count--;
		memmove(row.replies, row.replies + 1, row.count * sizeof row.replies[0]);
	}
	row.replies[row.count++] = (struct reply){id->sequence, (uint32_t)result->outcome,
		result->version, result->index};
	put_origin(g, &row);
}

struct result ledger_apply(struct gossip *g, uint64_t index, const struct command *command)
{
	struct result result = {LEDGER_DONE, 0, index};
	bool asked = command->request.origin != 0;
	if (asked && !WEAKENED(g, WEAK_APPLY_ONCE) &&
	    ledger_replied(g, &command->request, &result))
		return result;
	result.outcome = apply_kind(g, index, command);
	result.version = index;
	if (asked)
		remember(g, &command->request, &result);
	return result;
}
