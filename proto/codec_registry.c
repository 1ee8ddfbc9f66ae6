/*
 * The engine's rows, and its journal.
 */
#include "codec_registry_inside.h"

#include <string.h>

#include "arguments.h"

/* ---- parts ---- */

ProtobufCBinaryData put_line(const char *in, size_t max)
{
	return (ProtobufCBinaryData){strnlen(in, max), (uint8_t *)in};
}

/* As a NUL-ended string into `out`, which holds max + 1. */
bool take_line(const ProtobufCBinaryData *in, size_t max, char *out)
{
	if (in->len > max || (in->len > 0 && memchr(in->data, '\0', in->len) != NULL))
		return false;
	if (in->len > 0)
		memcpy(out, in->data, in->len);
	out[in->len] = '\0';
	return true;
}

ProtobufCBinaryData put_list(const char *text, uint32_t size)
{
	return (ProtobufCBinaryData){size, (uint8_t *)text};
}

static bool take_list(const ProtobufCBinaryData *in, size_t max, char *text, uint32_t *size)
{
	if (in->len > max)
		return false;
	if (in->len > 0)
		memcpy(text, in->data, in->len);
	*size = (uint32_t)in->len;
	return true;
}

bool take_arguments(const ProtobufCBinaryData *in, struct arguments *out)
{
	return take_list(in, OPERATION_ARGUMENTS_MAX, out->text, &out->size) && arguments_legal(out);
}

static bool take_state(uint32_t in, enum operation_state *out)
{
	*out = (enum operation_state)in;
	return in >= OPERATION_QUEUED && in <= OPERATION_UNKNOWN;
}

/* ---- operations ---- */

Essaim__Registry__Operation *put_operation(struct arena *scratch, const struct operation_row *in)
{
	Essaim__Registry__Operation *out = part_new(scratch, &essaim__registry__operation__descriptor);

	out->id = put_request_id(scratch, &in->id);
	out->number = in->number;
	out->epoch = in->epoch;
	out->noun = put_line(in->noun, OPERATION_WORD_MAX);
	out->verb = put_line(in->verb, OPERATION_WORD_MAX);
	out->subject = put_line(in->subject, OPERATION_SUBJECT_MAX);
	out->who = put_line(in->who, OPERATION_WHO_MAX);
	out->from = in->from;
	out->arguments = put_list(in->arguments.text, in->arguments.size);
	out->locks = put_list(in->locks.text, in->locks.size);
	out->n_targets = in->target_count;
	out->targets = (uint64_t *)in->targets;
	out->blob_size = in->blob_size;
	out->state = in->state;
	out->undoing = in->undoing;
	out->step = in->step;
	out->asked_wall = in->asked_wall;
	out->started_wall = in->started_wall;
	out->deadline_wall = in->deadline_wall;
	out->memo = put_line(in->memo, OPERATION_MEMO_MAX);
	out->text = put_line(in->text, OPERATION_TEXT_MAX);
	return out;
}

static bool take_operation_texts(const Essaim__Registry__Operation *in, struct operation_row *out)
{
	return take_line(&in->noun, OPERATION_WORD_MAX, out->noun) &&
	       take_line(&in->verb, OPERATION_WORD_MAX, out->verb) &&
	       take_line(&in->subject, OPERATION_SUBJECT_MAX, out->subject) &&
	       take_line(&in->who, OPERATION_WHO_MAX, out->who) &&
	       take_arguments(&in->arguments, &out->arguments) &&
	       take_list(&in->locks, OPERATION_LOCKS_MAX, out->locks.text, &out->locks.size) &&
	       locks_legal(&out->locks) && take_line(&in->memo, OPERATION_MEMO_MAX, out->memo) &&
	       take_line(&in->text, OPERATION_TEXT_MAX, out->text);
}

bool take_operation(const Essaim__Registry__Operation *in, struct operation_row *out)
{
	memset(out, 0, sizeof *out);
	if (in == NULL || in->n_targets > OPERATION_TARGETS_MAX || in->blob_size > OPERATION_BLOB_MAX)
		return false;
	take_request_id(in->id, &out->id);
	out->number = in->number;
	out->epoch = in->epoch;
	out->from = in->from;
	out->target_count = (uint32_t)in->n_targets;
	for (uint32_t i = 0; i < out->target_count; i++)
		out->targets[i] = in->targets[i];
	out->blob_size = in->blob_size;
	out->undoing = in->undoing != 0;
	out->step = in->step;
	out->asked_wall = in->asked_wall;
	out->started_wall = in->started_wall;
	out->deadline_wall = in->deadline_wall;
	return take_state(in->state, &out->state) && take_operation_texts(in, out);
}

