#include "text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- addresses ---- */

void address_format(const struct address *address, char out[ADDRESS_TEXT_SIZE])
{
	char ip[INET6_ADDRSTRLEN] = "";

	switch (address->family) {
	case 4:
		inet_ntop(AF_INET, address->ip, ip, sizeof ip);
		snprintf(out, ADDRESS_TEXT_SIZE, "%s:%u", ip, (unsigned)address->port);
		return;
	case 6:
		inet_ntop(AF_INET6, address->ip, ip, sizeof ip);
		snprintf(out, ADDRESS_TEXT_SIZE, "[%s]:%u", ip, (unsigned)address->port);
		return;
	default:
		snprintf(out, ADDRESS_TEXT_SIZE, "-");
	}
}

/* 1 to 65535 in decimal, nothing else. */
static bool port_parse(const char *text, uint16_t *out)
{
	uint32_t port = 0;

	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return false;
		port = port * 10 + (uint32_t)(*text - '0');
		if (port > UINT16_MAX)
			return false;
	}
	*out = (uint16_t)port;
	return port != 0;
}

/*
 * Splits "ip", "ip:port", "[ip]" and "[ip]:port". Two colons without brackets are a bare IPv6
 * address. `*port` is NULL if there is none.
 */
static bool address_split(const char *text, char *ip, size_t capacity, const char **port)
{
	const char *start = text, *end, *colon = strchr(text, ':');

	*port = NULL;
	if (*text == '[') {
		start = text + 1;
		end = strchr(start, ']');
		if (end == NULL || (end[1] != '\0' && end[1] != ':'))
			return false;
		if (end[1] == ':')
			*port = end + 2;
	} else if (colon != NULL && strchr(colon + 1, ':') == NULL) {
		end = colon;
		*port = colon + 1;
	} else {
		end = text + strlen(text);
	}
	size_t size = (size_t)(end - start);
	if (size == 0 || size >= capacity)
		return false;
	memcpy(ip, start, size);
	ip[size] = '\0';
	return true;
}

int address_parse(const char *text, struct address *out, struct error *error)
{
	struct address parsed = {.port = DEFAULT_PORT};
	char ip[INET6_ADDRSTRLEN];
	const char *port;

	if (!address_split(text, ip, sizeof ip, &port))
		return error_set(error, -EINVAL,
		                 "'%.64s' is no address: write '192.0.2.1:%d' or '[2001:db8::1]:%d'",
		                 text, DEFAULT_PORT, DEFAULT_PORT);
	if (inet_pton(AF_INET, ip, parsed.ip) == 1 && *text != '[')
		parsed.family = 4;
	else if (inet_pton(AF_INET6, ip, parsed.ip) == 1)
		parsed.family = 6;
	else
		return error_set(error, -EINVAL,
		                 "'%.64s' is no numeric address: host names are not looked up", text);
	if (port != NULL && !port_parse(port, &parsed.port))
		return error_set(error, -EINVAL, "the port of '%.64s' is not within 1 to 65535", text);
	*out = parsed;
	return 0;
}

bool address_equal(const struct address *a, const struct address *b)
{
	if (a->family != b->family)
		return false;
	if (a->family == 0)
		return true;
	return a->port == b->port && memcmp(a->ip, b->ip, a->family == 4 ? 4 : 16) == 0;
}

/* ---- identifiers ---- */

