/*
 * The verbs `clock` and `dns`: what every node says of its clock and of its name service.
 */
#include <stdlib.h>
#include <string.h>

#include "body_clock.h"
#include "checkup.h"
#include "control_client.h"
#include "control_verbs.h"
#include "facts.h"
#include "text.h"

struct reader {
	const struct gossip *g;
	struct now now;
	struct arena arena;
	uint32_t position;
	struct member_view owner;
};

static bool reader_open(struct reader *r, const struct body *body)
{
	*r = (struct reader){.g = body->gossip, .arena = {malloc(ARENA_PACKET_SIZE), ARENA_PACKET_SIZE, 0}};
	body_clock_read(&r->now);
	return r->arena.data != NULL;
}

/* The next member's fact of that key; a member that is away says nothing about now. */
static bool reader_next(struct reader *r, const char *key, struct fact_view *out)
{
	while (gossip_fact_at(r->g, &r->now, r->position++, out)) {
		if (bytes_are(out->key, key) && out->value.data != NULL && !out->tombstone &&
		    gossip_member(r->g, &r->now, out->owner, &r->owner) &&
		    (r->owner.self || r->owner.state == REACHABLE))
			return true;
	}
	return false;
}

static double to_ms(duration d)
{
	return (double)(d / MICROSECOND) / 1000;
}

static void add_time(json_t *out, const char *key, instant wall)
{
	char text[WALL_TEXT_SIZE];
	wall_format(wall, text);
	json_object_set_new(out, key, wall == 0 ? json_null() : json_string(text));
}

/* ---- clock ---- */

static json_t *clock_json(const char *name, const struct clock_fact *c)
{
	json_t *out = json_pack("{s:s, s:b, s:b, s:s, s:f, s:f, s:f}", "name", name, "unknown",
	                        c->unknown, "synchronised", c->synchronised, "service", c->service,
	                        "max_error_ms", to_ms(c->max_error), "rate_ppm",
	                        (double)c->rate_ppb / 1000, "stepped_ms", to_ms(c->stepped));
	add_time(out, "stepped", c->stepped_wall);
	add_time(out, "unknown_since", c->unknown ? c->since_wall : 0);
	return out;
}

static void add_offsets(json_t *out, const struct gossip *g, const char *from,
                        const struct clock_fact *c)
{
	for (uint32_t i = 0; i < c->peer_count; i++) {
		const char *to = gossip_name(g, c->peers[i].node);
		if (to[0] != '\0')
			json_array_append_new(out, json_pack("{s:s, s:s, s:f, s:f}", "from", from, "to", to,
			                                     "offset_ms", to_ms(c->peers[i].offset),
			                                     "error_ms", to_ms(c->peers[i].error)));
	}
}

/* What this node itself measures now, before it is rounded to be told to others. */
static json_t *measured(const struct gossip *g, const struct now *now)
{
	struct member_view m;
	json_t *out = json_array();
	for (uint32_t i = 0; gossip_member_at(g, now, i, &m); i++) {
		if (!m.self && m.state == REACHABLE && m.clock_known)
			json_array_append_new(out, json_pack("{s:s, s:f, s:f}", "to", m.name, "offset_us",
			                                     to_ms(m.clock_offset) * 1000, "bound_us",
			                                     to_ms(m.clock_error) * 1000));
	}
	return out;
}

/* Of all that is found wrong only what concerns clocks. */
static json_t *clock_findings(const struct body *body)
{
	json_t *all = checkup_findings(body), *out = json_array(), *row;
	size_t i;
	json_array_foreach(all, i, row)
	{
		if (strcmp(json_string_value(json_object_get(row, "area")), area_name(AREA_CLOCK)) == 0)
			json_array_append(out, row);
	}
	json_decref(all);
	return out;
}

void verb_clock(struct client *client, const json_t *args)
{
	struct reader r;
	struct fact_view fact;
	struct clock_fact clock;
	json_t *nodes = json_array(), *offsets = json_array();
	bool open = reader_open(&r, client->body);
	while (open && reader_next(&r, FACT_KEY_CLOCK, &fact)) {
		if (!clock_fact_decode(fact.value, &r.arena, &clock))
			continue;
		json_array_append_new(nodes, clock_json(r.owner.name, &clock));
		add_offsets(offsets, r.g, r.owner.name, &clock);
	}
	free(r.arena.data);
	client_done(client, json_pack("{s:o, s:o, s:o, s:o}", "nodes", nodes, "offsets", offsets,
	                              "measured", measured(client->body->gossip, &r.now), "findings", clock_findings(client->body)));
}

/* ---- dns ---- */

static void add_servers(json_t *out, const char *node, const struct dns_fact *d)
{
	for (uint32_t i = 0; i < d->server_count; i++) {
		const struct dns_server *s = &d->servers[i];
		json_array_append_new(out, json_pack("{s:s, s:s, s:s, s:i, s:i}", "node", node, "server",
		                                     s->address, "verdict",
		                                     dns_verdict_name(s->verdict), "rcode",
		                                     (int)s->rcode, "worst_ms", (int)s->worst_ms));
	}
	json_array_append_new(out,
	                      json_pack("{s:s, s:s, s:s, s:i, s:i}", "node", node, "server", "system",
	                                "verdict",
	                                d->unknown ? "unknown" : dns_verdict_name(d->system_verdict),
	                                "rcode", 0, "worst_ms", d->unknown ? 0 : (int)d->system_ms));
}

static const char *server_name(const struct dns_fact *d, uint32_t server)
{
	return server < d->server_count ? d->servers[server].address : "system";
}

static void add_names(json_t *out, const struct gossip *g, const char *node, const struct dns_fact *d)
{
	static const char *const kinds[DNS_KINDS] = {"name", "address", "system"};
	for (uint32_t i = 0; i < d->name_count; i++) {
		const struct dns_name *n = &d->names[i];
		json_array_append_new(out, json_pack("{s:s, s:s, s:s, s:s, s:s, s:i}", "node", node,
		                                     "about", gossip_name(g, n->node), "kind",
		                                     kinds[n->kind], "server",
		                                     server_name(d, n->server), "verdict",
		                                     dns_verdict_name(n->verdict), "worst_ms",
		                                     (int)n->worst_ms));
	}
}

static void add_unknown(json_t *names, json_t *since, const char *node, instant wall)
{
	json_array_append_new(names, json_string(node));
	add_time(since, node, wall);
}

void verb_dns(struct client *client, const json_t *args)
{
	struct reader r;
	struct fact_view fact;
	struct dns_fact dns;
	json_t *servers = json_array(), *names = json_array(), *unknown = json_array();
	json_t *since = json_object();
	bool open = reader_open(&r, client->body);
	while (open && reader_next(&r, FACT_KEY_DNS, &fact)) {
		if (!dns_fact_decode(fact.value, &r.arena, &dns))
			continue;
		if (dns.unknown)
			add_unknown(unknown, since, r.owner.name, dns.since_wall);
		else
			add_names(names, r.g, r.owner.name, &dns);
		add_servers(servers, r.owner.name, &dns);
	}
	free(r.arena.data);
	client_done(client, json_pack("{s:o, s:o, s:o, s:o}", "servers", servers, "problems", names,
	                              "unknown", unknown, "unknown_since", since));
}
