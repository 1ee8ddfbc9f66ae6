#include "loop.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "body_clock.h"
#include "control.h"
#include "engine_body.h"
#include "journal.h"
#include "knock.h"
#include "sentence.h"
#include "store.h"
#include "stream.h"
#include "udp.h"
#include "watch.h"

#define STOP_PATIENCE_S 2

/* ---- effects ---- */

static bool of_members(enum rule rule)
{
	return rule == RULE_REACHABLE || rule == RULE_UNREACHABLE || rule == RULE_MEMBER_ADDED ||
	       rule == RULE_MEMBER_LEFT || rule == RULE_MEMBER_REMOVED;
}

static void carry_trace(struct body *b, const struct now *now, const struct trace *trace)
{
	const struct rule_info *rule = rule_info(trace->rule);
	if (rule->event)
		watch_event(b->watch, now->wall, trace);
	if (of_members(trace->rule))
		engine_body_member(b->engine);
	if (!journal_wants(rule->level))
		return;
	const char *subject = gossip_name(b->gossip, trace->subject);
	const char *other = gossip_name(b->gossip, trace->other);
	char text[SENTENCE_MAX];
	sentence_format(text, sizeof text, rule->sentence, subject, other, trace->numbers,
	                trace->ends);
	struct journal_line line = {rule->level, rule->name, subject, other, text};
	journal_write(&line);
}

static void carry_stop(struct body *b, enum standing standing)
{
	b->stop_seen = true;
	b->stop_standing = standing;
	if (!b->starting) /* see stay_idle */
		loop_end(b);
}

static void carry(struct body *b, const struct now *now, const struct effect *e)
{
	switch (e->kind) {
	case EFFECT_PACKET:
		udp_send(b->udp, e->packet.path, &e->packet.to, e->packet.bytes);
		break;
	case EFFECT_FRAME:
		streams_frame(b->streams, e);
		break;
	case EFFECT_PERSIST:
		store_persist(b->store, e->persist.number, e->persist.lazy, e->persist.op_count,
		              e->persist.ops);
		engine_body_persists(b->engine, e->persist.number);
		break;
	case EFFECT_ANSWER:
		control_answer(b->control, e->answer.client, e->answer.answer);
		break;
	case EFFECT_PROGRESS:
		control_progress(b->control, e);
		break;
	case EFFECT_KNOCK:
		knock_start(b, e);
		break;
	case EFFECT_DIAL:
		streams_dial(b->streams, e);
		break;
	case EFFECT_HANG_UP:
		streams_hang_up(b->streams, e->hang_up.node);
		break;
	case EFFECT_PATH_DOWN:
		streams_path_down(b->streams, e);
		break;
	case EFFECT_TRACE:
		carry_trace(b, now, &e->trace);
		break;
	case EFFECT_CHANGED:
		watch_changed(b->watch, e);
		break;
	case EFFECT_ROW:
	case EFFECT_ROWS:
	case EFFECT_PROPOSED:
	case EFFECT_ENGINE:
	case EFFECT_ENGINE_MESSAGE:
		engine_body_effect(b->engine, e);
		break;
	case EFFECT_ENGINE_PROGRESS:
		control_engine_progress(b->control, e->engine_progress.client, e->engine_progress.bytes);
		break;
	case EFFECT_OUTCOME:
		control_outcome(b->control, e->outcome.done, e->outcome.text);
		break;
	case EFFECT_STOP:
		carry_stop(b, e->stop.standing);
		break;
	}
}

/* ---- the timer ---- */

static void arm_timer(struct body *b)
{
	instant at = gossip_deadline(b->gossip);
	if (at == b->timer_at)
		return;
	b->timer_at = at;
	struct itimerspec spec = {0}; /* all zero: disarmed */
	if (at != NEVER) {
		if (at < 1)
			at = 1;
		spec.it_value.tv_sec = (time_t)(at / SECOND);
		spec.it_value.tv_nsec = (long)(at % SECOND);
	}
	timerfd_settime(b->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL);
}

/* At any input: after a time in which we did not run, packets may come before the timer and re-arm it. */
static void note_lateness(struct body *b, const struct now *now)
{
	if (b->timer_at != NEVER && now->boot - b->timer_at > b->lag_max)
		b->lag_max = now->boot - b->timer_at;
	if (b->lag_max > b->late_max)
		b->late_max = b->lag_max;
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
	struct body *b = context;
	uint64_t count;
	if (read(fd, &count, sizeof count) != sizeof count)
		return; /* re-armed since it fired */
	struct now now;
	body_clock_read(&now);
	note_lateness(b, &now);
	b->timer_at = NEVER;
	body_step(b, &(struct input){.kind = INPUT_TICK});
}

