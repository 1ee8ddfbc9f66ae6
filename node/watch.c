#include "watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "body_clock.h"
#include "control_client.h"
#include "control_request.h"
#include "control_verbs.h"
#include "doctor.h"
#include "sentence.h"

struct event_kept {
	instant wall;
	bool by_doctor, over; /* then `finding` is what it is about, else `trace` */
	struct trace trace;
	struct finding finding;
};

struct watch {
	struct body *body;
	uint64_t count; /* ever; the last EVENTS_KEPT are in the ring */
	struct event_kept ring[EVENTS_KEPT];
};

struct watch *watch_create(struct body *body)
{
	struct watch *watch = calloc(1, sizeof *watch);
	if (watch != NULL)
		watch->body = body;
	return watch;
}

void watch_destroy(struct watch *watch)
{
	free(watch);
}

/* ---- events ---- */

static json_t *name_or_null(const struct body *body, node_id id)
{
	const char *name = gossip_name(body->gossip, id);
	return name[0] != '\0' ? json_string(name) : json_null();
}

static json_t *finding_json(const struct body *body, const struct event_kept *event)
{
	const struct finding *f = &event->finding;
	const struct code_info *info = code_info(f->code);
	char time[WALL_TEXT_SIZE], sentence[SENTENCE_MAX], text[SENTENCE_MAX + 16];
	wall_format(event->wall, time);
	finding_sentence(f, body->config.name, gossip_name(body->gossip, f->about), sentence,
	                 sizeof sentence);
	snprintf(text, sizeof text, "%s%s", event->over ? "over: " : "", sentence);
	return json_pack("{s:s, s:s, s:s, s:o, s:n, s:s}", "time", time, "rule",
	                 info == NULL ? "FINDING" : info->name, "level",
	                 event->over ? "info" : severity_name(f->severity), "subject",
	                 name_or_null(body, f->about), "other", "text", text);
}

static json_t *event_json(const struct body *body, const struct event_kept *event)
{
	if (event->by_doctor)
		return finding_json(body, event);
	const struct rule_info *rule = rule_info(event->trace.rule);
	char time[WALL_TEXT_SIZE], text[SENTENCE_MAX];
	wall_format(event->wall, time);
	sentence_format(text, sizeof text, rule->sentence,
	                gossip_name(body->gossip, event->trace.subject),
	                gossip_name(body->gossip, event->trace.other), event->trace.numbers,
	                event->trace.ends);
	return json_pack("{s:s, s:s, s:s, s:o, s:o, s:s}", "time", time, "rule", rule->name, "level",
	                 rule_level_name(rule->level), "subject",
	                 name_or_null(body, event->trace.subject), "other",
	                 name_or_null(body, event->trace.other), "text", text);
}

static void keep(struct watch *watch, const struct event_kept *what)
{
	struct event_kept *event = &watch->ring[watch->count++ % EVENTS_KEPT];
	*event = *what;
	if (watch->body->control == NULL)
		return; /* still starting */
	struct client *client;
	TAILQ_FOREACH(client, &watch->body->control->clients, link) {
		if (client->follow == FOLLOW_EVENTS)
			client_event(client, event_json(watch->body, event));
	}
}

void watch_event(struct watch *watch, instant wall, const struct trace *trace)
{
	keep(watch, &(struct event_kept){.wall = wall, .trace = *trace});
}

void watch_finding(struct watch *watch, instant wall, const struct finding *finding, bool over)
{
	keep(watch, &(struct event_kept){.wall = wall, .by_doctor = true, .over = over,
	                                 .finding = *finding});
}

void verb_events(struct client *client, const json_t *args)
{
	struct watch *watch = client->body->watch;
	struct error error;
	int64_t lines = 50;
	if (args_number_optional(args, "lines", 0, INT64_MAX, &lines, &error) < 0) {
		client_usage(client, &error);
		return;
	}
	uint64_t kept = watch->count < EVENTS_KEPT ? watch->count : EVENTS_KEPT;
	if ((uint64_t)lines < kept)
		kept = (uint64_t)lines;
	for (uint64_t i = watch->count - kept; i < watch->count; i++)
		client_event(client, event_json(client->body, &watch->ring[i % EVENTS_KEPT]));
	if (args_flag(args, "follow"))
		client_follow(client, FOLLOW_EVENTS);
	else
		client_done(client, NULL);
}

/* ---- kv watch ---- */

static bool prefix_matches(const struct client *client, struct bytes key)
{
	return key.size >= client->prefix_size &&
	       memcmp(key.data, client->prefix, client->prefix_size) == 0;
}

static json_t *change_json(const struct effect *e)
{
	json_t *change = json_pack("{s:s%, s:I, s:I}", "key", (const char *)e->changed.key.data,
	                           e->changed.key.size, "version", (json_int_t)e->changed.version,
	                           "index", (json_int_t)e->changed.index);
	if (e->changed.deleted)
		json_object_set_new(change, "value", json_null());
	else
		json_set_value(change, e->changed.value.data, e->changed.value.size);
	return change;
}

void watch_changed(struct watch *watch, const struct effect *effect)
{
	if (watch->body->control == NULL)
		return;
	struct client *client;
	TAILQ_FOREACH(client, &watch->body->control->clients, link) {
		if (client->follow == FOLLOW_KV && prefix_matches(client, effect->changed.key))
			client_event(client, change_json(effect));
	}
}

void verb_kv_watch(struct client *client, const json_t *args)
{
	const char *prefix = "";
	struct error error;
	if (args_text_optional(args, "prefix", &prefix, &error) < 0) {
		client_usage(client, &error);
		return;
	}
	client->prefix = strdup(prefix);
	client->prefix_size = strlen(prefix);
	if (client->prefix == NULL)
		client_refuse(client, 1, NULL, "'kv watch' failed", "out of memory");
	else
		client_follow(client, FOLLOW_KV);
}
