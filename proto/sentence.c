#include "sentence.h"

#include "text.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define NS_PER_MS 1000000

struct writer {
	char *out;
	size_t size, used;
};

static void put(struct writer *w, const char *text, size_t length)
{
	size_t room = w->size - 1 - w->used;
	if (length > room)
		length = room;
	memcpy(w->out + w->used, text, length);
	w->used += length;
}

static void put_name(struct writer *w, const char *name)
{
	if (name == NULL || name[0] == '\0')
		name = "?";
	put(w, name, strlen(name));
}

static void put_number(struct writer *w, int64_t number)
{
	char text[24];
	int length = snprintf(text, sizeof text, "%lld", (long long)number);
	put(w, text, (size_t)length);
}

static bool word_is(const char *word, size_t length, const char *expected)
{
	return strlen(expected) == length && memcmp(word, expected, length) == 0;
}

static void put_address(struct writer *w, const struct address *ends, int which)
{
	static const struct address none;
	char text[ADDRESS_TEXT_SIZE];
	address_format(ends == NULL ? &none : &ends[which], text);
	put(w, text, strlen(text));
}

/* Writes what the placeholder `word` stands for; false if it is none of ours. */
static bool put_placeholder(struct writer *w, const char *word, size_t length, const char *subject,
                            const char *other, const int64_t numbers[3], const struct address *ends)
{
	if (word_is(word, length, "subject")) {
		put_name(w, subject);
		return true;
	}
	if (word_is(word, length, "other")) {
		put_name(w, other);
		return true;
	}
	if (word_is(word, length, "from") || word_is(word, length, "to")) {
		put_address(w, ends, word[0] == 't');
		return true;
	}
	if (length == 0 || word[0] < '1' || word[0] > '3')
		return false;
	int64_t number = numbers[word[0] - '1'];
	if (length == 1)
		put_number(w, number);
	else if (word_is(word + 1, length - 1, "ms"))
		put_number(w, number / NS_PER_MS);
	else
		return false;
	return true;
}

size_t sentence_format(char *out, size_t size, const char *pattern, const char *subject,
                       const char *other, const int64_t numbers[3], const struct address *ends)
{
	if (size == 0)
		return 0;
	struct writer w = {out, size, 0};
	while (*pattern != '\0') {
		const char *end = *pattern == '{' ? strchr(pattern, '}') : NULL;
		if (end != NULL && put_placeholder(&w, pattern + 1, (size_t)(end - pattern - 1), subject,
		                                   other, numbers, ends))
			pattern = end + 1;
		else
			put(&w, pattern++, 1);
	}
	out[w.used] = '\0';
	return w.used;
}
