#include "human.h"
#include "json.h"
#include "show.h"

void show_founded(const struct invocation *in, const json_t *result)
{
	show_field("cluster", "%s", json_text(result, "cluster"));
	show_field("node", "%s", json_text(result, "node"));
	if (human_listens())
		fprintf(stderr, "next: essaim status; essaim token create (for the next node)\n");
}

void show_master(const struct invocation *in, const json_t *result)
{
	show_field("master", "%s", json_text(result, "name"));
	show_field("epoch", "%lld", (long long)json_number(result, "epoch"));
	show_field("lease", "%s left", show_duration(result, "lease_remaining_ms"));
}

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
