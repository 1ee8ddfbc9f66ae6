/*
 * Commands (also the content of the ledger's entries), requests, answers, admission.
 */
#include "codec_internal.h"

#include <assert.h>
#include <string.h>

/* ---- commands ---- */

Essaim__Wire__RequestId *put_request_id(struct arena *scratch, const struct request_id *in)
{
	Essaim__Wire__RequestId *out = part_new(scratch, &essaim__wire__request_id__descriptor);

	out->origin = in->origin;
	out->incarnation = in->incarnation;
	out->sequence = in->sequence;
	return out;
}

void take_request_id(const Essaim__Wire__RequestId *in, struct request_id *out)
{
	*out = (struct request_id){0};
	if (in != NULL)
		*out = (struct request_id){in->origin, in->incarnation, in->sequence};
}

/* Most commands admit nobody: a record of zeros is left out. */
static bool record_used(const struct member_record *in)
{
	static const struct node_key none;

	return memcmp(&in->key, &none, sizeof none) != 0 || in->name.size != 0 ||
	       in->address.family != 0 || in->role != ROLE_NODE || in->wire_min != 0 ||
	       in->wire_max != 0 || in->incarnation != 0 ||
	       put_exact(in->signature, SIGNATURE_SIZE).len != 0 ||
	       put_exact(in->old_key.bytes, NODE_KEY_SIZE).len != 0 ||
	       put_exact(in->old_signature, SIGNATURE_SIZE).len != 0;
}

static void put_changes(struct arena *scratch, const struct command *in, Essaim__Wire__Command *out)
{
	assert(in->change_count <= ROW_CHANGES_MAX);
	if (in->change_count == 0)
		return;
	out->n_changes = in->change_count;
	out->changes = scratch_take(scratch, in->change_count * sizeof *out->changes);
	for (uint32_t i = 0; i < in->change_count; i++) {
		const struct row_change *change = &in->changes[i];
		Essaim__Wire__RowChange *part =
			part_new(scratch, &essaim__wire__row_change__descriptor);
		part->key = put_bytes(&change->key);
		part->removed = change->removed;
		part->value = put_bytes(&change->value);
		part->expect = change->if_version + 1;
		out->changes[i] = part;
	}
}

/* Their sizes are bounded together: an entry of the ledger has to fit into its buffers. */
static bool take_changes(const Essaim__Wire__Command *in, struct command *out)
{
	size_t size = 0;

	out->change_count = 0;
	if (in->n_changes > ROW_CHANGES_MAX)
		return false;
	for (size_t i = 0; i < in->n_changes; i++) {
		const Essaim__Wire__RowChange *part = in->changes[i];
		struct row_change *change = &out->changes[i];
		change->removed = part->removed != 0;
		change->if_version = part->expect - 1;
		if (!take_bytes(&part->key, KEY_MAX_SIZE, &change->key) ||
		    !take_bytes(&part->value, VALUE_MAX_SIZE, &change->value))
			return false;
		size += change->key.size + change->value.size;
	}
	out->change_count = (uint32_t)in->n_changes;
	return size <= ROW_CHANGES_BYTES_MAX;
}

static Essaim__Wire__Command *put_command(struct arena *scratch, const struct command *in)
{
	Essaim__Wire__Command *out = part_new(scratch, &essaim__wire__command__descriptor);

	out->kind = in->kind;
	out->request = put_request_id(scratch, &in->request);
	out->judged_wall = in->judged_wall;
	out->epoch = in->epoch;
	out->owner = put_owner(scratch, &in->owner);
	out->ballot = put_ballot(scratch, &in->ballot);
	out->key = put_bytes(&in->key);
	out->value = put_bytes(&in->value);
	out->expect = in->if_version + 1; /* wraps: NO_VERSION is 0 */
	out->token = in->token;
	out->token_hash = put_exact(in->token_hash.bytes, HASH_SIZE);
	out->token_expires_wall = in->token_expires_wall;
	out->token_uses = in->token_uses;
	out->role = in->role;
	if (record_used(&in->member))
		out->member = put_member_record(scratch, &in->member);
	out->subject = in->subject;
	out->level = in->level;
	put_changes(scratch, in, out);
	return out;
}

