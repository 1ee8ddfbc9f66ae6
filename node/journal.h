/*
 * journal.h: the daemon's log: one structured line per decision or remark, to stderr.
 *
 *   text   2026-01-31T23:59:59.000Z notice rule=MASTER subject=web1 text="master of epoch 3"
 *   json   {"time":"…","level":"notice","rule":"MASTER","subject":"web1","text":"master of epoch 3"}
 *
 * Invariants
 *   1. A line never blocks the loop: if stderr's reader is stuck the line is lost and counted, and
 *      the next line that gets through says how many.
 *   2. The text of a rule is rendered by proto/sentence.h, so it is the plays' sentence.
 *
 * (Not named log.h: that is the ledger's log, in gossip/.)
 */
#ifndef ESSAIM_JOURNAL_H
#define ESSAIM_JOURNAL_H

#include "rules.h"

enum journal_format { JOURNAL_TEXT = 0, JOURNAL_JSON = 1 };

struct journal_line {
	enum rule_level level;
	const char *rule;    /* NULL: a remark of the body, by no rule */
	const char *subject; /* NULL or "": none */
	const char *other;
	const char *text;
};

void journal_start(enum journal_format format, enum rule_level level);
bool journal_wants(enum rule_level level);
void journal_write(const struct journal_line *line);

/* A remark of the body. */
void journal_say(enum rule_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

const char *rule_level_name(enum rule_level level);

/* The whole line with its newline, for tests; returns its length. */
#define JOURNAL_LINE_MAX 2048
size_t journal_format_line(enum journal_format format, instant wall,
                           const struct journal_line *line, char out[JOURNAL_LINE_MAX]);

#endif
