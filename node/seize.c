/*
 * seize.c: `master seize`: names to nodes, what will happen, and the operator's word. Whether it may
 * be is for the mind to say (gossip/seize.h).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "body_clock.h"
#include "control_request.h"
#include "control_verbs.h"
#include "text.h"

#define REFUSED "'master seize' was refused"
#define LOOK "essaim master seize"

struct dead {
	uint32_t count;
	node_id *list; /* caller frees */
};

static bool missing(const struct member_view *m)
{
	return !m->self && (m->state == UNREACHABLE || m->state == REACHABILITY_UNKNOWN);
}

/* Without names: everybody who cannot be reached. */
static void all_missing(const struct gossip *g, const struct now *now, struct dead *out)
{
	struct member_view m;
	for (uint32_t i = 0; gossip_member_at(g, now, i, &m); i++) {
		if (missing(&m))
			out->list[out->count++] = m.id;
	}
}

static bool take_name(struct client *client, const json_t *item, struct dead *out)
{
	struct member_view m;
	const char *name = json_string_value(item);
	if (name == NULL) {
		client_refuse(client, 2, "essaim help master seize", REFUSED,
		              "'dead' holds something that is no name");
		return false;
	}
	if (!client_find_member(client, name, &m))
		return false;
	out->list[out->count++] = m.id;
	return true;
}

/* False: refused. */
static bool take_dead(struct client *client, const json_t *args, struct dead *out)
{
	const json_t *names = json_object_get(args, "dead");
	size_t room = json_array_size(names) + MEMBERS_MAX;
	struct now now;
	body_clock_read(&now);
	out->list = calloc(room, sizeof *out->list);
	if (out->list == NULL || json_array_size(names) > MEMBERS_MAX) {
		client_refuse(client, 1, NULL, REFUSED, "more names than there can be members");
		return false;
	}
	if (names == NULL || json_is_null(names))
		all_missing(client->body->gossip, &now, out);
	for (size_t i = 0; i < json_array_size(names); i++) {
		if (!take_name(client, json_array_get(names, i), out))
			return false;
	}
	return true;
}

static bool named(const struct dead *dead, node_id node)
{
	for (uint32_t i = 0; i < dead->count; i++) {
		if (dead->list[i] == node)
			return true;
	}
	return false;
}

/* ---- the plan ---- */

#define SURVEY_ABOUT (2 * SECOND) /* gossip/seize.c */

static json_int_t wait_ms(const struct config *config)
{
	duration longest = config->exclusion > config->quarantine ? config->exclusion
								  : config->quarantine;
	return (json_int_t)((SURVEY_ABOUT + longest) / MILLISECOND);
}

static json_t *dead_json(const struct member_view *m)
{
	return json_pack("{s:s, s:b, s:s, s:I}", "name", m->name, "voter", m->voter, "state",
	                 reachability_name(m->state), "heard_ms",
	                 m->heard_ago < 0 ? (json_int_t)-1 : (json_int_t)(m->heard_ago / MILLISECOND));
}

static json_t *plan_json(const struct client *client, const struct status_view *status,
                         const struct dead *dead)
{
	const struct gossip *g = client->body->gossip;
	json_t *gone = json_array(), *follow = json_array();
	struct member_view m;
	struct now now;
	char cluster[2 * CLUSTER_ID_SIZE + 1];
	body_clock_read(&now);
	for (uint32_t i = 0; gossip_member_at(g, &now, i, &m); i++) {
		if (named(dead, m.id))
			json_array_append_new(gone, dead_json(&m));
		else if (!m.self && m.state == REACHABLE)
			json_array_append_new(follow, json_string(m.name));
	}
	hex_format(status->cluster.bytes, CLUSTER_ID_SIZE, cluster);
	return json_pack("{s:b, s:s, s:I, s:s, s:I, s:I, s:o, s:o}", "plan", 1, "cluster", cluster,
	                 "generation", (json_int_t)status->generation.number, "node", status->name,
	                 "commit", (json_int_t)status->commit, "wait_ms", wait_ms(&status->config),
	                 "dead", gone, "follow", follow);
}

