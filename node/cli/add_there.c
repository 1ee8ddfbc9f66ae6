#include "add_inside.h"
#include "auth.h"
#include "human.h"
#include "json.h"
#include "prepare.h"
#include "spinner.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COPY_LIMIT_MS 300000    /* a few MB over a slow line */
#define INSTALL_LIMIT_MS 600000 /* apt-get fetches what the package needs, and may wait for a lock */
#define DAEMON_LIMIT_MS 40000
#define DAY_MS 86400000          /* the longest --timeout */
#define CLOCK_WARNING_MS 2000   /* as the setting clock-warning stands at first */

/* An account's PATH need not have the folders of administrators. */
#define PATHS "PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin LC_ALL=C; export PATH LC_ALL; "

static int refuse(struct failure *f, const char *why, const char *hint)
{
	failure_set(f, CODE_FAILED, "", why);
	failure_hint(f, "%s", hint);
	return CODE_FAILED;
}

/* "ssh -p 2222 root@host" for a command to paste. */
static const char *ssh_words(const struct adding *a)
{
	static char words[400];
	char port[16] = "";
	if (a->target.port != SSH_PORT)
		snprintf(port, sizeof port, "-p %u ", a->target.port);
	snprintf(words, sizeof words, "ssh %s%s@%s", port, a->target.user, a->target.host);
	return words;
}

/* ---- connect, host key, log in ---- */

int add_connect(struct adding *a, struct failure *f)
{
	struct error error;
	int status = remote_open(&a->target, a->in->globals->timeout_ms, &a->remote, &error);
	if (status != 0)
		return refuse(f, error.text, status == -ENOENT ? "name an address instead: root@192.0.2.7"
							       : ssh_words(a));
	add_say(a, "port %u of %s", a->target.port, a->target.host);
	return 0;
}

static int keep_key(struct adding *a)
{
	struct error error;
	if (remote_key_keep(a->remote, &error) != 0)
		add_warn(a, "%s", error.text);
	return 0;
}

static int ask_for_key(struct adding *a, struct failure *f)
{
	fprintf(stderr, "The %s host key of %s is not known here:\n  %s\n"
		"Compare it with what that machine says at its own console:\n"
		"  ssh-keygen -lf /etc/ssh/ssh_host_%s_key.pub\n"
		"Type 'yes' to go on: ", a->key.kind, a->target.host, a->key.fingerprint,
		strstr(a->key.kind, "rsa") != NULL ? "rsa" : strstr(a->key.kind, "ecdsa") != NULL ? "ecdsa"
		: "ed25519");
	fflush(stderr);
	if (!prepare_typed("yes"))
		return failure_set(f, CODE_FAILED, "", "its key was not confirmed");
	add_say(a, "%s (%s), confirmed", a->key.fingerprint, a->key.kind);
	return keep_key(a);
}

static int key_changed(const struct adding *a, struct failure *f)
{
	char why[400];
	snprintf(why, sizeof why, "it shows %s (%s), but is known with %s: another machine answers, or it "
		 "was installed anew", a->key.fingerprint, a->key.kind, a->key.other);
	failure_set(f, CODE_FAILED, "the key of that machine has changed", why);
	if (a->target.port == SSH_PORT)
		failure_hint(f, "ssh-keygen -R %s   # only if its console shows the new key", a->target.host);
	else
		failure_hint(f, "ssh-keygen -R '[%s]:%u'   # only if its console shows the new key",
			     a->target.host, a->target.port);
	return CODE_FAILED;
}

