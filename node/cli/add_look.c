#include "add_inside.h"
#include "auth.h"
#include "human.h"
#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CLOCK_WARNING_MS 2000 /* as the setting clock-warning stands at first */

#define LOOK ADD_PATHS \
	"printf 'uid=%s\\n' \"$(id -u)\"; " \
	"( . /etc/os-release && printf 'os=%s\\nrelease=%s\\n' \"$ID\" \"$VERSION_ID\" ) 2>/dev/null; " \
	"printf 'architecture=%s\\n' \"$(dpkg --print-architecture 2>/dev/null)\"; " \
	"printf 'package=%s\\n' \"$(dpkg-query -W -f '${Version}' essaim 2>/dev/null)\"; " \
	"printf 'daemon=%s\\n' \"$(command -v essaimd)\"; " \
	"printf 'command=%s\\n' \"$(command -v essaim)\""

static int64_t wall_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The far clock was read between our two readings, so it is off by what it is off from their middle,
 * give or take half of what lies between. */
static int compare_clocks(struct adding *a, struct failure *f)
{
	int64_t before = wall_ms();
	int code = add_run(a, "date +%s%3N", a->in->globals->timeout_ms, f);
	int64_t after = wall_ms(), there = strtoll(a->output.text, NULL, 10);
	if (code != 0 || a->output.code != 0 || there <= 0)
		return code != 0 ? code : add_ended_badly(a, "its clock cannot be read", add_ssh_words(a), f);
	a->offset_ms = there - (before + after) / 2;
	a->bound_ms = (after - before) / 2 + 1;
	return 0;
}

static void tell_clock(const struct adding *a, char *out, size_t size)
{
	char off[HUMAN_SIZE];
	human_duration(llabs(a->offset_ms), off);
	if (llabs(a->offset_ms) <= a->bound_ms)
		snprintf(out, size, "clock the same within %lld ms", (long long)a->bound_ms);
	else
		snprintf(out, size, "clock %s %s +- %lld ms", off, a->offset_ms > 0 ? "ahead" : "behind",
			 (long long)a->bound_ms);
}

static int take_look(struct adding *a, char *out_machine, size_t size, struct failure *f)
{
	char uid[16], os[32], release[32], architecture[32], daemon[128], command[128], why[300];
	const char *text = a->output.text;
	line_value(text, "uid", uid, sizeof uid);
	line_value(text, "os", os, sizeof os);
	line_value(text, "release", release, sizeof release);
	line_value(text, "architecture", architecture, sizeof architecture);
	line_value(text, "package", a->there_version, sizeof a->there_version);
	line_value(text, "daemon", daemon, sizeof daemon);
	line_value(text, "command", command, sizeof command);
	a->daemon_there = *daemon != '\0' && *command != '\0';
	snprintf(out_machine, size, "%s %s %s", *os ? os : "an unknown system", release, architecture);
	if (strcmp(uid, "0") != 0) {
		snprintf(why, sizeof why, "'%s' is user number '%s' there, and only root may install and join",
			 a->target.user, uid);
		return add_refuse(f, why, "essaim node add root@HOST");
	}
	if (!add_must_install(a))
		return 0;
	if (*architecture == '\0')
		return add_refuse(f, "it has no dpkg, so the package cannot be installed there",
			      "install essaim there by hand, then add it with --no-install");
	if (strcmp(a->package.architecture, "all") != 0 &&
	    strcmp(a->package.architecture, architecture) != 0) {
		snprintf(why, sizeof why, "the package is for '%s', and that machine is '%s'",
			 a->package.architecture, architecture);
		return add_refuse(f, why, "--package with one that was built for it");
	}
	return 0;
}

/* A machine that belongs somewhere already is left alone. */
static int refuse_member(const struct adding *a, const json_t *status, struct failure *f)
{
	const char *standing = json_text(status, "standing"), *cluster = json_text(status, "cluster");
	char why[300];
	if (strcmp(standing, "uninitialised") == 0)
		return 0;
	if (*standing == '\0')
		return add_refuse(f, "what its essaim says of itself is not understood", add_ssh_words(a));
	if (strcmp(cluster, a->cluster) == 0 && strcmp(standing, "member") == 0) {
		snprintf(why, sizeof why, "it is a member of this cluster already, as '%.64s'",
			 json_text(status, "node"));
		add_refuse(f, why, "");
		failure_hint(f, "essaim node show %.64s", json_text(status, "node"));
		return CODE_FAILED;
	}
	snprintf(why, sizeof why, "it belongs to %s already: cluster %.32s, as '%.64s' (%.30s)",
		 strcmp(cluster, a->cluster) == 0 ? "this cluster" : "another cluster", cluster,
		 json_text(status, "node"), standing);
	add_refuse(f, why, "");
	failure_hint(f, "%s essaim %s", add_ssh_words(a), strcmp(standing, "member") == 0
		     ? "leave --yes   # then there: essaim node reset" : "node reset --yes");
	return CODE_FAILED;
}

/* Its daemon's status, if it runs; whether it does is not judged here. */
int add_check_standing(struct adding *a, struct failure *f)
{
	int code = add_run(a, ADD_PATHS "essaim --json --timeout 5s status", a->in->globals->timeout_ms, f);
	if (code != 0 || a->output.code != 0)
		return code;
	json_t *status = add_printed_json(a);
	snprintf(a->name, sizeof a->name, "%s", json_text(status, "node"));
	code = refuse_member(a, status, f);
	json_decref(status);
	return code;
}

int add_look(struct adding *a, struct failure *f)
{
	char machine[128], clock[96];
	int code = add_run(a, LOOK, a->in->globals->timeout_ms, f);
	if (code == 0)
		code = take_look(a, machine, sizeof machine, f);
	if (code == 0)
		code = compare_clocks(a, f);
	if (code == 0 && a->daemon_there)
		code = add_check_standing(a, f);
	if (code != 0)
		return code;
	tell_clock(a, clock, sizeof clock);
	add_say(a, "%s; %s; essaim %s", machine, clock,
		!a->daemon_there    ? "is not there"
		: *a->there_version ? a->there_version
				    : "is there, not as a package");
	if (llabs(a->offset_ms) > CLOCK_WARNING_MS + a->bound_ms)
		add_warn(a, "its clock is off; there: apt-get install chrony && chronyc makestep");
	return 0;
}
