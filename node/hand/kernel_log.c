#include "kernel_log.h"

#include <stdio.h>
#include <string.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "6,339,5140900," at the beginning: its length without the last comma; 0: it is none. */
static size_t numbers_size(const char *record)
{
	size_t at = 0;
	for (int i = 0; i < 3; i++) {
		if (!is_digit(record[at]))
			return 0;
		while (is_digit(record[at]))
			at++;
		if (record[at++] != ',')
			return 0;
	}
	return at - 1;
}

/* Another module, or a program that writes there, may name drbd in its text: that is not DRBD's word. */
static bool is_drbds(const char *text)
{
	return strncmp(text, "drbd ", 5) == 0 || strncmp(text, "drbd:", 5) == 0 ||
	       (strncmp(text, "block drbd", 10) == 0 && is_digit(text[10]));
}

bool kernel_log_line(const char *record, char *out, size_t size)
{
	size_t numbers = numbers_size(record);
	const char *text = numbers > 0 ? strchr(record + numbers, ';') : NULL;
	const char *end = strchr(record, '\n');
	if (text == NULL || (end != NULL && end < text) || !is_drbds(text + 1))
		return false;
	int used = snprintf(out, size, "%.*s,-;%.*s", (int)numbers, record, (int)strcspn(text + 1, "\n"), text + 1);
	if (used < 0 || (size_t)used >= size)
		return false;
	for (char *c = out; *c != '\0'; c++)
		*c = *c >= ' ' && *c < 127 ? *c : '?';
	return true;
}
