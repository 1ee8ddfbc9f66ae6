/*
 * test_verb.c: packed lists, arguments and sizes; the sizes of what is stored and sent.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine.h"

static void an_argument_is_found_by_its_whole_name(void **state)
{
	struct arguments list = {0};
	assert_true(arguments_add(&list, "size", "20G"));
	assert_true(arguments_add(&list, "name", "web=1"));
	assert_string_equal(arguments_get(&list, "size"), "20G");
	assert_string_equal(arguments_get(&list, "name"), "web=1");
	assert_null(arguments_get(&list, "siz"));
	assert_null(arguments_get(&list, "sizes"));
	assert_true(arguments_legal(&list));
}

static void an_argument_that_does_not_fit_changes_nothing(void **state)
{
	struct arguments list = {0};
	char value[OPERATION_ARGUMENTS_MAX + 1];
	memset(value, 'x', sizeof(value));
	value[sizeof(list.text) - 3] = '\0'; /* "a=" and its NUL fill all the rest */
	assert_true(arguments_add(&list, "a", value));
	assert_int_equal(list.size, sizeof(list.text));
	assert_false(arguments_add(&list, "b", ""));
	assert_int_equal(list.size, sizeof(list.text));
	struct arguments empty = {0};
	value[sizeof(list.text) - 3] = 'x';
	value[sizeof(list.text) - 2] = '\0';
	assert_false(arguments_add(&empty, "a", value));
	assert_int_equal(empty.size, 0);
	assert_false(arguments_add(&empty, "", "x"));
	assert_false(arguments_add(&empty, "a=b", "x"));
}

static void lists_from_elsewhere_are_looked_at(void **state)
{
	struct arguments list = {.size = 4, .text = "a=1"};
	assert_true(arguments_legal(&list));
	list.size = 3; /* no NUL at the end */
	assert_false(arguments_legal(&list));
	struct arguments nameless = {.size = 3, .text = "=1"};
	assert_false(arguments_legal(&nameless));
	struct arguments bare = {.size = 2, .text = "a"};
	assert_false(arguments_legal(&bare));
	struct arguments large = {.size = sizeof(large.text) + 1};
	assert_false(arguments_legal(&large));
	struct lock_list locks = {.size = 3, .text = "~v"};
	assert_true(locks_legal(&locks));
	locks.text[0] = 'v';
	assert_false(locks_legal(&locks));
	struct lock_list empty = {.size = 2, .text = "!"};
	assert_false(locks_legal(&empty));
}

static void locks_say_whether_they_are_waited_for(void **state)
{
	struct lock_list list = {0};
	assert_true(locks_add(&list, true, "vg:n1/data"));
	assert_true(locks_add(&list, false, "volume:n1/data/web"));
	bool waits;
	const char *name;
	uint32_t cursor = 0;
	assert_true(locks_next(&list, &cursor, &waits, &name));
	assert_true(waits);
	assert_string_equal(name, "vg:n1/data");
	assert_true(locks_next(&list, &cursor, &waits, &name));
	assert_false(waits);
	assert_string_equal(name, "volume:n1/data/web");
	assert_false(locks_next(&list, &cursor, &waits, &name));
}

static void a_memo_keeps_the_last_value_of_a_name(void **state)
{
	char memo[OPERATION_MEMO_MAX + 1] = "", out[16];
	assert_true(memo_set(memo, "size", "1"));
	assert_true(memo_set(memo, "uuid", "abc"));
	assert_true(memo_set(memo, "size", "22"));
	assert_true(memo_get(memo, "size", out, sizeof(out)));
	assert_string_equal(out, "22");
	assert_true(memo_get(memo, "uuid", out, sizeof(out)));
	assert_string_equal(out, "abc");
	assert_false(memo_get(memo, "siz", out, sizeof(out)));
	assert_string_equal(memo, "uuid=abc\nsize=22\n");
	assert_false(memo_set(memo, "x", "a\nb"));
	char large[OPERATION_MEMO_MAX + 1];
	memset(large, 'y', sizeof(large));
	large[OPERATION_MEMO_MAX] = '\0';
	assert_false(memo_set(memo, "size", large));
	assert_string_equal(memo, "uuid=abc\nsize=22\n");
}

