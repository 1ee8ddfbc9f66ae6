/*
 * control_verbs.h: the functions behind the verbs of the control socket, by file.
 *
 * Each gets a RUNNING client and its arguments, and either finishes it (client_done,
 * client_refuse), hands a command to the mind (client_ask), or lets it follow (client_follow).
 */
#ifndef ESSAIM_CONTROL_VERBS_H
#define ESSAIM_CONTROL_VERBS_H

#include "control_client.h"

typedef void verb_run(struct client *client, const json_t *args);

/* views_json.c, views_node.c: what this node sees; the mind is only asked, never stepped */
verb_run verb_status, verb_version, verb_master_show, verb_token_list, verb_kv_list;
verb_run verb_node_list, verb_node_show;

/* requests.c: what the ledger decides */
verb_run verb_kv_get, verb_kv_put, verb_kv_delete;
verb_run verb_token_create, verb_token_revoke, verb_node_remove, verb_leave;

/* forming.c: this node's own life */
verb_run verb_init, verb_join, verb_node_reset, verb_master_transfer;

/* Finds a member by name; refuses the client and returns false if there is none. */
bool client_find_member(struct client *client, const char *name, struct member_view *out);

void client_status(const struct client *client, struct status_view *out);

/* A usage error (code 2) with that sentence. */
void client_usage(struct client *client, const struct error *error);

#endif
