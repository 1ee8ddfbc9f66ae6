#include <stdlib.h>
#include <string.h>

#include "body_clock.h"
#include "control_request.h"
#include "control_verbs.h"
#include "hand_client.h"
#include "text.h"
#include "udp.h"

static int64_t to_ms(duration d)
{
	return d > 0 ? d / MILLISECOND : 0;
}

/* ---- status ---- */

static json_t *cluster_json(const struct status_view *status)
{
	if (status->standing == STANDING_BLANK)
		return json_null();
	char text[2 * CLUSTER_ID_SIZE + 1];
	hex_format(status->cluster.bytes, CLUSTER_ID_SIZE, text);
	return json_string(text);
}

static json_t *master_json(const struct status_view *status)
{
	if (!status->master_known)
		return json_null();
	return json_pack("{s:s, s:I}", "name", status->master_name, "epoch", (json_int_t)status->epoch);
}

static json_t *dropped_json(const struct client *client, const struct status_view *status)
{
	json_t *dropped = json_object();
	for (int i = 0; i < DROP_REASONS; i++) {
		uint64_t count = status->dropped[i];
		if (i == DROP_OUTPUT) /* what the mind could not emit, and what the kernel did not take */
			count += udp_lost(client->body->udp);
		json_object_set_new(dropped, drop_reason_name((enum drop_reason)i),
		                    json_integer((json_int_t)count));
	}
	return dropped;
}

static void add_lease(json_t *out, const struct status_view *status)
{
	int64_t left = status->master_known ? to_ms(status->lease_left) : 0;
	json_object_set_new(out, "master", master_json(status));
	json_object_set_new(out, "self_master", json_boolean(status->self_master));
	json_object_set_new(out, "lease_remaining_ms", json_integer(left));
	json_object_set_new(out, "voters",
	                    json_pack("{s:i, s:i, s:i}", "total", (int)status->voters_total,
	                              "reachable", (int)status->voters_reachable, "needed",
	                              (int)status->voters_needed));
	json_object_set_new(out, "members",
	                    json_pack("{s:i, s:i}", "total", (int)status->members_total, "reachable",
	                              (int)status->members_reachable));
}

/* How many members run each version: {"0.1.0": 3}. More than one key: an upgrade is under way. */
static json_t *version_counts(const struct gossip *g, const struct now *now)
{
	json_t *said = views_versions(g, now), *counts = json_object();
	struct member_view m;
	for (uint32_t i = 0; gossip_member_at(g, now, i, &m); i++) {
		char id[17];
		node_id_format(m.id, id);
		const char *version = json_string_value(json_object_get(said, id));
		if (m.state == GONE_LEFT || m.state == GONE_REMOVED || version == NULL)
			continue;
		json_int_t before = json_integer_value(json_object_get(counts, version));
		json_object_set_new(counts, version, json_integer(before + 1));
	}
	json_decref(said);
	return counts;
}

static json_t *name_or_null(const struct gossip *g, node_id id)
{
	return id != 0 ? views_name(g, id) : json_null();
}

/* A seizure under way here or elsewhere, or one that went ahead of this node. */
static void add_generation(json_t *out, const struct gossip *g, const struct status_view *status)
{
	bool seizing = status->seizing != SEIZE_IDLE;
	json_object_set_new(out, "seizing",
	                    seizing ? json_string(seize_phase_name(status->seizing)) : json_null());
	json_object_set_new(out, "consented_to", name_or_null(g, status->consented_to));
	json_object_set_new(out, "superseded_by", name_or_null(g, status->superseded_by));
	json_object_set_new(out, "rival", json_boolean(status->superseded_by_rival));
}

static json_t *clones_json(const struct gossip *g, const struct now *now)
{
	struct member_view m;
	json_t *names = json_array();
	for (uint32_t i = 0; gossip_member_at(g, now, i, &m); i++) {
		if (m.cloned)
			json_array_append_new(names, json_string(m.name));
	}
	return names;
}

static void add_swarm(json_t *out, const struct client *client, const struct status_view *status)
{
	const struct gossip *g = client->body->gossip;
	add_generation(out, g, status);
	struct voters_view voters;
	struct now now;
	body_clock_read(&now);
	gossip_voters(g, &now, &voters);
	json_object_set_new(out, "level", json_integer(status->level));
	json_object_set_new(out, "versions", version_counts(g, &now));
	json_object_set_new(out, "clones", clones_json(g, &now));
	json_object_set_new(out, "voters_wanted", json_integer(voters.wanted));
	json_object_set_new(out, "voters_why", json_string(voters.why));
}

static json_t *hand_json(const struct body *b)
{
	struct hand_view hand;
	hand_look(b->hand, &hand);
	return json_pack("{s:s, s:I, s:i, s:i}", "state", hand_standing_name(hand.standing), "lvm_stuck_ms",
	                 (json_int_t)to_ms(hand.lvm_stuck), "running", (int)hand.running, "waiting",
	                 (int)hand.waiting);
}

