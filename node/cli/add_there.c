#include "add_inside.h"
#include "json.h"

#include <stdio.h>
#include <string.h>

int add_refuse(struct failure *f, const char *why, const char *hint)
{
	failure_set(f, CODE_FAILED, "", why);
	failure_hint(f, "%s", hint);
	return CODE_FAILED;
}

/* "ssh -p 2222 root@host" for a command to paste. */
const char *add_ssh_words(const struct adding *a)
{
	static char words[400];
	char port[16] = "";
	if (a->target.port != SSH_PORT)
		snprintf(port, sizeof port, "-p %u ", a->target.port);
	snprintf(words, sizeof words, "ssh %s%s@%s", port, a->target.user, a->target.host);
	return words;
}

int add_run(struct adding *a, const char *script, int limit_ms, struct failure *f)
{
	struct remote_task task = {.script = script, .limit_ms = limit_ms, .stop = a->stop};
	struct error error;
	if (remote_run(a->remote, &task, &a->output, &error) == 0)
		return 0;
	return add_refuse(f, error.text, add_ssh_words(a));
}

/* It ran and ended with a code that is not 0. */
int add_ended_badly(const struct adding *a, const char *what, const char *hint, struct failure *f)
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
json_t *add_printed_json(const struct adding *a)
{
	return json_loads(a->output.text, JSON_DISABLE_EOF_CHECK | JSON_REJECT_DUPLICATES, NULL);
}
