#include "prepare.h"
#include "base64.h"
#include "human.h"
#include "json.h"
#include "request.h"
#include "words.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int prepare_watch(struct invocation *in, struct failure *f)
{
	if (json_object_get(in->args, "prefix") == NULL)
		json_object_set_new(in->args, "prefix", json_string(""));
	return 0;
}

/* ---- confirmation ---- */

/* The node that is about to change: NAME, or else this one. Empty if nobody can say. */
static void doomed_name(const struct invocation *in, char *out, size_t size)
{
	const char *name = json_text(in->args, "name");
	json_t *status = NULL;
	if (*name == '\0') {
		status = request_quietly(in->globals, "status");
		name = json_text(status, "node");
	}
	snprintf(out, size, "%s", name);
	json_decref(status);
}

bool prepare_typed(const char *expected)
{
	char line[256] = "";
	if (fgets(line, sizeof line, stdin) == NULL)
		fputc('\n', stderr);
	line[strcspn(line, "\n")] = '\0';
	return strcmp(line, expected) == 0;
}

int prepare_confirmed(struct invocation *in, struct failure *f)
{
	char name[NAME_MAX_SIZE + 1], verb[64], what[128];
	if (in->yes || !isatty(STDIN_FILENO))
		return 0;
	doomed_name(in, name, sizeof name);
	if (*name == '\0')
		snprintf(name, sizeof name, "yes");
	command_name(in->command, verb, sizeof verb);
	fprintf(stderr, "essaim %s: %s.\n", verb, in->command->summary);
	fprintf(stderr, "Type '");
	human_print(stderr, name);
	fprintf(stderr, "' to go on: ");
	fflush(stderr);
	if (prepare_typed(name))
		return 0;
	snprintf(what, sizeof what, "'%s' was not confirmed", verb);
	return failure_set(f, CODE_FAILED, what, "nothing was changed");
}

/* ---- values ---- */

/* Reads at most VALUE_MAX_SIZE + 1 bytes, so that too much can be told. -errno on failure. */
static ssize_t read_all(int fd, uint8_t *out)
{
	size_t used = 0;
	while (used <= VALUE_MAX_SIZE) {
		ssize_t n = read(fd, out + used, VALUE_MAX_SIZE + 1 - used);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		used += (size_t)n;
	}
	return (ssize_t)used;
}

/*
 * Text as a JSON string; else base64. Control characters count as no text: JSON writes each as six
 * bytes, and 64 KiB of them would not fit a frame.
 */
static json_t *as_text(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (data[i] < ' ' && data[i] != '\n' && data[i] != '\t' && data[i] != '\r')
			return NULL;
	return json_stringn((const char *)data, size);
}

static void set_value(struct invocation *in, const uint8_t *data, size_t size)
{
	json_t *text = as_text(data, size);
	json_object_del(in->args, "value");
	if (text != NULL) {
		json_object_set_new(in->args, "value", text);
		return;
	}
	char *encoded = malloc(BASE64_SIZE(size));
	if (encoded == NULL)
		abort();
	base64_encode(data, size, encoded);
	json_object_set_new(in->args, "value_base64", json_string(encoded));
	free(encoded);
}

static int too_large(struct failure *f)
{
	char why[96];
	snprintf(why, sizeof why, "at most %d bytes (64 KiB) fit", VALUE_MAX_SIZE);
	return failure_set(f, CODE_FAILED, "the value is too large", why);
}

int prepare_token(struct invocation *in, struct failure *f)
{
	static uint8_t data[VALUE_MAX_SIZE + 1];
	if (strcmp(json_text(in->args, "token"), "-") != 0)
		return 0;
	ssize_t n = read_all(STDIN_FILENO, data);
	if (n < 0)
		return failure_set(f, CODE_FAILED, "cannot read standard input", strerror((int)-n));
	while (n > 0 && isspace(data[n - 1]))
		n--;
	json_t *text = n > 0 && n < TOKEN_TEXT_MAX ? json_stringn((const char *)data, (size_t)n) : NULL;
	explicit_bzero(data, sizeof data);
	if (text == NULL)
		return failure_set(f, CODE_USAGE, "there is no token on standard input",
				   n == 0 ? "it is empty" : "what is there is none");
	json_object_set_new(in->args, "token", text);
	return 0;
}

int prepare_put(struct invocation *in, struct failure *f)
{
	static uint8_t data[VALUE_MAX_SIZE + 1];
	const char *value = json_text(in->args, "value");
	size_t size = strlen(value);
	if (strcmp(value, "-") == 0) {
		ssize_t n = read_all(STDIN_FILENO, data);
		if (n < 0)
			return failure_set(f, CODE_FAILED, "cannot read standard input",
					   strerror((int)-n));
		size = (size_t)n;
	} else if (size <= VALUE_MAX_SIZE) {
		memcpy(data, value, size);
	}
	if (size > VALUE_MAX_SIZE)
		return too_large(f);
	set_value(in, data, size);
	return 0;
}
