/*
 * What several messages share: bytes, times, ballots, owners, configurations, addresses, records.
 */
#include "codec_internal.h"

#include <assert.h>
#include <string.h>

/* ---- scalars and bytes ---- */

ProtobufCBinaryData put_bytes(const struct bytes *in)
{
	return (ProtobufCBinaryData){in->size, (uint8_t *)in->data};
}

bool take_bytes(const ProtobufCBinaryData *in, size_t max, struct bytes *out)
{
	*out = (struct bytes){in->data, in->len};
	return in->len <= max;
}

ProtobufCBinaryData put_exact(const uint8_t *in, size_t size)
{
	uint8_t any = 0;

	for (size_t i = 0; i < size; i++)
		any |= in[i];
	return (ProtobufCBinaryData){any ? size : 0, (uint8_t *)in};
}

bool take_exact(const ProtobufCBinaryData *in, uint8_t *out, size_t size)
{
	if (in->len == 0) {
		memset(out, 0, size);
		return true;
	}
	if (in->len != size)
		return false;
	memcpy(out, in->data, size);
	return true;
}

/* For wall clocks: the years 1933 to 2079. */
#define TIME_MIN (-(INT64_C(1) << 60))
#define TIME_MAX ((INT64_C(1) << 62) - (INT64_C(1) << 60))

int64_t take_time(int64_t in)
{
	return in < TIME_MIN ? TIME_MIN : in > TIME_MAX ? TIME_MAX : in;
}

bool take_role(uint32_t in, enum role *out)
{
	*out = (enum role)in;
	return in <= ROLE_WITNESS;
}

/* ---- ballots, owners, generations ---- */

int ballot_compare(const struct ballot *a, const struct ballot *b)
{
	if (a->counter != b->counter)
		return a->counter < b->counter ? -1 : 1;
	if (a->incarnation != b->incarnation)
		return a->incarnation < b->incarnation ? -1 : 1;
	if (a->node != b->node)
		return a->node < b->node ? -1 : 1;
	if (a->hop != b->hop)
		return a->hop < b->hop ? -1 : 1;
	return 0;
}

bool ballot_equal(const struct ballot *a, const struct ballot *b)
{
	return ballot_compare(a, b) == 0;
}

bool owner_equal(const struct owner *a, const struct owner *b)
{
	return a->node == b->node && a->incarnation.number == b->incarnation.number &&
	       a->incarnation.nonce == b->incarnation.nonce;
}

int config_compare(const struct ballot *a, uint64_t a_version, const struct ballot *b,
                   uint64_t b_version)
{
	int order = ballot_compare(a, b);

	if (order != 0)
		return order;
	return a_version < b_version ? -1 : a_version > b_version;
}

Essaim__Wire__Ballot *put_ballot(struct arena *scratch, const struct ballot *in)
{
	if (ballot_equal(in, &(struct ballot){0}))
		return NULL;
	Essaim__Wire__Ballot *out = part_new(scratch, &essaim__wire__ballot__descriptor);
	out->counter = in->counter;
	out->incarnation = in->incarnation;
	out->node = in->node;
	out->hop = in->hop;
	return out;
}

void take_ballot(const Essaim__Wire__Ballot *in, struct ballot *out)
{
	*out = (struct ballot){0};
	if (in != NULL)
		*out = (struct ballot){in->counter, in->incarnation, in->node, in->hop};
}

Essaim__Wire__Owner *put_owner(struct arena *scratch, const struct owner *in)
{
	if (owner_equal(in, &(struct owner){0}))
		return NULL;
	Essaim__Wire__Owner *out = part_new(scratch, &essaim__wire__owner__descriptor);
	out->node = in->node;
	out->incarnation = in->incarnation.number;
	out->nonce = in->incarnation.nonce;
	return out;
}

void take_owner(const Essaim__Wire__Owner *in, struct owner *out)
{
	*out = (struct owner){0};
	if (in != NULL)
		*out = (struct owner){in->node, {in->incarnation, in->nonce}};
}

Essaim__Wire__Generation *put_generation(struct arena *scratch, const struct generation *in)
{
	Essaim__Wire__Generation *out = part_new(scratch, &essaim__wire__generation__descriptor);

	out->number = in->number;
	out->hash = put_exact(in->hash.bytes, HASH_SIZE);
	return out;
}

bool take_generation(const Essaim__Wire__Generation *in, struct generation *out)
{
	*out = (struct generation){0};
	if (in == NULL)
		return true;
	out->number = in->number;
	return take_exact(&in->hash, out->hash.bytes, HASH_SIZE);
}

/* ---- configurations ---- */

Essaim__Wire__Config *put_config(struct arena *scratch, const struct config *in)
{
	Essaim__Wire__Config *out = part_new(scratch, &essaim__wire__config__descriptor);

	assert(in->voter_count <= VOTERS_MAX);
	out->ballot = put_ballot(scratch, &in->ballot);
	out->version = in->version;
	out->profile = in->profile;
	out->lease = in->lease;
	out->exclusion = in->exclusion;
	out->quarantine = in->quarantine;
	out->rate_ppm = in->rate_ppm;
	out->n_voters = in->voter_count;
	out->voters = (uint64_t *)in->voters;
	out->witnesses = in->witnesses;
	return out;
}

