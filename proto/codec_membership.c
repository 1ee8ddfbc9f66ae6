/*
 * The messages of sessions and membership.
 */
#include "codec_internal.h"

#include <assert.h>

/* ---- sessions: hello and welcome have one shape ---- */

static Essaim__Wire__Hello *put_greeting(struct arena *scratch, const struct incarnation *own,
                                         uint64_t challenge, uint32_t wire_min, uint32_t wire_max)
{
	Essaim__Wire__Hello *out = part_new(scratch, &essaim__wire__hello__descriptor);

	out->incarnation = own->number;
	out->nonce = own->nonce;
	out->challenge = challenge;
	out->wire_min = wire_min;
	out->wire_max = wire_max;
	return out;
}

void *put_hello(struct arena *scratch, const struct envelope *in)
{
	const struct hello *m = &in->hello;

	return put_greeting(scratch, &m->incarnation, m->challenge, m->wire_min, m->wire_max);
}

void *put_welcome(struct arena *scratch, const struct envelope *in)
{
	const struct welcome *m = &in->welcome;

	return put_greeting(scratch, &m->incarnation, m->challenge, m->wire_min, m->wire_max);
}

bool take_hello(const void *message, struct arena *arena, struct envelope *out)
{
	const Essaim__Wire__Hello *in = message;

	out->hello = (struct hello){
		{in->incarnation, in->nonce}, in->challenge, in->wire_min, in->wire_max};
	return in->wire_min <= in->wire_max;
}

bool take_welcome(const void *message, struct arena *arena, struct envelope *out)
{
	const Essaim__Wire__Hello *in = message;

	out->welcome = (struct welcome){
		{in->incarnation, in->nonce}, in->challenge, in->wire_min, in->wire_max};
	return in->wire_min <= in->wire_max;
}

/* ---- probes ---- */

static const uint8_t zeros[PACKET_MAX];

void *put_probe(struct arena *scratch, const struct envelope *in)
{
	Essaim__Wire__Probe *out = part_new(scratch, &essaim__wire__probe__descriptor);

	out->sequence = in->probe.sequence;
	out->sent_wall = in->probe.sent_wall;
	out->urgent = in->probe.urgent;
	out->padding = put_bytes(&(struct bytes){zeros, in->probe.padding});
	return out;
}

bool take_probe(const void *message, struct arena *arena, struct envelope *out)
{
	const Essaim__Wire__Probe *in = message;

	out->probe.sequence = in->sequence;
	out->probe.sent_wall = take_time(in->sent_wall);
	out->probe.urgent = in->urgent != 0;
	out->probe.padding = (uint32_t)in->padding.len;
	return in->padding.len <= PACKET_MAX;
}

/* The difference wraps, so that every pair of instants has one. */
void *put_ack(struct arena *scratch, const struct envelope *in)
{
	Essaim__Wire__Ack *out = part_new(scratch, &essaim__wire__ack__descriptor);

	out->sequence = in->ack.sequence;
	out->received_wall = in->ack.received_wall;
	out->held = (int64_t)((uint64_t)in->ack.sent_wall - (uint64_t)in->ack.received_wall);
	return out;
}

bool take_ack(const void *message, struct arena *arena, struct envelope *out)
{
	const Essaim__Wire__Ack *in = message;
	int64_t sent = (int64_t)((uint64_t)in->received_wall + (uint64_t)in->held);

	out->ack.sequence = in->sequence;
	out->ack.received_wall = take_time(in->received_wall);
	out->ack.sent_wall = take_time(sent);
	return true;
}

void *put_probe_request(struct arena *scratch, const struct envelope *in)
{
	Essaim__Wire__ProbeRequest *out =
		part_new(scratch, &essaim__wire__probe_request__descriptor);

	out->sequence = in->probe_request.sequence;
	out->target = in->probe_request.target;
	out->seen = put_address(scratch, &in->probe_request.seen);
	return out;
}

bool take_probe_request(const void *message, struct arena *arena, struct envelope *out)
{
	const Essaim__Wire__ProbeRequest *in = message;

	out->probe_request = (struct probe_request){.sequence = in->sequence, .target = in->target};
	return take_address(in->seen, &out->probe_request.seen);
}

void *put_probe_report(struct arena *scratch, const struct envelope *in)
{
	Essaim__Wire__ProbeReport *out = part_new(scratch, &essaim__wire__probe_report__descriptor);

	out->sequence = in->probe_report.sequence;
	out->target = in->probe_report.target;
	out->outcome = in->probe_report.outcome;
	return out;
}