void hex_format(const uint8_t *data, size_t size, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < size; i++) {
		out[2 * i] = digits[data[i] >> 4];
		out[2 * i + 1] = digits[data[i] & 15];
	}
	out[2 * size] = '\0';
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool hex_parse(const char *text, uint8_t *out, size_t size)
{
	if (strlen(text) != 2 * size)
		return false;
	for (size_t i = 0; i < size; i++) {
		int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

void node_id_format(node_id id, char out[17])
{
	uint8_t bytes[8];

	for (int i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(id >> (56 - 8 * i));
	hex_format(bytes, sizeof bytes, out);
}

bool node_id_parse(const char *text, node_id *out)
{
	uint8_t bytes[8];

	if (!hex_parse(text, bytes, sizeof bytes))
		return false;
	node_id id = 0;
	for (int i = 0; i < 8; i++)
		id = id << 8 | bytes[i];
	*out = id;
	return true;
}

/* ---- names and keys ---- */

static bool name_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
}

static bool name_edge(char c)
{
	return c != '.' && c != '-';
}

int name_check(const char *name, struct error *error)
{
	size_t size = strnlen(name, NAME_MAX_SIZE + 1);

	if (size == 0)
		return error_set(error, -EINVAL, "the node's name is empty");
	if (size > NAME_MAX_SIZE)
		return error_set(error, -EINVAL, "the node name '%.20s...' is longer than %d characters",
		                 name, NAME_MAX_SIZE);
	for (size_t i = 0; i < size; i++)
		if (!name_character(name[i]))
			return error_set(error, -EINVAL,
			                 "the node name '%s' has a character that is none of a-z 0-9 . -",
			                 name);
	if (!name_edge(name[0]) || !name_edge(name[size - 1]))
		return error_set(error, -EINVAL, "the node name '%s' begins or ends with '.' or '-'",
		                 name);
	return 0;
}

/*
 * Reads one character of UTF-8 (RFC 3629: shortest form, no surrogates). Returns its size, or 0.
 */
static size_t utf8_read(const uint8_t *text, size_t size, uint32_t *out)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	uint8_t first = text[0];
	size_t length = first < 0x80   ? 1
	                : first < 0xc0 ? 0
	                : first < 0xe0 ? 2
	                : first < 0xf0 ? 3
	                : first < 0xf8 ? 4
	                               : 0;

	if (length == 0 || length > size)
		return 0;
	uint32_t point = length == 1 ? first : first & (0x7fu >> length);
	for (size_t i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (text[i] & 0x3fu);
	}
	if (point < smallest[length] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
		return 0;
	*out = point;
	return length;
}

/* Control characters, and those that make a terminal show another text than the one stored. */
static bool deceives(uint32_t point)
{
	return point < 0x20 || (point >= 0x7f && point < 0xa0) || /* C0, DEL, C1 */
	       point == 0x2028 || point == 0x2029 ||              /* line, paragraph separator */
	       (point >= 0x202a && point <= 0x202e) ||            /* bidirectional overrides */
	       (point >= 0x2066 && point <= 0x2069);              /* and isolates */
}

int key_check(const uint8_t *key, size_t size, struct error *error)
{
	if (size == 0)
		return error_set(error, -EINVAL, "the key is empty");
	if (size > KEY_MAX_SIZE)
		return error_set(error, -EINVAL, "the key has %zu bytes, more than %d", size,
		                 KEY_MAX_SIZE);
	for (size_t at = 0; at < size;) {
		uint32_t point;
		size_t length = utf8_read(key + at, size - at, &point);
		if (length == 0)
			return error_set(error, -EINVAL, "the key is not UTF-8 at byte %zu", at + 1);
		if (deceives(point))
			return error_set(error, -EINVAL, "the key has a control character at byte %zu",
			                 at + 1);
		at += length;
	}
	return 0;
}

/* ---- durations ---- */

struct unit {
	const char *parsed, *shown;
	duration size;
};

/* Descending: the first that fits is shown. */
static const struct unit units[] = {
	{"d", "d", 24 * 3600 * SECOND}, {"h", "h", 3600 * SECOND},   {"m", "min", 60 * SECOND},
	{"s", "s", SECOND},             {"ms", "ms", MILLISECOND},   {"us", "us", MICROSECOND},
	{"ns", "ns", 1},
};

#define UNIT_COUNT (sizeof units / sizeof units[0])

static const struct unit *unit_find(const char *text)
{
	for (size_t i = 0; i < UNIT_COUNT; i++)
		if (strcmp(units[i].parsed, text) == 0)
			return &units[i];
	return NULL;
}

int duration_parse(const char *text, duration *out, struct error *error)
{
	const char *end = text;
	int64_t number = 0;

	for (; *end >= '0' && *end <= '9'; end++)
		if (__builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, *end - '0', &number))
			return error_set(error, -EINVAL, "the duration '%.32s' is too long", text);
	if (end == text)
		return error_set(error, -EINVAL, "'%.32s' is no duration: write '90s', '250ms' or '7d'",
		                 text);
	if (*end == '\0')
		return error_set(error, -EINVAL, "the duration '%.32s' has no unit: add ms, s, m, h or d",
		                 text);
	const struct unit *unit = unit_find(end);
	if (unit == NULL)
		return error_set(error, -EINVAL,
		                 "the unit of the duration '%.32s' is none of ns us ms s m h d", text);
	if (__builtin_mul_overflow(number, unit->size, &number))
		return error_set(error, -EINVAL, "the duration '%.32s' is too long", text);
	*out = number;
	return 0;
}

void duration_format(duration d, char out[16])
{
	uint64_t size = d < 0 ? 0 - (uint64_t)d : (uint64_t)d;
	const struct unit *unit = units;
	const char *sign = d < 0 ? "-" : "";

	if (d == 0 || d == NEVER) {
		snprintf(out, 16, d == 0 ? "0 s" : "never");
		return;
	}
	while (size < (uint64_t)unit->size)
		unit++;
	uint32_t whole = (uint32_t)(size / (uint64_t)unit->size);
	uint32_t tenth = (uint32_t)(size % (uint64_t)unit->size * 10 / (uint64_t)unit->size);
	/* At most "-106751.9 d" and "-999.9 min": 11 characters. */
	if (tenth == 0)
		snprintf(out, 16, "%s%u %s", sign, whole % 1000000, unit->shown);
	else
		snprintf(out, 16, "%s%u.%u %s", sign, whole % 1000000, tenth % 10, unit->shown);
}

size_t text_size(const char *text)
{
	return strlen(text);
}

struct bytes text_bytes(const char *text)
{
	return (struct bytes){(const uint8_t *)text, strlen(text)};
}

bool bytes_are(struct bytes bytes, const char *text)
{
	size_t size = text_size(text);
	return bytes.size == size && (size == 0 || memcmp(bytes.data, text, size) == 0);
}
