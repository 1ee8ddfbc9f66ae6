/*
 * view_names.h: what a mistyped name may have meant, for refusals that help.
 */
#ifndef ESSAIM_VIEW_NAMES_H
#define ESSAIM_VIEW_NAMES_H

#include "verb.h"

#define NAMES_NEAR_MAX 3

/* The nearest of those that were offered; a third of the letters may be wrong, and at least one. */
struct names_near {
	const char *wanted;
	uint32_t count, offered;
	uint32_t distance[NAMES_NEAR_MAX];
	char list[NAMES_NEAR_MAX][NAME_MAX_SIZE + 1];
};

void names_near_offer(struct names_near *near, const char *name);
/* " (did you mean 'a' or 'b'?)"; "" if none is near. */
void names_near_say(const struct names_near *near, char *out, size_t size);

/* "no member is called 'x' (did you mean 'y'?): essaim node list shows them"; returns -ENOENT. */
int refuse_unknown_node(const struct engine_view *view, const char *name, struct step_why *why);
/* The same of storages, by the names of the rows 's'. */
int refuse_unknown_storage(const struct engine_view *view, const char *name, struct step_why *why);

#endif
