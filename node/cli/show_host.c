/*
 * The machines of the members: part of `node show` and `node list --wide`. What is not known is never
 * shown as a number, but as unknown, with the time since when.
 */
#include "human.h"
#include "json.h"
#include "show.h"
#include "table.h"

#include <stdio.h>
#include <string.h>

/* Whether the value is there and known; else a field says since when not. */
static bool known(const char *title, const json_t *value)
{
	const char *since = json_text(value, "unknown_since");
	if (value == NULL)
		return false;
	if (json_truth(value, "unknown"))
		show_field(title, "unknown%s%s", *since ? " since " : "", since);
	return !json_truth(value, "unknown");
}

static void show_machine(const json_t *host)
{
	char memory[HUMAN_SIZE];
	const char *on = json_text(host, "virtualisation"), *up = json_text(host, "booted");
	human_size(json_number(host, "memory_mib") * 1024 * 1024, memory);
	show_field("machine", "%s, %s, kernel %s", json_text(host, "uname"), json_text(host, "distribution"),
		   json_text(host, "kernel"));
	show_field("", "%lld CPU%s, %s of memory, %s", (long long)json_number(host, "cpus"),
		   plural(json_number(host, "cpus")), memory, *on ? on : "virtualisation not known");
	if (*up)
		show_field("booted", "%s", up);
	if (*json_text(host, "ssh_key"))
		show_field("ssh key", "%s", json_text(host, "ssh_key"));
}

void show_host(const json_t *node)
{
	const json_t *usage = json_member(node, "usage"), *kept = json_member(node, "time");
	const json_t *dns = json_member(node, "dns");
	if (json_member(node, "host") != NULL)
		show_machine(json_member(node, "host"));
	if (known("usage", usage))
		show_field("usage", "load %lld %% of its CPUs, memory %lld %%, / %lld %%, data %lld %%",
			   (long long)json_number(usage, "load_percent"),
			   (long long)json_number(usage, "memory_percent"),
			   (long long)json_number(usage, "root_percent"),
			   (long long)json_number(usage, "data_percent"));
	if (known("clock kept", kept))
		show_field("clock kept", "%s%s", json_truth(kept, "synchronised") ? "by " : "by nothing",
			   !json_truth(kept, "synchronised") ? ""
			   : *json_text(kept, "service")     ? json_text(kept, "service")
							     : "an unknown service");
	if (known("names", dns))
		show_field("names", "its resolver is %s", json_text(dns, "verdict"));
}

/* ---- all of them ---- */

static void percent(const json_t *usage, const char *key, char out[16])
{
	if (usage == NULL || json_truth(usage, "unknown"))
		snprintf(out, 16, "?");
	else
		snprintf(out, 16, "%lld %%", (long long)json_number(usage, key));
}

static void add_machine(struct libscols_table *table, const json_t *node)
{
	static const char *const keys[] = {"load_percent", "memory_percent", "root_percent", "data_percent"};
	const json_t *host = json_member(node, "host");
	char cpus[16], memory[HUMAN_SIZE], used[4][16];
	snprintf(cpus, sizeof cpus, "%lld", (long long)json_number(host, "cpus"));
	human_size(json_number(host, "memory_mib") * 1024 * 1024, memory);
	for (int i = 0; i < 4; i++)
		percent(json_member(node, "usage"), keys[i], used[i]);
	table_row(table, (const char *const[]){json_text(node, "name"), cpus, used[0], memory, used[1],
					       used[2], used[3], json_text(host, "virtualisation"),
					       json_text(host, "kernel")});
}

static void notice_unknown(const json_t *node)
{
	static const char *const facts[][2] = {
	    {"usage", "the usage of"},
	    {"time", "the keeping of the clock of"},
	    {"dns", "the name service of"},
	};
	const char *name = json_text(node, "name");
	for (int i = 0; i < 3; i++) {
		const json_t *fact = json_member(node, facts[i][0]);
		const char *since = json_text(fact, "unknown_since");
		if (json_truth(fact, "unknown"))
			show_notice("%s %s is unknown%s%s", facts[i][1], name,
				    *since ? " since " : "", since);
	}
}

void show_hosts(const json_t *nodes)
{
	static const struct column columns[] = {
	    {"MACHINE", COLUMN_TEXT},  {"CPUS", COLUMN_NUMBER}, {"LOAD", COLUMN_NUMBER},
	    {"MEMORY", COLUMN_NUMBER}, {"USED", COLUMN_NUMBER}, {"ROOT", COLUMN_NUMBER},
	    {"DATA", COLUMN_NUMBER},   {"ON", COLUMN_TEXT},     {"KERNEL", COLUMN_TEXT},
	    {0},
	};
	size_t i, told = 0;
	json_t *node;
	json_array_foreach(nodes, i, node) told += json_member(node, "host") != NULL;
	if (told == 0)
		return;
	putchar('\n');
	struct libscols_table *table = table_begin(columns);
	json_array_foreach(nodes, i, node)
	{
		if (json_member(node, "host") != NULL)
			add_machine(table, node);
	}
	table_end(table);
	json_array_foreach(nodes, i, node) notice_unknown(node);
}