static void add_own(json_t *out, const struct client *client, const struct status_view *status)
{
	struct now now;
	body_clock_read(&now);
	json_t *own = json_pack("{s:s, s:b, s:b, s:i, s:I, s:I, s:I, s:I, s:s}", "standing",
	                        standing_name(status->standing), "votes", status->votes, "disk_failed",
	                        status->disk_failed, "health", (int)status->health, "commit",
	                        (json_int_t)status->commit, "applied", (json_int_t)status->applied,
	                        "quarantine_ms", (json_int_t)to_ms(status->quarantine_left),
	                        "uptime_s", (json_int_t)((now.boot - client->body->started) / SECOND),
	                        "version", ESSAIM_VERSION);
	json_object_update(out, own);
	json_decref(own);
	json_object_set_new(out, "hand", hand_json(client->body));
}

void verb_status(struct client *client, const json_t *args)
{
	struct status_view status;
	client_status(client, &status);
	bool blank = status.standing == STANDING_BLANK;
	json_t *out = json_pack("{s:o, s:I, s:s, s:o}", "cluster", cluster_json(&status), "generation",
	                        (json_int_t)status.generation.number, "node",
	                        status.name[0] != '\0' ? status.name : client->body->config.name,
	                        "profile",
	                        blank ? json_null()
				      : json_string(profile_name((enum profile)status.config.profile)));
	add_lease(out, &status);
	if (!blank)
		add_swarm(out, client, &status);
	add_own(out, client, &status);
	json_object_set_new(out, "dropped", dropped_json(client, &status));
	client_done(client, out);
}

void verb_version(struct client *client, const json_t *args)
{
	client_done(client, json_pack("{s:s, s:i, s:i}", "version", ESSAIM_VERSION, "wire_min",
	                              WIRE_VERSION_MIN, "wire_max", WIRE_VERSION_MAX));
}

void verb_master_show(struct client *client, const json_t *args)
{
	struct status_view status;
	client_status(client, &status);
	if (!status.master_known) {
		client_refuse(client, 3, "essaim status", "there is no master",
		              "%u of %u voters are reachable and %u are needed",
		              status.voters_reachable, status.voters_total, status.voters_needed);
		return;
	}
	client_done(client, json_pack("{s:s, s:I, s:I}", "name", status.master_name, "epoch",
	                              (json_int_t)status.epoch, "lease_remaining_ms",
	                              (json_int_t)to_ms(status.lease_left)));
}

/* ---- tokens ---- */

void verb_token_list(struct client *client, const json_t *args)
{
	json_t *list = json_array();
	struct token_view token;
	for (uint32_t i = 0; gossip_token_at(client->body->gossip, i, &token); i++) {
		char id[17], expires[WALL_TEXT_SIZE];
		node_id_format(token.token, id);
		wall_format(token.expires_wall, expires);
		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:i, s:b}", "id", id, "role",
		                                      role_name(token.role), "expires", expires,
		                                      "uses_left", (int)token.uses_left, "revoked",
		                                      token.revoked));
	}
	client_done(client, list);
}

/* ---- kv, this node's own copy ---- */

static int compare_keys(const void *a, const void *b)
{
	const struct kv_view *x = a, *y = b;
	size_t least = x->key.size < y->key.size ? x->key.size : y->key.size;
	int order = memcmp(x->key.data, y->key.data, least);
	if (order != 0)
		return order;
	return (x->key.size > y->key.size) - (x->key.size < y->key.size);
}

static bool has_prefix(const struct kv_view *row, const char *prefix)
{
	size_t size = strlen(prefix);
	return row->key.size >= size && memcmp(row->key.data, prefix, size) == 0;
}

typedef bool row_at(const struct gossip *g, uint32_t *cursor, struct kv_view *out);

static struct kv_view *collect(const struct gossip *g, row_at *next, const char *prefix,
                               size_t *out_count)
{
	size_t count = 0, capacity = 64;
	struct kv_view row, *rows = malloc(capacity * sizeof *rows);
	uint32_t cursor = 0;
	while (rows != NULL && next(g, &cursor, &row)) {
		if (!has_prefix(&row, prefix))
			continue;
		if (count == capacity) {
			struct kv_view *more = realloc(rows, 2 * capacity * sizeof *rows);
			if (more == NULL)
				free(rows);
			rows = more;
			capacity *= 2;
		}
		if (rows != NULL)
			rows[count++] = row;
	}
	if (rows != NULL)
		qsort(rows, count, sizeof *rows, compare_keys);
	*out_count = count;
	return rows;
}

struct kv_view *views_kv(const struct gossip *g, const char *prefix, size_t *out_count)
{
	return collect(g, gossip_kv_at, prefix, out_count);
}

struct kv_view *views_registry(const struct gossip *g, const char *prefix, size_t *out_count)
{
	return collect(g, gossip_registry_at, prefix, out_count);
}

void verb_kv_list(struct client *client, const json_t *args)
{
	const char *prefix = "";
	struct error error;
	if (args_text_optional(args, "prefix", &prefix, &error) < 0) {
		client_usage(client, &error);
		return;
	}
	size_t count;
	struct kv_view *rows = views_kv(client->body->gossip, prefix, &count);
	if (rows == NULL) {
		client_refuse(client, 1, NULL, "'kv list' failed", "out of memory");
		return;
	}
	json_t *list = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_pack("{s:s%, s:I, s:I}", "key",
		                                      (const char *)rows[i].key.data, rows[i].key.size,
		                                      "version", (json_int_t)rows[i].version, "size",
		                                      (json_int_t)rows[i].value.size));
	free(rows);
	client_done(client, list);
}
