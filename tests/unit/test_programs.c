/* What the hand may run, and with which arguments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "programs.h"

#define COUNT(a) (uint32_t)(sizeof(a) / sizeof(a)[0])

/* How check judges a list of words that ends with NULL. */
static bool check(enum program program, const char *const *arguments)
{
	uint32_t count = 0;
	while (arguments[count] != NULL)
		count++;
	return program_check(program, count, arguments, NULL);
}

#define TAKES(program, ...)                                                                        \
	assert_true(check(program, (const char *const[]){__VA_ARGS__, NULL}))
#define REFUSES(program, ...)                                                                      \
	assert_false(check(program, (const char *const[]){__VA_ARGS__, NULL}))

static void every_row_has_a_name_and_ends_or_streams(void **state)
{
	for (uint32_t i = PROGRAM_NONE + 1; i < PROGRAM_COUNT; i++) {
		const struct program_row *row = program_row(i);
		assert_non_null(row->name);
		assert_true(row->stream ? row->deadline == 0 : row->deadline > 0 && row->output_max > 0);
		assert_true(row->deadline <= PROGRAM_DEADLINE_MAX && row->output_max <= PROGRAM_OUTPUT_MAX);
		for (int k = 0; k < PROGRAM_PATHS_MAX && row->paths[k] != NULL; k++)
			assert_int_equal(row->paths[k][0] == '/', !row->helper);
		/* A tool has a list of options, if an empty one: none is let through by omission. */
		assert_true(row->paths[0] == NULL || row->options != NULL);
	}
}

static void what_is_not_in_the_table_is_refused(void **state)
{
	const char *none[] = {"x"};
	struct error error;
	const uint32_t wrong[] = {PROGRAM_NONE, PROGRAM_COUNT, PROGRAM_COUNT + 1, UINT32_MAX};
	for (uint32_t i = 0; i < COUNT(wrong); i++) {
		assert_null(program_row(wrong[i]));
		assert_false(program_check(wrong[i], 1, none, &error));
		assert_string_equal(program_name(wrong[i]), "?");
	}
}

static void the_commands_that_volumes_need_are_let_through(void **state)
{
	TAKES(PROGRAM_LVM_REPORT, "fullreport", "--reportformat", "json", "--units", "b", "--nosuffix",
	      "--config", "devices/global_filter=[\"a|^/dev/sd|\",\"r|.*|\"] devices/scan_lvs=0");
	TAKES(PROGRAM_LVM_CHANGE, "lvcreate", "-n", "disk 1", "-L", "4096b", "-Wy", "-Zn", "-an", "vg0");
	TAKES(PROGRAM_LVM_CHANGE, "lvextend", "--size=+1g", "vg0/a");
	TAKES(PROGRAM_DRBD_STATUS, "dump-xml");
	TAKES(PROGRAM_DRBD_CHANGE, "connect", "--discard-my-data", "r0");
	TAKES(PROGRAM_DRBD_EVENTS, "events2", "--statistics");
	TAKES(PROGRAM_DRBD_META, "0", "v08", "/dev/vg0/a", "internal", "get-gi");
	TAKES(PROGRAM_EXT_MINIMUM, "-P", "/dev/vg0/a");
	TAKES(PROGRAM_MOUNTS, "--json", "--bytes", "-o", "TARGET,FSTYPE");
	TAKES(PROGRAM_FILE, "create", "/srv/vm", "a", "4096", "7", "sparse");
	TAKES(PROGRAM_FILE, "place", "/srv/vm", "a", "7");
	TAKES(PROGRAM_FILE, "unmark", "/srv/vm", "0123456789abcdef0123456789abcdef");
	TAKES(PROGRAM_HOOK, "before.d/10-notify", "before", "volume-create");
}

