#include "human.h"
#include "json.h"
#include "show.h"
#include "table.h"

#include <stdlib.h>
#include <string.h>

static const char *outcome_words(const char *outcome)
{
	static const char *const words[][2] = {
	    {"silent", "no answer"},
	    {"refused", "refused"},
	    {"host_up", "its machine answers, its daemon does not"},
	    {"host up", "its machine answers, its daemon does not"},
	};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(words[i][0], outcome) == 0)
			return words[i][1];
	return outcome;
}

static void list_accusers(const json_t *member, char *out, size_t size)
{
	size_t i;
	json_t *accuser;
	*out = '\0';
	json_array_foreach(json_member(member, "accusers"), i, accuser)
	{
		size_t used = strlen(out);
		long long health = json_number(accuser, "health");
		snprintf(out + used, size - used, "%s%s (%s", used ? ", " : "",
			 json_text(accuser, "name"), outcome_words(json_text(accuser, "outcome")));
		used = strlen(out);
		if (health > 0)
			snprintf(out + used, size - used, "; itself unwell, health %lld)", health);
		else
			snprintf(out + used, size - used, ")");
	}
}

void show_why(const json_t *member, char *out, size_t size)
{
	const char *state = json_text(member, "state");
	char accusers[384];
	*out = '\0';
	bool unknown = strcmp(state, "unknown") == 0;
	if (!unknown && strcmp(state, "suspect") != 0 && strcmp(state, "unreachable") != 0)
		return;
	list_accusers(member, accusers, sizeof accusers);
	if (unknown)
		snprintf(out, size, "%s was not heard since this daemon started",
			 json_text(member, "name"));
	else if (json_number(member, "heard_ms") < 0)
		snprintf(out, size, "%s is %s, never heard", json_text(member, "name"), state);
	else
		snprintf(out, size, "%s is %s, last heard %s ago", json_text(member, "name"), state,
			 show_duration(member, "heard_ms"));
	size_t used = strlen(out);
	if (*accusers)
		snprintf(out + used, size - used, "; accused by %s", accusers);
}

void show_clone(const json_t *member)
{
	const json_t *clone = json_member(member, "clone");
	if (clone != NULL)
		show_notice("the key of %s is in use in two places: at %s, and %s ago at %s. Stop the "
			    "wrong one; if the key may have been stolen: essaim node rekey on %s",
			    json_text(member, "name"), json_text(member, "address"),
			    show_duration(clone, "ago_ms"), json_text(clone, "address"),
			    json_text(member, "name"));
}

static const char *duty(const json_t *member)
{
	if (json_truth(member, "master"))
		return "master";
	return json_truth(member, "voter") ? "voter" : "-";
}

struct row {
	char name[128], incarnation[24], wire[24];
};

static void fill_row(const json_t *member, struct row *out)
{
	const json_t *wire = json_member(member, "wire");
	long long most = (long long)json_integer_value(json_array_get(wire, 1));
	snprintf(out->name, sizeof out->name, "%s%s", json_text(member, "name"),
		 json_truth(member, "self") ? " *" : "");
	snprintf(out->incarnation, sizeof out->incarnation, "%lld",
		 (long long)json_number(member, "incarnation"));
	if (most == 0)
		snprintf(out->wire, sizeof out->wire, "?");
	else
		snprintf(out->wire, sizeof out->wire, "%lld-%lld",
			 (long long)json_integer_value(json_array_get(wire, 0)), most);
}

static void add_node(struct libscols_table *table, const json_t *member)
{
	struct row row;
	fill_row(member, &row);
	table_row(table, (const char *const[]){row.name, json_text(member, "state"),
					       json_text(member, "role"), duty(member),
					       json_text(member, "address"), row.incarnation,
					       show_duration(member, "since_ms")});
}

static void add_wide(struct libscols_table *table, const json_t *member)
{
	struct row row;
	fill_row(member, &row);
	const char *version = json_text(member, "version");
	table_row(table, (const char *const[]){row.name, json_text(member, "state"),
					       json_text(member, "role"), duty(member),
					       *version ? version : "?", row.wire,
					       json_text(member, "address"), row.incarnation});
}

static struct libscols_table *begin_nodes(bool wide)
{
	static const struct column columns[] = {
	    {"NAME", COLUMN_TEXT},    {"STATE", COLUMN_WORD},
	    {"ROLE", COLUMN_WORD},    {"DUTY", COLUMN_WORD},
	    {"ADDRESS", COLUMN_TEXT}, {"INC", COLUMN_NUMBER},
	    {"SINCE", COLUMN_NUMBER}, {0},
	};
	static const struct column all[] = {
	    {"NAME", COLUMN_TEXT},    {"STATE", COLUMN_WORD},   {"ROLE", COLUMN_WORD},
	    {"DUTY", COLUMN_WORD},    {"VERSION", COLUMN_WORD}, {"WIRE", COLUMN_WORD},
	    {"ADDRESS", COLUMN_TEXT}, {"INC", COLUMN_NUMBER},   {0},
	};
	return table_begin(wide ? all : columns);
}

