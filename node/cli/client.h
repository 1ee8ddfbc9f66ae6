/*
 * client.h: one request over the daemon's socket, and what comes back.
 *
 *     connect -> request frame -> { part } * -> { event | progress } * -> final frame
 *
 * Invariants
 *   1. Once a writing request has left, a lost answer is CODE_UNKNOWN, never CODE_FAILED.
 *      One that did not leave whole, with all its parts, is never acted upon.
 *   2. The daemon keeps the user's time limit; we wait a little longer, so that its answer, which
 *      knows more, is the one that is shown.
 */
#ifndef ESSAIM_CLI_CLIENT_H
#define ESSAIM_CLI_CLIENT_H

#include "commands.h"
#include "fail.h"

struct exchange {
	const char *socket;
	const char *verb; /* "kv put" */
	json_t *args;     /* borrowed */
	int timeout_ms;
	bool writes;
	const char *verify; /* the command that tells what became of a write; NULL only for reads */
	bool endless;       /* no limit of time once connected */
	/* Called for each event; false ends the exchange with CODE_DONE. May be NULL. */
	bool (*on_event)(void *context, const json_t *event);
	/* What is waited for, in the daemon's words. NULL: it is the spinner's. */
	void (*on_text)(void *context, const char *text);
	bool collects; /* events are taken in silence: say how long it takes */
	/* Called after the request for each further frame: its bytes, valid until the next call; NULL
	 * after the last. May be NULL. */
	const char *(*next_part)(void *context, size_t *out_size);
	void *context;
};

/* 0 with *out_result (owned by the caller; NULL if on_event ended it), or a code with *f filled. */
int client_exchange(const struct exchange *x, json_t **out_result, struct failure *f);

#endif
