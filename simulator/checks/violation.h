/*
 * violation.h: what a checker found wrong, as a sentence, with the true time.
 *
 * Every checker is plain data plus functions that are told what happened; none knows the world, so
 * each can be shown a history that it must catch (tests/unit/test_checks.c).
 */
#ifndef ESSAIM_VIOLATION_H
#define ESSAIM_VIOLATION_H

#include "words.h"

#define VIOLATIONS_KEPT 8

struct violation {
	instant at;
	char check[16];
	char text[232];
};

struct violations {
	uint32_t count; /* all; only the first few are kept */
	struct violation list[VIOLATIONS_KEPT];
};

void violation_add(struct violations *v, instant at, const char *check, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

#endif
