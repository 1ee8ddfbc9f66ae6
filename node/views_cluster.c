#include "body_clock.h"
#include "control_verbs.h"
#include "setting.h"
#include "text.h"

static json_t *settings_json(const struct gossip *g)
{
	struct setting_view s;
	json_t *settings = json_object();
	for (uint32_t i = 0; gossip_setting_at(g, i, &s); i++)
		json_object_set_new(settings, s.name,
		                    json_pack("{s:s%, s:b, s:s}", "value", (const char *)s.value.data,
		                              s.value.size, "set", s.set, "legal", s.legal));
	return settings;
}

/* Its own health is known only to a node itself. */
static json_t *health_json(const struct member_view *m, const struct status_view *status)
{
	return m->self ? json_integer(status->health) : json_null();
}

static json_t *voters_json(const struct gossip *g, const struct now *now,
                           const struct status_view *status)
{
	const struct config *config = &status->config;
	json_t *voters = json_array();
	for (uint32_t i = 0; i < config->voter_count; i++) {
		struct member_view m;
		if (!gossip_member(g, now, config->voters[i], &m))
			continue;
		json_array_append_new(voters, json_pack("{s:s, s:b, s:b, s:b, s:o}", "name", m.name,
		                                        "witness", (config->witnesses >> i & 1) != 0,
		                                        "reachable", m.self || m.state == REACHABLE,
		                                        "master", m.master, "health",
		                                        health_json(&m, status)));
	}
	return voters;
}

json_t *views_name(const struct gossip *g, node_id id)
{
	char text[17];
	const char *name = gossip_name(g, id);
	if (name[0] != '\0')
		return json_string(name);
	node_id_format(id, text);
	return json_string(text);
}

json_t *views_names(const struct gossip *g, const node_id *nodes, uint32_t count)
{
	json_t *names = json_array();
	for (uint32_t i = 0; i < count; i++)
		json_array_append_new(names, views_name(g, nodes[i]));
	return names;
}

static json_t *generation_json(const struct gossip *g, const struct generation_view *view)
{
	char hash[2 * HASH_SIZE + 1], when[WALL_TEXT_SIZE];
	hex_format(view->hash.bytes, HASH_SIZE, hash);
	wall_format(view->wall, when);
	return json_pack("{s:I, s:s, s:s, s:o, s:s, s:I, s:o, s:o}", "number",
	                 (json_int_t)view->number, "hash", hash, "how",
	                 view->restored ? "restored" : "seized", "by", views_name(g, view->by), "when",
	                 when, "index", (json_int_t)view->index, "dead",
	                 views_names(g, view->dead, view->dead_count), "followed",
	                 views_names(g, view->followed, view->followed_count));
}

static json_t *generations_json(const struct gossip *g)
{
	json_t *list = json_array();
	struct generation_view view;
	for (uint32_t i = 0; gossip_generation_at(g, i, &view); i++)
		json_array_append_new(list, generation_json(g, &view));
	return list;
}

void verb_cluster_show(struct client *client, const json_t *args)
{
	const struct gossip *g = client->body->gossip;
	struct status_view status;
	struct voters_view voters;
	struct now now;
	char cluster[2 * CLUSTER_ID_SIZE + 1], hash[2 * HASH_SIZE + 1];
	body_clock_read(&now);
	client_status(client, &status);
	gossip_voters(g, &now, &voters);
	hex_format(status.cluster.bytes, CLUSTER_ID_SIZE, cluster);
	hex_format(status.generation.hash.bytes, HASH_SIZE, hash);
	client_done(client, json_pack("{s:s, s:I, s:s, s:I, s:s, s:o, s:o, s:i, s:s, s:o}", "cluster",
	                              cluster, "generation", (json_int_t)status.generation.number,
	                              "hash", hash, "level", (json_int_t)status.level, "profile",
	                              profile_name((enum profile)status.config.profile), "settings",
	                              settings_json(g), "voters",
	                              voters_json(g, &now, &status), "voters_wanted",
	                              (int)voters.wanted, "voters_why", voters.why, "generations",
	                              generations_json(g)));
}
