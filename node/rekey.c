/*
 * rekey.c: `node rekey`: the new key lies beside the old one, durable, before anything is asked for.
 * Asked again after a crash or a timeout it is the same key: the change may be committed already.
 */
#include "body_clock.h"
#include "control_verbs.h"
#include "data_folder.h"
#include "random_bytes.h"
#include "text.h"

static json_t *render_rekeyed(struct client *client, const struct answer *answer)
{
	return json_incref(client->kept);
}

static void keep_ids(struct client *client, const struct node_keys *next)
{
	char old_id[17], new_id[17];
	node_id_format(node_key_id(&client->body->keys.public_key), old_id);
	node_id_format(node_key_id(&next->public_key), new_id);
	client->kept = json_pack("{s:s, s:s}", "old_id", old_id, "new_id", new_id);
}

static void begin(struct client *client, const struct node_keys *next)
{
	struct input input = {.kind = INPUT_REKEY};
	input.rekey.client = client->id;
	input.rekey.next = next;
	input.rekey.patience = client->patience;
	keep_ids(client, next);
	client->render = render_rekeyed;
	client->abandon = true;
	client_limit(client, client->patience + ANSWER_GRACE);
	client_tell(client, tell_voters);
	body_step(client->body, &input);
}

void verb_node_rekey(struct client *client, const json_t *args)
{
	uint8_t seed[NODE_SEED_SIZE];
	struct node_keys next;
	struct error error;
	struct status_view status;
	client_status(client, &status);
	if (status.standing != STANDING_MEMBER) {
		client_refuse(client, 1, "essaim status", "'node rekey' was refused",
		              "this node is no member at the moment: %s", standing_name(status.standing));
		return;
	}
	if (node_seed_next(client->body->config.data, true, seed, &error) < 0) {
		client_refuse(client, 1, NULL, "'node rekey' failed", "%s", error.text);
		return;
	}
	node_keys_from_seed(SEAL_REAL, seed, &next);
	begin(client, &next);
	bytes_wipe(&next, sizeof next);
	bytes_wipe(seed, sizeof seed);
}
