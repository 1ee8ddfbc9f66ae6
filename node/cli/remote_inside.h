/*
 * remote_inside.h: what remote*.c share.
 */
#ifndef ESSAIM_CLI_REMOTE_INSIDE_H
#define ESSAIM_CLI_REMOTE_INSIDE_H

#include <libssh/callbacks.h>
#include <libssh/libssh.h>

#include "remote.h"

struct remote {
	ssh_session session;
	struct ssh_callbacks_struct callbacks; /* libssh keeps a pointer to it */
	struct target target;
	char folder[512]; /* ~/.ssh */
	int limit_ms;
};

/* A connected socket, or -errno with a sentence. */
int remote_dial(const struct target *target, int limit_ms, struct error *error);

/* Asks on the terminal, without an echo. False: nothing was typed. */
bool remote_ask_secret(const char *prompt, char *out, size_t size);

#endif
