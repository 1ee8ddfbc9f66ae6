/*
 * What LVM is told, word by word, and what is made of its report beyond the captures.
 */
#include "lvm.h"
#include "programs.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct lvm_seen seen;
static struct command_line call;

static const char *words(void)
{
	static char text[COMMAND_TEXT_MAX * 2];
	size_t used = 0;
	struct error error;
	assert_false(call.overflow);
	if (!program_check(call.program, call.word_count, call.words, &error))
		fail_msg("the hand would refuse it: %s", error.text);
	for (uint32_t i = 0; i < call.word_count; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i == 0 ? "" : " ",
		                         call.words[i]);
	return text;
}

static int parse(const char *json, const char *warnings)
{
	struct error error = {""};
	int status = lvm_report_parse((struct bytes){(const uint8_t *)json, strlen(json)},
	                              (struct bytes){(const uint8_t *)warnings, strlen(warnings)}, &seen,
	                              &error);
	assert_true(status == 0 || error.text[0] != '\0');
	return status;
}

/* ---- words ---- */

static void what_lies_below_drbd_or_hangs_is_never_opened(void **state)
{
	struct lvm_filter filter = {.reject_count = 0};
	assert_true(lvm_filter_reject(&filter, "/dev/sdb1"));
	assert_true(lvm_filter_reject(&filter, "/dev/drbd0"));
	assert_true(lvm_filter_reject(&filter, "/dev/sdb1")); /* once is enough */
	assert_int_equal(filter.reject_count, 2);
	lvm_remove_call(&filter, "vg0", "one", &call);
	assert_string_equal(words(),
	                    "lvremove --config devices/use_devicesfile=0 "
	                    "devices/global_filter=[\"r|^/dev/sdb1$|\",\"r|^/dev/drbd0$|\"] --yes vg0/one");
	filter.global_taken = true;
	lvm_rename_call(&filter, "vg0", "one", "two", &call);
	assert_non_null(strstr(words(), " devices/filter=["));
	assert_null(strstr(words(), "global_filter"));
}

static void a_dot_in_a_path_means_a_dot(void **state)
{
	struct lvm_filter filter = {.reject_count = 0};
	assert_true(lvm_filter_reject(&filter, "/dev/disk/by-id/x.1+2"));
	lvm_remove_call(&filter, "vg0", "one", &call);
	assert_non_null(strstr(words(), "r|^/dev/disk/by-id/x[.]1[+]2$|"));
}

static void a_path_that_no_filter_can_name_is_refused(void **state)
{
	static const char *const bad[] = {"", "sdb", "/dev/a b", "/dev/a|b", "/dev/a\"", "/dev/a\n", "/dev/[a]"};
	struct lvm_filter filter = {.reject_count = 0};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(lvm_filter_reject(&filter, bad[i]));
	char path[32];
	for (int i = 0; i < LVM_REJECTS_MAX; i++) {
		snprintf(path, sizeof path, "/dev/sd%d", i);
		assert_true(lvm_filter_reject(&filter, path));
	}
	assert_false(lvm_filter_reject(&filter, "/dev/one-too-many"));
}

static void a_filter_too_long_for_a_call_makes_it_not_run(void **state)
{
	struct lvm_filter filter = {.reject_count = 0};
	char path[DEVICE_PATH_MAX + 1];
	for (int i = 0; i < LVM_REJECTS_MAX; i++) {
		snprintf(path, sizeof path, "/dev/%0120d", i);
		assert_true(lvm_filter_reject(&filter, path));
	}
	lvm_report_call(&filter, &call);
	assert_true(call.overflow);
}

static void each_change_is_one_call_with_exact_sizes(void **state)
{
	static const struct lvm_filter none;
	struct lvm_create create = {.group = "vg0", .name = "one", .extents = 3, .tag = "essaim.7"};
	lvm_create_call(&none, &create, &call);
	assert_string_equal(words(), "lvcreate --yes --addtag essaim.7 -n one -l 3 vg0");
	create = (struct lvm_create){.group = "vg0", .name = "t", .pool = "pool", .bytes = 12582912};
	lvm_create_call(&none, &create, &call);
	assert_string_equal(words(), "lvcreate --yes -n t -V 12582912b -T vg0/pool");
	create = (struct lvm_create){.group = "vg0", .name = "s", .origin = "one", .extents = 2};
	lvm_create_call(&none, &create, &call);
	assert_string_equal(words(), "lvcreate --yes -n s -s -l 2 vg0/one");
	create = (struct lvm_create){.group = "vg0", .name = "s", .origin = "t", .thin = true};
	lvm_create_call(&none, &create, &call);
	assert_string_equal(words(), "lvcreate --yes -n s -s -kn vg0/t");
	lvm_extend_call(&none, "vg0", "one", 9, &call);
	assert_string_equal(words(), "lvextend -l 9 vg0/one");
	lvm_report_call(&none, &call);
	assert_non_null(strstr(words(), "fullreport --reportformat json --units b --nosuffix"));
	lvm_config_call(&call);
	assert_string_equal(words(), "lvmconfig devices/global_filter");
	lvm_activate_call(&none, "vg0", "one", false, &call);
	assert_string_equal(words(), "lvchange -an -K vg0/one");
}

