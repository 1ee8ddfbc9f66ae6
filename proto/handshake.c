/*
 * Wire layout, both messages 160 bytes:
 *
 *   first:  "ESM1" 4 | kind 1 | zero 3 | wire_min 4 | wire_max 4 | cluster 16 |
 *           member or token id 8 | ephemeral key 32 | code 32 | zero
 *   second: "ESM2" 4 | kind 1 | zero 3 | ephemeral key 32 | random 24 | code 32 | zero
 *
 * Keys, with S the secret shared beforehand (the identity keys' X25519, or the token's hash):
 *
 *   authentication = BLAKE2b(S; kind, cluster, the two identity keys, initiator's first)
 *   first's code   = BLAKE2b(authentication; everything before it)
 *   root           = BLAKE2b(authentication; exchanges, first message, second up to its code)
 *   second's code, the directions' keys and headers, the binding: each BLAKE2b(root; its label)
 *
 * The exchanges: ephemeral-ephemeral always (forward secrecy). On a member stream also each side's
 * identity with the other's ephemeral key, as in Noise KK: who stole A's key cannot pose as B to A.
 * The order of the identity keys gives the roles, so a message sent back to its sender proves
 * nothing. A replayed first message earns only a second: without the ephemeral secret no frame
 * opens.
 */
#include "handshake.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

typedef crypto_secretstream_xchacha20poly1305_state secretstream;

#define KEY_SIZE 32
#define CODE_SIZE 32
#define STREAM_KEY_SIZE crypto_secretstream_xchacha20poly1305_KEYBYTES
#define STREAM_HEADER_SIZE crypto_secretstream_xchacha20poly1305_HEADERBYTES
#define FRAME_SEAL_SIZE crypto_secretstream_xchacha20poly1305_ABYTES

enum first_layout {
	FIRST_KIND = 4,
	FIRST_WIRE_MIN = 8,
	FIRST_WIRE_MAX = 12,
	FIRST_CLUSTER = 16,
	FIRST_ID = 32,
	FIRST_EPHEMERAL = 40,
	FIRST_CODE = 72,
	FIRST_END = 104,
};

enum second_layout {
	SECOND_KIND = 4,
	SECOND_EPHEMERAL = 8,
	SECOND_RANDOM = 40,
	SECOND_CODE = 64,
	SECOND_END = 96,
};

static const uint8_t first_magic[4] = "ESM1", second_magic[4] = "ESM2";

/* What the initiator keeps between its steps. Bytes only: `struct handshake` has no alignment. */
struct initiator {
	uint8_t usable; /* 0: the peer's key is no key */
	uint8_t kind;
	uint8_t ephemeral[KEY_SIZE];     /* secret */
	uint8_t identity[KEY_SIZE];      /* own X25519 secret; member stream */
	uint8_t peer_identity[KEY_SIZE]; /* X25519 public; member stream */
	uint8_t authentication[KEY_SIZE];
	uint8_t first[HANDSHAKE_FIRST_SIZE];
};

_Static_assert(sizeof(struct initiator) <= sizeof(struct handshake), "handshake.h");
_Static_assert(sizeof(secretstream) <= sizeof((struct stream_keys *)0)->push, "handshake.h");
_Static_assert(_Alignof(secretstream) == 1, "stream_keys are bytes");
_Static_assert(FRAME_OVERHEAD == 4 + FRAME_SEAL_SIZE, "handshake.h");
_Static_assert(KEY_SIZE == crypto_scalarmult_BYTES && KEY_SIZE == STREAM_KEY_SIZE, "X25519");

static void put_u32(uint8_t *out, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		out[i] = (uint8_t)(value >> (24 - 8 * i));
}

static uint32_t get_u32(const uint8_t *in)
{
	return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
}

static void put_u64(uint8_t *out, uint64_t value)
{
	put_u32(out, (uint32_t)(value >> 32));
	put_u32(out + 4, (uint32_t)value);
}

static uint64_t get_u64(const uint8_t *in)
{
	return (uint64_t)get_u32(in) << 32 | get_u32(in + 4);
}

/* ---- keys ---- */

