/*
 * What DRBD's tools and the kernel print: the same bytes as events, as the kernel's log, as
 * /proc/drbd and as `drbdsetup show`; then both "sides" are judged.
 */
#include "fuzz.h"

#include "drbd.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static struct drbd_seen seen, proc;
static struct drbd_page page;

static void check_resource(const struct drbd_resource *r)
{
	assert(strnlen(r->name, sizeof r->name) < sizeof r->name);
	assert(r->volume_count <= DRBD_VOLUMES_MAX && r->peer_count <= DRBD_PEERS_MAX);
	for (uint32_t i = 0; i < r->peer_count; i++) {
		const struct drbd_peer *p = &r->peers[i];
		assert(p->volume_count <= DRBD_VOLUMES_MAX);
		assert(strnlen(p->connection, sizeof p->connection) < sizeof p->connection);
		assert(strnlen(p->address, sizeof p->address) < sizeof p->address);
		for (uint32_t k = 0; k < p->volume_count; k++)
			assert(p->volumes[k].done >= -1 && p->volumes[k].done <= 10000);
	}
}

static void judge(const struct drbd_resource *one, const struct drbd_resource *other)
{
	struct drbd_side sides[2] = {{true, one, 0}, {true, other, 1}};
	struct drbd_judgement judgement;
	drbd_judge(sides, &judgement);
	assert(judgement.verdict < DRBD_VERDICTS && judgement.side <= 2);
}

static void check(const struct drbd_seen *s)
{
	assert(s->resource_count <= DRBD_RESOURCES_MAX);
	for (uint32_t i = 0; i < s->resource_count; i++) {
		check_resource(&s->resources[i]);
		judge(&s->resources[i], &s->resources[s->resource_count - 1]);
	}
	drbd_page_take(s, 1, 0, &page);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char version[DRBD_WORD_MAX + 1], *text = malloc(size + 1);
	struct drbd_generation generation;
	assert(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	memset(&seen, 0, sizeof seen);
	drbd_proc_parse(text, &proc, version);
	check(&proc);
	drbd_generation_parse(text, &generation);
	for (char *rest = text, *line; (line = strsep(&rest, "\n")) != NULL;) {
		drbd_events_line(&seen, line);
		drbd_kernel_line(&seen, line);
	}
	if (size > 0)
		memcpy(text, data, size);
	drbd_show_parse(text, &seen);
	check(&seen);
	free(text);
	return 0;
}
