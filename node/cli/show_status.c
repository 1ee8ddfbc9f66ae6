#include "human.h"
#include "json.h"
#include "request.h"
#include "show.h"

#include <string.h>

/* What a standing other than member means, and what to do. NULL: nothing to say. */
static const struct {
	const char *standing, *notice;
} standings[] = {
    {"starting", "this node is starting: it takes part as soon as its disk has noted that"},
    {"joining", "this node is joining: it takes part once a master has committed that"},
    {"leaving", "this node is leaving"},
    {"left",
     "this node has left its cluster; to use it again: essaim node reset, then essaim join"},
    {"removed",
     "this node was removed from its cluster, for ever; to use it again: essaim node reset, "
     "then essaim join with a new token"},
    {"old generation",
     "the cluster was founded anew without this node; to bring it back: essaim node "
     "reset, then essaim join with a new token"},
    {"stopped", "this daemon is stopping"},
};

static bool is_blank(const json_t *status)
{
	return json_member(status, "cluster") == NULL &&
	       strcmp(json_text(status, "standing"), "uninitialised") == 0;
}

static void show_blank(const json_t *status)
{
	const char *name = json_text(status, "node");
	printf("This node%s%s%s belongs to no cluster yet.\n\n", *name ? " (" : "", name,
	       *name ? ")" : "");
	printf("  essaim init NAME                      found a new cluster\n");
	printf("  essaim join ADDRESS... --token TOKEN  join one; a member makes the token with\n");
	printf("                                        essaim token create\n");
	if (json_truth(status, "disk_failed"))
		show_notice("its disk fails: see the daemon's log");
}

static void show_node_line(const json_t *status)
{
	char uptime[HUMAN_SIZE];
	human_duration(json_number(status, "uptime_s") * 1000, uptime);
	show_field("node", "%s, %s, up %s, version %s", json_text(status, "node"),
		   json_truth(status, "self_master") ? "master" : json_text(status, "standing"),
		   uptime, json_text(status, "version"));
}

static void show_master_line(const json_t *status)
{
	const json_t *master = json_member(status, "master");
	if (master == NULL)
		show_field("master", "none");
	else
		show_field("master", "%s, epoch %lld, %s of its lease left",
			   json_text(master, "name"), (long long)json_number(master, "epoch"),
			   show_duration(status, "lease_remaining_ms"));
}

/* Why there are not as many as wanted; on two lines, since it is a whole sentence. */
static void show_voters(const json_t *status)
{
	const json_t *voters = json_member(status, "voters");
	long long total = json_number(voters, "total"), wanted = json_number(status, "voters_wanted");
	show_field("voters", "%lld of %lld reachable, %lld needed",
		   (long long)json_number(voters, "reachable"), total,
		   (long long)json_number(voters, "needed"));
	if (wanted != 0 && wanted != total)
		show_field("", "%lld wanted: %s", wanted, json_text(status, "voters_why"));
}

/* Only while they differ: an upgrade is under way. */
static void show_versions(const json_t *status)
{
	const char *version;
	json_t *count, *versions = json_member(status, "versions");
	char text[256] = "";
	if (json_object_size(versions) < 2)
		return;
	json_object_foreach(versions, version, count)
	{
		size_t used = strlen(text);
		snprintf(text + used, sizeof text - used, "%s%lld on %s", used ? ", " : "",
			 (long long)json_integer_value(count), version);
	}
	show_field("versions", "%s; the cluster works at level %lld (essaim node list --wide)", text,
		   (long long)json_number(status, "level"));
}

static void show_counts(const json_t *status)
{
	const json_t *members = json_member(status, "members");
	show_voters(status);
	show_field("members", "%lld of %lld reachable",
		   (long long)json_number(members, "reachable"),
		   (long long)json_number(members, "total"));
	show_field("ledger", "entry %lld committed, %lld applied",
		   (long long)json_number(status, "commit"),
		   (long long)json_number(status, "applied"));
}

static void show_dropped(const json_t *status)
{
	const char *reason;
	json_t *count;
	char text[512] = "";
	json_object_foreach(json_member(status, "dropped"), reason, count)
	{
		size_t used = strlen(text);
		if (json_integer_value(count) > 0)
			snprintf(text + used, sizeof text - used, "%s%lld %s", used ? ", " : "",
				 (long long)json_integer_value(count), reason);
	}
	if (*text)
		show_field("dropped", "%s", text);
}

/* ---- what needs attention; each returns how many notices it gave ---- */

static int notice_standing(const json_t *status)
{
	for (size_t i = 0; i < sizeof standings / sizeof *standings; i++) {
		if (strcmp(standings[i].standing, json_text(status, "standing")) == 0) {
			show_notice("%s", standings[i].notice);
			return 1;
		}
	}
	return 0;
}