void body_step(struct body *b, const struct input *input)
{
	assert(!b->stepping);
	b->stepping = true;
	struct now now;
	body_clock_read(&now);
	note_lateness(b, &now);
	struct effects effects = gossip_step(b->gossip, &now, input);
	for (uint32_t i = 0; i < effects.count; i++)
		carry(b, &now, &effects.list[i]);
	arm_timer(b);
	b->stepping = false;
	engine_body_turn(b->engine);
}

/* ---- the end ---- */

void loop_end(struct body *b)
{
	event_base_loopexit(b->base, NULL);
}

static void on_stop_limit(evutil_socket_t fd, short what, void *context)
{
	journal_say(LEVEL_warning, "could not stop cleanly within %d s: the cluster will notice by itself",
	            STOP_PATIENCE_S);
	loop_end(context);
}

void body_stop(struct body *b)
{
	if (b->stop_asked || b->idle) {
		loop_end(b);
		return;
	}
	b->stop_asked = true;
	struct timeval limit = {STOP_PATIENCE_S, 0};
	event_add(b->stop_limit, &limit);
	body_step(b, &(struct input){.kind = INPUT_STOP});
}

static void on_stop_signal(evutil_socket_t signal, short what, void *context)
{
	body_stop(context);
}

/* There is nothing to reopen: the log goes to stderr, the config is read once. */
static void on_hangup_signal(evutil_socket_t signal, short what, void *context)
{
	journal_say(LEVEL_info, "SIGHUP has no effect: start essaimd again to read the config anew");
}

/* ---- life ---- */

static bool add_signals(struct body *b)
{
	b->signals[0] = evsignal_new(b->base, SIGTERM, on_stop_signal, b);
	b->signals[1] = evsignal_new(b->base, SIGINT, on_stop_signal, b);
	b->signals[2] = evsignal_new(b->base, SIGHUP, on_hangup_signal, b);
	for (int i = 0; i < 3; i++) {
		if (b->signals[i] == NULL || event_add(b->signals[i], NULL) < 0)
			return false;
	}
	return true;
}

int loop_open(struct body *b, struct error *error)
{
	b->timer_at = NEVER;
	b->timer_fd = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	if (b->timer_fd < 0)
		return error_set(error, -errno, "cannot make a timer: %s", strerror(errno));
	b->timer = event_new(b->base, b->timer_fd, EV_READ | EV_PERSIST, on_timer, b);
	b->stop_limit = event_new(b->base, -1, 0, on_stop_limit, b);
	if (b->timer == NULL || b->stop_limit == NULL || event_add(b->timer, NULL) < 0 ||
	    !add_signals(b))
		return error_set(error, -ENOMEM, "cannot make the event loop: out of memory");
	return 0;
}

const char *loop_gone(enum standing standing)
{
	switch (standing) {
	case STANDING_LEFT:
		return "left its cluster";
	case STANDING_REMOVED:
		return "was removed from its cluster";
	case STANDING_OLD_GENERATION:
		return "belongs to an old generation of its cluster";
	case STANDING_BLANK:
	case STANDING_STARTING:
	case STANDING_JOINING:
	case STANDING_MEMBER:
	case STANDING_LEAVING:
	case STANDING_STOPPED:
	case STANDING_REKEYED:
		break;
	}
	return NULL;
}

bool loop_rekeyed(const struct body *b)
{
	return b->stop_seen && b->stop_standing == STANDING_REKEYED;
}

/* Gone from its cluster before this start: there is nothing to do but wait for `node reset`. */
static void stay_idle(struct body *b)
{
	struct status_view status;
	struct now now;
	body_clock_read(&now);
	gossip_status(b->gossip, &now, &status);
	const char *gone = loop_gone(status.standing);
	if (gone == NULL)
		return;
	b->idle = true;
	streams_mute(b->streams);
	journal_say(LEVEL_error,
	            "this node %s: it does nothing until 'essaim node reset' has wiped its state", gone);
}

void loop_run(struct body *b)
{
	b->starting = true;
	body_step(b, &(struct input){.kind = INPUT_START});
	b->starting = false;
	stay_idle(b);
	if (!loop_rekeyed(b)) /* found out by the start itself */
		event_base_dispatch(b->base);
}

void loop_close(struct body *b)
{
	for (int i = 0; i < 3; i++) {
		if (b->signals[i] != NULL)
			event_free(b->signals[i]);
	}
	if (b->timer != NULL)
		event_free(b->timer);
	if (b->stop_limit != NULL)
		event_free(b->stop_limit);
	if (b->timer_fd >= 0)
		close(b->timer_fd);
}
