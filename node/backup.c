#include "backup.h"

#include <assert.h>
#include <event2/buffer.h>
#include <stdlib.h>
#include <string.h>

#include "backup_lines.h"
#include "body_clock.h"
#include "control_verbs.h"
#include "setting.h"
#include "text.h"

#define QUEUE_ENOUGH (256 * 1024) /* bytes queued in one go: the loop has other work, too */

/* One table as it was at the moment. */
struct backup_table_copy {
	enum backup_table table;
	struct kv_view *rows; /* by key; their bytes are in `room` */
	size_t count, next;
	uint8_t *room;
};

struct backup {
	json_t *small;      /* head, settings and members, as they go out */
	size_t small_next;
	struct backup_table_copy tables[2]; /* of the users' rows and the engine's */
	struct backup_sum sum;
};

void backup_free(struct backup *b)
{
	if (b == NULL)
		return;
	json_decref(b->small);
	for (int i = 0; i < 2; i++) {
		free(b->tables[i].rows);
		free(b->tables[i].room);
	}
	free(b);
}

/* ---- the moment ---- */

static void add_head(struct backup *b, const struct client *client)
{
	struct backup_head head = {.index = 0};
	struct status_view status;
	client_status(client, &status);
	head.cluster = status.cluster;
	head.generation = status.generation;
	head.index = status.applied;
	wall_format(body_clock_wall(), head.made);
	memcpy(head.node, status.name, sizeof head.node);
	json_array_append_new(b->small, backup_head_json(&head));
}

static int by_key(const void *a, const void *b)
{
	json_t *const *one = a, *const *other = b;
	return strcmp(json_string_value(json_object_get(*one, "key")),
	              json_string_value(json_object_get(*other, "key")));
}

/* Appends `list` to what goes out, by key. */
static void add_sorted(struct backup *b, json_t *list)
{
	size_t count = json_array_size(list);
	json_t **items = calloc(count + 1, sizeof *items);
	for (size_t i = 0; items != NULL && i < count; i++)
		items[i] = json_array_get(list, i);
	if (items != NULL)
		qsort(items, count, sizeof *items, by_key);
	for (size_t i = 0; items != NULL && i < count; i++)
		json_array_append(b->small, items[i]);
	free(items);
	json_decref(list);
}

/* Only what somebody set: the standard values may differ in a later build. */
static void add_settings(struct backup *b, const struct gossip *g)
{
	struct setting_view setting;
	json_t *list = json_array();
	for (uint32_t i = 0; gossip_setting_at(g, i, &setting); i++) {
		char value[SETTING_VALUE_MAX + 1];
		snprintf(value, sizeof value, "%.*s", (int)setting.value.size,
		         (const char *)setting.value.data);
		if (setting.set)
			json_array_append_new(list, backup_setting_json(setting.name, value));
	}
	add_sorted(b, list);
}

/* For people: who was there. Names are unique among those who are. */
static void add_members(struct backup *b, const struct gossip *g)
{
	struct member_view m;
	struct now now;
	body_clock_read(&now);
	json_t *list = json_array();
	for (uint32_t i = 0; gossip_member_at(g, &now, i, &m); i++) {
		char id[17], address[ADDRESS_TEXT_SIZE];
		if (m.state == GONE_LEFT || m.state == GONE_REMOVED)
			continue;
		node_id_format(m.id, id);
		address_format(&m.address, address);
		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:s}", "table", "member",
		                                      "key", m.name, "id", id, "address", address,
		                                      "role", role_name(m.role)));
	}
	add_sorted(b, list);
}

static void copy_in(uint8_t **at, struct bytes *what)
{
	if (what->size > 0)
		memcpy(*at, what->data, what->size);
	what->data = *at;
	*at += what->size;
}

/*
 * Rows and their bytes into memory of our own; false if there is none. A row's value is good until
 * the next one is read, so each is read again for its copy.
 */
static bool copy_rows(struct backup_table_copy *t, const struct gossip *g)
{
	bool registry = t->table == BACKUP_REGISTRY;
	size_t size = 0;
	t->rows = registry ? views_registry(g, "", &t->count) : views_kv(g, "", &t->count);
	for (size_t i = 0; t->rows != NULL && i < t->count; i++)
		size += t->rows[i].key.size + t->rows[i].value.size;
	t->room = malloc(size + 1);
	if (t->rows == NULL || t->room == NULL)
		return false;
	uint8_t *at = t->room;
	for (size_t i = 0; i < t->count; i++) {
		struct bytes key = t->rows[i].key;
		bool there = registry ? gossip_registry(g, key, &t->rows[i])
		                      : gossip_kv(g, key, &t->rows[i]);
		assert(there);
		t->rows[i].key = key;
		copy_in(&at, &t->rows[i].key);
		copy_in(&at, &t->rows[i].value);
	}
	return true;
}

static bool copy_tables(struct backup *b, const struct gossip *g)
{
	b->tables[0].table = BACKUP_KV;
	b->tables[1].table = BACKUP_REGISTRY;
	return copy_rows(&b->tables[0], g) && copy_rows(&b->tables[1], g);
}

void verb_cluster_backup(struct client *client, const json_t *args)
{
	struct client *other;
	const struct gossip *g = client->body->gossip;
	TAILQ_FOREACH(other, &client->control->clients, link) {
		if (other->backup != NULL) {
			client_refuse(client, 1, "essaim cluster backup FILE (again, in a moment)",
			              "'cluster backup' was refused", "another one is under way");
			return;
		}
	}
	struct backup *b = calloc(1, sizeof *b);
	if (b != NULL)
		b->small = json_array();
	client->backup = b; /* freed with the client */
	if (b == NULL || !copy_tables(b, g)) {
		client_refuse(client, 1, NULL, "'cluster backup' failed", "out of memory");
		return;
	}
	add_head(b, client);
	add_settings(b, g);
	add_members(b, g);
	backup_more(client);
}

/* ---- going out ---- */

/* The next row, or NULL after the last; the caller owns it. */
static json_t *next_row(struct backup *b)
{
	if (b->small_next < json_array_size(b->small))
		return json_incref(json_array_get(b->small, b->small_next++));
	for (int i = 0; i < 2; i++) {
		struct backup_table_copy *t = &b->tables[i];
		if (t->next == t->count)
			continue;
		const struct kv_view *row = &t->rows[t->next++];
		return backup_kv_json(t->table, &row->key, &row->value, row->version,
		                      row->changed_wall);
	}
	return NULL;
}

static json_t *foot_json(const struct backup *b)
{
	char sum[CHECKSUM_TEXT_SIZE];
	backup_sum_format(&b->sum, sum);
	return json_pack("{s:I, s:s}", "rows", (json_int_t)(b->sum.lines - 1), "checksum", sum);
}

void backup_more(struct client *client)
{
	struct backup *b = client->backup;
	json_t *row;
	client_limit(client, client->patience); /* to take what is queued */
	while (evbuffer_get_length(client->out) < QUEUE_ENOUGH) {
		if ((row = next_row(b)) == NULL) {
			client_done(client, foot_json(b));
			return;
		}
		char *line = backup_line(row);
		if (line != NULL)
			backup_sum_add(&b->sum, line, strlen(line));
		free(line);
		client_event(client, json_pack("{s:o}", "row", row));
	}
}
