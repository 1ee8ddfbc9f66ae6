/*
 * table.h: a plain table on standard output, never wider than human_width(). What does not fit
 * is wrapped, not cut: an address or a key with its end missing is of no use.
 */
#ifndef ESSAIM_CLI_TABLE_H
#define ESSAIM_CLI_TABLE_H

#include <libsmartcols.h>

enum column_kind {
	COLUMN_TEXT,   /* may wrap */
	COLUMN_WORD,   /* short by nature; never wrapped */
	COLUMN_NUMBER, /* short, to the right */
};

struct column {
	const char *title; /* NULL ends the list */
	enum column_kind kind;
};

struct libscols_table *table_begin(const struct column *columns);

/* One text for each column; copied, control characters made harmless. */
void table_row(struct libscols_table *table, const char *const *cells);

/* Prints and frees. */
void table_end(struct libscols_table *table);

#endif
