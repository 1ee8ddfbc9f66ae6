/*
 * error.h: one sentence for a person, filled by whatever failed because of the world.
 *
 * House rule (lower case, subject quoted, no full stop): `cannot open 'x': permission denied`.
 * Our own bugs are asserts; the network's nonsense is counted and dropped; only the world's
 * failures come here.
 */
#ifndef ESSAIM_ERROR_H
#define ESSAIM_ERROR_H

#define ERROR_TEXT_SIZE 320

struct error {
	char text[ERROR_TEXT_SIZE];
};

/* Writes the sentence (printf form) into `error` if it is not NULL. Always returns `code`. */
int error_set(struct error *error, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