static void keyed_hash(const uint8_t key[KEY_SIZE], const void *data, size_t size, uint8_t *out,
                       size_t out_size)
{
	crypto_generichash(out, out_size, data, size, key, KEY_SIZE);
}

/* One output of the root, by its label. */
static void derive(const uint8_t root[KEY_SIZE], const char *label, uint8_t *out, size_t size)
{
	keyed_hash(root, label, strlen(label), out, size);
}

/* `initiator` and `responder` are NULL on a join stream, whose ends have no identities yet. */
static void authentication_key(const uint8_t shared[KEY_SIZE], enum stream_kind kind,
                               const struct cluster_id *cluster, const struct node_key *initiator,
                               const struct node_key *responder, uint8_t out[KEY_SIZE])
{
	static const uint8_t domain[] = "essaim handshake 1";
	uint8_t kind_byte = (uint8_t)kind;
	crypto_generichash_state state;

	crypto_generichash_init(&state, shared, KEY_SIZE, KEY_SIZE);
	crypto_generichash_update(&state, domain, sizeof domain);
	crypto_generichash_update(&state, &kind_byte, 1);
	crypto_generichash_update(&state, cluster->bytes, CLUSTER_ID_SIZE);
	if (initiator != NULL) {
		crypto_generichash_update(&state, initiator->bytes, NODE_KEY_SIZE);
		crypto_generichash_update(&state, responder->bytes, NODE_KEY_SIZE);
	}
	crypto_generichash_final(&state, out, KEY_SIZE);
	sodium_memzero(&state, sizeof state);
}

/* The X25519 forms of the identity keys. False: `peer` is not a usable key. */
static bool identities(const struct node_keys *own, const struct node_key *peer,
                       uint8_t out_own[KEY_SIZE], uint8_t out_peer[KEY_SIZE])
{
	return crypto_sign_ed25519_pk_to_curve25519(out_peer, peer->bytes) == 0 &&
	       crypto_sign_ed25519_sk_to_curve25519(out_own, own->secret) == 0;
}

/* The X25519 results that go into the root, initiator's identity first; 0 on a join stream. */
struct exchanges {
	uint8_t ephemeral[KEY_SIZE];
	uint8_t initiator_identity[KEY_SIZE]; /* with the responder's ephemeral key */
	uint8_t responder_identity[KEY_SIZE]; /* with the initiator's ephemeral key */
};

static void root_key(const uint8_t authentication[KEY_SIZE], const struct exchanges *exchanges,
                     const uint8_t first[HANDSHAKE_FIRST_SIZE],
                     const uint8_t second[HANDSHAKE_SECOND_SIZE], uint8_t out[KEY_SIZE])
{
	crypto_generichash_state state;

	crypto_generichash_init(&state, authentication, KEY_SIZE, KEY_SIZE);
	crypto_generichash_update(&state, (const uint8_t *)exchanges, sizeof *exchanges);
	crypto_generichash_update(&state, first, HANDSHAKE_FIRST_SIZE);
	crypto_generichash_update(&state, second, SECOND_CODE);
	crypto_generichash_final(&state, out, KEY_SIZE);
	sodium_memzero(&state, sizeof state);
}

/*
 * A direction's state. libsodium's init_push only draws a random header and then does what
 * init_pull does with it; so with a header that both sides derive, init_pull serves pushing too.
 */
static void direction(const uint8_t root[KEY_SIZE], const char *key_label, const char *header_label,
                      uint8_t out[64])
{
	uint8_t key[STREAM_KEY_SIZE], header[STREAM_HEADER_SIZE];
	secretstream state;

	derive(root, key_label, key, sizeof key);
	derive(root, header_label, header, sizeof header);
	crypto_secretstream_xchacha20poly1305_init_pull(&state, header, key);
	memset(out, 0, 64);
	memcpy(out, &state, sizeof state);
	sodium_memzero(key, sizeof key);
	sodium_memzero(&state, sizeof state);
}

