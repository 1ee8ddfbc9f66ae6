/*
 * Tokens: what an administrator copies, and what is said when it was copied badly.
 */
#include "token.h"

#include "seal.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct token sample = {
	.cluster = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255}},
	.id = UINT64_C(0x0123456789abcdef),
	.secret = {255, 254, 253, 252, 251, 250, 249, 248, 7, 6, 5, 4, 3, 2, 1, 0},
};

static void check_refusal(const char *text, const char *words)
{
	struct token out = {.id = 77};
	struct error error = {""};

	assert_int_equal(token_parse(text, &out, &error), -EINVAL);
	if (strstr(error.text, words) == NULL)
		fail_msg("'%s' does not say '%s'", error.text, words);
	assert_true(out.id == 77); /* untouched */
}

static void a_token_reads_back_as_it_was_written(void **state)
{
	char text[TOKEN_TEXT_MAX], padded[TOKEN_TEXT_MAX + 8];
	struct token out;

	token_format(&sample, text);
	assert_int_equal(strlen(text), 7 + 1 + 26 + 1 + 13 + 1 + 26 + 1 + 7);
	assert_int_equal(strncmp(text, "essaim1-aaaqeayeaudaocajbifqydio74-", 35), 0);
	assert_int_equal(token_parse(text, &out, NULL), 0);
	assert_memory_equal(&out, &sample, sizeof out);
	snprintf(padded, sizeof padded, " \t%s\r\n", text);
	assert_int_equal(token_parse(padded, &out, NULL), 0);
}

static void a_token_read_aloud_may_be_typed_in_upper_case(void **state)
{
	char text[TOKEN_TEXT_MAX];
	struct token out;

	token_format(&sample, text);
	for (size_t i = 7; text[i] != '\0'; i++)
		if (text[i] >= 'a' && text[i] <= 'z')
			text[i] = (char)(text[i] - 'a' + 'A');
	assert_int_equal(token_parse(text, &out, NULL), 0);
	assert_memory_equal(&out, &sample, sizeof out);
}

static void every_single_mistyped_character_is_noticed(void **state)
{
	static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
	char text[TOKEN_TEXT_MAX];
	struct token out;

	token_format(&sample, text);
	for (size_t at = 0; text[at] != '\0'; at++) {
		char right = text[at];
		for (size_t i = 0; i < 32; i++) {
			text[at] = alphabet[i];
			if (alphabet[i] != right)
				assert_int_equal(token_parse(text, &out, NULL), -EINVAL);
		}
		text[at] = right;
	}
}

static void every_cut_token_is_refused(void **state)
{
	char text[TOKEN_TEXT_MAX], cut[TOKEN_TEXT_MAX];
	struct token out;

	token_format(&sample, text);
	for (size_t size = 0; size < strlen(text); size++) {
		memcpy(cut, text, size);
		cut[size] = '\0';
		assert_int_equal(token_parse(cut, &out, NULL), -EINVAL);
	}
}

static void a_refusal_says_which_part_is_wrong(void **state)
{
	char text[TOKEN_TEXT_MAX], changed[TOKEN_TEXT_MAX + 8];

	token_format(&sample, text);
	check_refusal("", "does not begin with 'essaim1-'");
	check_refusal("essaim2-aaaa", "does not begin with 'essaim1-'");
	check_refusal("essaim1", "no cluster");
	check_refusal("essaim1-abc", "cluster has 3 characters, not 26");
	memcpy(changed, text, sizeof text);
	changed[40] = '!';
	check_refusal(changed, "position 41 (in its token id)");
	memcpy(changed, text, sizeof text);
	changed[55] = changed[55] == 'a' ? 'b' : 'a';
	check_refusal(changed, "a character was probably mistyped");
	memcpy(changed, text, sizeof text);
	changed[34 + 1 + 13] = '\0';
	check_refusal(changed, "no secret");
	snprintf(changed, sizeof changed, "%s-x", text);
	check_refusal(changed, "goes on after its checksum");
}

static void the_hash_depends_on_every_part(void **state)
{
	struct token other = sample;
	struct hash base, changed;

	token_hash(&sample, &base);
	other.secret[15]++;
	token_hash(&other, &changed);
	assert_memory_not_equal(&base, &changed, HASH_SIZE);
	other = sample;
	other.id++;
	token_hash(&other, &changed);
	assert_memory_not_equal(&base, &changed, HASH_SIZE);
	other = sample;
	other.cluster.bytes[0]++;
	token_hash(&other, &changed);
	assert_memory_not_equal(&base, &changed, HASH_SIZE);
	token_hash(&sample, &changed);
	assert_memory_equal(&base, &changed, HASH_SIZE);
}

static int group_start(void **state)
{
	return seal_start();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_reads_back_as_it_was_written),
		cmocka_unit_test(a_token_read_aloud_may_be_typed_in_upper_case),
		cmocka_unit_test(every_single_mistyped_character_is_noticed),
		cmocka_unit_test(every_cut_token_is_refused),
		cmocka_unit_test(a_refusal_says_which_part_is_wrong),
		cmocka_unit_test(the_hash_depends_on_every_part),
	};
	return cmocka_run_group_tests(tests, group_start, NULL);
}
