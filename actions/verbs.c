#include "verbs.h"

static const struct verb *const list[] = {
	&verb_hook_run,
	&verb_storage_add,
	&verb_storage_set,
	&verb_storage_remove,
	&verb_volume_create,
	&verb_volume_extend,
	&verb_volume_rename,
	&verb_volume_snapshot,
	&verb_volume_remove,
};

const struct verb_table verbs = {list, sizeof list / sizeof list[0]};
