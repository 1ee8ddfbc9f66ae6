/*
 * alone_engine.h: one engine that is master and target at once, carried without delay: what it
 * proposes is applied, what it journals is durable, what it sends to itself arrives. Commands wait
 * until the test ends them.
 */
#ifndef ESSAIM_ALONE_ENGINE_H
#define ESSAIM_ALONE_ENGINE_H

#include "engine.h"

#define SELF 1
#define OTHER 2
#define ALONE_ROWS_MAX 64
#define ALONE_ANSWERS_MAX 32

struct alone_row {
	bool used;
	enum registry_kind kind;
	uint8_t name[REGISTRY_NAME_MAX];
	size_t name_size;
	uint64_t version;
	union {
		struct operation_row operation;
		struct audit_row audit;
		struct job_row job;
	};
};

#define ALONE_PENDING_MAX 64

struct alone_pending {
	enum engine_input_kind kind; /* PROPOSED (and its rows), JOURNALED, MESSAGE */
	uint64_t number;
	enum proposal_result result;
	uint32_t change_count;
	struct {
		bool deleted;
		enum registry_kind kind;
		uint8_t name[REGISTRY_NAME_MAX];
		size_t size;
	} changes[REGISTRY_CHANGES_MAX];
	struct engine_message message;
};

struct alone {
	struct engine *engine;
	struct now now;
	uint64_t index, sequence, epoch;
	bool other_gone, other_unreachable, hooked, refuse_proposals, journal_fails;
	struct alone_row rows[ALONE_ROWS_MAX];
	uint32_t answer_count;
	struct engine_answer answers[ALONE_ANSWERS_MAX];
	/* the last command that was asked for and not ended; run 0: none */
	uint64_t run, killed;
	uint32_t run_count;
	struct command_line command;
	struct journal_record record; /* the last that was written */
	uint32_t dropped;
	struct engine_view view;
	uint32_t sent_count; /* to others */
	struct engine_message sent;
	struct engine_progress progress;
	uint32_t pending_count;
	struct alone_pending *pending; /* what is to be given to it next */
};

extern const struct verb_table alone_verbs;

void alone_begin(struct alone *a);
void alone_end(struct alone *a);
/* The daemon starts again with its rows, as master of the next epoch; its journal is lost unless
 * `record`. */
void alone_again(struct alone *a, const struct journal_record *record);
void alone_give(struct alone *a, const struct engine_input *input);
void alone_pass(struct alone *a, duration d);

struct engine_request alone_request(struct alone *a, enum engine_ask ask);
/* "thing make" of that name at SELF (or OTHER). */
struct engine_request alone_make(struct alone *a, const char *name, bool at_other);
const struct engine_answer *alone_ask(struct alone *a, const struct engine_request *request);
/* Ends the command that runs. */
void alone_finish(struct alone *a, enum command_end end, int code, const char *out);

uint32_t alone_count(const struct alone *a, enum registry_kind kind);
const struct audit_row *alone_audit(const struct alone *a, uint64_t number);
const struct operation_row *alone_operation(const struct alone *a, uint64_t number);
const struct job_row *alone_job(const struct alone *a, const char *name);

#endif