static bool take_command(const Essaim__Wire__Command *in, struct command *out)
{
	if (in->kind >= COMMAND_KINDS)
		return false;
	out->kind = (enum command_kind)in->kind;
	take_request_id(in->request, &out->request);
	out->judged_wall = in->judged_wall;
	out->epoch = in->epoch;
	take_owner(in->owner, &out->owner);
	take_ballot(in->ballot, &out->ballot);
	out->if_version = in->expect - 1;
	out->token = in->token;
	out->token_expires_wall = in->token_expires_wall;
	out->token_uses = in->token_uses;
	out->subject = in->subject;
	out->level = in->level;
	return take_bytes(&in->key, KEY_MAX_SIZE, &out->key) &&
	       take_bytes(&in->value, VALUE_MAX_SIZE, &out->value) &&
	       take_exact(&in->token_hash, out->token_hash.bytes, HASH_SIZE) &&
	       take_role(in->role, &out->role) && take_member_record(in->member, &out->member) &&
	       take_changes(in, out);
}

size_t command_encode(const struct command *in, uint8_t *out, size_t capacity)
{
	_Alignas(16) uint8_t memory[3072];
	struct arena scratch = {memory, sizeof memory, 0};

	return part_pack(&put_command(&scratch, in)->base, out, capacity);
}

bool command_decode(const uint8_t *in, size_t size, struct arena *arena, struct command *out)
{
	const Essaim__Wire__Command *wire =
		arena_unpack(arena, &essaim__wire__command__descriptor, in, size);

	return wire != NULL && take_command(wire, out);
}

/* The kind is the first field, where there is one: it is looked at before each entry is stored. */
static bool is_level(struct bytes command)
{
	return command.size >= 2 && command.data[0] == (1 << 3 | 0) &&
	       command.data[1] == COMMAND_LEVEL;
}

uint32_t command_level(struct bytes command)
{
	_Alignas(16) uint8_t memory[2048];
	struct arena arena = {memory, sizeof memory, 0};
	struct command c;

	return is_level(command) && command_decode(command.data, command.size, &arena, &c) ? c.level : 0;
}

/* ---- requests and answers ---- */

void *put_request(struct arena *scratch, const struct envelope *in)
{
	Essaim__Wire__Request *out = part_new(scratch, &essaim__wire__request__descriptor);

	out->command = put_command(scratch, &in->request.command);
	out->patience = in->request.patience;
	return out;
}

bool take_request(const void *message, struct arena *arena, struct envelope *out)
{
	const Essaim__Wire__Request *in = message;

	out->request.patience = take_time(in->patience);
	return in->command != NULL && take_command(in->command, &out->request.command);
}

static bool take_code(uint32_t in, enum answer_code *out)
{
	*out = (enum answer_code)in;
	switch (*out) {
	case ANSWER_DONE:
	case ANSWER_REFUSED:
	case ANSWER_NO_MASTER:
	case ANSWER_UNKNOWN:
	case ANSWER_NOT_MASTER:
	case ANSWER_BUSY:
	case ANSWER_PROGRESS:
		return true;
	}
	return false;
}

void *put_answer(struct arena *scratch, const struct envelope *in)
{
	Essaim__Wire__Answer *out = part_new(scratch, &essaim__wire__answer__descriptor);
	const struct answer *m = &in->answer;

	out->request = put_request_id(scratch, &m->request);
	out->code = m->code;
	out->index = m->index;
	out->version = m->version;
	out->epoch = m->epoch;
	out->master = m->master;
	out->found = m->found;
	out->value = put_bytes(&m->value);
	out->text = put_bytes(&m->text);
	return out;
}

bool take_answer(const void *message, struct arena *arena, struct envelope *out)
{
	const Essaim__Wire__Answer *in = message;
	struct answer *m = &out->answer;

	take_request_id(in->request, &m->request);
	m->index = in->index;
	m->version = in->version;
	m->epoch = in->epoch;
	m->master = in->master;
	m->found = in->found != 0;
	return take_code(in->code, &m->code) &&
	       take_bytes(&in->value, VALUE_MAX_SIZE, &m->value) &&
	       take_bytes(&in->text, ANSWER_TEXT_MAX, &m->text);
}

/* ---- operations ---- */

void *put_engine(struct arena *scratch, const struct envelope *in)
{
	Essaim__Wire__Engine *out = part_new(scratch, &essaim__wire__engine__descriptor);

	out->bytes = put_bytes(&in->engine.bytes);
	return out;
}

