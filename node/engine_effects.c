/*
 * engine_effects.c: what the engine wants done: steps of the mind, lines of the log, runs of the hand.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "body_clock.h"
#include "engine_inside.h"
#include "engine_runner.h"
#include "journal.h"
#include "text.h"

#define PROPOSE_AGAIN (20 * MILLISECOND)

/* ---- proposals ---- */

/* It goes on with the loop: the engine is told later. */
static void tell_proposed(struct engine_body *e, uint64_t number, enum proposal_result result,
                          const char *text)
{
	struct told *t = engine_tell(e, ENGINE_PROPOSED, strlen(text));
	if (t == NULL)
		abort(); /* its operation would wait for ever */
	t->number = number;
	t->code = (int)result;
	memcpy(t->bytes, text, strlen(text));
}

static void propose(struct engine_body *e, const struct proposal *p)
{
	struct command command;
	struct input input = {.kind = INPUT_PROPOSE};
	static uint8_t memory[ENGINE_ARENA_SIZE];
	struct arena arena = {memory, sizeof memory, 0};
	bool ours = command_decode(p->command, p->size, &arena, &command);
	if (!ours)
		abort(); /* encoded by us */
	input.propose.command = &command;
	input.propose.number = p->number;
	body_step(e->body, &input);
}

/* The change as the ledger keeps it; its bytes go to `at`. False: no room. */
static bool put_change(const struct registry_change *in, uint8_t **at, const uint8_t *end,
                       struct row_change *out)
{
	size_t room = (size_t)(end - *at);
	if (room < REGISTRY_NAME_MAX + 1)
		return false;
	*out = (struct row_change){.removed = in->deleted, .if_version = in->expected};
	out->key = registry_row_key(in->row.kind, in->row.name, *at);
	*at += out->key.size;
	if (in->deleted)
		return true;
	size_t size = registry_row_encode(&in->row, *at, (size_t)(end - *at));
	if (size == 0 || size > VALUE_MAX_SIZE)
		return false;
	out->value = (struct bytes){*at, size};
	*at += size;
	return true;
}

static struct proposal *encode(const struct command *command, uint64_t number)
{
	struct proposal *p = calloc(1, sizeof *p + COMMAND_MAX_SIZE);
	if (p == NULL)
		return NULL;
	p->number = number;
	p->size = command_encode(command, p->command, COMMAND_MAX_SIZE);
	if (p->size > 0)
		return p;
	free(p);
	return NULL;
}

static void carry_propose(struct engine_body *e, uint64_t number,
                          const struct registry_transaction *t)
{
	struct command command = {.kind = COMMAND_REGISTRY, .epoch = t->epoch,
		.if_version = NO_VERSION, .change_count = t->count};
	uint8_t *at = e->scratch;
	bool fits = t->count <= ROW_CHANGES_MAX;
	for (uint32_t i = 0; fits && i < t->count; i++)
		fits = put_change(&t->changes[i], &at, e->scratch + ROW_CHANGES_BYTES_MAX,
		                  &command.changes[i]);
	struct proposal *p = fits ? encode(&command, number) : NULL;
	if (p == NULL) {
		tell_proposed(e, number, PROPOSAL_REFUSED, "it is larger than what the ledger takes at once");
		return;
	}
	STAILQ_INSERT_TAIL(&e->proposals, p, link);
	propose(e, p);
}

static struct proposal *proposal_of(struct engine_body *e, uint64_t number)
{
	struct proposal *p;
	STAILQ_FOREACH(p, &e->proposals, link) {
		if (p->number == number)
			return p;
	}
	return NULL;
}

static void end_proposal(struct engine_body *e, struct proposal *p, enum proposal_result result,
                         const char *text)
{
	tell_proposed(e, p->number, result, text);
	STAILQ_REMOVE(&e->proposals, p, proposal, link);
	free(p);
}

static void propose_soon(struct engine_body *e)
{
	struct timeval after;
	duration_timeval(PROPOSE_AGAIN, &after);
	event_add(e->again, &after);
}

void engine_proposed(struct engine_body *e, const struct effect *effect)
{
	struct proposal *p = proposal_of(e, effect->proposed.number);
	if (p == NULL)
		return; /* given up with the mastership */
	switch (effect->proposed.code) {
	case ANSWER_DONE:
		end_proposal(e, p, PROPOSAL_APPLIED, "");
		return;
	case ANSWER_BUSY:
		p->again = true;
		propose_soon(e);
		return;
	case ANSWER_REFUSED:
		end_proposal(e, p, effect->proposed.conflict ? PROPOSAL_CONFLICT : PROPOSAL_REFUSED,
		             effect->proposed.text);
		return;
	case ANSWER_NO_MASTER:
	case ANSWER_UNKNOWN:
	case ANSWER_NOT_MASTER:
	case ANSWER_PROGRESS:
		end_proposal(e, p, PROPOSAL_UNKNOWN, effect->proposed.text);
		return;
	}
}

static bool waits_again(const struct engine_body *e)
{
	const struct proposal *p;
	STAILQ_FOREACH(p, &e->proposals, link) {
		if (p->again)
			return true;
	}
	return false;
}

