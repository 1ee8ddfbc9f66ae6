#include "hand_message.h"

#include <assert.h>
#include <string.h>

/* ---- writing ---- */

struct writer {
	uint8_t *at;
	size_t used;
};

static void put(struct writer *w, uint64_t value, size_t size)
{
	while (size > 0)
		w->at[w->used++] = (uint8_t)(value >> 8 * --size);
}

static void put_bytes(struct writer *w, const void *data, size_t size)
{
	assert(w->used + size <= HAND_PACKET_MAX);
	if (size > 0)
		memcpy(w->at + w->used, data, size);
	w->used += size;
}

static void put_run(struct writer *w, const struct hand_run *run)
{
	put(w, run->job, 8);
	put(w, run->program, 4);
	put(w, run->deadline_ms, 4);
	put(w, run->output_max, 4);
	put(w, run->count, 2);
	put(w, run->input.size, 4);
	for (uint32_t i = 0; i < run->count; i++)
		put_bytes(w, run->arguments[i], strlen(run->arguments[i]) + 1);
	put_bytes(w, run->input.data, run->input.size);
}

static void put_ended(struct writer *w, const struct hand_ended *ended)
{
	put(w, ended->job, 8);
	put(w, ended->outcome, 1);
	put(w, (uint32_t)ended->code, 4);
	put(w, (ended->out_cut ? 1u : 0) | (ended->error_cut ? 2u : 0), 1);
	put_bytes(w, ended->sentence.data, ended->sentence.size);
}

size_t hand_message_write(const struct hand_message *m, uint8_t *out)
{
	struct writer w = {out, 0};
	put(&w, m->kind, 1);
	switch (m->kind) {
	case HAND_RUN:
		put_run(&w, &m->run);
		break;
	case HAND_CANCEL:
		put(&w, m->cancel, 8);
		break;
	case HAND_ANEW:
		break;
	case HAND_STATE:
		put(&w, m->state.protocol, 4);
		put(&w, m->state.lvm_stuck_ms, 8);
		put(&w, m->state.running, 4);
		put(&w, m->state.waiting, 4);
		break;
	case HAND_OUTPUT:
		put(&w, m->output.job, 8);
		put(&w, m->output.which, 1);
		put_bytes(&w, m->output.bytes.data, m->output.bytes.size);
		break;
	case HAND_ENDED:
		put_ended(&w, &m->ended);
		break;
	}
	return w.used;
}

/* ---- reading ---- */

struct reader {
	struct bytes rest;
	bool short_of;
};

static uint64_t take(struct reader *r, size_t size)
{
	uint64_t value = 0;
	if (r->rest.size < size) {
		r->short_of = true;
		return 0;
	}
	for (size_t i = 0; i < size; i++)
		value = value << 8 | r->rest.data[i];
	r->rest.data += size;
	r->rest.size -= size;
	return value;
}

static struct bytes take_rest(struct reader *r)
{
	struct bytes rest = r->rest;
	r->rest = (struct bytes){0};
	return rest;
}

/* Texts, each with its NUL, in front of `input` bytes that end the packet. */
static bool take_arguments(struct reader *r, size_t input, struct hand_run *out)
{
	if (out->count > PROGRAM_ARGUMENTS_MAX || input > PROGRAM_INPUT_MAX || r->rest.size < input)
		return false;
	size_t bytes = r->rest.size - input, at = 0;
	if (bytes > PROGRAM_ARGUMENTS_BYTES)
		return false;
	for (uint32_t i = 0; i < out->count; i++) {
		const char *text = (const char *)r->rest.data + at;
		const char *end = at < bytes ? memchr(text, '\0', bytes - at) : NULL;
		if (end == NULL)
			return false;
		out->arguments[i] = text;
		at += (size_t)(end - text) + 1;
	}
	if (at != bytes)
		return false;
	out->input = (struct bytes){r->rest.data + bytes, input};
	r->rest = (struct bytes){0};
	return true;
}

static bool take_run(struct reader *r, struct hand_run *out)
{
	out->job = take(r, 8);
	out->program = (uint32_t)take(r, 4);
	out->deadline_ms = (uint32_t)take(r, 4);
	out->output_max = (uint32_t)take(r, 4);
	out->count = (uint32_t)take(r, 2);
	size_t input = take(r, 4);
	return !r->short_of && out->job != 0 && out->deadline_ms <= PROGRAM_DEADLINE_MAX / MILLISECOND &&
	       out->output_max <= PROGRAM_OUTPUT_MAX && take_arguments(r, input, out);
}

static bool take_output(struct reader *r, struct hand_output *out)
{
	out->job = take(r, 8);
	out->which = (uint32_t)take(r, 1);
	out->bytes = take_rest(r);
	return (out->which == 1 || out->which == 2) && out->bytes.size > 0 &&
	       out->bytes.size <= HAND_PIECE_MAX;
}

static bool take_ended(struct reader *r, struct hand_ended *out)
{
	out->job = take(r, 8);
	out->outcome = (enum hand_outcome)take(r, 1);
	out->code = (int32_t)(uint32_t)take(r, 4);
	uint64_t cut = take(r, 1);
	out->out_cut = (cut & 1) != 0;
	out->error_cut = (cut & 2) != 0;
	out->sentence = take_rest(r);
	return out->outcome >= HAND_EXITED && out->outcome < HAND_GONE && cut <= 3 &&
	       out->sentence.size < ERROR_TEXT_SIZE &&
	       (out->sentence.size == 0 || memchr(out->sentence.data, 0, out->sentence.size) == NULL);
}

static void take_state(struct reader *r, struct hand_state *out)
{
	out->protocol = (uint32_t)take(r, 4);
	out->lvm_stuck_ms = take(r, 8);
	out->running = (uint32_t)take(r, 4);
	out->waiting = (uint32_t)take(r, 4);
}

bool hand_message_read(struct bytes packet, struct hand_message *out)
{
	struct reader r = {packet, false};
	bool good = false;
	memset(out, 0, sizeof *out);
	uint64_t kind = take(&r, 1);
	if (kind < HAND_RUN || kind > HAND_ANEW || packet.size > HAND_PACKET_MAX)
		return false;
	out->kind = (enum hand_kind)kind;
	switch (out->kind) {
	case HAND_RUN:
		good = take_run(&r, &out->run);
		break;
	case HAND_CANCEL:
		out->cancel = take(&r, 8);
		good = true;
		break;
	case HAND_ANEW:
		good = true;
		break;
	case HAND_STATE:
		take_state(&r, &out->state);
		good = true;
		break;
	case HAND_OUTPUT:
		good = take_output(&r, &out->output);
		break;
	case HAND_ENDED:
		good = take_ended(&r, &out->ended);
		break;
	}
	return good && !r.short_of && r.rest.size == 0;
}
