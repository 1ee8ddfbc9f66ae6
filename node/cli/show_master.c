#include "human.h"
#include "json.h"
#include "show.h"

#include <string.h>

void show_master(const struct invocation *in, const json_t *result)
{
	show_field("master", "%s", json_text(result, "name"));
	show_field("epoch", "%lld", (long long)json_number(result, "epoch"));
	show_field("lease", "%s left", show_duration(result, "lease_remaining_ms"));
}

void show_transfer(const struct invocation *in, const json_t *result)
{
	show_field("master", "%s", json_text(result, "name"));
	show_field("epoch", "%lld", (long long)json_number(result, "epoch"));
	if (json_member(result, "gap_ms") != NULL)
		show_field("gap", "%.1f ms without a master",
			   json_number_value(json_object_get(result, "gap_ms")));
}

void show_seized(const struct invocation *in, const json_t *result)
{
	char names[512];
	show_field("generation", "%lld (%.16s)", (long long)json_number(result, "generation"),
		   json_text(result, "hash"));
	show_names(json_member(result, "followed"), "nobody yet", names, sizeof names);
	show_field("followed", "%s", names);
	show_names(json_member(result, "removed"), "nobody", names, sizeof names);
	show_field("removed", "%s", names);
	if (human_listens())
		fprintf(stderr, "next: essaim status; on each removed machine: essaim node reset, then "
				"join\n");
}
