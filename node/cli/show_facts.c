/*
 * `clock` and `dns` for people.
 */
#include "examine.h"
#include "human.h"
#include "json.h"
#include "show.h"
#include "table.h"

#include <stdio.h>
#include <string.h>

#define MATRIX_MAX 8 /* columns that fit a terminal; with more nodes: a row for each comparison */

static double number(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

/* "+1.5 ms", "-3.2 s" */
static void offset_text(double ms, char out[32])
{
	double size = ms < 0 ? -ms : ms;
	if (size < 1000)
		snprintf(out, 32, "%+.0f ms", ms);
	else if (size < 100000)
		snprintf(out, 32, "%+.1f s", ms / 1000);
	else
		snprintf(out, 32, "%+.0f min", ms / 60000);
}

static const json_t *offset_of(const json_t *offsets, const char *from, const char *to)
{
	size_t i;
	json_t *row;
	json_array_foreach(offsets, i, row)
	{
		if (strcmp(json_text(row, "from"), from) == 0 &&
		    strcmp(json_text(row, "to"), to) == 0)
			return row;
	}
	return NULL;
}

static void cell_text(const json_t *row, char out[64])
{
	char offset[32], error[32];
	if (row == NULL) {
		snprintf(out, 64, "-");
		return;
	}
	offset_text(number(row, "offset_ms"), offset);
	offset_text(number(row, "error_ms"), error);
	snprintf(out, 64, "%s", offset);
}

/* Rows see columns: how far the column's clock is ahead of the row's. */
static void show_matrix(const json_t *nodes, const json_t *offsets)
{
	struct column columns[MATRIX_MAX + 2] = {{"SEEN FROM", COLUMN_WORD}};
	size_t count = json_array_size(nodes);
	for (size_t i = 0; i < count; i++)
		columns[i + 1] = (struct column){json_text(json_array_get(nodes, i), "name"),
						 COLUMN_NUMBER};
	struct libscols_table *table = table_begin(columns);
	for (size_t i = 0; i < count; i++) {
		char cells[MATRIX_MAX][64];
		const char *row[MATRIX_MAX + 1] = {json_text(json_array_get(nodes, i), "name")};
		for (size_t k = 0; k < count; k++) {
			cell_text(offset_of(offsets, row[0], columns[k + 1].title), cells[k]);
			row[k + 1] = i == k ? "." : cells[k];
		}
		table_row(table, row);
	}
	table_end(table);
}

static void show_comparisons(const json_t *offsets)
{
	static const struct column columns[] = {
	    {"SEEN FROM", COLUMN_WORD}, {"CLOCK OF", COLUMN_WORD}, {"AHEAD", COLUMN_NUMBER},
	    {"+-", COLUMN_NUMBER},      {0},
	};
	size_t i;
	json_t *row;
	struct libscols_table *table = table_begin(columns);
	json_array_foreach(offsets, i, row)
	{
		char offset[32], error[32];
		offset_text(number(row, "offset_ms"), offset);
		offset_text(number(row, "error_ms"), error);
		table_row(table, (const char *const[]){json_text(row, "from"), json_text(row, "to"),
						       offset, error + 1});
	}
	table_end(table);
}

static const char *kept_by(const json_t *node)
{
	if (json_truth(node, "unknown"))
		return "unknown";
	if (!json_truth(node, "synchronised"))
		return "nothing";
	return *json_text(node, "service") ? json_text(node, "service") : "an unknown service";
}

static void show_kept(const json_t *nodes)
{
	static const struct column columns[] = {
	    {"CLOCK OF", COLUMN_WORD}, {"KEPT BY", COLUMN_WORD}, {"BOUND", COLUMN_NUMBER},
	    {"RATE", COLUMN_NUMBER},   {"LAST STEP", COLUMN_WORD}, {0},
	};
	size_t i;
	json_t *node;
	struct libscols_table *table = table_begin(columns);
	json_array_foreach(nodes, i, node)
	{
		char bound[32], rate[32], step[96], size[32];
		offset_text(number(node, "max_error_ms"), bound);
		snprintf(rate, sizeof rate, "%+.0f ppm", number(node, "rate_ppm"));
		offset_text(number(node, "stepped_ms"), size);
		bool stepped = *json_text(node, "stepped"), gone = *json_text(node, "unknown_since");
		snprintf(step, sizeof step, "%s %s", gone ? "unknown since" : size,
			 json_text(node, gone ? "unknown_since" : "stepped"));
		table_row(table, (const char *const[]){
				     json_text(node, "name"), kept_by(node),
				     json_truth(node, "synchronised") ? bound + 1 : "-", rate,
				     stepped || gone ? step : "-"});
	}
	table_end(table);
}

static void notice_all(const json_t *findings)
{
	size_t i;
	json_t *finding;
	json_array_foreach(findings, i, finding)
	{
		show_notice("%s", json_text(finding, "what"));
	}
}

void show_clock(const struct invocation *in, const json_t *result)
{
	const json_t *nodes = json_member(result, "nodes");
	if (json_array_size(nodes) == 0) {
		printf("Nothing is known yet: the first comparisons take ten seconds.\n");
		return;
	}
	if (json_array_size(nodes) <= MATRIX_MAX)
		show_matrix(nodes, json_member(result, "offsets"));
	else
		show_comparisons(json_member(result, "offsets"));
	printf("\n");
	show_kept(nodes);
	notice_all(json_member(result, "findings"));
}

static void time_text(const json_t *row, char out[32])
{
	int64_t ms = json_number(row, "worst_ms");
	if (ms == 0)
		snprintf(out, 32, "< 100 ms");
	else
		snprintf(out, 32, "< %lld ms", (long long)ms);
}

static void show_servers(const json_t *servers)
{
	static const struct column columns[] = {
	    {"NODE", COLUMN_WORD}, {"SERVER", COLUMN_WORD}, {"VERDICT", COLUMN_WORD},
	    {"TIME", COLUMN_NUMBER}, {0},
	};
	size_t i;
	json_t *row;
	struct libscols_table *table = table_begin(columns);
	json_array_foreach(servers, i, row)
	{
		char took[32];
		const char *verdict = json_text(row, "verdict");
		if (strcmp(verdict, "dead") == 0 || strcmp(verdict, "unknown") == 0)
			snprintf(took, sizeof took, "-");
		else
			time_text(row, took);
		table_row(table, (const char *const[]){json_text(row, "node"),
						       json_text(row, "server"),
						       json_text(row, "verdict"), took});
	}
	table_end(table);
}

static void show_problems(const json_t *problems)
{
	static const struct column columns[] = {
	    {"NODE", COLUMN_WORD}, {"ASKED", COLUMN_WORD}, {"FOR", COLUMN_WORD},
	    {"OF", COLUMN_WORD},   {"VERDICT", COLUMN_WORD}, {0},
	};
	size_t i;
	json_t *row;
	if (json_array_size(problems) == 0)
		return;
	printf("\n");
	struct libscols_table *table = table_begin(columns);
	json_array_foreach(problems, i, row)
	{
		table_row(table, (const char *const[]){
				     json_text(row, "node"), json_text(row, "server"),
				     strcmp(json_text(row, "kind"), "address") == 0 ? "address" : "name",
				     json_text(row, "about"), json_text(row, "verdict")});
	}
	table_end(table);
}

static void notice_unknown(const json_t *result)
{
	size_t i;
	json_t *name;
	json_array_foreach(json_member(result, "unknown"), i, name)
	{
		const char *node = json_string_value(name);
		const char *since = json_text(json_member(result, "unknown_since"), node);
		show_notice("the name service of %s is unknown%s%s", node, *since ? " since " : "", since);
	}
}

void show_dns(const struct invocation *in, const json_t *result)
{
	if (json_array_size(json_member(result, "servers")) == 0)
		printf("Nothing is known yet: the first answers take some seconds.\n");
	else
		show_servers(json_member(result, "servers"));
	show_problems(json_member(result, "problems"));
	notice_unknown(result);
}
