/*
 * seal.h: keys, signatures, sealed packets, hashes. The only includer of sodium.h.
 *
 * A sealed packet:  sender id 8 | salt 16 | sequence 8 | ciphertext | tag 16
 *   key    = BLAKE2b(X25519(own, peer) , cluster, generation), computable by the two nodes only
 *   nonce  = salt (random per process start) || sequence (top bit: sealed for an unknown
 *            incarnation, see below)
 *   AAD    = the header, receiver id, receiver incarnation {number, nonce} (zeros when the top bit
 *            of the sequence is set: such a packet may only hold a hello)
 *
 * Everything here is pure: randomness and keys come in, bytes go out.
 * SEAL_QUICK replaces the mathematics by a 64-bit keyed checksum with the same shapes and sizes,
 * for the simulator; it is chosen once at start and protects nothing.
 *
 * Source: design.md section 6; libsodium's crypto_aead_xchacha20poly1305_ietf,
 * crypto_sign_ed25519, crypto_scalarmult, crypto_generichash.
 */
#ifndef ESSAIM_SEAL_H
#define ESSAIM_SEAL_H

#include "words.h"

enum seal_mode { SEAL_REAL = 0, SEAL_QUICK = 1 };

struct node_keys {
	struct node_key public_key;
	uint8_t secret[SECRET_KEY_SIZE];
};

/* A key shared by two nodes, precomputed once per peer. */
struct pair_key {
	uint8_t bytes[HASH_SIZE];
};

/* Must be called once before anything else (libsodium's initialisation). Returns 0, or -1. */
int seal_start(void);

/* Deterministic from 32 random bytes. */
void node_keys_from_seed(enum seal_mode mode, const uint8_t seed[32], struct node_keys *out);

/* False if `peer` is not a usable key (low order, not on the curve). */
bool pair_key_compute(enum seal_mode mode, const struct node_keys *own, const struct node_key *peer,
                      const struct cluster_id *cluster, const struct generation *generation,
                      struct pair_key *out);

struct packet_header {
	node_id sender;
	uint8_t salt[SALT_SIZE];
	uint64_t sequence; /* 63 bits */
	bool unknown_receiver; /* sealed without the receiver's incarnation: may hold only a hello */
};

#define PACKET_HEADER_SIZE 32

/* False if shorter than a header and a tag, or longer than PACKET_MAX. */
bool packet_header_read(const uint8_t *packet, size_t size, struct packet_header *out);

/*
 * Seals `plain_size` bytes for `receiver` into `out` (capacity plain_size + PACKET_OVERHEAD) and
 * returns the packet's size. `plain` may equal out + PACKET_HEADER_SIZE. `incarnation` is ignored
 * when header->unknown_receiver.
 */
size_t packet_seal(enum seal_mode mode, const struct pair_key *key,
                   const struct packet_header *header, node_id receiver,
                   const struct incarnation *incarnation, const uint8_t *plain, size_t plain_size,
                   uint8_t *out);

/* Opens into `out` (capacity size - PACKET_OVERHEAD). False if forged or for another incarnation. */
bool packet_open(enum seal_mode mode, const struct pair_key *key,
                 const struct packet_header *header, node_id receiver,
                 const struct incarnation *incarnation, const uint8_t *packet, size_t size,
                 uint8_t *out, size_t *out_size);

void statement_sign(enum seal_mode mode, const struct node_keys *own, const uint8_t *statement,
                    size_t size, uint8_t out[SIGNATURE_SIZE]);
bool statement_verify(enum seal_mode mode, const struct node_key *author, const uint8_t *statement,
                      size_t size, const uint8_t signature[SIGNATURE_SIZE]);

/* BLAKE2b-256; in quick mode a fast 64-bit mix spread over the 32 bytes. */
void hash_bytes(enum seal_mode mode, const uint8_t *data, size_t size, struct hash *out);

/* Constant time. */
bool bytes_equal_secret(const uint8_t *a, const uint8_t *b, size_t size);
void bytes_wipe(void *data, size_t size);

#endif
