/*
 * SURVEY, SURVEY_ANSWER, SEIZED, and the founding record on its own.
 */
#include "codec_internal.h"

#include <assert.h>

/* The lists are not copied: a node id is what the wire's fixed64 is unpacked to. */
_Static_assert(sizeof(node_id) == sizeof(uint64_t), "node ids are shared with protobuf-c");

void *put_survey(struct arena *scratch, const struct envelope *in)
{
	Essaim__Wire__Survey *out = part_new(scratch, &essaim__wire__survey__descriptor);
	const struct survey *m = &in->survey;

	assert(m->dead_count <= MEMBERS_MAX);
	out->attempt = m->attempt;
	out->withdrawn = m->withdrawn;
	out->commit = m->commit;
	out->n_dead = m->dead_count;
	out->dead = (uint64_t *)m->dead;
	return out;
}

bool take_survey(const void *message, struct arena *arena, struct envelope *out)
{
	const Essaim__Wire__Survey *in = message;

	if (in->n_dead > MEMBERS_MAX)
		return false;
	out->survey = (struct survey){in->attempt, in->withdrawn, in->commit, (uint32_t)in->n_dead,
	                              in->dead};
	return true;
}

/* The state travels as the PROMISE that it is. */
void *put_survey_answer(struct arena *scratch, const struct envelope *in)
{
	Essaim__Wire__SurveyAnswer *out =
		part_new(scratch, &essaim__wire__survey_answer__descriptor);
	const struct survey_answer *m = &in->survey_answer;
	struct envelope *state = scratch_take(scratch, sizeof *state); /* parts of it are shared */

	out->attempt = m->attempt;
	out->refusal = m->refusal;
	out->other = m->other;
	state->promise = m->state;
	out->state = put_promise(scratch, state);
	out->last_ballot = put_ballot(scratch, &m->last_ballot);
	out->last_index = m->last_index;
	return out;
}

bool take_survey_answer(const void *message, struct arena *arena, struct envelope *out)
{
	const Essaim__Wire__SurveyAnswer *in = message;
	struct survey_answer *m = &out->survey_answer;
	struct envelope state;

	if (in->refusal >= SURVEY_REFUSALS || in->state == NULL ||
	    !take_promise(in->state, arena, &state))
		return false;
	m->attempt = in->attempt;
	m->refusal = (enum survey_refusal)in->refusal;
	m->other = in->other;
	m->state = state.promise;
	take_ballot(in->last_ballot, &m->last_ballot);
	m->last_index = in->last_index;
	return true;
}

/* ---- the founding record ---- */

static Essaim__Wire__Seized *put_record(struct arena *scratch, const struct seized *in)
{
	Essaim__Wire__Seized *out = part_new(scratch, &essaim__wire__seized__descriptor);

	assert(in->dead_count + in->followed_count <= MEMBERS_MAX);
	out->generation = put_generation(scratch, &in->generation);
	out->old = put_generation(scratch, &in->old);
	out->restored = in->restored;
	out->by = put_exact(in->by.bytes, NODE_KEY_SIZE);
	out->attempt = in->attempt;
	out->nonce = in->nonce;
	out->wall = in->wall;
	out->index = in->index;
	out->config = put_config(scratch, &in->config);
	out->n_dead = in->dead_count;
	out->dead = (uint64_t *)in->dead;
	out->n_followed = in->followed_count;
	out->followed = (uint64_t *)in->followed;
	out->signature = put_exact(in->signature, SIGNATURE_SIZE);
	return out;
}

static bool take_record(const Essaim__Wire__Seized *in, struct seized *out)
{
	if (in->n_dead > MEMBERS_MAX || in->n_followed > MEMBERS_MAX ||
	    in->n_dead + in->n_followed > MEMBERS_MAX)
		return false;
	out->restored = in->restored;
	out->attempt = in->attempt;
	out->nonce = in->nonce;
	out->wall = take_time(in->wall);
	out->index = in->index;
	out->dead_count = (uint32_t)in->n_dead;
	out->dead = in->dead;
	out->followed_count = (uint32_t)in->n_followed;
	out->followed = in->followed;
	return take_generation(in->generation, &out->generation) &&
	       take_generation(in->old, &out->old) && take_config(in->config, &out->config) &&
	       take_exact(&in->by, out->by.bytes, NODE_KEY_SIZE) &&
	       take_exact(&in->signature, out->signature, SIGNATURE_SIZE);
}

void *put_seized(struct arena *scratch, const struct envelope *in)
{
	return put_record(scratch, &in->seized);
}

bool take_seized(const void *message, struct arena *arena, struct envelope *out)
{
	return take_record(message, &out->seized);
}

size_t seized_encode(const struct seized *in, uint8_t *out, size_t capacity)
{
	_Alignas(16) uint8_t memory[2048];
	struct arena scratch = {memory, sizeof memory, 0};

	return part_pack(&put_record(&scratch, in)->base, out, capacity);
}

bool seized_decode(const uint8_t *in, size_t size, struct arena *arena, struct seized *out)
{
	const Essaim__Wire__Seized *wire =
		arena_unpack(arena, &essaim__wire__seized__descriptor, in, size);

	return wire != NULL && take_record(wire, out);
}
