/*
 * The doctor's rules on hand-made patients, and Marzullo's intervals with liars.
 */
#include "doctor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "marzullo.h"

#define NODES 7

static struct patient_member members[NODES];
static struct status_view status;
static struct diagnosis before, after;
static struct usage_fact usage;
static struct clock_fact kept;
static struct dns_fact dns;

/* A healthy swarm of `count`; this node is the first. */
static struct patient healthy(uint32_t count)
{
	memset(members, 0, sizeof members);
	memset(&usage, 0, sizeof usage);
	memset(&dns, 0, sizeof dns);
	kept = (struct clock_fact){.synchronised = true, .service = "chrony"};
	status = (struct status_view){.voters_total = 3, .voters_reachable = 3, .voters_needed = 2,
		.master_known = true};
	for (uint32_t i = 0; i < count; i++) {
		members[i].view = (struct member_view){.id = i + 1, .self = i == 0, .state = REACHABLE,
			.clock_known = i > 0, .clock_error = MILLISECOND, .wire_min = 1,
			.wire_max = WIRE_VERSION_MAX, .voter = i < 3};
		snprintf(members[i].uname, sizeof members[i].uname, "host%u", i);
		strcpy(members[i].version, "1");
		members[i].has_host = members[i].synchronised = true;
	}
	return (struct patient){.status = &status, .member_count = count, .members = members,
		.usage = &usage, .clock = &kept, .dns = &dns, .thresholds = thresholds_default};
}

static const struct finding *found(const struct diagnosis *d, enum doctor_code code)
{
	for (uint32_t i = 0; i < d->count; i++) {
		if (d->list[i].code == code)
			return &d->list[i];
	}
	return NULL;
}

static void a_healthy_swarm_has_nothing(void **state)
{
	struct patient p = healthy(5);
	doctor_examine(&p, SECOND, &after);
	assert_int_equal(after.count, 0);
}

static void the_one_whose_clock_is_off_is_named_also_if_it_is_us(void **state)
{
	struct patient p = healthy(3);
	members[2].view.clock_offset = 3 * SECOND;
	doctor_examine(&p, SECOND, &after);
	assert_int_equal(after.count, 1);
	assert_int_equal(found(&after, DOCTOR_CLOCK_OFFSET)->about, 3);
	assert_int_equal(found(&after, DOCTOR_CLOCK_OFFSET)->severity, SEVERITY_WARNING);
	members[1].view.clock_offset = 3 * SECOND;
	doctor_examine(&p, SECOND, &after);
	assert_int_equal(after.count, 1);
	assert_int_equal(found(&after, DOCTOR_CLOCK_OFFSET)->about, 1);
}

static void nothing_is_found_inside_the_error_of_the_measurement(void **state)
{
	struct patient p = healthy(3);
	members[2].view.clock_offset = 3 * SECOND;
	members[2].view.clock_error = 3 * SECOND;
	doctor_examine(&p, SECOND, &after);
	assert_int_equal(after.count, 0);
}

static void of_two_clocks_the_kept_one_is_believed(void **state)
{
	struct patient p = healthy(2);
	members[1].view.clock_offset = -10 * SECOND;
	doctor_examine(&p, SECOND, &after);
	assert_non_null(found(&after, DOCTOR_CLOCK_DISAGREE));
	members[1].synchronised = false;
	doctor_examine(&p, SECOND, &after);
	assert_int_equal(found(&after, DOCTOR_CLOCK_OFFSET)->about, 2);
	members[1].synchronised = true;
	members[0].synchronised = false;
	doctor_examine(&p, SECOND, &after);
	assert_int_equal(found(&after, DOCTOR_CLOCK_OFFSET)->about, 1);
	assert_int_equal(found(&after, DOCTOR_CLOCK_OFFSET)->severity, SEVERITY_ERROR);
}

static void a_finding_stays_until_it_is_below_half_of_its_threshold(void **state)
{
	struct patient p = healthy(3);
	members[2].view.clock_offset = 300 * MILLISECOND;
	doctor_examine(&p, 7 * SECOND, &before);
	assert_int_equal(before.count, 1);
	members[2].view.clock_offset = 200 * MILLISECOND;
	doctor_examine(&p, 9 * SECOND, &after);
	assert_int_equal(after.count, 0);
	p.before = &before;
	doctor_examine(&p, 9 * SECOND, &after);
	assert_int_equal(after.count, 1);
	assert_int_equal(after.list[0].since_wall, 7 * SECOND);
	members[2].view.clock_offset = 100 * MILLISECOND;
	doctor_examine(&p, 9 * SECOND, &after);
	assert_int_equal(after.count, 0);
}

