/*
 * fail.h: an error as people and programs get it: what failed, why, and the command that helps.
 */
#ifndef ESSAIM_CLI_FAIL_H
#define ESSAIM_CLI_FAIL_H

#include <jansson.h>
#include <stdbool.h>

struct failure {
	int code;
	char what[256];
	char why[768];
	char hint[256]; /* empty: no command helps */
	bool answered;  /* the daemon's own words */
	json_t *report; /* what is printed along with --json: `doctor` of a join; or NULL */
};

/* Fills all but the hint (which becomes empty); returns `code`. Texts too long are cut. */
int failure_set(struct failure *f, int code, const char *what, const char *why);
void failure_hint(struct failure *f, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* From a final frame's {"what","why","hint"}; all of them may be missing. */
int failure_from_json(struct failure *f, int code, const json_t *error);

/* To stderr, or with `json` to stdout as {"error":{...},"code":N}. Returns the code. */
int failure_print(const struct failure *f, bool json);

#endif
