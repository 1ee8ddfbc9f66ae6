/*
 * arguments.c: packed lists: NUL-ended texts one after the other.
 */
#include "arguments.h"

#include <string.h>

#include "text.h"

/* Appends `first` and `second` as one NUL-ended text. */
static bool append(char *list, uint32_t *size, uint32_t room, struct bytes first,
                   struct bytes second)
{
	size_t need = first.size + second.size + 1;
	if (need > room - *size)
		return false;
	if (first.size)
		memcpy(list + *size, first.data, first.size);
	if (second.size)
		memcpy(list + *size + first.size, second.data, second.size);
	*size += (uint32_t)need;
	list[*size - 1] = '\0';
	return true;
}

bool arguments_add(struct arguments *list, const char *name, const char *value)
{
	size_t size = text_size(name);
	if (size == 0 || size > NAME_MAX_SIZE || memchr(name, '=', size))
		return false;
	char head[NAME_MAX_SIZE + 1];
	memcpy(head, name, size);
	head[size] = '=';
	return append(list->text, &list->size, sizeof(list->text),
	              (struct bytes){(const uint8_t *)head, size + 1}, text_bytes(value));
}

bool arguments_next(const struct arguments *list, uint32_t *cursor, char name[NAME_MAX_SIZE + 1],
                    const char **value)
{
	if (*cursor >= list->size)
		return false;
	const char *text = list->text + *cursor;
	size_t size = text_size(text);
	const char *equals = memchr(text, '=', size);
	size_t head = equals ? (size_t)(equals - text) : size;
	size_t kept = head < NAME_MAX_SIZE ? head : NAME_MAX_SIZE;
	memcpy(name, text, kept);
	name[kept] = '\0';
	*value = equals ? equals + 1 : text + size;
	*cursor += (uint32_t)size + 1;
	return true;
}

const char *arguments_get(const struct arguments *list, const char *name)
{
	char at[NAME_MAX_SIZE + 1];
	const char *value;
	for (uint32_t cursor = 0; arguments_next(list, &cursor, at, &value);) {
		if (bytes_are(text_bytes(at), name))
			return value;
	}
	return NULL;
}

bool arguments_legal(const struct arguments *list)
{
	if (list->size > sizeof(list->text) || (list->size && list->text[list->size - 1]))
		return false;
	for (uint32_t at = 0; at < list->size;) {
		size_t size = text_size(list->text + at);
		const char *equals = memchr(list->text + at, '=', size);
		if (!equals || equals == list->text + at ||
		    equals - (list->text + at) > NAME_MAX_SIZE)
			return false;
		at += (uint32_t)size + 1;
	}
	return true;
}

bool locks_add(struct lock_list *list, bool waits, const char *name)
{
	struct bytes head = text_bytes(waits ? "~" : "!");
	return *name && append(list->text, &list->size, sizeof(list->text), head, text_bytes(name));
}

bool locks_next(const struct lock_list *list, uint32_t *cursor, bool *waits, const char **name)
{
	if (*cursor >= list->size)
		return false;
	const char *text = list->text + *cursor;
	*waits = *text == '~';
	*name = text + 1;
	*cursor += (uint32_t)text_size(text) + 1;
	return true;
}

bool locks_legal(const struct lock_list *list)
{
	if (list->size > sizeof(list->text) || (list->size && list->text[list->size - 1]))
		return false;
	for (uint32_t at = 0; at < list->size;) {
		const char *text = list->text + at;
		if ((*text != '~' && *text != '!') || !text[1])
			return false;
		at += (uint32_t)text_size(text) + 1;
	}
	return true;
}

/* The line NAME=VALUE\n of a memo; false: there is none. */
static bool memo_line(const char *memo, const char *name, size_t *from, size_t *value, size_t *to)
{
	size_t size = text_size(name);
	for (size_t at = 0; memo[at];) {
		size_t end = at;
		while (memo[end] && memo[end] != '\n')
			end++;
		if (end - at > size && !memcmp(memo + at, name, size) && memo[at + size] == '=') {
			*from = at;
			*value = at + size + 1;
			*to = end;
			return true;
		}
		at = memo[end] ? end + 1 : end;
	}
	return false;
}

bool memo_set(char memo[OPERATION_MEMO_MAX + 1], const char *name, const char *value)
{
	size_t from, at, to, old = 0, all = text_size(memo);
	bool there = memo_line(memo, name, &from, &at, &to);
	if (there)
		old = to + 1 - from;
	size_t name_size = text_size(name), value_size = text_size(value);
	if (all - old + name_size + value_size + 2 > OPERATION_MEMO_MAX ||
	    memchr(value, '\n', value_size))
		return false;
	if (there) {
		memmove(memo + from, memo + from + old, all + 1 - from - old);
		all -= old;
	}
	memcpy(memo + all, name, name_size);
	memo[all + name_size] = '=';
	memcpy(memo + all + name_size + 1, value, value_size);
	memcpy(memo + all + name_size + 1 + value_size, "\n", 2);
	return true;
}

bool memo_get(const char *memo, const char *name, char *out, size_t size)
{
	size_t from, at, to;
	if (!memo_line(memo, name, &from, &at, &to))
		return false;
	size_t kept = to - at < size ? to - at : size - 1;
	memcpy(out, memo + at, kept);
	out[kept] = '\0';
	return true;
}