static void a_command_that_is_not_listed_is_refused(void **state)
{
	REFUSES(PROGRAM_LVM_REPORT, "lvremove", "vg0/a");
	REFUSES(PROGRAM_LVM_REPORT, "fullrepor");
	REFUSES(PROGRAM_LVM_REPORT, "fullreport lvs");
	REFUSES(PROGRAM_LVM_REPORT, "");
	REFUSES(PROGRAM_LVM_CHANGE, "vgremove", "vg0");
	REFUSES(PROGRAM_LVM_CHANGE, "lvreduce", "vg0/a");
	REFUSES(PROGRAM_DEVICES, "remove", "vg0-a");
	REFUSES(PROGRAM_DRBD_META, "0", "v08", "/dev/vg0/a", "internal", "wipe-md");
	REFUSES(PROGRAM_DRBD_META, "get-gi");
	REFUSES(PROGRAM_EXT_MINIMUM, "/dev/vg0/a");
	REFUSES(PROGRAM_EXT_MINIMUM, "-M", "-P");
	REFUSES(PROGRAM_ZPOOL, "destroy", "tank");
	assert_false(program_check(PROGRAM_LVM_REPORT, 0, NULL, NULL));
}

static void an_option_that_executes_or_writes_is_refused_however_it_is_written(void **state)
{
	REFUSES(PROGRAM_DRBD_CHANGE, "up", "-c", "/tmp/x.res", "r0");
	REFUSES(PROGRAM_DRBD_CHANGE, "up", "--config-file=/tmp/x.res", "r0");
	REFUSES(PROGRAM_DRBD_CHANGE, "up", "--config-f", "/tmp/x.res", "r0");
	REFUSES(PROGRAM_DRBD_CHANGE, "up", "-dc/tmp/x.res", "r0");
	REFUSES(PROGRAM_DRBD_CHANGE, "up", "--drbdsetup=/tmp/x", "r0");
	REFUSES(PROGRAM_LVM_CHANGE, "lvcreate", "--conf", "global/thin_check_executable=\"/tmp/x\"");
	REFUSES(PROGRAM_LVM_CHANGE, "lvcreate", "--config", "global/thin_check_executable=\"/tmp/x\"");
	REFUSES(PROGRAM_LVM_REPORT, "lvs", "--config=log/file=\"/etc/cron.d/x\"");
	REFUSES(PROGRAM_LVM_CHANGE, "lvcreate", "--profile", "x");
	REFUSES(PROGRAM_LVM_CHANGE, "lvcreate", "-");
	REFUSES(PROGRAM_LVM_CHANGE, "lvcreate", "--");
	REFUSES(PROGRAM_MOUNTS, "-F", "/etc/shadow");
	REFUSES(PROGRAM_SIGNATURES, "-c", "/etc/cron.d/x");
}

static void settings_of_lvm_are_let_through_one_by_one(void **state)
{
	static const char *const good[] = {
		"devices/scan_lvs=0", "devices/filter=[]", "devices/filter=[\"r|.*|\"]",
		"devices/hints=\"none\"", "devices/filter=[\"a|x|\",\"r|y|\"]  activation/udev_sync=0",
		"devices{use_devicesfile=0 global_filter=[\"r|^/dev/sd[+]$|\",\"a|.*|\"]}",
	};
	static const char *const bad[] = {
		"", " ", "devices/scan_lvs", "devices/scan_lvs=", "devices/scan_lvs=0;", "=",
		"devices { scan_lvs=0 }", "devices/filter=[\"r|.*|\"", "devices/filter=[\"r|.*|\"]log/file=\"x\"",
		"devices/filter=[\"r|.*|] log/file=\"/x\"", "devices/filter=\"a\\\" log/file=\"/x\"",
		"devices/scan_lvs=0 log/file=\"/x\"", "devices/scan_lvs=0\nlog/file=\"/x\"",
		"devices/scan_lvs=0 ", "devices/dir=\"/tmp\"", "devices=0", "devices/scan_lvs=0,1",
		"devices/filter devices/hints=\"none\"", "devices{}", "devices{scan_lvs=0", "devices{scan_lvs=0} ",
		"devices{scan_lvs=0}log{file=\"/x\"}", "devices{scan_lvs=0 dir=\"/x\"}", "log{file=\"/x\"}",
		"devices{scan_lvs=0 } log/file=\"/x\"", "devices{devices/scan_lvs=0}", "devices/scan_lvs=0}",
	};
	for (uint32_t i = 0; i < COUNT(good); i++)
		assert_true(program_config_allowed(good[i]));
	for (uint32_t i = 0; i < COUNT(bad); i++)
		assert_false(program_config_allowed(bad[i]));
}

