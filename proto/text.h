/*
 * text.h: identifiers and addresses as people write them.
 */
#ifndef ESSAIM_TEXT_H
#define ESSAIM_TEXT_H

#include "error.h"
#include "words.h"

/* "192.0.2.1:7800", "[2001:db8::1]:7800"; "-" for none. Always NUL-ended. */
void address_format(const struct address *address, char out[ADDRESS_TEXT_SIZE]);

/* Numeric addresses only; a missing port means DEFAULT_PORT. 0, or -EINVAL with a sentence. */
int address_parse(const char *text, struct address *out, struct error *error);

bool address_equal(const struct address *a, const struct address *b);

/* 16 lower-case hex digits and NUL. */
void node_id_format(node_id id, char out[17]);
bool node_id_parse(const char *text, node_id *out);

/* `out` holds 2 * size + 1. */
void hex_format(const uint8_t *data, size_t size, char *out);
/* False unless `text` is exactly 2 * size hex digits. */
bool hex_parse(const char *text, uint8_t *out, size_t size);

/* A node's name: 1-63 of [a-z0-9.-], no leading or trailing '-' or '.'. 0 or -EINVAL. */
int name_check(const char *name, struct error *error);

/* A kv key: 1-255 bytes of printable UTF-8 without control characters. 0 or -EINVAL. */
int key_check(const uint8_t *key, size_t size, struct error *error);

/* "3h", "90s", "250ms", "7d"; bare numbers are refused. 0 or -EINVAL. */
int duration_parse(const char *text, duration *out, struct error *error);

/* "1.5 s", "250 ms", "3 h": at most 15 characters and NUL. */
void duration_format(duration d, char out[16]);

/* strlen; and a NUL-ended text as bytes, without its NUL. For rooms that may not use libc. */
size_t text_size(const char *text);
struct bytes text_bytes(const char *text);
bool bytes_are(struct bytes bytes, const char *text);

#endif
