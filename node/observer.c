#include "observer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "body_clock.h"
#include "facts.h"
#include "observe_clock.h"
#include "observe_host.h"
#include "observe_peers.h"
#include "store.h"

#define PACE_MEMBERS 100 /* up to so many, everybody speaks as often as there is news */
#define USAGE_EVERY 30 /* s */
#define TIME_EVERY 5
#define TIME_FIRST 10 /* the first comparisons are the roughest */
#define TELL_GAP 60   /* s between two time facts, unless something is wrong */

struct observer {
	struct body *body;
	struct event *timer;
	bool introduced;
	uint32_t seconds; /* as a member */
	struct usage_fact usage; /* as last told */
	bool usage_told;
	struct clock_watch watch;
	struct clock_fact told; /* the time fact as last told */
	struct clock_fact seen;
	bool time_told;
	uint32_t time_at;
	uint32_t usage_at;
};

uint32_t observer_pace(uint32_t members)
{
	return members <= PACE_MEMBERS ? 1 : members / PACE_MEMBERS;
}

static void publish(struct body *body, const char *key, const uint8_t *value, size_t size)
{
	struct input input = {.kind = INPUT_PUBLISH};
	input.publish.key = (struct bytes){(const uint8_t *)key, strlen(key)};
	input.publish.value = (struct bytes){value, size};
	body_step(body, &input);
}

static void introduce(struct observer *o)
{
	uint8_t value[FACT_VALUE_ROOM];
	struct host_fact host;
	host_observe(&host);
	publish(o->body, "version", (const uint8_t *)ESSAIM_VERSION, strlen(ESSAIM_VERSION));
	publish(o->body, FACT_KEY_HOST, value, host_fact_encode(&host, value, sizeof value));
	o->introduced = true;
}

/* ---- usage ---- */

/* Resident memory in MiB, rounded up to eights; 0 if the kernel does not say. */
static uint32_t rss_mib(void)
{
	long pages = 0;
	FILE *in = fopen("/proc/self/statm", "re");
	if (in == NULL)
		return 0;
	if (fscanf(in, "%*s %ld", &pages) != 1)
		pages = 0;
	fclose(in);
	long bytes = pages * sysconf(_SC_PAGESIZE);
	long step = 8 << 20;
	return (uint32_t)((bytes + step - 1) / step * 8);
}

static uint32_t coarse_ms(duration d)
{
	return fact_step((uint64_t)((d + MILLISECOND - 1) / MILLISECOND), 100);
}

static void say_usage(struct observer *o)
{
	uint8_t value[FACT_VALUE_ROOM];
	struct usage_fact usage;
	memset(&usage, 0, sizeof usage); /* compared as bytes */
	if (!usage_observe(o->body->config.data, &usage))
		usage.since_wall = o->usage.unknown ? o->usage.since_wall : body_clock_wall();
	usage.lag_ms = coarse_ms(o->body->lag_max);
	usage.store_ms = coarse_ms(store_latency(o->body->store, true));
	usage.rss_mib = rss_mib();
	o->body->lag_max = 0;
	if (memcmp(&usage, &o->usage, sizeof usage) == 0)
		return;
	o->usage = usage;
	o->usage_told = true;
	publish(o->body, FACT_KEY_USAGE, value, usage_fact_encode(&usage, value, sizeof value));
}

/* ---- time ---- */

static bool kept_differently(const struct clock_fact *a, const struct clock_fact *b)
{
	return a->unknown != b->unknown || a->synchronised != b->synchronised ||
	       a->stepped_wall != b->stepped_wall || strcmp(a->service, b->service) != 0;
}

static void say_time(struct observer *o, const struct now *now, uint32_t pace)
{
	uint8_t value[FACT_VALUE_ROOM];
	clock_watch_fact(&o->watch, &o->seen);
	if (o->seen.unknown)
		o->seen.since_wall = o->told.unknown ? o->told.since_wall : now->wall;
	peers_observe(o->body->gossip, now, &o->seen);
	const struct clock_fact fresh = o->seen;
	bool urgent = !o->time_told || kept_differently(&o->told, &fresh);
	bool due = o->seconds - o->time_at >= TELL_GAP * pace;
	if (!urgent && !(due && peers_differ(&o->told, &fresh)))
		return;
	o->told = fresh;
	o->time_told = true;
	o->time_at = o->seconds;
	publish(o->body, FACT_KEY_CLOCK, value, clock_fact_encode(&fresh, value, sizeof value));
}

/* ---- the second's round ---- */

static void look(struct observer *o, const struct now *now, uint32_t pace)
{
	if (!o->introduced)
		introduce(o);
	if (o->seconds >= o->usage_at) {
		o->usage_at = o->seconds + USAGE_EVERY * pace;
		say_usage(o);
	}
	if (o->seconds >= TIME_FIRST && o->seconds % TIME_EVERY == 0)
		say_time(o, now, pace);
	o->seconds++;
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
	struct observer *o = context;
	struct timeval next = {1, 0};
	struct status_view status;
	struct now now;
	body_clock_read(&now);
	clock_watch_tick(&o->watch, &now);
	gossip_status(o->body->gossip, &now, &status);
	if (status.standing == STANDING_MEMBER)
		look(o, &now, observer_pace(status.members_total));
	event_add(o->timer, &next);
}

struct observer *observer_create(struct body *body)
{
	struct observer *o = calloc(1, sizeof *o);
	if (o == NULL)
		return NULL;
	struct timeval period = {1, 0};
	o->body = body;
	o->timer = event_new(body->base, -1, 0, on_timer, o);
	if (o->timer == NULL || event_add(o->timer, &period) < 0) {
		observer_destroy(o);
		return NULL;
	}
	return o;
}

void observer_destroy(struct observer *o)
{
	if (o->timer != NULL)
		event_free(o->timer);
	free(o);
}

const struct usage_fact *observer_usage(const struct observer *o)
{
	return o->usage_told ? &o->usage : NULL;
}

const struct clock_fact *observer_clock(const struct observer *o)
{
	return o->time_told ? &o->seen : NULL;
}