static bool term_legal(int64_t term)
{
	return term >= 0 && term <= CONFIG_TERM_MAX;
}

/* Strictly ascending, so that no voter can count twice; never 0. */
static bool take_voters(const Essaim__Wire__Config *in, struct config *out)
{
	if (in->n_voters > VOTERS_MAX || in->witnesses >> in->n_voters != 0)
		return false;
	for (size_t i = 0; i < in->n_voters; i++) {
		if (in->voters[i] <= (i == 0 ? 0 : in->voters[i - 1]))
			return false;
		out->voters[i] = in->voters[i];
	}
	out->voter_count = (uint32_t)in->n_voters;
	out->witnesses = in->witnesses;
	return true;
}

bool take_config(const Essaim__Wire__Config *in, struct config *out)
{
	*out = (struct config){0};
	if (in == NULL)
		return true;
	if (in->profile > PROFILE_LAN || in->rate_ppm >= 1000000 || !term_legal(in->lease) ||
	    !term_legal(in->exclusion) || !term_legal(in->quarantine))
		return false;
	take_ballot(in->ballot, &out->ballot);
	out->version = in->version;
	out->profile = in->profile;
	out->lease = in->lease;
	out->exclusion = in->exclusion;
	out->quarantine = in->quarantine;
	out->rate_ppm = in->rate_ppm;
	return take_voters(in, out);
}

/* ---- addresses and member records ---- */

Essaim__Wire__Address *put_address(struct arena *scratch, const struct address *in)
{
	if (in->family == 0)
		return NULL;
	Essaim__Wire__Address *out = part_new(scratch, &essaim__wire__address__descriptor);
	assert(in->family == 4 || in->family == 6);
	out->ip = (ProtobufCBinaryData){in->family == 4 ? 4 : 16, (uint8_t *)in->ip};
	out->port = in->port;
	return out;
}

bool take_address(const Essaim__Wire__Address *in, struct address *out)
{
	*out = (struct address){0};
	if (in == NULL)
		return true;
	if ((in->ip.len != 4 && in->ip.len != 16) || in->port == 0 || in->port > UINT16_MAX)
		return false;
	out->family = in->ip.len == 4 ? 4 : 6;
	memcpy(out->ip, in->ip.data, in->ip.len);
	out->port = (uint16_t)in->port;
	return true;
}

Essaim__Wire__Address **put_addresses(struct arena *scratch, const struct addresses *in,
                                      size_t *out_count)
{
	assert(in->count <= ADDRESSES_MAX);
	Essaim__Wire__Address **out = scratch_take(scratch, in->count * sizeof *out);
	*out_count = in->count;
	for (uint32_t i = 0; i < in->count; i++) {
		assert(in->list[i].family != 0);
		out[i] = put_address(scratch, &in->list[i]);
	}
	return out;
}

/* Those beside the first address: one place less than there may be in all. */
bool take_addresses(Essaim__Wire__Address *const *in, size_t count, struct addresses *out)
{
	*out = (struct addresses){0};
	if (count >= ADDRESSES_MAX)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!take_address(in[i], &out->list[i]))
			return false;
	}
	out->count = (uint32_t)count;
	return true;
}

Essaim__Wire__MemberRecord *put_member_record(struct arena *scratch, const struct member_record *in)
{
	Essaim__Wire__MemberRecord *out =
		part_new(scratch, &essaim__wire__member_record__descriptor);

	out->key = put_exact(in->key.bytes, NODE_KEY_SIZE);
	out->name = put_bytes(&in->name);
	out->address = put_address(scratch, &in->address);
	out->role = in->role;
	out->wire_min = in->wire_min;
	out->wire_max = in->wire_max;
	out->incarnation = in->incarnation;
	out->signature = put_exact(in->signature, SIGNATURE_SIZE);
	out->more = put_addresses(scratch, &in->more, &out->n_more);
	out->old_key = put_exact(in->old_key.bytes, NODE_KEY_SIZE);
	out->old_signature = put_exact(in->old_signature, SIGNATURE_SIZE);
	return out;
}

bool take_member_record(const Essaim__Wire__MemberRecord *in, struct member_record *out)
{
	*out = (struct member_record){0};
	if (in == NULL)
		return true;
	out->wire_min = in->wire_min;
	out->wire_max = in->wire_max;
	out->incarnation = in->incarnation;
	return take_exact(&in->key, out->key.bytes, NODE_KEY_SIZE) &&
	       take_bytes(&in->name, NAME_MAX_SIZE, &out->name) &&
	       take_address(in->address, &out->address) &&
	       take_addresses(in->more, in->n_more, &out->more) && take_role(in->role, &out->role) &&
	       take_exact(&in->signature, out->signature, SIGNATURE_SIZE) &&
	       take_exact(&in->old_key, out->old_key.bytes, NODE_KEY_SIZE) &&
	       take_exact(&in->old_signature, out->old_signature, SIGNATURE_SIZE);
}
