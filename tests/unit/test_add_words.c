/* What `node add` reads and writes as text (node/cli/add_words.h), and its three decisions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "add_words.h"

#define KEY "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"

static void good(const char *text, const char *user, const char *host, unsigned port)
{
	struct target t;
	struct error error = {""};
	assert_int_equal(target_parse(text, &t, &error), 0);
	assert_string_equal(t.user, user);
	assert_string_equal(t.host, host);
	assert_int_equal(t.port, port);
}

static void a_target_is_an_account_a_host_and_maybe_a_port(void **state)
{
	good("root@n2", "root", "n2", 22);
	good("root@192.0.2.7:2222", "root", "192.0.2.7", 2222);
	good("admin.x_y-z@a.example.org:1", "admin.x_y-z", "a.example.org", 1);
	good("root@[2001:db8::7]", "root", "2001:db8::7", 22);
	good("root@[2001:db8::7]:65535", "root", "2001:db8::7", 65535);
	good("root@2001:db8::7", "root", "2001:db8::7", 22);
	good("root@[fe80::1%eth0]:22", "root", "fe80::1%eth0", 22);
}

static void another_target_is_refused_and_leaves_the_outcome_alone(void **state)
{
	static const char *const bad[] = {
	    "", "n2", "@n2", "root@", "root@:22", "root@n2:", "root@n2:0", "root@n2:65536", "root@n2:-1",
	    "root@n2:2x", "root@n2: 22", "root@[::1", "root@[::1]22", "root@[]", "root@-oProxy", "-l@n2",
	    "root@n2;reboot", "root@n2 x", "ro ot@n2", "ro'ot@n2", "a@b@n2", "root@n2\n", "root@$(x)", "root@[::1]:",
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct target t = {.port = 7};
		struct error error = {""};
		if (target_parse(bad[i], &t, &error) == 0)
			fail_msg("'%s' was taken", bad[i]);
		assert_int_equal(t.port, 7);
		assert_true(strlen(error.text) > 0);
	}
	char lengthy[600] = "root@";
	memset(lengthy + 5, 'a', 400);
	struct target t;
	assert_int_not_equal(target_parse(lengthy, &t, NULL), 0);
}

static void a_target_is_written_as_it_is_read(void **state)
{
	static const char *const texts[] = {"root@n2", "root@n2:2222", "root@[2001:db8::7]:2222"};
	for (size_t i = 0; i < 3; i++) {
		struct target t;
		char text[320];
		assert_int_equal(target_parse(texts[i], &t, NULL), 0);
		target_format(&t, text, sizeof text);
		assert_string_equal(text, texts[i]);
	}
}

static void a_fingerprint_is_sha256_and_43_digits(void **state)
{
	assert_true(fingerprint_valid(KEY));
	assert_false(fingerprint_valid(KEY "="));
	assert_false(fingerprint_valid(KEY "A"));
	assert_false(fingerprint_valid("SHA256:47DEQ"));
	assert_false(fingerprint_valid("MD5:00:11"));
	assert_false(fingerprint_valid(KEY + 7));
	assert_false(fingerprint_valid(""));
}

/* What a real shell makes of it. */
static void shell_says(const char *quoted, char *out, size_t size)
{
	char command[512];
	snprintf(command, sizeof command, "printf '%%s|' %s", quoted);
	FILE *in = popen(command, "r");
	assert_non_null(in);
	size_t n = fread(out, 1, size - 1, in);
	out[n] = '\0';
	assert_int_equal(pclose(in), 0);
}

static void a_quoted_word_is_that_word_to_a_shell(void **state)
{
	static const char *const words[] = {"plain", "", "two words", "it's", "'", "''", "$HOME `id` $(id)",
					    "a;b&c|d>e", "\\", "\"", "new\nline", "-n", "*", "~", "!x", "ü"};
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		char quoted[256] = "", said[256], expected[64];
		assert_true(quote_append(quoted, sizeof quoted, words[i]));
		assert_true(quote_append(quoted, sizeof quoted, "next"));
		shell_says(quoted, said, sizeof said);
		snprintf(expected, sizeof expected, "%s|next|", words[i]);
		assert_string_equal(said, expected);
	}
}

static void a_word_without_room_changes_nothing(void **state)
{
	char out[8] = "";
	assert_true(quote_append(out, sizeof out, "12345"));
	assert_string_equal(out, "'12345'");
	assert_false(quote_append(out, sizeof out, ""));
	assert_string_equal(out, "'12345'");
	*out = '\0';
	assert_false(quote_append(out, sizeof out, "''"));
	assert_string_equal(out, "");
}

