/*
 * What is stored: the durable record and the values of the ledger's system rows.
 */
#include "codec_internal.h"
#include "view.h"

#include <assert.h>
#include <string.h>

/* ---- the durable record ---- */

static void put_peers(struct arena *scratch, const struct durable *in, Essaim__Store__Durable *out)
{
	out->peers = scratch_take(scratch, VOTERS_MAX * sizeof(struct Essaim__Store__KnownPeer *));
	for (int i = 0; i < VOTERS_MAX; i++) {
		if (in->peers[i].node == 0)
			continue;
		Essaim__Store__KnownPeer *peer =
			part_new(scratch, &essaim__store__known_peer__descriptor);
		peer->node = in->peers[i].node;
		peer->incarnation = in->peers[i].incarnation;
		peer->salt = put_exact(in->peers[i].salt, SALT_SIZE);
		out->peers[out->n_peers++] = peer;
	}
}

static bool take_peers(const Essaim__Store__Durable *in, struct durable *out)
{
	if (in->n_peers > VOTERS_MAX)
		return false;
	memset(out->peers, 0, sizeof out->peers);
	for (size_t i = 0; i < in->n_peers; i++) {
		out->peers[i].node = in->peers[i]->node;
		out->peers[i].incarnation = in->peers[i]->incarnation;
		if (!take_exact(&in->peers[i]->salt, out->peers[i].salt, SALT_SIZE))
			return false;
	}
	return true;
}

static void put_durable(struct arena *scratch, const struct durable *in,
                        Essaim__Store__Durable *out)
{
	out->cluster = put_exact(in->cluster.bytes, CLUSTER_ID_SIZE);
	out->generation = put_generation(scratch, &in->generation);
	out->incarnation = in->incarnation.number;
	out->nonce = in->incarnation.nonce;
	out->name = (ProtobufCBinaryData){strnlen(in->name, NAME_MAX_SIZE), (uint8_t *)in->name};
	out->promised = put_ballot(scratch, &in->promised);
	out->config = put_config(scratch, &in->config);
	out->lease_max = in->lease_max;
	out->epoch_seen = in->epoch_seen;
	out->claimant_seen = put_owner(scratch, &in->claimant_seen);
	out->applied = in->applied;
	out->applied_ballot = put_ballot(scratch, &in->applied_ballot);
	out->applied_epoch = in->applied_epoch;
	out->commit = in->commit;
	out->applied_claimant = put_owner(scratch, &in->applied_claimant);
	out->standing = in->standing;
	out->role = in->role;
	out->old_self = in->old_self;
	out->consent_to = in->consent_to;
	out->consent_attempt = in->consent_attempt;
	out->superseded_by = in->superseded_by;
	out->superseded_by_rival = in->superseded_by_rival;
	put_peers(scratch, in, out);
}

size_t durable_encode(const struct durable *in, uint8_t *out, size_t capacity)
{
	_Alignas(16) uint8_t memory[2048];
	struct arena scratch = {memory, sizeof memory, 0};
	Essaim__Store__Durable wire = ESSAIM__STORE__DURABLE__INIT;

	put_durable(&scratch, in, &wire);
	return part_pack(&wire.base, out, capacity);
}

/* As a NUL-ended string. */
static bool take_name(const ProtobufCBinaryData *in, char out[NAME_MAX_SIZE + 1])
{
	memset(out, 0, NAME_MAX_SIZE + 1);
	if (in->len == 0)
		return true;
	if (in->len > NAME_MAX_SIZE || memchr(in->data, '\0', in->len) != NULL)
		return false;
	memcpy(out, in->data, in->len);
	return true;
}

static bool take_durable(const Essaim__Store__Durable *in, struct durable *out)
{
	out->incarnation = (struct incarnation){in->incarnation, in->nonce};
	take_ballot(in->promised, &out->promised);
	out->lease_max = in->lease_max;
	out->epoch_seen = in->epoch_seen;
	take_owner(in->claimant_seen, &out->claimant_seen);
	out->applied = in->applied;
	take_ballot(in->applied_ballot, &out->applied_ballot);
	out->applied_epoch = in->applied_epoch;
	out->commit = in->commit;
	take_owner(in->applied_claimant, &out->applied_claimant);
	out->standing = in->standing;
	out->role = in->role;
	out->old_self = in->old_self;
	out->consent_to = in->consent_to;
	out->consent_attempt = in->consent_attempt;
	out->superseded_by = in->superseded_by;
	out->superseded_by_rival = in->superseded_by_rival;
	return take_peers(in, out) && take_exact(&in->cluster, out->cluster.bytes, CLUSTER_ID_SIZE) &&
	       take_generation(in->generation, &out->generation) &&
	       take_name(&in->name, out->name) && take_config(in->config, &out->config) &&
	       in->lease_max >= 0 && in->lease_max <= CONFIG_TERM_MAX &&
	       in->standing <= STANDING_STOPPED && in->role <= ROLE_WITNESS;
}

bool durable_decode(const uint8_t *in, size_t size, struct arena *arena, struct durable *out)
{
	const Essaim__Store__Durable *wire =
		arena_unpack(arena, &essaim__store__durable__descriptor, in, size);

	return wire != NULL && take_durable(wire, out);
}

/* ---- members ---- */

