#include "violation.h"

#include <stdarg.h>
#include <stdio.h>

void violation_add(struct violations *v, instant at, const char *check, const char *format, ...)
{
	if (v->count++ >= VIOLATIONS_KEPT)
		return;
	struct violation *new = &v->list[v->count - 1];
	new->at = at;
	snprintf(new->check, sizeof(new->check), "%s", check);
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(new->text, sizeof(new->text), format, arguments);
	va_end(arguments);
}