bool take_engine(const void *message, struct arena *arena, struct envelope *out)
{
	const Essaim__Wire__Engine *in = message;

	return take_bytes(&in->bytes, ENGINE_BYTES_MAX, &out->engine.bytes);
}

/* ---- admission ---- */

void *put_join(struct arena *scratch, const struct envelope *in)
{
	Essaim__Wire__Join *out = part_new(scratch, &essaim__wire__join__descriptor);

	out->token = in->join.token;
	out->member = put_member_record(scratch, &in->join.member);
	out->sent_wall = in->join.sent_wall;
	return out;
}

bool take_join(const void *message, struct arena *arena, struct envelope *out)
{
	const Essaim__Wire__Join *in = message;

	out->join.token = in->token;
	out->join.sent_wall = take_time(in->sent_wall);
	return take_member_record(in->member, &out->join.member);
}

static Essaim__Wire__PeerHint *put_peer(struct arena *scratch, const struct peer_hint *in)
{
	Essaim__Wire__PeerHint *out = part_new(scratch, &essaim__wire__peer_hint__descriptor);

	out->key = put_exact(in->key.bytes, NODE_KEY_SIZE);
	out->address = put_address(scratch, &in->address);
	out->more = put_addresses(scratch, &in->more, &out->n_more);
	out->name = put_bytes(&in->name);
	out->incarnation = in->incarnation;
	return out;
}

static bool take_peers(const Essaim__Wire__Joined *in, struct arena *arena, struct joined *out)
{
	out->peer_count = 0;
	out->peers = NULL;
	if (in->n_peers == 0)
		return true;
	if (in->n_peers > PEERS_IN_WELCOME_MAX)
		return false;
	struct peer_hint *peers = arena_take(arena, in->n_peers * sizeof *peers);
	if (peers == NULL)
		return false;
	for (size_t i = 0; i < in->n_peers; i++) {
		const Essaim__Wire__PeerHint *peer = in->peers[i];
		peers[i].incarnation = peer->incarnation;
		if (!take_exact(&peer->key, peers[i].key.bytes, NODE_KEY_SIZE) ||
		    !take_address(peer->address, &peers[i].address) ||
		    !take_addresses(peer->more, peer->n_more, &peers[i].more) ||
		    !take_bytes(&peer->name, NAME_MAX_SIZE, &peers[i].name))
			return false;
	}
	out->peer_count = (uint32_t)in->n_peers;
	out->peers = peers;
	return true;
}

void *put_joined(struct arena *scratch, const struct envelope *in)
{
	Essaim__Wire__Joined *out = part_new(scratch, &essaim__wire__joined__descriptor);
	const struct joined *m = &in->joined;

	assert(m->peer_count <= PEERS_IN_WELCOME_MAX);
	out->code = m->code;
	out->text = put_bytes(&m->text);
	out->cluster = put_exact(m->cluster.bytes, CLUSTER_ID_SIZE);
	out->generation = put_generation(scratch, &m->generation);
	out->config = put_config(scratch, &m->config);
	out->n_peers = m->peer_count;
	out->peers = scratch_take(scratch, m->peer_count * sizeof *out->peers);
	for (uint32_t i = 0; i < m->peer_count; i++)
		out->peers[i] = put_peer(scratch, &m->peers[i]);
	out->received_wall = m->received_wall;
	out->sent_wall = m->sent_wall;
	out->wire_min = m->wire_min;
	out->wire_max = m->wire_max;
	return out;
}

bool take_joined(const void *message, struct arena *arena, struct envelope *out)
{
	const Essaim__Wire__Joined *in = message;
	struct joined *m = &out->joined;

	m->received_wall = take_time(in->received_wall);
	m->sent_wall = take_time(in->sent_wall);
	m->wire_min = in->wire_min;
	m->wire_max = in->wire_max;
	return take_code(in->code, &m->code) && take_bytes(&in->text, ANSWER_TEXT_MAX, &m->text) &&
	       take_exact(&in->cluster, m->cluster.bytes, CLUSTER_ID_SIZE) &&
	       take_generation(in->generation, &m->generation) &&
	       take_config(in->config, &m->config) && take_peers(in, arena, m);
}
