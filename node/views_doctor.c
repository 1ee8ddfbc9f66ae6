/*
 * The verb `doctor`: what this node found and what the others say they found, a row for each thing.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "body_clock.h"
#include "checkup.h"
#include "control_client.h"
#include "control_request.h"
#include "control_verbs.h"
#include "sentence.h"
#include "text.h"

#define SEEN_MAX 512 /* rows; beyond it the least bad are left out */

struct seen {
	struct finding finding;
	const char *where; /* the first that saw it */
	json_t *witnesses; /* the names of all */
};

struct round {
	const struct body *body;
	struct seen rows[SEEN_MAX];
	uint32_t count;
	uint32_t asked;
	json_t *silent;
};

static bool same_thing(const struct finding *a, const struct finding *b)
{
	return a->code == b->code && a->about == b->about && strcmp(a->detail, b->detail) == 0;
}

static void add(struct round *s, const struct finding *f, const char *where)
{
	for (uint32_t i = 0; i < s->count; i++) {
		struct seen *row = &s->rows[i];
		if (!same_thing(&row->finding, f))
			continue;
		json_array_append_new(row->witnesses, json_string(where));
		if (f->severity > row->finding.severity) {
			row->finding = *f;
			row->where = where;
		}
		return;
	}
	if (s->count == SEEN_MAX)
		return;
	json_t *witnesses = json_array();
	json_array_append_new(witnesses, json_string(where));
	s->rows[s->count++] = (struct seen){*f, where, witnesses};
}

static void add_own(struct round *s)
{
	const struct diagnosis *d = checkup_diagnosis(s->body->checkup);
	for (uint32_t i = 0; i < d->count; i++)
		add(s, &d->list[i], s->body->config.name);
	s->asked++;
}

/* Of a member that is away nothing is known now: it is named as silent. */
static void add_others(struct round *s, const struct now *now)
{
	const struct gossip *g = s->body->gossip;
	struct findings_fact *fact = malloc(sizeof *fact);
	uint8_t *memory = malloc(ARENA_PACKET_SIZE);
	struct arena arena = {memory, ARENA_PACKET_SIZE, 0};
	struct fact_view view;
	struct member_view owner;
	for (uint32_t i = 0; fact != NULL && memory != NULL && gossip_fact_at(g, now, i, &view); i++) {
		if (!bytes_are(view.key, FACT_KEY_FINDINGS) || view.value.data == NULL ||
		    !gossip_member(g, now, view.owner, &owner) || owner.self ||
		    owner.state != REACHABLE || !findings_fact_decode(view.value, &arena, fact))
			continue;
		for (uint32_t k = 0; k < fact->count; k++)
			add(s, &fact->list[k], gossip_name(g, view.owner));
	}
	for (uint32_t i = 0; gossip_member_at(g, now, i, &owner); i++) {
		if (owner.self || owner.state == GONE_LEFT || owner.state == GONE_REMOVED)
			continue;
		if (owner.state == REACHABLE)
			s->asked++;
		else
			json_array_append_new(s->silent, json_string(owner.name));
	}
	free(memory);
	free(fact);
}

static int worst_first(const void *a, const void *b)
{
	const struct finding *x = &((const struct seen *)a)->finding;
	const struct finding *y = &((const struct seen *)b)->finding;
	if (x->severity != y->severity)
		return y->severity > x->severity ? 1 : -1;
	if (x->code != y->code)
		return x->code < y->code ? -1 : 1;
	return x->about == y->about ? strcmp(x->detail, y->detail) : x->about < y->about ? -1 : 1;
}