void show_nodes(const struct invocation *in, const json_t *result)
{
	size_t i;
	json_t *member;
	char why[512];
	bool self = false;
	if (json_array_size(result) == 0) {
		printf("No members: this node belongs to no cluster yet (essaim init, essaim "
		       "join).\n");
		return;
	}
	struct libscols_table *table = begin_nodes(in->wide);
	json_array_foreach(result, i, member)
	{
		if (json_member(member, "successor") != NULL && !in->wide)
			continue; /* a key it had before: it is in the list under its new one */
		(in->wide ? add_wide : add_node)(table, member);
		self |= json_truth(member, "self");
	}
	table_end(table);
	if (in->wide)
		show_hosts(result);
	if (self)
		printf("\n* this node\n");
	json_array_foreach(result, i, member)
	{
		show_why(member, why, sizeof why);
		if (*why)
			show_notice("%s", why);
		show_clone(member);
	}
}

static void show_clock(const json_t *node)
{
	const json_t *clock = json_member(node, "clock");
	if (json_truth(node, "self"))
		return;
	if (clock == NULL) {
		bool near = strcmp(json_text(node, "state"), "reachable") == 0;
		show_field("clock", near ? "not measured yet" : "unknown while it is not reachable");
		return;
	}
	json_int_t offset = json_number(clock, "offset_ms");
	char text[HUMAN_SIZE];
	human_duration(llabs(offset), text);
	show_field("clock", "%s %s, give or take %s; round trip %s",
		   offset == 0 ? "equal to" : text,
		   offset == 0  ? "ours"
		   : offset > 0 ? "ahead of ours"
				: "behind ours",
		   show_duration(clock, "error_ms"), show_duration(clock, "round_trip_ms"));
}

/* Nothing to choose from is nothing to show. */
static void show_paths(const json_t *paths)
{
	static const struct column columns[] = {
	    {"PATH FROM", COLUMN_TEXT}, {"TO", COLUMN_TEXT},     {"STATE", COLUMN_WORD},
	    {"USED", COLUMN_WORD},      {"TRIP", COLUMN_NUMBER}, {"HEARD", COLUMN_NUMBER}, {0},
	};
	size_t i;
	json_t *path;
	if (json_array_size(paths) < 2)
		return;
	struct libscols_table *table = table_begin(columns);
	json_array_foreach(paths, i, path)
	{
		char trip[24];
		snprintf(trip, sizeof trip, "%.1f ms",
			 json_number_value(json_object_get(path, "round_trip_ms")));
		table_row(table, (const char *const[]){
				     json_text(path, "local"), json_text(path, "remote"),
				     json_text(path, "state"), json_truth(path, "used") ? "yes" : "-",
				     json_member(path, "round_trip_ms") ? trip : "-",
				     json_member(path, "heard_ms") ? show_duration(path, "heard_ms") : "never"});
	}
	putchar('\n');
	table_end(table);
}

static void show_facts(json_t *facts)
{
	static const struct column columns[] = {
	    {"FACT", COLUMN_WORD}, /* FACT_KEY_MAX is short */
	    {"VALUE", COLUMN_TEXT}, {"VERSION", COLUMN_NUMBER}, {"AGE", COLUMN_NUMBER}, {0},
	};
	const char *key;
	json_t *fact;
	if (json_object_size(facts) == 0)
		return;
	struct libscols_table *table = table_begin(columns);
	json_object_foreach(facts, key, fact)
	{
		char version[24];
		const json_t *value = json_object_get(fact, "value");
		char *text = json_is_string(value) ? strdup(json_string_value(value))
						   : json_dumps(value, JSON_ENCODE_ANY);
		snprintf(version, sizeof version, "%lld", (long long)json_number(fact, "version"));
		table_row(table, (const char *const[]){key, text ? text : "", version,
						       show_duration(fact, "age_ms")});
		free(text);
	}
	putchar('\n');
	table_end(table);
}

void show_rekeyed(const struct invocation *in, const json_t *result)
{
	show_field("old id", "%s", json_text(result, "old_id"));
	show_field("new id", "%s", json_text(result, "new_id"));
}

void show_node(const struct invocation *in, const json_t *node)
{
	const json_t *wire = json_member(node, "wire");
	char why[512];
	show_field("name", "%s%s", json_text(node, "name"),
		   json_truth(node, "self") ? " (this node)" : "");
	show_field("id", "%s", json_text(node, "id"));
	show_field("key", "%s", json_text(node, "key"));
	show_field("address", "%s", json_text(node, "address"));
	show_field("state", "%s, since %s", json_text(node, "state"),
		   show_duration(node, "since_ms"));
	show_field("role", "%s", json_text(node, "role"));
	show_field("duty", "%s", duty(node));
	show_field("incarnation", "%lld", (long long)json_number(node, "incarnation"));
	show_field("wire", "versions %lld to %lld",
		   (long long)json_integer_value(json_array_get(wire, 0)),
		   (long long)json_integer_value(json_array_get(wire, 1)));
	show_clock(node);
	show_host(node);
	show_why(node, why, sizeof why);
	if (*why)
		show_notice("%s", why);
	show_clone(node);
	show_paths(json_member(node, "paths"));
	show_facts(json_member(node, "facts"));
}
