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

/* views_json.c, views_node.c, views_cluster.c: what this node sees; the mind is only asked, never stepped */
verb_run verb_clock, verb_dns; /* views_facts.c */
verb_run verb_storage_show; /* views_storages.c */
verb_run verb_volume_show; /* views_volumes.c */
/* The volumes that operations made; `seen`: all rows of `volume list`. NULLs: of all. */
json_t *volumes_recorded(const struct gossip *gossip, const json_t *seen, const char *node, const char *storage);
/* Of all nodes, or of that one and that volume group. */
json_t *volumes_seen(const struct gossip *gossip, const char *node, const char *group, uint32_t *more);
/* What is declared, and what is seen of it; on one node, or (NULL) on all. */
json_t *storages_declared(const struct gossip *gossip, const char *node);
verb_run verb_storage_list, verb_volume_list, verb_drbd_list; /* views_storage.c */
verb_run verb_status, verb_version, verb_master_show, verb_token_list, verb_kv_list;
verb_run verb_node_list, verb_node_show, verb_cluster_show;

/* requests.c: what the ledger decides */
verb_run verb_kv_get, verb_kv_put, verb_kv_delete;
verb_run verb_token_create, verb_token_revoke, verb_node_remove, verb_leave;

/* requests_cluster.c: the same, of the cluster itself */
verb_run verb_cluster_set, verb_master_transfer;

/* forming.c: this node's own life; rekey.c, seize.c, restore.c, backup.c: a verb each */
verb_run verb_init, verb_join, verb_node_reset, verb_node_rekey;
verb_run verb_cluster_backup, verb_cluster_restore, verb_master_seize;

/* requests_engine.c: what the engine decides; views_engine.c: what it decided */
verb_run verb_op_start, verb_op_wait, verb_op_cancel, verb_job_add, verb_job_run, verb_job_remove;
verb_run verb_op_list, verb_op_show, verb_audit, verb_job_list, verb_job_show;
void operation_progress(struct client *client, struct bytes bytes);

/* Progress of what waits for a voter to be let go: what the voters wait for. */
bool tell_voters(struct client *client, char *out, size_t size);
void seize_progress(struct client *client, const struct effect *effect);

/* Is this node blank, and is no init, join or restore under way? Else refuses the client. */
bool client_may_form(struct client *client);
/* "name" in the request, or the daemon's own. 0, or -EINVAL with a sentence. */
int client_take_name(struct client *client, const json_t *args, const char **out,
                     struct error *error);

/* Finds a member by name; refuses the client and returns false if there is none. */
bool client_find_member(struct client *client, const char *name, struct member_view *out);

/* The name of a node, or its id if it is not known. */
json_t *views_name(const struct gossip *g, node_id id);
json_t *views_names(const struct gossip *g, const node_id *nodes, uint32_t count);

/* All rows with that prefix, by key; caller frees. NULL if there is no memory. */
struct kv_view *views_kv(const struct gossip *g, const char *prefix, size_t *out_count);
/* The same of the engine's rows (registry.h). Keys last until the next step, values must be read again. */
struct kv_view *views_registry(const struct gossip *g, const char *prefix, size_t *out_count);

/* {id: version} of every member that said which program it runs. */
json_t *views_versions(const struct gossip *g, const struct now *now);

/* What members say of their machines (views_host.c), of `only` that one or of all (0):
 * {id: {host, usage, time, dns}}. */
json_t *views_hosts(const struct gossip *g, const struct now *now, node_id only);

void client_status(const struct client *client, struct status_view *out);

/* A usage error (code 2) with that sentence. */
void client_usage(struct client *client, const struct error *error);

#endif
