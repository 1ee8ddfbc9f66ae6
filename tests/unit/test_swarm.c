#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "seal.h"
#include "swarm_report.h"

static struct swarm_result result_of(uint32_t nodes, uint64_t seed, bool facts_off)
{
	struct swarm_settings settings = {
	    .nodes = nodes, .length = 60 * SECOND, .seed = seed, .facts_off = facts_off};
	struct swarm_result result;
	swarm_run(&settings, &result);
	return result;
}

static void a_hundred_find_each_other_and_learn_of_every_death_and_of_no_other(void **state)
{
	for (uint64_t seed = 1; seed <= 3; seed++) {
		struct swarm_result r = result_of(100, seed, false);
		assert_true(swarm_good(&r));
		assert_int_equal(r.false_verdicts, 0);
		assert_true(r.agreed <= 6 * SECOND);
		assert_true(r.facts_agreed <= 6 * SECOND);
		assert_true(r.crash_known <= 3 * SECOND);
		assert_true(r.many_known <= 8 * SECOND);
	}
}

static void a_quiet_swarm_costs_each_the_same_whatever_its_size(void **state)
{
	struct swarm_result few = result_of(60, 1, true), many = result_of(240, 1, true);
	uint64_t few_rate = few.quiet.bytes * 1000 / 60 / (uint64_t)(few.quiet.length / MILLISECOND);
	uint64_t many_rate =
	    many.quiet.bytes * 1000 / 240 / (uint64_t)(many.quiet.length / MILLISECOND);
	assert_in_range(many_rate, few_rate * 9 / 10, few_rate * 11 / 10);
}

static void a_seed_gives_the_same_run(void **state)
{
	struct swarm_result a = result_of(60, 7, false), b = result_of(60, 7, false);
	assert_int_equal(a.steps, b.steps);
	assert_memory_equal(&a.bootstrap, &b.bootstrap, sizeof a.bootstrap);
	assert_memory_equal(&a.many, &b.many, sizeof a.many);
	assert_int_equal(a.many_known, b.many_known);
	struct swarm_result other = result_of(60, 8, false);
	assert_int_not_equal(a.steps, other.steps);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_hundred_find_each_other_and_learn_of_every_death_and_of_no_other),
	    cmocka_unit_test(a_quiet_swarm_costs_each_the_same_whatever_its_size),
	    cmocka_unit_test(a_seed_gives_the_same_run),
	};
	if (seal_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
