/* The daemon's config: one table, errors with their line, printing that reads back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"

static int read_text(struct node_config *config, const char *text, struct error *error)
{
	FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	assert_non_null(in);
	int status = node_config_read_stream(config, in, "essaim.conf", error);
	fclose(in);
	return status;
}

static void refuses(const char *text, const char *expected)
{
	struct node_config config;
	struct error error = {""};
	node_config_defaults(&config);
	assert_true(read_text(&config, text, &error) < 0);
	if (strncmp(error.text, expected, strlen(expected)) != 0)
		assert_string_equal(error.text, expected);
}

static void a_whole_file_is_read(void **state)
{
	struct node_config config;
	struct error error;
	node_config_defaults(&config);
	assert_int_equal(read_text(&config,
	                           "# a comment\n[node]\nname = web1\nlisten = 192.0.2.1:7801, [2001:db8::1]:7801\n"
	                           "\n[log]\nformat = json\nlevel = warning\n[limits]\nledger_size = 2M\n",
	                           &error), 0);
	assert_string_equal(config.name, "web1");
	assert_int_equal(config.listen.count, 2);
	assert_int_equal(config.listen.list[1].family, 6);
	assert_int_equal(config.format, JOURNAL_JSON);
	assert_int_equal(config.level, LEVEL_warning);
	assert_int_equal(config.ledger_size, 2 << 20);
	assert_string_equal(config.socket, "/run/essaim/essaim.sock");
	assert_int_equal(node_config_check(&config, &error), 0);
	assert_int_equal(config.advertise.list[0].port, 7801);
	assert_int_equal(config.advertise.list[0].family, 4);
}

static void an_unknown_key_is_an_error_with_its_line(void **state)
{
	refuses("[node]\nname = a\nnmae = b\n", "essaim.conf:3: unknown key 'nmae' in section 'node'");
	refuses("[nodes]\nname = a\n", "essaim.conf:2: unknown key 'name' in section 'nodes'");
	refuses("name = a\n", "essaim.conf:1: unknown key 'name' in section ''");
}

static void a_line_that_is_no_setting_is_an_error_with_its_line(void **state)
{
	refuses("[node]\n\nwhat\n", "essaim.conf:3: neither '[section]' nor 'key = value'");
	refuses("[node\nname = a\n", "essaim.conf:1: neither");
}

static void the_first_error_is_reported(void **state)
{
	refuses("[node]\nnonsense\nnmae = b\n", "essaim.conf:2: neither");
	refuses("[node]\nnmae = b\nnonsense\n", "essaim.conf:2: unknown key");
}

static void a_line_that_is_too_long_is_an_error(void **state)
{
	char text[1024] = "[node]\ndata = /";
	memset(text + strlen(text), 'x', 900);
	refuses(text, "essaim.conf:2: the line is too long");
}

static void values_are_bounded(void **state)
{
	refuses("[limits]\nmembers_max = 0\n", "essaim.conf:2: members_max: '0' is not between 1 and 4096");
	refuses("[limits]\nmembers_max = 4097\n", "essaim.conf:2: members_max: '4097' is not between");
	refuses("[limits]\nmembers_max = 10x\n", "essaim.conf:2: members_max: '10x' is not a number");
	refuses("[limits]\nmembers_max = -1\n", "essaim.conf:2: members_max: '-1' is not a number");
	refuses("[limits]\nmembers_max = 1K\n", "essaim.conf:2: members_max: '1K' is not a number");
	refuses("[limits]\nledger_size = 99999999999999999999\n", "essaim.conf:2: ledger_size:");
	refuses("[limits]\nledger_size = 4G\n", "essaim.conf:2: ledger_size: '4G' is not between");
	refuses("[log]\nlevel = loud\n",
	        "essaim.conf:2: level: 'loud' is none of debug|info|notice|warning|error");
	refuses("[log]\nlevel = inf\n", "essaim.conf:2: level: 'inf' is none of");
	refuses("[node]\nname = Web_1\n", "essaim.conf:2: name:");
	refuses("[node]\nlisten = example.org\n", "essaim.conf:2: listen:");
	refuses("[node]\nsocket = /aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n", "essaim.conf:2: socket:");
}

static void set(struct node_config *config, const char *key, const char *value)
{
	struct error error;
	assert_int_equal(node_config_set(config, "node", key, value, &error), 0);
}

static void fields_are_checked_together(void **state)
{
	struct node_config config;
	struct error error;
	node_config_defaults(&config);
	assert_true(node_config_check(&config, &error) < 0);
	assert_non_null(strstr(error.text, "no name"));
	set(&config, "name", "a");
	assert_true(node_config_check(&config, &error) < 0);
	assert_non_null(strstr(error.text, "no address to listen on"));
	set(&config, "listen", "0.0.0.0:7800");
	assert_true(node_config_check(&config, &error) < 0);
	assert_non_null(strstr(error.text, "advertise"));
	config.advertise.count = 0;
	set(&config, "listen", "127.0.0.1:7800, [::1]:7801");
	assert_true(node_config_check(&config, &error) < 0);
	assert_non_null(strstr(error.text, "same port"));
	set(&config, "listen", "127.0.0.1:7800, [::1]:7800");
	assert_int_equal(node_config_check(&config, &error), 0);
}

static void check_fails(const char *listen, const char *advertise, const char *why)
{
	struct node_config config;
	struct error error;
	node_config_defaults(&config);
	set(&config, "name", "a");
	set(&config, "listen", listen);
	if (advertise != NULL)
		set(&config, "advertise", advertise);
	assert_true(node_config_check(&config, &error) < 0);
	if (strstr(error.text, why) == NULL)
		assert_string_equal(error.text, why);
}

static void addresses_that_do_not_fit_together_are_named(void **state)
{
	check_fails("192.0.2.1:7800, 192.0.2.2:7800, 192.0.2.1:7800", NULL,
	            "listen: '192.0.2.1:7800' is given twice");
	check_fails("192.0.2.1:7800, 192.0.2.2:7801", NULL,
	            "listen: all addresses need the same port, not 7800 and 7801");
	check_fails("0.0.0.0:7800, 192.0.2.1:7800", "192.0.2.1:7800",
	            "listen: '0.0.0.0:7800' means every address, '192.0.2.1:7800' too");
	check_fails("192.0.2.1:7800, [::]:7800", NULL, "'[::]:7800' means every address, so --advertise");
	check_fails("192.0.2.1:7800", "203.0.113.1:7800, 203.0.113.1:7800",
	            "advertise: '203.0.113.1:7800' is given twice");
	check_fails("192.0.2.1:7800", "203.0.113.1:7800, [2001:db8::1]:7800",
	            "advertise: '[2001:db8::1]:7800' is IPv6, but no address of 'listen' is");
}

static void four_addresses_are_read_and_a_fifth_is_refused(void **state)
{
	struct node_config config;
	struct error error;
	node_config_defaults(&config);
	set(&config, "name", "a");
	set(&config, "listen", "192.0.2.1, 192.0.2.2,[2001:db8::1] , [2001:db8::2]");
	assert_int_equal(node_config_check(&config, &error), 0);
	assert_int_equal(config.advertise.count, 4);
	assert_int_equal(config.advertise.list[3].family, 6);
	assert_true(node_config_set(&config, "node", "listen",
	                            "192.0.2.1,192.0.2.2,192.0.2.3,192.0.2.4,192.0.2.5", &error) < 0);
	assert_string_equal(error.text, "more than 4 addresses");
}

/* Behind a translator the port is another as well. */
static void what_is_advertised_may_be_elsewhere(void **state)
{
	struct node_config config;
	struct error error;
	node_config_defaults(&config);
	set(&config, "name", "a");
	set(&config, "listen", "0.0.0.0:7800");
	set(&config, "advertise", "203.0.113.1:17800, 203.0.113.2:17801");
	assert_int_equal(node_config_check(&config, &error), 0);
	assert_int_equal(config.listen.count, 1);
	assert_int_equal(config.advertise.count, 2);
}

