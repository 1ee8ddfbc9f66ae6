/*
 * token.h: the text an administrator copies to a new node.
 *
 *   essaim1-<cluster 16 bytes>-<token id 8 bytes>-<secret 16 bytes>-<checksum 4 bytes>
 *
 * each part in lower-case Crockford-free base32 (RFC 4648 alphabet, no padding), so that it can be
 * read aloud and double-clicked. The ledger keeps only the hash of the secret.
 */
#ifndef ESSAIM_TOKEN_H
#define ESSAIM_TOKEN_H

#include "error.h"
#include "words.h"

struct token {
	struct cluster_id cluster;
	uint64_t id;
	uint8_t secret[TOKEN_SECRET_SIZE];
};

/* Writes the NUL-ended text. */
void token_format(const struct token *token, char out[TOKEN_TEXT_MAX]);

/* Returns 0, or -EINVAL with a sentence that says which part is wrong. Surrounding blanks are fine. */
int token_parse(const char *text, struct token *out, struct error *error);

/* What the ledger keeps and what keys the joining handshake: BLAKE2b over domain, cluster, id, secret. */
void token_hash(const struct token *token, struct hash *out);

#endif