/*
 * What is plain to see from here is said before anybody types a name. But whoever consented to a seizer
 * that is dead is freed by naming it, quorum or not (gossip/seize.h).
 */
static bool plainly_wrong(struct client *client, const struct status_view *status,
                          const struct dead *dead)
{
	struct member_view m;
	struct now now;
	body_clock_read(&now);
	bool bound = status->consented_to != 0 && named(dead, status->consented_to);
	if (status->voters_reachable >= status->voters_needed && !bound) {
		client_refuse(client, 1, "essaim status", REFUSED,
		              "%u of %u voters are reachable and %u are needed: the cluster has or elects a master by itself",
		              status->voters_reachable, status->voters_total, status->voters_needed);
		return true;
	}
	for (uint32_t i = 0; i < dead->count; i++) {
		if (!gossip_member(client->body->gossip, &now, dead->list[i], &m))
			continue;
		if (m.self || m.state == REACHABLE || m.state == SUSPECT) {
			client_refuse(client, 1, "essaim node list", REFUSED, "'%s' is not dead: %s", m.name,
			              m.self ? "it is this node" : "it was heard a moment ago");
			return true;
		}
	}
	return false;
}

/* ---- doing it ---- */

/* The same names again, in any order: a slip of one list is not confirmed by the other. */
static bool confirmed(struct client *client, const json_t *args, const struct dead *dead)
{
	const json_t *confirm = json_object_get(args, "confirm");
	size_t count = json_array_size(confirm), same = 0;
	for (uint32_t d = 0; d < dead->count; d++) {
		const char *name = gossip_name(client->body->gossip, dead->list[d]);
		for (size_t i = 0; i < count; i++) {
			const char *typed = json_string_value(json_array_get(confirm, i));
			if (typed != NULL && strcmp(typed, name) == 0) {
				same++;
				break;
			}
		}
	}
	if (confirm != NULL && same == dead->count && count == dead->count)
		return true;
	client_refuse(client, 1, LOOK, REFUSED,
	              "the names in --confirm are not those of the %u nodes declared dead",
	              dead->count);
	return false;
}

static json_t *render_seized(struct client *client, const struct answer *answer)
{
	const struct gossip *g = client->body->gossip;
	struct generation_view made;
	char hash[2 * HASH_SIZE + 1];
	if (!gossip_generation_at(g, 0, &made))
		return NULL;
	hex_format(made.hash.bytes, HASH_SIZE, hash);
	return json_pack("{s:I, s:s, s:o, s:o}", "generation", (json_int_t)made.number, "hash", hash,
	                 "followed", views_names(g, made.followed, made.followed_count), "removed",
	                 views_names(g, made.dead, made.dead_count));
}

static void begin(struct client *client, const struct dead *dead)
{
	struct input input = {.kind = INPUT_SEIZE};
	input.seize.client = client->id;
	input.seize.dead_count = dead->count;
	input.seize.dead = dead->list;
	client->render = render_seized;
	client->abandon = true;
	client_limit(client, client->patience + ANSWER_GRACE);
	body_step(client->body, &input);
}

void verb_master_seize(struct client *client, const json_t *args)
{
	struct status_view status;
	struct dead dead = {0};
	client_status(client, &status);
	if (take_dead(client, args, &dead) && !plainly_wrong(client, &status, &dead)) {
		if (args_flag(args, "plan"))
			client_done(client, plan_json(client, &status, &dead));
		else if (confirmed(client, args, &dead))
			begin(client, &dead);
	}
	free(dead.list);
}

/* EFFECT_PROGRESS, for whoever waits for it. */
void seize_progress(struct client *client, const struct effect *e)
{
	char text[128], left[16];
	duration_format(e->progress.left, left);
	switch (e->progress.phase) {
	case SEIZE_IDLE:
		return;
	case SEIZE_SURVEYING:
		snprintf(text, sizeof text, "asking the others: %u of %u answered", e->progress.answered,
		         e->progress.asked);
		break;
	case SEIZE_WAITING:
		snprintf(text, sizeof text, "waiting until every old lease is over: %s left", left);
		break;
	case SEIZE_FOUNDING:
		snprintf(text, sizeof text, "writing the new generation to the disk");
		break;
	}
	client_progress(client, text);
}