size_t operation_row_encode(const struct operation_row *in, uint8_t *out, size_t capacity)
{
	_Alignas(16) uint8_t memory[1024];
	struct arena scratch = {memory, sizeof memory, 0};

	return part_pack(&put_operation(&scratch, in)->base, out, capacity);
}

bool operation_row_decode(struct bytes in, struct arena *arena, struct operation_row *out)
{
	return take_operation(
		arena_unpack(arena, &essaim__registry__operation__descriptor, in.data, in.size), out);
}

/* ---- audit ---- */

size_t audit_row_encode(const struct audit_row *in, uint8_t *out, size_t capacity)
{
	_Alignas(16) uint8_t memory[512];
	struct arena scratch = {memory, sizeof memory, 0};
	Essaim__Registry__Audit wire = ESSAIM__REGISTRY__AUDIT__INIT;

	wire.number = in->number;
	wire.id = put_request_id(&scratch, &in->id);
	wire.epoch = in->epoch;
	wire.noun = put_line(in->noun, OPERATION_WORD_MAX);
	wire.verb = put_line(in->verb, OPERATION_WORD_MAX);
	wire.subject = put_line(in->subject, OPERATION_SUBJECT_MAX);
	wire.who = put_line(in->who, OPERATION_WHO_MAX);
	wire.from = in->from;
	wire.arguments = put_list(in->arguments.text, in->arguments.size);
	wire.asked_wall = in->asked_wall;
	wire.ended_wall = in->ended_wall;
	wire.state = in->state;
	wire.text = put_line(in->text, OPERATION_TEXT_MAX);
	return part_pack(&wire.base, out, capacity);
}

bool audit_row_decode(struct bytes in, struct arena *arena, struct audit_row *out)
{
	const Essaim__Registry__Audit *wire =
		arena_unpack(arena, &essaim__registry__audit__descriptor, in.data, in.size);

	memset(out, 0, sizeof *out);
	if (wire == NULL)
		return false;
	out->number = wire->number;
	take_request_id(wire->id, &out->id);
	out->epoch = wire->epoch;
	out->from = wire->from;
	out->asked_wall = wire->asked_wall;
	out->ended_wall = wire->ended_wall;
	return take_state(wire->state, &out->state) &&
	       take_line(&wire->noun, OPERATION_WORD_MAX, out->noun) &&
	       take_line(&wire->verb, OPERATION_WORD_MAX, out->verb) &&
	       take_line(&wire->subject, OPERATION_SUBJECT_MAX, out->subject) &&
	       take_line(&wire->who, OPERATION_WHO_MAX, out->who) &&
	       take_arguments(&wire->arguments, &out->arguments) &&
	       take_line(&wire->text, OPERATION_TEXT_MAX, out->text);
}

/* ---- jobs ---- */

size_t job_row_encode(const struct job_row *in, uint8_t *out, size_t capacity)
{
	Essaim__Registry__Job wire = ESSAIM__REGISTRY__JOB__INIT;

	wire.name = put_line(in->name, NAME_MAX_SIZE);
	wire.number = in->number;
	wire.noun = put_line(in->noun, OPERATION_WORD_MAX);
	wire.verb = put_line(in->verb, OPERATION_WORD_MAX);
	wire.who = put_line(in->who, OPERATION_WHO_MAX);
	wire.from = in->from;
	wire.arguments = put_list(in->arguments.text, in->arguments.size);
	wire.every = in->every;
	wire.due_wall = in->due_wall;
	wire.run = in->run;
	wire.last = in->last;
	wire.note = put_line(in->note, OPERATION_TEXT_MAX);
	return part_pack(&wire.base, out, capacity);
}

bool job_row_decode(struct bytes in, struct arena *arena, struct job_row *out)
{
	const Essaim__Registry__Job *wire =
		arena_unpack(arena, &essaim__registry__job__descriptor, in.data, in.size);

	memset(out, 0, sizeof *out);
	if (wire == NULL)
		return false;
	out->number = wire->number;
	out->from = wire->from;
	out->every = wire->every;
	out->due_wall = wire->due_wall;
	out->run = wire->run;
	out->last = wire->last;
	return take_line(&wire->name, NAME_MAX_SIZE, out->name) &&
	       take_line(&wire->noun, OPERATION_WORD_MAX, out->noun) &&
	       take_line(&wire->verb, OPERATION_WORD_MAX, out->verb) &&
	       take_line(&wire->who, OPERATION_WHO_MAX, out->who) &&
	       take_arguments(&wire->arguments, &out->arguments) &&
	       take_line(&wire->note, OPERATION_TEXT_MAX, out->note);
}

