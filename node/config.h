/*
 * config.h: what an administrator may set, in one table of keys.
 *
 *     defaults  <-  file (--config)  <-  options (--name, --data, --listen, --advertise, --socket)
 *               ->  check
 *
 * Invariants
 *   1. The table in config.c is the only place that knows a key: reading, printing and help walk it.
 *   2. An unknown section or key, or a value out of bounds, is an error with file and line.
 *   3. node_config_print's output reads back to the same struct.
 *   4. What must be equal on all nodes (the lease's times) is not here: it is committed at init.
 */
#ifndef ESSAIM_CONFIG_H
#define ESSAIM_CONFIG_H

#include <stdio.h>

#include "error.h"
#include "journal.h"
#include "words.h"

#define LISTEN_MAX ADDRESSES_MAX
#define CONFIG_PATH_SIZE 256
/* sun_path holds 108 bytes with its NUL. */
#define SOCKET_PATH_SIZE 108

enum { OBSERVE_NO, OBSERVE_YES }; /* in the order of the key's choices */

struct node_config {
	char name[NAME_MAX_SIZE + 1];
	char data[CONFIG_PATH_SIZE];
	char socket[SOCKET_PATH_SIZE];
	char hand[SOCKET_PATH_SIZE]; /* "": none, unless it started us */
	struct addresses listen;
	struct addresses advertise; /* none: the listen addresses */
	char hooks[CONFIG_PATH_SIZE];
	struct address http;      /* family 0: off */
	char http_token[CONFIG_PATH_SIZE]; /* "": none */
	uint32_t format;          /* enum journal_format */
	uint32_t level;           /* enum rule_level */
	uint32_t observe;         /* OBSERVE_NO: the storage is not looked at */
	uint32_t observe_dns;     /* OBSERVE_NO: no name server is asked */
	uint32_t members_max;
	uint32_t ledger_size; /* bytes */
};

void node_config_defaults(struct node_config *out);

/* Reads a file over what is in `config`. 0, or -errno / -EINVAL with "file:line: reason". */
int node_config_read(struct node_config *config, const char *path, struct error *error);
/* The same from an open stream; `name` is for the messages. */
int node_config_read_stream(struct node_config *config, FILE *in, const char *name,
                            struct error *error);

/* Sets one key as the file would ("node", "name", "web1"). 0, or -EINVAL with the reason. */
int node_config_set(struct node_config *config, const char *section, const char *key,
                    const char *value, struct error *error);

/* What no single key can see; fills `advertise`. Call once, after everything was set. */
int node_config_check(struct node_config *config, struct error *error);

/* The effective config as a file with one comment per key. */
void node_config_print(const struct node_config *config, FILE *out);

#endif
