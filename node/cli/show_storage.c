/*
 * `storage list`, `volume list` and `show`, `drbd list` and `show` for people.
 */
#include "human.h"
#include "json.h"
#include "show.h"
#include "table.h"

#include <stdio.h>
#include <string.h>

/* Storage is large: the largest unit that leaves a whole number before the point. */
static void room_text(int64_t bytes, char out[HUMAN_SIZE])
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB"};
	double size = (double)bytes / 1024;
	size_t unit = 0;
	if (bytes < 1024) {
		snprintf(out, HUMAN_SIZE, "%lld B", (long long)bytes);
		return;
	}
	for (; size >= 1024 && unit < 4; unit++)
		size /= 1024;
	snprintf(out, HUMAN_SIZE, "%.1f %s", size, units[unit]);
}

/* ---- storages ---- */

static const char *group_state(const json_t *row)
{
	if (json_truth(row, "partial"))
		return "devices missing";
	return json_truth(row, "exported") ? "exported" : "ok";
}

static void note_old(const json_t *nodes)
{
	size_t i;
	json_t *row;
	json_array_foreach(nodes, i, row)
	{
		const char *state = json_text(row, "lvm");
		if (strcmp(state, "none") == 0)
			show_notice("%s: no LVM there", json_text(row, "node"));
		else if (strcmp(state, "blind") == 0)
			show_notice("%s: nobody looks there, its daemon has no hand: see essaim-hand(8)",
			            json_text(row, "node"));
		else if (strcmp(state, "stuck") == 0)
			show_notice("%s: LVM hangs since %s; what is shown is older", json_text(row, "node"),
			            json_text(row, "since"));
		else if (json_truth(row, "old"))
			show_notice("%s: not seen now; what is shown is old", json_text(row, "node"));
	}
}

static void note_devices(const json_t *devices)
{
	size_t i;
	json_t *row;
	json_array_foreach(devices, i, row)
	{
		if (json_truth(row, "duplicate"))
			show_notice("%s: one PV on two devices, %s and %s", json_text(row, "node"),
			            json_text(row, "path"), json_text(row, "other"));
		if (json_truth(row, "missing"))
			show_notice("%s: a PV of '%s' is missing (%s)", json_text(row, "node"),
			            json_text(row, "group"), json_text(row, "uuid"));
	}
}

/* One row a node; what a storage is stands in the first. */
static void declared_rows(struct libscols_table *table, const json_t *storage)
{
	size_t i;
	json_t *seen;
	json_array_foreach(json_member(storage, "seen"), i, seen)
	{
		char size[HUMAN_SIZE] = "-", room[HUMAN_SIZE] = "-", state[48];
		if (json_number(seen, "size") > 0) {
			room_text(json_number(seen, "size"), size);
			room_text(json_number(seen, "free"), room);
		}
		snprintf(state, sizeof state, "%s%s", json_text(seen, "state"), json_truth(seen, "old") ? " (old)" : "");
		table_row(table, (const char *const[]){i == 0 ? json_text(storage, "name") : "",
						       i == 0 ? json_text(storage, "type") : "",
						       json_text(seen, "node"), size, room, state});
	}
	if (json_array_size(json_member(storage, "seen")) == 0)
		table_row(table, (const char *const[]){json_text(storage, "name"), json_text(storage, "type"), "-", "-",
						       "-", "on no node"});
}

static const struct column declared_columns[] = {
    {"DECLARED", COLUMN_TEXT}, {"TYPE", COLUMN_WORD},   {"NODE", COLUMN_WORD},
    {"SIZE", COLUMN_NUMBER},   {"FREE", COLUMN_NUMBER}, {"STATE", COLUMN_WORD}, {0},
};

static void show_declared(const json_t *list)
{
	size_t i;
	json_t *storage;
	if (json_array_size(list) == 0)
		return;
	struct libscols_table *table = table_begin(declared_columns);
	json_array_foreach(list, i, storage)
		declared_rows(table, storage);
	table_end(table);
	printf("\n");
}

static void show_where(const json_t *storage)
{
	char nodes[512] = "";
	size_t i, used = 0;
	json_t *name;
	json_array_foreach(json_member(storage, "nodes"), i, name)
	{
		used += (size_t)snprintf(nodes + used, sizeof nodes - used, "%s%s", i == 0 ? "" : ", ",
					 json_string_value(name));
		if (used >= sizeof nodes)
			break;
	}
	show_field("nodes", "%s", json_truth(storage, "all_nodes") ? "all" : nodes);
}

