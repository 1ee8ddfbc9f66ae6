#include "token.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>

#define PREFIX "essaim1"
#define CHECKSUM_SIZE 4
#define PART_COUNT 4

/* The token's fields as bytes, in the order of the text. */
#define RAW_SIZE (CLUSTER_ID_SIZE + 8 + TOKEN_SECRET_SIZE)

struct part {
	const char *name;
	size_t offset, size; /* in the raw bytes, the checksum after them */
};

static const struct part parts[PART_COUNT] = {
	{"cluster", 0, CLUSTER_ID_SIZE},
	{"token id", CLUSTER_ID_SIZE, 8},
	{"secret", CLUSTER_ID_SIZE + 8, TOKEN_SECRET_SIZE},
	{"checksum", RAW_SIZE, CHECKSUM_SIZE},
};

static void token_raw(const struct token *token, uint8_t out[RAW_SIZE])
{
	memcpy(out, token->cluster.bytes, CLUSTER_ID_SIZE);
	for (int i = 0; i < 8; i++)
		out[CLUSTER_ID_SIZE + i] = (uint8_t)(token->id >> (56 - 8 * i));
	memcpy(out + CLUSTER_ID_SIZE + 8, token->secret, TOKEN_SECRET_SIZE);
}

/* BLAKE2b over a domain and the raw bytes. */
static void raw_hash(const char *domain, const uint8_t raw[RAW_SIZE], struct hash *out)
{
	crypto_generichash_state state;

	crypto_generichash_init(&state, NULL, 0, HASH_SIZE);
	crypto_generichash_update(&state, (const uint8_t *)domain, strlen(domain) + 1);
	crypto_generichash_update(&state, raw, RAW_SIZE);
	crypto_generichash_final(&state, out->bytes, HASH_SIZE);
	sodium_memzero(&state, sizeof state);
}

static void raw_checksum(const uint8_t raw[RAW_SIZE], uint8_t out[CHECKSUM_SIZE])
{
	struct hash hash;

	raw_hash("essaim token text 1", raw, &hash);
	memcpy(out, hash.bytes, CHECKSUM_SIZE);
}

/* ---- base32, RFC 4648 section 6, lower case, without padding ---- */

static size_t base32_size(size_t size)
{
	return (size * 8 + 4) / 5;
}

static void base32_write(const uint8_t *data, size_t size, char *out)
{
	static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
	uint32_t window = 0;
	int bits = 0;

	for (size_t i = 0; i < size; i++) {
		window = (window << 8 | data[i]) & 0xffff;
		for (bits += 8; bits >= 5; bits -= 5)
			*out++ = alphabet[window >> (bits - 5) & 31];
	}
	if (bits > 0)
		*out++ = alphabet[window << (5 - bits) & 31];
}

/* Upper case is taken too: nobody says which case is read aloud. */
static int base32_digit(char c)
{
	if (c >= 'a' && c <= 'z')
		return c - 'a';
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= '2' && c <= '7')
		return c - '2' + 26;
	return -1;
}

/* Reads base32_size(size) good digits. False if bits beyond the last byte are set. */
static bool base32_read(const char *text, uint8_t *out, size_t size)
{
	uint32_t window = 0;
	int bits = 0;

	for (size_t i = 0; i < base32_size(size); i++) {
		window = (window << 5 | (uint32_t)base32_digit(text[i])) & 0xffff;
		bits += 5;
		if (bits >= 8) {
			bits -= 8;
			*out++ = (uint8_t)(window >> bits);
		}
	}
	return (window & ((1u << bits) - 1)) == 0;
}

/* ---- the text ---- */

