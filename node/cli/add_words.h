/*
 * add_words.h: what `node add` reads and writes as text: the target, words for a shell, lines that
 * another machine printed. Pure: no I/O, no clock.
 *
 * Invariants
 *   1. Whatever quote_append wrote is one word to any shell, and that word is its input.
 *   2. What the other machine printed is looked up, never run and never trusted in its length.
 */
#ifndef ESSAIM_CLI_ADD_WORDS_H
#define ESSAIM_CLI_ADD_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

#define TARGET_USER_SIZE 33
#define TARGET_HOST_SIZE 254 /* a DNS name at its longest */
#define SSH_PORT 22

struct target {
	char user[TARGET_USER_SIZE];
	char host[TARGET_HOST_SIZE]; /* a name, IPv4, or IPv6 without brackets */
	unsigned port;
};

/* "USER@HOST", "USER@HOST:PORT", "USER@[IPv6]:PORT". 0, or -EINVAL with a sentence. */
int target_parse(const char *text, struct target *out, struct error *error);

/* "root@192.0.2.7", with the port unless it is 22. */
void target_format(const struct target *target, char *out, size_t size);

/* "SHA256:" and 43 digits of base64, as ssh-keygen -l prints it. */
bool fingerprint_valid(const char *text);

/* Adds `text` to `out` as one word of a shell, after a blank unless `out` is empty. False: no room;
 * `out` is as before. */
bool quote_append(char *out, size_t size, const char *text);

/* The value of the line "key=value" in `text`, cut to fit; "" if there is none. */
void line_value(const char *text, const char *key, char *out, size_t size);

/* The last line of a complaint that is not empty, as one piece, for an error. */
void last_words(const char *text, char *out, size_t size);

/* ---- is this the machine we mean? ---- */

enum recorded { RECORDED_SAME, RECORDED_OTHER, RECORDED_NOTHING };

enum trust {
	TRUST_GIVEN,      /* --host-key named it */
	TRUST_RECORDED,   /* known_hosts has it */
	TRUST_ASK,        /* somebody is there to compare it */
	REFUSE_NOT_GIVEN, /* --host-key named another */
	REFUSE_CHANGED,   /* known_hosts has another */
	REFUSE_NOBODY,    /* unknown, and nobody is there to ask */
};

/*
 * `given` is --host-key's, or NULL: it is the strongest word, since whoever typed it had the key in
 * front of them; a record that says otherwise is only old.
 */
enum trust trust_decide(const char *shown, const char *given, enum recorded recorded,
			bool somebody_there);

/* ---- can they talk? ---- */

struct wire_range {
	int64_t min, max;
};

/* They have a version in common, and it reaches the level that the cluster speaks already. */
bool wire_fits(struct wire_range here, struct wire_range there, int64_t level);

#endif