void show_storage(const struct invocation *in, const json_t *result)
{
	static const char *const places[][2] = {{"path", "path"}, {"source", "source"}, {"vg", "volume group"},
						{"pool", "pool"}};
	size_t i;
	json_t *seen;
	show_field("storage", "%s", json_text(result, "name"));
	show_field("type", "%s%s", json_text(result, "type"), json_truth(result, "shared") ? ", shared" : "");
	show_field("id", "%s", json_text(result, "id"));
	for (i = 0; i < sizeof places / sizeof places[0]; i++) {
		if (*json_text(result, places[i][0]))
			show_field(places[i][1], "%s", json_text(result, places[i][0]));
	}
	show_where(result);
	printf("\n");
	struct libscols_table *table = table_begin(declared_columns);
	declared_rows(table, result);
	table_end(table);
	json_array_foreach(json_member(result, "seen"), i, seen)
	{
		if (*json_text(seen, "why"))
			show_notice("%s: %s", json_text(seen, "node"), json_text(seen, "why"));
	}
}

void show_storages(const struct invocation *in, const json_t *result)
{
	static const struct column columns[] = {
	    {"NODE", COLUMN_WORD},   {"STORAGE", COLUMN_TEXT}, {"TYPE", COLUMN_WORD},
	    {"SIZE", COLUMN_NUMBER}, {"FREE", COLUMN_NUMBER},  {"STATE", COLUMN_WORD}, {0},
	};
	const json_t *list = json_member(result, "storages");
	size_t i;
	json_t *row;
	show_declared(json_member(result, "declared"));
	if (json_array_size(list) > 0) {
		struct libscols_table *table = table_begin(columns);
		json_array_foreach(list, i, row)
		{
			char size[HUMAN_SIZE], room[HUMAN_SIZE];
			room_text(json_number(row, "size"), size);
			room_text(json_number(row, "free"), room);
			table_row(table, (const char *const[]){json_text(row, "node"), json_text(row, "name"),
							       json_text(row, "type"), size, room,
							       group_state(row)});
		}
		table_end(table);
	} else {
		printf("No node sees a storage.\n");
	}
	note_old(json_member(result, "nodes"));
	note_devices(json_member(result, "devices"));
}

/* ---- volumes ---- */

static const char *volume_state(const json_t *row)
{
	if (json_truth(row, "sick"))
		return "sick";
	if (json_is_null(json_object_get(row, "active")))
		return "unknown";
	if (json_truth(row, "open"))
		return "in use";
	return json_truth(row, "active") ? "active" : "off";
}

static void percent_text(const json_t *row, const char *key, char out[16])
{
	const json_t *value = json_object_get(row, key);
	if (json_is_number(value))
		snprintf(out, 16, "%.0f%%", json_number_value(value));
	else
		snprintf(out, 16, "-");
}

static const struct column recorded_columns[] = {
    {"MADE HERE", COLUMN_TEXT}, {"NODE", COLUMN_WORD}, {"SIZE", COLUMN_NUMBER}, {"THERE", COLUMN_WORD}, {0},
};

static void show_recorded(const json_t *list)
{
	size_t i;
	json_t *row;
	if (json_array_size(list) == 0)
		return;
	struct libscols_table *table = table_begin(recorded_columns);
	json_array_foreach(list, i, row)
	{
		char name[300], size[HUMAN_SIZE];
		snprintf(name, sizeof name, "%s/%s", json_text(row, "storage"), json_text(row, "name"));
		room_text(json_number(row, "size"), size);
		table_row(table, (const char *const[]){name, *json_text(row, "node") ? json_text(row, "node") : "shared", size,
						       json_text(row, "there")});
	}
	table_end(table);
	printf("\n");
}

void show_volume(const struct invocation *in, const json_t *result)
{
	show_field("volume", "%s/%s", json_text(result, "storage"), json_text(result, "name"));
	show_field("node", "%s", *json_text(result, "node") ? json_text(result, "node") : "any of its storage's");
	show_field("size", "%lld bytes", (long long)json_number(result, "size"));
	if (*json_text(result, "path"))
		show_field("path", "%s", json_text(result, "path"));
	if (*json_text(result, "origin"))
		show_field("snapshot of", "%s", json_text(result, "origin"));
	show_field("tag", "%s", json_text(result, "tag"));
	show_field("made by", "operation %lld", (long long)json_number(result, "operation"));
	show_field("there", "%s", json_text(result, "there"));
}

void show_volumes(const struct invocation *in, const json_t *result)
{
	static const struct column columns[] = {
	    {"NODE", COLUMN_WORD},   {"VOLUME", COLUMN_TEXT}, {"KIND", COLUMN_WORD},
	    {"SIZE", COLUMN_NUMBER}, {"FULL", COLUMN_NUMBER}, {"STATE", COLUMN_WORD}, {0},
	};
	const json_t *list = json_member(result, "volumes");
	size_t i;
	json_t *row;
	show_recorded(json_member(result, "recorded"));
	if (json_array_size(list) == 0) {
		printf("No node sees a logical volume.\n");
		return;
	}
	struct libscols_table *table = table_begin(columns);
	json_array_foreach(list, i, row)
	{
		char name[300], size[HUMAN_SIZE], full[16];
		snprintf(name, sizeof name, "%s/%s", json_text(row, "storage"), json_text(row, "name"));
		room_text(json_number(row, "size"), size);
		percent_text(row, "data_percent", full);
		table_row(table, (const char *const[]){json_text(row, "node"), name, json_text(row, "kind"),
						       size, full, volume_state(row)});
	}
	table_end(table);
	if (json_number(result, "more") > 0)
		show_notice("%lld more are not shown: a node tells of 1024 volumes at most",
		            (long long)json_number(result, "more"));
}