int add_host_key(struct adding *a, struct failure *f)
{
	struct error error;
	char why[400];
	if (remote_key(a->remote, &a->key, &error) != 0)
		return refuse(f, error.text, ssh_words(a));
	switch (trust_decide(a->key.fingerprint, a->given_key, a->key.recorded, a->somebody_there)) {
	case TRUST_GIVEN:
		add_say(a, "%s (%s), as --host-key says", a->key.fingerprint, a->key.kind);
		return a->key.recorded == RECORDED_NOTHING ? keep_key(a) : 0;
	case TRUST_RECORDED:
		add_say(a, "%s (%s), known", a->key.fingerprint, a->key.kind);
		return 0;
	case TRUST_ASK:
		return ask_for_key(a, f);
	case REFUSE_CHANGED:
		return key_changed(a, f);
	case REFUSE_NOT_GIVEN:
		snprintf(why, sizeof why, "it shows %s (%s), and --host-key says %s", a->key.fingerprint,
			 a->key.kind, a->given_key);
		return refuse(f, why, "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub   # at its console");
	case REFUSE_NOBODY:
		break;
	}
	snprintf(why, sizeof why, "it shows %s (%s), which is not known here, and nobody is at a terminal "
		 "to compare it", a->key.fingerprint, a->key.kind);
	refuse(f, why, "");
	failure_hint(f, "once compared: --host-key %s", a->key.fingerprint);
	return CODE_FAILED;
}

int add_log_in(struct adding *a, struct failure *f)
{
	struct error error;
	char how[64];
	int status = remote_login(a->remote, a->identity, a->somebody_there, how, &error);
	if (status != 0) {
		refuse(f, error.text, "");
		failure_hint(f, "ssh-copy-id -p %u %s@%s   # or --identity FILE", a->target.port,
			     a->target.user, a->target.host);
		return CODE_FAILED;
	}
	add_say(a, "as %s, by %s", a->target.user, how);
	return 0;
}

/* ---- running there ---- */

static int run(struct adding *a, const char *script, int limit_ms, struct failure *f)
{
	struct remote_task task = {.script = script, .limit_ms = limit_ms, .stop = a->stop};
	struct error error;
	if (remote_run(a->remote, &task, &a->output, &error) == 0)
		return 0;
	return refuse(f, error.text, ssh_words(a));
}

/* It ran and ended with a code that is not 0. */
static int ended_badly(const struct adding *a, const char *what, const char *hint, struct failure *f)
{
	char words[300], why[400];
	last_words(*a->output.complaints ? a->output.complaints : a->output.text, words, sizeof words);
	if (a->output.code < 0)
		snprintf(why, sizeof why, "it was ended by a signal%s%s", *words ? ": " : "", words);
	else
		snprintf(why, sizeof why, "exit code %d%s%s", a->output.code, *words ? ": " : "", words);
	failure_set(f, CODE_FAILED, what, why);
	failure_hint(f, "%s", hint);
	return CODE_FAILED;
}

/* What an `essaim --json` there printed; NULL: no JSON. Owned by the caller. */
static json_t *printed_json(const struct adding *a)
{
	return json_loads(a->output.text, JSON_DISABLE_EOF_CHECK | JSON_REJECT_DUPLICATES, NULL);
}

/* ---- look ---- */

#define LOOK PATHS \
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
	int code = run(a, "date +%s%3N", a->in->globals->timeout_ms, f);
	int64_t after = wall_ms(), there = strtoll(a->output.text, NULL, 10);
	if (code != 0 || a->output.code != 0 || there <= 0)
		return code != 0 ? code : ended_badly(a, "its clock cannot be read", ssh_words(a), f);
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

static bool must_install(const struct adding *a)
{
	bool other = strcmp(a->package.version, a->there_version) != 0;
	return a->package.data != NULL && (!a->daemon_there || (a->package_named && other));
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
		return refuse(f, why, "essaim node add root@HOST");
	}
	if (!must_install(a))
		return 0;
	if (*architecture == '\0')
		return refuse(f, "it has no dpkg, so the package cannot be installed there",
			      "install essaim there by hand, then add it with --no-install");
	if (strcmp(a->package.architecture, "all") != 0 &&
	    strcmp(a->package.architecture, architecture) != 0) {
		snprintf(why, sizeof why, "the package is for '%s', and that machine is '%s'",
			 a->package.architecture, architecture);
		return refuse(f, why, "--package with one that was built for it");
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
		return refuse(f, "what its essaim says of itself is not understood", ssh_words(a));
	if (strcmp(cluster, a->cluster) == 0 && strcmp(standing, "member") == 0) {
		snprintf(why, sizeof why, "it is a member of this cluster already, as '%.64s'",
			 json_text(status, "node"));
		refuse(f, why, "");
		failure_hint(f, "essaim node show %.64s", json_text(status, "node"));
		return CODE_FAILED;
	}
	snprintf(why, sizeof why, "it belongs to %s already: cluster %.32s, as '%.64s' (%.30s)",
		 strcmp(cluster, a->cluster) == 0 ? "this cluster" : "another cluster", cluster,
		 json_text(status, "node"), standing);
	refuse(f, why, "");
	failure_hint(f, "%s essaim %s", ssh_words(a), strcmp(standing, "member") == 0
		     ? "leave --yes   # then there: essaim node reset" : "node reset --yes");
	return CODE_FAILED;
}

