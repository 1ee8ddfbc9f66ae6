/*
 * Addresses, identifiers, names, keys and durations as people write them.
 */
#include "text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void check_address(const char *text, const char *shown)
{
	struct address address, again;
	char out[ADDRESS_TEXT_SIZE];

	assert_int_equal(address_parse(text, &address, NULL), 0);
	address_format(&address, out);
	assert_string_equal(out, shown);
	assert_int_equal(address_parse(out, &again, NULL), 0);
	assert_true(address_equal(&address, &again));
}

static void addresses_read_back_as_they_are_shown(void **state)
{
	check_address("192.0.2.1:7800", "192.0.2.1:7800");
	check_address("192.0.2.1", "192.0.2.1:7800");
	check_address("192.0.2.1:1", "192.0.2.1:1");
	check_address("[2001:db8::1]:65535", "[2001:db8::1]:65535");
	check_address("[2001:db8::1]", "[2001:db8::1]:7800");
	check_address("2001:DB8:0:0::1", "[2001:db8::1]:7800");
	check_address("::1", "[::1]:7800");
	check_address("2001:db8:1111:2222:3333:4444:5555:6666",
	              "[2001:db8:1111:2222:3333:4444:5555:6666]:7800");
	check_address("::ffff:192.0.2.1", "[::ffff:192.0.2.1]:7800");
}

static void what_is_no_address_is_refused_with_a_reason(void **state)
{
	static const char *const wrong[] = {
		"", ":", ":7800", "192.0.2.1:", "192.0.2.1:0", "192.0.2.1:65536", "192.0.2.1:-1",
		"192.0.2.1:78x", "192.0.2", "192.0.2.256", "node1", "node1:7800", "[192.0.2.1]:7800",
		"[2001:db8::1", "[2001:db8::1]7800", "[]:7800", "[2001:db8::1]:", "2001:db8:::1",
		"fe80::1%eth0", "192.0.2.1 ", " 192.0.2.1", "192.0.2.1:99999999999999999999",
		"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000"};
	struct address address = {.family = 9};

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		struct error error = {""};
		assert_int_equal(address_parse(wrong[i], &address, &error), -EINVAL);
		assert_true(strlen(error.text) > 10);
	}
	assert_int_equal(address.family, 9); /* untouched */
}

static void no_address_is_shown_as_a_dash(void **state)
{
	struct address none = {0};
	char out[ADDRESS_TEXT_SIZE];

	address_format(&none, out);
	assert_string_equal(out, "-");
}

static void addresses_are_equal_by_family_ip_and_port(void **state)
{
	struct address a = {4, {127, 0, 0, 1}, 1}, b = a;

	b.ip[7] = 9; /* beyond an IPv4 address: not looked at */
	assert_true(address_equal(&a, &b));
	b.ip[3] = 2;
	assert_false(address_equal(&a, &b));
	b = a;
	b.port = 2;
	assert_false(address_equal(&a, &b));
	b = a;
	b.family = 6;
	assert_false(address_equal(&a, &b));
}

static void node_ids_are_sixteen_hex_digits(void **state)
{
	node_id id;
	char out[17];

	node_id_format(UINT64_C(0x00ab3f), out);
	assert_string_equal(out, "000000000000ab3f");
	assert_true(node_id_parse("FEDCBA9876543210", &id));
	assert_true(id == UINT64_C(0xfedcba9876543210));
	assert_false(node_id_parse("fedcba987654321", &id));
	assert_false(node_id_parse("fedcba98765432100", &id));
	assert_false(node_id_parse("fedcba987654321g", &id));
	assert_false(node_id_parse("", &id));
}

static void hex_reads_back(void **state)
{
	uint8_t in[256], out[256];
	char text[513];

	for (int i = 0; i < 256; i++)
		in[i] = (uint8_t)i;
	hex_format(in, sizeof in, text);
	assert_true(hex_parse(text, out, sizeof out));
	assert_memory_equal(in, out, sizeof in);
	assert_false(hex_parse(text, out, 255));
	assert_false(hex_parse("0x", out, 1));
}

