#include <string.h>

#include "control_request.h"
#include "control_verbs.h"
#include "setting.h"

/* ---- settings ---- */

static json_t *render_setting(struct client *client, const struct answer *answer)
{
	return json_incref(client->kept);
}

/* The master judges the value again: it may be of another version. */
static int take_setting(const json_t *args, struct command *out, struct error *error)
{
	const char *name, *value;
	enum setting setting;
	int status = args_text(args, "name", &name, error);
	if (status == 0)
		status = args_text(args, "value", &value, error);
	if (status < 0)
		return status;
	out->key = (struct bytes){(const uint8_t *)name, strlen(name)};
	out->value = (struct bytes){(const uint8_t *)value, strlen(value)};
	status = setting_find(out->key, &setting, error);
	return status < 0 ? status : setting_check(setting, out->value, error);
}

void verb_cluster_set(struct client *client, const json_t *args)
{
	struct command command = {.kind = COMMAND_SETTING_PUT, .if_version = NO_VERSION};
	struct error error;
	if (take_setting(args, &command, &error) < 0) {
		client_refuse(client, 2, "essaim help cluster set", "'cluster set' is not understood",
		              "%s", error.text);
		return;
	}
	client->kept = json_pack("{s:O, s:O}", "name", json_object_get(args, "name"), "value",
	                         json_object_get(args, "value"));
	client_ask(client, &command, render_setting);
}

/* ---- the master's seat ---- */

/* `version` is the gap as the old master measured it, in ns: from its stop to the applied CLAIM.
 * Unknown (0) if the lease had moved before it was asked. */
static json_t *render_transfer(struct client *client, const struct answer *answer)
{
	json_t *gap = json_null();
	if (answer->version > 0)
		gap = json_real((double)answer->version / (double)MILLISECOND);
	return json_pack("{s:o, s:I, s:o}", "name",
	                 views_name(client->body->gossip, answer->master), "epoch",
	                 (json_int_t)answer->epoch, "gap_ms", gap);
}

void verb_master_transfer(struct client *client, const json_t *args)
{
	struct command command = {.kind = COMMAND_MASTER_TRANSFER, .if_version = NO_VERSION};
	struct member_view member;
	struct error error;
	const char *name = NULL;
	if (args_text_optional(args, "to", &name, &error) < 0) {
		client_usage(client, &error);
		return;
	}
	if (name != NULL && !client_find_member(client, name, &member))
		return;
	command.subject = name != NULL ? member.id : 0;
	client_ask(client, &command, render_transfer);
}
