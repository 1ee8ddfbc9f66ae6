/*
 * hook_run.c: `hook run NODE NAME`: an executable of the administrator's, on that node, once.
 *
 * What it does is its own affair, so it cannot be undone, and after a crash it may be run again.
 */
#include <errno.h>
#include <stdio.h>

#include "programs.h"
#include "verbs.h"

static int plan(const struct plan_context *context, struct operation_plan *out, struct step_why *why)
{
	const char *node = arguments_get(context->arguments, "node");
	const char *name = arguments_get(context->arguments, "name");
	bool queues = arguments_get(context->arguments, "queue") != NULL;
	struct engine_member member;
	char lock[OPERATION_SUBJECT_MAX + 1];
	if (!program_hook_name(name)) {
		verdict_why(why, STEP_FAILED, "'%s' is no name of a hook: letters, digits, - and _ are", name);
		return -EINVAL;
	}
	if (!view_member_by_name(context->view, node, &member)) {
		verdict_why(why, STEP_FAILED, "no member is called '%s': essaim node list shows them", node);
		return -ENOENT;
	}
	if (member.role == ROLE_WITNESS) {
		verdict_why(why, STEP_FAILED, "'%s' is a witness: it votes and keeps the ledger, and runs nothing", member.name);
		return -EPERM;
	}
	out->target_count = 1;
	out->targets[0] = member.id;
	snprintf(out->subject, sizeof out->subject, "%.60s on %.60s", name, node);
	snprintf(lock, sizeof lock, "hook %.50s on %.60s", name, node);
	snprintf(out->told, sizeof out->told, "run %.60s, of the hooks' folder run.d, on %.60s", name, node);
	return locks_add(&out->locks, queues, lock) ? 0 : -ENOSPC;
}

static bool build(const struct step_context *context, struct command_line *out, struct step_why *why)
{
	out->program = PROGRAM_HOOK;
	command_word(out, "run");
	command_word(out, "%s", step_argument(context, "name"));
	return true;
}

static enum step_verdict judge(const struct step_context *context, const struct command_result *result,
                               struct step_why *why)
{
	int size = (int)(result->err.size < 300 ? result->err.size : 300);
	while (size > 0 && result->err.data[size - 1] == '\n')
		size--;
	if (result->code == 0)
		return STEP_OK;
	return verdict_why(why, STEP_FAILED, "it ended with exit code %d%s%.*s", result->code,
	                size > 0 ? ": " : "", size, size > 0 ? (const char *)result->err.data : "");
}

static const struct verb_argument arguments[] = {
	{"node", ARGUMENT_NODE, true, "where it runs"},
	{"name", ARGUMENT_NAME, true, "its file in the folder run.d of the hooks"},
	{"queue", ARGUMENT_FLAG, false, "wait while the same hook runs there, instead of being refused"},
};

static const struct verb_step steps[] = {
	{.name = "run the hook", .act = {build, judge}, .timeout = 3600 * SECOND, .cancellable = true,
	 .repeatable = true, .harmless = true},
};

const struct verb verb_hook_run = {
	.noun = "hook", .verb = "run", .help = "run an executable of the administrator's on a node",
	.arguments = arguments, .argument_count = sizeof arguments / sizeof arguments[0],
	.steps = steps, .step_count = 1, .plan = plan, .deadline = 3600 * SECOND,
};