static void names_are_short_and_plain(void **state)
{
	static const char *const right[] = {
		"a", "n1", "node-1.site", "9",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
	static const char *const wrong[] = {
		"", "-a", "a-", ".a", "a.", "A", "a b", "a_b", "a/b", "\xc3\xa9", "a\n",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};

	for (size_t i = 0; i < sizeof right / sizeof right[0]; i++)
		assert_int_equal(name_check(right[i], NULL), 0);
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		assert_int_equal(name_check(wrong[i], NULL), -EINVAL);
}

static int key_result(const char *key)
{
	return key_check((const uint8_t *)key, strlen(key), NULL);
}

static void keys_are_printable_utf8(void **state)
{
	static const char *const right[] = {"k", "app/port", "with space", "\xc3\xa9",
	                                    "\xe2\x82\xac", "\xf0\x9f\x90\x9d", "\xc2\xa0"};
	static const char *const wrong[] = {
		"", "a\nb", "\x7f", "\x1b[31m",
		"\xc2\x80",         /* C1 control */
		"\xc0\xaf",         /* not the shortest form */
		"\xe0\x80\xaf", "\xf0\x80\x80\xaf",
		"\xed\xa0\x80",     /* surrogate */
		"\xf4\x90\x80\x80", /* beyond U+10FFFF */
		"\xff", "\x80", "\xc3", "a\xe2\x82", "\xe2\x82" "a", "\xf8\x88\x80\x80\x80",
		"\xe2\x80\xae",     /* right-to-left override */
		"\xe2\x80\xa8"};    /* line separator */

	for (size_t i = 0; i < sizeof right / sizeof right[0]; i++)
		assert_int_equal(key_result(right[i]), 0);
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		assert_int_equal(key_result(wrong[i]), -EINVAL);
	assert_int_equal(key_check((const uint8_t *)"a\0b", 3, NULL), -EINVAL);
}

static void a_key_has_at_most_255_bytes(void **state)
{
	uint8_t key[KEY_MAX_SIZE + 1];

	memset(key, 'k', sizeof key);
	assert_int_equal(key_check(key, KEY_MAX_SIZE, NULL), 0);
	assert_int_equal(key_check(key, KEY_MAX_SIZE + 1, NULL), -EINVAL);
}

static void durations_need_a_unit(void **state)
{
	static const struct {
		const char *text;
		duration value;
	} right[] = {{"250ms", 250 * MILLISECOND}, {"90s", 90 * SECOND}, {"3h", 3 * 3600 * SECOND},
	             {"7d", 7 * 86400 * SECOND},   {"5m", 300 * SECOND}, {"0s", 0},
	             {"12us", 12 * MICROSECOND},   {"9ns", 9},
	             {"9223372036854775807ns", INT64_MAX}};
	static const char *const wrong[] = {"", "s", "90", "-1s", "1.5s", "1 s", "1S", "1sec", " 1s",
	                                    "9223372036854775808ns", "106752d", "99999999999999999999s"};
	duration out = 42;

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		assert_int_equal(duration_parse(wrong[i], &out, NULL), -EINVAL);
	assert_true(out == 42); /* untouched */
	for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
		assert_int_equal(duration_parse(right[i].text, &out, NULL), 0);
		assert_true(out == right[i].value);
	}
}

static void durations_are_shown_in_their_largest_unit(void **state)
{
	static const struct {
		duration value;
		const char *text;
	} shown[] = {{0, "0 s"},
	             {1, "1 ns"},
	             {1500 * MILLISECOND, "1.5 s"},
	             {250 * MILLISECOND, "250 ms"},
	             {3 * 3600 * SECOND, "3 h"},
	             {90 * SECOND, "1.5 min"},
	             {2 * 86400 * SECOND, "2 d"},
	             {-1500 * MICROSECOND, "-1.5 ms"},
	             {999 * MILLISECOND + 999 * MICROSECOND, "999.9 ms"},
	             {INT64_MIN, "-106751.9 d"},
	             {NEVER, "never"}};
	char out[16];

	for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++) {
		duration_format(shown[i].value, out);
		assert_string_equal(out, shown[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_read_back_as_they_are_shown),
		cmocka_unit_test(what_is_no_address_is_refused_with_a_reason),
		cmocka_unit_test(no_address_is_shown_as_a_dash),
		cmocka_unit_test(addresses_are_equal_by_family_ip_and_port),
		cmocka_unit_test(node_ids_are_sixteen_hex_digits),
		cmocka_unit_test(hex_reads_back),
		cmocka_unit_test(names_are_short_and_plain),
		cmocka_unit_test(keys_are_printable_utf8),
		cmocka_unit_test(a_key_has_at_most_255_bytes),
		cmocka_unit_test(durations_need_a_unit),
		cmocka_unit_test(durations_are_shown_in_their_largest_unit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