/* Its daemon's status, if it runs; whether it does is not judged here. */
static int check_standing(struct adding *a, struct failure *f)
{
	int code = run(a, PATHS "essaim --json --timeout 5s status", a->in->globals->timeout_ms, f);
	if (code != 0 || a->output.code != 0)
		return code;
	json_t *status = printed_json(a);
	snprintf(a->name, sizeof a->name, "%s", json_text(status, "node"));
	code = refuse_member(a, status, f);
	json_decref(status);
	return code;
}

int add_look(struct adding *a, struct failure *f)
{
	char machine[128], clock[96];
	int code = run(a, LOOK, a->in->globals->timeout_ms, f);
	if (code == 0)
		code = take_look(a, machine, sizeof machine, f);
	if (code == 0)
		code = compare_clocks(a, f);
	if (code == 0 && a->daemon_there)
		code = check_standing(a, f);
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

/* ---- install ---- */

struct copying {
	const struct adding *a;
	int64_t begun_ms, told_ms;
};

static void tell_copied(void *context, size_t sent)
{
	struct copying *c = context;
	int64_t now = monotonic_ms(), spent = now - c->begun_ms;
	char done[HUMAN_SIZE], whole[HUMAN_SIZE], rate[HUMAN_SIZE], text[128];
	if (now - c->told_ms < SPINNER_TICK_MS && sent < c->a->package.size)
		return;
	c->told_ms = now;
	human_size((int64_t)sent, done);
	human_size((int64_t)c->a->package.size, whole);
	human_size((int64_t)sent * 1000 / (spent > 0 ? spent : 1), rate);
	snprintf(text, sizeof text, "%s of %s, %zu %%, %s/s", done, whole,
		 sent * 100 / (c->a->package.size > 0 ? c->a->package.size : 1), rate);
	add_progress(c->a, "install", text);
}

/* Only what we asked mktemp for comes back to be a word of a command. */
static bool folder_valid(const char *folder)
{
	return *folder == '/' && folder[strspn(folder, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					       "0123456789./_-")] == '\0' && strstr(folder, "..") == NULL;
}

/* Puts the package into a new folder there and has its sum checked; *out_folder is quoted. */
static int copy(struct adding *a, char *out_folder, size_t size, struct failure *f)
{
	char script[512], folder[200];
	struct error error;
	struct copying copying = {.a = a, .begun_ms = monotonic_ms()};
	struct remote_task task = {.script = script, .input = a->package.data,
				   .input_size = a->package.size, .limit_ms = COPY_LIMIT_MS,
				   .stop = a->stop, .progress = tell_copied, .context = &copying};
	snprintf(script, sizeof script, PATHS "umask 022; d=$(mktemp -d) && chmod 755 \"$d\" || exit 8; "
		 "trap 'rm -rf \"$d\"; exit 8' HUP INT TERM; "
		 "cat > \"$d/essaim.deb\" && echo '%s ' \"$d/essaim.deb\" | sha256sum -c --status - && "
		 "printf 'folder=%%s\\n' \"$d\" || { rm -rf \"$d\"; echo 'the copy differs' >&2; exit 9; }",
		 a->package.sum);
	if (remote_run(a->remote, &task, &a->output, &error) != 0)
		return refuse(f, error.text, ssh_words(a));
	if (a->output.code != 0)
		return ended_badly(a, "the package was not copied whole", "df -h /tmp   # there", f);
	line_value(a->output.text, "folder", folder, sizeof folder);
	if (!folder_valid(folder))
		return failure_set(f, CODE_FAILED, "the package was copied", "but its folder has a name that "
				   "cannot be trusted");
	*out_folder = '\0';
	quote_append(out_folder, size, folder);
	return 0;
}

static int install(struct adding *a, const char *folder, struct failure *f)
{
	char script[1024];
	snprintf(script, sizeof script, PATHS "d=%s; DEBIAN_FRONTEND=noninteractive apt-get -q -y "
		 "-o DPkg::Lock::Timeout=60 install \"$d/essaim.deb\" </dev/null; code=$?; rm -rf \"$d\"; "
		 "exit $code", folder);
	add_progress(a, "install", "apt-get installs it");
	int code = run(a, script, INSTALL_LIMIT_MS, f);
	if (code != 0) {
		add_done(a, "apt-get was started there, and may have installed the package");
		return code;
	}
	if (a->output.code != 0) {
		add_done(a, "apt-get was tried there");
		return ended_badly(a, "apt-get there did not install it", "apt-get -f install   # there", f);
	}
	a->installed = true;
	add_done(a, "the package is installed there");
	return 0;
}

static int must_not_miss(struct failure *f)
{
	return refuse(f, "essaim is not there, and there is no package to install: none was named, and apt "
		      "keeps none here", "essaim node add ... --package essaim_VERSION_ARCHITECTURE.deb");
}

int add_install(struct adding *a, struct failure *f)
{
	char folder[256], size[HUMAN_SIZE];
	if (!must_install(a) && !a->daemon_there)
		return json_truth(a->in->args, "no_install")
			   ? refuse(f, "essaim is not there, and --no-install forbids to install it",
				    "leave --no-install out, or install it there by hand")
			   : must_not_miss(f);
	if (!must_install(a)) {
		add_say(a, "nothing to do");
		return 0;
	}
	int code = copy(a, folder, sizeof folder, f);
	if (code == 0)
		code = install(a, folder, f);
	if (code != 0)
		return code;
	snprintf(a->there_version, sizeof a->there_version, "%s", a->package.version);
	human_size((int64_t)a->package.size, size);
	add_say(a, "essaim %s, %s, sum checked", a->package.version, size);
	return 0;
}

/* ---- its daemon ---- */

#define START PATHS \
	"answers() { essaim --json --timeout 2s version >/dev/null 2>&1; }; " \
	"answers || systemctl start essaimd || exit 10; " \
	"i=0; until answers; do i=$((i+1)); [ $i -lt 40 ] || exit 11; sleep 0.5; done; " \
	"essaim --json --timeout 2s version"

static int check_versions(struct adding *a, struct failure *f)
{
	char why[400], version[64];
	json_t *said = printed_json(a);
	struct wire_range there = {json_number(said, "wire_min"), json_number(said, "wire_max")};
	snprintf(version, sizeof version, "%s", json_text(said, "version"));
	json_decref(said);
	if (wire_fits(a->wire, there, a->level)) {
		add_say(a, "runs %s, speaks wire versions %lld to %lld", version, (long long)there.min,
			(long long)there.max);
		return 0;
	}
	snprintf(why, sizeof why, "its essaim %s speaks wire versions %lld to %lld; here %lld to %lld, and "
		 "the cluster is at level %lld", version, (long long)there.min, (long long)there.max,
		 (long long)a->wire.min, (long long)a->wire.max, (long long)a->level);
	return refuse(f, why, "--package with the release that runs here");
}

/* Only now is its name known. */
static int check_name(struct adding *a, struct failure *f)
{
	char why[200];
	const char *name = json_text(a->in->args, "name");
	if (*name)
		snprintf(a->name, sizeof a->name, "%s", name);
	json_t *taken = add_find_member(a);
	if (taken == NULL)
		return 0;
	json_decref(taken);
	snprintf(why, sizeof why, "a member is called '%s' already", a->name);
	return refuse(f, why, "--name with another one");
}

int add_daemon(struct adding *a, struct failure *f)
{
	char hint[480];
	int code = run(a, START, DAEMON_LIMIT_MS, f);
	if (code != 0)
		return code;
	if (a->output.code != 0) {
		snprintf(hint, sizeof hint, "%s journalctl -n 30 -u essaimd", ssh_words(a));
		return ended_badly(a, a->output.code == 11 ? "its daemon does not answer"
							   : "its daemon cannot be started", hint, f);
	}
	code = check_versions(a, f);
	if (code == 0)
		code = check_standing(a, f);
	return code == 0 ? check_name(a, f) : code;
}

/* ---- join ---- */

static bool join_script(const struct adding *a, char *out, size_t size)
{
	size_t i;
	json_t *address;
	const char *name = json_text(a->in->args, "name");
	snprintf(out, size, PATHS "exec essaim --json --timeout %dms join --token -", a->in->globals->timeout_ms);
	bool fits = true;
	json_array_foreach(a->addresses, i, address)
		fits = fits && quote_append(out, size, json_string_value(address));
	if (*name)
		fits = fits && quote_append(out, size, "--name") && quote_append(out, size, name);
	return fits && (!a->witness || quote_append(out, size, "--witness"));
}

/* What the join there said when it failed, and what it found by looking for the cause. */
static void take_refusal(struct adding *a, struct failure *f)
{
	json_t *said = printed_json(a), *error = json_member(said, "error");
	char why[600];
	if (error == NULL) {
		ended_badly(a, "the join failed", ssh_words(a), f);
	} else {
		snprintf(why, sizeof why, "%s%s%s", json_text(error, "what"),
			 *json_text(error, "why") ? ": " : "", json_text(error, "why"));
		failure_set(f, CODE_FAILED, "the join failed", why);
		failure_hint(f, "%s", json_text(error, "hint"));
		f->report = json_incref(json_member(said, "doctor"));
		if (a->output.code == CODE_USAGE) /* an older one takes no token from standard input */
			failure_hint(f, "--package with the release that runs here");
	}
	json_decref(said);
}

/* It may have been admitted all the same: our daemon hears of it within moments, or never. */
static bool did_join(const struct adding *a)
{
	const struct timespec pause = {0, 200000000L};
	json_t *row = NULL;
	for (int i = 0; i < 15 && row == NULL && *a->name; i++) {
		row = add_find_member(a);
		if (row == NULL)
			nanosleep(&pause, NULL);
	}
	json_decref(row);
	return row != NULL;
}

/* If the answer is lost, who is a member here is what counts; and from the revocation on nobody
 * becomes one by this token. */
static int join_failed(struct adding *a, bool lost, struct failure *f)
{
	char left_open[256];
	add_revoke(a, left_open, sizeof left_open);
	if (lost && did_join(a)) {
		a->joined = true;
		add_warn(a, "its answer was lost, but it is a member");
		return 0;
	}
	add_done(a, *left_open ? left_open : "the token is revoked");
	return CODE_FAILED;
}

int add_join(struct adding *a, struct failure *f)
{
	char script[4096];
	struct error error;
	struct remote_task task = {.script = script, .input = a->token, .input_size = strlen(a->token),
				   .stop = a->stop};
	/* The join, the look for its cause when it fails, and what the daemons need to say so. */
	task.limit_ms = a->in->globals->timeout_ms > DAY_MS / 4 ? DAY_MS
							        : 2 * a->in->globals->timeout_ms + 10000;
	if (!join_script(a, script, sizeof script))
		return failure_set(f, CODE_USAGE, "", "the names and addresses are too long");
	add_progress(a, "join", "it knocks");
	int status = remote_run(a->remote, &task, &a->output, &error);
	if (status != 0)
		refuse(f, error.text, "essaim node list");
	else if (a->output.code != 0)
		take_refusal(a, f);
	if (status != 0 || a->output.code != 0)
		return join_failed(a, status != 0 || a->output.code < 0 || a->output.code == CODE_UNKNOWN, f);
	json_t *said = printed_json(a);
	if (*json_text(said, "node"))
		snprintf(a->name, sizeof a->name, "%s", json_text(said, "node"));
	json_decref(said);
	a->joined = true;
	a->token_open = false;
	add_done(a, "it joined");
	add_say(a, "admitted as '%s', through %s", a->name,
		json_string_value(json_array_get(a->addresses, 0)));
	return 0;
}
