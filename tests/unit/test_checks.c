/*
 * Each checker of the simulator is shown a history that is in order, and every kind of history
 * that it must catch: a checker that cannot object proves nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "converge.h"
#include "epochs.h"
#include "failover.h"
#include "overlap.h"
#include "prefix.h"
#include "removed.h"
#include "writes.h"

/* ---- overlap ---- */

static void one_owner_after_another_is_fine(void **state)
{
	struct overlap o = {0};
	struct violations v = {0};
	assert_true(overlap_report(&o, &v, 1, 0, true, 1));
	assert_false(overlap_report(&o, &v, 2, 0, true, 1));
	overlap_report(&o, &v, 3, 0, false, 0);
	assert_true(overlap_report(&o, &v, 3, 1, true, 2));
	assert_int_equal(v.count, 0);
}

static void two_owners_at_one_instant_are_caught(void **state)
{
	struct overlap o = {0};
	struct violations v = {0};
	overlap_report(&o, &v, 1, 0, true, 1);
	overlap_report(&o, &v, 2, 1, true, 2);
	assert_int_equal(v.count, 1);
	assert_string_equal(v.list[0].check, "overlap");
	assert_int_equal(v.list[0].at, 2);
}

static void two_owners_of_one_epoch_are_caught(void **state)
{
	struct overlap o = {0};
	struct violations v = {0};
	overlap_report(&o, &v, 1, 0, true, 1);
	overlap_report(&o, &v, 2, 1, true, 1);
	assert_int_equal(v.count, 1);
}

/* ---- epochs ---- */

static void epochs_may_skip_but_not_repeat(void **state)
{
	struct epochs e = {0};
	struct violations v = {0};
	assert_true(epochs_report(&e, &v, 1, 0, 1, 1));
	assert_false(epochs_report(&e, &v, 2, 0, 1, 1));
	assert_true(epochs_report(&e, &v, 3, 1, 1, 5));
	assert_int_equal(v.count, 0);
	assert_int_equal(e.masters, 2);
}

static void an_epoch_held_by_another_node_is_caught(void **state)
{
	struct epochs e = {0};
	struct violations v = {0};
	epochs_report(&e, &v, 1, 0, 1, 3);
	epochs_report(&e, &v, 2, 1, 1, 3);
	assert_int_equal(v.count, 1);
}

static void an_epoch_held_by_an_earlier_process_is_caught(void **state)
{
	struct epochs e = {0};
	struct violations v = {0};
	epochs_report(&e, &v, 1, 0, 1, 3);
	epochs_report(&e, &v, 2, 0, 2, 3);
	assert_int_equal(v.count, 1);
}

static void an_epoch_going_back_is_caught(void **state)
{
	struct epochs e = {0};
	struct violations v = {0};
	epochs_report(&e, &v, 1, 0, 1, 3);
	epochs_report(&e, &v, 2, 1, 1, 2);
	assert_int_equal(v.count, 1);
}

/* ---- prefix ---- */

static void equal_commands_at_an_index_are_fine(void **state)
{
	struct prefix p = {0};
	struct violations v = {0};
	prefix_report(&p, &v, 1, 0, 1, 111);
	prefix_report(&p, &v, 2, 1, 1, 111);
	prefix_report(&p, &v, 3, 1, 5000, 7);
	assert_int_equal(v.count, 0);
	prefix_finish(&p);
}

static void another_command_at_an_index_is_caught(void **state)
{
	struct prefix p = {0};
	struct violations v = {0};
	prefix_report(&p, &v, 1, 0, 5000, 111);
	prefix_report(&p, &v, 2, 1, 5000, 113);
	assert_int_equal(v.count, 1);
	prefix_finish(&p);
}

/* ---- writes ---- */

static void concurrent_operations_may_end_in_any_order(void **state)
{
	struct writes w = {.highest_value = 100};
	struct violations v = {0};
	uint64_t a = writes_begin(&w, 0), b = writes_begin(&w, 0), c = writes_begin(&w, 0);
	writes_put(&w, &v, 1, 0, a, 2, 20);
	writes_put(&w, &v, 2, 0, b, 1, 10);
	writes_get(&w, &v, 3, 0, c, true, 1, 10);
	assert_int_equal(v.count, 0);
	writes_finish(&w);
}

static void a_lost_write_is_caught(void **state)
{
	struct writes w = {.highest_value = 100};
	struct violations v = {0};
	writes_put(&w, &v, 1, 0, writes_begin(&w, 0), 1, 10);
	writes_get(&w, &v, 2, 0, writes_begin(&w, 0), false, 0, 0);
	assert_int_equal(v.count, 1);
	writes_finish(&w);
}