/* ---- the journal ---- */

size_t journal_record_encode(const struct journal_record *in, uint8_t *out, size_t capacity)
{
	_Alignas(16) uint8_t memory[2048];
	struct arena scratch = {memory, sizeof memory, 0};
	Essaim__Registry__Journal wire = ESSAIM__REGISTRY__JOURNAL__INIT;

	wire.id = put_request_id(&scratch, &in->id);
	wire.number = in->number;
	wire.epoch = in->epoch;
	wire.version = in->version;
	wire.from = in->from;
	wire.to = in->to;
	wire.undoing = in->undoing;
	wire.backing = in->backing;
	wire.phase = in->phase;
	wire.step = in->step;
	wire.attempt = in->attempt;
	wire.outcome = in->outcome;
	wire.cancelled = in->cancelled;
	wire.memo = put_line(in->memo, OPERATION_MEMO_MAX);
	wire.text = put_line(in->text, OPERATION_TEXT_MAX);
	wire.operation = put_operation(&scratch, &in->operation);
	return part_pack(&wire.base, out, capacity);
}

bool journal_record_decode(struct bytes in, struct arena *arena, struct journal_record *out)
{
	const Essaim__Registry__Journal *wire =
		arena_unpack(arena, &essaim__registry__journal__descriptor, in.data, in.size);

	memset(out, 0, sizeof *out);
	if (wire == NULL || wire->phase < JOURNAL_ABOUT || wire->phase > JOURNAL_ENDED ||
	    wire->outcome > LEG_OLD_EPOCH)
		return false;
	take_request_id(wire->id, &out->id);
	out->number = wire->number;
	out->epoch = wire->epoch;
	out->version = wire->version;
	out->from = wire->from;
	out->to = wire->to;
	out->undoing = wire->undoing != 0;
	out->backing = wire->backing != 0;
	out->phase = (enum journal_phase)wire->phase;
	out->step = wire->step;
	out->attempt = wire->attempt;
	out->outcome = (enum leg_state)wire->outcome;
	out->cancelled = wire->cancelled != 0;
	return take_line(&wire->memo, OPERATION_MEMO_MAX, out->memo) &&
	       take_line(&wire->text, OPERATION_TEXT_MAX, out->text) &&
	       take_operation(wire->operation, &out->operation);
}

/* ---- any row ---- */

struct bytes registry_row_key(enum registry_kind kind, struct bytes name,
                              uint8_t out[REGISTRY_NAME_MAX + 1])
{
	size_t size = name.size < REGISTRY_NAME_MAX ? name.size : REGISTRY_NAME_MAX;

	out[0] = (uint8_t)kind;
	if (size > 0)
		memcpy(out + 1, name.data, size);
	return (struct bytes){out, size + 1};
}

bool registry_row_decode(struct bytes key, struct bytes value, struct arena *arena,
                         struct registry_room *room, struct registry_row *out)
{
	*out = (struct registry_row){0};
	if (key.size < 1)
		return false;
	out->kind = (enum registry_kind)key.data[0];
	out->name = (struct bytes){key.data + 1, key.size - 1};
	switch (out->kind) {
	case REGISTRY_OPERATION:
		out->operation = &room->operation;
		return operation_row_decode(value, arena, &room->operation);
	case REGISTRY_AUDIT:
		out->audit = &room->audit;
		return audit_row_decode(value, arena, &room->audit);
	case REGISTRY_JOB:
		out->job = &room->job;
		return job_row_decode(value, arena, &room->job);
	case REGISTRY_BLOB:
	case REGISTRY_STORAGE:
	case REGISTRY_VOLUME:
	case REGISTRY_MACHINE:
	case REGISTRY_PERMIT:
		break;
	}
	out->bytes = value;
	return true;
}

size_t registry_row_encode(const struct registry_row *row, uint8_t *out, size_t capacity)
{
	switch (row->kind) {
	case REGISTRY_OPERATION:
		return operation_row_encode(row->operation, out, capacity);
	case REGISTRY_AUDIT:
		return audit_row_encode(row->audit, out, capacity);
	case REGISTRY_JOB:
		return job_row_encode(row->job, out, capacity);
	case REGISTRY_BLOB:
	case REGISTRY_STORAGE:
	case REGISTRY_VOLUME:
	case REGISTRY_MACHINE:
	case REGISTRY_PERMIT:
		break;
	}
	if (row->bytes.size > capacity)
		return 0;
	if (row->bytes.size > 0)
		memcpy(out, row->bytes.data, row->bytes.size);
	return row->bytes.size;
}