/* ---- DRBD ---- */

/* The worst, if there are several volumes. */
static const char *disk_of(const json_t *side)
{
	const char *disk = "";
	size_t i;
	json_t *row;
	json_array_foreach(json_member(side, "volumes"), i, row)
	{
		if (*disk == '\0' || strcmp(disk, "UpToDate") == 0)
			disk = json_text(row, "disk");
	}
	return disk;
}

static void behind_text(const json_t *row, char out[64])
{
	char size[HUMAN_SIZE];
	const json_t *done = json_object_get(row, "done_percent");
	room_text(json_number(row, "out_of_sync"), size);
	if (json_is_number(done))
		snprintf(out, 64, "%s, %.0f%%", size, json_number_value(done));
	else
		snprintf(out, 64, "%s", json_number(row, "out_of_sync") == 0 ? "-" : size);
}

/* One row a side; what both share stands in the first. */
static void drbd_row(struct libscols_table *table, const json_t *row, size_t at)
{
	const json_t *side = json_array_get(json_member(row, "sides"), at);
	char behind[64] = "";
	const char *node = side == NULL ? json_text(row, "peer") : json_text(side, "node");
	const char *connection = side == NULL ? "?" : json_text(side, "connection");
	if (side != NULL && !json_truth(side, "known"))
		connection = "not seen"; /* what it said before is old */
	if (at == 0)
		behind_text(row, behind);
	table_row(table, (const char *const[]){at == 0 ? json_text(row, "name") : "",
					       at == 0 ? json_text(row, "verdict") : "",
					       *node ? node : "?", side == NULL ? "?" : json_text(side, "role"),
					       connection,
					       side == NULL ? "?" : disk_of(side), behind});
}

void show_drbds(const struct invocation *in, const json_t *result)
{
	static const struct column columns[] = {
	    {"RESOURCE", COLUMN_TEXT}, {"VERDICT", COLUMN_WORD}, {"NODE", COLUMN_WORD}, {"ROLE", COLUMN_WORD},
	    {"CONNECTION", COLUMN_WORD}, {"DISK", COLUMN_WORD}, {"BEHIND", COLUMN_NUMBER}, {0},
	};
	const json_t *list = json_member(result, "resources");
	size_t i;
	json_t *row;
	if (json_array_size(list) == 0) {
		printf("No node has a DRBD resource with a peer.\n");
		return;
	}
	struct libscols_table *table = table_begin(columns);
	json_array_foreach(list, i, row)
	{
		drbd_row(table, row, 0);
		drbd_row(table, row, 1);
	}
	table_end(table);
}

static void show_side(const json_t *side)
{
	size_t i;
	json_t *v;
	printf("\n");
	show_field("node", "%s%s", json_text(side, "node"),
	           json_truth(side, "known") ? "" : " (not seen now: what follows is old)");
	show_field("role", "%s%s", json_text(side, "role"),
	           json_truth(side, "suspended") ? ", suspended" : "");
	show_field("connection", "%s", json_text(side, "connection"));
	json_array_foreach(json_member(side, "volumes"), i, v)
	{
		char size[HUMAN_SIZE], behind[HUMAN_SIZE], title[32];
		room_text(json_number(v, "size"), size);
		room_text(json_number(v, "out_of_sync"), behind);
		snprintf(title, sizeof title, "volume %lld", (long long)json_number(v, "volume"));
		show_field(title, "%s, %s on %s; %s; the peer's disk, as seen here: %s; %s out of sync",
		           json_text(v, "disk"), size,
		           *json_text(v, "backing") ? json_text(v, "backing") : "an unknown device",
		           json_text(v, "replication"), json_text(v, "peer_disk"), behind);
	}
}

void show_drbd(const struct invocation *in, const json_t *result)
{
	size_t i, k;
	json_t *row, *side;
	json_array_foreach(json_member(result, "resources"), i, row)
	{
		const char *about = json_text(row, "about");
		if (i > 0)
			printf("\n");
		show_field("resource", "%s", json_text(row, "name"));
		show_field("verdict", "%s: %s%s%s%s", json_text(row, "verdict"), json_text(row, "sentence"),
		           *about ? " (" : "", about, *about ? ")" : "");
		if (json_truth(row, "options_differ"))
			show_field("options", "differ between the two sides: the next connect may be refused");
		json_array_foreach(json_member(row, "sides"), k, side)
			show_side(side);
	}
}
