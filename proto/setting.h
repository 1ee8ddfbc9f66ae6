/*
 * setting.h: what a cluster agrees on besides its members: one table of names, legal values and
 * meanings. The mind checks what is asked with it, the command line shows and completes from it.
 *
 * A setting is committed as the text that a person wrote; who reads it parses it again. A build
 * that does not know a name keeps its row and lets it be.
 *
 *     name            legal            default    read by
 *     voters          auto, 3, 5, 7    auto       gossip/voters: how many vote
 *     voter-patience  1s to 7d         5m         gossip/voters: silence until a voter is replaced
 *     profile         default, lan     of `init`  gossip/voters_terms: times of the lease
 *     clock-…         1ms to 1h        see table  node/checkup: from where on an offset is a finding
 */
#ifndef ESSAIM_SETTING_H
#define ESSAIM_SETTING_H

#include "error.h"
#include "words.h"

enum setting {
	SETTING_VOTERS,
	SETTING_VOTER_PATIENCE,
	SETTING_PROFILE,
	SETTING_CLOCK_INFO,
	SETTING_CLOCK_WARNING,
	SETTING_CLOCK_ERROR,
	SETTINGS /* how many */
};

#define SETTING_NAME_MAX 31
#define SETTING_VALUE_MAX 31 /* of any legal value, as text */

struct setting_info {
	const char *name;
	const char *standard; /* the value while nobody set another; "" for profile: what `init` chose */
	const char *legal;    /* for people: "auto, 3, 5 or 7" */
	const char *meaning;  /* one sentence */
};

const struct setting_info *setting_info(enum setting setting);

/* 0, or -ENOENT with a sentence that lists the names. */
int setting_find(struct bytes name, enum setting *out, struct error *error);

/* 0, or -EINVAL with a sentence that says what is legal. */
int setting_check(enum setting setting, struct bytes value, struct error *error);

/* The value of a legal text: a number, a duration in ns, enum profile; 0 for `auto`. */
int64_t setting_value(enum setting setting, struct bytes value);

#endif
