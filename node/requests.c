#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "body_clock.h"
#include "control_request.h"
#include "control_verbs.h"
#include "random_bytes.h"
#include "text.h"
#include "token.h"

/* ---- kv ---- */

static json_t *render_value(struct client *client, const struct answer *answer)
{
	json_t *out = json_incref(client->kept);
	json_object_set_new(out, "version", json_integer((json_int_t)answer->version));
	json_set_value(out, answer->value.data, answer->value.size);
	return out;
}

static json_t *render_version(struct client *client, const struct answer *answer)
{
	json_t *out = json_incref(client->kept);
	json_object_set_new(out, "version", json_integer((json_int_t)answer->version));
	return out;
}

static json_t *render_kept(struct client *client, const struct answer *answer)
{
	return json_incref(client->kept);
}

static void refuse_missing(struct client *client)
{
	client_refuse(client, 1, "essaim kv list", "no such key", "'%s' does not exist",
	              json_string_value(json_object_get(client->kept, "key")));
}

/* Missing is an answer of the mind (done, not found), and a failure for the user. */
static json_t *render_get(struct client *client, const struct answer *answer)
{
	if (answer->found)
		return render_value(client, answer);
	refuse_missing(client);
	return NULL;
}

/* The key of a kv request into the command and, for the result, into `kept`. */
static bool take_key(struct client *client, const json_t *args, struct command *command)
{
	const char *key;
	struct error error;
	int status = args_text(args, "key", &key, &error);
	if (status == 0)
		status = key_check((const uint8_t *)key, strlen(key), &error);
	if (status < 0) {
		client_usage(client, &error);
		return false;
	}
	client->kept = json_pack("{s:s}", "key", key);
	command->key = (struct bytes){(const uint8_t *)key, strlen(key)};
	return true;
}

static bool take_condition(struct client *client, const json_t *args, struct command *command)
{
	int64_t version = -1;
	struct error error;
	if (args_number_optional(args, "if_version", 0, INT64_MAX, &version, &error) < 0) {
		client_usage(client, &error);
		return false;
	}
	command->if_version = version < 0 ? NO_VERSION : (uint64_t)version;
	return true;
}

/* How long ago this node last heard its master tell how far the ledger is: 0 at the master. -1: never. */
static int64_t replica_age_ms(const struct gossip *g)
{
	struct status_view status;
	struct member_view master;
	struct now now;
	body_clock_read(&now);
	gossip_status(g, &now, &status);
	if (status.self_master)
		return 0;
	if (!status.master_known || !gossip_member(g, &now, status.master, &master) ||
	    master.heard_ago < 0)
		return -1;
	return master.heard_ago / MILLISECOND;
}

/* This node's own copy, and how old it may be. */
static void get_local(struct client *client, const struct command *command)
{
	struct kv_view row;
	if (!gossip_kv(client->body->gossip, command->key, &row)) {
		refuse_missing(client);
		return;
	}
	json_t *out = json_incref(client->kept);
	json_object_set_new(out, "version", json_integer((json_int_t)row.version));
	json_object_set_new(out, "age_ms", json_integer(replica_age_ms(client->body->gossip)));
	json_set_value(out, row.value.data, row.value.size);
	client_done(client, out);
}

void verb_kv_get(struct client *client, const json_t *args)
{
	struct command command = {.kind = COMMAND_KV_GET};
	if (!take_key(client, args, &command))
		return;
	if (args_flag(args, "local"))
		get_local(client, &command);
	else
		client_ask(client, &command, render_get);
}

void verb_kv_put(struct client *client, const json_t *args)
{
	struct command command = {.kind = COMMAND_KV_PUT};
	struct error error;
	uint8_t *value;
	size_t size;
	if (!take_key(client, args, &command) || !take_condition(client, args, &command))
		return;
	if (args_value(args, &value, &size, &error) < 0) {
		client_usage(client, &error);
		return;
	}
	command.value = (struct bytes){value, size};
	client_ask(client, &command, render_version);
	free(value);
}

void verb_kv_delete(struct client *client, const json_t *args)
{
	struct command command = {.kind = COMMAND_KV_DELETE};
	if (take_key(client, args, &command) && take_condition(client, args, &command))
		client_ask(client, &command, render_kept);
}

