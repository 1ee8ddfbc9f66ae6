/* What is asked of folders and pools, and what their tools' words mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "dir_probe.h"
#include "programs.h"

static struct storage_row row;
static struct dir_seen seen;

static bool parse(const char *text)
{
	dir_probe_begin(&row, &seen);
	return dir_probe_parse(text, &seen);
}

static int begin(void **state)
{
	row = (struct storage_row){.name = "vms", .type = STORAGE_NFS, .path = "/srv/vms", .source = "nas:/vms"};
	return 0;
}

static void the_hand_takes_what_is_asked(void **state)
{
	struct command_line command;
	struct error error;
	assert_true(dir_probe_call(&row, &command));
	assert_string_equal(command.words[1], "/srv/vms");
	assert_true(program_check(command.program, command.word_count, command.words, &error));
	row = (struct storage_row){.type = STORAGE_ZFS, .pool = "tank/vm/x"};
	assert_true(dir_probe_call(&row, &command));
	assert_string_equal(command.words[command.word_count - 1], "tank");
	assert_true(program_check(command.program, command.word_count, command.words, &error));
	row.type = STORAGE_LVM;
	assert_false(dir_probe_call(&row, &command));
}

static void a_folder_is_what_probe_says(void **state)
{
	assert_true(parse("mounted yes\ntype nfs4\nsource nas:/vms\ndevice 0:45\nsize 1000\nfree 567\n"
	                  "writable yes\nmarker 00ff\n"));
	assert_int_equal(seen.state, INVENTORY_SEEN);
	assert_int_equal(seen.kind, DIR_NFS);
	assert_true(seen.mounted && seen.writable);
	assert_string_equal(seen.source, "nas:/vms");
	assert_string_equal(seen.marker, "00ff");
	assert_int_equal(seen.size, 1000);
	assert_int_equal(seen.free, 560); /* in hundredths of the size */
}

static void what_is_not_said_is_not_so(void **state)
{
	assert_true(parse("mounted unknown\nwritable no Read-only file system\nmarkers x\nsize 99999999999999999999999\n"));
	assert_false(seen.mounted || seen.writable);
	assert_string_equal(seen.marker, "");
	assert_false(parse(""));
	assert_false(parse("hello"));
	assert_false(parse("hello world\n\n"));
}

static void texts_are_cut_to_what_is_printable_and_fits(void **state)
{
	char text[400] = "source a\x1b\xc3z", *end = text + strlen(text);
	memset(end, 'x', 300);
	assert_true(parse(text));
	assert_int_equal(strlen(seen.source), DEVICE_PATH_MAX);
	assert_memory_equal(seen.source, "a??zxx", 6);
}

static void a_pool_is_one_line_of_its_own_name(void **state)
{
	row = (struct storage_row){.name = "z", .type = STORAGE_ZFS, .pool = "tank/vm"};
	assert_true(parse("tank\t10737418240\t5368709120\tONLINE\t1234567890123456789\n"));
	assert_string_equal(seen.health, "ONLINE");
	assert_string_equal(seen.marker, "1234567890123456789");
	assert_true(seen.mounted && seen.size == 10737418240 && seen.free <= 5368709120);
	assert_true(parse("tank\t1\t0\tFAULTED\t9\n"));
	assert_false(seen.mounted);
	static const char *const bad[] = {"", "tank\n", "other\t1\t0\tONLINE\t9\n", "tank\t1\t0\tONLINE\t\n",
		"tank\t1\t0\tONLINE\t9", "tank 1 0 ONLINE 9\n", "\t\t\t\t\n"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(parse(bad[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_hand_takes_what_is_asked, begin),
		cmocka_unit_test_setup(a_folder_is_what_probe_says, begin),
		cmocka_unit_test_setup(what_is_not_said_is_not_so, begin),
		cmocka_unit_test_setup(texts_are_cut_to_what_is_printable_and_fits, begin),
		cmocka_unit_test_setup(a_pool_is_one_line_of_its_own_name, begin),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
