/*
 * Lines of `drbdsetup events2`, one by one.
 */
#include "drbd.h"

#include <string.h>

#define LINE_MAX 2048
#define KEYS_MAX 40

struct pair {
	const char *key, *value;
};

struct words {
	char text[LINE_MAX];
	const char *verb, *kind;
	uint32_t count;
	struct pair pairs[KEYS_MAX];
};

/* ---- words ---- */

static char *next_word(char **rest)
{
	char *word = *rest;
	while (*word == ' ' || *word == '\t')
		word++;
	if (*word == '\0')
		return NULL;
	char *end = word;
	while (*end != '\0' && *end != ' ' && *end != '\t')
		end++;
	*rest = *end == '\0' ? end : end + 1;
	*end = '\0';
	return word;
}

static bool is_verb(const char *word)
{
	static const char *const verbs[] = {
		"exists", "create", "change", "destroy", "call", "response", "rename", "-"};
	for (size_t i = 0; word != NULL && i < sizeof verbs / sizeof verbs[0]; i++) {
		if (strcmp(word, verbs[i]) == 0)
			return true;
	}
	return false;
}

static bool split(const char *line, struct words *out)
{
	size_t size = strcspn(line, "\r\n");
	char *rest = out->text, *word;
	if (size >= sizeof out->text)
		return false;
	for (size_t i = 0; i < size; i++)
		out->text[i] = line[i] == '\t' || (line[i] >= ' ' && line[i] < 127) ? line[i] : '?';
	out->text[size] = '\0';
	out->count = 0;
	word = next_word(&rest);
	if (word != NULL && !is_verb(word))
		word = next_word(&rest); /* --timestamps puts the time in front */
	if (!is_verb(word))
		return false;
	out->verb = word;
	out->kind = next_word(&rest);
	while (out->kind != NULL && out->count < KEYS_MAX && (word = next_word(&rest)) != NULL) {
		char *colon = strchr(word, ':');
		if (colon == NULL)
			continue;
		*colon = '\0';
		out->pairs[out->count++] = (struct pair){word, colon + 1};
	}
	return out->kind != NULL;
}

static const char *value_of(const struct words *w, const char *key)
{
	for (uint32_t i = 0; i < w->count; i++) {
		if (strcmp(w->pairs[i].key, key) == 0)
			return w->pairs[i].value;
	}
	return NULL;
}

/* Digits up to the first other character; too large a number is the largest. */
static bool number_of(const struct words *w, const char *key, uint64_t *out)
{
	const char *text = value_of(w, key);
	uint64_t value = 0;
	if (text == NULL || *text < '0' || *text > '9')
		return false;
	for (; *text >= '0' && *text <= '9'; text++)
		value = value > (UINT64_MAX - 9) / 10 ? UINT64_MAX / 10 : value * 10 + (uint64_t)(*text - '0');
	*out = value;
	return true;
}

/* KiB, as bytes. */
static void take_kib(const struct words *w, const char *key, uint64_t *out)
{
	uint64_t kib;
	if (number_of(w, key, &kib))
		*out = kib > UINT64_MAX / 1024 ? UINT64_MAX : kib * 1024;
}

static void take_word(const struct words *w, const char *key, char *out, size_t room)
{
	const char *in = value_of(w, key);
	if (in == NULL)
		return;
	size_t size = strlen(in);
	if (size >= room)
		size = room - 1;
	memset(out, 0, room);
	memcpy(out, in, size);
}

/* ---- who is meant ---- */

struct drbd_resource *drbd_resource_named(struct drbd_seen *seen, const char *name)
{
	for (uint32_t i = 0; name != NULL && i < seen->resource_count; i++) {
		if (strcmp(seen->resources[i].name, name) == 0)
			return &seen->resources[i];
	}
	return NULL;
}

const struct drbd_resource *drbd_resource_of_minor(const struct drbd_seen *seen, uint32_t minor)
{
	for (uint32_t i = 0; i < seen->resource_count; i++) {
		const struct drbd_resource *r = &seen->resources[i];
		for (uint32_t k = 0; k < r->volume_count; k++) {
			if (r->volumes[k].minor == minor)
				return r;
		}
	}
	return NULL;
}

/* Of that name, made if there is none; NULL: no name, or no room. */
static struct drbd_resource *resource_of(struct drbd_seen *seen, const struct words *w)
{
	const char *name = value_of(w, "name");
	struct drbd_resource *r = drbd_resource_named(seen, name);
	if (r != NULL || name == NULL || name[0] == '\0' || strlen(name) > DRBD_NAME_MAX)
		return r;
	if (seen->resource_count == DRBD_RESOURCES_MAX) {
		seen->more++;
		return NULL;
	}
	r = &seen->resources[seen->resource_count++];
	memset(r, 0, sizeof *r);
	memcpy(r->name, name, strlen(name));
	return r;
}

