#include "seal.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

_Static_assert(NODE_KEY_SIZE == crypto_sign_ed25519_PUBLICKEYBYTES, "Ed25519");
_Static_assert(SECRET_KEY_SIZE == crypto_sign_ed25519_SECRETKEYBYTES, "Ed25519");
_Static_assert(SIGNATURE_SIZE == crypto_sign_ed25519_BYTES, "Ed25519");
_Static_assert(HASH_SIZE == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "XChaCha20-Poly1305");

#define NONCE_SIZE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_SIZE crypto_aead_xchacha20poly1305_ietf_ABYTES
#define DATA_SIZE (PACKET_HEADER_SIZE + 24) /* header, receiver id, its incarnation and nonce */
#define UNKNOWN_RECEIVER (UINT64_C(1) << 63) /* the sequence's top bit */

_Static_assert(PACKET_HEADER_SIZE == 8 + NONCE_SIZE, "the nonce is salt and sequence as sent");
_Static_assert(PACKET_OVERHEAD == PACKET_HEADER_SIZE + TAG_SIZE, "words.h");

int seal_start(void)
{
	return sodium_init() < 0 ? -1 : 0;
}

bool bytes_equal_secret(const uint8_t *a, const uint8_t *b, size_t size)
{
	return sodium_memcmp(a, b, size) == 0;
}

void bytes_wipe(void *data, size_t size)
{
	sodium_memzero(data, size);
}

static void put_u64(uint8_t *out, uint64_t value)
{
	for (int i = 0; i < 8; i++)
		out[i] = (uint8_t)(value >> (56 - 8 * i));
}

static uint64_t get_u64(const uint8_t *in)
{
	uint64_t value = 0;
	for (int i = 0; i < 8; i++)
		value = value << 8 | in[i];
	return value;
}

/* ---- quick mode: shapes without secrets, eight bytes at a time ---- */

struct mix {
	uint64_t a, b;
};

/* Odd multipliers from SplitMix64 (Steele, Lea, Flood 2014) and its golden-ratio increment. */
#define MIX_1 UINT64_C(0xbf58476d1ce4e5b9)
#define MIX_2 UINT64_C(0x94d049bb133111eb)
#define MIX_3 UINT64_C(0x9e3779b97f4a7c15)

static inline void mix_words(struct mix *m, uint64_t x, uint64_t y)
{
	m->a = (m->a ^ x) * MIX_1;
	m->b = (m->b ^ y) * MIX_2;
	m->a ^= m->b >> 29;
	m->b ^= m->a >> 31;
}

/* The size goes in too, so that zero padding of the last block is told from zero bytes. */
static void mix_bytes(struct mix *m, const uint8_t *data, size_t size)
{
	uint64_t words[2];
	size_t left = size;

	for (; left >= 16; left -= 16, data += 16) {
		memcpy(words, data, 16);
		mix_words(m, words[0], words[1]);
	}
	words[0] = words[1] = 0;
	if (left > 0)
		memcpy(words, data, left);
	mix_words(m, words[0] ^ (uint64_t)size * MIX_3, words[1]);
}

/* SplitMix64's finish over both lanes; `i` draws further values from one mix. */
static uint64_t mix_draw(const struct mix *m, uint64_t i)
{
	uint64_t z = m->a + (m->b << 32 | m->b >> 32) + (i + 1) * MIX_3;

	z = (z ^ z >> 30) * MIX_1;
	z = (z ^ z >> 27) * MIX_2;
	return z ^ z >> 31;
}

static void mix_spread(const struct mix *m, uint8_t *out, size_t size)
{
	for (size_t i = 0; i < size / 8; i++)
		put_u64(out + 8 * i, mix_draw(m, i));
}

/* ---- keys ---- */

static void quick_keys_from_seed(const uint8_t seed[32], struct node_keys *out)
{
	struct mix m = {1, 2};

	mix_bytes(&m, seed, 32);
	mix_spread(&m, out->public_key.bytes, NODE_KEY_SIZE);
	if (node_key_id(&out->public_key) == 0)
		out->public_key.bytes[7] = 1; /* 0 means "no node" */
	memcpy(out->secret, seed, 32);
	memcpy(out->secret + 32, out->public_key.bytes, 32);
}

void node_keys_from_seed(enum seal_mode mode, const uint8_t seed[32], struct node_keys *out)
{
	if (mode == SEAL_QUICK)
		quick_keys_from_seed(seed, out);
	else
		crypto_sign_ed25519_seed_keypair(out->public_key.bytes, out->secret, seed);
}

