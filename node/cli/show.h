/*
 * show.h: results drawn for people, one function per shape of result. Types as in commands.h.
 *
 * They read results through json.h, so a missing field leaves a gap, never a crash.
 */
#ifndef ESSAIM_CLI_SHOW_H
#define ESSAIM_CLI_SHOW_H

#include "commands.h"

void show_founded(const struct invocation *in, const json_t *result);
void show_status(const struct invocation *in, const json_t *result);
void show_event(const struct invocation *in, const json_t *event);
void show_version(const struct invocation *in, const json_t *result);
void show_nodes(const struct invocation *in, const json_t *result);
void show_node(const struct invocation *in, const json_t *result);
void show_master(const struct invocation *in, const json_t *result);
void show_transfer(const struct invocation *in, const json_t *result);
void show_seized(const struct invocation *in, const json_t *result);
void show_rekeyed(const struct invocation *in, const json_t *result);
void show_cluster(const struct invocation *in, const json_t *result);
void show_setting(const struct invocation *in, const json_t *result);
void show_backup(const struct invocation *in, const json_t *result);
void show_restored(const struct invocation *in, const json_t *result);
void show_token(const struct invocation *in, const json_t *result);
void show_tokens(const struct invocation *in, const json_t *result);
void show_value(const struct invocation *in, const json_t *result);
void show_put(const struct invocation *in, const json_t *result);
void show_storage(const struct invocation *in, const json_t *result);
void show_volume(const struct invocation *in, const json_t *result);
void show_storages(const struct invocation *in, const json_t *result);
void show_volumes(const struct invocation *in, const json_t *result);
void show_drbds(const struct invocation *in, const json_t *result);
void show_drbd(const struct invocation *in, const json_t *result);
void show_keys(const struct invocation *in, const json_t *result);
void show_change(const struct invocation *in, const json_t *event);
void show_operations(const struct invocation *in, const json_t *result);
void show_operation(const struct invocation *in, const json_t *result);
void show_audit(const struct invocation *in, const json_t *result);
void show_jobs(const struct invocation *in, const json_t *result);
void show_job(const struct invocation *in, const json_t *result);
void show_job_started(const struct invocation *in, const json_t *result);
/* "done", said only to somebody who listens. */
void show_done(const struct invocation *in, const json_t *result);

/* One line "title     text" of a page; the text (printf form) wraps below itself. */
void show_field(const char *title, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* One line "  ! text": something that needs attention; wraps. */
void show_notice(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "a, b" of an array of names, or of objects with a name; `none` if it is empty. */
void show_names(const json_t *list, const char *none, char *out, size_t size);

/* How long, in words, of a field in milliseconds. Valid until the fourth next call. */
const char *show_duration(const json_t *object, const char *key);

/*
 * Why this member is not plainly reachable, as a sentence into `out`:
 * "n3 is unreachable, last heard 12 s ago; accused by n1 (no answer)". Empty if it is reachable,
 * gone, or if there is nothing to say.
 */
void show_why(const json_t *member, char *out, size_t size);

/* A notice if two processes use this member's key. */
void show_clone(const json_t *member);

/* show_host.c: the lines of one node's machine; the table of all nodes' machines. */
void show_host(const json_t *node);
void show_hosts(const json_t *nodes);

#endif
