/*
 * What authors sign: a domain, cluster, generation, then the content, all of fixed layout and
 * big-endian. No protobuf here: an old node must rebuild the very bytes that a newer one signed.
 */
#include "codec.h"

#include <assert.h>
#include <string.h>

struct writer {
	uint8_t *at, *end;
};

static void write_bytes(struct writer *w, const void *data, size_t size)
{
	assert((size_t)(w->end - w->at) >= size);
	if (size > 0)
		memcpy(w->at, data, size);
	w->at += size;
}

/* The low `size` bytes of `value`. */
static void write_number(struct writer *w, uint64_t value, int size)
{
	uint8_t bytes[8];

	for (int i = 0; i < size; i++)
		bytes[i] = (uint8_t)(value >> (8 * (size - 1 - i)));
	write_bytes(w, bytes, (size_t)size);
}

static void write_ballot(struct writer *w, const struct ballot *ballot)
{
	write_number(w, ballot->counter, 8);
	write_number(w, ballot->incarnation, 8);
	write_number(w, ballot->node, 8);
	write_number(w, ballot->hop, 4);
}

static void write_owner(struct writer *w, const struct owner *owner)
{
	write_number(w, owner->node, 8);
	write_number(w, owner->incarnation.number, 8);
	write_number(w, owner->incarnation.nonce, 8);
}

/* Domains end with their NUL, so none is the beginning of another. */
static struct writer statement_begin(const char *domain, const struct cluster_id *cluster,
                                     uint8_t out[STATEMENT_MAX])
{
	struct writer w = {out, out + STATEMENT_MAX};

	write_bytes(&w, domain, strlen(domain) + 1);
	write_bytes(&w, cluster->bytes, CLUSTER_ID_SIZE);
	return w;
}

static void write_generation(struct writer *w, const struct generation *generation)
{
	write_number(w, generation->number, 8);
	write_bytes(w, generation->hash.bytes, HASH_SIZE);
}

/* Neither `big` nor the value itself: a relay may leave out a value, its hash still binds it. */
static void write_fact(struct writer *w, const struct fact_item *fact)
{
	write_number(w, fact->version, 8);
	write_number(w, fact->key.size, 2);
	write_bytes(w, fact->key.data, fact->key.size);
	write_number(w, fact->tombstone, 1);
	write_bytes(w, fact->hash.bytes, HASH_SIZE);
	write_number(w, fact->size, 4);
	write_number(w, (uint64_t)fact->made_wall, 8);
}

static void write_accusation(struct writer *w, const struct accusation_item *accusation)
{
	write_number(w, accusation->version, 8);
	write_number(w, accusation->subject, 8);
	write_number(w, accusation->subject_incarnation, 8);
	write_number(w, accusation->subject_refutation, 8);
	write_number(w, accusation->outcome, 1);
	write_number(w, accusation->health, 4);
}

static void write_verdict(struct writer *w, const struct verdict_item *verdict)
{
	write_number(w, verdict->version, 8);
	write_number(w, verdict->subject, 8);
	write_number(w, verdict->subject_incarnation, 8);
	write_number(w, verdict->subject_refutation, 8);
	write_number(w, verdict->accuser_count, 1);
	for (uint32_t i = 0; i < verdict->accuser_count; i++) {
		write_number(w, verdict->accusers[i], 8);
		write_number(w, verdict->healths[i], 4);
	}
}

size_t item_statement(const struct cluster_id *cluster, const struct generation *generation,
                      const struct item *item, uint8_t out[STATEMENT_MAX])
{
	struct writer w = statement_begin("essaim item 1", cluster, out);

	write_generation(&w, generation);
	write_number(&w, item->kind, 1);
	write_number(&w, item->author, 8);
	write_number(&w, item->incarnation, 8);
	switch (item->kind) {
	case ITEM_FACT:
		write_fact(&w, &item->fact);
		break;
	case ITEM_ACCUSATION:
		write_accusation(&w, &item->accusation);
		break;
	case ITEM_REFUTATION:
		write_number(&w, item->refutation.refutation, 8);
		break;
	case ITEM_VERDICT:
		write_verdict(&w, &item->verdict);
		break;
	}
	return (size_t)(w.at - out);
}

