#include "observe_links.h"

#include <stdlib.h>
#include <sys/time.h>

#include "body_clock.h"
#include "knock.h"
#include "text.h"

#define LOOK_EVERY_S 3
#define PATIENCE (2 * SECOND) /* a SYN is sent again after one */
#define DOUBTFUL_MAX 32       /* who of a thousand are shut out all at once need not be listed all */

struct doubtful {
	node_id node;
	uint32_t shut; /* knocks in a row; 0: free */
};

struct link_watch {
	struct body *body;
	struct event *timer;
	uint32_t turn, member_next, doubtful_next;
	struct doubtful doubtful[DOUBTFUL_MAX];
};

/* ---- who is doubtful ---- */

static struct doubtful *place_of(struct link_watch *w, node_id node)
{
	struct doubtful *unused = NULL;
	for (uint32_t i = 0; i < DOUBTFUL_MAX; i++) {
		struct doubtful *d = &w->doubtful[i];
		if (d->shut > 0 && d->node == node)
			return d;
		if (d->shut == 0)
			unused = d;
	}
	return unused;
}

uint32_t link_watch_shut(const struct link_watch *w, node_id node)
{
	for (uint32_t i = 0; i < DOUBTFUL_MAX; i++) {
		if (w->doubtful[i].shut > 0 && w->doubtful[i].node == node)
			return w->doubtful[i].shut;
	}
	return 0;
}

static void on_knocked(void *context, node_id node, enum knock_result result)
{
	struct link_watch *w = context;
	struct doubtful *d = place_of(w, node);
	if (d == NULL)
		return;
	d->node = node;
	d->shut = result == KNOCK_OPEN ? 0 : d->shut + 1;
}

/* ---- whose turn it is ---- */

static bool looked_at(const struct member_view *m)
{
	return !m->self && m->state == REACHABLE;
}

static bool doubted(const struct link_watch *w, const struct member_view *m)
{
	return m->large_lost > 0 || m->unheard > 0 || link_watch_shut(w, m->id) > 0;
}

/* The next of the reachable ones after *cursor, all around once; `only` the doubtful. */
static bool next_member(const struct link_watch *w, const struct now *now, bool only, uint32_t *cursor,
                        struct member_view *out)
{
	for (int pass = 0; pass < 2; pass++) {
		while (gossip_member_at(w->body->gossip, now, *cursor, out)) {
			(*cursor)++;
			if (looked_at(out) && (!only || doubted(w, out)))
				return true;
		}
		*cursor = 0;
	}
	return false;
}

static uint32_t path_to(const struct body *body, const struct member_view *m)
{
	const struct addresses *listen = &body->config.listen;
	for (uint32_t i = 0; i < m->path_count; i++) {
		for (uint32_t k = 0; m->paths[i].used && k < listen->count; k++) {
			if (address_equal(&listen->list[k], &m->paths[i].local))
				return k;
		}
	}
	return 0;
}

static void look_at(struct link_watch *w, const struct member_view *m)
{
	struct input input = {.kind = INPUT_SOUND, .sound = {.to = m->id}};
	struct knock_question question = {m->id, m->address, path_to(w->body, m), PATIENCE};
	body_step(w->body, &input);
	knock_ask(w->body, &question, on_knocked, w);
}

static void forget_unreachable(struct link_watch *w, const struct now *now)
{
	struct member_view m;
	for (uint32_t i = 0; i < DOUBTFUL_MAX; i++) {
		struct doubtful *d = &w->doubtful[i];
		if (d->shut > 0 && (!gossip_member(w->body->gossip, now, d->node, &m) || !looked_at(&m)))
			d->shut = 0;
	}
}

static void on_timer(evutil_socket_t none, short what, void *context)
{
	struct link_watch *w = context;
	struct timeval next = {LOOK_EVERY_S, 0};
	struct status_view status;
	struct member_view m;
	struct now now;
	event_add(w->timer, &next);
	body_clock_read(&now);
	gossip_status(w->body->gossip, &now, &status);
	if (status.standing != STANDING_MEMBER)
		return;
	forget_unreachable(w, &now);
	bool again = w->turn++ % 2 == 1; /* every other turn is for the doubtful */
	if ((again && next_member(w, &now, true, &w->doubtful_next, &m)) ||
	    next_member(w, &now, false, &w->member_next, &m))
		look_at(w, &m);
}

/* ---- life ---- */

struct link_watch *link_watch_create(struct body *body)
{
	struct link_watch *w = calloc(1, sizeof *w);
	struct timeval first = {LOOK_EVERY_S, 0};
	if (w == NULL)
		return NULL;
	w->body = body;
	w->timer = event_new(body->base, -1, 0, on_timer, w);
	if (w->timer == NULL || event_add(w->timer, &first) < 0) {
		link_watch_destroy(w);
		return NULL;
	}
	return w;
}

void link_watch_destroy(struct link_watch *w)
{
	if (w == NULL)
		return;
	if (w->timer != NULL)
		event_free(w->timer);
	free(w);
}
