#include "control_verbs.h"

#include <stdio.h>
#include <string.h>

#include "body_clock.h"
#include "checkup.h"
#include "control_request.h"
#include "inquiry.h"
#include "near_names.h"
#include "watch.h"

struct verb {
	const char *name;
	bool writes; /* only for those who may */
	bool needs_cluster; /* refused while this node is blank */
	verb_run *run;
};

static const struct verb verbs[] = {
	{"init", true, false, verb_init},
	{"join", true, false, verb_join},
	{"leave", true, true, verb_leave},
	{"status", false, false, verb_status},
	{"events", false, false, verb_events},
	{"version", false, false, verb_version},
	{"token create", true, true, verb_token_create},
	{"token list", false, true, verb_token_list},
	{"token revoke", true, true, verb_token_revoke},
	{"node list", false, true, verb_node_list},
	{"node show", false, true, verb_node_show},
	{"node remove", true, true, verb_node_remove},
	{"node rekey", true, true, verb_node_rekey},
	{"node reset", true, false, verb_node_reset},
	{"clock show", false, true, verb_clock},
	{"dns show", false, true, verb_dns},
	{"storage list", false, true, verb_storage_list},
	{"storage show", false, true, verb_storage_show},
	{"volume list", false, true, verb_volume_list},
	{"volume show", false, true, verb_volume_show},
	{"drbd list", false, true, verb_drbd_list},
	{"drbd show", false, true, verb_drbd_list},
	{"doctor examine", false, true, verb_doctor},
	{"doctor auth", true, false, verb_doctor_auth}, /* it dials wherever it is told */
	{"master show", false, true, verb_master_show},
	{"master transfer", true, true, verb_master_transfer},
	{"master seize", true, true, verb_master_seize},
	{"cluster show", false, true, verb_cluster_show},
	{"cluster set", true, true, verb_cluster_set},
	{"cluster backup", true, true, verb_cluster_backup}, /* all values at once: not for everybody */
	{"cluster restore", true, false, verb_cluster_restore},
	{"op start", true, true, verb_op_start},
	{"op wait", true, true, verb_op_wait}, /* it is the master's work */
	{"op cancel", true, true, verb_op_cancel},
	{"op list", false, true, verb_op_list},
	{"op show", false, true, verb_op_show},
	{"audit", false, true, verb_audit},
	{"job list", false, true, verb_job_list},
	{"job show", false, true, verb_job_show},
	{"job add", true, true, verb_job_add},
	{"job run", true, true, verb_job_run},
	{"job remove", true, true, verb_job_remove},
	{"kv get", false, true, verb_kv_get},
	{"kv put", true, true, verb_kv_put},
	{"kv delete", true, true, verb_kv_delete},
	{"kv list", false, true, verb_kv_list},
	{"kv watch", false, true, verb_kv_watch},
};

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	}
	return NULL;
}

static bool blank(const struct client *client)
{
	struct status_view status;
	client_status(client, &status);
	return status.standing == STANDING_BLANK;
}

static void run_verb(struct client *client, const struct control_request *request)
{
	const struct verb *verb = find_verb(request->verb);
	if (verb == NULL) {
		client_refuse(client, 2, "essaim help", "unknown command",
		              "this daemon does not know '%s'", request->verb);
		return;
	}
	char what[64];
	snprintf(what, sizeof what, "'%s' was refused", verb->name);
	if (verb->writes && !client->may_write)
		client_refuse(client, 1, "sudo essaim ...", what,
		              "only root and members of group 'essaim' may change anything");
	else if (verb->needs_cluster && blank(client))
		client_refuse(client, 1, "essaim init NAME", what,
		              "this node belongs to no cluster yet");
	else
		verb->run(client, request->args);
}

void control_dispatch(struct client *client, const char *json, size_t size)
{
	struct control_request request;
	struct error error;
	if (control_request_parse(json, size, &request, &error) < 0) {
		client_usage(client, &error);
		return;
	}
	memcpy(client->verb, request.verb, sizeof client->verb);
	client->patience = request.patience;
	run_verb(client, &request);
	control_request_free(&request);
}

void client_usage(struct client *client, const struct error *error)
{
	client_refuse(client, 2, "essaim help", "the command is not understood", "%s", error->text);
}

void client_status(const struct client *client, struct status_view *out)
{
	struct now now;
	body_clock_read(&now);
	gossip_status(client->body->gossip, &now, out);
}

bool client_find_member(struct client *client, const char *name, struct member_view *out)
{
	struct now now;
	body_clock_read(&now);
	if (gossip_member_named(client->body->gossip, &now, name, out))
		return true;
	char near[NEAR_NAMES_TEXT];
	near_names(client->body->gossip, &now, name, near);
	client_refuse(client, 1, "essaim node list", "no such node", "no member is called '%s'%s%s%s",
	              name, near[0] != '\0' ? "; is it " : "", near, near[0] != '\0' ? "?" : "");
	return false;
}
