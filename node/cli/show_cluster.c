#include "human.h"
#include "json.h"
#include "show.h"
#include "table.h"

#include <string.h>

void show_founded(const struct invocation *in, const json_t *result)
{
	show_field("cluster", "%s", json_text(result, "cluster"));
	show_field("node", "%s", json_text(result, "node"));
	if (human_listens())
		fprintf(stderr, "next: essaim status; essaim token create (for the next node)\n");
}

/* ---- cluster show ---- */

static void show_voters(const json_t *cluster)
{
	size_t i;
	json_t *voter;
	char text[768] = "";
	json_array_foreach(json_member(cluster, "voters"), i, voter)
	{
		size_t used = strlen(text);
		snprintf(text + used, sizeof text - used, "%s%s%s%s", used ? ", " : "",
			 json_text(voter, "name"), json_truth(voter, "witness") ? " (witness)" : "",
			 json_truth(voter, "reachable") ? "" : " (unreachable)");
	}
	show_field("voters", "%s", text);
	show_field("wanted", "%lld: %s", (long long)json_number(cluster, "voters_wanted"),
		   json_text(cluster, "voters_why"));
}

static void show_settings(const json_t *cluster)
{
	static const struct column columns[] = {
	    {"SETTING", COLUMN_WORD}, {"VALUE", COLUMN_TEXT}, {"SET", COLUMN_WORD}, {0},
	};
	const char *name;
	json_t *setting;
	struct libscols_table *table = table_begin(columns);
	json_object_foreach(json_member(cluster, "settings"), name, setting)
	{
		table_row(table, (const char *const[]){
				     name, json_text(setting, "value"),
				     json_truth(setting, "set") ? "by command" : "default"});
	}
	putchar('\n');
	table_end(table);
}

/* Only if there was more than one. */
static void show_generations(const json_t *cluster)
{
	static const struct column columns[] = {
	    {"GENERATION", COLUMN_NUMBER}, {"HOW", COLUMN_WORD}, {"BY", COLUMN_TEXT},
	    {"WHEN", COLUMN_WORD}, {"WITHOUT", COLUMN_TEXT}, {0},
	};
	size_t i;
	json_t *g, *list = json_member(cluster, "generations");
	if (json_array_size(list) == 0)
		return;
	struct libscols_table *table = table_begin(columns);
	json_array_foreach(list, i, g)
	{
		char number[24], dead[512];
		snprintf(number, sizeof number, "%lld", (long long)json_number(g, "number"));
		show_names(json_member(g, "dead"), "-", dead, sizeof dead);
		table_row(table, (const char *const[]){number, json_text(g, "how"),
						       json_text(g, "by"), json_text(g, "when"),
						       dead});
	}
	putchar('\n');
	table_end(table);
}

void show_cluster(const struct invocation *in, const json_t *result)
{
	show_field("cluster", "%s", json_text(result, "cluster"));
	show_field("generation", "%lld (%.16s)", (long long)json_number(result, "generation"),
		   json_text(result, "hash"));
	show_field("level", "%lld, what every member was heard to understand",
		   (long long)json_number(result, "level"));
	show_field("profile", "%s", json_text(result, "profile"));
	show_voters(result);
	show_settings(result);
	show_generations(result);
}

void show_setting(const struct invocation *in, const json_t *result)
{
	printf("%s = %s\n", json_text(result, "name"), json_text(result, "value"));
}

/* ---- backup, restore ---- */

void show_backup(const struct invocation *in, const json_t *result)
{
	long long rows = (long long)json_number(result, "rows");
	show_field("file", "%s", json_text(result, "file"));
	show_field("rows", "%lld", rows);
	show_field("checksum", "%s", json_text(result, "checksum"));
}

void show_restored(const struct invocation *in, const json_t *result)
{
	show_field("cluster", "%s", json_text(result, "cluster"));
	show_field("generation", "%lld", (long long)json_number(result, "generation"));
	if (human_listens())
		fprintf(stderr, "next: essaim status; essaim token create (for the next node)\n");
}

/* ---- versions, events ---- */

void show_version(const struct invocation *in, const json_t *result)
{
	show_field("essaim", "%s", ESSAIM_VERSION);
	show_field("essaimd", "%s", json_text(result, "version"));
	show_field("wire", "versions %lld to %lld", (long long)json_number(result, "wire_min"),
		   (long long)json_number(result, "wire_max"));
}

/* One line of a log: it is not wrapped, so that grep finds whole events. */
void show_event(const struct invocation *in, const json_t *event)
{
	human_print(stdout, json_text(event, "time"));
	printf("  %-7s  ", json_text(event, "level"));
	human_print(stdout, json_text(event, "text"));
	printf("  [%s]\n", json_text(event, "rule"));
}