size_t transfer_statement(const struct cluster_id *cluster, const struct generation *generation,
                          const struct transfer *transfer, const struct hash *claim_hash,
                          uint8_t out[STATEMENT_MAX])
{
	struct writer w = statement_begin("essaim transfer 1", cluster, out);

	write_generation(&w, generation);
	write_ballot(&w, &transfer->ballot);
	write_owner(&w, &transfer->from);
	write_ballot(&w, &transfer->successor);
	write_owner(&w, &transfer->owner);
	write_number(&w, transfer->last_index, 8);
	write_ballot(&w, &transfer->last_ballot);
	write_number(&w, transfer->claim.size, 8);
	write_bytes(&w, claim_hash->bytes, HASH_SIZE);
	write_number(&w, transfer->round, 8);
	write_ballot(&w, &transfer->config_ballot);
	write_number(&w, transfer->config_version, 8);
	write_number(&w, transfer->commit, 8);
	return (size_t)(w.at - out);
}

size_t member_statement(const struct cluster_id *cluster, uint64_t token,
                        const struct member_record *record, uint8_t out[STATEMENT_MAX])
{
	struct writer w = statement_begin("essaim member 1", cluster, out);
	const struct address *address = &record->address;

	write_number(&w, token, 8);
	write_bytes(&w, record->key.bytes, NODE_KEY_SIZE);
	write_number(&w, record->name.size, 1);
	write_bytes(&w, record->name.data, record->name.size);
	write_number(&w, address->family, 1);
	write_bytes(&w, address->ip, address->family == 0 ? 0 : address->family == 4 ? 4 : 16);
	write_number(&w, address->port, 2);
	write_number(&w, record->role, 1);
	write_number(&w, record->wire_min, 4);
	write_number(&w, record->wire_max, 4);
	write_number(&w, record->incarnation, 8);
	return (size_t)(w.at - out);
}

static void write_config(struct writer *w, const struct config *config)
{
	write_ballot(w, &config->ballot);
	write_number(w, config->version, 8);
	write_number(w, config->profile, 4);
	write_number(w, (uint64_t)config->lease, 8);
	write_number(w, (uint64_t)config->exclusion, 8);
	write_number(w, (uint64_t)config->quarantine, 8);
	write_number(w, config->rate_ppm, 4);
	write_number(w, config->voter_count, 1);
	for (uint32_t i = 0; i < config->voter_count; i++)
		write_number(w, config->voters[i], 8);
	write_number(w, config->witnesses, 4);
}

static void write_nodes(struct writer *w, const node_id *nodes, uint32_t count)
{
	write_number(w, count, 4);
	for (uint32_t i = 0; i < count; i++)
		write_number(w, nodes[i], 8);
}

size_t seized_statement(const struct cluster_id *cluster, const struct seized *seized,
                        uint8_t out[SEIZED_STATEMENT_MAX])
{
	struct writer w = statement_begin("essaim generation 1", cluster, out);

	w.end = out + SEIZED_STATEMENT_MAX;
	write_number(&w, seized->generation.number, 8);
	write_generation(&w, &seized->old);
	write_number(&w, seized->restored, 1);
	write_bytes(&w, seized->by.bytes, NODE_KEY_SIZE);
	write_number(&w, seized->attempt, 8);
	write_number(&w, seized->nonce, 8);
	write_number(&w, (uint64_t)seized->wall, 8);
	write_number(&w, seized->index, 8);
	write_config(&w, &seized->config);
	write_nodes(&w, seized->dead, seized->dead_count);
	write_nodes(&w, seized->followed, seized->followed_count);
	return (size_t)(w.at - out);
}

size_t seized_signed(const struct cluster_id *cluster, const struct generation *generation,
                     uint8_t out[STATEMENT_MAX])
{
	struct writer w = statement_begin("essaim seized 1", cluster, out);

	write_generation(&w, generation);
	return (size_t)(w.at - out);
}

size_t rekey_statement(const struct cluster_id *cluster, const struct node_key *old_key,
                       const struct node_key *new_key, uint8_t out[STATEMENT_MAX])
{
	struct writer w = statement_begin("essaim rekey 1", cluster, out);

	write_bytes(&w, old_key->bytes, NODE_KEY_SIZE);
	write_bytes(&w, new_key->bytes, NODE_KEY_SIZE);
	return (size_t)(w.at - out);
}