static void stream_keys_fill(const uint8_t root[KEY_SIZE], bool initiator, struct stream_keys *out)
{
	direction(root, "key to responder", "header to responder",
	          initiator ? out->push : out->pull);
	direction(root, "key to initiator", "header to initiator",
	          initiator ? out->pull : out->push);
	derive(root, "binding", out->binding.bytes, HASH_SIZE);
}

/* ---- initiator ---- */

static void first_write(struct initiator *i, const struct cluster_id *cluster, uint64_t id,
                        uint8_t out[HANDSHAKE_FIRST_SIZE])
{
	memset(out, 0, HANDSHAKE_FIRST_SIZE);
	memcpy(out, first_magic, sizeof first_magic);
	out[FIRST_KIND] = i->kind;
	put_u32(out + FIRST_WIRE_MIN, WIRE_VERSION_MIN);
	put_u32(out + FIRST_WIRE_MAX, WIRE_VERSION_MAX);
	memcpy(out + FIRST_CLUSTER, cluster->bytes, CLUSTER_ID_SIZE);
	put_u64(out + FIRST_ID, id);
	crypto_scalarmult_base(out + FIRST_EPHEMERAL, i->ephemeral);
	keyed_hash(i->authentication, out, FIRST_CODE, out + FIRST_CODE, CODE_SIZE);
	memcpy(i->first, out, HANDSHAKE_FIRST_SIZE);
}

void handshake_first_member(struct handshake *h, const struct cluster_id *cluster,
                            const struct node_keys *own, const struct node_key *peer,
                            const uint8_t random[32], uint8_t out[HANDSHAKE_FIRST_SIZE])
{
	struct initiator *i = (struct initiator *)h->state;
	uint8_t shared[KEY_SIZE] = {0};

	memset(h, 0, sizeof *h);
	i->kind = STREAM_MEMBER;
	memcpy(i->ephemeral, random, KEY_SIZE);
	/* An unusable peer key: the message goes nowhere, and handshake_finish refuses. */
	i->usable = identities(own, peer, i->identity, i->peer_identity) &&
	            crypto_scalarmult(shared, i->identity, i->peer_identity) == 0;
	if (!i->usable)
		memcpy(shared, random, sizeof shared);
	authentication_key(shared, STREAM_MEMBER, cluster, &own->public_key, peer,
	                   i->authentication);
	first_write(i, cluster, node_key_id(&own->public_key), out);
	sodium_memzero(shared, sizeof shared);
}

void handshake_first_join(struct handshake *h, const struct cluster_id *cluster, uint64_t token,
                          const struct hash *token_hash, const uint8_t random[32],
                          uint8_t out[HANDSHAKE_FIRST_SIZE])
{
	struct initiator *i = (struct initiator *)h->state;

	memset(h, 0, sizeof *h);
	i->kind = STREAM_JOIN;
	i->usable = 1;
	memcpy(i->ephemeral, random, KEY_SIZE);
	authentication_key(token_hash->bytes, STREAM_JOIN, cluster, NULL, NULL, i->authentication);
	first_write(i, cluster, token, out);
}

static bool initiator_exchanges(const struct initiator *i,
                                const uint8_t second[HANDSHAKE_SECOND_SIZE], struct exchanges *out)
{
	const uint8_t *peer = second + SECOND_EPHEMERAL;

	memset(out, 0, sizeof *out);
	if (crypto_scalarmult(out->ephemeral, i->ephemeral, peer) != 0)
		return false;
	if (i->kind == STREAM_JOIN)
		return true;
	return crypto_scalarmult(out->initiator_identity, i->identity, peer) == 0 &&
	       crypto_scalarmult(out->responder_identity, i->ephemeral, i->peer_identity) == 0;
}

static bool zeros(const uint8_t *data, size_t size)
{
	return sodium_is_zero(data, size) == 1;
}

static bool second_shaped(const uint8_t in[HANDSHAKE_SECOND_SIZE], uint8_t kind)
{
	return memcmp(in, second_magic, sizeof second_magic) == 0 && in[SECOND_KIND] == kind &&
	       zeros(in + SECOND_KIND + 1, 3) &&
	       zeros(in + SECOND_END, HANDSHAKE_SECOND_SIZE - SECOND_END);
}