static int notice_clones(const json_t *status)
{
	char names[256];
	const json_t *clones = json_member(status, "clones");
	if (json_array_size(clones) == 0)
		return 0;
	show_names(clones, "", names, sizeof names);
	show_notice("in use in two places: the key of %s (essaim node show NAME)", names);
	return 1;
}

/* What seizures do to this node. */
static int notice_seizures(const json_t *status)
{
	const char *by = json_text(status, "superseded_by");
	const char *consented = json_text(status, "consented_to");
	int given = 0;
	if (*by && json_truth(status, "rival")) {
		show_notice("%s seized the cluster at the same time as this node's side, and goes before "
			    "it: this side has stopped, and what it wrote since is lost", by);
		given++;
	} else if (*by) {
		show_notice("%s founded the newer generation", by);
		given++;
	}
	if (*consented) {
		show_notice("%s seizes the cluster: this node follows it, and does not vote until that "
			    "has ended; if %s is lost: essaim master seize --dead %s", consented,
			    consented, consented);
		given++;
	}
	if (*json_text(status, "seizing")) {
		show_notice("this node seizes the cluster (%s)", json_text(status, "seizing"));
		given++;
	}
	return given;
}

static int notice_own_trouble(const json_t *status)
{
	int given = 0;
	if (json_truth(status, "disk_failed")) {
		show_notice(
		    "this node's disk fails: it does not vote until a write succeeds; see the "
		    "daemon's log and the space left");
		given++;
	} else if (json_number(status, "quarantine_ms") > 0) {
		show_notice("this node does not vote for another %s: quarantine after a restart",
			    show_duration(status, "quarantine_ms"));
		given++;
	}
	if (json_number(status, "health") > 0) {
		show_notice(
		    "this node is slow or overloaded (health %lld; 0 is well, 8 is worst): it "
		    "distrusts its own suspicions",
		    (long long)json_number(status, "health"));
		given++;
	}
	if (json_number(json_member(status, "dropped"), "clone") > 0) {
		show_notice(
		    "the key of one node is in use in two places: look for a copied data folder");
		given++;
	}
	return given;
}

static void voters_missing(const json_t *nodes, char *out, size_t size)
{
	size_t i;
	json_t *node;
	*out = '\0';
	json_array_foreach(nodes, i, node)
	{
		size_t used = strlen(out);
		if (json_truth(node, "voter") && strcmp(json_text(node, "state"), "reachable") != 0)
			snprintf(out + used, size - used, "%s%s (%s)", used ? ", " : "",
				 json_text(node, "name"), json_text(node, "state"));
	}
}

static int notice_no_master(const json_t *status, const json_t *nodes)
{
	const json_t *voters = json_member(status, "voters");
	long long reachable = json_number(voters, "reachable"),
		  needed = json_number(voters, "needed");
	char missing[512];
	if (json_member(status, "master") != NULL)
		return 0;
	if (reachable >= needed) {
		show_notice(
		    "there is no master: enough voters are reachable, an election is under way");
		return 1;
	}
	voters_missing(nodes, missing, sizeof missing);
	show_notice(
	    "there is no master: %lld voter%s reachable, %lld needed%s%s; nothing can be written, "
	    "'essaim kv get KEY --local' still reads",
	    reachable, reachable == 1 ? " is" : "s are", needed, *missing ? "; missing: " : "",
	    missing);
	return 1;
}

static int notice_members(const json_t *nodes)
{
	size_t i;
	json_t *node;
	int given = 0;
	char why[512];
	json_array_foreach(nodes, i, node)
	{
		show_why(node, why, sizeof why);
		if (*why == '\0')
			continue;
		show_notice("%s", why);
		given++;
	}
	return given;
}

/* Node list is asked for only if there is a gap to explain. */
static bool all_present(const json_t *status)
{
	const json_t *members = json_member(status, "members");
	return json_member(status, "master") != NULL &&
	       json_number(members, "reachable") == json_number(members, "total");
}

void show_status(const struct invocation *in, const json_t *status)
{
	if (is_blank(status)) {
		show_blank(status);
		return;
	}
	if (json_member(status, "cluster") == NULL)
		show_field("cluster", "none yet");
	else
		show_field("cluster", "%s, generation %lld, profile %s",
			   json_text(status, "cluster"),
			   (long long)json_number(status, "generation"),
			   json_text(status, "profile"));
	show_node_line(status);
	show_master_line(status);
	show_counts(status);
	show_versions(status);
	show_dropped(status);
	putchar('\n');
	json_t *nodes = all_present(status) ? NULL : request_quietly(in->globals, "node list");
	int given = notice_standing(status);
	/* A node that takes no part has no news of the others. */
	if (given == 0)
		given = notice_no_master(status, nodes) + notice_members(nodes);
	given += notice_seizures(status) + notice_clones(status);
	given += notice_own_trouble(status);
	if (given == 0)
		printf("All is well.\n");
	json_decref(nodes);
}
