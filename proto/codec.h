/*
 * codec.h: plain structs to bytes and back. The only part that knows protobuf.
 *
 * Decoding allocates from a fixed arena through protobuf-c's allocator hook; an input that would
 * need more is refused. Nothing is allocated from the heap.
 *
 * Invariants
 *   1. decode(encode(x)) == x for every x within words.h's limits.
 *   2. decode never reads beyond `size`, never writes beyond the arena, and refuses any count,
 *      size or depth above words.h's limits. Refusal leaves *out unspecified, nothing else.
 *   3. Unknown fields are ignored. An unknown kind gives MESSAGE_NONE / a refusal for commands.
 *   4. Encoding is deterministic: equal structs give equal bytes.
 */
#ifndef ESSAIM_CODEC_H
#define ESSAIM_CODEC_H

#include "message.h"

/* Caller's memory, reused by each decode. `used` is reset at the start of each decode. */
struct arena {
	uint8_t *data;
	size_t size, used;
};

/* Enough for every legal packet / frame. */
#define ARENA_PACKET_SIZE (64 * 1024)
#define ARENA_FRAME_SIZE (4 * FRAME_MAX)

/* Each encode returns the bytes written, or 0 if `capacity` is too small (nothing usable written). */
size_t envelope_encode(const struct envelope *in, uint8_t *out, size_t capacity);
size_t command_encode(const struct command *in, uint8_t *out, size_t capacity);
size_t durable_encode(const struct durable *in, uint8_t *out, size_t capacity);
size_t member_row_encode(const struct member_row *in, uint8_t *out, size_t capacity);
size_t token_row_encode(const struct token_row *in, uint8_t *out, size_t capacity);
size_t kv_row_encode(const struct kv_row *in, uint8_t *out, size_t capacity);
size_t origin_row_encode(const struct origin_row *in, uint8_t *out, size_t capacity);
size_t seized_encode(const struct seized *in, uint8_t *out, size_t capacity);

/* An item's size inside an envelope (tag and length included): to see what still fits. */
size_t item_size(const struct item *in);

/* Each decode returns false if the bytes are not a legal message. */
bool envelope_decode(const uint8_t *in, size_t size, struct arena *arena, struct envelope *out);
bool command_decode(const uint8_t *in, size_t size, struct arena *arena, struct command *out);
bool durable_decode(const uint8_t *in, size_t size, struct arena *arena, struct durable *out);
bool member_row_decode(const uint8_t *in, size_t size, struct arena *arena, struct member_row *out);
bool token_row_decode(const uint8_t *in, size_t size, struct arena *arena, struct token_row *out);
bool kv_row_decode(const uint8_t *in, size_t size, struct arena *arena, struct kv_row *out);
bool origin_row_decode(const uint8_t *in, size_t size, struct arena *arena, struct origin_row *out);
bool seized_decode(const uint8_t *in, size_t size, struct arena *arena, struct seized *out);

/* The level of an encoded COMMAND_LEVEL; 0 for any other, which costs nothing: it is not decoded. */
uint32_t command_level(struct bytes command);

/*
 * The bytes an author signs (design.md, section 6): domain, cluster, generation number and hash,
 * then the content. Fixed layout, no protobuf, so that it can never vary between versions.
 * Return the size written; `out` holds at least STATEMENT_MAX bytes.
 */
#define STATEMENT_MAX 1024
size_t item_statement(const struct cluster_id *cluster, const struct generation *generation,
                      const struct item *item, uint8_t out[STATEMENT_MAX]);
size_t transfer_statement(const struct cluster_id *cluster, const struct generation *generation,
                          const struct transfer *transfer, const struct hash *claim_hash,
                          uint8_t out[STATEMENT_MAX]);
size_t member_statement(const struct cluster_id *cluster, uint64_t token,
                        const struct member_record *record, uint8_t out[STATEMENT_MAX]);
/*
 * A founding record, without its hash and its signature. The hash of these bytes is the hash of the
 * generation, and what its founder signs is that hash (seized_signed).
 */
#define SEIZED_STATEMENT_MAX (1024 + 8 * MEMBERS_MAX)
size_t seized_statement(const struct cluster_id *cluster, const struct seized *seized,
                        uint8_t out[SEIZED_STATEMENT_MAX]);
size_t seized_signed(const struct cluster_id *cluster, const struct generation *generation,
                     uint8_t out[STATEMENT_MAX]);

/* A member changes its key: signed by the old one and by the new one. */
size_t rekey_statement(const struct cluster_id *cluster, const struct node_key *old_key,
                       const struct node_key *new_key, uint8_t out[STATEMENT_MAX]);

/* Order of ballots, config ids and owners; used by everyone, defined once. */
int ballot_compare(const struct ballot *a, const struct ballot *b); /* <0, 0, >0 */
bool ballot_equal(const struct ballot *a, const struct ballot *b);
bool owner_equal(const struct owner *a, const struct owner *b); /* node and incarnation */
int config_compare(const struct ballot *a, uint64_t a_version, const struct ballot *b,
                   uint64_t b_version); /* ballot first, then version */

#endif
