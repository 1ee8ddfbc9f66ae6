/* Which names are near: every edit counts one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "near_names.h"

static void an_insertion_a_deletion_and_a_wrong_letter_count_one(void **state)
{
	assert_int_equal(name_distance("n2", "n2"), 0);
	assert_int_equal(name_distance("n22", "n2"), 1);
	assert_int_equal(name_distance("n2", "n22"), 1);
	assert_int_equal(name_distance("n3", "n2"), 1);
	assert_int_equal(name_distance("kitten", "sitting"), 3);
	assert_int_equal(name_distance("", "abc"), 3);
	assert_int_equal(name_distance("abc", ""), 3);
}

static void it_is_the_same_in_both_directions(void **state)
{
	static const char *const names[] = {"", "a", "node-1", "node-12", "edge.example", "egde.example"};
	for (int i = 0; i < 6; i++) {
		for (int k = 0; k < 6; k++)
			assert_int_equal(name_distance(names[i], names[k]),
			                 name_distance(names[k], names[i]));
	}
}

static void names_of_any_length_are_measured(void **state)
{
	char longest[NAME_MAX_SIZE + 1] = {0}, other[NAME_MAX_SIZE + 1] = {0}, beyond[4096] = {0};
	memset(longest, 'a', NAME_MAX_SIZE);
	memset(other, 'b', NAME_MAX_SIZE);
	memset(beyond, 'a', sizeof beyond - 1);
	assert_int_equal(name_distance(longest, other), NAME_MAX_SIZE);
	assert_int_equal(name_distance(beyond, longest), sizeof beyond - 1 - NAME_MAX_SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_insertion_a_deletion_and_a_wrong_letter_count_one),
		cmocka_unit_test(it_is_the_same_in_both_directions),
		cmocka_unit_test(names_of_any_length_are_measured),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
