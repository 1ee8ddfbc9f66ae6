#include "carry.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "world.h"

static void note_outcome(struct world *w, struct machine *m, const struct effect *effect)
{
	struct bytes text = effect->outcome.text;
	m->outcome_known = true;
	m->outcome_done = effect->outcome.done;
	snprintf(m->outcome, sizeof(m->outcome), "%.*s", (int)text.size,
	         text.data ? (const char *)text.data : "");
	people_outcome(w, m);
}

void carry_effect(struct world *w, struct machine *m, const struct effect *effect)
{
	switch (effect->kind) {
	case EFFECT_PACKET:
		network_packet(w, m, effect);
		return;
	case EFFECT_FRAME:
		network_frame(w, m, effect);
		return;
	case EFFECT_PERSIST:
		disk_submit(&m->disk, effect->persist.number, effect->persist.lazy,
		            effect->persist.op_count, effect->persist.ops);
		machine_disk_pump(w, m);
		return;
	case EFFECT_ANSWER:
		world_answered(w, m, effect->answer.client, effect->answer.answer);
		return;
	case EFFECT_KNOCK:
		network_knock(w, m, effect);
		return;
	case EFFECT_DIAL:
		network_dial(w, m, effect);
		return;
	case EFFECT_HANG_UP:
		network_hang_up(w, m, effect);
		return;
	case EFFECT_PATH_DOWN:
		return; /* frames find their way at once */
	case EFFECT_TRACE:
		world_traced(w, m, &effect->trace);
		return;
	case EFFECT_CHANGED:
	case EFFECT_ROW: /* its machines have no engine */
	case EFFECT_ROWS:
	case EFFECT_PROPOSED:
	case EFFECT_ENGINE:
	case EFFECT_ENGINE_PROGRESS:
	case EFFECT_ENGINE_MESSAGE:
		return; /* nobody watches here */
	case EFFECT_PROGRESS:
		return;
	case EFFECT_OUTCOME:
		note_outcome(w, m, effect);
		return;
	case EFFECT_STOP:
		machine_stopped(w, m, effect->stop.standing);
		return;
	}
	assert(!"an effect outside its enum");
}

static void deliver_packet(struct world *w, struct machine *m, const struct event *event)
{
	if (m->state != MACHINE_UP) {
		network_refuse(w, m, event);
		return;
	}
	if (event->message)
		observe_hears(w, m, event);
	struct input input = {.kind = INPUT_PACKET};
	input.packet.from = machine_address(&w->machines[event->from], event->nets[0]);
	input.packet.path = event->nets[1];
	input.packet.bytes = (struct bytes){event->bytes, event->size};
	machine_input(w, m, &input);
}

static void deliver_frame(struct world *w, struct machine *m, const struct event *event)
{
	if (!network_frame_alive(w, m, event))
		return;
	struct input input = {.kind = INPUT_FRAME};
	bool join = event->frame.stream >= JOIN_STREAM_FIRST;
	input.frame.stream = event->frame.stream;
	input.frame.from = join ? 0 : w->machines[event->from].id;
	input.frame.token = event->frame.token;
	input.frame.binding = event->frame.binding;
	input.frame.bytes = (struct bytes){event->bytes, event->size};
	machine_input(w, m, &input);
}

static void deliver_small(struct world *w, struct machine *m, const struct event *event)
{
	struct input input = {0};
	switch (event->kind) {
	case EVENT_REFUSED:
		input.kind = INPUT_REFUSED;
		input.refused.from = machine_address(&w->machines[event->from], event->nets[0]);
		break;
	case EVENT_KNOCKED:
		input.kind = INPUT_KNOCKED;
		input.knocked.node = event->knocked.node;
		input.knocked.result = event->knocked.result;
		break;
	case EVENT_DIALED:
		input.kind = INPUT_DIALED;
		input.dialed.dial = event->dial.dial;
		input.dialed.stream = event->dial.stream;
		input.dialed.binding = event->dial.hash;
		break;
	case EVENT_PERSISTED:
		input.kind = INPUT_PERSISTED;
		input.persisted.number = event->persisted.number;
		input.persisted.failed = event->persisted.failed;
		break;
	case EVENT_ABANDON:
		input.kind = INPUT_ABANDON;
		input.abandon.client = event->number;
		break;
	case EVENT_TIMER:
	case EVENT_PACKET:
	case EVENT_FRAME:
	case EVENT_DIAL:
	case EVENT_REQUEST:
	case EVENT_SYNC_DUE:
	case EVENT_SYNCED:
	case EVENT_FAULT:
	case EVENT_CLIENT:
	case EVENT_PERSON:
	case EVENT_LOOK:
	case EVENT_FOREIGN:
		assert(!"not a small input");
	}
	machine_input(w, m, &input);
}

void deliver_event(struct world *w, struct machine *m, const struct event *event)
{
	switch (event->kind) {
	case EVENT_PACKET:
		deliver_packet(w, m, event);
		return;
	case EVENT_FRAME:
		deliver_frame(w, m, event);
		return;
	case EVENT_DIAL:
		network_dialled(w, m, event);
		return;
	case EVENT_REFUSED:
	case EVENT_KNOCKED:
	case EVENT_DIALED:
	case EVENT_PERSISTED:
	case EVENT_ABANDON:
		if (m->state == MACHINE_UP && event->life == m->life)
			deliver_small(w, m, event);
		return;
	case EVENT_REQUEST:
		world_request_due(w, m, event);
		return;
	case EVENT_TIMER:
	case EVENT_SYNC_DUE:
	case EVENT_SYNCED:
	case EVENT_FAULT:
	case EVENT_CLIENT:
	case EVENT_PERSON:
	case EVENT_LOOK:
	case EVENT_FOREIGN:
		assert(!"not for a process");
	}
}
