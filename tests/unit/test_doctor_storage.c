/*
 * The doctor's rules of storage on hand-made patients.
 */
#include "doctor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct patient_member members[2];
static struct status_view status;
static struct diagnosis after;
static struct lvm_head head;
static struct lvm_seen seen;
static struct drbd_resource resources[2];
static struct drbd_holder holders[2];
static struct drbd_pair pair;

/* Two nodes, a group with a pool and a pair of resources: all well. */
static struct patient healthy(void)
{
	memset(members, 0, sizeof members);
	memset(&head, 0, sizeof head);
	memset(&seen, 0, sizeof seen);
	status = (struct status_view){.voters_total = 3, .voters_reachable = 3, .voters_needed = 2,
		.master_known = true};
	for (uint32_t i = 0; i < 2; i++) {
		members[i].view = (struct member_view){.id = i + 1, .self = i == 0, .state = REACHABLE,
			.wire_min = 1, .wire_max = WIRE_VERSION_MAX};
		strcpy(resources[i].name, "r0");
		holders[i] = (struct drbd_holder){i + 1, i == 0 ? "a" : "b", true, &resources[i]};
	}
	pair = (struct drbd_pair){{0, 1}, {0, 0}, 0, {.verdict = DRBD_FINE, .side = 2, .done = -1}};
	head.state = INVENTORY_SEEN;
	head.group_count = seen.group_count = head.device_count = seen.volume_count = 1;
	strcpy(seen.groups[0].name, "vg0");
	strcpy(head.groups[0].name, "vg0");
	strcpy(head.devices[0].path, "/dev/sda");
	strcpy(seen.volumes[0].name, "pool");
	seen.volumes[0].kind = LV_POOL;
	seen.volumes[0].data_fill = 5000;
	seen.volumes[0].metadata_fill = 100;
	return (struct patient){.status = &status, .member_count = 2, .members = members,
		.thresholds = thresholds_default, .lvm = &head, .volumes = &seen, .pair_count = 1,
		.pairs = &pair, .holders = holders};
}

static const struct finding *only(const struct patient *p)
{
	doctor_examine(p, 100 * SECOND, &after);
	assert_int_equal(after.count, 1);
	return &after.list[0];
}

static void nothing_is_found_where_all_is_well(void **state)
{
	struct patient p = healthy();
	doctor_examine(&p, SECOND, &after);
	assert_int_equal(after.count, 0);
	p.lvm = NULL;
	p.volumes = NULL;
	doctor_examine(&p, SECOND, &after);
	assert_int_equal(after.count, 0);
}

static void a_pool_is_told_of_before_it_is_full(void **state)
{
	struct patient p = healthy();
	seen.volumes[0].data_fill = 8499;
	doctor_examine(&p, SECOND, &after);
	assert_int_equal(after.count, 0);
	seen.volumes[0].data_fill = 8500;
	assert_int_equal(only(&p)->severity, SEVERITY_WARNING);
	assert_int_equal(after.list[0].code, DOCTOR_THIN_FULL);
	assert_string_equal(after.list[0].detail, "vg0/pool");
	seen.volumes[0].data_fill = 5000;
	seen.volumes[0].metadata_fill = 9600;
	assert_int_equal(only(&p)->severity, SEVERITY_ERROR);
	seen.volumes[0].kind = LV_THIN; /* a volume that is full is only full */
	doctor_examine(&p, SECOND, &after);
	assert_int_equal(after.count, 0);
}

static void a_declared_storage_that_is_missing_or_another_is_told_of(void **state)
{
	struct patient p = healthy();
	struct patient_storage own = {"fast", STORAGE_FINE};
	p.storages = &own;
	p.storage_count = 1;
	for (int s = 0; s < STORAGE_STATES; s++) {
		own.state = (enum storage_state)s;
		if (s == STORAGE_MISSING || s == STORAGE_OTHER || s == STORAGE_UNMOUNTED || s == STORAGE_STALE)
			continue;
		doctor_examine(&p, SECOND, &after);
		assert_int_equal(after.count, 0);
	}
	own.state = STORAGE_MISSING;
	assert_int_equal(only(&p)->code, DOCTOR_STORAGE_MISSING);
	assert_string_equal(after.list[0].detail, "fast");
	own.state = STORAGE_OTHER;
	assert_int_equal(only(&p)->code, DOCTOR_STORAGE_NOT_SAME);
	own.state = STORAGE_UNMOUNTED;
	assert_int_equal(only(&p)->code, DOCTOR_STORAGE_NOT_MOUNTED);
	own.state = STORAGE_STALE;
	assert_int_equal(only(&p)->code, DOCTOR_STORAGE_STALE);
}

