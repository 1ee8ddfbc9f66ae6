/* `doctor auth`: what was heard at a member's door, judged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "doctor_auth.h"

/* A blank node with a good token before the door of n1. */
static struct auth_evidence well(void)
{
	struct auth_evidence e = {.address = "192.0.2.1:7800", .reach = REACH_OPEN,
		.udp = UDP_ANSWERED, .segment = 1448, .has_token = true, .door = DOOR_ANSWERED,
		.wire_min = 1, .wire_max = 2, .name = "n3", .peer = "n1", .master = "n1",
		.offset_known = true, .error = MILLISECOND, .now_wall = 1000 * SECOND,
		.ours = {true, true, true, false, 3}, .theirs = {true, true, true, false, 3}};
	e.answer = (struct inquired){.wire_min = 1, .wire_max = 2, .level = 2,
		.token = INQUIRED_TOKEN_VALID, .expires_wall = 2000 * SECOND, .uses_left = 1,
		.key = INQUIRED_KEY_NEW, .voters_total = 3, .voters_reachable = 3, .voters_needed = 2,
		.received_wall = 1000 * SECOND, .sent_wall = 1000 * SECOND};
	return e;
}

static const struct auth_check *judged(const struct auth_evidence *e, const char *check)
{
	static struct auth_report report;
	doctor_auth(e, &report);
	for (uint32_t i = 0; i < report.count; i++) {
		if (strcmp(report.list[i].check, check) == 0)
			return &report.list[i];
	}
	fail_msg("no point '%s'", check);
	return NULL;
}

static void is_wrong(const struct auth_evidence *e, const char *check, const char *says,
                     const char *command)
{
	const struct auth_check *c = judged(e, check);
	assert_int_equal(c->state, AUTH_WRONG);
	assert_non_null(strstr(c->what, says));
	assert_non_null(strstr(c->command, command));
}

static void what_is_well_needs_no_command(void **state)
{
	struct auth_evidence e = well();
	struct auth_report report;
	doctor_auth(&e, &report);
	assert_int_equal(report.count, AUTH_CHECKS);
	for (uint32_t i = 0; i < report.count; i++) {
		assert_int_equal(report.list[i].state, AUTH_OK);
		assert_string_equal(report.list[i].command, "");
	}
	assert_string_equal(report.verdict, "nothing is wrong");
}

static void what_was_not_heard_is_unknown(void **state)
{
	struct auth_evidence e = {.address = "192.0.2.1:7800", .reach = REACH_REFUSED, .has_token = true,
		.name = "n3", .peer = "", .master = ""};
	struct auth_report report;
	doctor_auth(&e, &report);
	for (uint32_t i = 0; i < report.count; i++)
		assert_int_equal(report.list[i].state, i == 0 ? AUTH_WRONG : AUTH_UNKNOWN);
	assert_non_null(strstr(report.verdict, "refuses TCP"));
}

static void an_older_release_is_not_taken_for_a_wrong_token(void **state)
{
	struct auth_evidence e = well();
	e.door = DOOR_PROVEN;
	assert_int_equal(judged(&e, "token")->state, AUTH_UNKNOWN);
	assert_non_null(strstr(judged(&e, "versions")->what, "older release"));
	e.door = DOOR_SHUT;
	is_wrong(&e, "token", "without a word", "essaim token create");
}

static void a_difference_within_its_bound_is_none(void **state)
{
	struct auth_evidence e = well();
	e.offset = 3 * SECOND;
	e.error = 2 * SECOND;
	assert_int_equal(judged(&e, "clock")->state, AUTH_OK);
	e.error = MILLISECOND;
	e.ours.synchronised = false;
	is_wrong(&e, "clock", "ahead", "# here");
	e.ours.synchronised = true;
	is_wrong(&e, "clock", "ahead", "# look at both");
	e.theirs.synchronised = false;
	is_wrong(&e, "clock", "ahead", "# there");
}

static void it_clears_by_itself_only_if_the_voters_are_there(void **state)
{
	struct auth_evidence e = well();
	e.master = "";
	assert_null(strstr(judged(&e, "master")->what, "clears by itself"));
	e.answer.quarantine_left = 3 * SECOND;
	is_wrong(&e, "master", "clears by itself in 3 s", "again");
	e.answer.voters_reachable = 1;
	is_wrong(&e, "master", "1 of 3", "essaim cluster show");
	assert_null(strstr(judged(&e, "master")->what, "clears by itself"));
}

static void each_cause_names_the_command_that_mends_it(void **state)
{
	struct auth_evidence e = well();
	e.answer.level = 3;
	is_wrong(&e, "versions", "agreed on 3", "# there");
	e.answer.wire_max = 3;
	is_wrong(&e, "versions", "agreed on 3", "# here");
	e = well();
	e.role_given = true;
	e.role = ROLE_WITNESS;
	is_wrong(&e, "token", "admits a node", "--witness");
	e = well();
	e.segment = 900;
	is_wrong(&e, "packet", "1232", "ping -M do");
	e = well();
	e.theirs.dns_dead = true;
	is_wrong(&e, "dns", "does not answer", "# there");
	e = well();
	e.ours.synchronised = false;
	is_wrong(&e, "ntp", "kept by nobody", "# here");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_well_needs_no_command),
		cmocka_unit_test(what_was_not_heard_is_unknown),
		cmocka_unit_test(an_older_release_is_not_taken_for_a_wrong_token),
		cmocka_unit_test(a_difference_within_its_bound_is_none),
		cmocka_unit_test(it_clears_by_itself_only_if_the_voters_are_there),
		cmocka_unit_test(each_cause_names_the_command_that_mends_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
