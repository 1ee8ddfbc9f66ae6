#include "add_words.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FINGERPRINT_DIGITS 43 /* 32 bytes of base64, without padding */

/* ---- the target ---- */

static int take_user(const char *text, size_t size, struct target *out, struct error *error)
{
	if (size == 0 || size >= sizeof out->user)
		return error_set(error, -EINVAL, "the account before '@' must have 1 to %zu characters",
				 sizeof out->user - 1);
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)text[i];
		if (!isalnum(c) && (c == '\0' || strchr("._-", c) == NULL))
			return error_set(error, -EINVAL,
					 "the account before '@' has other characters than letters, "
					 "digits, '.', '_' and '-'");
	}
	if (*text == '-')
		return error_set(error, -EINVAL, "the account before '@' begins with '-'");
	memcpy(out->user, text, size);
	out->user[size] = '\0';
	return 0;
}

static int take_host(const char *text, size_t size, struct target *out, struct error *error)
{
	if (size == 0 || size >= sizeof out->host)
		return error_set(error, -EINVAL, "the host after '@' must have 1 to %zu characters",
				 sizeof out->host - 1);
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)text[i];
		if (!isalnum(c) && (c == '\0' || strchr(".-_:%", c) == NULL))
			return error_set(error, -EINVAL, "the host after '@' is neither a name nor an address");
	}
	if (*text == '-')
		return error_set(error, -EINVAL, "the host after '@' begins with '-'");
	memcpy(out->host, text, size);
	out->host[size] = '\0';
	return 0;
}

static int take_port(const char *text, struct target *out, struct error *error)
{
	char *end;
	unsigned long port = strtoul(text, &end, 10);
	if (!isdigit((unsigned char)*text) || *end != '\0' || port == 0 || port > 65535)
		return error_set(error, -EINVAL, "'%.20s' is no port: 1 to 65535", text);
	out->port = (unsigned)port;
	return 0;
}

/* What stands behind the '@': "[v6]", "[v6]:PORT", "host", "host:PORT", or a bare "v6". */
static int take_place(const char *text, struct target *out, struct error *error)
{
	const char *end = NULL, *colon;
	if (*text == '[') {
		end = strchr(text, ']');
		if (end == NULL || (end[1] != '\0' && end[1] != ':'))
			return error_set(error, -EINVAL, "an address in brackets is [IPv6] or [IPv6]:PORT");
		int status = take_host(text + 1, (size_t)(end - text - 1), out, error);
		return status == 0 && end[1] == ':' ? take_port(end + 2, out, error) : status;
	}
	colon = strchr(text, ':');
	bool bare = colon != NULL && strchr(colon + 1, ':') != NULL; /* IPv6: no port fits behind it */
	if (colon == NULL || bare)
		return take_host(text, strlen(text), out, error);
	int status = take_host(text, (size_t)(colon - text), out, error);
	return status == 0 ? take_port(colon + 1, out, error) : status;
}

int target_parse(const char *text, struct target *out, struct error *error)
{
	struct target parsed = {.port = SSH_PORT};
	const char *at = strrchr(text, '@');
	if (at == NULL)
		return error_set(error, -EINVAL, "the account is missing: root@%.100s", text);
	int status = take_user(text, (size_t)(at - text), &parsed, error);
	if (status == 0)
		status = take_place(at + 1, &parsed, error);
	if (status == 0)
		*out = parsed;
	return status;
}

void target_format(const struct target *target, char *out, size_t size)
{
	bool six = strchr(target->host, ':') != NULL;
	if (target->port == SSH_PORT)
		snprintf(out, size, "%s@%s", target->user, target->host);
	else
		snprintf(out, size, "%s@%s%s%s:%u", target->user, six ? "[" : "", target->host,
			 six ? "]" : "", target->port);
}

bool fingerprint_valid(const char *text)
{
	static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	static const char prefix[] = "SHA256:";
	size_t size = sizeof prefix - 1;
	return strncmp(text, prefix, size) == 0 &&
	       strspn(text + size, base64) == FINGERPRINT_DIGITS &&
	       text[size + FINGERPRINT_DIGITS] == '\0';
}

/* ---- words for a shell, lines from one ---- */

bool quote_append(char *out, size_t size, const char *text)
{
	size_t used = strlen(out), need = used + (used > 0) + 2 + 1;
	for (const char *p = text; *p; p++)
		need += *p == '\'' ? 4 : 1;
	if (need > size)
		return false;
	char *to = out + used;
	if (used > 0)
		*to++ = ' ';
	*to++ = '\'';
	for (const char *p = text; *p; p++) {
		if (*p == '\'')
			to = stpcpy(to, "'\\''");
		else
			*to++ = *p;
	}
	*to++ = '\'';
	*to = '\0';
	return true;
}

void line_value(const char *text, const char *key, char *out, size_t size)
{
	size_t length = strlen(key);
	*out = '\0';
	for (const char *line = text; *line != '\0';) {
		size_t rest = strcspn(line, "\n");
		if (rest > length && strncmp(line, key, length) == 0 && line[length] == '=') {
			snprintf(out, size, "%.*s", (int)(rest - length - 1), line + length + 1);
			return;
		}
		line += rest + (line[rest] == '\n');
	}
}

void last_words(const char *text, char *out, size_t size)
{
	size_t end = strlen(text);
	while (end > 0 && isspace((unsigned char)text[end - 1]))
		end--;
	size_t begin = end;
	while (begin > 0 && text[begin - 1] != '\n')
		begin--;
	while (begin < end && isspace((unsigned char)text[begin]))
		begin++;
	snprintf(out, size, "%.*s", (int)(end - begin), text + begin);
}

/* ---- decisions ---- */

enum trust trust_decide(const char *shown, const char *given, enum recorded recorded,
			bool somebody_there)
{
	if (given != NULL)
		return strcmp(shown, given) == 0 ? TRUST_GIVEN : REFUSE_NOT_GIVEN;
	switch (recorded) {
	case RECORDED_SAME:
		return TRUST_RECORDED;
	case RECORDED_OTHER:
		return REFUSE_CHANGED;
	case RECORDED_NOTHING:
		break;
	}
	return somebody_there ? TRUST_ASK : REFUSE_NOBODY;
}

bool wire_fits(struct wire_range here, struct wire_range there, int64_t level)
{
	return there.min >= 1 && there.min <= there.max && there.max >= here.min &&
	       there.min <= here.max && there.max >= level;
}
