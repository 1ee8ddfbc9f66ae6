#include "table.h"
#include "human.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct libscols_table *table_begin(const struct column *columns)
{
	struct libscols_table *table = scols_new_table();
	if (table == NULL)
		abort();
	scols_table_set_termforce(table, SCOLS_TERMFORCE_ALWAYS);
	scols_table_set_termwidth(table, (size_t)human_width());
	scols_table_set_column_separator(table, "  ");
	for (; columns->title != NULL; columns++) {
		int flags = 0;
		switch (columns->kind) {
		case COLUMN_TEXT:
			flags = SCOLS_FL_WRAP;
			break;
		case COLUMN_WORD:
			break;
		case COLUMN_NUMBER:
			flags = SCOLS_FL_RIGHT;
			break;
		}
		if (scols_table_new_column(table, columns->title, 0, flags) == NULL)
			abort();
	}
	return table;
}

void table_row(struct libscols_table *table, const char *const *cells)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	if (line == NULL)
		abort();
	for (size_t i = 0; i < scols_table_get_ncols(table); i++) {
		char *clean = human_clean(cells[i]);
		if (scols_line_refer_data(line, i, clean) != 0)
			abort();
	}
}

/* Without the blanks with which libsmartcols fills up a last column. */
static void print_trimmed(char *text)
{
	for (char *rest = text, *line; (line = strsep(&rest, "\n")) != NULL;) {
		size_t size = strlen(line);
		while (size > 0 && line[size - 1] == ' ')
			size--;
		if (size > 0)
			printf("%.*s\n", (int)size, line);
	}
}

void table_end(struct libscols_table *table)
{
	char *text = NULL;
	if (scols_print_table_to_string(table, &text) != 0)
		abort();
	print_trimmed(text);
	free(text);
	scols_unref_table(table);
}
