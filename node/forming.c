#include <errno.h>
#include <string.h>
#include <sys/time.h>

#include "body_clock.h"
#include "control_request.h"
#include "control_verbs.h"
#include "journal.h"
#include "loop.h"
#include "random_bytes.h"
#include "text.h"
#include "token.h"

#define JOIN_ADDRESSES 16

/* ---- init and join ---- */

static json_t *render_formed(struct client *client, const struct answer *none)
{
	struct status_view status;
	char cluster[2 * CLUSTER_ID_SIZE + 1];
	client_status(client, &status);
	hex_format(status.cluster.bytes, CLUSTER_ID_SIZE, cluster);
	return json_pack("{s:s, s:s}", "cluster", cluster, "node", status.name);
}

bool client_may_form(struct client *client)
{
	struct status_view status;
	client_status(client, &status);
	if (client->control->forming || status.standing == STANDING_JOINING) {
		client_refuse(client, 1, "essaim status", "this node is busy",
		              "another init, join or restore is under way");
		return false;
	}
	if (status.standing == STANDING_BLANK)
		return true;
	client_refuse(client, 1,
	              status.standing == STANDING_MEMBER ? "essaim leave" : "essaim node reset",
	              "this node already has a cluster", "it is '%s', and %s", status.name,
	              standing_name(status.standing));
	return false;
}

static void begin(struct client *client, const struct input *input)
{
	client->control->forming = true;
	client->control->forming_client = client->id;
	client->render = render_formed;
	struct timeval limit;
	duration_timeval(client->patience, &limit);
	event_add(client->limit, &limit);
	body_step(client->body, input);
}

int client_take_name(struct client *client, const json_t *args, const char **out,
                     struct error *error)
{
	*out = client->body->config.name;
	int status = args_text_optional(args, "name", out, error);
	return status < 0 ? status : name_check(*out, error);
}

static int take_profile(const json_t *args, enum profile *out, struct error *error)
{
	const char *name = "default";
	int status = args_text_optional(args, "profile", &name, error);
	if (status < 0)
		return status;
	*out = strcmp(name, "lan") == 0 ? PROFILE_LAN : PROFILE_DEFAULT;
	if (strcmp(name, profile_name(*out)) != 0)
		return error_set(error, -EINVAL, "'%s' is no profile: default or lan", name);
	return 0;
}

void verb_init(struct client *client, const json_t *args)
{
	struct input input = {.kind = INPUT_INIT};
	struct error error;
	if (client_take_name(client, args, &input.init.name, &error) < 0 ||
	    take_profile(args, &input.init.profile, &error) < 0) {
		client_usage(client, &error);
		return;
	}
	if (!client_may_form(client))
		return;
	random_bytes(&input.init.cluster, sizeof input.init.cluster);
	begin(client, &input);
}

static int take_addresses(const json_t *args, struct address *out, uint32_t *out_count,
                          struct error *error)
{
	const json_t *list = json_object_get(args, "addresses");
	size_t count = json_array_size(list);
	if (count == 0 || count > JOIN_ADDRESSES)
		return error_set(error, -EINVAL, "'addresses' must hold 1 to %d addresses", JOIN_ADDRESSES);
	for (size_t i = 0; i < count; i++) {
		const char *text = json_string_value(json_array_get(list, i));
		if (text == NULL)
			return error_set(error, -EINVAL, "'addresses' holds something that is no text");
		int status = address_parse(text, &out[i], error);
		if (status < 0)
			return status;
	}
	*out_count = (uint32_t)count;
	return 0;
}

static int take_token(const json_t *args, struct input *input, struct error *error)
{
	const char *text;
	struct token token;
	int status = args_text(args, "token", &text, error);
	if (status == 0)
		status = token_parse(text, &token, error);
	if (status < 0)
		return status;
	input->join.token = token.id;
	input->join.cluster = token.cluster;
	token_hash(&token, &input->join.token_hash);
	bytes_wipe(&token, sizeof token);
	return 0;
}

void verb_join(struct client *client, const json_t *args)
{
	struct address addresses[JOIN_ADDRESSES];
	struct input input = {.kind = INPUT_JOIN};
	struct error error;
	input.join.addresses = addresses;
	if (client_take_name(client, args, &input.join.name, &error) < 0 ||
	    args_role(args, &input.join.role, &error) < 0 ||
	    take_addresses(args, addresses, &input.join.address_count, &error) < 0 ||
	    take_token(args, &input, &error) < 0) {
		client_usage(client, &error);
		return;
	}
	if (client_may_form(client))
		begin(client, &input);
}

/* ---- reset ---- */

/* A member's state must not vanish by a slip: it leaves, or is removed, first. */
void verb_node_reset(struct client *client, const json_t *args)
{
	struct status_view status;
	client_status(client, &status);
	if (status.standing != STANDING_BLANK && status.standing != STANDING_LEFT &&
	    status.standing != STANDING_REMOVED && status.standing != STANDING_OLD_GENERATION) {
		client_refuse(client, 1, "essaim leave", "'node reset' was refused",
		              "this node is a member in good standing (%s)",
		              standing_name(status.standing));
		return;
	}
	journal_say(LEVEL_notice, "asked to wipe this node's key and store");
	client->body->wipe = true;
	client_done(client, NULL);
	loop_end(client->body);
}
