#include "restore.h"

#include <stdlib.h>
#include <string.h>

#include "backup_lines.h"
#include "control_request.h"
#include "control_verbs.h"
#include "text.h"

struct restore {
	struct backup_check check;
	char name[NAME_MAX_SIZE + 1];
	bool begun;
};

bool restore_under_way(const struct restore *r)
{
	return r != NULL && r->begun;
}

void restore_over(struct restore *r)
{
	if (r != NULL)
		r->begun = false;
}

void restore_free(struct restore *r)
{
	free(r);
}

static void step(struct body *body, struct input *input, enum restore_step what)
{
	input->kind = INPUT_RESTORE;
	input->restore.step = what;
	body_step(body, input);
}

void restore_abandon(struct body *body)
{
	struct input input = {.kind = INPUT_RESTORE};
	body->control->forming = false;
	step(body, &input, RESTORE_ABANDON);
}

static void begin(struct client *client)
{
	struct restore *r = client->restore;
	struct input input = {.kind = INPUT_RESTORE};
	input.restore.name = r->name;
	input.restore.cluster = r->check.head.cluster;
	input.restore.generation = r->check.head.generation;
	input.restore.index = r->check.head.index;
	r->begun = true;
	step(client->body, &input, RESTORE_BEGIN);
}

/* Members are in the file for people: they join anew. */
static enum restore_table restored_as(enum backup_table table)
{
	if (table == BACKUP_REGISTRY)
		return RESTORE_REGISTRY;
	return table == BACKUP_KV ? RESTORE_KV : RESTORE_SETTING;
}

static void take_row(void *context, const struct backup_row *row)
{
	struct client *client = context;
	struct input input = {.kind = INPUT_RESTORE};
	if (row->table == BACKUP_MEMBER)
		return;
	input.restore.table = restored_as(row->table);
	input.restore.key = (struct bytes){(const uint8_t *)row->key, strlen(row->key)};
	if (row->table == BACKUP_REGISTRY)
		input.restore.key = (struct bytes){row->name, row->name_size};
	input.restore.value = row->value;
	input.restore.version = row->version;
	input.restore.changed_wall = row->changed;
	step(client->body, &input, RESTORE_ROW);
}

static void end(struct client *client)
{
	struct input input = {.kind = INPUT_RESTORE};
	client_uploaded(client);
	client_limit(client, client->patience);
	client->restore->begun = false;
	step(client->body, &input, RESTORE_END);
}

static void take_line(struct client *client, const char *line, size_t size)
{
	struct restore *r = client->restore;
	struct error error;
	bool head = r->check.state == BACKUP_WANTS_HEAD;
	if (backup_check_line(&r->check, line, size, take_row, client, &error) < 0) {
		client_refuse(client, 1, "essaim cluster restore FILE (another one)",
		              "'cluster restore' was refused; nothing was changed", "%s", error.text);
		if (r->begun)
			restore_abandon(client->body);
		r->begun = client->control->forming = false;
	} else if (head) {
		begin(client);
	} else if (r->check.state == BACKUP_WHOLE) {
		end(client);
	}
}

static json_t *render_restored(struct client *client, const struct answer *none)
{
	struct status_view status;
	char cluster[2 * CLUSTER_ID_SIZE + 1];
	client_status(client, &status);
	hex_format(status.cluster.bytes, CLUSTER_ID_SIZE, cluster);
	return json_pack("{s:s, s:I}", "cluster", cluster, "generation",
	                 (json_int_t)status.generation.number);
}

void verb_cluster_restore(struct client *client, const json_t *args)
{
	const char *name;
	struct error error;
	if (client_take_name(client, args, &name, &error) < 0) {
		client_usage(client, &error);
		return;
	}
	if (!client_may_form(client))
		return;
	struct restore *r = calloc(1, sizeof *r);
	if (r == NULL) {
		client_refuse(client, 1, NULL, "'cluster restore' failed", "out of memory");
		return;
	}
	memcpy(r->name, name, strlen(name));
	client->restore = r;
	client->render = render_restored;
	client->control->forming = true;
	client->control->forming_client = client->id;
	client_upload(client, take_line);
}
