/*
 * The messages of the lease and the ledger.
 */
#include "codec_internal.h"

#include <assert.h>

/* ---- parts ---- */

static Essaim__Wire__Grant *put_grant(struct arena *scratch, const struct grant *in)
{
	Essaim__Wire__Grant *out = part_new(scratch, &essaim__wire__grant__descriptor);

	out->owner = put_owner(scratch, &in->owner);
	out->ballot = put_ballot(scratch, &in->ballot);
	out->round = in->round;
	out->left = in->left;
	return out;
}

static void take_grant(const Essaim__Wire__Grant *in, struct grant *out)
{
	*out = (struct grant){0};
	if (in == NULL)
		return;
	take_owner(in->owner, &out->owner);
	take_ballot(in->ballot, &out->ballot);
	out->round = in->round;
	out->left = take_time(in->left);
}

static Essaim__Wire__Entry **put_entry_list(struct arena *scratch, const struct entry *in,
                                            uint32_t count)
{
	assert(count <= ENTRIES_PER_MESSAGE_MAX);
	if (count == 0)
		return NULL;
	Essaim__Wire__Entry **list = scratch_take(scratch, count * sizeof *list);
	for (uint32_t i = 0; i < count; i++) {
		Essaim__Wire__Entry *out = part_new(scratch, &essaim__wire__entry__descriptor);
		out->index = in[i].index;
		out->counter = in[i].ballot.counter;
		out->incarnation = in[i].ballot.incarnation;
		out->node = in[i].ballot.node;
		out->hop = in[i].ballot.hop;
		out->command = put_bytes(&in[i].command);
		list[i] = out;
	}
	return list;
}

static bool take_entry_list(Essaim__Wire__Entry *const *in, size_t count, struct arena *arena,
                            uint32_t *out_count, const struct entry **out)
{
	size_t left = ENTRIES_BYTES_MAX;

	*out_count = 0;
	*out = NULL;
	if (count == 0)
		return true;
	if (count > ENTRIES_PER_MESSAGE_MAX)
		return false;
	struct entry *list = arena_take(arena, count * sizeof *list);
	if (list == NULL)
		return false;
	for (size_t i = 0; i < count; i++) {
		list[i].index = in[i]->index;
		list[i].ballot = (struct ballot){in[i]->counter, in[i]->incarnation, in[i]->node,
		                                 in[i]->hop};
		if (!take_bytes(&in[i]->command, left, &list[i].command))
			return false;
		left -= in[i]->command.len;
	}
	*out_count = (uint32_t)count;
	*out = list;
	return true;
}

/* ---- taking the lease ---- */

void *put_prepare(struct arena *scratch, const struct envelope *in)
{
	Essaim__Wire__Prepare *out = part_new(scratch, &essaim__wire__prepare__descriptor);
	const struct prepare *m = &in->prepare;

	out->ballot = put_ballot(scratch, &m->ballot);
	out->owner = put_owner(scratch, &m->owner);
	out->config = put_config(scratch, &m->config);
	out->commit = m->commit;
	out->last_ballot = put_ballot(scratch, &m->last_ballot);
	out->last_index = m->last_index;
	return out;
}

bool take_prepare(const void *message, struct arena *arena, struct envelope *out)
{
	const Essaim__Wire__Prepare *in = message;
	struct prepare *m = &out->prepare;

	take_ballot(in->ballot, &m->ballot);
	take_owner(in->owner, &m->owner);
	m->commit = in->commit;
	take_ballot(in->last_ballot, &m->last_ballot);
	m->last_index = in->last_index;
	return take_config(in->config, &m->config);
}

void *put_promise(struct arena *scratch, const struct envelope *in)
{
	Essaim__Wire__Promise *out = part_new(scratch, &essaim__wire__promise__descriptor);
	const struct promise *m = &in->promise;

	out->ballot = put_ballot(scratch, &m->ballot);
	out->config = put_config(scratch, &m->config);
	out->grant = put_grant(scratch, &m->grant);
	out->commit = m->commit;
	out->n_entries = m->entry_count;
	out->entries = put_entry_list(scratch, m->entries, m->entry_count);
	return out;
}