bool handshake_finish(struct handshake *h, const uint8_t in[HANDSHAKE_SECOND_SIZE],
                      struct stream_keys *keys)
{
	const struct initiator *i = (const struct initiator *)h->state;
	struct exchanges exchanges;
	uint8_t root[KEY_SIZE], code[CODE_SIZE];

	if (!i->usable || !second_shaped(in, i->kind) || !initiator_exchanges(i, in, &exchanges))
		return false;
	root_key(i->authentication, &exchanges, i->first, in, root);
	derive(root, "second", code, sizeof code);
	bool good = bytes_equal_secret(code, in + SECOND_CODE, CODE_SIZE);
	if (good)
		stream_keys_fill(root, true, keys);
	sodium_memzero(&exchanges, sizeof exchanges);
	sodium_memzero(root, sizeof root);
	return good;
}

void handshake_wipe(struct handshake *h)
{
	sodium_memzero(h, sizeof *h);
}

/* ---- responder ---- */

bool handshake_read_claim(const uint8_t in[HANDSHAKE_FIRST_SIZE], struct handshake_claim *out)
{
	uint8_t kind = in[FIRST_KIND];

	if (memcmp(in, first_magic, sizeof first_magic) != 0 ||
	    (kind != STREAM_MEMBER && kind != STREAM_JOIN) || !zeros(in + FIRST_KIND + 1, 3) ||
	    !zeros(in + FIRST_END, HANDSHAKE_FIRST_SIZE - FIRST_END))
		return false;
	*out = (struct handshake_claim){
		.kind = (enum stream_kind)kind,
		.wire_min = get_u32(in + FIRST_WIRE_MIN),
		.wire_max = get_u32(in + FIRST_WIRE_MAX),
	};
	memcpy(out->cluster.bytes, in + FIRST_CLUSTER, CLUSTER_ID_SIZE);
	if (kind == STREAM_MEMBER)
		out->member = get_u64(in + FIRST_ID);
	else
		out->token = get_u64(in + FIRST_ID);
	return out->wire_min <= out->wire_max;
}

/* The claim is of this kind and cluster, and its code was made with this key. */
static bool first_proven(const uint8_t in[HANDSHAKE_FIRST_SIZE], enum stream_kind kind,
                         const struct cluster_id *cluster, const uint8_t authentication[KEY_SIZE])
{
	struct handshake_claim claim;
	uint8_t code[CODE_SIZE];

	if (!handshake_read_claim(in, &claim) || claim.kind != kind ||
	    memcmp(&claim.cluster, cluster, sizeof claim.cluster) != 0)
		return false;
	keyed_hash(authentication, in, FIRST_CODE, code, sizeof code);
	return bytes_equal_secret(code, in + FIRST_CODE, CODE_SIZE);
}

/* Everything but the code, which needs the root. */
static void second_begin(enum stream_kind kind, const uint8_t random[56],
                         uint8_t out[HANDSHAKE_SECOND_SIZE])
{
	memset(out, 0, HANDSHAKE_SECOND_SIZE);
	memcpy(out, second_magic, sizeof second_magic);
	out[SECOND_KIND] = (uint8_t)kind;
	crypto_scalarmult_base(out + SECOND_EPHEMERAL, random);
	memcpy(out + SECOND_RANDOM, random + KEY_SIZE, 24);
}

static void second_finish(const uint8_t authentication[KEY_SIZE], struct exchanges *exchanges,
                          const uint8_t first[HANDSHAKE_FIRST_SIZE],
                          uint8_t out[HANDSHAKE_SECOND_SIZE], struct stream_keys *keys)
{
	uint8_t root[KEY_SIZE];

	root_key(authentication, exchanges, first, out, root);
	derive(root, "second", out + SECOND_CODE, CODE_SIZE);
	stream_keys_fill(root, false, keys);
	sodium_memzero(root, sizeof root);
}

