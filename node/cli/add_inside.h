/*
 * add_inside.h: one `node add`, as its steps share it.
 */
#ifndef ESSAIM_CLI_ADD_INSIDE_H
#define ESSAIM_CLI_ADD_INSIDE_H

#include "add.h"
#include "add_package.h"
#include "remote.h"

struct adding {
	struct invocation *in;
	struct target target;
	char target_text[320];
	const char *given_key, *identity; /* of the command line, or NULL */
	bool witness, somebody_there;
	struct package package;
	bool package_named; /* not found, but meant: it may replace another version */
	volatile sig_atomic_t *stop;

	/* here */
	char cluster[64];
	struct wire_range wire;
	int64_t level;
	json_t *addresses; /* owned: where the other machine is to knock */

	/* there */
	struct remote *remote;
	struct remote_output output;
	struct remote_key key;
	char name[64]; /* what the node is called */
	char there_version[64]; /* of the package there; empty: none */
	bool daemon_there, joined, installed;
	int64_t offset_ms, bound_ms;

	char *token; /* owned, wiped; NULL: none */
	char token_id[17];
	bool token_open;
	json_t *member; /* owned: its row in our list of nodes */

	char said[320]; /* what the step found, told by the driver */
	char done[400]; /* what is changed already; "": nothing */
};

/* What a step found, in printf form. */
void add_say(struct adding *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What a failure must tell was done. */
void add_done(struct adding *a, const char *what);

/* A line while the step lasts; only on a terminal. */
void add_progress(const struct adding *a, const char *step, const char *text);

/* A line of warning below the step. */
void add_warn(const struct adding *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- steps: 0, or an exit code with *f: what (may be empty), why, hint ---- */

int add_here(struct adding *a, struct failure *f);
int add_connect(struct adding *a, struct failure *f);
int add_host_key(struct adding *a, struct failure *f);
int add_log_in(struct adding *a, struct failure *f);
int add_look(struct adding *a, struct failure *f);
int add_install(struct adding *a, struct failure *f);
int add_daemon(struct adding *a, struct failure *f);
int add_token(struct adding *a, struct failure *f);
int add_join(struct adding *a, struct failure *f);
int add_seen(struct adding *a, struct failure *f);

/* ---- what the steps there share (add_there.c) ---- */

/* An account's PATH need not have the folders of administrators. */
#define ADD_PATHS "PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin LC_ALL=C; export PATH LC_ALL; "

/* Exit code of the step, with its reason. */
int add_refuse(struct failure *f, const char *why, const char *hint);

/* "ssh -p 2222 root@host" for a command to paste. */
const char *add_ssh_words(const struct adding *a);

/* Runs it there; 0: it ended, a->output tells how. */
int add_run(struct adding *a, const char *script, int limit_ms, struct failure *f);

/* It ran and ended with a code that is not 0. */
int add_ended_badly(const struct adding *a, const char *what, const char *hint, struct failure *f);

/* What an `essaim --json` there printed; NULL: no JSON. Owned by the caller. */
json_t *add_printed_json(const struct adding *a);

/* Is the package to be put there? */
bool add_must_install(const struct adding *a);

/* Its daemon's status, if it runs: a machine that belongs somewhere already is refused (add_look.c). */
int add_check_standing(struct adding *a, struct failure *f);

/* The row of the member called a->name; NULL: there is none (yet), or the daemon does not say.
 * Owned by the caller. */
json_t *add_find_member(const struct adding *a);

/* Invariant 2 of add.h. Empty `out`: revoked, or there was none. */
void add_revoke(struct adding *a, char *out, size_t size);

#endif