static void a_stale_read_is_caught(void **state)
{
	struct writes w = {.highest_value = 100};
	struct violations v = {0};
	writes_put(&w, &v, 1, 0, writes_begin(&w, 0), 1, 10);
	writes_put(&w, &v, 2, 0, writes_begin(&w, 0), 2, 20);
	writes_get(&w, &v, 3, 0, writes_begin(&w, 0), true, 1, 10);
	assert_int_equal(v.count, 1);
	writes_finish(&w);
}

static void a_read_older_than_an_earlier_read_is_caught(void **state)
{
	struct writes w = {.highest_value = 100};
	struct violations v = {0};
	writes_get(&w, &v, 1, 0, writes_begin(&w, 0), true, 2, 20);
	writes_get(&w, &v, 2, 0, writes_begin(&w, 0), true, 1, 10);
	assert_int_equal(v.count, 1);
	writes_finish(&w);
}

static void a_version_given_twice_is_caught(void **state)
{
	struct writes w = {.highest_value = 100};
	struct violations v = {0};
	uint64_t a = writes_begin(&w, 0), b = writes_begin(&w, 0);
	writes_put(&w, &v, 1, 0, a, 1, 10);
	writes_put(&w, &v, 2, 0, b, 1, 20);
	assert_int_equal(v.count, 1);
	writes_finish(&w);
}

static void a_put_ordered_before_an_earlier_one_is_caught(void **state)
{
	struct writes w = {.highest_value = 100};
	struct violations v = {0};
	writes_put(&w, &v, 1, 0, writes_begin(&w, 0), 5, 10);
	writes_put(&w, &v, 2, 0, writes_begin(&w, 0), 3, 20);
	assert_int_equal(v.count, 1);
	writes_finish(&w);
}

static void a_value_nobody_wrote_is_caught(void **state)
{
	struct writes w = {.highest_value = 100};
	struct violations v = {0};
	writes_get(&w, &v, 1, 0, writes_begin(&w, 0), true, 1, 101);
	assert_int_equal(v.count, 1);
	writes_finish(&w);
}

static void a_counter_may_hold_raises_of_unknown_outcome(void **state)
{
	struct writes w = {0};
	struct violations v = {0};
	writes_raised(&w, 3, true);
	writes_raised(&w, 3, true);
	writes_raised(&w, 3, false);
	writes_final_counter(&w, &v, 1, 3, 2);
	writes_final_counter(&w, &v, 1, 3, 3);
	assert_int_equal(v.count, 0);
}

static void a_counter_that_lost_a_raise_is_caught(void **state)
{
	struct writes w = {0};
	struct violations v = {0};
	writes_raised(&w, 3, true);
	writes_raised(&w, 3, true);
	writes_final_counter(&w, &v, 1, 3, 1);
	assert_int_equal(v.count, 1);
}

static void a_counter_raised_twice_for_one_request_is_caught(void **state)
{
	struct writes w = {0};
	struct violations v = {0};
	writes_raised(&w, 3, true);
	writes_final_counter(&w, &v, 1, 3, 2);
	assert_int_equal(v.count, 1);
}

/* ---- converge ---- */

static void agreeing(struct converge_view views[3])
{
	for (uint32_t i = 0; i < 3; i++)
		views[i] = (struct converge_view){.node = i,
		                                  .runs = true,
		                                  .self = i + 1,
		                                  .master = 2,
		                                  .self_master = i == 1,
		                                  .epoch = 4,
		                                  .commit = 9,
		                                  .members = 3,
		                                  .reachable = 3};
}

static bool agree(const struct converge_view views[3])
{
	char why[160];
	return converge_agree(views, 3, why, sizeof(why));
}

static void each_kind_of_disagreement_is_seen(void **state)
{
	struct converge_view views[3];
	agreeing(views);
	assert_true(agree(views));
	views[2].master = 1;
	assert_false(agree(views));
	agreeing(views);
	views[2].epoch = 5;
	assert_false(agree(views));
	agreeing(views);
	views[2].commit = 8;
	assert_false(agree(views));
	agreeing(views);
	views[2].reachable = 2;
	assert_false(agree(views));
	agreeing(views);
	views[1].self_master = false;
	assert_false(agree(views));
	agreeing(views);
	for (int i = 0; i < 3; i++)
		views[i].master = 0;
	assert_false(agree(views));
}

static void a_node_that_does_not_run_need_not_agree(void **state)
{
	struct converge_view views[3];
	agreeing(views);
	views[2] = (struct converge_view){.node = 2};
	assert_true(agree(views));
}