void token_format(const struct token *token, char out[TOKEN_TEXT_MAX])
{
	uint8_t raw[RAW_SIZE + CHECKSUM_SIZE];
	char *at = out + sizeof PREFIX - 1;

	token_raw(token, raw);
	raw_checksum(raw, raw + RAW_SIZE);
	memcpy(out, PREFIX, sizeof PREFIX - 1);
	for (size_t i = 0; i < PART_COUNT; i++) {
		*at++ = '-';
		base32_write(raw + parts[i].offset, parts[i].size, at);
		at += base32_size(parts[i].size);
	}
	*at = '\0';
	assert(at < out + TOKEN_TEXT_MAX);
	sodium_memzero(raw, sizeof raw);
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Reads the part at text[*at], which must end there or at a '-'. */
static int part_read(const struct part *part, const char *text, size_t size, size_t *at,
                     uint8_t *raw, struct error *error)
{
	size_t length = 0, start = *at;

	while (start + length < size && text[start + length] != '-')
		length++;
	for (size_t i = 0; i < length; i++)
		if (base32_digit(text[start + i]) < 0)
			return error_set(error, -EINVAL,
			                 "the token has a character at position %zu (in its %s) that is "
			                 "none of a-z 2-7",
			                 start + i + 1, part->name);
	if (length != base32_size(part->size))
		return error_set(error, -EINVAL,
		                 "the token's %s has %zu characters, not %zu: was it copied whole?",
		                 part->name, length, base32_size(part->size));
	if (!base32_read(text + start, raw + part->offset, part->size))
		return error_set(error, -EINVAL,
		                 "the token's %s ends with a wrong character at position %zu: it was "
		                 "probably mistyped",
		                 part->name, start + length);
	*at = start + length;
	return 0;
}

/* All the parts of a text without surrounding blanks. */
static int parts_read(const char *text, size_t size, uint8_t raw[RAW_SIZE + CHECKSUM_SIZE],
                      struct error *error)
{
	size_t at = sizeof PREFIX - 1;

	if (size < at || memcmp(text, PREFIX, at) != 0)
		return error_set(error, -EINVAL, "the token does not begin with '" PREFIX "-'");
	for (size_t i = 0; i < PART_COUNT; i++) {
		if (at >= size || text[at] != '-')
			return error_set(error, -EINVAL,
			                 "the token has no %s: was it copied whole? a new one: 'essaim "
			                 "token create'",
			                 parts[i].name);
		at++;
		int failure = part_read(&parts[i], text, size, &at, raw, error);
		if (failure != 0)
			return failure;
	}
	if (at != size)
		return error_set(error, -EINVAL, "the token goes on after its checksum, at position %zu",
		                 at + 1);
	return 0;
}

static void token_fill(const uint8_t raw[RAW_SIZE], struct token *out)
{
	memcpy(out->cluster.bytes, raw, CLUSTER_ID_SIZE);
	out->id = 0;
	for (int i = 0; i < 8; i++)
		out->id = out->id << 8 | raw[CLUSTER_ID_SIZE + i];
	memcpy(out->secret, raw + CLUSTER_ID_SIZE + 8, TOKEN_SECRET_SIZE);
}

int token_parse(const char *text, struct token *out, struct error *error)
{
	uint8_t raw[RAW_SIZE + CHECKSUM_SIZE] = {0}, checksum[CHECKSUM_SIZE];

	while (blank(*text))
		text++;
	size_t size = strlen(text);
	while (size > 0 && blank(text[size - 1]))
		size--;
	int result = parts_read(text, size, raw, error);
	if (result == 0) {
		raw_checksum(raw, checksum);
		if (memcmp(checksum, raw + RAW_SIZE, CHECKSUM_SIZE) == 0)
			token_fill(raw, out);
		else
			result = error_set(error, -EINVAL,
			                   "the token's checksum does not fit: a character was probably "
			                   "mistyped");
	}
	sodium_memzero(raw, sizeof raw);
	return result;
}

void token_hash(const struct token *token, struct hash *out)
{
	uint8_t raw[RAW_SIZE];

	token_raw(token, raw);
	raw_hash("essaim token 1", raw, out);
	sodium_memzero(raw, sizeof raw);
}