/* What both nodes know: cluster, generation, and the two public keys in ascending order. */
#define PAIR_CONTEXT_SIZE (CLUSTER_ID_SIZE + 8 + HASH_SIZE + 2 * NODE_KEY_SIZE)

static void pair_context(const struct node_key *a, const struct node_key *b,
                         const struct cluster_id *cluster, const struct generation *generation,
                         uint8_t out[PAIR_CONTEXT_SIZE])
{
	bool ordered = memcmp(a->bytes, b->bytes, NODE_KEY_SIZE) < 0;

	memcpy(out, cluster->bytes, CLUSTER_ID_SIZE);
	out += CLUSTER_ID_SIZE;
	put_u64(out, generation->number);
	memcpy(out + 8, generation->hash.bytes, HASH_SIZE);
	out += 8 + HASH_SIZE;
	memcpy(out, ordered ? a->bytes : b->bytes, NODE_KEY_SIZE);
	memcpy(out + NODE_KEY_SIZE, ordered ? b->bytes : a->bytes, NODE_KEY_SIZE);
}

/* BLAKE2b keyed by X25519 of the two identity keys. */
static bool real_pair_key(const struct node_keys *own, const struct node_key *peer,
                          const uint8_t context[PAIR_CONTEXT_SIZE], struct pair_key *out)
{
	static const uint8_t domain[] = "essaim pair key 1";
	uint8_t scalar[32], point[32], shared[32];
	crypto_generichash_state state;

	bool good = crypto_sign_ed25519_pk_to_curve25519(point, peer->bytes) == 0 &&
	            crypto_sign_ed25519_sk_to_curve25519(scalar, own->secret) == 0 &&
	            crypto_scalarmult(shared, scalar, point) == 0;
	if (good) {
		crypto_generichash_init(&state, shared, sizeof shared, HASH_SIZE);
		crypto_generichash_update(&state, domain, sizeof domain);
		crypto_generichash_update(&state, context, PAIR_CONTEXT_SIZE);
		crypto_generichash_final(&state, out->bytes, HASH_SIZE);
		sodium_memzero(&state, sizeof state);
	}
	sodium_memzero(scalar, sizeof scalar);
	sodium_memzero(shared, sizeof shared);
	return good;
}

bool pair_key_compute(enum seal_mode mode, const struct node_keys *own, const struct node_key *peer,
                      const struct cluster_id *cluster, const struct generation *generation,
                      struct pair_key *out)
{
	uint8_t context[PAIR_CONTEXT_SIZE];

	pair_context(&own->public_key, peer, cluster, generation, context);
	if (mode == SEAL_REAL)
		return real_pair_key(own, peer, context, out);
	struct mix m = {3, 4};
	mix_bytes(&m, context, sizeof context);
	mix_spread(&m, out->bytes, HASH_SIZE);
	return true;
}

/* ---- packets ---- */

bool packet_header_read(const uint8_t *packet, size_t size, struct packet_header *out)
{
	if (size < PACKET_OVERHEAD || size > PACKET_MAX)
		return false;
	uint64_t sequence = get_u64(packet + 8 + SALT_SIZE);
	out->sender = get_u64(packet);
	memcpy(out->salt, packet + 8, SALT_SIZE);
	out->sequence = sequence & ~UNKNOWN_RECEIVER;
	out->unknown_receiver = (sequence & UNKNOWN_RECEIVER) != 0;
	return true;
}

/* The additional data: `header` is the packet's first PACKET_HEADER_SIZE bytes. */
static void additional_data(const uint8_t *header, bool unknown_receiver, node_id receiver,
                            const struct incarnation *incarnation, uint8_t out[DATA_SIZE])
{
	memcpy(out, header, PACKET_HEADER_SIZE);
	put_u64(out + PACKET_HEADER_SIZE, receiver);
	put_u64(out + PACKET_HEADER_SIZE + 8, unknown_receiver ? 0 : incarnation->number);
	put_u64(out + PACKET_HEADER_SIZE + 16, unknown_receiver ? 0 : incarnation->nonce);
}

static void quick_tag(const struct pair_key *key, const uint8_t data[DATA_SIZE],
                      const uint8_t *plain, size_t size, uint8_t out[TAG_SIZE])
{
	struct mix m = {5, 6};

	mix_bytes(&m, key->bytes, HASH_SIZE);
	mix_bytes(&m, data, DATA_SIZE);
	mix_bytes(&m, plain, size);
	mix_spread(&m, out, TAG_SIZE);
}

