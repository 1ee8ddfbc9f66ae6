/*
 * engine_rules.c: the table of rules, and their sentences with names filled in.
 */
#include "engine_rules.h"

#include <stdio.h>
#include <string.h>

#include "engine.h"

static const struct {
	const char *name, *sentence;
	enum engine_rule_level level;
	bool event;
} rules[] = {
#define RULE(name, level, event, sentence) {#name, sentence, ENGINE_LEVEL_##level, event},
    ENGINE_RULES(RULE)
#undef RULE
};

const char *engine_rule_name(enum engine_rule rule)
{
	return rules[rule].name;
}

enum engine_rule_level engine_rule_level(enum engine_rule rule)
{
	return rules[rule].level;
}

bool engine_rule_event(enum engine_rule rule)
{
	return rules[rule].event;
}

/* What stands for {name}, in `room` if it must be made. */
static const char *filled(const struct engine_trace *trace, const char *node, const char *name,
                          size_t size, char room[24])
{
	if (size == 2 && !memcmp(name, "op", 2))
		snprintf(room, 24, "%llu", (unsigned long long)trace->number);
	else if (size == 5 && !memcmp(name, "value", 5))
		snprintf(room, 24, "%lld", (long long)trace->value);
	else if (size == 4 && !memcmp(name, "node", 4))
		return node;
	else if (size == 4 && !memcmp(name, "text", 4))
		return trace->text ? trace->text : "";
	else
		return "?";
	return room;
}

void engine_trace_sentence(const struct engine_trace *trace, const char *node, char *out,
                           size_t size)
{
	size_t used = 0;
	for (const char *at = rules[trace->rule].sentence; *at && used + 1 < size;) {
		const char *end = *at == '{' ? strchr(at, '}') : NULL;
		if (!end) {
			out[used++] = *at++;
			continue;
		}
		char room[24];
		const char *text = filled(trace, node, at + 1, (size_t)(end - at - 1), room);
		size_t length = strlen(text), left = size - 1 - used;
		memcpy(out + used, text, length < left ? length : left);
		used += length < left ? length : left;
		at = end + 1;
	}
	out[used] = '\0';
}