bool take_probe_report(const void *message, struct arena *arena, struct envelope *out)
{
	const Essaim__Wire__ProbeReport *in = message;

	out->probe_report = (struct probe_report){in->sequence, in->target,
	                                          (enum probe_outcome)in->outcome};
	return in->outcome >= OUTCOME_ALIVE && in->outcome <= OUTCOME_HOST_UP;
}

/* ---- spreading ---- */

void *put_gossip(struct arena *scratch, const struct envelope *in)
{
	return part_new(scratch, &essaim__wire__gossip__descriptor);
}

bool take_gossip(const void *message, struct arena *arena, struct envelope *out)
{
	return true;
}

void *put_digest(struct arena *scratch, const struct envelope *in)
{
	Essaim__Wire__Digest *out = part_new(scratch, &essaim__wire__digest__descriptor);
	const struct digest *digest = &in->digest;

	assert(digest->count <= DIGEST_ENTRIES_MAX);
	out->reply = digest->reply;
	out->n_owners = out->n_incarnations = out->n_versions = digest->count;
	out->owners = scratch_take(scratch, digest->count * sizeof *out->owners);
	out->incarnations = scratch_take(scratch, digest->count * sizeof *out->incarnations);
	out->versions = scratch_take(scratch, digest->count * sizeof *out->versions);
	for (uint32_t i = 0; i < digest->count; i++) {
		out->owners[i] = digest->entries[i].owner;
		out->incarnations[i] = digest->entries[i].incarnation;
		out->versions[i] = digest->entries[i].version;
	}
	return out;
}

bool take_digest(const void *message, struct arena *arena, struct envelope *out)
{
	const Essaim__Wire__Digest *in = message;
	struct digest *digest = &out->digest;

	if (in->n_owners > DIGEST_ENTRIES_MAX || in->n_incarnations != in->n_owners ||
	    in->n_versions != in->n_owners)
		return false;
	digest->count = (uint32_t)in->n_owners;
	digest->reply = in->reply != 0;
	for (size_t i = 0; i < in->n_owners; i++)
		digest->entries[i] = (struct digest_entry){in->owners[i], in->incarnations[i],
		                                           in->versions[i]};
	return true;
}

void *put_fact_pull(struct arena *scratch, const struct envelope *in)
{
	Essaim__Wire__FactPull *out = part_new(scratch, &essaim__wire__fact_pull__descriptor);

	out->owner = in->fact_pull.owner;
	out->key = put_bytes(&in->fact_pull.key);
	out->hash = put_exact(in->fact_pull.hash.bytes, HASH_SIZE);
	return out;
}

bool take_fact_pull(const void *message, struct arena *arena, struct envelope *out)
{
	const Essaim__Wire__FactPull *in = message;

	out->fact_pull.owner = in->owner;
	return in->key.len > 0 && take_bytes(&in->key, FACT_KEY_MAX, &out->fact_pull.key) &&
	       take_exact(&in->hash, out->fact_pull.hash.bytes, HASH_SIZE);
}

void *put_fact_value(struct arena *scratch, const struct envelope *in)
{
	Essaim__Wire__FactValue *out = part_new(scratch, &essaim__wire__fact_value__descriptor);

	out->owner = in->fact_value.owner;
	out->key = put_bytes(&in->fact_value.key);
	out->hash = put_exact(in->fact_value.hash.bytes, HASH_SIZE);
	out->value = put_bytes(&in->fact_value.value);
	return out;
}

bool take_fact_value(const void *message, struct arena *arena, struct envelope *out)
{
	const Essaim__Wire__FactValue *in = message;

	out->fact_value.owner = in->owner;
	return in->key.len > 0 && take_bytes(&in->key, FACT_KEY_MAX, &out->fact_value.key) &&
	       take_exact(&in->hash, out->fact_value.hash.bytes, HASH_SIZE) &&
	       take_bytes(&in->value, FACT_VALUE_MAX, &out->fact_value.value);
}

void *put_farewell(struct arena *scratch, const struct envelope *in)
{
	Essaim__Wire__Farewell *out = part_new(scratch, &essaim__wire__farewell__descriptor);

	out->reason = in->farewell.reason;
	out->by = in->farewell.by;
	out->known = in->farewell.known;
	return out;
}

bool take_farewell(const void *message, struct arena *arena, struct envelope *out)
{
	const Essaim__Wire__Farewell *in = message;

	out->farewell = (struct farewell){(enum farewell_reason)in->reason, in->by,
	                                  in->known};
	return in->reason >= FAREWELL_STOPPING && in->reason <= FAREWELL_WIRE_OLD;
}