bool take_promise(const void *message, struct arena *arena, struct envelope *out)
{
	const Essaim__Wire__Promise *in = message;
	struct promise *m = &out->promise;

	take_ballot(in->ballot, &m->ballot);
	take_grant(in->grant, &m->grant);
	m->commit = in->commit;
	return take_config(in->config, &m->config) &&
	       take_entry_list(in->entries, in->n_entries, arena, &m->entry_count, &m->entries);
}

void *put_reject(struct arena *scratch, const struct envelope *in)
{
	Essaim__Wire__Reject *out = part_new(scratch, &essaim__wire__reject__descriptor);
	const struct reject *m = &in->reject;

	out->ballot = put_ballot(scratch, &m->ballot);
	out->reason = m->reason;
	out->promised = put_ballot(scratch, &m->promised);
	out->config = put_config(scratch, &m->config);
	out->grant = put_grant(scratch, &m->grant);
	out->commit = m->commit;
	return out;
}

bool take_reject(const void *message, struct arena *arena, struct envelope *out)
{
	const Essaim__Wire__Reject *in = message;
	struct reject *m = &out->reject;

	take_ballot(in->ballot, &m->ballot);
	m->reason = (enum reject_reason)in->reason;
	take_ballot(in->promised, &m->promised);
	take_grant(in->grant, &m->grant);
	m->commit = in->commit;
	return in->reason >= REJECT_PROMISED && in->reason <= REJECT_UNFIT &&
	       take_config(in->config, &m->config);
}

/* ---- holding it: the heartbeat and its answer ---- */

/* The owner, unless its node and incarnation number are the ballot's; the nonce goes apart. */
static void put_accept_owner(struct arena *scratch, const struct accept *m,
                             Essaim__Wire__Accept *out)
{
	out->nonce = m->owner.incarnation.nonce;
	out->own = m->owner.node == m->ballot.node &&
	           m->owner.incarnation.number == m->ballot.incarnation;
	if (!out->own)
		out->owner = put_owner(scratch, &(struct owner){m->owner.node,
		                                                {m->owner.incarnation.number, 0}});
}

void *put_accept(struct arena *scratch, const struct envelope *in)
{
	Essaim__Wire__Accept *out = part_new(scratch, &essaim__wire__accept__descriptor);
	const struct accept *m = &in->accept;

	out->counter = m->ballot.counter;
	out->incarnation = m->ballot.incarnation;
	out->node = m->ballot.node;
	out->hop = m->ballot.hop;
	put_accept_owner(scratch, m, out);
	out->round = m->round;
	out->claim_index = m->claim_index;
	out->commit = m->commit;
	out->settled = ballot_equal(&m->config_ballot, &m->ballot);
	if (!out->settled)
		out->config_ballot = put_ballot(scratch, &m->config_ballot);
	out->config_version = m->config_version;
	if (m->has_config)
		out->config = put_config(scratch, &m->config);
	out->first_index = m->first_index;
	out->n_entries = m->entry_count;
	out->entries = put_entry_list(scratch, m->entries, m->entry_count);
	out->owner_sent = m->owner_sent;
	out->echo_voter = m->echo_voter;
	out->echo_received = m->echo_received;
	return out;
}

static void take_accept_owner(const Essaim__Wire__Accept *in, struct owner *out)
{
	take_owner(in->owner, out);
	if (in->own)
		*out = (struct owner){in->node, {in->incarnation, 0}};
	out->incarnation.nonce = in->nonce;
}

