/*
 * What the kernel's log, /proc/drbd and `drbdsetup show` say, and the generations that they print.
 */
#include "drbd.h"

#include <string.h>

/* ---- the log ---- */

static const char *after_prefix(const char *line)
{
	const char *semicolon = strchr(line, ';'), *bracket;
	if (line[0] >= '0' && line[0] <= '9' && semicolon != NULL)
		return semicolon + 1; /* kmsg: "6,339,5140900,-;text" */
	bracket = line[0] == '[' ? strchr(line, ']') : NULL;
	line = bracket == NULL ? line : bracket + 1;
	return line + strspn(line, " ");
}

static uint32_t digits(const char *text)
{
	uint32_t value = 0;
	for (; *text >= '0' && *text <= '9' && value < 100000000; text++)
		value = value * 10 + (uint32_t)(*text - '0');
	return value;
}

/* "block drbd0: …" names a minor, "drbd r0: …" and "drbd r0/0 drbd0 peer: …" a resource. */
static struct drbd_resource *resource_meant(struct drbd_seen *seen, const char *text)
{
	static const char block[] = "block drbd", plain[] = "drbd ";
	char name[DRBD_NAME_MAX + 1] = "";
	if (strncmp(text, block, sizeof block - 1) == 0) {
		const struct drbd_resource *r =
			drbd_resource_of_minor(seen, digits(text + sizeof block - 1));
		return r == NULL ? NULL : &seen->resources[r - seen->resources];
	}
	if (strncmp(text, plain, sizeof plain - 1) != 0)
		return NULL;
	text += sizeof plain - 1;
	size_t size = strcspn(text, "/: ");
	if (size > DRBD_NAME_MAX)
		return NULL;
	memcpy(name, text, size);
	return drbd_resource_named(seen, name);
}

/* DRBD 9 names the peer before the colon: "drbd r0/0 drbd0 node-b: …". 8.4 has only one. */
static struct drbd_peer *peer_meant(struct drbd_resource *r, const char *text)
{
	size_t size = strcspn(text, ":");
	for (uint32_t i = 0; i < r->peer_count; i++) {
		size_t name = strlen(r->peers[i].name);
		if (name > 0 && size > name && text[size - name - 1] == ' ' &&
		    strncmp(text + size - name, r->peers[i].name, name) == 0)
			return &r->peers[i];
	}
	return r->peer_count == 1 ? &r->peers[0] : NULL;
}

/* "conn( WFReportParams -> Connected )": is it up now? */
static bool says_connected(const char *text)
{
	static const char *const up[] = {"Connected", "WFBitMapS", "WFBitMapT", "WFSyncUUID",
		"SyncSource", "SyncTarget", "PausedSyncS", "PausedSyncT"};
	const char *at = strstr(text, "conn( ");
	at = at == NULL ? NULL : strstr(at, "-> ");
	if (at == NULL)
		return false;
	size_t size = strcspn(at + 3, " ");
	for (size_t i = 0; i < sizeof up / sizeof up[0]; i++) {
		if (strlen(up[i]) == size && strncmp(at + 3, up[i], size) == 0)
			return true;
	}
	return false;
}

static bool is_split_brain_helper(const char *text)
{
	static const char call[] = "helper command: ", helper[] = "drbdadm split-brain";
	const char *at = strstr(text, call);
	return at != NULL && strstr(at, helper) != NULL && strstr(at, "exit code") == NULL;
}

static enum drbd_word word_of(const char *text)
{
	if (is_split_brain_helper(text) || strstr(text, "Split-Brain detected but unresolved") != NULL)
		return DRBD_SAID_SPLIT_BRAIN;
	if (strstr(text, "Unrelated data") != NULL)
		return DRBD_SAID_UNRELATED;
	if (strstr(text, "Authentication of peer failed") != NULL)
		return DRBD_SAID_AUTHENTICATION;
	if (strstr(text, ": incompatible ") != NULL)
		return DRBD_SAID_OPTIONS;
	return DRBD_SAID_NOTHING;
}

bool drbd_kernel_line(struct drbd_seen *seen, const char *line)
{
	const char *text = after_prefix(line);
	struct drbd_resource *r = resource_meant(seen, text);
	if (r == NULL)
		return false;
	struct drbd_peer *p = peer_meant(r, text);
	enum drbd_word word = word_of(text);
	if (p == NULL || (word == DRBD_SAID_NOTHING && !says_connected(text)))
		return false;
	p->said = word;
	return true;
}

/* ---- generations ---- */

static bool hex16(const char *text, uint64_t *out)
{
	uint64_t value = 0;
	for (int i = 0; i < 16; i++) {
		char c = text[i];
		if (c >= '0' && c <= '9')
			value = value << 4 | (uint64_t)(c - '0');
		else if (c >= 'A' && c <= 'F')
			value = value << 4 | (uint64_t)(c - 'A' + 10);
		else if (c >= 'a' && c <= 'f')
			value = value << 4 | (uint64_t)(c - 'a' + 10);
		else
			return false;
	}
	*out = value;
	return true;
}

