/*
 * `drbdsetup show`: a tree of blocks and statements, read word by word.
 *
 *     resource NAME { _this_host { address …; volume N { device minor M; disk "PATH"; } }
 *                     net { KEY VALUE; }  connection { _peer_node_id N; path { … } net { … } } }
 */
#include "drbd.h"

#include <string.h>

#define DEPTH_MAX 8
#define WORD_ROOM 128
#define STATEMENT_WORDS 4

struct block {
	char name[WORD_ROOM], argument[WORD_ROOM];
};

struct show {
	const char *rest;
	char words[STATEMENT_WORDS][WORD_ROOM]; /* since the last ; { or } */
	uint32_t word_count;
	struct block blocks[DEPTH_MAX];
	uint32_t depth;
	struct drbd_seen *seen;
	struct drbd_resource *resource;
	struct drbd_peer *peer; /* of the connection that is open */
	bool found;
};

/* ---- words ---- */

static void skip_blanks(struct show *s)
{
	for (;;) {
		s->rest += strspn(s->rest, " \t\r\n");
		if (*s->rest != '#')
			return;
		s->rest += strcspn(s->rest, "\n");
	}
}

static void keep_word(struct show *s, const char *from, size_t size)
{
	if (s->word_count == STATEMENT_WORDS)
		return;
	char *out = s->words[s->word_count++];
	memset(out, 0, WORD_ROOM);
	for (size_t i = 0; i < size && i < WORD_ROOM - 1; i++)
		out[i] = from[i] >= ' ' && from[i] < 127 ? from[i] : '?';
}

static void read_word(struct show *s)
{
	if (*s->rest == '"') {
		size_t size = strcspn(s->rest + 1, "\"");
		keep_word(s, s->rest + 1, size);
		s->rest += 1 + size + (s->rest[1 + size] == '"');
		return;
	}
	size_t size = strcspn(s->rest, " \t\r\n;{}\"");
	keep_word(s, s->rest, size);
	s->rest += size;
}

/* ---- what it means ---- */

static bool within(const struct show *s, const char *name)
{
	return s->depth > 0 && strcmp(s->blocks[s->depth - 1].name, name) == 0;
}

static uint32_t number(const char *text)
{
	uint32_t value = 0;
	for (; *text >= '0' && *text <= '9' && value < 100000000; text++)
		value = value * 10 + (uint32_t)(*text - '0');
	return value;
}

/* What receive_protocol and the handshake compare; the secret itself is left out of what others see. */
static bool must_agree(const char *key)
{
	static const char *const keys[] = {"protocol", "allow-two-primaries", "after-sb-0pri",
		"after-sb-1pri", "after-sb-2pri", "always-asbp", "cram-hmac-alg", "data-integrity-alg",
		"verify-alg"};
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		if (strcmp(key, keys[i]) == 0)
			return true;
	}
	return false;
}

/* FNV-1a of "key=value"; pairs are added up, so that their order does not matter. */
static uint64_t pair_hash(const char *key, const char *value)
{
	uint64_t hash = 0xcbf29ce484222325u;
	for (; *key != '\0'; key++)
		hash = (hash ^ (uint8_t)*key) * 0x100000001b3u;
	hash = (hash ^ '=') * 0x100000001b3u;
	for (; *value != '\0'; value++)
		hash = (hash ^ (uint8_t)*value) * 0x100000001b3u;
	return hash;
}

static void take_address(const char *text, char *out)
{
	size_t size = strlen(text);
	if (size >= ADDRESS_TEXT_SIZE)
		return;
	memset(out, 0, ADDRESS_TEXT_SIZE);
	memcpy(out, text, size);
}

static void on_disk(struct show *s, const char *path)
{
	uint32_t volume = number(s->blocks[s->depth - 1].argument);
	size_t size = strlen(path);
	for (uint32_t i = 0; i < s->resource->volume_count && size <= DEVICE_PATH_MAX; i++) {
		struct drbd_volume *v = &s->resource->volumes[i];
		if (v->number != volume || strcmp(path, "none") == 0)
			continue;
		memset(v->backing, 0, sizeof v->backing);
		memcpy(v->backing, path, size);
	}
}

static void on_peer_id(struct show *s, uint32_t id)
{
	s->peer = NULL;
	for (uint32_t i = 0; i < s->resource->peer_count; i++) {
		if (s->resource->peers[i].node_id == id)
			s->peer = &s->resource->peers[i];
	}
}

static void on_statement(struct show *s)
{
	struct drbd_resource *r = s->resource;
	const char *key = s->words[0], *value = s->words[1], *second = s->words[2];
	if (r == NULL || s->word_count < 2)
		return;
	if (within(s, "net") && s->peer != NULL && must_agree(key))
		s->peer->options += pair_hash(key, value);
	else if (within(s, "volume") && strcmp(key, "disk") == 0)
		on_disk(s, value);
	else if (within(s, "connection") && strcmp(key, "_peer_node_id") == 0)
		on_peer_id(s, number(value));
	else if (within(s, "path") && strcmp(key, "_this_host") == 0 && s->word_count > 2 &&
	         s->peer != NULL)
		take_address(second, s->peer->local);
	else if (within(s, "path") && strcmp(key, "_remote_host") == 0 && s->word_count > 2 &&
	         s->peer != NULL)
		take_address(second, s->peer->address);
	else if (within(s, "_this_host") && strcmp(key, "address") == 0 && s->word_count > 2 &&
	         s->peer != NULL)
		take_address(second, s->peer->local);
	else if (within(s, "_remote_host") && strcmp(key, "address") == 0 && s->word_count > 2 &&
	         s->peer != NULL)
		take_address(second, s->peer->address);
}

/* 8.4 has one peer, and says of it what DRBD 9 says within a connection. */
static void begin_resource(struct show *s)
{
	if (s->resource == NULL)
		return;
	s->found = true;
	for (uint32_t i = 0; i < s->resource->peer_count; i++)
		s->resource->peers[i].options = 0;
	if (s->resource->peer_count == 1)
		s->peer = &s->resource->peers[0];
}

static bool on_open(struct show *s)
{
	if (s->depth == DEPTH_MAX)
		return false;
	struct block *b = &s->blocks[s->depth];
	memset(b, 0, sizeof *b);
	if (s->word_count > 0)
		memcpy(b->name, s->words[0], WORD_ROOM);
	if (s->word_count > 1)
		memcpy(b->argument, s->words[1], WORD_ROOM);
	if (s->depth == 0 && strcmp(b->name, "resource") == 0) {
		s->resource = drbd_resource_named(s->seen, b->argument);
		s->peer = NULL;
		begin_resource(s);
	}
	s->depth++;
	return true;
}

bool drbd_show_parse(const char *text, struct drbd_seen *seen)
{
	struct show s = {.rest = text, .seen = seen};
	for (skip_blanks(&s); *s.rest != '\0'; skip_blanks(&s)) {
		char c = *s.rest;
		if (c != ';' && c != '{' && c != '}') {
			read_word(&s);
			continue;
		}
		s.rest++;
		if (c == ';')
			on_statement(&s);
		if (c == '{' && !on_open(&s))
			return s.found;
		if (c == '}' && s.depth > 0)
			s.depth--;
		s.word_count = 0;
	}
	return s.found;
}