bool take_accept(const void *message, struct arena *arena, struct envelope *out)
{
	const Essaim__Wire__Accept *in = message;
	struct accept *m = &out->accept;

	m->ballot = (struct ballot){in->counter, in->incarnation, in->node, in->hop};
	take_accept_owner(in, &m->owner);
	m->round = in->round;
	m->claim_index = in->claim_index;
	m->commit = in->commit;
	take_ballot(in->config_ballot, &m->config_ballot);
	if (in->settled)
		m->config_ballot = m->ballot;
	m->config_version = in->config_version;
	m->has_config = in->config != NULL;
	m->first_index = in->first_index;
	m->owner_sent = take_time(in->owner_sent);
	m->echo_voter = take_time(in->echo_voter);
	m->echo_received = take_time(in->echo_received);
	return take_config(in->config, &m->config) &&
	       take_entry_list(in->entries, in->n_entries, arena, &m->entry_count, &m->entries);
}

void *put_accepted(struct arena *scratch, const struct envelope *in)
{
	Essaim__Wire__Accepted *out = part_new(scratch, &essaim__wire__accepted__descriptor);
	const struct accepted *m = &in->accepted;

	out->counter = m->ballot.counter;
	out->incarnation = m->ballot.incarnation;
	out->node = m->ballot.node;
	out->hop = m->ballot.hop;
	out->round = m->round;
	out->settled = ballot_equal(&m->config_ballot, &m->ballot);
	if (!out->settled)
		out->config_ballot = put_ballot(scratch, &m->config_ballot);
	out->config_version = m->config_version;
	out->match = m->match;
	out->commit = m->commit;
	out->voter_clock = m->voter_clock;
	return out;
}

bool take_accepted(const void *message, struct arena *arena, struct envelope *out)
{
	const Essaim__Wire__Accepted *in = message;
	struct accepted *m = &out->accepted;

	m->ballot = (struct ballot){in->counter, in->incarnation, in->node, in->hop};
	m->round = in->round;
	take_ballot(in->config_ballot, &m->config_ballot);
	if (in->settled)
		m->config_ballot = m->ballot;
	m->config_version = in->config_version;
	m->match = in->match;
	m->commit = in->commit;
	m->voter_clock = take_time(in->voter_clock);
	return true;
}

/* ---- giving it up or over ---- */

void *put_release(struct arena *scratch, const struct envelope *in)
{
	Essaim__Wire__Release *out = part_new(scratch, &essaim__wire__release__descriptor);

	out->owner = put_owner(scratch, &in->release.owner);
	out->ballot = put_ballot(scratch, &in->release.ballot);
	return out;
}

bool take_release(const void *message, struct arena *arena, struct envelope *out)
{
	const Essaim__Wire__Release *in = message;

	take_owner(in->owner, &out->release.owner);
	take_ballot(in->ballot, &out->release.ballot);
	return true;
}

void *put_offer(struct arena *scratch, const struct envelope *in)
{
	Essaim__Wire__Offer *out = part_new(scratch, &essaim__wire__offer__descriptor);

	out->ballot = put_ballot(scratch, &in->offer.ballot);
	out->last_index = in->offer.last_index;
	return out;
}

bool take_offer(const void *message, struct arena *arena, struct envelope *out)
{
	const Essaim__Wire__Offer *in = message;

	take_ballot(in->ballot, &out->offer.ballot);
	out->offer.last_index = in->last_index;
	return true;
}

void *put_ready(struct arena *scratch, const struct envelope *in)
{
	Essaim__Wire__Ready *out = part_new(scratch, &essaim__wire__ready__descriptor);

	out->ballot = put_ballot(scratch, &in->ready.ballot);
	out->successor = put_ballot(scratch, &in->ready.successor);
	out->owner = put_owner(scratch, &in->ready.owner);
	return out;
}

bool take_ready(const void *message, struct arena *arena, struct envelope *out)
{
	const Essaim__Wire__Ready *in = message;

	take_ballot(in->ballot, &out->ready.ballot);
	take_ballot(in->successor, &out->ready.successor);
	take_owner(in->owner, &out->ready.owner);
	return true;
}