static struct drbd_volume *volume_of(struct drbd_resource *r, const struct words *w)
{
	uint64_t number = 0;
	if (!number_of(w, "volume", &number) || number > UINT32_MAX)
		return NULL;
	for (uint32_t i = 0; i < r->volume_count; i++) {
		if (r->volumes[i].number == number)
			return &r->volumes[i];
	}
	if (r->volume_count == DRBD_VOLUMES_MAX)
		return NULL;
	struct drbd_volume *v = &r->volumes[r->volume_count++];
	memset(v, 0, sizeof *v);
	v->number = (uint32_t)number;
	return v;
}

static struct drbd_peer *peer_of(struct drbd_resource *r, const struct words *w)
{
	uint64_t id = 0;
	if (!number_of(w, "peer-node-id", &id) || id > UINT32_MAX)
		return NULL;
	for (uint32_t i = 0; i < r->peer_count; i++) {
		if (r->peers[i].node_id == id)
			return &r->peers[i];
	}
	if (r->peer_count == DRBD_PEERS_MAX)
		return NULL;
	struct drbd_peer *p = &r->peers[r->peer_count++];
	memset(p, 0, sizeof *p);
	p->node_id = (uint32_t)id;
	return p;
}

static struct drbd_peer_volume *peer_volume_of(struct drbd_peer *p, const struct words *w)
{
	uint64_t number = 0;
	if (!number_of(w, "volume", &number) || number > UINT32_MAX)
		return NULL;
	for (uint32_t i = 0; i < p->volume_count; i++) {
		if (p->volumes[i].number == number)
			return &p->volumes[i];
	}
	if (p->volume_count == DRBD_VOLUMES_MAX)
		return NULL;
	struct drbd_peer_volume *v = &p->volumes[p->volume_count++];
	memset(v, 0, sizeof *v);
	v->number = (uint32_t)number;
	v->done = -1;
	return v;
}

/* ---- what is said of them ---- */

static void on_resource(struct drbd_resource *r, const struct words *w)
{
	const char *suspended = value_of(w, "suspended");
	take_word(w, "role", r->role, sizeof r->role);
	if (suspended != NULL)
		r->suspended = strcmp(suspended, "no") != 0;
}

static void on_device(struct drbd_resource *r, const struct words *w)
{
	struct drbd_volume *v = volume_of(r, w);
	uint64_t minor;
	const char *open = value_of(w, "open");
	if (v == NULL)
		return;
	if (number_of(w, "minor", &minor) && minor <= UINT32_MAX)
		v->minor = (uint32_t)minor;
	take_word(w, "disk", v->disk, sizeof v->disk);
	take_word(w, "backing_dev", v->backing, sizeof v->backing);
	take_kib(w, "size", &v->size);
	if (open != NULL)
		v->open = strcmp(open, "yes") == 0;
}

static void on_connection(struct drbd_resource *r, const struct words *w)
{
	struct drbd_peer *p = peer_of(r, w);
	if (p == NULL)
		return;
	take_word(w, "conn-name", p->name, sizeof p->name);
	take_word(w, "connection", p->connection, sizeof p->connection);
	take_word(w, "role", p->role, sizeof p->role);
	if (strcmp(p->connection, "Connected") == 0)
		p->said = DRBD_SAID_NOTHING;
}

/* "37.50" as 3750. While verifying, 8.4 says 100.00 from the start: that is not told. */
static int32_t done_of(const char *text, const char *replication)
{
	int32_t whole = 0, part = 0;
	if (text == NULL || strncmp(replication, "Verify", 6) == 0)
		return -1;
	for (; *text >= '0' && *text <= '9' && whole < 1000; text++)
		whole = whole * 10 + (*text - '0');
	if (*text == '.' && text[1] >= '0' && text[1] <= '9')
		part = 10 * (text[1] - '0') + (text[2] >= '0' && text[2] <= '9' ? text[2] - '0' : 0);
	return whole >= 100 ? 10000 : whole * 100 + part;
}

static bool is_resync(const char *replication)
{
	return strncmp(replication, "Sync", 4) == 0 || strncmp(replication, "PausedSync", 10) == 0;
}

/* 8.4 does not say how much is done: it follows from what is left. */
static int32_t done_from_rest(const struct drbd_resource *r, const struct drbd_peer_volume *pv)
{
	for (uint32_t i = 0; i < r->volume_count; i++) {
		const struct drbd_volume *v = &r->volumes[i];
		if (v->number == pv->number && v->size / 10000 > 0 && pv->out_of_sync <= v->size)
			return (int32_t)((v->size - pv->out_of_sync) / (v->size / 10000) > 10000
			                         ? 10000
			                         : (v->size - pv->out_of_sync) / (v->size / 10000));
	}
	return -1;
}