void engine_propose_again(struct engine_body *e)
{
	struct proposal *p;
	STAILQ_FOREACH(p, &e->proposals, link) {
		if (!p->again)
			continue;
		p->again = false;
		propose(e, p);
		if (waits_again(e))
			propose_soon(e);
		return; /* the list may have changed: the next one is the next time's */
	}
}


void engine_proposals_lost(struct engine_body *e)
{
	struct proposal *p;
	while ((p = STAILQ_FIRST(&e->proposals)) != NULL)
		end_proposal(e, p, PROPOSAL_UNKNOWN, "this node is not the master any more");
}

/* ---- the journal ---- */

static void carry_journal(struct engine_body *e, const struct engine_effect *effect)
{
	uint8_t name[OPERATION_NAME_SIZE];
	struct input input = {.kind = INPUT_JOURNAL};
	struct journaling *j = calloc(1, sizeof *j);
	operation_name(&effect->journal.id, name);
	input.journal.key = (struct bytes){name, sizeof name};
	if (!effect->journal.drop) {
		size_t size = journal_record_encode(effect->journal.record, e->scratch, ENGINE_SCRATCH);
		input.journal.value = (struct bytes){e->scratch, size};
	}
	if (j == NULL)
		abort(); /* the engine would wait for ever */
	j->number = effect->journal.number;
	STAILQ_INSERT_TAIL(&e->journalings, j, link);
	body_step(e->body, &input); /* engine_body_persists learns the number */
}

/* ---- answers ---- */

static void answer(struct engine_body *e, const struct request_id *request, enum answer_code code,
                   const struct engine_told *told)
{
	struct input input = {.kind = INPUT_ENGINE_ANSWER};
	size_t size = engine_told_encode(told, e->scratch, ENGINE_SCRATCH);
	if (request->origin == 0)
		return; /* a job's run: nobody asked */
	input.engine_answer.request = *request;
	input.engine_answer.code = code;
	input.engine_answer.value = (struct bytes){e->scratch, size};
	body_step(e->body, &input);
}

static void carry_answer(struct engine_body *e, const struct engine_answer *in)
{
	struct engine_told told = {.answer = *in};
	answer(e, &in->request,
	       in->result == ENGINE_NOT_MASTER ? ANSWER_NOT_MASTER : ANSWER_DONE, &told);
}

static void carry_progress(struct engine_body *e, const struct engine_effect *effect)
{
	struct engine_told told = {.is_progress = true, .progress = *effect->progress.progress};
	told.answer.operation = effect->progress.operation;
	told.answer.number = effect->progress.number;
	told.answer.state = effect->progress.progress->state;
	answer(e, &effect->progress.request, ANSWER_PROGRESS, &told);
}

/* ---- messages ---- */

static void carry_send(struct engine_body *e, node_id to, const struct engine_message *message)
{
	struct input input = {.kind = INPUT_ENGINE_SEND};
	size_t size = engine_message_encode(message, e->scratch, ENGINE_BYTES_MAX);
	if (size == 0)
		return;
	if (to == node_key_id(&e->body->keys.public_key)) {
		struct told *t = engine_tell(e, ENGINE_MESSAGE, size + 1);
		if (t == NULL)
			return;
		t->from = to;
		t->size = size;
		memcpy(t->bytes + 1, e->scratch, size);
		return;
	}
	input.engine_send.to = to;
	input.engine_send.bytes = (struct bytes){e->scratch, size};
	body_step(e->body, &input);
}

/* ---- the log ---- */

static void carry_trace(struct engine_body *e, const struct engine_trace *trace)
{
	enum rule_level level = (enum rule_level)engine_rule_level(trace->rule);
	const char *node = trace->node == 0 ? "" : gossip_name(e->body->gossip, trace->node);
	char text[1400];
	if (!journal_wants(level))
		return;
	engine_trace_sentence(trace, node, text, sizeof text);
	journal_write(&(struct journal_line){level, engine_rule_name(trace->rule), "", node, text});
}

/* ---- all ---- */

/*
 * Effects are good until the next call with this engine: engine_body_turn, which every step of the mind
 * ends with, does nothing while it is under way.
 */
void engine_carry(struct engine_body *e, const struct now *now, const struct engine_output *out)
{
	for (uint32_t i = 0; i < out->count; i++) {
		const struct engine_effect *effect = &out->list[i];
		switch (effect->kind) {
		case DO_PROPOSE:
			carry_propose(e, effect->propose.number, &effect->propose.transaction);
			break;
		case DO_JOURNAL:
			carry_journal(e, effect);
			break;
		case DO_RUN:
			runner_run(e->body, effect->run.run, effect->run.command);
			break;
		case DO_KILL:
			runner_kill(e->body, effect->kill.run);
			break;
		case DO_SEND:
			carry_send(e, effect->send.to, effect->send.message);
			break;
		case DO_ANSWER:
			carry_answer(e, effect->answer);
			break;
		case DO_PROGRESS:
			carry_progress(e, effect);
			break;
		case DO_TRACE:
			carry_trace(e, &effect->trace);
			break;
		}
	}
}
