#include "verbs.h"

static const struct verb *const list[] = {
	&verb_hook_run,
};

const struct verb_table verbs = {list, sizeof list / sizeof list[0]};