static void a_lost_quorum_a_lost_voter_and_two_voters_are_told_apart(void **state)
{
	struct patient p = healthy(3);
	members[1].view.state = UNREACHABLE;
	status.voters_reachable = 2;
	doctor_examine(&p, SECOND, &after);
	assert_int_equal(found(&after, DOCTOR_VOTER_LOST)->about, 2);
	assert_int_equal(found(&after, DOCTOR_VOTER_LOST)->numbers[0], 0);
	assert_null(found(&after, DOCTOR_NO_QUORUM));
	status.voters_reachable = 1;
	doctor_examine(&p, SECOND, &after);
	assert_int_equal(found(&after, DOCTOR_NO_QUORUM)->numbers[2], 2);
	p = healthy(2);
	status.voters_total = status.voters_reachable = 2;
	doctor_examine(&p, SECOND, &after);
	assert_int_equal(after.count, 1);
	assert_non_null(found(&after, DOCTOR_VOTERS_TWO));
}

static void a_link_that_loses_thrice_in_a_row_has_its_finding_and_not_before(void **state)
{
	struct patient p = healthy(3);
	members[1].view.large_lost = members[1].view.unheard = members[1].shut = 2;
	doctor_examine(&p, SECOND, &after);
	assert_int_equal(after.count, 0);
	members[1].view.large_lost = 3;
	doctor_examine(&p, SECOND, &after);
	assert_int_equal(after.count, 1);
	assert_int_equal(found(&after, DOCTOR_MTU_SMALL)->about, 2);
	members[1].view.unheard = members[1].shut = 3;
	doctor_examine(&p, SECOND, &after);
	assert_int_equal(after.count, 3);
	assert_int_equal(found(&after, DOCTOR_ONE_WAY_LINK)->about, 2);
	assert_int_equal(found(&after, DOCTOR_TCP_BLOCKED)->about, 2);
	members[1].view.state = UNREACHABLE; /* then that is the finding */
	status.voters_reachable = 2;
	doctor_examine(&p, SECOND, &after);
	assert_null(found(&after, DOCTOR_MTU_SMALL));
	assert_null(found(&after, DOCTOR_ONE_WAY_LINK));
	assert_null(found(&after, DOCTOR_TCP_BLOCKED));
}

static void a_link_of_one_direction_is_found_once_whoever_tells_of_it(void **state)
{
	struct patient p = healthy(3);
	members[1].view.unheard = 5;
	members[0].view.accuser_count = 1;
	members[0].view.accusers[0].node = 2;
	doctor_examine(&p, SECOND, &after);
	assert_int_equal(after.count, 1);
	assert_non_null(found(&after, DOCTOR_ONE_WAY_LINK));
}

static void what_is_unknown_is_said_to_be_unknown_and_nothing_more(void **state)
{
	struct patient p = healthy(3);
	usage.unknown = true;
	usage.data_percent = 100;
	doctor_examine(&p, SECOND, &after);
	assert_int_equal(after.count, 1);
	assert_non_null(found(&after, DOCTOR_FACTS_OLD));
}

static void disks_names_and_name_servers_have_their_findings(void **state)
{
	struct patient p = healthy(3);
	usage.data_percent = 100;
	usage.store_ms = 500;
	strcpy(members[2].uname, "host0");
	dns.server_count = 1;
	dns.servers[0] = (struct dns_server){"192.0.2.53", DNS_DEAD, 0, 0};
	dns.name_count = 2;
	dns.names[0] = (struct dns_name){2, DNS_REVERSE, DNS_SLOW, 0, 2000, 0, {0}};
	dns.names[1] = (struct dns_name){3, DNS_SYSTEM, DNS_DIFFERS, 1, 0, 4, {10, 0, 0, 9}};
	doctor_examine(&p, SECOND, &after);
	assert_non_null(found(&after, DOCTOR_DISK_FULL));
	assert_non_null(found(&after, DOCTOR_DISK_SLOW));
	assert_string_equal(found(&after, DOCTOR_NAME_TWICE)->detail, "host0");
	assert_string_equal(found(&after, DOCTOR_DNS_SERVER_DEAD)->detail, "192.0.2.53");
	assert_int_equal(found(&after, DOCTOR_DNS_SLOW_PTR)->about, 2);
	assert_string_equal(found(&after, DOCTOR_NAME_MISMATCH)->detail, "10.0.0.9");
	for (uint32_t i = 1; i < after.count; i++)
		assert_true(after.list[i - 1].severity >= after.list[i].severity);
}