size_t member_row_encode(const struct member_row *in, uint8_t *out, size_t capacity)
{
	_Alignas(16) uint8_t memory[1024];
	struct arena scratch = {memory, sizeof memory, 0};
	Essaim__Store__MemberRow wire = ESSAIM__STORE__MEMBER_ROW__INIT;

	wire.record = put_member_record(&scratch, &in->record);
	wire.state = in->state;
	wire.changed_index = in->changed_index;
	wire.changed_wall = in->changed_wall;
	wire.successor = in->successor;
	return part_pack(&wire.base, out, capacity);
}

bool member_row_decode(const uint8_t *in, size_t size, struct arena *arena, struct member_row *out)
{
	const Essaim__Store__MemberRow *wire =
		arena_unpack(arena, &essaim__store__member_row__descriptor, in, size);

	if (wire == NULL)
		return false;
	out->state = (enum member_state)wire->state;
	out->changed_index = wire->changed_index;
	out->changed_wall = wire->changed_wall;
	out->successor = wire->successor;
	return wire->state >= MEMBER_ACTIVE && wire->state <= MEMBER_REMOVED &&
	       take_member_record(wire->record, &out->record);
}

/* ---- tokens ---- */

size_t token_row_encode(const struct token_row *in, uint8_t *out, size_t capacity)
{
	Essaim__Store__TokenRow wire = ESSAIM__STORE__TOKEN_ROW__INIT;

	wire.token = in->token;
	wire.hash = put_exact(in->hash.bytes, HASH_SIZE);
	wire.role = in->role;
	wire.expires_wall = in->expires_wall;
	wire.uses_left = in->uses_left;
	wire.revoked = in->revoked;
	wire.created_wall = in->created_wall;
	wire.created_by = in->created_by;
	return part_pack(&wire.base, out, capacity);
}

bool token_row_decode(const uint8_t *in, size_t size, struct arena *arena, struct token_row *out)
{
	const Essaim__Store__TokenRow *wire =
		arena_unpack(arena, &essaim__store__token_row__descriptor, in, size);

	if (wire == NULL)
		return false;
	out->token = wire->token;
	out->expires_wall = wire->expires_wall;
	out->uses_left = wire->uses_left;
	out->revoked = wire->revoked != 0;
	out->created_wall = wire->created_wall;
	out->created_by = wire->created_by;
	return take_exact(&wire->hash, out->hash.bytes, HASH_SIZE) &&
	       take_role(wire->role, &out->role);
}

/* ---- keys and values ---- */

size_t kv_row_encode(const struct kv_row *in, uint8_t *out, size_t capacity)
{
	Essaim__Store__KvRow wire = ESSAIM__STORE__KV_ROW__INIT;

	wire.version = in->version;
	wire.changed_wall = in->changed_wall;
	wire.value = put_bytes(&in->value);
	return part_pack(&wire.base, out, capacity);
}

bool kv_row_decode(const uint8_t *in, size_t size, struct arena *arena, struct kv_row *out)
{
	const Essaim__Store__KvRow *wire =
		arena_unpack(arena, &essaim__store__kv_row__descriptor, in, size);

	if (wire == NULL)
		return false;
	out->version = wire->version;
	out->changed_wall = wire->changed_wall;
	return take_bytes(&wire->value, VALUE_MAX_SIZE, &out->value);
}

/* ---- replies kept per origin ---- */

size_t origin_row_encode(const struct origin_row *in, uint8_t *out, size_t capacity)
{
	Essaim__Store__OriginRow wire = ESSAIM__STORE__ORIGIN_ROW__INIT;
	uint64_t sequences[REPLIES_PER_ORIGIN], versions[REPLIES_PER_ORIGIN],
		indexes[REPLIES_PER_ORIGIN];
	uint32_t codes[REPLIES_PER_ORIGIN];

	assert(in->count <= REPLIES_PER_ORIGIN);
	for (uint32_t i = 0; i < in->count; i++) {
		sequences[i] = in->replies[i].sequence;
		codes[i] = in->replies[i].code;
		versions[i] = in->replies[i].version;
		indexes[i] = in->replies[i].index;
	}
	wire.origin = in->origin;
	wire.incarnation = in->incarnation;
	wire.floor = in->floor;
	wire.n_sequences = wire.n_codes = wire.n_versions = wire.n_indexes = in->count;
	wire.sequences = sequences;
	wire.codes = codes;
	wire.versions = versions;
	wire.indexes = indexes;
	return part_pack(&wire.base, out, capacity);
}

bool origin_row_decode(const uint8_t *in, size_t size, struct arena *arena, struct origin_row *out)
{
	const Essaim__Store__OriginRow *wire =
		arena_unpack(arena, &essaim__store__origin_row__descriptor, in, size);

	if (wire == NULL || wire->n_sequences > REPLIES_PER_ORIGIN ||
	    wire->n_codes != wire->n_sequences || wire->n_versions != wire->n_sequences ||
	    wire->n_indexes != wire->n_sequences)
		return false;
	memset(out, 0, sizeof *out);
	out->origin = wire->origin;
	out->incarnation = wire->incarnation;
	out->floor = wire->floor;
	out->count = (uint32_t)wire->n_sequences;
	for (uint32_t i = 0; i < out->count; i++)
		out->replies[i] = (struct reply){wire->sequences[i], wire->codes[i],
		                                 wire->versions[i], wire->indexes[i]};
	return true;
}
