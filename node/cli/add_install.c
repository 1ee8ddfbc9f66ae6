#include "add_inside.h"
#include "human.h"
#include "json.h"
#include "spinner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COPY_LIMIT_MS 300000    /* a few MB over a slow line */
#define INSTALL_LIMIT_MS 600000 /* apt-get fetches what the package needs, and may wait for a lock */

bool add_must_install(const struct adding *a)
{
	bool other = strcmp(a->package.version, a->there_version) != 0;
	return a->package.data != NULL && (!a->daemon_there || (a->package_named && other));
}

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
	snprintf(script, sizeof script, ADD_PATHS "umask 022; d=$(mktemp -d) && chmod 755 \"$d\" || exit 8; "
		 "trap 'rm -rf \"$d\"; exit 8' HUP INT TERM; "
		 "cat > \"$d/essaim.deb\" && echo '%s ' \"$d/essaim.deb\" | sha256sum -c --status - && "
		 "printf 'folder=%%s\\n' \"$d\" || { rm -rf \"$d\"; echo 'the copy differs' >&2; exit 9; }",
		 a->package.sum);
	if (remote_run(a->remote, &task, &a->output, &error) != 0)
		return add_refuse(f, error.text, add_ssh_words(a));
	if (a->output.code != 0)
		return add_ended_badly(a, "the package was not copied whole", "df -h /tmp   # there", f);
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
	snprintf(script, sizeof script, ADD_PATHS "d=%s; DEBIAN_FRONTEND=noninteractive apt-get -q -y "
		 "-o DPkg::Lock::Timeout=60 install \"$d/essaim.deb\" </dev/null; code=$?; rm -rf \"$d\"; "
		 "exit $code", folder);
	add_progress(a, "install", "apt-get installs it");
	int code = add_run(a, script, INSTALL_LIMIT_MS, f);
	if (code != 0) {
		add_done(a, "apt-get was started there, and may have installed the package");
		return code;
	}
	if (a->output.code != 0) {
		add_done(a, "apt-get was tried there");
		return add_ended_badly(a, "apt-get there did not install it", "apt-get -f install   # there", f);
	}
	a->installed = true;
	add_done(a, "the package is installed there");
	return 0;
}

static int must_not_miss(struct failure *f)
{
	return add_refuse(f, "essaim is not there, and there is no package to install: none was named, and apt "
		      "keeps none here", "essaim node add ... --package essaim_VERSION_ARCHITECTURE.deb");
}

int add_install(struct adding *a, struct failure *f)
{
	char folder[256], size[HUMAN_SIZE];
	if (!add_must_install(a) && !a->daemon_there)
		return json_truth(a->in->args, "no_install")
			   ? add_refuse(f, "essaim is not there, and --no-install forbids to install it",
				    "leave --no-install out, or install it there by hand")
			   : must_not_miss(f);
	if (!add_must_install(a)) {
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
