/*
 * store_file.h: the store's file: opening with its checks, loading, and one transaction at a time.
 * Used by the store's thread once that runs, by the main thread before.
 */
#ifndef ESSAIM_STORE_FILE_H
#define ESSAIM_STORE_FILE_H

#include <sqlite3.h>

#include "store.h"

/*
 * The newest format this build knows. 2 and 3 have the same tables: rows and entries in them may be such
 * as only that wire version understands, and STORE_FORMAT has marked it so that no older essaim opens it.
 */
#define STORE_FORMAT_MAX 3

enum store_statement {
	STATEMENT_BEGIN,
	STATEMENT_COMMIT,
	STATEMENT_ROLLBACK,
	STATEMENT_DURABLE,
	STATEMENT_ENTRY,
	STATEMENT_CUT_ABOVE,
	STATEMENT_TRIM_BELOW,
	STATEMENT_ROW,
	STATEMENT_ROW_DELETE,
	STATEMENT_ROWS_CLEAR,
	STATEMENT_JOURNAL,
	STATEMENT_JOURNAL_DELETE,
	STATEMENTS
};

struct store_file {
	sqlite3 *db;
	sqlite3_stmt *statements[STATEMENTS];
	char path[320];
};

int store_file_open(const char *folder, struct store_file *out, struct error *error);
bool store_file_initialised(struct store_file *file);
int store_file_load(struct store_file *file, const struct store_reader *reader,
                    struct error *error);
void store_file_close(struct store_file *file);

/* Each true if SQLite says so. After a false the transaction must be rolled back. */
bool store_file_begin(struct store_file *file);
bool store_file_apply(struct store_file *file, const struct store_op *op);
bool store_file_commit(struct store_file *file);
void store_file_rollback(struct store_file *file);

#endif
