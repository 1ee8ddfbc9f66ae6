/* Which records of the kernel's log are let through, and what is left of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "kernel_log.h"

static char line[256];

static bool taken(const char *record)
{
	memset(line, 0, sizeof line);
	return kernel_log_line(record, line, sizeof line);
}

static void what_drbd_says_is_let_through_as_one_line(void **state)
{
	assert_true(taken("1,339,5140900,-;block drbd0: Split-Brain detected but unresolved, dropping connection!\n"));
	assert_string_equal(line, "1,339,5140900,-;block drbd0: Split-Brain detected but unresolved, dropping connection!");
	assert_true(taken("6,339,5140900,c,caller=T1;drbd r0: helper command\n SUBSYSTEM=block\n DEVICE=b147:0\n"));
	assert_string_equal(line, "6,339,5140900,-;drbd r0: helper command");
	assert_true(taken("6,1,2,-;drbd: initialized. Version: 8.4.11\n"));
}

static void what_others_say_of_it_or_is_garbled_is_not(void **state)
{
	static const char *const others[] = {
		"6,339,5140900,-;usb 1-1: a secret\n", "6,339,5140900,-;usb\n DEVICE=drbd0\n",
		"6,339,5140900,-;audit: exe=\"/tmp/drbd r0: helper command: /sbin/drbdadm split-brain\"\n",
		"6,339,5140900,-;block drbdx: no minor\n", "6,339,5140900,-;drbdfake r0\n",
		"", "drbd r0", ";drbd r0", "6,drbd;drbd r0", "6,1,2;drbd r0", "6,1,2,-\n;drbd r0", ",,,;drbd r0",
	};
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		assert_false(taken(others[i]));
}

static void bytes_that_are_no_text_are_not_passed_on(void **state)
{
	assert_true(taken("6,1,2,-;drbd r0: \x1b[2J\t\xc3\xa9\x7f!\n"));
	assert_string_equal(line, "6,1,2,-;drbd r0: ?[2J" "????" "!");
}

static void a_line_that_does_not_fit_is_left_out_whole(void **state)
{
	char small[24];
	assert_true(kernel_log_line("6,1,2,-;drbd r0: 345678\n", small, sizeof small));
	assert_false(kernel_log_line("6,1,2,-;drbd r0: 3456789\n", small, sizeof small));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_drbd_says_is_let_through_as_one_line),
		cmocka_unit_test(what_others_say_of_it_or_is_garbled_is_not),
		cmocka_unit_test(bytes_that_are_no_text_are_not_passed_on),
		cmocka_unit_test(a_line_that_does_not_fit_is_left_out_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