/* ---- tokens ---- */

#define TOKEN_LIFE_MAX_MS ((int64_t)365 * 24 * 3600 * 1000)
#define TOKEN_USES_MAX 10000

struct token_terms {
	enum role role;
	int64_t expires_ms, uses;
};

static int take_terms(const json_t *args, struct token_terms *out, struct error *error)
{
	out->expires_ms = 3 * 3600 * 1000;
	out->uses = 1;
	int status = args_role(args, &out->role, error);
	if (status == 0)
		status = args_number_optional(args, "expires_ms", 1, TOKEN_LIFE_MAX_MS, &out->expires_ms,
		                              error);
	if (status == 0)
		status = args_number_optional(args, "uses", 1, TOKEN_USES_MAX, &out->uses, error);
	return status;
}

static void make_token(struct client *client, struct token *out)
{
	struct status_view status;
	client_status(client, &status);
	out->cluster = status.cluster;
	do
		out->id = random_number();
	while (out->id == 0);
	random_bytes(out->secret, sizeof out->secret);
}

static json_t *token_json(const struct token *token, instant expires_wall)
{
	char text[TOKEN_TEXT_MAX], expires[WALL_TEXT_SIZE];
	token_format(token, text);
	wall_format(expires_wall, expires);
	json_t *out = json_pack("{s:s, s:s}", "token", text, "expires", expires);
	bytes_wipe(text, sizeof text);
	return out;
}

void verb_token_create(struct client *client, const json_t *args)
{
	struct token_terms terms;
	struct error error;
	if (take_terms(args, &terms, &error) < 0) {
		client_usage(client, &error);
		return;
	}
	struct token token;
	make_token(client, &token);
	struct command command = {.kind = COMMAND_TOKEN_CREATE, .token = token.id, .role = terms.role};
	command.token_uses = (uint32_t)terms.uses;
	command.token_expires_wall = body_clock_wall() + terms.expires_ms * MILLISECOND;
	token_hash(&token, &command.token_hash);
	client->kept = token_json(&token, command.token_expires_wall);
	bytes_wipe(&token, sizeof token);
	client_ask(client, &command, render_kept);
}

void verb_token_revoke(struct client *client, const json_t *args)
{
	struct command command = {.kind = COMMAND_TOKEN_REVOKE};
	struct error error;
	const char *id;
	if (args_text(args, "id", &id, &error) < 0) {
		client_usage(client, &error);
		return;
	}
	if (!node_id_parse(id, &command.token)) {
		client_refuse(client, 1, "essaim token list", "no such token",
		              "'%s' is not the id of a token", id);
		return;
	}
	client_ask(client, &command, NULL);
}

/* ---- members ---- */

bool tell_voters(struct client *client, char *out, size_t size)
{
	struct voters_view voters;
	struct now now;
	body_clock_read(&now);
	gossip_voters(client->body->gossip, &now, &voters);
	snprintf(out, size, "waiting; voters: %s", voters.why);
	return voters.why[0] != '\0';
}

/* A voter goes only after it was let go: that may take a while. */
static void ask_to_go(struct client *client, const struct command *command)
{
	client_ask(client, command, NULL);
	client_tell(client, tell_voters);
}

void verb_node_remove(struct client *client, const json_t *args)
{
	struct command command = {.kind = COMMAND_MEMBER_REMOVE};
	struct member_view member;
	struct error error;
	const char *name;
	if (args_text(args, "name", &name, &error) < 0) {
		client_usage(client, &error);
		return;
	}
	if (!client_find_member(client, name, &member))
		return;
	if (member.self) { /* one wrong name must not take down the node that one works on */
		client_refuse(client, 1, "essaim leave", "'node remove' was refused",
		              "'%s' is this very node, which goes by 'essaim leave'", name);
		return;
	}
	command.subject = member.id;
	ask_to_go(client, &command);
}

void verb_leave(struct client *client, const json_t *args)
{
	struct command command = {.kind = COMMAND_MEMBER_LEAVE};
	command.subject = node_key_id(&client->body->keys.public_key);
	ask_to_go(client, &command);
}
