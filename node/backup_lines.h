/*
 * backup_lines.h: the file of a backup, line by line; for the daemon that writes and takes it and
 * for the command line that keeps it. JSON lines:
 *
 *   {"essaim_backup":1,"cluster":"3f9a…","generation":2,"hash":"…","index":120,"made":"…","node":"n1"}
 *   {"table":"setting","key":"voters","value":"5"}
 *   {"table":"member","key":"n1","id":"…","address":"…","role":"node","state":"active"}
 *   {"table":"kv","key":"motd","value":"back at noon","version":3,"changed_ns":1772366400…}
 *   {"table":"registry","key":"6f1f3c…","value_base64":"…","version":7,"changed_ns":1772366400…}
 *   {"rows":4,"checksum":"64 hex digits"}
 *
 *     HEAD --first line--> ROWS --last line--> WHOLE
 *
 * Invariants
 *   1. The checksum covers every byte of every line before it, and their order:
 *      sum := BLAKE2b(sum | BLAKE2b(line)), from 32 zeros.
 *   2. Tables stand in the order above and keys ascend in each: no row is there twice.
 *   3. No line is longer than BACKUP_LINE_MAX, which fits one frame of the control socket.
 *   4. Nothing secret is in it: no key of a node, no token.
 */
#ifndef ESSAIM_BACKUP_LINES_H
#define ESSAIM_BACKUP_LINES_H

#include <jansson.h>

#include "control_frame.h"
#include "error.h"
#include "words.h"

#define BACKUP_FORMAT 1
#define BACKUP_LINE_MAX CONTROL_FRAME_MAX
#define CHECKSUM_TEXT_SIZE (2 * HASH_SIZE + 1)

struct backup_sum {
	struct hash chain;
	uint64_t lines;
};

void backup_sum_add(struct backup_sum *sum, const char *line, size_t size);
void backup_sum_format(const struct backup_sum *sum, char out[CHECKSUM_TEXT_SIZE]);

enum backup_table { BACKUP_SETTING, BACKUP_MEMBER, BACKUP_KV, BACKUP_REGISTRY, BACKUP_TABLES };

struct backup_head {
	struct cluster_id cluster;
	struct generation generation;
	uint64_t index; /* of the ledger's last entry that is in it */
	char made[32];
	char node[NAME_MAX_SIZE + 1]; /* that wrote it */
};

struct backup_row {
	enum backup_table table;
	const char *key;   /* borrowed from the line's object */
	uint8_t name[KEY_MAX_SIZE]; /* BACKUP_REGISTRY: what `key` spells */
	size_t name_size;
	struct bytes value; /* all but BACKUP_MEMBER */
	uint64_t version;  /* BACKUP_KV, BACKUP_REGISTRY */
	instant changed;   /* the same: wall clock of its author */
	uint8_t *room;     /* backup_row_free */
};

/* ---- writing ---- */

json_t *backup_head_json(const struct backup_head *head);
json_t *backup_setting_json(const char *key, const char *value);
/* BACKUP_KV or BACKUP_REGISTRY */
json_t *backup_kv_json(enum backup_table table, const struct bytes *key, const struct bytes *value, uint64_t version,
                       instant changed);
/* A line as it is summed and written, without its end; caller frees. NULL: no memory. */
char *backup_line(const json_t *object);

/* ---- reading ---- */

struct backup_check {
	enum { BACKUP_WANTS_HEAD, BACKUP_WANTS_ROWS, BACKUP_WHOLE } state;
	struct backup_head head;
	struct backup_sum sum; /* of the lines so far, the head's included */
	uint64_t rows;
	enum backup_table table; /* of the last row */
	char last[2 * KEY_MAX_SIZE + 1];
};

typedef void backup_take(void *context, const struct backup_row *row);

/*
 * The next line (without its end). `take` gets each row, which is valid during the call; it may be
 * NULL. 0, or -EINVAL with "line N: reason"; nothing may be believed of a file before WHOLE.
 */
int backup_check_line(struct backup_check *check, const char *line, size_t size, backup_take *take,
                      void *context, struct error *error);

/* After the last line: 0, or -EINVAL if the file is not WHOLE. */
int backup_check_end(const struct backup_check *check, struct error *error);

#endif
