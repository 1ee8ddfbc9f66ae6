#include "view_names.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "storage.h"

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Insertions, deletions and replaced letters; one row of the table at a time. */
static uint32_t distance_of(const char *a, const char *b)
{
	uint32_t row[NAME_MAX_SIZE + 1], size = (uint32_t)strlen(b);
	for (uint32_t k = 0; k <= size; k++)
		row[k] = k;
	for (uint32_t i = 0; a[i] != '\0'; i++) {
		uint32_t diagonal = row[0];
		row[0] = i + 1;
		for (uint32_t k = 0; k < size; k++) {
			uint32_t replaced = diagonal + (a[i] != b[k]);
			diagonal = row[k + 1];
			row[k + 1] = least(replaced, least(diagonal, row[k]) + 1);
		}
	}
	return row[size];
}

void names_near_offer(struct names_near *near, const char *name)
{
	uint32_t at = near->count;
	near->offered++;
	if (strlen(name) > NAME_MAX_SIZE || strlen(near->wanted) > 2 * NAME_MAX_SIZE)
		return;
	uint32_t distance = distance_of(near->wanted, name);
	if (distance > 1 + strlen(near->wanted) / 3)
		return;
	while (at > 0 && distance < near->distance[at - 1])
		at--;
	if (at == NAMES_NEAR_MAX)
		return;
	if (near->count < NAMES_NEAR_MAX)
		near->count++;
	for (uint32_t i = near->count - 1; i > at; i--) {
		near->distance[i] = near->distance[i - 1];
		memcpy(near->list[i], near->list[i - 1], sizeof near->list[i]);
	}
	near->distance[at] = distance;
	memcpy(near->list[at], name, strlen(name) + 1);
}

void names_near_say(const struct names_near *near, char *out, size_t size)
{
	size_t used = 0;
	out[0] = '\0';
	for (uint32_t i = 0; i < near->count && used < size; i++) {
		const char *before = i == 0 ? " (did you mean " : i + 1 == near->count ? " or " : ", ";
		used += (size_t)snprintf(out + used, size - used, "%s'%s'%s", before, near->list[i],
		                         i + 1 == near->count ? "?)" : "");
	}
}

static int refuse(const struct names_near *near, const char *what, const char *command, struct step_why *why)
{
	char meant[NAMES_NEAR_MAX * (NAME_MAX_SIZE + 8) + 24];
	names_near_say(near, meant, sizeof meant);
	verdict_why(why, STEP_FAILED, "no %s is called '%.130s'%s: %s shows them", what, near->wanted, meant,
	            command);
	return -ENOENT;
}

int refuse_unknown_node(const struct engine_view *view, const char *name, struct step_why *why)
{
	struct names_near near = {.wanted = name};
	struct engine_member member;
	for (uint32_t i = 0; view->member(view->context, i, &member); i++)
		names_near_offer(&near, member.name);
	return refuse(&near, "member", "essaim node list", why);
}

int refuse_unknown_storage(const struct engine_view *view, const char *name, struct step_why *why)
{
	struct names_near near = {.wanted = name};
	struct registry_row row;
	char text[NAME_MAX_SIZE + 1];
	for (uint32_t cursor = 0; view->next_row(view->context, REGISTRY_STORAGE, &cursor, &row);) {
		size_t size = row.name.size < NAME_MAX_SIZE ? row.name.size : NAME_MAX_SIZE;
		memcpy(text, row.name.data, size);
		text[size] = '\0';
		names_near_offer(&near, text);
	}
	if (near.offered == 0) {
		verdict_why(why, STEP_FAILED, "no storage is called '%.130s', as none is declared: essaim storage add",
		            name);
		return -ENOENT;
	}
	return refuse(&near, "storage", "essaim storage list", why);
}
