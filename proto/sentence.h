/*
 * sentence.h: a rule's sentence with its placeholders filled: what the daemon's log, `essaim
 * events` and the plays' narration all show, word for word.
 *
 * Placeholders are those of rules.h: {subject} {other} {1} {2} {3} {1ms} {2ms} {3ms} {from} {to}.
 * Anything else in braces is copied as it stands.
 */
#ifndef ESSAIM_SENTENCE_H
#define ESSAIM_SENTENCE_H

#include "words.h"

#define SENTENCE_MAX 512 /* the longest rule with all of them fits well */

/*
 * Writes the NUL-ended sentence and returns its length, cut at size - 1. `subject` and `other` may
 * be NULL or "": then "?" is shown. `ends` are two addresses, or NULL: then "-" is shown. Milliseconds are cut, not rounded: 999999 ns is 0.
 */
size_t sentence_format(char *out, size_t size, const char *pattern, const char *subject,
                       const char *other, const int64_t numbers[3], const struct address *ends);

#endif
