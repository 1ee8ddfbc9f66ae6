/* Majorities, enumerated exhaustively: every set of voters up to seven, every pair of majorities. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "quorum.h"

static void a_majority_is_more_than_half(void **state)
{
	for (uint32_t n = 1; n <= VOTERS_MAX; n++) {
		assert_true(2 * quorum_needed(n) > n);
		assert_true(2 * (quorum_needed(n) - 1) <= n);
	}
}

static void any_two_majorities_share_a_voter(void **state)
{
	for (uint32_t n = 1; n <= VOTERS_MAX; n++) {
		for (uint32_t a = 0; a < 1u << n; a++) {
			for (uint32_t b = 0; b < 1u << n; b++) {
				if (quorum_reached(a, n) && quorum_reached(b, n))
					assert_true((a & b) != 0);
			}
		}
	}
}

/* R4: sets that differ by one voter. */
static void majorities_of_neighbouring_configs_share_a_voter(void **state)
{
	for (uint32_t n = 1; n < VOTERS_MAX; n++) {
		for (uint32_t a = 0; a < 1u << n; a++) {
			for (uint32_t b = 0; b < 1u << (n + 1); b++) {
				if (quorum_reached(a, n) && quorum_reached(b, n + 1))
					assert_true((a & b) != 0);
			}
		}
	}
}

static void nobody_is_no_majority(void **state)
{
	assert_false(quorum_reached(0, 0));
	for (uint32_t n = 1; n <= VOTERS_MAX; n++)
		assert_false(quorum_reached(0, n));
}

/* The slow definition: the largest index for which the voters at or above it are a majority. */
static uint64_t slow_index(const uint64_t *match, uint32_t count)
{
	for (uint64_t index = 3; index > 0; index--) {
		uint32_t mask = 0;
		for (uint32_t i = 0; i < count; i++)
			mask |= (match[i] >= index ? 1u : 0u) << i;
		if (quorum_reached(mask, count))
			return index;
	}
	return 0;
}

static void an_index_is_covered_by_a_majority_and_the_next_is_not(void **state)
{
	for (uint32_t n = 1; n <= VOTERS_MAX; n++) {
		for (uint32_t code = 0; code < 1u << (2 * n); code++) {
			uint64_t match[VOTERS_MAX];
			for (uint32_t i = 0; i < n; i++)
				match[i] = code >> (2 * i) & 3;
			assert_int_equal(quorum_index(match, n), slow_index(match, n));
		}
	}
	assert_int_equal(quorum_index(NULL, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_majority_is_more_than_half),
		cmocka_unit_test(any_two_majorities_share_a_voter),
		cmocka_unit_test(majorities_of_neighbouring_configs_share_a_voter),
		cmocka_unit_test(nobody_is_no_majority),
		cmocka_unit_test(an_index_is_covered_by_a_majority_and_the_next_is_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
