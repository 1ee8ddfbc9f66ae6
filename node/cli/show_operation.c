#include "human.h"
#include "json.h"
#include "show.h"
#include "table.h"

#include <string.h>

/* "2026-03-01 12:00:00" of an instant as JSON has it. */
static void short_time(const json_t *row, const char *key, char out[24])
{
	snprintf(out, 20, "%s", json_text(row, key));
	char *t = strchr(out, 'T');
	if (t != NULL)
		*t = ' ';
	if (out[0] == '\0')
		snprintf(out, 24, "-");
}

static void what_of(const json_t *row, char *out, size_t size)
{
	snprintf(out, size, "%s %s", json_text(row, "noun"), json_text(row, "verb"));
}

void show_operations(const struct invocation *in, const json_t *result)
{
	static const struct column columns[] = {
	    {"OP", COLUMN_NUMBER}, {"WHAT", COLUMN_TEXT}, {"ON", COLUMN_TEXT}, {"STATE", COLUMN_WORD},
	    {"WHO", COLUMN_TEXT},  {"FROM", COLUMN_TEXT}, {"AGE", COLUMN_WORD}, {"LOCKS", COLUMN_TEXT}, {0}};
	size_t i;
	json_t *row;
	if (json_array_size(result) == 0) {
		printf("No operation is open.\n");
		return;
	}
	struct libscols_table *table = table_begin(columns);
	json_array_foreach(result, i, row)
	{
		char number[24], what[64], locks[200];
		snprintf(number, sizeof number, "%lld", (long long)json_number(row, "operation"));
		what_of(row, what, sizeof what);
		show_names(json_member(row, "locks"), "-", locks, sizeof locks);
		table_row(table, (const char *const[]){number, what, json_text(row, "subject"),
						       json_text(row, "state"), json_text(row, "who"),
						       json_text(row, "from"), show_duration(row, "age_ms"),
						       locks});
	}
	table_end(table);
}

static void show_arguments(const json_t *row)
{
	const char *name;
	json_t *value;
	json_object_foreach(json_member(row, "arguments"), name, value)
	{
		char text[256];
		if (json_is_array(value))
			show_names(value, "", text, sizeof text);
		else
			snprintf(text, sizeof text, "%s", json_string_value(value));
		show_field("", "%s = %s", name, text);
	}
}

void show_operation(const struct invocation *in, const json_t *row)
{
	char text[512], asked[24];
	bool open = json_member(row, "locks") != NULL;
	what_of(row, text, sizeof text);
	show_field("operation", "%lld: %s %s", (long long)json_number(row, "operation"), text,
		   json_text(row, "subject"));
	show_field("state", "%s%s", json_text(row, "state"), json_truth(row, "undoing") ? ", being undone" : "");
	short_time(row, "asked", asked);
	show_field("asked", "%s by %s on %s, epoch %lld", asked, json_text(row, "who"),
		   json_text(row, "from"), (long long)json_number(row, "epoch"));
	if (json_member(row, "arguments") != NULL)
		show_arguments(row);
	if (open) {
		show_names(json_member(row, "targets"), "nowhere", text, sizeof text);
		show_field("runs on", "%s", text);
		show_names(json_member(row, "locks"), "none", text, sizeof text);
		short_time(row, "deadline", asked);
		show_field("locks", "%s, for %s so far, until %s at most", text,
			   show_duration(row, "age_ms"), asked);
	} else {
		short_time(row, "ended", asked);
		show_field("ended", "%s", asked);
	}
	if (*json_text(row, "phase") && json_number(row, "step_ms") > 0)
		show_field("now", "%s, for %s", json_text(row, "phase"), show_duration(row, "step_ms"));
	else if (*json_text(row, "phase"))
		show_field("now", "%s", json_text(row, "phase"));
	if (*json_text(row, "waits"))
		show_notice("%s", json_text(row, "waits"));
	if (*json_text(row, "text"))
		show_notice("%s", json_text(row, "text"));
}

void show_audit(const struct invocation *in, const json_t *result)
{
	static const struct column columns[] = {
	    {"OP", COLUMN_NUMBER}, {"ASKED", COLUMN_TEXT}, {"WHAT", COLUMN_TEXT}, {"ON", COLUMN_TEXT},
	    {"WHO", COLUMN_TEXT},  {"FROM", COLUMN_TEXT}, {"END", COLUMN_WORD}, {0}};
	size_t i;
	json_t *row;
	if (json_array_size(result) == 0) {
		printf("Nothing was asked of the engine yet.\n");
		return;
	}
	struct libscols_table *table = table_begin(columns);
	json_array_foreach(result, i, row)
	{
		char number[24], what[64], asked[24];
		snprintf(number, sizeof number, "%lld", (long long)json_number(row, "operation"));
		what_of(row, what, sizeof what);
		short_time(row, "asked", asked);
		table_row(table, (const char *const[]){number, asked, what, json_text(row, "subject"),
						       json_text(row, "who"), json_text(row, "from"),
						       json_text(row, "state")});
	}
	table_end(table);
}

/* ---- jobs ---- */

void show_jobs(const struct invocation *in, const json_t *result)
{
	static const struct column columns[] = {{"NAME", COLUMN_TEXT},   {"WHAT", COLUMN_TEXT},
						{"EVERY", COLUMN_WORD},  {"NEXT", COLUMN_TEXT},
						{"RUNS", COLUMN_NUMBER}, {"LAST", COLUMN_NUMBER},
						{"WHO", COLUMN_TEXT},    {0}};
	size_t i;
	json_t *row;
	if (json_array_size(result) == 0) {
		printf("No jobs.\n");
		return;
	}
	struct libscols_table *table = table_begin(columns);
	json_array_foreach(result, i, row)
	{
		char what[64], due[24], runs[24], last[24];
		what_of(row, what, sizeof what);
		short_time(row, "due", due);
		snprintf(runs, sizeof runs, "%lld", (long long)json_number(row, "runs"));
		snprintf(last, sizeof last, "%lld", (long long)json_number(row, "last"));
		table_row(table, (const char *const[]){json_text(row, "name"), what,
						       json_number(row, "every_ms") > 0 ? show_duration(row, "every_ms") : "once",
						       due, runs, last, json_text(row, "who")});
	}
	table_end(table);
}

void show_job(const struct invocation *in, const json_t *row)
{
	char what[64], due[24];
	what_of(row, what, sizeof what);
	short_time(row, "due", due);
	show_field("job", "%s: %s", json_text(row, "name"), what);
	show_arguments(row);
	show_field("next", "%s", due);
	if (json_number(row, "every_ms") > 0)
		show_field("every", "%s", show_duration(row, "every_ms"));
	show_field("ran", "%lld times; last as operation %lld", (long long)json_number(row, "runs"),
		   (long long)json_number(row, "last"));
	show_field("made by", "%s on %s", json_text(row, "who"), json_text(row, "from"));
	if (*json_text(row, "note"))
		show_notice("%s", json_text(row, "note"));
}

void show_job_started(const struct invocation *in, const json_t *result)
{
	printf("%lld\n", (long long)json_number(result, "operation"));
}
