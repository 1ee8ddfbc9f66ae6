/*
 * remote.h: one ssh connection to another machine: dial, see its key, log in, run commands.
 *
 *     remote_open -> remote_key -> (the caller trusts it) -> remote_login -> remote_run * -> remote_close
 *
 * Invariants
 *   1. Nothing is sent but the ssh greeting before the caller has looked at the key, and no password
 *      or key is offered before remote_login.
 *   2. Every step ends: each has a limit of time, and what a command prints is kept up to
 *      REMOTE_OUTPUT_MAX bytes and thrown away beyond that.
 *   3. What comes back is another machine's text: NUL-ended here, and made harmless by whoever
 *      prints it (human.h).
 *
 * remote*.c are the only includers of libssh. It runs in the process of the command line, not in the
 * daemon: it is the user's agent, keys and terminal that log in, it may wait for minutes, and a flaw
 * in it can reach neither the lease nor the cluster's keys. ~/.ssh/config is not read: what the
 * command line says is what happens.
 */
#ifndef ESSAIM_CLI_REMOTE_H
#define ESSAIM_CLI_REMOTE_H

#include <signal.h>

#include "add_words.h"

#define REMOTE_OUTPUT_MAX (64 * 1024)
#define FINGERPRINT_SIZE 64

struct remote;

/* Connects and greets; limit_ms for each of the two. 0, or negative errno with a sentence. */
int remote_open(const struct target *target, int limit_ms, struct remote **out, struct error *error);

/* Also after a failure, and with NULL. */
void remote_close(struct remote *remote);

struct remote_key {
	char fingerprint[FINGERPRINT_SIZE]; /* "SHA256:..." */
	char kind[32];                      /* "ED25519", as ssh writes it */
	enum recorded recorded;             /* what the known_hosts files say */
	char other[FINGERPRINT_SIZE + 64];  /* RECORDED_OTHER: what they have instead, and where */
};

int remote_key(struct remote *remote, struct remote_key *out, struct error *error);

/* Writes the key into the user's known_hosts. */
int remote_key_keep(struct remote *remote, struct error *error);

/*
 * Agent and key files, or only `identity`; then the password, if somebody is there to type it.
 * `out_how`: "a key of the agent or of ~/.ssh". -EACCES: the sentence says all that was tried.
 */
int remote_login(struct remote *remote, const char *identity, bool somebody_there, char out_how[64],
		 struct error *error);

struct remote_task {
	const char *script;  /* for /bin/sh, whatever the account's shell is */
	const void *input;   /* its standard input; then end of file */
	size_t input_size;
	int limit_ms;
	const volatile sig_atomic_t *stop; /* set by a signal: give up; or NULL */
	void (*progress)(void *context, size_t sent); /* of the input; or NULL */
	void *context;
};

struct remote_output {
	char text[REMOTE_OUTPUT_MAX + 1];       /* standard output */
	char complaints[REMOTE_OUTPUT_MAX + 1]; /* standard error */
	int code; /* its exit code; -1: it ended without one */
};

/* 0 once it ended, with whatever code; -ETIMEDOUT, -EINTR, -EIO: it may still be running there. */
int remote_run(struct remote *remote, const struct remote_task *task, struct remote_output *out,
	       struct error *error);

#endif
