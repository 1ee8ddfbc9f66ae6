/*
 * base64.h: RFC 4648 section 4, for values that are not UTF-8 on the control socket.
 */
#ifndef ESSAIM_BASE64_H
#define ESSAIM_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BASE64_SIZE(n) (((n) + 2) / 3 * 4 + 1)

/* `out` holds BASE64_SIZE(size). */
void base64_encode(const uint8_t *in, size_t size, char *out);

/* Strict: padded, no blanks. False if not base64 or longer than `capacity` when decoded. */
bool base64_decode(const char *text, size_t size, uint8_t *out, size_t capacity, size_t *out_size);

#endif