static void names_of_hooks_and_volumes_stay_in_their_folder(void **state)
{
	assert_true(program_hook_name("10-notify_me"));
	assert_true(program_hook_path("before.d/10-notify_me") && program_hook_path("after.d/x") &&
	            program_hook_path("run.d/x"));
	assert_false(program_hook_path("x") || program_hook_path("run.d/") || program_hook_path("run.d/../x") ||
	             program_hook_path("else.d/x") || program_hook_path("/run.d/x") || program_hook_path("run.d/a/b"));
	assert_true(program_volume_name("vm-1.disk+0"));
	static const char *const wrong[] = {"", ".", "..", "a/b", "-a", ".a", "a b", "a\n", "\xc3\xa9"};
	for (uint32_t i = 0; i < COUNT(wrong); i++) {
		assert_false(program_hook_name(wrong[i]));
		assert_false(program_volume_name(wrong[i]));
	}
	char longest[129] = {0};
	memset(longest, 'a', 127);
	assert_true(program_volume_name(longest));
	longest[127] = 'a';
	assert_false(program_volume_name(longest));
	REFUSES(PROGRAM_HOOK, "../x");
	REFUSES(PROGRAM_HOOK, "before", "volume-create");
	assert_false(program_check(PROGRAM_HOOK, 0, NULL, NULL));
}

static void too_many_arguments_and_too_long_ones_are_refused(void **state)
{
	static char lengthy[PROGRAM_ARGUMENTS_BYTES + 1];
	const char *many[PROGRAM_ARGUMENTS_MAX + 1] = {"lvs"};
	for (uint32_t i = 1; i < COUNT(many); i++)
		many[i] = "a";
	assert_true(program_check(PROGRAM_LVM_REPORT, PROGRAM_ARGUMENTS_MAX, many, NULL));
	assert_false(program_check(PROGRAM_LVM_REPORT, COUNT(many), many, NULL));
	memset(lengthy, 'a', sizeof lengthy - 1);
	REFUSES(PROGRAM_LVM_REPORT, "lvs", lengthy);
	lengthy[PROGRAM_ARGUMENTS_BYTES - 5] = '\0'; /* "lvs" and two NULs beside it */
	TAKES(PROGRAM_LVM_REPORT, "lvs", lengthy);
}

static void a_refusal_says_what_and_why(void **state)
{
	struct error error;
	const char *arguments[] = {"up", "-c"};
	program_check(PROGRAM_DRBD_CHANGE, 2, arguments, &error);
	assert_string_equal(error.text,
	                    "drbdadm is not run with '-c': that option is not in the hand's table");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_has_a_name_and_ends_or_streams),
		cmocka_unit_test(what_is_not_in_the_table_is_refused),
		cmocka_unit_test(the_commands_that_volumes_need_are_let_through),
		cmocka_unit_test(a_command_that_is_not_listed_is_refused),
		cmocka_unit_test(an_option_that_executes_or_writes_is_refused_however_it_is_written),
		cmocka_unit_test(settings_of_lvm_are_let_through_one_by_one),
		cmocka_unit_test(names_of_hooks_and_volumes_stay_in_their_folder),
		cmocka_unit_test(too_many_arguments_and_too_long_ones_are_refused),
		cmocka_unit_test(a_refusal_says_what_and_why),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