static void what_is_printed_reads_back_to_the_same(void **state)
{
	struct node_config config, again;
	struct error error;
	char *text;
	size_t size;
	node_config_defaults(&config);
	set(&config, "name", "web1");
	set(&config, "listen", "0.0.0.0:7801, [::]:7801");
	set(&config, "advertise", "[2001:db8::7]:7801");
	assert_int_equal(node_config_set(&config, "limits", "ledger_size", "1234567", &error), 0);
	assert_int_equal(node_config_set(&config, "log", "level", "debug", &error), 0);
	assert_int_equal(node_config_check(&config, &error), 0);
	FILE *out = open_memstream(&text, &size);
	node_config_print(&config, out);
	fclose(out);
	node_config_defaults(&again);
	assert_int_equal(read_text(&again, text, &error), 0);
	assert_int_equal(node_config_check(&again, &error), 0);
	assert_memory_equal(&again, &config, sizeof config);
	free(text);
}

static void a_missing_file_is_named(void **state)
{
	struct node_config config;
	struct error error;
	assert_true(node_config_read(&config, "/nonexistent/essaim.conf", &error) < 0);
	assert_string_equal(error.text,
	                    "cannot open '/nonexistent/essaim.conf': No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_file_is_read),
		cmocka_unit_test(an_unknown_key_is_an_error_with_its_line),
		cmocka_unit_test(a_line_that_is_no_setting_is_an_error_with_its_line),
		cmocka_unit_test(the_first_error_is_reported),
		cmocka_unit_test(a_line_that_is_too_long_is_an_error),
		cmocka_unit_test(values_are_bounded),
		cmocka_unit_test(fields_are_checked_together),
		cmocka_unit_test(addresses_that_do_not_fit_together_are_named),
		cmocka_unit_test(four_addresses_are_read_and_a_fifth_is_refused),
		cmocka_unit_test(what_is_advertised_may_be_elsewhere),
		cmocka_unit_test(what_is_printed_reads_back_to_the_same),
		cmocka_unit_test(a_missing_file_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
