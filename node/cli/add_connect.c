#include "add_inside.h"
#include "prepare.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int add_connect(struct adding *a, struct failure *f)
{
	struct error error;
	int status = remote_open(&a->target, a->in->globals->timeout_ms, &a->remote, &error);
	if (status != 0)
		return add_refuse(f, error.text, status == -ENOENT ? "name an address instead: root@192.0.2.7"
							       : add_ssh_words(a));
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
		return add_refuse(f, error.text, add_ssh_words(a));
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
		return add_refuse(f, why, "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub   # at its console");
	case REFUSE_NOBODY:
		break;
	}
	snprintf(why, sizeof why, "it shows %s (%s), which is not known here, and nobody is at a terminal "
		 "to compare it", a->key.fingerprint, a->key.kind);
	add_refuse(f, why, "");
	failure_hint(f, "once compared: --host-key %s", a->key.fingerprint);
	return CODE_FAILED;
}

int add_log_in(struct adding *a, struct failure *f)
{
	struct error error;
	char how[64];
	int status = remote_login(a->remote, a->identity, a->somebody_there, how, &error);
	if (status != 0) {
		add_refuse(f, error.text, "");
		failure_hint(f, "ssh-copy-id -p %u %s@%s   # or --identity FILE", a->target.port,
			     a->target.user, a->target.host);
		return CODE_FAILED;
	}
	add_say(a, "as %s, by %s", a->target.user, how);
	return 0;
}
