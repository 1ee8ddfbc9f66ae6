#include "store_file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define WAY_OUT "it was left as it is: restore it from a backup, or empty the data folder and join as a new node"

static const char *const statements_sql[STATEMENTS] = {
	[STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
	[STATEMENT_COMMIT] = "COMMIT",
	[STATEMENT_ROLLBACK] = "ROLLBACK",
	[STATEMENT_DURABLE] = "INSERT OR REPLACE INTO meta(key, value) VALUES('durable', ?1)",
	[STATEMENT_ENTRY] = "INSERT OR REPLACE INTO log(idx, counter, incarnation, node, hop, command) "
			    "VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
	[STATEMENT_CUT_ABOVE] = "DELETE FROM log WHERE idx > ?1",
	[STATEMENT_TRIM_BELOW] = "DELETE FROM log WHERE idx <= ?1",
	[STATEMENT_ROW] = "INSERT OR REPLACE INTO rows(key, value) VALUES(?1, ?2)",
	[STATEMENT_ROW_DELETE] = "DELETE FROM rows WHERE key = ?1",
	[STATEMENT_ROWS_CLEAR] = "DELETE FROM rows",
	[STATEMENT_JOURNAL] = "INSERT OR REPLACE INTO journal(key, value) VALUES(?1, ?2)",
	[STATEMENT_JOURNAL_DELETE] = "DELETE FROM journal WHERE key = ?1",
};

static const char schema_sql[] =
	"BEGIN IMMEDIATE;"
	"CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE log(idx INTEGER PRIMARY KEY, counter INTEGER NOT NULL,"
	" incarnation INTEGER NOT NULL, node INTEGER NOT NULL, hop INTEGER NOT NULL,"
	" command BLOB NOT NULL);"
	"CREATE TABLE rows(key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
	"PRAGMA user_version = 1;"
	"COMMIT;";

/* Of every format: an older essaim leaves it alone. */
static const char journal_sql[] = "CREATE TABLE IF NOT EXISTS journal"
				  "(key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;";

/* ---- opening ---- */

static int corrupt(struct store_file *file, const char *reason, struct error *error)
{
	return error_set(error, -EINVAL, "store '%s' is corrupt (%.100s); " WAY_OUT, file->path, reason);
}

/* A failure while opening: the file's fault, or the world's. */
static int open_failed(struct store_file *file, struct error *error)
{
	int code = sqlite3_errcode(file->db);
	const char *reason = file->db != NULL ? sqlite3_errmsg(file->db) : "out of memory";
	if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
		return corrupt(file, reason, error);
	return error_set(error, -EIO, "cannot open store '%s': %s", file->path, reason);
}

/* The first column of a pragma's first row; false if SQLite refuses. */
static bool query_number(struct store_file *file, const char *sql, int64_t *out)
{
	sqlite3_stmt *statement;
	if (sqlite3_prepare_v2(file->db, sql, -1, &statement, NULL) != SQLITE_OK)
		return false;
	bool found = sqlite3_step(statement) == SQLITE_ROW;
	if (found)
		*out = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return found;
}

static int check_whole(struct store_file *file, struct error *error)
{
	sqlite3_stmt *statement;
	if (sqlite3_prepare_v2(file->db, "PRAGMA quick_check(1)", -1, &statement, NULL) != SQLITE_OK)
		return open_failed(file, error);
	int status = 0;
	if (sqlite3_step(statement) != SQLITE_ROW) {
		status = open_failed(file, error);
	} else {
		const char *verdict = (const char *)sqlite3_column_text(statement, 0);
		if (verdict == NULL || strcmp(verdict, "ok") != 0)
			status = corrupt(file, verdict != NULL ? verdict : "no verdict", error);
	}
	sqlite3_finalize(statement);
	return status;
}

static int check_schema(struct store_file *file, bool *out_fresh, struct error *error)
{
	int64_t version, tables;
	if (!query_number(file, "PRAGMA user_version", &version) ||
	    !query_number(file, "SELECT count(*) FROM sqlite_master", &tables))
		return open_failed(file, error);
	*out_fresh = version == 0 && tables == 0;
	if (*out_fresh || (version >= 1 && version <= STORE_FORMAT_MAX))
		return 0;
	if (version > STORE_FORMAT_MAX)
		return error_set(error, -EINVAL,
		                 "store '%s' was written by a newer essaim (schema %lld, this one knows %d): install that version",
		                 file->path, (long long)version, STORE_FORMAT_MAX);
	return corrupt(file, "tables of an unknown schema", error);
}

/*
 * Read first, change nothing: only a store that passed its checks is put into WAL mode, given
 * tables, or checkpointed when closed.
 */
static int check_file(struct store_file *file, struct error *error)
{
	sqlite3_db_config(file->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_busy_timeout(file->db, 1000); /* somebody's sqlite3 shell looking at it */
	bool fresh = false;
	int status = check_schema(file, &fresh, error);
	if (status == 0 && !fresh)
		status = check_whole(file, error);
	return status;
}

/* A small cache (512 KiB) and no mmap: the ledger lives in the mind's memory, not here. */
static int prepare_file(struct store_file *file, struct error *error)
{
	static const char setup[] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
				    "PRAGMA cache_size=-512; PRAGMA mmap_size=0;"
				    "PRAGMA journal_size_limit=8388608;";
	int64_t version = 0;
	if (sqlite3_exec(file->db, setup, NULL, NULL, NULL) != SQLITE_OK ||
	    !query_number(file, "PRAGMA user_version", &version) ||
	    (version == 0 && sqlite3_exec(file->db, schema_sql, NULL, NULL, NULL) != SQLITE_OK) ||
	    sqlite3_exec(file->db, journal_sql, NULL, NULL, NULL) != SQLITE_OK)
		return open_failed(file, error);
	for (int i = 0; i < STATEMENTS; i++) {
		if (sqlite3_prepare_v3(file->db, statements_sql[i], -1, SQLITE_PREPARE_PERSISTENT,
		                       &file->statements[i], NULL) != SQLITE_OK)
			return open_failed(file, error);
	}
	sqlite3_db_config(file->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
	return 0;
}

/* The store holds hashes that are as good as tokens: for its owner only, with what SQLite adds. */
static int make_private(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

/* What SQLite laid beside a store that was then refused goes away again. */
static void note_side_files(const struct store_file *file, bool existed[2])
{
	static const char *const ends[2] = {"-wal", "-shm"};
	for (int i = 0; i < 2; i++) {
		char path[sizeof file->path + 8];
		snprintf(path, sizeof path, "%s%s", file->path, ends[i]);
		existed[i] = access(path, F_OK) == 0;
	}
}

static void close_refused(struct store_file *file, const bool existed[2])
{
	static const char *const ends[2] = {"-wal", "-shm"};
	char path[sizeof file->path + 8], base[sizeof file->path];
	memcpy(base, file->path, sizeof base);
	store_file_close(file);
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof path, "%s%s", base, ends[i]);
		if (!existed[i])
			unlink(path);
	}
}

int store_file_open(const char *folder, struct store_file *out, struct error *error)
{
	memset(out, 0, sizeof *out);
	snprintf(out->path, sizeof out->path, "%s/store.db", folder);
	/* One thread at a time uses it: no mutexes of SQLite's own are needed. */
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
	bool existed[2];
	note_side_files(out, existed);
	int status = make_private(out->path);
	if (status < 0)
		return error_set(error, status, "cannot open store '%s': %s", out->path,
		                 strerror(-status));
	if (sqlite3_open_v2(out->path, &out->db, flags, NULL) != SQLITE_OK)
		status = open_failed(out, error);
	if (status == 0)
		status = check_file(out, error);
	if (status == 0)
		status = prepare_file(out, error);
	if (status < 0)
		close_refused(out, existed);
	return status;
}

void store_file_close(struct store_file *file)
{
	for (int i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(file->statements[i]);
	sqlite3_close(file->db);
	memset(file, 0, sizeof *file);
}

/* ---- loading ---- */

static struct bytes column_bytes(sqlite3_stmt *statement, int column)
{
	static const uint8_t none[1];
	const void *data = sqlite3_column_blob(statement, column);
	size_t size = (size_t)sqlite3_column_bytes(statement, column);
	return (struct bytes){data != NULL ? data : none, size};
}

static bool give_durable(sqlite3_stmt *statement, const struct store_reader *reader)
{
	return reader->durable(reader->context, column_bytes(statement, 0));
}

static bool give_row(sqlite3_stmt *statement, const struct store_reader *reader)
{
	return reader->row(reader->context, column_bytes(statement, 0), column_bytes(statement, 1));
}

static bool give_journal(sqlite3_stmt *statement, const struct store_reader *reader)
{
	return reader->journal == NULL || reader->journal(reader->context, column_bytes(statement, 0),
	                                                  column_bytes(statement, 1));
}

/* SQLite's integers are signed: ours are stored and read bit for bit. */
static bool give_entry(sqlite3_stmt *statement, const struct store_reader *reader)
{
	struct ballot ballot = {
		.counter = (uint64_t)sqlite3_column_int64(statement, 1),
		.incarnation = (uint64_t)sqlite3_column_int64(statement, 2),
		.node = (node_id)sqlite3_column_int64(statement, 3),
		.hop = (uint32_t)sqlite3_column_int64(statement, 4),
	};
	return reader->entry(reader->context, (uint64_t)sqlite3_column_int64(statement, 0), &ballot,
	                     column_bytes(statement, 5));
}

static int load_table(struct store_file *file, const char *sql,
                      bool (*give)(sqlite3_stmt *, const struct store_reader *),
                      const struct store_reader *reader, struct error *error)
{
	sqlite3_stmt *statement;
	if (sqlite3_prepare_v2(file->db, sql, -1, &statement, NULL) != SQLITE_OK)
		return open_failed(file, error);
	int code, status = 0;
	while (status == 0 && (code = sqlite3_step(statement)) != SQLITE_DONE) {
		if (code != SQLITE_ROW)
			status = open_failed(file, error);
		else if (!give(statement, reader))
			status = corrupt(file, "a record that cannot be decoded", error);
	}
	sqlite3_finalize(statement);
	return status;
}

bool store_file_initialised(struct store_file *file)
{
	int64_t count = 0;
	return query_number(file, "SELECT count(*) FROM meta WHERE key = 'durable'", &count) && count > 0;
}

int store_file_load(struct store_file *file, const struct store_reader *reader, struct error *error)
{
	int status = load_table(file, "SELECT value FROM meta WHERE key = 'durable'", give_durable,
	                        reader, error);
	if (status == 0)
		status = load_table(file, "SELECT key, value FROM rows ORDER BY key", give_row, reader,
		                    error);
	if (status == 0)
		status = load_table(file,
		                    "SELECT idx, counter, incarnation, node, hop, command FROM log ORDER BY idx",
		                    give_entry, reader, error);
	if (status == 0)
		status = load_table(file, "SELECT key, value FROM journal ORDER BY key", give_journal,
		                    reader, error);
	return status;
}

/* ---- writing ---- */

static bool run(struct store_file *file, enum store_statement which)
{
	sqlite3_stmt *statement = file->statements[which];
	bool well = sqlite3_step(statement) == SQLITE_DONE;
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement); /* what was bound is borrowed */
	return well;
}

static bool bind_number(sqlite3_stmt *statement, int position, uint64_t number)
{
	return sqlite3_bind_int64(statement, position, (sqlite3_int64)number) == SQLITE_OK;
}

static bool bind_bytes(sqlite3_stmt *statement, int position, struct bytes bytes)
{
	const void *data = bytes.data != NULL ? (const void *)bytes.data : "";
	return sqlite3_bind_blob64(statement, position, data, bytes.size, SQLITE_STATIC) == SQLITE_OK;
}

static bool apply_entry(struct store_file *file, const struct store_op *op)
{
	sqlite3_stmt *s = file->statements[STATEMENT_ENTRY];
	return bind_number(s, 1, op->index) && bind_number(s, 2, op->ballot.counter) &&
	       bind_number(s, 3, op->ballot.incarnation) && bind_number(s, 4, op->ballot.node) &&
	       bind_number(s, 5, op->ballot.hop) && bind_bytes(s, 6, op->value) &&
	       run(file, STATEMENT_ENTRY);
}

static bool apply_index(struct store_file *file, enum store_statement which, uint64_t index)
{
	return bind_number(file->statements[which], 1, index) && run(file, which);
}

static bool apply_bytes(struct store_file *file, enum store_statement which, struct bytes first)
{
	return bind_bytes(file->statements[which], 1, first) && run(file, which);
}

/* Within the transaction that holds what asks for it; it never goes down. */
static bool apply_format(struct store_file *file, uint64_t format)
{
	char sql[48];
	int64_t present = 0;
	if (!query_number(file, "PRAGMA user_version", &present))
		return false;
	if ((uint64_t)present >= format)
		return true;
	snprintf(sql, sizeof sql, "PRAGMA user_version = %u", (unsigned)format);
	return sqlite3_exec(file->db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

bool store_file_apply(struct store_file *file, const struct store_op *op)
{
	switch (op->kind) {
	case STORE_DURABLE:
		return apply_bytes(file, STATEMENT_DURABLE, op->value);
	case STORE_ENTRY:
		return apply_entry(file, op);
	case STORE_CUT_ABOVE:
		return apply_index(file, STATEMENT_CUT_ABOVE, op->index);
	case STORE_TRIM_BELOW:
		return apply_index(file, STATEMENT_TRIM_BELOW, op->index);
	case STORE_ROW:
		return bind_bytes(file->statements[STATEMENT_ROW], 2, op->value) &&
		       apply_bytes(file, STATEMENT_ROW, op->key);
	case STORE_ROW_DELETE:
		return apply_bytes(file, STATEMENT_ROW_DELETE, op->key);
	case STORE_ROWS_CLEAR:
		return run(file, STATEMENT_ROWS_CLEAR);
	case STORE_JOURNAL:
		return bind_bytes(file->statements[STATEMENT_JOURNAL], 2, op->value) &&
		       apply_bytes(file, STATEMENT_JOURNAL, op->key);
	case STORE_JOURNAL_DELETE:
		return apply_bytes(file, STATEMENT_JOURNAL_DELETE, op->key);
	case STORE_FORMAT:
		return apply_format(file, op->index);
	}
	assert(!"a store op outside its enum");
	return false;
}

bool store_file_begin(struct store_file *file)
{
	return run(file, STATEMENT_BEGIN);
}

bool store_file_commit(struct store_file *file)
{
	return run(file, STATEMENT_COMMIT);
}

void store_file_rollback(struct store_file *file)
{
	/* Some errors roll back by themselves; then there is nothing to do. */
	if (sqlite3_get_autocommit(file->db) == 0)
		run(file, STATEMENT_ROLLBACK);
}