static void a_size_needs_its_unit(void **state)
{
	uint64_t bytes;
	assert_true(verb_size("20G", &bytes));
	assert_int_equal(bytes, 20ull << 30);
	assert_true(verb_size("512b", &bytes));
	assert_int_equal(bytes, 512);
	assert_true(verb_size("16383P", &bytes));
	assert_false(verb_size("16384P", &bytes)); /* 2^64 */
	assert_false(verb_size("99999999999999999999B", &bytes));
	static const char *const wrong[] = {"", "20", "G", "-1G", "1.5G", "1GB", "1X", " 1G"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(verb_size(wrong[i], &bytes));
}

static bool one_member(void *context, uint32_t position, struct engine_member *out)
{
	if (position)
		return false;
	*out = (struct engine_member){.id = 1, .name = "n1"};
	return true;
}

static void what_a_verb_does_not_know_is_refused(void **state)
{
	static const struct verb_argument known[] = {
	    {"name", ARGUMENT_NAME, true, ""},
	    {"size", ARGUMENT_SIZE, true, ""},
	    {"node", ARGUMENT_NODE, false, ""},
	    {"force", ARGUMENT_FLAG, false, ""},
	};
	static const struct verb verb = {
	    .noun = "volume", .verb = "create", .arguments = known, .argument_count = 4};
	struct engine_view view = {.member = one_member};
	struct step_why why = {""};
	struct arguments list = {0};
	assert_int_not_equal(verb_arguments_check(&verb, &view, &list, &why), 0);
	assert_string_equal(why.text, "'volume create' needs 'name'");
	arguments_add(&list, "name", "web-1");
	arguments_add(&list, "size", "1G");
	arguments_add(&list, "node", "n1");
	assert_int_equal(verb_arguments_check(&verb, &view, &list, &why), 0);
	static const char *const wrong[][2] = {{"node", "n2"},  {"size", "1"},      {"name", "-x"},
	                                       {"name", "a/b"}, {"force", "maybe"}, {"sice", "1G"}};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct arguments more = list;
		arguments_add(&more, wrong[i][0], wrong[i][1]);
		assert_int_not_equal(verb_arguments_check(&verb, &view, &more, &why), 0);
		assert_non_null(strstr(why.text, wrong[i][0][0] == 'f' || wrong[i][0][2] == 'c'
		                                     ? wrong[i][0]
		                                     : wrong[i][1]));
	}
}

static void a_command_that_does_not_fit_says_so(void **state)
{
	static struct command_line command;
	command = (struct command_line){0};
	command_word(&command, "--size=%ub", 4096u);
	assert_string_equal(command.words[0], "--size=4096b");
	for (uint32_t i = 1; i < COMMAND_WORDS_MAX; i++)
		command_word(&command, "x");
	assert_false(command.overflow);
	command_word(&command, "x");
	assert_true(command.overflow);
	command = (struct command_line){0};
	command_word(&command, "%*s", COMMAND_TEXT_MAX, "x");
	assert_true(command.overflow);
	assert_int_equal(command.word_count, 0);
}

static void a_sentence_names_what_it_is_about(void **state)
{
	struct engine_trace trace = {ENGINE_RULE_OLD_EPOCH, 17, 1, 3, ""};
	char text[128], cut[12];
	engine_trace_sentence(&trace, "n1", text, sizeof(text));
	assert_string_equal(text, "operation 17: refused n1, which speaks for epoch 3");
	engine_trace_sentence(&trace, "n1", cut, sizeof(cut));
	assert_string_equal(cut, "operation 1");
	for (int rule = 0; rule < ENGINE_RULE_COUNT; rule++) {
		trace.rule = (enum engine_rule)rule;
		engine_trace_sentence(&trace, "n1", text, sizeof(text));
		assert_null(strchr(text, '?'));
		assert_null(strchr(text, '{'));
	}
}

static void what_is_stored_and_sent_stays_small(void **state)
{
	assert_true(sizeof(struct operation_row) <= 5 * 1024);
	assert_true(sizeof(struct journal_record) <= 8 * 1024);
	assert_true(sizeof(struct engine_message) <= 8 * 1024);
	assert_true(sizeof(struct engine_request) <= 4 * 1024);
	assert_true((int)ENGINE_WEAK_COUNT <= 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_argument_is_found_by_its_whole_name),
	    cmocka_unit_test(an_argument_that_does_not_fit_changes_nothing),
	    cmocka_unit_test(lists_from_elsewhere_are_looked_at),
	    cmocka_unit_test(locks_say_whether_they_are_waited_for),
	    cmocka_unit_test(a_memo_keeps_the_last_value_of_a_name),
	    cmocka_unit_test(a_size_needs_its_unit),
	    cmocka_unit_test(what_a_verb_does_not_know_is_refused),
	    cmocka_unit_test(a_command_that_does_not_fit_says_so),
	    cmocka_unit_test(a_sentence_names_what_it_is_about),
	    cmocka_unit_test(what_is_stored_and_sent_stays_small),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