static void disagreement_is_caught_only_after_the_bound(void **state)
{
	struct converge c = {.healed_at = 10 * SECOND, .agreed_at = NEVER};
	struct violations v = {0};
	struct converge_view views[3];
	agreeing(views);
	views[0].commit = 1;
	converge_report(&c, &v, 10 * SECOND + CONVERGE_BOUND, views, 3);
	assert_int_equal(v.count, 0);
	converge_report(&c, &v, 11 * SECOND + CONVERGE_BOUND, views, 3);
	assert_int_equal(v.count, 1);
}

static void falling_apart_again_is_caught(void **state)
{
	struct converge c = {.healed_at = 0, .agreed_at = NEVER};
	struct violations v = {0};
	struct converge_view views[3];
	agreeing(views);
	converge_report(&c, &v, SECOND, views, 3);
	views[0].reachable = 1;
	converge_report(&c, &v, 2 * CONVERGE_BOUND, views, 3);
	assert_int_equal(v.count, 1);
}

/* ---- removed ---- */

static void a_removed_member_that_returns_is_caught(void **state)
{
	struct removed r;
	struct violations v = {0};
	removed_init(&r, 3);
	removed_report(&r, &v, 1, 0, 10, 2, false);
	removed_report(&r, &v, 2, 0, 11, 2, true);
	removed_report(&r, &v, 3, 0, 12, 2, true);
	assert_int_equal(v.count, 0);
	removed_report(&r, &v, 4, 0, 12, 2, false);
	assert_int_equal(v.count, 1);
	removed_finish(&r);
}

static void a_restarted_node_that_is_behind_may_not_know_yet(void **state)
{
	struct removed r;
	struct violations v = {0};
	removed_init(&r, 3);
	removed_report(&r, &v, 2, 0, 11, 2, true);
	removed_report(&r, &v, 3, 0, 9, 2, false);
	assert_int_equal(v.count, 0);
	removed_report(&r, &v, 4, 0, 11, 2, false);
	assert_int_equal(v.count, 1);
	removed_finish(&r);
}

/* ---- failover ---- */

static void a_fail_over_lasts_from_the_loss_to_another_master(void **state)
{
	struct failover f = {.lost_at = NEVER};
	failover_acts(&f, 1, 0);
	assert_int_equal(f.count, 0);
	failover_lost(&f, 10, 0);
	failover_acts(&f, 25, 1);
	assert_int_equal(f.count, 1);
	assert_int_equal(f.list[0], 15);
	failover_lost(&f, 30, 1);
	failover_acts(&f, 40, 1);
	assert_int_equal(f.count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_owner_after_another_is_fine),
		cmocka_unit_test(two_owners_at_one_instant_are_caught),
		cmocka_unit_test(two_owners_of_one_epoch_are_caught),
		cmocka_unit_test(epochs_may_skip_but_not_repeat),
		cmocka_unit_test(an_epoch_held_by_another_node_is_caught),
		cmocka_unit_test(an_epoch_held_by_an_earlier_process_is_caught),
		cmocka_unit_test(an_epoch_going_back_is_caught),
		cmocka_unit_test(equal_commands_at_an_index_are_fine),
		cmocka_unit_test(another_command_at_an_index_is_caught),
		cmocka_unit_test(concurrent_operations_may_end_in_any_order),
		cmocka_unit_test(a_lost_write_is_caught),
		cmocka_unit_test(a_stale_read_is_caught),
		cmocka_unit_test(a_read_older_than_an_earlier_read_is_caught),
		cmocka_unit_test(a_version_given_twice_is_caught),
		cmocka_unit_test(a_put_ordered_before_an_earlier_one_is_caught),
		cmocka_unit_test(a_value_nobody_wrote_is_caught),
		cmocka_unit_test(a_counter_may_hold_raises_of_unknown_outcome),
		cmocka_unit_test(a_counter_that_lost_a_raise_is_caught),
		cmocka_unit_test(a_counter_raised_twice_for_one_request_is_caught),
		cmocka_unit_test(each_kind_of_disagreement_is_seen),
		cmocka_unit_test(a_node_that_does_not_run_need_not_agree),
		cmocka_unit_test(disagreement_is_caught_only_after_the_bound),
		cmocka_unit_test(falling_apart_again_is_caught),
		cmocka_unit_test(a_removed_member_that_returns_is_caught),
		cmocka_unit_test(a_restarted_node_that_is_behind_may_not_know_yet),
		cmocka_unit_test(a_fail_over_lasts_from_the_loss_to_another_master),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