static void missing_and_doubled_devices_are_told_of(void **state)
{
	struct patient p = healthy();
	head.groups[0].missing = 2;
	assert_int_equal(only(&p)->code, DOCTOR_VG_MISSING_PV);
	assert_int_equal(after.list[0].numbers[0], 2);
	p = healthy();
	head.devices[0].duplicate = true;
	strcpy(head.devices[0].other, "/dev/sdb");
	assert_int_equal(only(&p)->code, DOCTOR_VG_DUPLICATE_PV);
	assert_string_equal(after.list[0].detail, "/dev/sda, /dev/sdb");
}

static void an_lvm_that_hangs_is_told_with_its_age_and_its_old_words_are_not(void **state)
{
	struct patient p = healthy();
	head.state = INVENTORY_STUCK;
	head.since_wall = 40 * SECOND;
	head.groups[0].missing = 2;
	assert_int_equal(only(&p)->code, DOCTOR_LVM_STUCK);
	assert_int_equal(after.list[0].numbers[0], 60 * SECOND);
	for (int quiet = 0; quiet < 2; quiet++) {
		head.state = quiet == 0 ? INVENTORY_NONE : INVENTORY_BLIND;
		doctor_examine(&p, SECOND, &after);
		assert_int_equal(after.count, 0);
	}
}

static void a_hand_that_is_gone_is_told_once_and_not_as_an_lvm_that_hangs(void **state)
{
	struct patient p = healthy();
	p.hand_gone = true;
	p.hand_gone_for = 7 * SECOND;
	head.state = INVENTORY_UNKNOWN;
	assert_int_equal(only(&p)->code, DOCTOR_HAND_GONE);
	assert_int_equal(after.list[0].numbers[0], 7 * SECOND);
	p.hand_gone = false;
	assert_int_equal(only(&p)->code, DOCTOR_LVM_STUCK);
}

static void each_verdict_that_is_not_well_is_found_and_no_other(void **state)
{
	for (int v = 0; v < DRBD_VERDICTS; v++) {
		struct patient p = healthy();
		pair.judgement.verdict = (enum drbd_verdict)v;
		bool silent = drbd_verdict_well((enum drbd_verdict)v) || v == DRBD_UNKNOWN || v == DRBD_EMPTY;
		doctor_examine(&p, SECOND, &after);
		assert_int_equal(after.count, silent ? 0 : 1);
		if (!silent) {
			assert_int_equal(after.list[0].about, 2);
			assert_string_equal(after.list[0].detail, "r0");
		}
	}
}

static void a_finding_is_about_the_side_that_is_meant(void **state)
{
	struct patient p = healthy();
	pair.judgement.verdict = DRBD_STALE;
	pair.judgement.side = 0;
	assert_int_equal(only(&p)->about, 1);
	pair.judgement.side = 1;
	assert_int_equal(only(&p)->about, 2);
	pair.judgement.verdict = DRBD_SPLIT_BRAIN; /* between the two, whoever stands alone */
	pair.judgement.side = 0;
	assert_int_equal(only(&p)->about, 2);
}

static void options_that_differ_are_told_before_they_are_in_the_way(void **state)
{
	struct patient p = healthy();
	pair.judgement.options_differ = true;
	assert_int_equal(only(&p)->code, DOCTOR_DRBD_OPTIONS);
	assert_int_equal(after.list[0].severity, SEVERITY_WARNING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_found_where_all_is_well),
		cmocka_unit_test(a_pool_is_told_of_before_it_is_full),
		cmocka_unit_test(a_declared_storage_that_is_missing_or_another_is_told_of),
		cmocka_unit_test(missing_and_doubled_devices_are_told_of),
		cmocka_unit_test(an_lvm_that_hangs_is_told_with_its_age_and_its_old_words_are_not),
		cmocka_unit_test(a_hand_that_is_gone_is_told_once_and_not_as_an_lvm_that_hangs),
		cmocka_unit_test(each_verdict_that_is_not_well_is_found_and_no_other),
		cmocka_unit_test(a_finding_is_about_the_side_that_is_meant),
		cmocka_unit_test(options_that_differ_are_told_before_they_are_in_the_way),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
