#include "observe_clock.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "body_clock.h"

#define STEP_LEAST (100 * MILLISECOND) /* beyond what a slew of 10 % does within a second */
#define RATE_WINDOW (20 * SECOND)
#define RATE_STEP 100000 /* ppb: what is published is this coarse */

static duration magnitude(duration d)
{
	return d < 0 ? -d : d;
}

static void measure_rate(struct clock_watch *w, const struct now *now)
{
	duration raw = now->raw - w->since.raw, boot = now->boot - w->since.boot;
	if (raw < RATE_WINDOW)
		return;
	if (magnitude(boot - raw) < raw / 2) /* else it was suspended: says nothing about the rate */
		w->rate_ppb = (boot - raw) / (raw / SECOND) / RATE_STEP * RATE_STEP;
	w->since = *now;
}

/* A step is believed when it is still there a tick later: between two reads of clocks we may be paused. */
static void look_for_step(struct clock_watch *w, const struct now *now)
{
	duration base = now->wall - now->boot;
	duration most = STEP_LEAST + (now->boot - w->last) / 10;
	bool far = magnitude(base - w->base) > most;
	if (far && w->suspect != w->base && magnitude(base - w->suspect) <= most) {
		w->stepped_wall = now->wall;
		w->stepped = base - w->base;
		far = false;
	}
	w->suspect = base;
	if (!far)
		w->base = base; /* slews are followed */
}

void clock_watch_tick(struct clock_watch *w, const struct now *now)
{
	if (!w->begun) {
		duration base = now->wall - now->boot;
		*w = (struct clock_watch){.begun = true, .base = base, .suspect = base, .since = *now};
	} else {
		look_for_step(w, now);
		measure_rate(w, now);
	}
	w->last = now->boot;
}

/* By what each leaves in /run while it works. */
static const char *time_service(void)
{
	static const struct {
		const char *path, *name;
	} services[] = {
		{"/run/chrony/chronyd.pid", "chrony"},
		{"/run/chrony/chronyd.sock", "chrony"},
		{"/run/ntpd.pid", "ntpd"},
		{"/run/ntpsec/ntpd.pid", "ntpsec"},
		{"/run/openntpd.pid", "openntpd"},
		{"/run/systemd/timesync/synchronized", "systemd-timesyncd"},
		{"/run/systemd/timesync", "systemd-timesyncd"},
	};
	for (size_t i = 0; i < sizeof services / sizeof services[0]; i++) {
		if (access(services[i].path, F_OK) == 0)
			return services[i].name;
	}
	return "";
}

void clock_watch_fact(const struct clock_watch *w, struct clock_fact *out)
{
	struct clock_sync sync;
	*out = (struct clock_fact){.rate_ppb = w->rate_ppb,
		.stepped_wall = w->stepped_wall,
		.stepped = w->stepped};
	out->unknown = !body_clock_sync(&sync);
	out->synchronised = !out->unknown && sync.synchronised;
	/* The bound grows by 500 us a second between two updates of the service: said in steps. */
	out->max_error = out->synchronised
	                     ? (duration)fact_step((uint64_t)(sync.max_error / MILLISECOND), 100) *
	                           MILLISECOND
	                     : 0;
	snprintf(out->service, sizeof out->service, "%s", time_service());
}
