#include "nearest.h"

#include <string.h>

#define WORD_MAX 32
#define SLIP_MAX 2 /* changes; more is another word, not a slip */

static size_t least(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;
	return m < c ? m : c;
}

/* Levenshtein's distance, one row at a time. Both at most WORD_MAX long. */
static size_t changes(const char *a, const char *b)
{
	size_t row[WORD_MAX + 1], size = strlen(b);
	for (size_t j = 0; j <= size; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1] != '\0'; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= size; j++) {
			size_t above = row[j];
			row[j] =
			    least(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[size];
}

const char *nearest(const char *word, const char *const *candidates, size_t count)
{
	const char *best = NULL;
	size_t fewest = SLIP_MAX + 1;
	if (strlen(word) > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		size_t n = strlen(candidates[i]) > WORD_MAX ? fewest : changes(word, candidates[i]);
		/* Two letters wrong in a word of three is no slip either. */
		if (n < fewest && 2 * n <= strlen(candidates[i])) {
			fewest = n;
			best = candidates[i];
		}
	}
	return best;
}