static void a_value_is_found_by_its_key_and_cut_to_fit(void **state)
{
	static const char text[] = "noise\nuid=0\nxuid=7\nos=debian\nempty=\nlong=abcdefghij\nlast=z";
	char out[8];
	line_value(text, "uid", out, sizeof out);
	assert_string_equal(out, "0");
	line_value(text, "empty", out, sizeof out);
	assert_string_equal(out, "");
	line_value(text, "long", out, sizeof out);
	assert_string_equal(out, "abcdefg");
	line_value(text, "last", out, sizeof out);
	assert_string_equal(out, "z");
	line_value(text, "no", out, sizeof out);
	assert_string_equal(out, "");
	line_value("", "uid", out, sizeof out);
	assert_string_equal(out, "");
}

static void the_last_line_with_something_on_it_is_the_complaint(void **state)
{
	char out[12];
	last_words("E: one\n  E: two \n\n", out, sizeof out);
	assert_string_equal(out, "E: two");
	last_words("\n \n", out, sizeof out);
	assert_string_equal(out, "");
	last_words("", out, sizeof out);
	assert_string_equal(out, "");
	last_words("0123456789abcdef", out, sizeof out);
	assert_string_equal(out, "0123456789a");
}

/* All cases: nothing is trusted but a key that was named, recorded, or confirmed. */
static void a_key_is_trusted_by_option_then_record_then_a_person(void **state)
{
	static const struct {
		const char *given;
		enum recorded recorded;
		bool there;
		enum trust expected;
	} rows[] = {
	    {NULL, RECORDED_SAME, false, TRUST_RECORDED},
	    {NULL, RECORDED_SAME, true, TRUST_RECORDED},
	    {NULL, RECORDED_OTHER, false, REFUSE_CHANGED},
	    {NULL, RECORDED_OTHER, true, REFUSE_CHANGED},
	    {NULL, RECORDED_NOTHING, false, REFUSE_NOBODY},
	    {NULL, RECORDED_NOTHING, true, TRUST_ASK},
	    {KEY, RECORDED_SAME, false, TRUST_GIVEN},
	    {KEY, RECORDED_SAME, true, TRUST_GIVEN},
	    {KEY, RECORDED_OTHER, false, TRUST_GIVEN},
	    {KEY, RECORDED_OTHER, true, TRUST_GIVEN},
	    {KEY, RECORDED_NOTHING, false, TRUST_GIVEN},
	    {KEY, RECORDED_NOTHING, true, TRUST_GIVEN},
	    {"SHA256:x", RECORDED_SAME, false, REFUSE_NOT_GIVEN},
	    {"SHA256:x", RECORDED_SAME, true, REFUSE_NOT_GIVEN},
	    {"SHA256:x", RECORDED_OTHER, true, REFUSE_NOT_GIVEN},
	    {"SHA256:x", RECORDED_NOTHING, true, REFUSE_NOT_GIVEN},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_int_equal(trust_decide(KEY, rows[i].given, rows[i].recorded, rows[i].there),
				 rows[i].expected);
}

static void two_nodes_fit_if_their_ranges_meet_and_reach_the_level(void **state)
{
	const struct wire_range here = {2, 4};
	assert_true(wire_fits(here, (struct wire_range){1, 2}, 2));
	assert_true(wire_fits(here, (struct wire_range){4, 9}, 4));
	assert_true(wire_fits(here, (struct wire_range){1, 9}, 1));
	assert_false(wire_fits(here, (struct wire_range){1, 2}, 3));
	assert_false(wire_fits(here, (struct wire_range){1, 1}, 1));
	assert_false(wire_fits(here, (struct wire_range){5, 9}, 1));
	assert_false(wire_fits(here, (struct wire_range){0, 0}, 0)); /* nothing was said */
	assert_false(wire_fits(here, (struct wire_range){3, 2}, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_target_is_an_account_a_host_and_maybe_a_port),
	    cmocka_unit_test(another_target_is_refused_and_leaves_the_outcome_alone),
	    cmocka_unit_test(a_target_is_written_as_it_is_read),
	    cmocka_unit_test(a_fingerprint_is_sha256_and_43_digits),
	    cmocka_unit_test(a_quoted_word_is_that_word_to_a_shell),
	    cmocka_unit_test(a_word_without_room_changes_nothing),
	    cmocka_unit_test(a_value_is_found_by_its_key_and_cut_to_fit),
	    cmocka_unit_test(the_last_line_with_something_on_it_is_the_complaint),
	    cmocka_unit_test(a_key_is_trusted_by_option_then_record_then_a_person),
	    cmocka_unit_test(two_nodes_fit_if_their_ranges_meet_and_reach_the_level),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
