#include "near_names.h"

#include <stdio.h>
#include <string.h>

struct near {
	char name[NAME_MAX_SIZE + 1];
	uint32_t distance;
};

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* One row of the table at a time; `b` is cut at what a name can be. */
uint32_t name_distance(const char *a, const char *b)
{
	uint32_t row[NAME_MAX_SIZE + 1], size = (uint32_t)strnlen(b, NAME_MAX_SIZE);
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

/* A third of the letters may be wrong, and at least one. */
static bool is_near(const char *name, uint32_t distance)
{
	return distance <= 1 + strlen(name) / 3;
}

/* Into its place among the nearest; the farthest falls out. */
static void take(struct near best[NEAR_NAMES_MAX], const char *name, uint32_t distance)
{
	uint32_t at = NEAR_NAMES_MAX;
	while (at > 0 && distance < best[at - 1].distance)
		at--;
	if (at == NEAR_NAMES_MAX)
		return;
	memmove(&best[at + 1], &best[at], (NEAR_NAMES_MAX - 1 - at) * sizeof best[0]);
	snprintf(best[at].name, sizeof best[at].name, "%s", name);
	best[at].distance = distance;
}

static void find(const struct gossip *g, const struct now *now, const char *name,
                 struct near best[NEAR_NAMES_MAX])
{
	struct member_view member;
	for (uint32_t i = 0; i < NEAR_NAMES_MAX; i++)
		best[i].distance = UINT32_MAX;
	for (uint32_t i = 0; gossip_member_at(g, now, i, &member); i++) {
		bool gone = member.state == GONE_LEFT || member.state == GONE_REMOVED;
		uint32_t distance = gone ? UINT32_MAX : name_distance(name, member.name);
		if (!gone && is_near(name, distance))
			take(best, member.name, distance);
	}
}

void near_names(const struct gossip *g, const struct now *now, const char *name,
                char out[NEAR_NAMES_TEXT])
{
	struct near best[NEAR_NAMES_MAX];
	size_t used = 0;
	out[0] = '\0';
	find(g, now, name, best);
	for (uint32_t i = 0; i < NEAR_NAMES_MAX && best[i].distance != UINT32_MAX; i++) {
		bool last = i + 1 == NEAR_NAMES_MAX || best[i + 1].distance == UINT32_MAX;
		const char *before = i == 0 ? "" : last ? " or " : ", ";
		used += (size_t)snprintf(out + used, NEAR_NAMES_TEXT - used, "%s'%s'", before,
		                         best[i].name);
	}
}
