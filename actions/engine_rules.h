/*
 * engine_rules.h: one name and one sentence for every decision of the engine that can be traced.
 *
 * RULE(name, level, event, sentence): {op} the operation's number, {node} the other node, {value},
 * {text}. `event`: shown by `essaim events`.
 */
#ifndef ESSAIM_ENGINE_RULES_H
#define ESSAIM_ENGINE_RULES_H

#include <stdbool.h>
#include <stddef.h>

#define ENGINE_RULES(RULE)                                                                         \
	/* the master */                                                                           \
	RULE(QUEUED, notice, 1, "operation {op} was taken on: {text}")                             \
	RULE(REFUSED, info, 0, "a request was refused: {text}")                                    \
	RULE(REPEATED, info, 0, "a request for operation {op} came again: answered, not done again") \
	RULE(BEGINS, info, 0, "operation {op} has its locks and begins")                           \
	RULE(DISPATCHED, debug, 0, "operation {op}: steps from {value} go to {node}")              \
	RULE(LEG_DONE, info, 0, "operation {op}: {node} did its steps")                            \
	RULE(CANCELLING, notice, 1, "operation {op} is to stop: {text}")                           \
	RULE(GOES_BACK, notice, 1, "operation {op} is being undone: {text}")                       \
	RULE(ENDED, notice, 1, "operation {op} ended: {text}")                                     \
	RULE(ADOPTED, notice, 1, "this master adopts {value} open operations")                     \
	RULE(ADOPTS, info, 0, "operation {op} is adopted, its target is asked")                    \
	RULE(TARGET_GONE, warning, 1, "operation {op}: {node} is no member any more, how far it went is not known") \
	RULE(CONFLICT, debug, 0, "operation {op}: its row changed meanwhile, judged anew")         \
	RULE(JOB_DUE, notice, 1, "job {text} runs for the {value}th time")                         \
	RULE(JOB_REFUSED, warning, 1, "job {text}: its run {value} was refused")                   \
	RULE(AUDIT_DROPPED, debug, 0, "audit row {value} is too old and is dropped")               \
	/* the executor */                                                                         \
	RULE(TAKEN, info, 0, "operation {op}: this node begins at step {value}")                   \
	RULE(RESUMED, notice, 1, "operation {op}: goes on after a restart, at step {value}")       \
	RULE(OLD_EPOCH, warning, 1, "operation {op}: refused {node}, which speaks for epoch {value}") \
	RULE(BEHIND, info, 0, "operation {op}: waits until this node's ledger has it")             \
	RULE(NOT_OPEN, warning, 0, "operation {op}: refused {node}: it has ended")                 \
	RULE(STEP, info, 0, "operation {op}: {text}")                                              \
	RULE(STEP_DONE, debug, 0, "operation {op}: {text}: done")                                  \
	RULE(STEP_FAILED, warning, 1, "operation {op}: {text}")                                    \
	RULE(PROBES, info, 0, "operation {op}: asks whether step {value} was done")                \
	RULE(FOUND_DONE, notice, 0, "operation {op}: step {value} had been done")                  \
	RULE(FOUND_ABSENT, notice, 0, "operation {op}: step {value} had not been done")            \
	RULE(UNDOES, notice, 0, "operation {op}: undoes step {value}")                             \
	RULE(KILLED, notice, 0, "operation {op}: its command is ended")                            \
	RULE(JOURNAL_FAILED, error, 1, "operation {op}: the journal cannot be written: nothing is begun") \
	RULE(FORGOTTEN, debug, 0, "operation {op} has ended everywhere: its journal is dropped")

enum engine_rule {
#define RULE(name, level, event, sentence) ENGINE_RULE_##name,
	ENGINE_RULES(RULE)
#undef RULE
	ENGINE_RULE_COUNT
};

enum engine_rule_level {
	ENGINE_LEVEL_debug, ENGINE_LEVEL_info, ENGINE_LEVEL_notice, ENGINE_LEVEL_warning, ENGINE_LEVEL_error,
};

struct engine_trace;

const char *engine_rule_name(enum engine_rule rule);
enum engine_rule_level engine_rule_level(enum engine_rule rule);
bool engine_rule_event(enum engine_rule rule);

/* The rule's sentence with its names filled in; `node`: that node's name. NUL-ended, cut at size. */
void engine_trace_sentence(const struct engine_trace *trace, const char *node, char *out, size_t size);

#endif
