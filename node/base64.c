#include "base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(const uint8_t *in, size_t size, char *out)
{
	for (size_t i = 0; i < size; i += 3) {
		size_t left = size - i;
		uint32_t three = (uint32_t)in[i] << 16;
		if (left > 1)
			three |= (uint32_t)in[i + 1] << 8;
		if (left > 2)
			three |= in[i + 2];
		*out++ = alphabet[three >> 18 & 63];
		*out++ = alphabet[three >> 12 & 63];
		*out++ = left > 1 ? alphabet[three >> 6 & 63] : '=';
		*out++ = left > 2 ? alphabet[three & 63] : '=';
	}
	*out = '\0';
}

static int digit_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

/* Decodes four digits of which the last `padding` are '='; false if any other is not a digit. */
static bool decode_four(const char *text, size_t padding, uint32_t *out)
{
	uint32_t three = 0;
	for (size_t i = 0; i < 4; i++) {
		int value = i >= 4 - padding ? 0 : digit_value(text[i]);
		if (value < 0)
			return false;
		three = three << 6 | (uint32_t)value;
	}
	*out = three;
	return (three & ((1u << (8 * padding)) - 1)) == 0; /* stray bits: not canonical */
}

bool base64_decode(const char *text, size_t size, uint8_t *out, size_t capacity, size_t *out_size)
{
	if (size % 4 != 0)
		return false;
	size_t used = 0;
	for (size_t i = 0; i < size; i += 4) {
		size_t padding = 0;
		if (i + 4 == size)
			padding = text[i + 3] != '=' ? 0 : text[i + 2] != '=' ? 1 : 2;
		uint32_t three;
		if (!decode_four(text + i, padding, &three) || used + 3 - padding > capacity)
			return false;
		for (size_t b = 0; b < 3 - padding; b++)
			out[used++] = (uint8_t)(three >> (16 - 8 * b));
	}
	*out_size = used;
	return true;
}