static void without_a_kernel_only_metadata_is_written(void **state)
{
	static const struct lvm_filter filter = {.without_kernel = true};
	struct lvm_create create = {.group = "vg0", .name = "one", .extents = 3};
	lvm_create_call(&filter, &create, &call);
	assert_string_equal(words(), "lvcreate --driverloaded n --yes -an -Zn -n one -l 3 vg0");
}

static void sizes_are_rounded_up_to_extents(void **state)
{
	assert_int_equal(lvm_extents(1, 4194304), 1);
	assert_int_equal(lvm_extents(4194304, 4194304), 1);
	assert_int_equal(lvm_extents(4194305, 4194304), 2);
	assert_int_equal(lvm_extents(0, 4194304), 0);
	assert_int_equal(lvm_extents(UINT64_MAX, 4194304), 0);
	assert_int_equal(lvm_extents(5, 0), 0);
}

static void names_that_lvm_refuses_are_refused_before(void **state)
{
	static const char *const good[] = {"a", "vm-101-disk.0", "A+b_c", "x_min"};
	static const char *const bad[] = {"", "-a", ".", "..", "a b", "a/b", "snapshot1", "pvmove0",
		"x_tdata", "a_mimage_0", "pool_tmeta", "lvol0_pmspare", "\xc3\xa4"};
	struct error error;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		assert_int_equal(lvm_name_check(good[i], &error), 0);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(lvm_name_check(bad[i], &error), -EINVAL);
	char name[VOLUME_NAME_MAX + 2];
	memset(name, 'x', sizeof name);
	name[sizeof name - 1] = '\0';
	assert_int_equal(lvm_name_check(name, &error), -EINVAL);
}

/* ---- reports ---- */

static void each_letter_of_lv_attr_is_understood(void **state)
{
	static const struct {
		const char *attr;
		enum lv_kind kind;
		bool active, open, sick, unknown;
	} cases[] = {
		{"-wi-a-----", LV_LINEAR, true, false, false, false},
		{"-wi-ao----", LV_LINEAR, true, true, false, false},
		{"-wi-------", LV_LINEAR, false, false, false, false},
		{"-wi-XX----", LV_LINEAR, false, false, false, true},
		{"owi-a-s---", LV_LINEAR, true, false, false, false},
		{"twi-aotz--", LV_POOL, true, true, false, false},
		{"twi-aotzD-", LV_POOL, true, true, true, false},
		{"Vwi-aotz--", LV_THIN, true, true, false, false},
		{"swi-I-s---", LV_SNAPSHOT, true, false, true, false},
		{"rwi-aor-p-", LV_OTHER, true, true, true, false},
		{"-wi-s-----", LV_LINEAR, true, false, false, false},
		{"", LV_LINEAR, false, false, false, false},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char json[512];
		snprintf(json, sizeof json,
		         "{\"report\":[{\"vg\":[{\"vg_name\":\"v\"}],\"lv\":[{\"lv_name\":\"x\",\"lv_attr\":\"%s\"}]}]}",
		         cases[i].attr);
		assert_int_equal(parse(json, ""), 0);
		const struct lvm_volume *v = &seen.volumes[0];
		if (v->kind != cases[i].kind || v->active != cases[i].active || v->open != cases[i].open ||
		    v->sick != cases[i].sick || v->state_unknown != cases[i].unknown)
			fail_msg("'%s' is misunderstood", cases[i].attr);
	}
}

