#include "rules.h"

#include <assert.h>
#include <stddef.h>

const struct rule_info *rule_info(enum rule rule)
{
	static const struct rule_info rules[RULE_COUNT] = {
#define RULE(name, level, event, sentence) {#name, LEVEL_##level, event, sentence},
		RULES(RULE)
#undef RULE
	};
	assert(rule >= 0 && rule < RULE_COUNT);
	return &rules[rule];
}
