/* What a cluster agrees on: the table, and the way of a profile from one set of times to another.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core.h"
#include "setting.h"
#include "text.h"

/* ---- the table ---- */

static void every_name_is_found_and_its_standard_value_is_legal(void **state)
{
	(void)state;
	for (int i = 0; i < SETTINGS; i++) {
		const struct setting_info *info = setting_info((enum setting)i);
		enum setting found;
		assert_true(strlen(info->name) <= SETTING_NAME_MAX);
		assert_int_equal(setting_find(text_bytes(info->name), &found, NULL), 0);
		assert_int_equal(found, i);
		if (info->standard[0] != '\0')
			assert_int_equal(setting_check(found, text_bytes(info->standard), NULL), 0);
	}
}

static void an_unknown_name_is_refused_with_the_list(void **state)
{
	struct error error;
	enum setting found;
	(void)state;
	assert_int_equal(setting_find(text_bytes("voter"), &found, &error), -ENOENT);
	assert_non_null(strstr(error.text, "'voter'"));
	for (int i = 0; i < SETTINGS; i++)
		assert_non_null(strstr(error.text, setting_info((enum setting)i)->name));
}

static int check(const char *name, const char *value)
{
	enum setting setting;
	assert_int_equal(setting_find(text_bytes(name), &setting, NULL), 0);
	return setting_check(setting, text_bytes(value), NULL);
}

static void what_is_illegal_is_refused(void **state)
{
	static const char *const bad[][2] = {
	    {"voters", "4"},
	    {"voters", ""},
	    {"voters", "Auto"},
	    {"voters", "9"},
	    {"voter-patience", "999ms"},
	    {"voter-patience", "8d"},
	    {"voter-patience", "5"},
	    {"voter-patience", "-5m"},
	    {"voter-patience", "99999999999999999999999999999999h"},
	    {"profile", "wan"},
	    {"clock-info", "0s"},
	    {"clock-error", "2h"},
	};
	static const char *const good[][2] = {
	    {"voters", "auto"},       {"voters", "7"},       {"voter-patience", "1s"},
	    {"voter-patience", "7d"}, {"profile", "lan"},    {"profile", "default"},
	    {"clock-info", "1ms"},    {"clock-error", "1h"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(check(bad[i][0], bad[i][1]), -EINVAL);
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		assert_int_equal(check(good[i][0], good[i][1]), 0);
}

static void a_refusal_says_what_is_legal(void **state)
{
	struct error error;
	(void)state;
	assert_int_equal(setting_check(SETTING_VOTERS, text_bytes("4"), &error), -EINVAL);
	assert_non_null(strstr(error.text, "auto, 3, 5 or 7"));
}

static void a_value_with_a_nul_in_it_is_no_duration(void **state)
{
	(void)state;
	struct bytes value = {(const uint8_t *)"5m\0x", 4};
	assert_int_equal(setting_check(SETTING_VOTER_PATIENCE, value, NULL), -EINVAL);
}

/* ---- the times of the lease ---- */

#define STEPS_MAX 16

/* Nobody may act longer than others exclude: D_A and D_Q cover D_P of the config and of the next.
 */
static void covered(const struct config *c, duration lease)
{
	assert_true(c->exclusion > lease);
	assert_true(c->quarantine > lease);
}

static void walk(struct config c, enum profile to)
{
	struct config next, goal = c;
	bool waits;
	config_times(&goal, to);
	for (int i = 0; terms_next(&c, to, &next, &waits); i++) {
		assert_true(i < STEPS_MAX);
		assert_int_equal(next.version, c.version + 1);
		assert_int_equal(next.voter_count, c.voter_count);
		covered(&next, next.lease);
		covered(&c, next.lease); /* a voter that has not heard of it yet */
		if (next.exclusion < c.exclusion || next.quarantine < c.quarantine) {
			assert_true(waits);
			assert_int_equal(next.lease, c.lease);
		} else {
			assert_false(waits);
			covered(&next, c.lease); /* an owner that has not */
		}
		c = next;
	}
	assert_int_equal(c.profile, to);
	assert_int_equal(c.lease, goal.lease);
	assert_int_equal(c.exclusion, goal.exclusion);
	assert_int_equal(c.quarantine, goal.quarantine);
}

static struct config config_of(enum profile profile)
{
	struct config c = {.version = 3, .voter_count = 3};
	config_times(&c, profile);
	return c;
}

static void each_step_of_a_profile_covers_the_lease_before_and_after(void **state)
{
	(void)state;
	walk(config_of(PROFILE_DEFAULT), PROFILE_LAN);
	walk(config_of(PROFILE_LAN), PROFILE_DEFAULT);
}

static void a_change_of_mind_in_the_middle_is_safe_too(void **state)
{
	(void)state;
	for (int from = 0; from < 2; from++) {
		struct config c = config_of((enum profile)from), next;
		bool waits;
		while (terms_next(&c, (enum profile) !from, &next, &waits)) {
			c = next;
			walk(c, (enum profile)from);
			walk(c, (enum profile) !from);
		}
	}
}

static void raising_begins_with_exclusion_lowering_with_the_lease(void **state)
{
	struct config c = config_of(PROFILE_LAN), next;
	bool waits;
	(void)state;
	assert_true(terms_next(&c, PROFILE_DEFAULT, &next, &waits));
	assert_int_equal(next.lease, c.lease);
	assert_true(next.exclusion > c.exclusion && next.quarantine > c.quarantine);
	c = config_of(PROFILE_DEFAULT);
	assert_true(terms_next(&c, PROFILE_LAN, &next, &waits));
	assert_true(next.lease < c.lease);
	assert_int_equal(next.exclusion, c.exclusion);
	assert_int_equal(next.profile, PROFILE_DEFAULT); /* not there yet */
}

static void a_config_that_is_there_takes_no_step(void **state)
{
	struct config c = config_of(PROFILE_LAN), next;
	bool waits;
	(void)state;
	assert_false(terms_next(&c, PROFILE_LAN, &next, &waits));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_name_is_found_and_its_standard_value_is_legal),
	    cmocka_unit_test(an_unknown_name_is_refused_with_the_list),
	    cmocka_unit_test(what_is_illegal_is_refused),
	    cmocka_unit_test(a_refusal_says_what_is_legal),
	    cmocka_unit_test(a_value_with_a_nul_in_it_is_no_duration),
	    cmocka_unit_test(each_step_of_a_profile_covers_the_lease_before_and_after),
	    cmocka_unit_test(a_change_of_mind_in_the_middle_is_safe_too),
	    cmocka_unit_test(raising_begins_with_exclusion_lowering_with_the_lease),
	    cmocka_unit_test(a_config_that_is_there_takes_no_step),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
