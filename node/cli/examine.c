#include "examine.h"

#include <stdio.h>
#include <string.h>

#include "client.h"
#include "doctor_table.h"
#include "human.h"
#include "json.h"
#include "nearest.h"
#include "request.h"
#include "show.h"

#define CODES_MAX 128

/* ---- codes ---- */

static int unknown_code(const char *code, struct failure *f)
{
	const char *names[CODES_MAX];
	size_t count = 0;
	char why[160];
	for (uint32_t i = 0; code_at(i) != NULL && count < CODES_MAX; i++)
		names[count++] = code_at(i)->name;
	const char *near = nearest(code, names, count);
	snprintf(why, sizeof why, "'%.40s' is no code of the doctor's%s%s%s", code,
		 near != NULL ? "; did you mean " : "", near != NULL ? near : "",
		 near != NULL ? "?" : "");
	failure_set(f, CODE_USAGE, "unknown code", why);
	failure_hint(f, "essaim doctor explain");
	return CODE_USAGE;
}

static int check_ignored(const json_t *ignored, struct failure *f)
{
	size_t i;
	json_t *code;
	json_array_foreach(ignored, i, code)
	{
		if (code_named(json_string_value(code)) == NULL)
			return unknown_code(json_string_value(code), f);
	}
	return CODE_DONE;
}

static int check_area(const char *area, struct failure *f)
{
	enum doctor_area found;
	char why[200];
	if (*area == '\0' || area_parse(area, &found))
		return CODE_DONE;
	size_t used = (size_t)snprintf(why, sizeof why, "'%.40s' is none of", area);
	for (int i = 0; i < AREA_COUNT && used < sizeof why; i++)
		used += (size_t)snprintf(why + used, sizeof why - used, "%s %s", i == 0 ? "" : ",",
					 area_name((enum doctor_area)i));
	failure_set(f, CODE_USAGE, "unknown area", why);
	failure_hint(f, "essaim help doctor");
	return CODE_USAGE;
}

/* ---- explain ---- */

static json_t *code_json(const struct code_info *c)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "code", c->name, "area",
			 area_name(c->area), "severity", severity_name(c->severity), "what",
			 c->sentence, "why", c->why, "command", c->command);
}

static void show_code(const struct code_info *c)
{
	show_field("code", "%s", c->name);
	show_field("area", "%s", area_name(c->area));
	show_field("severity", "up to %s", severity_name(c->severity));
	show_field("says", "%s", c->sentence);
	show_field("matters", "%s", c->why);
	show_field("mend", "%s", c->command);
}

static void explain_all(bool json)
{
	json_t *list = json_array();
	for (uint32_t i = 0; code_at(i) != NULL; i++) {
		json_array_append_new(list, code_json(code_at(i)));
		if (!json)
			printf("%-16s %-8s %s\n", code_at(i)->name, area_name(code_at(i)->area),
			       severity_name(code_at(i)->severity));
	}
	if (json)
		json_print(list);
	json_decref(list);
}

int doctor_explain(struct invocation *in, struct failure *f)
{
	const char *code = json_text(in->args, "code");
	if (*code == '\0') {
		explain_all(in->globals->json);
		return CODE_DONE;
	}
	const struct code_info *found = code_named(code);
	if (found == NULL)
		return unknown_code(code, f);
	if (in->globals->json) {
		json_t *json = code_json(found);
		json_print(json);
		json_decref(json);
	} else {
		show_code(found);
	}
	return CODE_DONE;
}

/* ---- findings ---- */

#define INDENT 4

/* A paragraph below the finding's first line. */
static void show_below(const char *text)
{
	printf("%*s", INDENT, "");
	human_wrap(stdout, text, INDENT, human_width());
}

static void show_finding(const json_t *f)
{
	char seen[256], text[1024];
	show_names(json_member(f, "where"), "?", seen, sizeof seen);
	snprintf(text, sizeof text, "%s %s: %s", json_text(f, "severity"), json_text(f, "code"),
		 json_text(f, "what"));
	human_wrap(stdout, text, INDENT, human_width());
	show_below(json_text(f, "why"));
	snprintf(text, sizeof text, "(seen by %s since %s)", seen, json_text(f, "since"));
	show_below(text);
	printf("%*s", INDENT, "");
	human_print(stdout, json_text(f, "command")); /* whole, to be pasted */
	printf("\n");
}

void show_findings(const struct invocation *in, const json_t *result)
{
	char silent[256];
	size_t i;
	json_t *finding;
	const json_t *list = json_member(result, "findings");
	json_array_foreach(list, i, finding)
	{
		if (i > 0)
			printf("\n");
		show_finding(finding);
	}
	if (json_array_size(list) == 0)
		printf("Nothing is wrong on the %lld nodes that answer.\n",
		       (long long)json_number(result, "asked"));
	show_names(json_member(result, "silent"), "", silent, sizeof silent);
	if (*silent != '\0')
		show_notice("no word from %s", silent);
}

static bool has_error(const json_t *result)
{
	size_t i;
	json_t *finding;
	json_array_foreach(json_member(result, "findings"), i, finding)
	{
		if (strcmp(json_text(finding, "severity"), severity_name(SEVERITY_ERROR)) == 0)
			return true;
	}
	return false;
}

int doctor_perform(struct invocation *in, struct failure *f)
{
	json_t *result;
	struct exchange x = {.verb = "doctor examine", .args = in->args};
	int code = check_area(json_text(in->args, "area"), f);
	if (code == CODE_DONE)
		code = check_ignored(json_member(in->args, "ignore"), f);
	if (code != CODE_DONE)
		return code;
	code = request_exchange(in, &x, &result, f);
	if (result == NULL)
		return code;
	request_show(in, result);
	if (code == CODE_DONE && has_error(result))
		code = CODE_FAILED; /* the findings say it all: no further sentence */
	json_decref(result);
	return code;
}