bool handshake_second_member(const struct cluster_id *cluster, const struct node_keys *own,
                             const struct node_key *peer, const uint8_t in[HANDSHAKE_FIRST_SIZE],
                             const uint8_t random[56], uint8_t out[HANDSHAKE_SECOND_SIZE],
                             struct stream_keys *keys)
{
	const uint8_t *theirs = in + FIRST_EPHEMERAL;
	uint8_t identity[KEY_SIZE], peer_identity[KEY_SIZE], shared[KEY_SIZE];
	uint8_t authentication[KEY_SIZE];
	struct exchanges exchanges;

	if (get_u64(in + FIRST_ID) != node_key_id(peer) ||
	    !identities(own, peer, identity, peer_identity) ||
	    crypto_scalarmult(shared, identity, peer_identity) != 0)
		return false;
	authentication_key(shared, STREAM_MEMBER, cluster, peer, &own->public_key, authentication);
	bool good = first_proven(in, STREAM_MEMBER, cluster, authentication) &&
	            crypto_scalarmult(exchanges.ephemeral, random, theirs) == 0 &&
	            crypto_scalarmult(exchanges.initiator_identity, random, peer_identity) == 0 &&
	            crypto_scalarmult(exchanges.responder_identity, identity, theirs) == 0;
	if (good) {
		second_begin(STREAM_MEMBER, random, out);
		second_finish(authentication, &exchanges, in, out, keys);
	}
	sodium_memzero(identity, sizeof identity);
	sodium_memzero(shared, sizeof shared);
	sodium_memzero(authentication, sizeof authentication);
	sodium_memzero(&exchanges, sizeof exchanges);
	return good;
}

bool handshake_second_join(const struct cluster_id *cluster, const struct hash *token_hash,
                           const uint8_t in[HANDSHAKE_FIRST_SIZE], const uint8_t random[56],
                           uint8_t out[HANDSHAKE_SECOND_SIZE], struct stream_keys *keys)
{
	uint8_t authentication[KEY_SIZE];
	struct exchanges exchanges = {{0}, {0}, {0}};

	authentication_key(token_hash->bytes, STREAM_JOIN, cluster, NULL, NULL, authentication);
	bool good = first_proven(in, STREAM_JOIN, cluster, authentication) &&
	            crypto_scalarmult(exchanges.ephemeral, random, in + FIRST_EPHEMERAL) == 0;
	if (good) {
		second_begin(STREAM_JOIN, random, out);
		second_finish(authentication, &exchanges, in, out, keys);
	}
	sodium_memzero(authentication, sizeof authentication);
	sodium_memzero(&exchanges, sizeof exchanges);
	return good;
}

/* ---- frames ---- */

size_t frame_seal(struct stream_keys *keys, const uint8_t *plain, size_t size, uint8_t *out)
{
	assert(size <= FRAME_MAX);
	put_u32(out, (uint32_t)(size + FRAME_SEAL_SIZE));
	int failure = crypto_secretstream_xchacha20poly1305_push(
		(secretstream *)keys->push, out + 4, NULL, plain, size, out, 4,
		crypto_secretstream_xchacha20poly1305_TAG_MESSAGE);
	assert(failure == 0);
	return size + FRAME_OVERHEAD;
}

enum frame_result frame_open(struct stream_keys *keys, const uint8_t *in, size_t size, uint8_t *out,
                             size_t *out_size, size_t *consumed, size_t *needed)
{
	unsigned long long plain_size;
	uint8_t tag;

	*needed = 4;
	if (size < 4)
		return FRAME_MORE;
	uint32_t length = get_u32(in);
	if (length < FRAME_SEAL_SIZE || length > FRAME_MAX + FRAME_SEAL_SIZE)
		return FRAME_BAD;
	*needed = 4 + (size_t)length;
	if (size < *needed)
		return FRAME_MORE;
	if (crypto_secretstream_xchacha20poly1305_pull((secretstream *)keys->pull, out, &plain_size,
	                                               &tag, in + 4, length, in, 4) != 0 ||
	    tag != crypto_secretstream_xchacha20poly1305_TAG_MESSAGE)
		return FRAME_BAD;
	*out_size = (size_t)plain_size;
	*consumed = *needed;
	return FRAME_OPENED;
}