static void a_thin_pool_tells_how_full_it_is(void **state)
{
	assert_int_equal(parse("{\"report\":[{\"vg\":[{\"vg_name\":\"v\"}],\"lv\":["
	                       "{\"lv_name\":\"p\",\"lv_attr\":\"twi-aotz--\",\"data_percent\":\"87.53\",\"metadata_percent\":\"9.5\"},"
	                       "{\"lv_name\":\"t\",\"lv_attr\":\"Vwi-aotz--\",\"pool_lv\":\"p\",\"data_percent\":\"100.00\"},"
	                       "{\"lv_name\":\"u\",\"lv_attr\":\"-wi-------\",\"data_percent\":\"\"}]}]}", ""), 0);
	assert_int_equal(seen.volumes[0].data_fill, 8753);
	assert_int_equal(seen.volumes[0].metadata_fill, 950);
	assert_int_equal(seen.volumes[1].data_fill, 10000);
	assert_string_equal(seen.volumes[1].pool, "p");
	assert_int_equal(seen.volumes[2].data_fill, -1);
}

static void what_is_no_report_is_refused_with_a_sentence(void **state)
{
	static const char *const bad[] = {"", "{", "[]", "{\"report\":{}}", "null", "{\"reports\":[]}",
		"  WARNING: Running as a non-root user. Functionality may be unavailable.\n"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(parse(bad[i], ""), -EBADMSG);
	assert_int_equal(parse("{\"report\":[]}", ""), 0);
	assert_int_equal(seen.group_count, 0);
}

static void wrong_types_and_wild_numbers_do_no_harm(void **state)
{
	assert_int_equal(parse("{\"report\":[1,null,[],{\"vg\":7,\"lv\":{\"a\":1},\"pv\":[3]},"
	                       "{\"vg\":[{\"vg_name\":\"v\",\"vg_size\":\"99999999999999999999999\",\"vg_attr\":5}],"
	                       "\"lv\":[{\"lv_name\":{},\"lv_size\":\"-5\",\"data_percent\":\"123456789.123\"}]}]}", ""), 0);
	assert_int_equal(seen.groups[0].size, 0);
	assert_int_equal(seen.volumes[0].size, 0);
	assert_int_equal(seen.volumes[0].data_fill, 10000);
}

static void what_is_too_much_is_counted(void **state)
{
	static char json[LVM_VOLUMES_MAX * 64];
	size_t used = (size_t)snprintf(json, sizeof json, "{\"report\":[{\"vg\":[{\"vg_name\":\"v\"}],\"lv\":[");
	for (int i = 0; i < LVM_VOLUMES_MAX + 5; i++)
		used += (size_t)snprintf(json + used, sizeof json - used, "%s{\"lv_name\":\"x%d\"}",
		                         i == 0 ? "" : ",", i);
	snprintf(json + used, sizeof json - used, "]}]}");
	assert_int_equal(parse(json, ""), 0);
	assert_int_equal(seen.volume_count, LVM_VOLUMES_MAX);
	assert_int_equal(seen.more, 5);
}

static void the_same_device_twice_is_seen_in_the_warnings(void **state)
{
	assert_int_equal(parse("{\"report\":[{\"vg\":[{\"vg_name\":\"v\"}],\"pv\":["
	                       "{\"pv_name\":\"/dev/sda\",\"pv_uuid\":\"abc-def\",\"pv_attr\":\"a--\"},"
	                       "{\"pv_name\":\"/dev/sdc\",\"pv_uuid\":\"xyz\",\"pv_attr\":\"a-m\"}]}]}",
	                       "  WARNING: Not using device /dev/sdb for PV abc-def.\n"
	                       "  WARNING: Not using device /dev/sdd for PV nobody\n  WARNING: Not using device"), 0);
	assert_true(seen.devices[0].duplicate);
	assert_string_equal(seen.devices[0].other, "/dev/sdb");
	assert_false(seen.devices[1].duplicate);
	assert_true(seen.devices[1].missing);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_lies_below_drbd_or_hangs_is_never_opened),
		cmocka_unit_test(a_dot_in_a_path_means_a_dot),
		cmocka_unit_test(a_path_that_no_filter_can_name_is_refused),
		cmocka_unit_test(a_filter_too_long_for_a_call_makes_it_not_run),
		cmocka_unit_test(each_change_is_one_call_with_exact_sizes),
		cmocka_unit_test(without_a_kernel_only_metadata_is_written),
		cmocka_unit_test(sizes_are_rounded_up_to_extents),
		cmocka_unit_test(names_that_lvm_refuses_are_refused_before),
		cmocka_unit_test(each_letter_of_lv_attr_is_understood),
		cmocka_unit_test(a_thin_pool_tells_how_full_it_is),
		cmocka_unit_test(what_is_no_report_is_refused_with_a_sentence),
		cmocka_unit_test(wrong_types_and_wild_numbers_do_no_harm),
		cmocka_unit_test(what_is_too_much_is_counted),
		cmocka_unit_test(the_same_device_twice_is_seen_in_the_warnings),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