size_t packet_seal(enum seal_mode mode, const struct pair_key *key,
                   const struct packet_header *header, node_id receiver,
                   const struct incarnation *incarnation, const uint8_t *plain, size_t plain_size,
                   uint8_t *out)
{
	uint8_t data[DATA_SIZE], *body = out + PACKET_HEADER_SIZE, *tag = body + plain_size;
	uint64_t top = header->unknown_receiver ? UNKNOWN_RECEIVER : 0;

	assert(plain_size <= PACKET_PLAIN_MAX);
	assert((header->sequence & UNKNOWN_RECEIVER) == 0);
	if (plain != body)
		memmove(body, plain, plain_size);
	put_u64(out, header->sender);
	memcpy(out + 8, header->salt, SALT_SIZE);
	put_u64(out + 8 + SALT_SIZE, header->sequence | top);
	additional_data(out, header->unknown_receiver, receiver, incarnation, data);
	if (mode == SEAL_QUICK)
		quick_tag(key, data, body, plain_size, tag);
	else
		crypto_aead_xchacha20poly1305_ietf_encrypt_detached(
			body, tag, NULL, body, plain_size, data, DATA_SIZE, NULL, out + 8,
			key->bytes);
	return plain_size + PACKET_OVERHEAD;
}

/* Header and tag are copied first: `out` may overlap the packet in any way. */
bool packet_open(enum seal_mode mode, const struct pair_key *key,
                 const struct packet_header *header, node_id receiver,
                 const struct incarnation *incarnation, const uint8_t *packet, size_t size,
                 uint8_t *out, size_t *out_size)
{
	uint8_t data[DATA_SIZE], tag[TAG_SIZE], expected[TAG_SIZE];

	if (size < PACKET_OVERHEAD || size > PACKET_MAX)
		return false;
	size_t plain_size = size - PACKET_OVERHEAD;
	additional_data(packet, header->unknown_receiver, receiver, incarnation, data);
	memcpy(tag, packet + size - TAG_SIZE, TAG_SIZE);
	memmove(out, packet + PACKET_HEADER_SIZE, plain_size);
	if (mode == SEAL_QUICK) {
		quick_tag(key, data, out, plain_size, expected);
		if (memcmp(tag, expected, TAG_SIZE) != 0)
			return false;
	} else if (crypto_aead_xchacha20poly1305_ietf_decrypt_detached(
			   out, NULL, out, plain_size, tag, data, DATA_SIZE, data + 8,
			   key->bytes) != 0) {
		return false;
	}
	*out_size = plain_size;
	return true;
}

/* ---- statements and hashes ---- */

static void quick_signature(const struct node_key *author, const uint8_t *statement, size_t size,
                            uint8_t out[SIGNATURE_SIZE])
{
	struct mix m = {7, 8};

	mix_bytes(&m, author->bytes, NODE_KEY_SIZE);
	mix_bytes(&m, statement, size);
	mix_spread(&m, out, SIGNATURE_SIZE);
}

void statement_sign(enum seal_mode mode, const struct node_keys *own, const uint8_t *statement,
                    size_t size, uint8_t out[SIGNATURE_SIZE])
{
	if (mode == SEAL_QUICK)
		quick_signature(&own->public_key, statement, size, out);
	else
		crypto_sign_ed25519_detached(out, NULL, statement, size, own->secret);
}

bool statement_verify(enum seal_mode mode, const struct node_key *author, const uint8_t *statement,
                      size_t size, const uint8_t signature[SIGNATURE_SIZE])
{
	uint8_t expected[SIGNATURE_SIZE];

	if (mode == SEAL_REAL)
		return crypto_sign_ed25519_verify_detached(signature, statement, size,
		                                           author->bytes) == 0;
	quick_signature(author, statement, size, expected);
	return memcmp(expected, signature, SIGNATURE_SIZE) == 0;
}

void hash_bytes(enum seal_mode mode, const uint8_t *data, size_t size, struct hash *out)
{
	if (mode == SEAL_REAL) {
		crypto_generichash(out->bytes, HASH_SIZE, data, size, NULL, 0);
		return;
	}
	struct mix m = {9, 10};
	mix_bytes(&m, data, size);
	mix_spread(&m, out->bytes, HASH_SIZE);
}
