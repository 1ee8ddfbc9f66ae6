/*
 * Each checker of the simulator is shown a history that is in order, and every kind of history
 * that it must catch: a checker that cannot object proves nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "budget.h"
#include "clocks.h"
#include "converge.h"
#include "epochs.h"
#include "fact_contents.h"
#include "failover.h"
#include "linear.h"
#include "overlap.h"
#include "prefix.h"
#include "quorums.h"
#include "removed.h"
#include "sometimes.h"
#include "strangers.h"
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
		                                  .floor = 9,
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
	views[2].generation = 2;
	assert_false(agree(views));
	agreeing(views);
	views[2].level = 1;
	assert_false(agree(views));
	agreeing(views);
	views[2].rows = 77;
	assert_false(agree(views));
	views[2].commit = 10; /* it is ahead: other rows are no wonder */
	assert_true(agree(views));
	agreeing(views);
	views[2].settings = 77;
	assert_false(agree(views));
	agreeing(views);
	views[1].self_master = false;
	assert_false(agree(views));
	agreeing(views);
	for (int i = 0; i < 3; i++)
		views[i].master = 0;
	assert_false(agree(views));
}

static void who_lags_by_less_than_a_look_agrees(void **state)
{
	struct converge_view views[3];
	agreeing(views);
	views[1].commit = 12; /* committed since the last look, at 9 */
	assert_true(agree(views));
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

/* ---- strangers ---- */

static void what_is_of_another_cluster_is_caught(void **state)
{
	struct violations v = {0};
	strangers_report(&v, 1, &(struct shown){"a member", 0, 1, 0, 0});
	assert_int_equal(v.count, 0);
	strangers_report(&v, 2, &(struct shown){"a fact", 0, 6, 0, 1});
	assert_int_equal(v.count, 1);
	assert_string_equal(v.list[0].check, "strangers");
	strangers_report(&v, 3, &(struct shown){"a master", 6, 0, 1, 0});
	assert_int_equal(v.count, 2);
}

/* ---- a new generation ---- */

static void what_was_committed_below_the_cut_still_counts(void **state)
{
	struct prefix p = {0};
	struct violations v = {0};
	prefix_report(&p, &v, 1, 0, 5, 0x51);
	prefix_report(&p, &v, 1, 0, 6, 0x61);
	prefix_cut(&p, 5);
	prefix_report(&p, &v, 2, 1, 6, 0x77); /* only a dead one had the other */
	assert_int_equal(v.count, 0);
	prefix_report(&p, &v, 2, 1, 5, 0x77);
	assert_int_equal(v.count, 1);
	prefix_report(&p, &v, 3, 2, 6, 0x61);
	assert_int_equal(v.count, 2);
	prefix_finish(&p);
}

static void writes_count_anew_in_a_new_generation(void **state)
{
	struct writes w = {.highest_value = 9};
	struct violations v = {0};
	writes_put(&w, &v, 1, 0, writes_begin(&w, 0), 7, 1);
	writes_forget(&w);
	writes_put(&w, &v, 2, 0, writes_begin(&w, 0), 6, 2); /* version 7 died with its voters */
	assert_int_equal(v.count, 0);
	writes_get(&w, &v, 3, 0, writes_begin(&w, 0), true, 5, 1);
	assert_int_equal(v.count, 1);
	writes_finish(&w);
}

/* ---- removed ---- */

static void a_removed_member_that_returns_is_caught(void **state)
{
	struct removed r;
	struct violations v = {0};
	removed_init(&r, 3, 3);
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
	removed_init(&r, 3, 3);
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

static void a_fail_over_beyond_its_bound_is_caught(void **state)
{
	struct failover f = {.lost_at = 10, .judged_since = 10, .lost = 2};
	struct violations v = {0};
	failover_judge(&f, &v, 10 + SECOND, SECOND);
	assert_int_equal(v.count, 0);
	failover_judge(&f, &v, 11 + SECOND, SECOND);
	assert_int_equal(v.count, 1);
	failover_judge(&f, &v, 12 + SECOND, SECOND);
	assert_int_equal(v.count, 1);
}

/* ---- linear ---- */

#define UNKNOWN LINEAR_UNKNOWN
#define ANY LINEAR_ANY

static enum linear_verdict verdict_of(const struct operation *list, uint32_t count)
{
	struct history h = {0};
	uint32_t stuck;
	for (uint32_t i = 0; i < count; i++)
		history_add(&h, &list[i]);
	enum linear_verdict verdict = linear_check(&h, &stuck);
	history_finish(&h);
	return verdict;
}

/* {kind, begin, end, value, version, if_version} */
#define VERDICT(...)                                                                               \
	verdict_of((const struct operation[]){__VA_ARGS__},                                        \
	           sizeof((const struct operation[]){__VA_ARGS__}) / sizeof(struct operation))

static void puts_and_gets_in_some_order_are_linearizable(void **state)
{
	assert_int_equal(LINEAR_YES, VERDICT({LINEAR_GET, 1, 2, 0, 0, ANY},
	                                     {LINEAR_PUT, 3, 6, 70, 1, ANY},
	                                     {LINEAR_PUT, 4, 5, 80, 2, ANY},
	                                     {LINEAR_GET, 7, 8, 80, 2, ANY}));
	/* The get overlaps the put: either side of it is right. */
	assert_int_equal(LINEAR_YES, VERDICT({LINEAR_PUT, 1, 9, 70, 1, ANY},
	                                     {LINEAR_GET, 2, 3, 0, 0, ANY},
	                                     {LINEAR_GET, 4, 5, 70, 1, ANY}));
}

static void a_get_that_misses_an_ended_put_is_not_linearizable(void **state)
{
	assert_int_equal(LINEAR_NO, VERDICT({LINEAR_PUT, 1, 2, 70, 1, ANY},
	                                    {LINEAR_GET, 3, 4, 0, 0, ANY}));
	assert_int_equal(LINEAR_NO, VERDICT({LINEAR_PUT, 1, 2, 70, 1, ANY},
	                                    {LINEAR_PUT, 3, 4, 80, 2, ANY},
	                                    {LINEAR_GET, 5, 6, 70, 1, ANY}));
}

static void gets_that_see_a_write_come_and_go_are_not_linearizable(void **state)
{
	assert_int_equal(LINEAR_NO, VERDICT({LINEAR_PUT, 1, 9, 70, 1, ANY},
	                                    {LINEAR_GET, 2, 3, 70, 1, ANY},
	                                    {LINEAR_GET, 4, 5, 0, 0, ANY}));
}

static void an_unknown_put_may_be_applied_late_or_never(void **state)
{
	assert_int_equal(LINEAR_YES, VERDICT({LINEAR_PUT, 1, UNKNOWN, 70, 0, ANY},
	                                     {LINEAR_GET, 2, 3, 0, 0, ANY}));
	assert_int_equal(LINEAR_YES, VERDICT({LINEAR_PUT, 1, UNKNOWN, 70, 0, ANY},
	                                     {LINEAR_GET, 2, 3, 0, 0, ANY},
	                                     {LINEAR_PUT, 4, 5, 80, 3, ANY},
	                                     {LINEAR_GET, 6, 7, 70, 8, ANY}));
}

static void an_unknown_put_is_not_applied_before_it_began_nor_twice(void **state)
{
	assert_int_equal(LINEAR_NO, VERDICT({LINEAR_GET, 1, 2, 70, 1, ANY},
	                                    {LINEAR_PUT, 3, UNKNOWN, 70, 0, ANY}));
	assert_int_equal(LINEAR_NO, VERDICT({LINEAR_PUT, 1, UNKNOWN, 70, 0, ANY},
	                                    {LINEAR_GET, 2, 3, 70, 1, ANY},
	                                    {LINEAR_PUT, 4, 5, 80, 2, ANY},
	                                    {LINEAR_GET, 6, 7, 70, 3, ANY}));
}

static void a_put_that_was_applied_twice_is_not_linearizable(void **state)
{
	/* Seen as version 1, yet its own answer names version 2. */
	assert_int_equal(LINEAR_NO, VERDICT({LINEAR_PUT, 1, 6, 70, 2, ANY},
	                                    {LINEAR_GET, 2, 3, 70, 1, ANY}));
}

static void conditional_puts_need_the_version_they_name(void **state)
{
	assert_int_equal(LINEAR_YES, VERDICT({LINEAR_PUT, 1, 2, 70, 1, 0},
	                                     {LINEAR_PUT, 3, 4, 80, 2, 1},
	                                     {LINEAR_CONFLICT, 5, 6, 0, 0, 1}));
	assert_int_equal(LINEAR_NO, VERDICT({LINEAR_PUT, 1, 2, 70, 1, 0},
	                                    {LINEAR_PUT, 3, 4, 80, 2, 0}));
	assert_int_equal(LINEAR_NO, VERDICT({LINEAR_PUT, 1, 2, 70, 1, 0},
	                                    {LINEAR_CONFLICT, 3, 4, 0, 0, 1}));
}

static void many_unknown_puts_are_searched_within_bounds(void **state)
{
	struct history h = {0};
	uint32_t stuck;
	for (uint64_t i = 0; i < 12; i++)
		history_add(&h, &(struct operation){LINEAR_PUT, i + 1, UNKNOWN, 100 + i, 0, ANY});
	for (uint64_t i = 0; i < 12; i++)
		history_add(&h, &(struct operation){LINEAR_GET, 100 + 2 * i, 101 + 2 * i,
		                                    100 + 11 - i, i + 1, ANY});
	assert_int_equal(LINEAR_YES, linear_check(&h, &stuck));
	h.list[23].value = 999;
	assert_int_not_equal(LINEAR_YES, linear_check(&h, &stuck));
	history_finish(&h);
}

/* ---- quorums ---- */

static struct config config_with(uint64_t counter, uint64_t version, uint32_t count,
                                 const node_id *voters)
{
	struct config c = {.ballot = {.counter = counter, .node = 1}, .version = version,
	                   .voter_count = count};
	for (uint32_t i = 0; i < count; i++)
		c.voters[i] = voters[i];
	return c;
}

static void one_voter_more_or_less_is_fine(void **state)
{
	struct quorums *q = calloc(1, sizeof(*q));
	struct violations v = {0};
	struct config list[] = {
		config_with(1, 1, 3, (node_id[]){1, 2, 3}),
		config_with(1, 2, 4, (node_id[]){1, 2, 3, 4}),
		config_with(2, 2, 4, (node_id[]){1, 2, 3, 4}),
		config_with(2, 3, 3, (node_id[]){2, 3, 4}),
	};
	for (uint32_t i = 0; i < 4; i++)
		quorums_report(q, &v, i, 0, &list[i]);
	assert_int_equal(v.count, 0);
	free(q);
}

static void a_config_whose_majority_avoids_the_last_one_is_caught(void **state)
{
	struct quorums *q = calloc(1, sizeof(*q));
	struct violations v = {0};
	struct config a = config_with(1, 1, 3, (node_id[]){1, 2, 3});
	struct config b = config_with(1, 2, 3, (node_id[]){1, 4, 5});
	quorums_report(q, &v, 1, 0, &a);
	quorums_report(q, &v, 2, 0, &b);
	assert_int_equal(v.count, 1);
	free(q);
}

static void a_config_from_nowhere_is_caught(void **state)
{
	struct quorums *q = calloc(1, sizeof(*q));
	struct violations v = {0};
	struct config a = config_with(1, 1, 3, (node_id[]){1, 2, 3});
	struct config b = config_with(2, 2, 4, (node_id[]){1, 2, 3, 4});
	struct config c = config_with(1, 1, 3, (node_id[]){1, 2, 4});
	quorums_report(q, &v, 1, 0, &a);
	quorums_report(q, &v, 2, 0, &b);
	assert_int_equal(v.count, 1);
	quorums_report(q, &v, 3, 0, &c); /* other voters under a known name */
	assert_int_equal(v.count, 2);
	free(q);
}

/* ---- facts ---- */

static void a_fact_altered_on_its_way_is_caught(void **state)
{
	struct facts_check f = {0};
	struct violations v = {0};
	for (uint64_t name = 2; name < 2000; name += 2)
		facts_report(&f, &v, 1, 0, name, name * 3);
	facts_report(&f, &v, 2, 1, 1000, 3000);
	assert_int_equal(v.count, 0);
	facts_report(&f, &v, 3, 1, 1000, 3001);
	assert_int_equal(v.count, 1);
	facts_check_finish(&f);
}

/* ---- budget ---- */

static void a_flood_of_packets_or_bytes_is_caught(void **state)
{
	struct budget_window b = {0};
	struct violations v = {0};
	budget_report(&b, &v, 10 * SECOND, 0, 5, 1000, 100000);
	assert_int_equal(v.count, 0);
	budget_report(&b, &v, 20 * SECOND, 0, 5, 101000, 200000);
	assert_int_equal(v.count, 1);
	budget_report(&b, &v, 30 * SECOND, 0, 5, 101100, 900000000);
	assert_int_equal(v.count, 2);
}

/* ---- sometimes ---- */

static void two_candidates_are_rivals_only_within_a_lease_time(void **state)
{
	struct sometimes s;
	sometimes_init(&s, 3);
	struct moment m = {.at = 10 * SECOND, .lease = SECOND, .node = 0, .rule = RULE_CANDIDATE,
	                   .subject = 3};
	sometimes_traced(&s, &m);
	m.at += 2 * SECOND;
	m.node = 1;
	sometimes_traced(&s, &m);
	assert_int_equal(s.met[SOMETIMES_RIVAL_CANDIDATES], 0);
	m.at += SECOND / 2;
	m.node = 2;
	sometimes_traced(&s, &m);
	assert_int_equal(s.met[SOMETIMES_RIVAL_CANDIDATES], 1);
	sometimes_finish(&s);
}

static void a_hand_over_is_done_or_lost_by_who_is_master_next(void **state)
{
	struct sometimes s;
	sometimes_init(&s, 3);
	struct moment m = {.at = SECOND, .lease = SECOND, .rule = RULE_TRANSFERRING,
	                   .subject_id = 7, .subject = 1, .id = 5};
	sometimes_traced(&s, &m);
	m.rule = RULE_MASTER;
	m.id = 7;
	sometimes_traced(&s, &m);
	m.rule = RULE_TRANSFERRING;
	sometimes_traced(&s, &m);
	m.rule = RULE_MASTER;
	m.id = 5;
	sometimes_traced(&s, &m);
	assert_int_equal(s.met[SOMETIMES_HAND_OVER_DONE], 1);
	assert_int_equal(s.met[SOMETIMES_HAND_OVER_LOST], 1);
	sometimes_finish(&s);
}

static void a_quick_restart_counts_only_without_a_verdict(void **state)
{
	struct sometimes s;
	sometimes_init(&s, 3);
	struct moment m = {.at = SECOND, .lease = SECOND, .rule = RULE_REFUSED, .subject = 1};
	sometimes_traced(&s, &m);
	m.rule = RULE_UNREACHABLE;
	sometimes_traced(&s, &m);
	m.rule = RULE_RESTARTED;
	sometimes_traced(&s, &m);
	assert_int_equal(s.met[SOMETIMES_QUICK_RESTART], 0);
	m.rule = RULE_REFUSED;
	sometimes_traced(&s, &m);
	m.rule = RULE_RESTARTED;
	sometimes_traced(&s, &m);
	assert_int_equal(s.met[SOMETIMES_QUICK_RESTART], 1);
	sometimes_finish(&s);
}

/* ---- clocks ---- */

/* Five nodes at 200 s of true time; the first is 10 ms ahead, the last 3 s. */
static void five_clocks(struct clocks_check *c)
{
	clocks_check_init(c, 5);
	for (uint32_t i = 0; i < 5; i++)
		clocks_truth(c, i, 200 * SECOND, 200 * SECOND + (i == 0 ? 10 * MILLISECOND : i == 4 ? 3 * SECOND : 0), false);
	clocks_judge(c, 200 * SECOND);
}

static void an_offset_outside_of_its_bound_is_caught(void **state)
{
	struct violations v = {0};
	static struct clocks_check c;
	five_clocks(&c);
	clocks_offset(&c, &v, 1, 0, 9 * MILLISECOND, MILLISECOND);
	clocks_offset(&c, &v, 1, 4, 3 * SECOND, 0); /* off, and known to be */
	assert_int_equal(v.count, 0);
	clocks_offset(&c, &v, 1, 0, 9 * MILLISECOND, MILLISECOND - 1);
	assert_int_equal(v.count, 1);
	clocks_lies(&c, 0);
	clocks_offset(&c, &v, 1, 0, 9 * SECOND, 0); /* nobody can know it */
	clocks_truth(&c, 2, 210 * SECOND, 210 * SECOND, true);
	clocks_offset(&c, &v, 1, 2, 9 * SECOND, 0); /* stepped just now */
	assert_int_equal(v.count, 1);
}

static void an_innocent_accused_is_caught_and_a_guilty_one_is_not_objected_to(void **state)
{
	struct violations v = {0};
	static struct clocks_check c;
	five_clocks(&c);
	assert_true(clocks_accused(&c, &v, 1, 4, 0x1f));
	assert_int_equal(v.count, 0);
	assert_false(clocks_accused(&c, &v, 1, 0, 0x1f));
	assert_int_equal(v.count, 1);
	assert_false(clocks_accused(&c, &v, 1, 0, 0x11)); /* one of two is innocent: nobody can tell */
	assert_int_equal(v.count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_offset_outside_of_its_bound_is_caught),
		cmocka_unit_test(an_innocent_accused_is_caught_and_a_guilty_one_is_not_objected_to),
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
		cmocka_unit_test(who_lags_by_less_than_a_look_agrees),
		cmocka_unit_test(what_is_of_another_cluster_is_caught),
		cmocka_unit_test(what_was_committed_below_the_cut_still_counts),
		cmocka_unit_test(writes_count_anew_in_a_new_generation),
		cmocka_unit_test(disagreement_is_caught_only_after_the_bound),
		cmocka_unit_test(falling_apart_again_is_caught),
		cmocka_unit_test(a_removed_member_that_returns_is_caught),
		cmocka_unit_test(a_restarted_node_that_is_behind_may_not_know_yet),
		cmocka_unit_test(a_fail_over_lasts_from_the_loss_to_another_master),
		cmocka_unit_test(a_fail_over_beyond_its_bound_is_caught),
		cmocka_unit_test(puts_and_gets_in_some_order_are_linearizable),
		cmocka_unit_test(a_get_that_misses_an_ended_put_is_not_linearizable),
		cmocka_unit_test(gets_that_see_a_write_come_and_go_are_not_linearizable),
		cmocka_unit_test(an_unknown_put_may_be_applied_late_or_never),
		cmocka_unit_test(an_unknown_put_is_not_applied_before_it_began_nor_twice),
		cmocka_unit_test(a_put_that_was_applied_twice_is_not_linearizable),
		cmocka_unit_test(conditional_puts_need_the_version_they_name),
		cmocka_unit_test(many_unknown_puts_are_searched_within_bounds),
		cmocka_unit_test(one_voter_more_or_less_is_fine),
		cmocka_unit_test(a_config_whose_majority_avoids_the_last_one_is_caught),
		cmocka_unit_test(a_config_from_nowhere_is_caught),
		cmocka_unit_test(a_fact_altered_on_its_way_is_caught),
		cmocka_unit_test(a_flood_of_packets_or_bytes_is_caught),
		cmocka_unit_test(two_candidates_are_rivals_only_within_a_lease_time),
		cmocka_unit_test(a_hand_over_is_done_or_lost_by_who_is_master_next),
		cmocka_unit_test(a_quick_restart_counts_only_without_a_verdict),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
