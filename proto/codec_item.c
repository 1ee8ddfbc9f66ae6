/*
 * Gossip items: facts, accusations, refutations, verdicts.
 */
#include "codec_internal.h"

#include <assert.h>

static Essaim__Wire__Fact *put_fact(struct arena *scratch, const struct fact_item *in)
{
	Essaim__Wire__Fact *out = part_new(scratch, &essaim__wire__fact__descriptor);

	out->key = put_bytes(&in->key);
	out->version = in->version;
	out->tombstone = in->tombstone;
	out->big = in->big;
	out->hash = put_exact(in->hash.bytes, HASH_SIZE);
	out->size = in->size;
	out->value = put_bytes(&in->value);
	out->made_wall = in->made_wall;
	return out;
}

static bool take_fact(const Essaim__Wire__Fact *in, struct fact_item *out)
{
	size_t value_max = in->tombstone || in->big ? 0 : FACT_INLINE_MAX;

	out->version = in->version;
	out->tombstone = in->tombstone != 0;
	out->big = in->big != 0;
	out->size = in->size;
	out->made_wall = take_time(in->made_wall);
	return in->key.len > 0 && take_bytes(&in->key, FACT_KEY_MAX, &out->key) &&
	       in->size <= FACT_VALUE_MAX && take_exact(&in->hash, out->hash.bytes, HASH_SIZE) &&
	       take_bytes(&in->value, value_max, &out->value);
}

static Essaim__Wire__Accusation *put_accusation(struct arena *scratch,
                                                const struct accusation_item *in)
{
	Essaim__Wire__Accusation *out = part_new(scratch, &essaim__wire__accusation__descriptor);

	out->subject = in->subject;
	out->subject_incarnation = in->subject_incarnation;
	out->subject_refutation = in->subject_refutation;
	out->outcome = in->outcome;
	out->health = in->health;
	out->version = in->version;
	return out;
}

static bool take_accusation(const Essaim__Wire__Accusation *in, struct accusation_item *out)
{
	*out = (struct accusation_item){
		.subject = in->subject,
		.subject_incarnation = in->subject_incarnation,
		.subject_refutation = in->subject_refutation,
		.outcome = (enum probe_outcome)in->outcome,
		.health = in->health,
		.version = in->version,
	};
	return in->outcome >= OUTCOME_ALIVE && in->outcome <= OUTCOME_HOST_UP;
}

static Essaim__Wire__Refutation *put_refutation(struct arena *scratch,
                                                const struct refutation_item *in)
{
	Essaim__Wire__Refutation *out = part_new(scratch, &essaim__wire__refutation__descriptor);

	out->refutation = in->refutation;
	return out;
}

static Essaim__Wire__Verdict *put_verdict(struct arena *scratch, const struct verdict_item *in)
{
	Essaim__Wire__Verdict *out = part_new(scratch, &essaim__wire__verdict__descriptor);

	assert(in->accuser_count <= ACCUSERS_MAX);
	out->subject = in->subject;
	out->subject_incarnation = in->subject_incarnation;
	out->subject_refutation = in->subject_refutation;
	out->n_accusers = out->n_healths = in->accuser_count;
	out->accusers = (uint64_t *)in->accusers;
	out->healths = (uint32_t *)in->healths;
	out->version = in->version;
	return out;
}

static bool take_verdict(const Essaim__Wire__Verdict *in, struct verdict_item *out)
{
	if (in->n_accusers > ACCUSERS_MAX || in->n_healths != in->n_accusers)
		return false;
	*out = (struct verdict_item){
		.subject = in->subject,
		.subject_incarnation = in->subject_incarnation,
		.subject_refutation = in->subject_refutation,
		.accuser_count = (uint32_t)in->n_accusers,
		.version = in->version,
	};
	for (size_t i = 0; i < in->n_accusers; i++) {
		out->accusers[i] = in->accusers[i];
		out->healths[i] = in->healths[i];
	}
	return true;
}

Essaim__Wire__Item *put_item(struct arena *scratch, const struct item *in)
{
	Essaim__Wire__Item *out = part_new(scratch, &essaim__wire__item__descriptor);

	out->author = in->author;
	out->incarnation = in->incarnation;
	out->signature = put_exact(in->signature, SIGNATURE_SIZE);
	switch (in->kind) {
	case ITEM_FACT:
		out->content_case = ESSAIM__WIRE__ITEM__CONTENT_FACT;
		out->fact = put_fact(scratch, &in->fact);
		break;
	case ITEM_ACCUSATION:
		out->content_case = ESSAIM__WIRE__ITEM__CONTENT_ACCUSATION;
		out->accusation = put_accusation(scratch, &in->accusation);
		break;
	case ITEM_REFUTATION:
		out->content_case = ESSAIM__WIRE__ITEM__CONTENT_REFUTATION;
		out->refutation = put_refutation(scratch, &in->refutation);
		break;
	case ITEM_VERDICT:
		out->content_case = ESSAIM__WIRE__ITEM__CONTENT_VERDICT;
		out->verdict = put_verdict(scratch, &in->verdict);
		break;
	}
	return out;
}

static bool take_content(const Essaim__Wire__Item *in, struct item *out)
{
	switch (in->content_case) {
	case ESSAIM__WIRE__ITEM__CONTENT_FACT:
		out->kind = ITEM_FACT;
		return take_fact(in->fact, &out->fact);
	case ESSAIM__WIRE__ITEM__CONTENT_ACCUSATION:
		out->kind = ITEM_ACCUSATION;
		return take_accusation(in->accusation, &out->accusation);
	case ESSAIM__WIRE__ITEM__CONTENT_REFUTATION:
		out->kind = ITEM_REFUTATION;
		out->refutation.refutation = in->refutation->refutation;
		return true;
	case ESSAIM__WIRE__ITEM__CONTENT_VERDICT:
		out->kind = ITEM_VERDICT;
		return take_verdict(in->verdict, &out->verdict);
	default: /* protobuf-c's own enum has members that are no kinds */
		return false;
	}
}

bool take_items(const Essaim__Wire__Envelope *in, struct arena *arena, struct envelope *out)
{
	out->item_count = 0;
	out->items = NULL;
	if (in->n_items == 0)
		return true;
	struct item *items = arena_take(arena, in->n_items * sizeof *items);
	if (in->n_items > ITEMS_PER_PACKET_MAX || items == NULL)
		return false;
	out->items = items;
	for (size_t i = 0; i < in->n_items; i++) {
		const Essaim__Wire__Item *item = in->items[i];
		if (item->content_case == ESSAIM__WIRE__ITEM__CONTENT__NOT_SET)
			continue; /* of a kind that this build does not know */
		struct item *next = &items[out->item_count++];
		next->author = item->author;
		next->incarnation = item->incarnation;
		if (!take_exact(&item->signature, next->signature, SIGNATURE_SIZE) ||
		    !take_content(item, next))
			return false;
	}
	return true;
}

size_t item_size(const struct item *in)
{
	_Alignas(16) uint8_t memory[512];
	struct arena scratch = {memory, sizeof memory, 0};
	size_t size = protobuf_c_message_get_packed_size(&put_item(&scratch, in)->base);

	/* tag, length, content: an item never needs more than two bytes of length */
	return 1 + (size < 128 ? 1u : 2u) + size;
}
