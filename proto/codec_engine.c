/*
 * What the engine is asked and answers, and what engines tell each other.
 */
#include "codec_registry_inside.h"

#include <string.h>

/* ---- requests ---- */

size_t engine_request_encode(const struct engine_request *in, uint8_t *out, size_t capacity)
{
	Essaim__Registry__Ask wire = ESSAIM__REGISTRY__ASK__INIT;

	wire.ask = in->ask;
	wire.detach = in->detach;
	wire.dry_run = in->dry_run;
	wire.who = put_line(in->who, OPERATION_WHO_MAX);
	wire.noun = put_line(in->noun, OPERATION_WORD_MAX);
	wire.verb = put_line(in->verb, OPERATION_WORD_MAX);
	wire.arguments = put_list(in->arguments.text, in->arguments.size);
	wire.blob = put_bytes(&in->blob);
	wire.deadline = in->deadline;
	wire.number = in->number;
	wire.job = put_line(in->job, NAME_MAX_SIZE);
	wire.first_wall = in->first_wall;
	wire.every = in->every;
	return part_pack(&wire.base, out, capacity);
}

bool engine_request_decode(struct bytes in, struct arena *arena, struct engine_request *out)
{
	const Essaim__Registry__Ask *wire =
		arena_unpack(arena, &essaim__registry__ask__descriptor, in.data, in.size);

	memset(out, 0, sizeof *out);
	if (wire == NULL || wire->ask < ASK_START || wire->ask > ASK_JOB_RUN)
		return false;
	out->ask = (enum engine_ask)wire->ask;
	out->detach = wire->detach != 0;
	out->dry_run = wire->dry_run != 0;
	out->deadline = take_time(wire->deadline);
	out->number = wire->number;
	out->first_wall = take_time(wire->first_wall);
	out->every = take_time(wire->every);
	return take_line(&wire->who, OPERATION_WHO_MAX, out->who) &&
	       take_line(&wire->noun, OPERATION_WORD_MAX, out->noun) &&
	       take_line(&wire->verb, OPERATION_WORD_MAX, out->verb) &&
	       take_line(&wire->job, NAME_MAX_SIZE, out->job) &&
	       take_arguments(&wire->arguments, &out->arguments) &&
	       take_bytes(&wire->blob, OPERATION_BLOB_MAX, &out->blob);
}

/* ---- progress and answers ---- */

static Essaim__Registry__Progress *put_progress(struct arena *scratch,
                                                const struct engine_progress *in)
{
	Essaim__Registry__Progress *out = part_new(scratch, &essaim__registry__progress__descriptor);

	out->state = in->state;
	out->undoing = in->undoing;
	out->step = in->step;
	out->step_count = in->step_count;
	out->phase = put_line(in->phase, NAME_MAX_SIZE);
	out->done_bytes = in->done_bytes;
	out->total_bytes = in->total_bytes;
	out->rate = in->rate;
	out->time_left = in->time_left;
	out->step_age = in->step_age;
	out->waits = put_line(in->waits, OPERATION_SUBJECT_MAX);
	return out;
}

/* Without one: nothing is known. */
static bool take_progress(const Essaim__Registry__Progress *in, struct engine_progress *out)
{
	*out = (struct engine_progress){.time_left = -1, .step_age = -1};
	if (in == NULL)
		return true;
	out->state = (enum operation_state)in->state;
	out->undoing = in->undoing != 0;
	out->step = in->step;
	out->step_count = in->step_count;
	out->done_bytes = in->done_bytes;
	out->total_bytes = in->total_bytes;
	out->rate = in->rate;
	out->time_left = take_time(in->time_left);
	out->step_age = take_time(in->step_age);
	return in->state <= OPERATION_UNKNOWN && take_line(&in->phase, NAME_MAX_SIZE, out->phase) &&
	       take_line(&in->waits, OPERATION_SUBJECT_MAX, out->waits);
}

size_t engine_told_encode(const struct engine_told *in, uint8_t *out, size_t capacity)
{
	_Alignas(16) uint8_t memory[1024];
	struct arena scratch = {memory, sizeof memory, 0};
	Essaim__Registry__Told wire = ESSAIM__REGISTRY__TOLD__INIT;

	wire.result = in->answer.result;
	wire.operation = put_request_id(&scratch, &in->answer.operation);
	wire.number = in->answer.number;
	wire.state = in->answer.state;
	wire.text = put_line(in->answer.text, OPERATION_TEXT_MAX);
	if (in->is_progress)
		wire.progress = put_progress(&scratch, &in->progress);
	return part_pack(&wire.base, out, capacity);
}

