#include "observe_storage.h"

#include <stdlib.h>

#include "body_clock.h"
#include "text.h"

#define LEVEL 3 /* before it, members keep fewer facts of each other than there are pages */

struct storage_watch {
	struct body *body;
	struct event *timer;
	struct lvm_watch *lvm;
	struct drbd_watch *drbd;
	struct dirs_watch *dirs;
};

void inventory_publish(struct body *body, const char *key, const uint8_t *value, size_t size)
{
	struct input input = {.kind = INPUT_PUBLISH};
	input.publish.key = text_bytes(key);
	input.publish.value = (struct bytes){size == 0 ? NULL : value, size};
	body_step(body, &input);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
	struct storage_watch *s = context;
	struct timeval next = {1, 0};
	struct status_view status;
	struct now now;
	body_clock_read(&now);
	gossip_status(s->body->gossip, &now, &status);
	event_add(s->timer, &next);
	if (status.standing != STANDING_MEMBER || status.level < LEVEL ||
	    s->body->config.observe == OBSERVE_NO)
		return;
	drbd_watch_again(s->drbd, now.wall);
	lvm_watch_again(s->lvm, now.wall, drbd_watch_seen(s->drbd));
	dirs_watch_again(s->dirs, now.wall);
}

struct storage_watch *storage_watch_create(struct body *body)
{
	struct storage_watch *s = calloc(1, sizeof *s);
	struct timeval first = {1, 0};
	if (s == NULL)
		return NULL;
	s->body = body;
	s->timer = event_new(body->base, -1, 0, on_timer, s);
	s->lvm = lvm_watch_create(body);
	s->drbd = drbd_watch_create(body);
	s->dirs = dirs_watch_create(body);
	if (s->timer == NULL || s->lvm == NULL || s->drbd == NULL || s->dirs == NULL || event_add(s->timer, &first) < 0) {
		storage_watch_destroy(s);
		return NULL;
	}
	return s;
}

void storage_watch_destroy(struct storage_watch *s)
{
	if (s == NULL)
		return;
	if (s->timer != NULL)
		event_free(s->timer);
	lvm_watch_destroy(s->lvm);
	drbd_watch_destroy(s->drbd);
	dirs_watch_destroy(s->dirs);
	free(s);
}

const struct lvm_head *storage_watch_lvm(const struct storage_watch *s)
{
	return lvm_watch_head(s->lvm);
}

const struct lvm_seen *storage_watch_volumes(const struct storage_watch *s)
{
	return lvm_watch_seen(s->lvm);
}

const struct drbd_head *storage_watch_drbd(const struct storage_watch *s)
{
	return drbd_watch_head(s->drbd);
}
