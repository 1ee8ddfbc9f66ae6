#include "body_clock.h"

#include <assert.h>
#include <stdio.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>

static instant read_clock(clockid_t id)
{
	struct timespec t;
	int failed = clock_gettime(id, &t);
	assert(failed == 0); /* these clocks exist on every Linux that we support */
	return (instant)t.tv_sec * SECOND + t.tv_nsec;
}

void body_clock_read(struct now *out)
{
	out->boot = read_clock(CLOCK_BOOTTIME);
	out->raw = read_clock(CLOCK_MONOTONIC_RAW);
	out->wall = read_clock(CLOCK_REALTIME);
}

instant body_clock_wall(void)
{
	return read_clock(CLOCK_REALTIME);
}

instant body_clock_monotonic(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

#define SYNCHRONISED_MAX 16000000 /* us: NTP's own limit (RFC 5905, MAXDIST) */

bool body_clock_sync(struct clock_sync *out)
{
	struct timex t = {.modes = 0};
	if (adjtimex(&t) < 0)
		return false;
	out->max_error = (duration)t.maxerror * MICROSECOND;
	out->synchronised = (t.status & STA_UNSYNC) == 0 && t.maxerror < SYNCHRONISED_MAX;
	return true;
}

void wall_format(instant wall, char out[WALL_TEXT_SIZE])
{
	time_t seconds = (time_t)(wall / SECOND);
	int ms = (int)(wall % SECOND / MILLISECOND);
	struct tm t;
	char date[24];
	if (wall < 0 || gmtime_r(&seconds, &t) == NULL ||
	    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &t) == 0) {
		snprintf(out, WALL_TEXT_SIZE, "-");
		return;
	}
	snprintf(out, WALL_TEXT_SIZE, "%s.%03dZ", date, ms);
}

void duration_timeval(duration d, struct timeval *out)
{
	if (d < 0)
		d = 0;
	out->tv_sec = (time_t)(d / SECOND);
	out->tv_usec = (suseconds_t)(d % SECOND / MICROSECOND);
}
