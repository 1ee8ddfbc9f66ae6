/*
 * essaimd with a clock that a test can set: the wall clock's offset, and what the kernel says of how
 * well it is kept. Everything else is the daemon's own code; the lease's clocks are the real ones.
 *
 * ESSAIM_TEST_CLOCK names a file of three 64-bit numbers, mapped: offset in ns, kept (0 or 1), and the
 * bound of the error in ns. Without it the clock is the real one.
 */
#define body_clock_read real_clock_read
#define body_clock_wall real_clock_wall
#define body_clock_sync real_clock_sync
#include "../../node/body_clock.c" /* NOLINT: the very code, under other names */
#undef body_clock_read
#undef body_clock_wall
#undef body_clock_sync

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void body_clock_read(struct now *out);
instant body_clock_wall(void);
bool body_clock_sync(struct clock_sync *out);

struct set_clock {
	int64_t offset, kept, max_error;
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

void body_clock_read(struct now *out)
{
	real_clock_read(out);
	if (set_clock() != NULL)
		out->wall += set_clock()->offset;
}

instant body_clock_wall(void)
{
	return real_clock_wall() + (set_clock() == NULL ? 0 : set_clock()->offset);
}

bool body_clock_sync(struct clock_sync *out)
{
	if (set_clock() == NULL)
		return real_clock_sync(out);
	*out = (struct clock_sync){set_clock()->kept != 0, set_clock()->max_error};
	return true;
}
