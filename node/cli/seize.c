#include "seize.h"
#include "client.h"
#include "human.h"
#include "json.h"
#include "prepare.h"
#include "request.h"
#include "show.h"

#include <string.h>
#include <unistd.h>

#define SHORT_ID 8 /* digits of the cluster's id to be typed */

/* ---- what will happen, told before the questions ---- */

static void tell_dead(const json_t *plan)
{
	size_t i;
	json_t *dead;
	json_array_foreach(json_member(plan, "dead"), i, dead)
	{
		const char *name = json_text(dead, "name");
		const char *voter = json_truth(dead, "voter") ? "a voter, " : "";
		if (json_number(dead, "heard_ms") < 0)
			show_notice("%s: %snever heard since this daemon started; what it took since "
				    "it last spoke to this node is lost", name, voter);
		else
			show_notice("%s: %slast heard %s ago; what it took since is lost", name, voter,
				    show_duration(dead, "heard_ms"));
	}
}

static void tell(const json_t *plan)
{
	char dead[512], follow[512];
	show_names(json_member(plan, "dead"), "nobody", dead, sizeof dead);
	show_names(json_member(plan, "follow"), "nobody", follow, sizeof follow);
	show_field("cluster", "%s, generation %lld becomes %lld", json_text(plan, "cluster"),
		   (long long)json_number(plan, "generation"),
		   (long long)json_number(plan, "generation") + 1);
	show_field("begins with", "entry %lld, which is what %s has",
		   (long long)json_number(plan, "commit"), json_text(plan, "node"));
	show_field("only voter", "%s, until others have followed", json_text(plan, "node"));
	show_field("follow", "%s", follow);
	show_field("removed", "%s, for ever: their daemons are refused and told so", dead);
	show_field("lasts", "about %s", show_duration(plan, "wait_ms"));
	putchar('\n');
	tell_dead(plan);
	show_notice("if one of them runs on, cut off, it may be master there until its lease ends, and "
		    "go on serving what it has: power it off first");
	putchar('\n');
	fflush(stdout);
}

/* ---- typing ---- */

static bool ask_for(const char *what, const char *expected)
{
	fprintf(stderr, "Type %s ('", what);
	human_print(stderr, expected);
	fprintf(stderr, "') to go on: ");
	fflush(stderr);
	return prepare_typed(expected);
}

static int not_confirmed(struct failure *f, const char *why, const json_t *plan)
{
	char dead[200];
	show_names(json_member(plan, "dead"), "", dead, sizeof dead);
	for (char *from = dead, *to = dead;; from++) { /* "n2, n3" -> "n2,n3" */
		if (*from != ' ')
			*to++ = *from;
		if (*from == '\0')
			break;
	}
	failure_set(f, CODE_FAILED, "'master seize' was not confirmed; nothing was changed", why);
	failure_hint(f, "essaim master seize --dead %s --confirm %s", dead, dead);
	return CODE_FAILED;
}

static int let_type(const struct invocation *in, const json_t *plan, struct failure *f)
{
	size_t i;
	json_t *dead;
	char id[SHORT_ID + 1];
	if (in->globals->json || !isatty(STDIN_FILENO))
		return not_confirmed(f, "nobody is there to type the names, and --confirm does not give them",
				     plan);
	tell(plan);
	json_array_foreach(json_member(plan, "dead"), i, dead)
	{
		if (!ask_for("the name of a node that is dead", json_text(dead, "name")))
			return not_confirmed(f, "another name was typed", plan);
	}
	snprintf(id, sizeof id, "%s", json_text(plan, "cluster"));
	if (!ask_for("the first digits of the cluster's id", id))
		return not_confirmed(f, "something else was typed", plan);
	return CODE_DONE;
}

/* ---- asking ---- */

static int look(const struct invocation *in, json_t **out_plan, struct failure *f)
{
	json_t *args = json_object();
	json_object_set(args, "dead", json_object_get(in->args, "dead"));
	json_object_set_new(args, "plan", json_true());
	struct exchange x = {.verb = "master seize", .args = args};
	int code = request_exchange(in, &x, out_plan, f);
	json_decref(args);
	return code;
}

/* The names as they were shown: what was typed is what is sent. */
static json_t *names_of(const json_t *plan)
{
	size_t i;
	json_t *dead, *names = json_array();
	json_array_foreach(json_member(plan, "dead"), i, dead)
		json_array_append(names, json_object_get(dead, "name"));
	return names;
}

static int seize(const struct invocation *in, const json_t *plan, struct failure *f)
{
	json_t *args = json_object(), *result = NULL, *names = names_of(plan);
	json_t *confirm = json_member(in->args, "confirm");
	json_object_set(args, "dead", names);
	json_object_set(args, "confirm", confirm != NULL ? confirm : names);
	json_decref(names);
	struct exchange x = {.verb = "master seize", .args = args, .writes = true};
	int code = request_exchange(in, &x, &result, f);
	if (code == CODE_DONE)
		request_show(in, result);
	json_decref(result);
	json_decref(args);
	return code;
}

int seize_perform(struct invocation *in, struct failure *f)
{
	json_t *plan = NULL;
	int code = look(in, &plan, f);
	if (code == CODE_DONE && json_member(in->args, "confirm") == NULL)
		code = let_type(in, plan, f);
	if (code == CODE_DONE)
		code = seize(in, plan, f);
	json_decref(plan);
	return code;
}
