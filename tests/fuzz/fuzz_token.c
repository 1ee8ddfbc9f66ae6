/*
 * Texts that people type: tokens, and the other words of text.h.
 */
#include "fuzz.h"

#include "text.h"
#include "token.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A token that parses is written as the same token again. */
static void try_token(const char *text)
{
	struct token token, again;
	struct error error = {""};
	char written[TOKEN_TEXT_MAX];

	if (token_parse(text, &token, &error) != 0) {
		assert(error.text[0] != '\0');
		return;
	}
	token_format(&token, written);
	int failure = token_parse(written, &again, NULL);
	assert(failure == 0 && memcmp(&token, &again, sizeof token) == 0);
}

static void try_address(const char *text)
{
	struct address address, again;
	char written[ADDRESS_TEXT_SIZE];

	if (address_parse(text, &address, NULL) != 0)
		return;
	address_format(&address, written);
	int failure = address_parse(written, &again, NULL);
	assert(failure == 0 && address_equal(&address, &again));
}

static void try_words(const char *text, size_t size)
{
	duration d;
	node_id id;
	char shown[17];

	name_check(text, NULL);
	key_check((const uint8_t *)text, size, NULL);
	node_id_parse(text, &id);
	if (duration_parse(text, &d, NULL) == 0) {
		assert(d >= 0);
		duration_format(d, shown);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	assert(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	try_token(text);
	try_address(text);
	try_words(text, size);
	free(text);
	return 0;
}