static void of_many_with_our_host_name_one_is_named(void **state)
{
	struct patient p = healthy(5);
	for (uint32_t i = 1; i < 5; i++)
		strcpy(members[i].uname, "host0");
	doctor_examine(&p, SECOND, &after);
	assert_int_equal(after.count, 1);
	assert_int_equal(found(&after, DOCTOR_NAME_TWICE)->about, 2);
}

static void every_code_has_a_sentence_and_a_command_without_open_blanks(void **state)
{
	char text[512];
	for (uint32_t i = 0; code_at(i) != NULL; i++) {
		const struct code_info *info = code_at(i);
		struct finding f = {info->number, info->severity, 2, {3 * SECOND, 4, 5}, 0, "detail"};
		assert_ptr_equal(code_info(info->number), info);
		assert_ptr_equal(code_named(info->name), info);
		assert_true(strlen(info->why) > 0);
		finding_sentence(&f, "n1", "n2", text, sizeof text);
		assert_null(strchr(text, '{'));
		finding_command(&f, "n1", "n2", text, sizeof text);
		assert_null(strchr(text, '{'));
		assert_true(strlen(text) > 0);
	}
}

static void a_sentence_is_cut_and_never_overruns(void **state)
{
	struct finding f = {DOCTOR_NAME_TWICE, SEVERITY_ERROR, 2, {0}, 0, "detail"};
	for (size_t size = 1; size < 80; size++) {
		char text[80];
		memset(text, 'z', sizeof text);
		finding_sentence(&f, "n1", "n2", text, size);
		assert_true(strlen(text) < size);
		assert_true(size == sizeof text || text[size] == 'z');
	}
}

/* ---- Marzullo ---- */

static void the_meeting_is_where_most_intervals_meet(void **state)
{
	const struct interval i[] = {{8, 12}, {11, 13}, {14, 15}};
	struct edge scratch[6];
	struct meeting m = marzullo(i, 3, scratch);
	assert_int_equal(m.count, 2);
	assert_true(m.majority);
	assert_int_equal(m.where.from, 11);
	assert_int_equal(m.where.to, 12);
	assert_int_equal(interval_misses(&i[2], &m), 2);
	assert_int_equal(interval_misses(&i[0], &m), 0);
}

static void without_a_majority_there_is_none(void **state)
{
	const struct interval i[] = {{0, 1}, {10, 11}, {20, 21}, {20, 30}};
	struct edge scratch[8];
	struct meeting m = marzullo(i, 4, scratch);
	assert_int_equal(m.count, 2);
	assert_false(m.majority);
}

/* Truth is 0: the honest hold it in their intervals, liars do not; the honest are more than half. */
static void the_accused_are_the_guilty(void **state)
{
	struct edge scratch[64];
	srand(1);
	for (int round = 0; round < 20000; round++) {
		struct interval i[32];
		uint32_t liars = (uint32_t)rand() % 10, count = 2 * liars + 1 + (uint32_t)rand() % 10;
		for (uint32_t k = 0; k < count; k++) {
			duration error = rand() % 100, middle = rand() % (2 * (int)error + 1) - error;
			if (k < liars)
				middle = error + 1000 + rand() % 1000;
			i[k] = (struct interval){middle - error, middle + error};
		}
		struct meeting m = marzullo(i, count, scratch);
		assert_true(m.majority);
		for (uint32_t k = 0; k < count; k++) {
			bool accused = interval_misses(&i[k], &m) >= 500;
			assert_int_equal(accused, k < liars);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_healthy_swarm_has_nothing),
		cmocka_unit_test(the_one_whose_clock_is_off_is_named_also_if_it_is_us),
		cmocka_unit_test(nothing_is_found_inside_the_error_of_the_measurement),
		cmocka_unit_test(of_two_clocks_the_kept_one_is_believed),
		cmocka_unit_test(a_finding_stays_until_it_is_below_half_of_its_threshold),
		cmocka_unit_test(a_lost_quorum_a_lost_voter_and_two_voters_are_told_apart),
		cmocka_unit_test(a_link_that_loses_thrice_in_a_row_has_its_finding_and_not_before),
		cmocka_unit_test(a_link_of_one_direction_is_found_once_whoever_tells_of_it),
		cmocka_unit_test(what_is_unknown_is_said_to_be_unknown_and_nothing_more),
		cmocka_unit_test(disks_names_and_name_servers_have_their_findings),
		cmocka_unit_test(of_many_with_our_host_name_one_is_named),
		cmocka_unit_test(every_code_has_a_sentence_and_a_command_without_open_blanks),
		cmocka_unit_test(a_sentence_is_cut_and_never_overruns),
		cmocka_unit_test(the_meeting_is_where_most_intervals_meet),
		cmocka_unit_test(without_a_majority_there_is_none),
		cmocka_unit_test(the_accused_are_the_guilty),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
