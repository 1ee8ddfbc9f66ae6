/* Sentences of the rules: what the log, the events and the plays show. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "rules.h"
#include "sentence.h"

static const int64_t numbers[3] = {7, -1, 2999999};
static const struct address ends[2] = {{4, {192, 0, 2, 1}, 7800}, {6, {0x20, 1, 0xd, 0xb8}, 7801}};

static void check(const char *pattern, const char *subject, const char *other, const char *expected)
{
	char out[SENTENCE_MAX];
	size_t size = sentence_format(out, sizeof out, pattern, subject, other, numbers, ends);
	assert_string_equal(out, expected);
	assert_int_equal(size, strlen(expected));
}

static void names_and_numbers_are_filled(void **state)
{
	check("{subject} is suspect: {other} confirms, {1} accusers", "web1", "web2",
	      "web1 is suspect: web2 confirms, 7 accusers");
	check("{1}{2}{3}", NULL, NULL, "7-12999999");
}

static void milliseconds_are_cut_not_rounded(void **state)
{
	check("silent for {3ms} ms, {2ms} ms", NULL, NULL, "silent for 2 ms, 0 ms");
}

static void both_ends_of_a_path_are_shown(void **state)
{
	check("{from} > {to}", NULL, NULL, "192.0.2.1:7800 > [2001:db8::]:7801");
}

static void an_unknown_name_is_a_question_mark(void **state)
{
	check("{subject} and {other}", "", NULL, "? and ?");
}

static void other_braces_stay_as_they_are(void **state)
{
	check("{", "a", "b", "{");
	check("{} {4} {1s} {1mss} {subjects}", "a", "b", "{} {4} {1s} {1mss} {subjects}");
	check("{{1}", "a", "b", "{7");
}

static void a_short_buffer_cuts_and_ends_the_text(void **state)
{
	char out[6];
	memset(out, 'x', sizeof out);
	assert_int_equal(sentence_format(out, sizeof out, "{subject} left", "web1", "", numbers, ends), 5);
	assert_string_equal(out, "web1 ");
	assert_int_equal(sentence_format(out, 1, "abc", NULL, NULL, numbers, ends), 0);
	assert_string_equal(out, "");
	assert_int_equal(sentence_format(NULL, 0, "abc", NULL, NULL, numbers, ends), 0);
}

/* Every rule's sentence: nothing in braces may be left over. */
static void every_rule_renders_without_leftovers(void **state)
{
#define RULE(name, level, event, sentence) sentence,
	static const char *const sentences[] = {RULES(RULE)};
#undef RULE
	for (size_t i = 0; i < sizeof sentences / sizeof sentences[0]; i++) {
		char out[SENTENCE_MAX];
		sentence_format(out, sizeof out, sentences[i], "a", "b", numbers, ends);
		assert_null(strchr(out, '{'));
		assert_null(strchr(out, '}'));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_numbers_are_filled),
		cmocka_unit_test(milliseconds_are_cut_not_rounded),
		cmocka_unit_test(both_ends_of_a_path_are_shown),
		cmocka_unit_test(an_unknown_name_is_a_question_mark),
		cmocka_unit_test(other_braces_stay_as_they_are),
		cmocka_unit_test(a_short_buffer_cuts_and_ends_the_text),
		cmocka_unit_test(every_rule_renders_without_leftovers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