static bool generation_at(const char *text, struct drbd_generation *out)
{
	struct drbd_generation g = {.known = true};
	uint64_t *const parts[] = {&g.current, &g.bitmap, &g.older[0], &g.older[1]};
	for (int i = 0; i < 4; i++) {
		if (!hex16(text, parts[i]) || (i < 3 && text[16] != ':'))
			return false;
		text += 17;
	}
	*out = g;
	return true;
}

bool drbd_generation_parse(const char *text, struct drbd_generation *out)
{
	for (const char *at = text; (at = strchr(at, ':')) != NULL; at++) {
		if (at - text >= 16 && generation_at(at - 16, out))
			return true;
	}
	return false;
}

/* ---- /proc/drbd ---- */

bool drbd_version_parse(const char *text, char version[DRBD_WORD_MAX + 1])
{
	static const char key[] = "version: ";
	if (strncmp(text, key, sizeof key - 1) != 0)
		return false;
	text += sizeof key - 1;
	size_t size = strcspn(text, " \n\t(");
	if (size == 0 || size > DRBD_WORD_MAX)
		return false;
	memset(version, 0, DRBD_WORD_MAX + 1);
	for (size_t i = 0; i < size; i++)
		version[i] = text[i] > ' ' && text[i] < 127 ? text[i] : '?';
	return true;
}

/* The word behind `key` up to one of `ends`; "" if it is not in this line. */
static const char *take_after(const char *line, const char *key, const char *ends, char *out)
{
	const char *line_end = line + strcspn(line, "\n");
	const char *at = strstr(line, key);
	memset(out, 0, DRBD_WORD_MAX + 1);
	if (at == NULL || at >= line_end)
		return line_end;
	at += strlen(key);
	size_t size = strcspn(at, ends);
	for (size_t i = 0; i < size && i < DRBD_WORD_MAX; i++)
		out[i] = at[i] > ' ' && at[i] < 127 ? at[i] : '?';
	return at + size;
}

/* The kernel's own names are older than the tools': WFConnection is Connecting. */
static void name_connection(const char *state, struct drbd_peer *p)
{
	static const char *const down[] = {"StandAlone", "Disconnecting", "Unconnected", "Timeout",
		"BrokenPipe", "NetworkFailure", "ProtocolError", "TearDown"};
	const char *connection = "Connected", *replication = state;
	if (strcmp(state, "Connected") == 0)
		replication = "Established";
	if (strncmp(state, "WFConn", 6) == 0 || strncmp(state, "WFReport", 8) == 0)
		connection = "Connecting", replication = "Off";
	for (size_t i = 0; i < sizeof down / sizeof down[0]; i++) {
		if (strcmp(state, down[i]) == 0)
			connection = down[i], replication = "Off";
	}
	memset(p->connection, 0, sizeof p->connection);
	memcpy(p->connection, connection, strlen(connection));
	memset(p->volumes[0].replication, 0, sizeof p->volumes[0].replication);
	memcpy(p->volumes[0].replication, replication, strlen(replication));
}

static struct drbd_resource *new_minor(struct drbd_seen *seen, const char *line, uint32_t minor)
{
	char state[DRBD_WORD_MAX + 1];
	const char *rest;
	if (seen->resource_count == DRBD_RESOURCES_MAX) {
		seen->more++;
		return NULL;
	}
	struct drbd_resource *r = &seen->resources[seen->resource_count++];
	memset(r, 0, sizeof *r);
	memcpy(r->name, "drbd", 4);
	const char *number = line + strspn(line, " ");
	size_t size = strcspn(number, ":");
	memcpy(r->name + 4, number, size < 10 ? size : 10);
	r->volume_count = r->peer_count = r->peers[0].volume_count = 1;
	r->volumes[0].minor = minor;
	r->peers[0].volumes[0].done = -1;
	take_after(line, " cs:", " \n", state);
	name_connection(state, &r->peers[0]);
	rest = take_after(line, " ro:", "/ \n", r->role);
	if (*rest == '/')
		take_after(rest, "/", " \n", r->peers[0].role);
	rest = take_after(line, " ds:", "/ \n", r->volumes[0].disk);
	if (*rest == '/')
		take_after(rest, "/", " \n", r->peers[0].volumes[0].disk);
	return r;
}

bool drbd_proc_parse(const char *text, struct drbd_seen *seen, char version[DRBD_WORD_MAX + 1])
{
	struct drbd_resource *r = NULL;
	char number[DRBD_WORD_MAX + 1];
	memset(seen, 0, sizeof *seen);
	if (!drbd_version_parse(text, version))
		return false;
	for (const char *line = text; line != NULL && *line != '\0';) {
		const char *digit = line + strspn(line, " ");
		take_after(line, " oos:", " \n", number);
		if (*digit >= '0' && *digit <= '9' && digit[strspn(digit, "0123456789")] == ':')
			r = new_minor(seen, line, digits(digit));
		else if (r != NULL && number[0] != '\0')
			r->peers[0].volumes[0].out_of_sync = (uint64_t)digits(number) * 1024;
		line = strchr(line, '\n');
		line = line == NULL ? NULL : line + 1;
	}
	return true;
}
