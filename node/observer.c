#include "observer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "body_clock.h"
#include "store.h"

#define PERIOD_S 30
#define UNTIL_MEMBER_S 1
#define LOAD_MAX 96

struct observer {
	struct body *body;
	struct event *timer;
	bool version_said;
	char load[LOAD_MAX]; /* as last published */
};

static void publish(struct body *body, const char *key, const char *value)
{
	struct input input = {.kind = INPUT_PUBLISH};
	input.publish.key = (struct bytes){(const uint8_t *)key, strlen(key)};
	input.publish.value = (struct bytes){(const uint8_t *)value, strlen(value)};
	body_step(body, &input);
}

/*
 * 0 up to 100 ms, then 200, 500, 1000, 2000 …: the next step up. A new fact goes to every member, about
 * 1 KB for each: what is well is said once.
 */
static int64_t coarse_ms(duration d)
{
	int64_t ms = (d + MILLISECOND - 1) / MILLISECOND;
	if (ms <= 100)
		return 0;
	for (int64_t ten = 100;; ten *= 10) {
		if (ms <= 2 * ten)
			return 2 * ten;
		if (ms <= 5 * ten)
			return 5 * ten;
		if (ms <= 10 * ten)
			return 10 * ten;
	}
}

/* Resident memory in MiB, rounded up to eights; 0 if the kernel does not say. */
static long rss_mib(void)
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
	return (bytes + step - 1) / step * 8;
}

static bool is_member(const struct body *body)
{
	struct status_view status;
	struct now now;
	body_clock_read(&now);
	gossip_status(body->gossip, &now, &status);
	return status.standing == STANDING_MEMBER;
}

static void say(struct observer *o)
{
	char load[LOAD_MAX];
	snprintf(load, sizeof load, "{\"lag_ms\":%lld,\"store_ms\":%lld,\"rss_mib\":%ld}",
	         (long long)coarse_ms(o->body->lag_max),
	         (long long)coarse_ms(store_latency(o->body->store)), rss_mib());
	o->body->lag_max = 0;
	if (!o->version_said)
		publish(o->body, "version", ESSAIM_VERSION);
	o->version_said = true;
	if (strcmp(load, o->load) == 0)
		return;
	memcpy(o->load, load, sizeof load);
	publish(o->body, "load", load);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
	struct observer *o = context;
	bool member = is_member(o->body);
	struct timeval next = {member ? PERIOD_S : UNTIL_MEMBER_S, 0};
	if (member)
		say(o);
	event_add(o->timer, &next);
}

struct observer *observer_create(struct body *body)
{
	struct observer *o = calloc(1, sizeof *o);
	if (o == NULL)
		return NULL;
	struct timeval period = {UNTIL_MEMBER_S, 0};
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
