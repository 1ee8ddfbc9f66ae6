/*
 * What the members say of their machines, for `node show` and `node list --wide`: what each is (the
 * fact host), how full and busy (usage), how its clock is kept (time) and its name service (dns).
 *
 * Invariant: of a fact that its owner cannot observe any more, or whose owner is not reachable, there
 * is "unknown" and "unknown_since", and no value.
 */
#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "body_clock.h"
#include "control_verbs.h"
#include "facts.h"
#include "text.h"

struct about {
	struct arena arena;
	bool away;
	instant away_since; /* wall */
};

static json_t *time_or_null(instant wall)
{
	char text[WALL_TEXT_SIZE];
	wall_format(wall, text);
	return wall == 0 ? json_null() : json_string(text);
}

/* ---- what it is: as it was told, since it does not change while the machine is up ---- */

/* The line of its public key, as known_hosts has it. */
static json_t *ssh_key_json(const struct host_fact *h)
{
	static const uint8_t head[19] = {0, 0, 0, 11, 's', 's', 'h', '-', 'e', 'd', '2',
		'5', '5', '1', '9', 0, 0, 0, 32};
	uint8_t blob[sizeof head + sizeof h->ssh_key];
	char text[BASE64_SIZE(sizeof blob)], line[sizeof text + 16];
	if (!h->has_ssh_key)
		return json_null();
	memcpy(blob, head, sizeof head);
	memcpy(blob + sizeof head, h->ssh_key, sizeof h->ssh_key);
	base64_encode(blob, sizeof blob, text);
	snprintf(line, sizeof line, "ssh-ed25519 %s", text);
	return json_string(line);
}

static json_t *host_json(struct bytes value, struct about *about)
{
	struct host_fact h;
	if (!host_fact_decode(value, &about->arena, &h))
		return NULL;
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:I, s:o, s:o}", "uname", h.uname, "kernel",
	                 h.kernel, "version", h.version, "virtualisation", h.virtualisation,
	                 "distribution", h.distribution, "cpus", (int)h.cpus, "memory_mib",
	                 (json_int_t)h.memory_mib, "booted", time_or_null(h.booted_wall), "ssh_key",
	                 ssh_key_json(&h));
}

/* ---- how it is ---- */

/* NULL: known, the caller tells it. */
static json_t *unknown_json(bool unknown, instant since, const struct about *about)
{
	if (!unknown && !about->away)
		return NULL;
	return json_pack("{s:b, s:o}", "unknown", true, "unknown_since",
	                 time_or_null(unknown ? since : about->away_since));
}

static json_t *usage_json(struct bytes value, struct about *about)
{
	struct usage_fact u;
	if (!usage_fact_decode(value, &about->arena, &u))
		return NULL;
	json_t *out = unknown_json(u.unknown, u.since_wall, about);
	if (out != NULL)
		return out;
	return json_pack("{s:b, s:n, s:i, s:i, s:i, s:i}", "unknown", false, "unknown_since",
	                 "load_percent", (int)u.load_percent, "memory_percent", (int)u.memory_percent,
	                 "root_percent", (int)u.root_percent, "data_percent", (int)u.data_percent);
}

static json_t *time_json(struct bytes value, struct about *about)
{
	struct clock_fact c;
	if (!clock_fact_decode(value, &about->arena, &c))
		return NULL;
	json_t *out = unknown_json(c.unknown, c.since_wall, about);
	return out != NULL ? out
			   : json_pack("{s:b, s:n, s:b, s:s}", "unknown", false, "unknown_since",
	                               "synchronised", c.synchronised, "service", c.service);
}

static json_t *dns_json(struct bytes value, struct about *about)
{
	struct dns_fact d;
	if (!dns_fact_decode(value, &about->arena, &d))
		return NULL;
	json_t *out = unknown_json(d.unknown, d.since_wall, about);
	return out != NULL ? out
			   : json_pack("{s:b, s:n, s:s}", "unknown", false, "unknown_since", "verdict",
	                               dns_verdict_name(d.system_verdict));
}

/* ---- of one member, of all ---- */

typedef json_t *fact_json(struct bytes value, struct about *about);

static void add_fact(json_t *row, const struct fact_view *fact, struct about *about)
{
	static const struct {
		const char *key;
		fact_json *json;
	} known[] = {{FACT_KEY_HOST, host_json}, {FACT_KEY_USAGE, usage_json}, {FACT_KEY_CLOCK, time_json},
		{FACT_KEY_DNS, dns_json}};
	if (fact->tombstone || fact->pending || fact->value.data == NULL)
		return;
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		json_t *value = bytes_are(fact->key, known[i].key) ? known[i].json(fact->value, about) : NULL;
		if (value != NULL)
			json_object_set_new(row, known[i].key, value);
	}
}

static void note_away(const struct gossip *g, const struct now *now, node_id owner, struct about *about)
{
	struct member_view m;
	bool known = gossip_member(g, now, owner, &m);
	about->away = known && !m.self && m.state != REACHABLE && m.state != SUSPECT;
	about->away_since = about->away ? now->wall - (m.heard_ago < 0 ? m.since : m.heard_ago) : 0;
}

json_t *views_hosts(const struct gossip *g, const struct now *now, node_id only)
{
	struct about about = {.arena = {malloc(ARENA_PACKET_SIZE), ARENA_PACKET_SIZE, 0}};
	json_t *all = json_object();
	struct fact_view fact;
	for (uint32_t i = 0; about.arena.data != NULL && gossip_fact_at(g, now, i, &fact); i++) {
		char id[17];
		if (only != 0 && fact.owner != only)
			continue;
		node_id_format(fact.owner, id);
		json_t *row = json_object_get(all, id);
		if (row == NULL) {
			row = json_object();
			json_object_set_new(all, id, row);
		}
		note_away(g, now, fact.owner, &about);
		add_fact(row, &fact, &about);
	}
	free(about.arena.data);
	return all;
}