static void on_peer_device(struct drbd_resource *r, const struct words *w)
{
	struct drbd_peer *p = peer_of(r, w);
	struct drbd_peer_volume *v = p == NULL ? NULL : peer_volume_of(p, w);
	const char *suspended = value_of(w, "resync-suspended");
	if (v == NULL)
		return;
	take_word(w, "replication", v->replication, sizeof v->replication);
	take_word(w, "peer-disk", v->disk, sizeof v->disk);
	take_kib(w, "out-of-sync", &v->out_of_sync);
	if (suspended != NULL)
		v->suspended = strcmp(suspended, "no") != 0;
	v->done = done_of(value_of(w, "done"), v->replication);
	if (v->done < 0 && is_resync(v->replication))
		v->done = done_from_rest(r, v);
}

/* "ipv4:10.9.1.2:7788" without its family. */
static void take_address(const struct words *w, const char *key, char *out)
{
	char text[ADDRESS_TEXT_SIZE + 8] = "";
	take_word(w, key, text, sizeof text);
	const char *colon = strchr(text, ':');
	if (colon == NULL)
		return;
	size_t size = strlen(colon + 1);
	if (size >= ADDRESS_TEXT_SIZE)
		return;
	memset(out, 0, ADDRESS_TEXT_SIZE);
	memcpy(out, colon + 1, size);
}

static void on_path(struct drbd_resource *r, const struct words *w)
{
	struct drbd_peer *p = peer_of(r, w);
	if (p == NULL)
		return;
	take_address(w, "local", p->local);
	take_address(w, "peer", p->address);
}

/* The kernel calls its helper: "split-brain" is the verdict, "initial-split-brain" may yet be resolved. */
static void on_helper(struct drbd_resource *r, const struct words *w)
{
	const char *helper = value_of(w, "helper");
	struct drbd_peer *p = peer_of(r, w);
	if (p == NULL && r->peer_count == 1)
		p = &r->peers[0]; /* 8.4 does not name it */
	if (p != NULL && helper != NULL && strcmp(helper, "split-brain") == 0)
		p->said = DRBD_SAID_SPLIT_BRAIN;
}

/* ---- what goes ---- */

static void drop_resource(struct drbd_seen *seen, struct drbd_resource *r)
{
	*r = seen->resources[--seen->resource_count];
}

static void drop_peer(struct drbd_resource *r, const struct words *w)
{
	uint64_t id = 0;
	if (!number_of(w, "peer-node-id", &id))
		return;
	for (uint32_t i = 0; i < r->peer_count; i++) {
		if (r->peers[i].node_id == id)
			r->peers[i--] = r->peers[--r->peer_count];
	}
}

static void drop_volume(struct drbd_resource *r, const struct words *w)
{
	uint64_t number = 0;
	if (!number_of(w, "volume", &number))
		return;
	for (uint32_t i = 0; i < r->volume_count; i++) {
		if (r->volumes[i].number == number)
			r->volumes[i--] = r->volumes[--r->volume_count];
	}
}

static enum drbd_line on_destroy(struct drbd_seen *seen, const struct words *w)
{
	struct drbd_resource *r = drbd_resource_named(seen, value_of(w, "name"));
	if (r == NULL)
		return DRBD_LINE_PASSED;
	if (strcmp(w->kind, "resource") == 0)
		drop_resource(seen, r);
	else if (strcmp(w->kind, "connection") == 0)
		drop_peer(r, w);
	else if (strcmp(w->kind, "device") == 0)
		drop_volume(r, w);
	return DRBD_LINE_TAKEN;
}

static enum drbd_line on_rename(struct drbd_seen *seen, const struct words *w)
{
	struct drbd_resource *r = drbd_resource_named(seen, value_of(w, "name"));
	if (r == NULL || value_of(w, "new_name") == NULL)
		return DRBD_LINE_PASSED;
	take_word(w, "new_name", r->name, sizeof r->name);
	return DRBD_LINE_TAKEN;
}

/* ---- the line ---- */

typedef void on_kind(struct drbd_resource *r, const struct words *w);

static const struct {
	const char *kind;
	on_kind *on;
} kinds[] = {
	{"resource", on_resource}, {"device", on_device}, {"connection", on_connection},
	{"peer-device", on_peer_device}, {"path", on_path}, {"helper", on_helper},
};

enum drbd_line drbd_events_line(struct drbd_seen *seen, const char *line)
{
	struct words w;
	if (!split(line, &w))
		return DRBD_LINE_PASSED;
	if (strcmp(w.verb, "-") == 0)
		return DRBD_LINE_LOST; /* "- skipped 3" */
	if (strcmp(w.kind, "-") == 0)
		return strcmp(w.verb, "exists") == 0 ? DRBD_LINE_COMPLETE : DRBD_LINE_PASSED;
	if (strcmp(w.verb, "destroy") == 0)
		return on_destroy(seen, &w);
	if (strcmp(w.verb, "rename") == 0)
		return on_rename(seen, &w);
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		if (strcmp(w.kind, kinds[i].kind) != 0)
			continue;
		struct drbd_resource *r = resource_of(seen, &w);
		if (r == NULL)
			return DRBD_LINE_PASSED;
		kinds[i].on(r, &w);
		return DRBD_LINE_TAKEN;
	}
	return DRBD_LINE_PASSED;
}
