/*
 * essaimd with a clock that a test can set: the wall clock's offset, and what the kernel says of how
 * well it is kept. Everything else is the daemon's own code; the lease's clocks are the real ones.
 *
 * ESSAIM_TEST_CLOCK names a file of four 64-bit numbers, mapped: the wall clock's offset in ns, kept (0, 1,
 * or 2: the kernel does not say), the bound of the error in ns, and by how many ppm the raw clock runs slow.
 * Without it the clock is the real one.
 *
 * ESSAIM_TEST_WIRE=MIN-MAX makes it speak those wire versions, ESSAIM_TEST_VERSION makes it say that it is
 * that release.
 *
 * ESSAIM_TEST_RESOLVER makes its resolver child a bad one while the file of that name says how: "garbage",
 * "flood" (50 MB), "hang", "die". Empty, or not there: the real one.
 */
#define body_clock_read real_clock_read
#define body_clock_wall real_clock_wall
#define body_clock_sync real_clock_sync
#include "../../node/body_clock.c" /* NOLINT: the very code, under other names */
#undef body_clock_read
#undef body_clock_wall
#undef body_clock_sync

#include "facts.h"
#include "gossip.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void body_clock_read(struct now *out);
instant body_clock_wall(void);
bool body_clock_sync(struct clock_sync *out);

struct set_clock {
	int64_t offset, kept, max_error, slow_ppm;
};

static const volatile struct set_clock *set_clock(void)
{
	static const volatile struct set_clock *mapped;
	static bool looked;
	if (looked)
		return mapped;
	looked = true;
	const char *path = getenv("ESSAIM_TEST_CLOCK");
	int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	void *at = mmap(NULL, sizeof *mapped, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	mapped = at == MAP_FAILED ? NULL : at;
	return mapped;
}

/* Of the raw clock, so far: it never jumps, whatever the rate is changed to. */
static duration lost(instant raw)
{
	static instant last;
	static duration sum;
	if (last != 0)
		sum += (raw - last) / 1000000 * set_clock()->slow_ppm;
	last = raw;
	return sum;
}

void body_clock_read(struct now *out)
{
	real_clock_read(out);
	if (set_clock() == NULL)
		return;
	out->wall += set_clock()->offset;
	out->raw -= lost(out->raw);
}

instant body_clock_wall(void)
{
	return real_clock_wall() + (set_clock() == NULL ? 0 : set_clock()->offset);
}

bool body_clock_sync(struct clock_sync *out)
{
	if (set_clock() == NULL)
		return real_clock_sync(out);
	if (set_clock()->kept == 2)
		return false;
	*out = (struct clock_sync){set_clock()->kept != 0, set_clock()->max_error};
	return true;
}

/* ---- another release: the linker gives these calls to us (--wrap) ---- */

struct gossip *__real_gossip_init(void *memory, const struct gossip_settings *settings);
struct gossip *__wrap_gossip_init(void *memory, const struct gossip_settings *settings);
void __real_host_observe(struct host_fact *out);
void __wrap_host_observe(struct host_fact *out);

struct gossip *__wrap_gossip_init(void *memory, const struct gossip_settings *settings)
{
	struct gossip_settings ours = *settings;
	const char *range = getenv("ESSAIM_TEST_WIRE");
	if (range != NULL && sscanf(range, "%u-%u", &ours.wire_min, &ours.wire_max) != 2)
		abort();
	return __real_gossip_init(memory, &ours);
}

void __wrap_host_observe(struct host_fact *out)
{
	const char *version = getenv("ESSAIM_TEST_VERSION");
	__real_host_observe(out);
	if (version == NULL)
		return;
	memset(out->version, 0, sizeof out->version);
	snprintf(out->version, sizeof out->version, "%s", version);
}

/* ---- a bad resolver ---- */

static void flood(void)
{
	char block[65536];
	memset(block, 'x', sizeof block);
	for (int i = 0; i < 800; i++) {
		if (write(1, block, sizeof block) < 0)
			return;
	}
}

/* Before main: what the daemon starts as its child is this very program. */
__attribute__((constructor)) static void bad_resolver(int count, char **arguments)
{
	char how[16] = "";
	const char *path = getenv("ESSAIM_TEST_RESOLVER");
	if (path == NULL || count < 2 || strcmp(arguments[1], "--resolve") != 0)
		return;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, how, sizeof how - 1) <= 0)
		return;
	if (strcmp(how, "garbage") == 0)
		dprintf(1, "\x1b[31m10.88.0.1\n999.1.1.1\n%%s%%n\n");
	else if (strcmp(how, "flood") == 0)
		flood();
	else if (strcmp(how, "hang") == 0)
		for (;;)
			pause();
	_exit(strcmp(how, "die") == 0 ? 127 : 0);
}
