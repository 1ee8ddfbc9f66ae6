/*
 * handshake.h: how two ends of a stream come to share keys, and how frames are sealed. Sans-I/O.
 *
 *     initiator                         responder
 *     first message  ------------------>  knows: a member's static key, or the token's hash
 *                    <------------------  second message
 *     OPEN                                OPEN             then sealed frames, both ways
 *
 * Two kinds: a *member* stream is keyed by X25519 of both identity keys and an ephemeral exchange
 * (so both ends are proven and past traffic stays secret); a *join* stream is keyed by the token's
 * hash and an ephemeral exchange (so each side proves that it knows the token before it says
 * anything else). Neither is bound to a generation: a node of an older one can be told how to
 * come back. Frames use crypto_secretstream_xchacha20poly1305.
 *
 * Fixed-size messages; the second is never larger than the first; nothing is allocated.
 * Quick mode (simulator) is not needed here: the simulator carries plain frames itself.
 */
#ifndef ESSAIM_HANDSHAKE_H
#define ESSAIM_HANDSHAKE_H

#include "error.h"
#include "seal.h"

enum stream_kind { STREAM_MEMBER = 1, STREAM_JOIN = 2 };

#define HANDSHAKE_FIRST_SIZE 160
#define HANDSHAKE_SECOND_SIZE 160

/* Opaque working state; plain memory, may be copied before use, wiped by handshake_wipe. */
struct handshake {
	uint8_t state[768];
};

/* What the responder learns from the first message before it can answer. */
struct handshake_claim {
	enum stream_kind kind;
	struct cluster_id cluster;
	node_id member;     /* STREAM_MEMBER: who it says it is (unproven until it opens) */
	uint64_t token;     /* STREAM_JOIN */
	uint32_t wire_min, wire_max;
};

/* Frame sealing state of an open stream, one direction each. */
struct stream_keys {
	uint8_t push[64]; /* crypto_secretstream state */
	uint8_t pull[64];
	struct hash binding; /* hash of the handshake: names this very stream */
};

/* `random`: 32 fresh random bytes. Writes the first message. */
void handshake_first_member(struct handshake *h, const struct cluster_id *cluster,
                            const struct node_keys *own, const struct node_key *peer,
                            const uint8_t random[32], uint8_t out[HANDSHAKE_FIRST_SIZE]);
void handshake_first_join(struct handshake *h, const struct cluster_id *cluster, uint64_t token,
                          const struct hash *token_hash, const uint8_t random[32],
                          uint8_t out[HANDSHAKE_FIRST_SIZE]);

/* False: not one of ours (counted, connection closed). */
bool handshake_read_claim(const uint8_t in[HANDSHAKE_FIRST_SIZE], struct handshake_claim *out);

/*
 * Responder: proves the first message against the member's key (or token hash) that the caller
 * looked up by the claim, writes the second, and gives the stream's keys. False: wrong key.
 * `random`: 32 bytes for the ephemeral key and 24 more for the frame header.
 */
bool handshake_second_member(const struct cluster_id *cluster, const struct node_keys *own,
                             const struct node_key *peer, const uint8_t in[HANDSHAKE_FIRST_SIZE],
                             const uint8_t random[56], uint8_t out[HANDSHAKE_SECOND_SIZE],
                             struct stream_keys *keys);
bool handshake_second_join(const struct cluster_id *cluster, const struct hash *token_hash,
                           const uint8_t in[HANDSHAKE_FIRST_SIZE], const uint8_t random[56],
                           uint8_t out[HANDSHAKE_SECOND_SIZE], struct stream_keys *keys);

/* Initiator: checks the second message. False: not from the right peer. */
bool handshake_finish(struct handshake *h, const uint8_t in[HANDSHAKE_SECOND_SIZE],
                      struct stream_keys *keys);

void handshake_wipe(struct handshake *h);

/*
 * A frame on the wire: length 4 (big-endian, of what follows) | sealed bytes (17 more than plain).
 * The length is checked against FRAME_MAX before anything is allocated.
 */
#define FRAME_OVERHEAD 21

/* Returns the size written; `out` holds size + FRAME_OVERHEAD. */
size_t frame_seal(struct stream_keys *keys, const uint8_t *plain, size_t size, uint8_t *out);

enum frame_result { FRAME_OPENED = 1, FRAME_MORE = 0, FRAME_BAD = -1 };

/*
 * Looks at `in`: FRAME_MORE if the frame is not complete (*needed = bytes wanted in all),
 * FRAME_OPENED with the plain bytes in `out` (capacity FRAME_MAX) and *consumed, or FRAME_BAD.
 */
enum frame_result frame_open(struct stream_keys *keys, const uint8_t *in, size_t size, uint8_t *out,
                             size_t *out_size, size_t *consumed, size_t *needed);

#endif
