#include "machine.h"

/* d * ppm / 10^6 without overflow for any d of a run. */
static int64_t scale(int64_t d, int64_t ppm)
{
	return d / 1000000 * ppm + d % 1000000 * ppm / 1000000;
}

instant clock_read(const struct clock *c, instant t)
{
	int64_t elapsed = t - c->base;
	return c->local + elapsed + scale(elapsed, c->ppm);
}

instant clock_when(const struct clock *c, instant local)
{
	int64_t rate = 1000000 + c->ppm;
	int64_t ahead = local - c->local;
	instant t = c->base + ahead / rate * 1000000 + ahead % rate * 1000000 / rate;
	while (clock_read(c, t) < local)
		t++;
	return t;
}

void clock_set_rate(struct clock *c, instant t, int64_t ppm)
{
	c->local = clock_read(c, t);
	c->base = t;
	c->ppm = ppm;
}