void *put_transfer(struct arena *scratch, const struct envelope *in)
{
	Essaim__Wire__Transfer *out = part_new(scratch, &essaim__wire__transfer__descriptor);
	const struct transfer *m = &in->transfer;

	out->ballot = put_ballot(scratch, &m->ballot);
	out->from = put_owner(scratch, &m->from);
	out->successor = put_ballot(scratch, &m->successor);
	out->owner = put_owner(scratch, &m->owner);
	out->last_index = m->last_index;
	out->last_ballot = put_ballot(scratch, &m->last_ballot);
	out->claim = put_bytes(&m->claim);
	out->round = m->round;
	out->config_ballot = put_ballot(scratch, &m->config_ballot);
	out->config_version = m->config_version;
	out->commit = m->commit;
	out->signature = put_exact(m->signature, SIGNATURE_SIZE);
	return out;
}

bool take_transfer(const void *message, struct arena *arena, struct envelope *out)
{
	const Essaim__Wire__Transfer *in = message;
	struct transfer *m = &out->transfer;

	take_ballot(in->ballot, &m->ballot);
	take_owner(in->from, &m->from);
	take_ballot(in->successor, &m->successor);
	take_owner(in->owner, &m->owner);
	m->last_index = in->last_index;
	take_ballot(in->last_ballot, &m->last_ballot);
	m->round = in->round;
	take_ballot(in->config_ballot, &m->config_ballot);
	m->config_version = in->config_version;
	m->commit = in->commit;
	return take_bytes(&in->claim, ENTRIES_BYTES_MAX, &m->claim) &&
	       take_exact(&in->signature, m->signature, SIGNATURE_SIZE);
}

/* ---- learners ---- */

void *put_fetch(struct arena *scratch, const struct envelope *in)
{
	Essaim__Wire__Fetch *out = part_new(scratch, &essaim__wire__fetch__descriptor);

	out->applied = in->fetch.applied;
	out->snapshot_index = in->fetch.snapshot_index;
	out->snapshot_offset = in->fetch.snapshot_offset;
	return out;
}

bool take_fetch(const void *message, struct arena *arena, struct envelope *out)
{
	const Essaim__Wire__Fetch *in = message;

	out->fetch = (struct fetch){in->applied, in->snapshot_index, in->snapshot_offset};
	return true;
}

void *put_entries(struct arena *scratch, const struct envelope *in)
{
	Essaim__Wire__Entries *out = part_new(scratch, &essaim__wire__entries__descriptor);

	out->commit = in->entries.commit;
	out->config = put_config(scratch, &in->entries.config);
	out->n_entries = in->entries.entry_count;
	out->entries = put_entry_list(scratch, in->entries.entries, in->entries.entry_count);
	return out;
}

bool take_entries(const void *message, struct arena *arena, struct envelope *out)
{
	const Essaim__Wire__Entries *in = message;
	struct entries *m = &out->entries;

	m->commit = in->commit;
	return take_config(in->config, &m->config) &&
	       take_entry_list(in->entries, in->n_entries, arena, &m->entry_count, &m->entries);
}

void *put_snapshot(struct arena *scratch, const struct envelope *in)
{
	Essaim__Wire__Snapshot *out = part_new(scratch, &essaim__wire__snapshot__descriptor);
	const struct snapshot *m = &in->snapshot;

	out->index = m->index;
	out->ballot = put_ballot(scratch, &m->ballot);
	out->config = put_config(scratch, &m->config);
	out->epoch = m->epoch;
	out->claimant = put_owner(scratch, &m->claimant);
	out->offset = m->offset;
	out->total = m->total;
	out->chunk = put_bytes(&m->chunk);
	return out;
}

bool take_snapshot(const void *message, struct arena *arena, struct envelope *out)
{
	const Essaim__Wire__Snapshot *in = message;
	struct snapshot *m = &out->snapshot;

	m->index = in->index;
	take_ballot(in->ballot, &m->ballot);
	m->epoch = in->epoch;
	take_owner(in->claimant, &m->claimant);
	m->offset = in->offset;
	m->total = in->total;
	return take_config(in->config, &m->config) && in->offset <= in->total &&
	       take_bytes(&in->chunk, FRAME_MAX, &m->chunk) &&
	       in->chunk.len <= in->total - in->offset;
}