static json_t *row_json(const struct body *body, const struct seen *row)
{
	const struct code_info *info = code_info(row->finding.code);
	const char *about = gossip_name(body->gossip, row->finding.about);
	char what[SENTENCE_MAX], command[SENTENCE_MAX], since[WALL_TEXT_SIZE];
	finding_sentence(&row->finding, row->where, about, what, sizeof what);
	finding_command(&row->finding, row->where, about, command, sizeof command);
	wall_format(row->finding.since_wall, since);
	return json_pack("{s:s, s:s, s:s, s:s?, s:O, s:s, s:s, s:s, s:s}", "code",
	                 info == NULL ? "UNKNOWN" : info->name, "severity",
	                 severity_name(row->finding.severity), "area",
	                 info == NULL ? "?" : area_name(info->area), "about",
	                 about[0] == '\0' ? NULL : about, "where", row->witnesses, "what", what, "why",
	                 info == NULL ? "" : info->why, "command", command, "since", since);
}

/* ---- filters ---- */

struct filter {
	bool by_area;
	enum doctor_area area;
	const char *node;
	const json_t *ignore;
};

static bool ignored(const struct filter *f, const struct code_info *info)
{
	size_t i;
	json_t *code;
	json_array_foreach(f->ignore, i, code)
	{
		if (info != NULL && json_is_string(code) &&
		    strcmp(json_string_value(code), info->name) == 0)
			return true;
	}
	return false;
}

static bool names(const json_t *list, const char *name)
{
	size_t i;
	json_t *text;
	json_array_foreach(list, i, text)
	{
		if (strcmp(json_string_value(text), name) == 0)
			return true;
	}
	return false;
}

static bool passes(const struct body *body, const struct filter *f, const struct seen *row)
{
	const struct code_info *info = code_info(row->finding.code);
	const char *about = gossip_name(body->gossip, row->finding.about);
	if (f->by_area && (info == NULL || info->area != f->area))
		return false;
	if (f->node != NULL && strcmp(about, f->node) != 0 && !names(row->witnesses, f->node))
		return false;
	return !ignored(f, info);
}

static struct round *ask_round(const struct body *body)
{
	struct round *s = calloc(1, sizeof *s);
	struct now now;
	if (s == NULL)
		return NULL;
	body_clock_read(&now);
	s->body = body;
	s->silent = json_array();
	add_own(s);
	add_others(s, &now);
	qsort(s->rows, s->count, sizeof s->rows[0], worst_first);
	return s;
}

static json_t *round_end(struct round *s, const struct filter *filter)
{
	json_t *findings = json_array();
	for (uint32_t i = 0; i < s->count; i++) {
		if (passes(s->body, filter, &s->rows[i]))
			json_array_append_new(findings, row_json(s->body, &s->rows[i]));
		json_decref(s->rows[i].witnesses);
	}
	return findings;
}

json_t *checkup_findings(const struct body *body)
{
	static const struct filter all;
	struct round *s = ask_round(body);
	if (s == NULL)
		return json_array();
	json_t *findings = round_end(s, &all);
	json_decref(s->silent);
	free(s);
	return findings;
}

static int take_filter(const json_t *args, struct filter *out, struct error *error)
{
	const char *area = NULL;
	*out = (struct filter){.ignore = json_object_get(args, "ignore")};
	int status = args_text_optional(args, "area", &area, error);
	if (status == 0)
		status = args_text_optional(args, "node", &out->node, error);
	if (status == 0 && area != NULL && !area_parse(area, &out->area))
		status = error_set(error, -EINVAL, "'%s' is no area of the doctor's: clock, dns, network, "
		                                   "quorum, version, disk or host", area);
	out->by_area = area != NULL;
	return status;
}

void verb_doctor(struct client *client, const json_t *args)
{
	struct filter filter;
	struct member_view member;
	struct error error;
	if (take_filter(args, &filter, &error) < 0) {
		client_usage(client, &error);
		return;
	}
	if (filter.node != NULL && !client_find_member(client, filter.node, &member))
		return;
	struct round *s = ask_round(client->body);
	if (s == NULL) {
		client_refuse(client, 1, NULL, "'doctor' failed", "out of memory");
		return;
	}
	json_t *findings = round_end(s, &filter);
	client_done(client, json_pack("{s:o, s:i, s:o}", "findings", findings, "asked", (int)s->asked,
	                              "silent", s->silent));
	free(s);
}