bool engine_told_decode(struct bytes in, struct arena *arena, struct engine_told *out)
{
	const Essaim__Registry__Told *wire =
		arena_unpack(arena, &essaim__registry__told__descriptor, in.data, in.size);

	memset(out, 0, sizeof *out);
	if (wire == NULL || wire->result > ENGINE_UNAVAILABLE || wire->state > OPERATION_UNKNOWN)
		return false;
	out->answer.result = (enum engine_result)wire->result;
	take_request_id(wire->operation, &out->answer.operation);
	out->answer.number = wire->number;
	out->answer.state = (enum operation_state)wire->state;
	out->is_progress = wire->progress != NULL;
	return take_line(&wire->text, OPERATION_TEXT_MAX, out->answer.text) &&
	       take_progress(wire->progress, &out->progress);
}

/* ---- between engines ---- */

static Essaim__Registry__Dispatch *put_dispatch(struct arena *scratch,
                                                const struct engine_dispatch *in)
{
	Essaim__Registry__Dispatch *out = part_new(scratch, &essaim__registry__dispatch__descriptor);

	out->from = in->from;
	out->to = in->to;
	out->version = in->version;
	out->operation = put_operation(scratch, &in->operation);
	return out;
}

static bool take_dispatch(const Essaim__Registry__Dispatch *in, struct engine_dispatch *out)
{
	out->from = in->from;
	out->to = in->to;
	out->version = in->version;
	return take_operation(in->operation, &out->operation);
}

static Essaim__Registry__Report *put_report(struct arena *scratch, const struct engine_report *in)
{
	Essaim__Registry__Report *out = part_new(scratch, &essaim__registry__report__descriptor);

	out->id = put_request_id(scratch, &in->id);
	out->from = in->from;
	out->to = in->to;
	out->undoing = in->undoing;
	out->state = in->state;
	out->cancelled = in->cancelled;
	out->progress = put_progress(scratch, &in->progress);
	out->memo = put_line(in->memo, OPERATION_MEMO_MAX);
	out->text = put_line(in->text, OPERATION_TEXT_MAX);
	return out;
}

static bool take_report(const Essaim__Registry__Report *in, struct engine_report *out)
{
	memset(out, 0, sizeof *out);
	take_request_id(in->id, &out->id);
	out->from = in->from;
	out->to = in->to;
	out->undoing = in->undoing != 0;
	out->state = (enum leg_state)in->state;
	out->cancelled = in->cancelled != 0;
	return in->state <= LEG_OLD_EPOCH && take_progress(in->progress, &out->progress) &&
	       take_line(&in->memo, OPERATION_MEMO_MAX, out->memo) &&
	       take_line(&in->text, OPERATION_TEXT_MAX, out->text);
}

size_t engine_message_encode(const struct engine_message *in, uint8_t *out, size_t capacity)
{
	_Alignas(16) uint8_t memory[2048];
	struct arena scratch = {memory, sizeof memory, 0};
	Essaim__Registry__Message wire = ESSAIM__REGISTRY__MESSAGE__INIT;

	wire.epoch = in->epoch;
	if (in->kind == ENGINE_MESSAGE_DISPATCH)
		wire.dispatch = put_dispatch(&scratch, &in->dispatch);
	else
		wire.report = put_report(&scratch, &in->report);
	return part_pack(&wire.base, out, capacity);
}

bool engine_message_decode(struct bytes in, struct arena *arena, struct engine_message *out)
{
	const Essaim__Registry__Message *wire =
		arena_unpack(arena, &essaim__registry__message__descriptor, in.data, in.size);

	memset(out, 0, sizeof *out);
	if (wire == NULL || (wire->dispatch == NULL) == (wire->report == NULL))
		return false;
	out->epoch = wire->epoch;
	out->kind = wire->dispatch != NULL ? ENGINE_MESSAGE_DISPATCH : ENGINE_MESSAGE_REPORT;
	return wire->dispatch != NULL ? take_dispatch(wire->dispatch, &out->dispatch)
	                              : take_report(wire->report, &out->report);
}
