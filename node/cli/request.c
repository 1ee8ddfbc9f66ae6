#include "request.h"
#include "client.h"
#include "json.h"
#include "words.h"

#include <stdio.h>
#include <string.h>

#define QUIET_TIMEOUT_MS 2000 /* an extra question must not make the user wait */

/* False once nobody reads our output any more (`essaim events --follow | head`). */
static bool print_event(void *context, const json_t *event)
{
	const struct invocation *invocation = context;
	if (invocation->globals->json)
		json_print_line(event);
	else
		invocation->command->show(invocation, event);
	return fflush(stdout) == 0 && !ferror(stdout);
}

/* Follows changes until the user has seen enough. */
static bool is_endless(const struct invocation *in)
{
	const json_t *follow = json_object_get(in->args, "follow");
	return in->command->follows && (follow == NULL || json_is_true(follow));
}

void request_show(const struct invocation *in, const json_t *result)
{
	if (in->command->follows)
		return;
	if (in->globals->json)
		json_print(result);
	else
		in->command->show(in, result);
}

int request_run(struct invocation *in, struct failure *f)
{
	char verb[64], verify[KEY_MAX_SIZE + 64];
	json_t *result;
	if (in->command->prepare != NULL) {
		int code = in->command->prepare(in, f);
		if (code != CODE_DONE)
			return code;
	}
	command_name(in->command, verb, sizeof verb);
	const char *key = json_text(in->args, "key");
	snprintf(verify, sizeof verify, "%s%s%s", in->command->verify ? in->command->verify : "",
		 *key ? " " : "", key);
	struct exchange x = {
	    .socket = in->globals->socket,
	    .verb = verb,
	    .args = in->args,
	    .timeout_ms = in->globals->timeout_ms,
	    .writes = in->command->writes,
	    .verify = verify,
	    .endless = is_endless(in),
	    .on_event = print_event,
	    .context = in,
	};
	int code = client_exchange(&x, &result, f);
	if (result != NULL)
		request_show(in, result);
	json_decref(result);
	return code;
}

int request_exchange(const struct invocation *in, struct exchange *x, json_t **out_result,
		     struct failure *f)
{
	x->socket = in->globals->socket;
	x->timeout_ms = in->globals->timeout_ms;
	x->verify = in->command->verify;
	return client_exchange(x, out_result, f);
}

json_t *request_quietly(const struct globals *globals, const char *verb)
{
	struct failure ignored;
	json_t *result, *args = json_object();
	struct exchange x = {
	    .socket = globals->socket,
	    .verb = verb,
	    .args = args,
	    .timeout_ms =
		globals->timeout_ms < QUIET_TIMEOUT_MS ? globals->timeout_ms : QUIET_TIMEOUT_MS,
	};
	client_exchange(&x, &result, &ignored);
	json_decref(args);
	return result;
}
